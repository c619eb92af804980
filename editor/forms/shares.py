"""Links for people outside, and what those type there."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from editor.forms.comments import CommentForm
from editor.forms.fields import PICK_ONE, RELOAD, TOO_LONG, LineField, StatementField
from editor.images.export_settings import drawable
from editor.models import WHY_MAX, Share
from editor.sharing.links import Terms

DAY, WEEK, MONTH, ON, NEVER = "day", "week", "month", "date", "never"
GOOD_FOR = {DAY: timedelta(days=1), WEEK: timedelta(days=7), MONTH: timedelta(days=30)}
LASTS = [
    (DAY, "a day"),
    (WEEK, "a week"),
    (MONTH, "a month"),
    (ON, "the end of a day"),
    (NEVER, "somebody revokes it"),
]

_PLAIN_SIGNS = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "·": "-", "×": "x"}
)


class ShareForm(forms.Form):
    """What whoever has a link may see and do. Of one that is changed, `share` is the row as it is."""

    title = LineField(required=False, max_length=120, error_messages=TOO_LONG)
    lasts = forms.ChoiceField(choices=LASTS, initial=WEEK, error_messages={"required": "Choose one."} | PICK_ONE)
    date = forms.DateField(required=False, error_messages={"invalid": "A day like 2030-01-31."})
    password = forms.CharField(required=False, min_length=6, max_length=100, strip=False)
    no_password = forms.BooleanField(required=False)
    may_download = forms.BooleanField(required=False)
    shows_prompts = forms.BooleanField(required=False)
    watermark = LineField(required=False, max_length=60, error_messages=TOO_LONG)
    may_comment = forms.BooleanField(required=False)
    may_decide = forms.BooleanField(required=False)

    def __init__(self, *args: Any, share: Share | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.share = share
        self.fields["password"].error_messages |= {
            "min_length": "At least 6 characters, please.",
            "max_length": "At most 100 characters, please.",
        }
        if share is not None:
            columns = ("title", "may_download", "shows_prompts", "watermark", "may_comment", "may_decide")
            self.initial = {name: getattr(share, name) for name in columns}
            self.initial |= {"lasts": NEVER if share.expires_at is None else ON, "date": _last_day(share)}

    def clean_watermark(self) -> str:
        """Typographic signs become plain ones; all else that can't be drawn is named."""
        text: str = self.cleaned_data["watermark"].translate(_PLAIN_SIGNS).strip()
        lacking = "".join(dict.fromkeys(c for c in text if drawable(c) != c and not c.isspace()))
        if lacking:
            sentence = f"This can’t be drawn: {lacking}. There are only plain Latin letters, digits and signs."
            raise ValidationError(sentence, code="not_drawable")
        return " ".join(text.split())

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("lasts") == ON and "date" in said:
            if said["date"] is None:
                self.add_error("date", "Choose the day.")
            elif said["date"] < timezone.localdate() and said["date"] != _last_day(self.share):
                self.add_error("date", "This day is over. Choose a later one.")
            elif said["date"].year > 9_000:
                self.add_error("date", "Choose an earlier day.")
        return said

    def terms(self, now: datetime) -> Terms:
        """Only for a valid form."""
        said = self.cleaned_data
        password = said["password"] or (None if self.share is not None and not said["no_password"] else "")
        columns = ("title", "may_download", "shows_prompts", "watermark", "may_comment", "may_decide")
        return Terms(expires_at=self._end(now), password=password, **{name: said[name] for name in columns})

    def _end(self, now: datetime) -> datetime | None:
        said = self.cleaned_data
        if said["lasts"] == NEVER:
            return None
        if said["lasts"] != ON:
            return now + GOOD_FOR[said["lasts"]]
        if self.share is not None and said["date"] == _last_day(self.share):
            return self.share.expires_at  # its hour stays
        return timezone.make_aware(datetime.combine(said["date"], time.max))


def _last_day(share: Share | None) -> Any:
    return timezone.localdate(share.expires_at) if share is not None and share.expires_at is not None else None


class UnlockForm(forms.Form):
    """What a guest types to get in."""

    password = forms.CharField(
        max_length=100,
        strip=False,
        error_messages={"required": "Type the password.", "max_length": "It is not that long."},
    )


class GuestForm(forms.Form):
    """Who says something: nobody vouches for the name."""

    guest_name = StatementField(
        widget=forms.TextInput,
        max_length=60,
        error_messages={"required": "Say who you are, so that your words have a name."} | TOO_LONG,
    )

    def clean_guest_name(self) -> str:
        return " ".join(self.cleaned_data["guest_name"].split())


class GuestDecisionForm(GuestForm):
    """What a guest says of a picture; why not, has to be said."""

    what = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    why = StatementField(required=False, max_length=WHY_MAX, error_messages=TOO_LONG)


class GuestCommentForm(GuestForm, CommentForm):
    """What a guest writes, perhaps as an answer in a thread."""

    thread = forms.UUIDField(required=False, error_messages={"invalid": RELOAD})
