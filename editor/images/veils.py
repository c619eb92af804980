"""Sensitive pictures: what was made from one, and what has its bytes, is blurred with it.

Such a picture *inherits*: it is shown plainly again when nothing that it comes from is sensitive any more. One that was
marked by itself, by somebody or by what looked at it, stays marked.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from editor.images.quarantine import family_of
from editor.models import Image


def mark(image: Image) -> None:
    """By itself, and with it all that comes from it. Called in a transaction."""
    Image.objects.filter(pk=image.pk).update(sensitive=True, sensitive_inherited=False)
    family = Image.objects.filter(pk__in=family_of(image), sensitive=False)
    family.update(sensitive=True, sensitive_inherited=True)


def unmark(image: Image, *, inherits: bool) -> None:
    """It is not sensitive by itself (any more); `inherits`: but may still be because of what it comes from.

    Called in a transaction.
    """
    if not Image.objects.filter(pk=image.pk, sensitive=True).exists():
        return
    rows = Image.objects.filter(pk__in=family_of(image), sensitive=True, sensitive_inherited=True)
    veiled = set(rows.values_list("pk", flat=True))
    plain = {"sensitive": False, "sensitive_inherited": False}
    Image.objects.filter(pk__in=veiled | {image.pk}).update(**plain)
    if inherits:
        veiled.add(image.pk)
    # Each round veils what comes from what the round before it veiled, until nothing is left to veil.
    while inheriting(Image.objects.filter(pk__in=veiled, sensitive=False)).update(
        sensitive=True, sensitive_inherited=True
    ):
        pass


def inheriting(rows: "QuerySet[Image]") -> "QuerySet[Image]":
    """Those that were made from a sensitive picture, or have the bytes of one."""
    marked = Image.objects.filter(sensitive=True)
    sources = marked.filter(used_by__job=OuterRef("job"))
    same = marked.filter(master_sha256=OuterRef("master_sha256")).exclude(pk=OuterRef("pk"))
    return rows.filter(Exists(sources) | (~Q(master_sha256="") & Exists(same)))


def inherit(image: Image) -> None:
    """Of one that has just become ready: it comes in as sensitive as what it comes from, marked meanwhile or not."""
    rows = inheriting(Image.objects.filter(pk=image.pk, sensitive=False))
    if rows.update(sensitive=True, sensitive_inherited=True):
        image.sensitive = image.sensitive_inherited = True
