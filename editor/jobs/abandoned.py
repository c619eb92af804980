"""Edits that nobody waits for any more: those of deleted accounts, and those that wait in a workspace in the trash.

Of an account all are canceled: what waits is free, and what the vendor makes is thrown away. In a workspace in the
trash only what waits is: what the vendor works on is paid, so it runs out, and its pictures come back with it.
"""

from typing import TYPE_CHECKING

from django.db.models import Q

from editor.jobs import control
from editor.models import GenerationJob, JobState, User, Workspace

if TYPE_CHECKING:
    from editor.models.jobs import JobQuerySet

MOST = 200  # at a go of the clock
WAITING = (JobState.HELD, JobState.QUEUED)


def cancel_of(user: User) -> None:
    """All that a person has under way."""
    _cancel(GenerationJob.objects.unfinished().filter(made_by=user))


def cancel_in(workspace: Workspace) -> None:
    """What waits in a workspace that was put into the trash."""
    _cancel(GenerationJob.objects.filter(workspace=workspace, state__in=WAITING))


def cancel_abandoned() -> None:
    """Whatever of both is left because a process died in between; for the clock."""
    gone = Q(made_by__anonymised_at__isnull=False, cancel_requested_at=None)
    trashed = Q(workspace__trashed_at__isnull=False, state__in=WAITING)
    _cancel(GenerationJob.objects.unfinished().filter(gone | trashed)[:MOST])


def _cancel(jobs: "JobQuerySet") -> None:
    # One transaction each: together they would lock many accounts of the ledger in no order.
    for job in jobs:
        control.cancel(job)
