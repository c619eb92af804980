"""System checks: every mistake in the settings becomes one sentence that names its variable."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured


@register
def settings_are_sound(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(problem.sentence, hint=problem.hint, id=problem.id, obj=problem.name)
        for problem in settings.SETTINGS_PROBLEMS
    ]


def require_sound_settings() -> None:
    """Stop a process that Django does not check by itself (the web server).

    Raises ImproperlyConfigured with one sentence per mistake.
    """
    if settings.SETTINGS_PROBLEMS:
        words = "\n".join(f"  {p.sentence} {p.hint} ({p.id})" for p in settings.SETTINGS_PROBLEMS)
        raise ImproperlyConfigured(f"Retake can't start:\n{words}")
