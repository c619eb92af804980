"""Every edit of one picture as a tree: what was made from what. A merge stands under both its pictures."""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db.models import Case, Q, Value, When
from django.urls import reverse

from editor.jobs.differences import name_by
from editor.models import GenerationJob, Image, JobSource

if TYPE_CHECKING:
    from editor.models import User

NODES_MAX = 60


class Node(NamedTuple):
    job: GenerationJob
    depth: int  # 0: made from the upload itself
    again: bool = False  # a merge under its other picture: what was made of it stands where it came first
    below: int = 0  # how many were made of its results, and of theirs
    differs: str = ""  # among those with the same words: what else was asked of it


class Versions(NamedTuple):
    root: Image
    nodes: list[Node]  # in the order of reading, newest first among siblings
    cut: bool  # whether older ones were left out
    asked: dict[UUID, GenerationJob]  # those that were asked for, be they of another picture or old

    def maker_of(self, image: Image) -> GenerationJob | None:
        """The edit that made it, if it was asked for."""
        return self.asked.get(image.job_id) if image.job_id is not None else None

    @property
    def size(self) -> int:
        """The upload, and each edit once."""
        return 1 + sum(not node.again for node in self.nodes)


def versions_of(image: Image, user: "User", asked: Collection[UUID] = ()) -> Versions:
    """The newest edits of the upload that `image` descends from, and those asked for; three queries, and the root's."""
    root = image.first_upload
    family = Image.objects.filter(Q(pk=root.pk) | Q(root=root.pk)).values("pk")
    in_tree = JobSource.objects.filter(image__in=family).values("job")
    jobs = GenerationJob.objects.visible_to(user).filter(Q(pk__in=in_tree) | Q(pk__in=asked)).with_pictures()
    first = Case(When(pk__in=asked, then=Value(0)), default=Value(1)) if asked else Value(0)
    rows = list(jobs.order_by(first, "-created_at", "-id")[: NODES_MAX + 1 + len(asked)])
    known = {job.pk: job for job in rows if job.pk in asked}
    ours = [job for job in rows if any((image.root_id or image.pk) == root.pk for image in job.source_images)]
    ours.sort(key=lambda job: (job.created_at, job.pk), reverse=True)
    kept = [job for number, job in enumerate(ours) if number < NODES_MAX or job.pk in known]
    nodes = _in_reading_order(root, _without_pruned(kept, user, asked))
    return Versions(root, _told_apart(nodes), len(ours) > NODES_MAX, known)


def _without_pruned(newest_first: list[GenerationJob], user: "User", asked: Collection[UUID]) -> list[GenerationJob]:
    """Without edits whose results lie in the trash, unless something that stands was made of them."""
    kept: list[GenerationJob] = []
    needed: set[UUID | None] = set(asked)
    for job in newest_first:  # what was made of an edit is newer than it
        if job.pk in needed or not is_pruned(job, user):
            kept.append(job)
            needed.update(image.job_id for image in job.source_images)
    return kept


def is_pruned(job: GenerationJob, user: "User") -> bool:
    """Whether all that it made lies in the trash, or it made nothing and was put away, by a person's will."""
    if job.put_away_at is not None:
        return True
    results = [image for image in job.results.all() if image.is_there_for(user)]
    return bool(results) and all(image.trashed_at for image in results)


def _in_reading_order(root: Image, newest_first: list[GenerationJob]) -> list[Node]:
    known = {job.pk for job in newest_first}
    children: dict[UUID | None, list[GenerationJob]] = defaultdict(list)
    for job in newest_first:
        for parent in _parents(job, root.pk, known):
            children[parent].append(job)
    nodes: list[Node] = []
    seen: set[UUID] = set()
    waiting = [Node(job, 0) for job in reversed(children[None])]
    while waiting:
        node = waiting.pop()
        if node.job.pk in seen:
            nodes.append(node._replace(again=True))
            continue
        seen.add(node.job.pk)
        nodes.append(node)
        waiting += [Node(job, node.depth + 1) for job in reversed(children[node.job.pk])]
    return [node._replace(below=_below(nodes, place)) for place, node in enumerate(nodes)]


def _told_apart(nodes: list[Node]) -> list[Node]:
    """Each of those with the same words says what it has otherwise than the oldest of them; that one, than the next."""
    by_words: dict[str, list[GenerationJob]] = defaultdict(list)
    for node in nodes:
        if not node.again:
            by_words[node.job.prompt].append(node.job)
    differs: dict[UUID, str] = {}
    for same in by_words.values():
        same.sort(key=lambda job: (job.created_at, job.pk))
        differs |= {job.pk: name_by(job, same[0]) for job in same[1:]}
        if len(same) > 1:
            differs[same[0].pk] = name_by(same[0], same[1])
    return [node._replace(differs=differs.get(node.job.pk, "")) for node in nodes]


def _parents(job: GenerationJob, root: UUID, known: Collection[UUID]) -> list[UUID | None]:
    """The edits that made its sources; None for the upload itself, and where neither is in sight."""
    found: dict[UUID | None, None] = {}
    for image in job.source_images:
        if image.job_id in known or image.pk == root:
            found[image.job_id] = None
    return list(found) or [None]


def _below(nodes: list[Node], place: int) -> int:
    depth = nodes[place].depth
    count = 0
    for node in nodes[place + 1 :]:
        if node.depth <= depth:
            break
        count += not node.again
    return count


def stage_address(job: GenerationJob, user: "User") -> str:
    """The studio with this edit's result, or with the wait for it."""
    source = job.source_image
    if not source.is_shown_to(user):
        return reverse("edit", args=[job.pk])
    return f"{reverse('studio_image', args=[source.pk])}?edit={job.pk}"
