"""What an edit is found by in a history: the words of its prompt, and the pictures that it was made of."""

from collections.abc import Iterable
from uuid import UUID

from editor.library.words import WORDS_MAX, words_of
from editor.models import EditTerm, GenerationJob, JobSource

_BATCH = 1_000


def source_term(image_id: UUID) -> str:
    """How a source picture stands among the terms; no word begins like that."""
    return f"={image_id.hex}"


def index_edits(*jobs: GenerationJob) -> None:
    """Let these edits be found; to be called in the transaction that makes them, behind their sources."""
    sources = JobSource.objects.filter(job__in=jobs).values_list("job_id", "image_id")
    words = {prompt: words_of(prompt)[:WORDS_MAX] for prompt in {job.prompt for job in jobs}}  # of a batch, mostly one
    terms: dict[UUID, list[str]] = {job.pk: list(words[job.prompt]) for job in jobs}
    for job_id, image_id in sources:
        terms[job_id].append(source_term(image_id))
    rows = [_row(job, term) for job in jobs for term in terms[job.pk]]
    EditTerm.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


def index_all(jobs: Iterable[GenerationJob], at_once: int = 500) -> int:
    """Those of a long list, some at a time; returns how many."""
    count, batch = 0, list[GenerationJob]()
    for job in jobs:
        batch.append(job)
        if len(batch) == at_once:
            index_edits(*batch)
            count, batch = count + len(batch), []
    index_edits(*batch)
    return count + len(batch)


def _row(job: GenerationJob, term: str) -> EditTerm:
    return EditTerm(
        job_id=job.pk,
        made_by_id=job.made_by_id,
        workspace_id=job.workspace_id,
        term=term,
        job_created_at=job.created_at,
    )
