"""Edits by how much their results changed: for lists that filter or sort by it."""

from django.db.models import F, FloatField, OuterRef, Subquery

from editor.models import ChangeMap, ChangeState, Extent
from editor.models.jobs import JobQuerySet

EXTENTS = [(str(extent), str(extent.label)) for extent in reversed(Extent)]
"""For a filter: what stands in an address, and what people read."""


def that_changed(jobs: JobQuerySet, extent: str) -> JobQuerySet:
    """Those whose results changed hardly, a little or much; for any other word, all of them.

    Of several results the one that changed most counts. With `changed`, its share of the area.
    """
    if extent not in Extent.values:
        return jobs
    least, below = Extent(extent).bounds
    return jobs.annotate(changed=_most()).filter(changed__gte=least, changed__lt=below)


def most_changed_first(jobs: JobQuerySet) -> JobQuerySet:
    """With `changed`; those of which nothing is known last."""
    return jobs.annotate(changed=_most()).order_by(F("changed").desc(nulls_last=True), "created_at", "id")


def _most() -> Subquery:
    """The share of the area that changed in the result that changed most; None where nobody knows."""
    maps = ChangeMap.objects.filter(image__job=OuterRef("pk"), image__removed_at=None, state=ChangeState.MADE)
    return Subquery(maps.order_by("-share").values("share")[:1], output_field=FloatField())
