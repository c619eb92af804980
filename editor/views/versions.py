"""Every edit of one picture as a tree: what was made from what. A merge stands under both its pictures."""

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from editor.models import GenerationJob, Image, JobSource

if TYPE_CHECKING:
    from editor.models import User

NODES_MAX = 60


class Node(NamedTuple):
    job: GenerationJob
    depth: int  # 0: made from the upload itself


class Versions(NamedTuple):
    root: Image
    nodes: list[Node]  # in the order of reading, newest first among siblings
    cut: bool  # whether older ones were left out


def versions_of(image: Image, user: "User") -> Versions:
    """The newest edits of the upload that `image` descends from, in four queries."""
    root = image.first_upload
    in_tree = JobSource.objects.filter(Q(image=root) | Q(image__root=root), job=OuterRef("pk"))
    jobs = GenerationJob.objects.visible_to(user).filter(Exists(in_tree)).with_pictures()
    newest = list(jobs.order_by("-created_at", "-id")[: NODES_MAX + 1])
    cut = len(newest) > NODES_MAX
    return Versions(root, _in_reading_order(newest[:NODES_MAX]), cut)


def _in_reading_order(newest_first: list[GenerationJob]) -> list[Node]:
    known = {job.pk for job in newest_first}
    children: dict[UUID | None, list[GenerationJob]] = defaultdict(list)
    for job in newest_first:
        parents = (image.job_id for image in job.source_images)
        children[next((parent for parent in parents if parent in known), None)].append(job)
    nodes: list[Node] = []
    waiting = [Node(job, 0) for job in reversed(children[None])]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += [Node(job, node.depth + 1) for job in reversed(children[node.job.pk])]
    return nodes


def stage_address(job: GenerationJob, user: "User") -> str:
    """The studio with this edit's result, or with the wait for it."""
    source = job.source_image
    if not source.is_shown_to(user):
        return reverse("edit", args=[job.pk])
    return f"{reverse('studio_image', args=[source.pk])}?edit={job.pk}"
