"""What operators tell the flux server and the portal about it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings

from editor.flux.contract import DEPLOY_TYPE
from editor.forms.fields import LineField
from editor.models import FluxServer

if TYPE_CHECKING:
    LimitsBase = forms.ModelForm[FluxServer]
else:
    LimitsBase = forms.ModelForm

MOST = 10_000  # as the settings of the same names allow
LONGEST_REASON = 200


class LimitsForm(LimitsBase):
    """How many requests the plan lets wait, and how many we send ahead; empty for what the environment says."""

    class Meta:
        model = FluxServer
        fields = ("queue_limit", "outstanding")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.Meta.fields:
            if name in self.fields:
                self.fields[name] = forms.IntegerField(
                    label=self.fields[name].label,
                    help_text=self.fields[name].help_text,
                    required=False,
                    min_value=1,
                    max_value=MOST,
                )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        limit, ahead = values.get("queue_limit") or settings.FLUX_QUEUE_LIMIT, values.get("outstanding")
        if ahead and not self.has_error("queue_limit") and ahead > limit:
            self.add_error("outstanding", f"At most {limit}: so many the flux server lets wait at once.")
        return values


class ReasonForm(forms.Form):
    """Whoever waits reads it."""

    reason = LineField(
        label="Reason",
        max_length=LONGEST_REASON,
        error_messages={"required": "Give a reason: whoever waits reads it."},
    )


class DeployTypeForm(forms.Form):
    deploy_type = forms.RegexField(
        r"^[A-Za-z0-9_.-]+$",
        label="Kind of your flux server (deploy_type)",
        max_length=40,
        initial=DEPLOY_TYPE,
        error_messages={"invalid": "Letters, numbers, dots and underscores only."},
    )


class RegistrationForm(DeployTypeForm):
    tested = forms.BooleanField(label="Make a test edit", required=False, initial=True)
