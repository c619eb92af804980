"""The settings of people: whether what the administration says can hold, and what it keeps from holding."""

from collections.abc import Iterator

from django.conf import settings

from editor.doctor.findings import Ask, Finding, fine, problem, warning
from editor.models import Setting
from editor.models.chosen import problem_of
from project.adjustable import as_text

HERE = "in the administration, under Settings"


def look_at_choices(ask: Ask) -> Iterator[Finding]:
    """Stored values that can't hold any more, and variables that are given for nothing."""
    sound = 0
    for row in Setting.objects.exclude(value=None).order_by("name"):
        name = row.name
        if name not in settings.ADJUSTABLE:
            yield warning(
                f"A value is stored for {name}, which is no setting any more.",
                "It does nothing; it may stay.",
            )
        elif wrong := problem_of(name, row.value):
            default = as_text(getattr(settings, name)) or "nothing"
            yield problem(f"{name} can't hold as it is set: {wrong} Its default does: {default}.", f"Set it {HERE}.")
        elif name in settings.ADJUSTABLE_GIVEN:
            yield warning(
                f"{name} in the environment does nothing: {row.value!r:.60} is set {HERE}.",
                "Unset the variable, or set it back to the default there.",
            )
        else:
            sound += 1
    yield fine(f"{sound} settings of people are set {HERE} and make sense; the others have their defaults.")
