"""Something that looks at pictures by itself, where one is set up: a hint for people, never a decision.

CLASSIFIER names a class by its dotted path; `editor.moderation.opennsfw.OpenNsfw` is one. It is made once per process,
without arguments, and runs in the workers on a small WebP of our own making, never on what somebody sent.
"""

import logging
from functools import cache
from importlib.util import find_spec
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from editor.models import Cause, Image
from editor.moderation.cases import open_case

log = logging.getLogger(__name__)


class Classifier(Protocol):
    """How likely a picture needs a look. A class may name in `needs` the package that it can't do without."""

    def score(self, webp: bytes) -> float:
        """0 to 1, of a WebP about 320 pixels wide. May raise whatever it likes: the picture goes on without."""
        ...


@cache
def _made(path: str) -> Classifier:
    made: Classifier = import_string(path)()
    return made


def look_at(image: Image, webp: bytes) -> bool:
    """Mark a picture that is ready as sensitive, with a case, where its score is over CLASSIFIER_LIMIT. True if so."""
    if not settings.CLASSIFIER:
        return False
    try:
        score = float(_made(settings.CLASSIFIER).score(webp))
    except Exception:
        log.exception("The classifier could not look at picture %s, which goes on without.", image.pk)
        return False
    if not score > settings.CLASSIFIER_LIMIT:  # nor for a NaN
        return False
    Image.objects.filter(pk=image.pk).update(sensitive=True, sensitive_inherited=False)
    image.sensitive = True
    # As text: cases may end up in the audit log, which knows no fractions.
    open_case(Cause.CLASSIFIER, image.made_by, image=image, details={"score": f"{score:.3f}"})
    return True


def problem() -> str:
    """A sentence about what keeps the chosen classifier from running; empty if nothing does."""
    path = settings.CLASSIFIER
    if not path:
        return ""
    try:
        chosen = import_string(path)
    except ImportError as error:
        return f"CLASSIFIER is {path!r}, which can't be imported: {error}."
    needs = getattr(chosen, "needs", "")
    if needs and find_spec(needs) is None:
        return f"CLASSIFIER is {path!r}, but its package is not installed: {needs.replace('_', '-')}."
    return "" if hasattr(chosen, "score") else f"CLASSIFIER is {path!r}, which has no method `score`."
