"""What templates need to say: icons, times, addresses of pictures, and how far an edit is."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from editor.accounts.links import public_url
from editor.forms import draw_form_token
from editor.images.refusals import REFUSALS
from editor.jobs.allowances import Rest
from editor.jobs.failures import NOTES, Failure, explain
from editor.jobs.outlook import Outlook
from editor.jobs.progress import Progress, progress
from editor.models import GenerationJob, Image, JobState, Role, User, WorkspaceInvitation
from editor.models.allowances import price
from editor.views import versions
from editor.views.frame import may_edit_here, rest_here, workspaces_of

register = template.Library()

UNREADABLE = "This picture could not be read. Please upload it again."
STATE_WORDS = {
    JobState.SUCCEEDED: "Done",
    JobState.FAILED: "Did not work",
    JobState.BLOCKED: "Kept back",
    JobState.CANCELED: "Canceled",
    JobState.UNCONFIRMED: "Needs you",
    JobState.QUEUED: "Queued",
    JobState.HELD: "Held",
}
FAULT_WORDS = {
    "yours": "This one is about the picture or the words.",
    "ours": "This one is our fault.",
    "theirs": "The flux server is at fault, not you.",
    "nobody's": "Nobody is at fault.",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing of the icon set, for the eyes only: the words stand beside it or in an `aria-label`."""
    address = f"{static('vendor/lucide/sprite.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', address)


@register.simple_tag
def price_of(each: Decimal, samples: object) -> str:
    """What so many pictures cost; of one, where that is no number yet."""
    text = str(samples)
    return f"{each * (int(text) if text.isascii() and text.isdigit() and len(text) == 1 else 1):.2f}"


@register.simple_tag
def form_token() -> str:
    return draw_form_token()


@register.filter
def rendition(image: Image | UUID, width: int) -> str:
    """The address of a picture at about this width; of a row or an id."""
    return reverse("image_rendition", args=[image.pk if isinstance(image, Image) else image, width])


@register.filter
def stage_address(job: GenerationJob, user: User) -> str:
    return versions.stage_address(job, user)


@register.simple_tag(takes_context=True)
def progress_of(context: Context, job: GenerationJob) -> Progress:
    """How far it is; all edits of a page share one look at those that wait."""
    request = context.get("request")
    outlook = getattr(request, "outlook", None) or Outlook()
    if request is not None:
        request.outlook = outlook
    return progress(job, outlook)


@register.filter
def progress_words(job: GenerationJob) -> str:
    return progress(job).headline


@register.filter
def ready_results(job: GenerationJob, user: User) -> list[Image]:
    """Those of a job fetched `with_pictures` that can be shown to this person."""
    return [image for image in job.results.all() if image.is_ready and image.is_shown_to(user)]


@register.filter
def waits_for_look(job: GenerationJob) -> bool:
    """Whether one of its results is kept back from all but its maker until somebody looked."""
    return any(image.is_ready and image.withheld_at and not image.trashed_at for image in job.results.all())


@register.filter
def results_removed(job: GenerationJob) -> bool:
    return any(image.removed_at for image in job.results.all())


@register.filter
def shown_to(image: Image, user: User) -> bool:
    return image.is_shown_to(user)


@register.filter
def there_for(image: Image, user: User) -> bool:
    """Whether the person may know it, be it in the trash."""
    return image.is_there_for(user)


@register.filter
def refusal_words(image: Image) -> str:
    return REFUSALS.get(image.refused_code, UNREADABLE)


@register.filter
def failure_of(job: GenerationJob) -> Failure | None:
    return explain(job)


@register.filter
def progress_tone(job: GenerationJob) -> str:
    """The colour of a state, from the row alone: a page of them asks nothing more."""
    if job.state == JobState.SUCCEEDED:
        return "done"
    if job.state == JobState.UNCONFIRMED:
        return "ask"
    return "bad" if job.is_final else "work"


@register.filter
def note_words(job: GenerationJob) -> str:
    return NOTES.get(job.note, "")


@register.filter
def fault_words(failure: Failure) -> str:
    return FAULT_WORDS[failure.fault]


@register.filter
def charge_words(failure: Failure) -> str:
    """Charged or not, unless the sentence about the failure says it already."""
    if "charged" in failure.sentence or "does not count" in failure.sentence:
        return ""
    return "It was charged." if failure.charged else "Nothing was charged."


@register.filter
def state_words(job: GenerationJob) -> str:
    return STATE_WORDS.get(JobState(job.state), "Working")


@register.simple_tag
def batch_money(pictures: int) -> str:
    """What so many pictures cost at today's price."""
    return f"{price() * pictures:.2f}"


@register.simple_tag(takes_context=True)
def what_is_left(context: Context) -> Rest:
    """The tightest limit in the workspace of the page."""
    return rest_here(context["request"], context["workspace"])


@register.simple_tag(takes_context=True)
def may_make(context: Context) -> bool:
    """Whether the person may edit in the workspace of the page; of those that the frame shows anyway."""
    here = next((each for each in workspaces_of(context["request"]) if each.pk == context["workspace"].pk), None)
    return here is not None and may_edit_here(here)


@register.filter
def ago(moment: datetime) -> SafeString:
    """How long ago, with the exact time on hover; a script turns that into the reader's own time zone."""
    exact = f"{moment:%d %b %Y, %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', moment.isoformat(), exact, _ago(moment))


@register.filter
def clock_time(moment: datetime) -> SafeString:
    return format_html('<time datetime="{}" data-clock>{}</time>', moment.isoformat(), f"{moment:%H:%M:%S} UTC")


@register.filter
def day_words(day: date) -> str:
    today = timezone.localdate()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day:%A} {day.day} {day:%B}{year}"


@register.filter
def span(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@register.filter
def undo_address(tags: str) -> str:
    """Where a message's Undo goes: views put it into its tags as `undo=/address/`."""
    return next((tag.removeprefix("undo=") for tag in (tags or "").split() if tag.startswith("undo=")), "")


@register.filter
def trash_address(tags: str) -> str:
    """The page of the trash in which the thing lies: `trash=/address/` among the tags, else that of pictures."""
    asked = (tag.removeprefix("trash=") for tag in (tags or "").split() if tag.startswith("trash="))
    return next(asked, reverse("trash"))


def _ago(moment: datetime) -> str:
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 86_400:
        return f"{round(seconds / 3600)} h ago"
    if seconds < 7 * 86_400:
        days = round(seconds / 86_400)
        return "yesterday" if days == 1 else f"{days} days ago"
    return f"{moment.day} {moment:%b %Y}"


@register.filter
def a_role(role: str) -> str:
    """ "an editor"."""
    word = Role(role).label.lower()
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


@register.filter
def join_address(invitation: WorkspaceInvitation) -> str:
    """What is passed on to whoever is invited."""
    return public_url("join", token=invitation.token)
