"""Edits by how much their results changed: for lists that are narrowed by it."""

from typing import TYPE_CHECKING

from django.db.models import Count, FloatField, OuterRef, Q, Subquery

from editor.models import ChangeMap, ChangeState, Extent, User
from editor.models.jobs import JobQuerySet

if TYPE_CHECKING:
    from editor.models.batches import ItemQuerySet

EXTENTS = [(str(extent), str(extent.label)) for extent in reversed(Extent)]
"""For a filter: what stands in an address, and what people read."""


def that_changed(jobs: JobQuerySet, extent: str, user: User) -> JobQuerySet:
    """Those whose results changed hardly, a little or much; for any other word, all of them.

    Of several results that the person may see the one that changed most counts. With `changed`, its share of the area.
    """
    if extent not in Extent.values:
        return jobs
    least, below = Extent(extent).bounds
    return jobs.annotate(changed=_most(user)).filter(changed__gte=least, changed__lt=below)


def numbers_changed(items: "ItemQuerySet", user: User) -> dict[str, int]:
    """How many pictures of a batch changed hardly, a little and much, by those words: of their present edits."""
    within = {str(each): Q(changed__gte=each.bounds[0], changed__lt=each.bounds[1]) for each in Extent}
    rows = items.order_by().annotate(changed=_most(user, "job"))
    return rows.aggregate(**{word: Count("pk", filter=here) for word, here in within.items()})


def _most(user: User, job: str = "pk") -> Subquery:
    """The share of the area that changed in the result that changed most; None where nobody knows."""
    seen = Q(image__withheld_at=None) | Q(image__made_by=user)
    maps = ChangeMap.objects.filter(seen, image__job=OuterRef(job), image__removed_at=None, state=ChangeState.MADE)
    return Subquery(maps.order_by("-share").values("share")[:1], output_field=FloatField())
