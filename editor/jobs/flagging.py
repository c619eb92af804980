"""What the flux server's safety check said about an edit: what follows for its pictures, its owner and the desk."""

from datetime import timedelta

from django.utils import timezone

from editor.models import Cause, GenerationJob, ImageState, JobState, User
from editor.models.chosen import chosen
from editor.moderation.cases import open_case

BLANKED_URGENCY = 10  # nobody can see anything of it
DAY = timedelta(days=1)


def lock_owner(job: GenerationJob) -> None:
    """Before an edit with blocked pictures ends: two that end at the same moment then count each other.

    First of all locks, as wherever a person and their edits are locked.
    """
    User.objects.select_for_update(no_key=True).get(pk=job.made_by_id)


def follow(job: GenerationJob, *, ready: int, blocked: int, told: bool) -> None:
    """For an edit that has just ended, in its transaction. `told`: whether the answer itself said so.

    What passed is blurred, since the flag is one for all pictures, and somebody looks at it; where all are blank, there
    is nothing to see, but too many such edits in a day pause the person.
    """
    details = {"pictures": ready, "blocked": blocked, "told": told}
    if ready:
        job.results.filter(state=ImageState.READY).update(sensitive=True, sensitive_inherited=False)
        open_case(Cause.FLAGGED, job.made_by, job=job, key="flagged", details=details)
    else:
        open_case(Cause.FLAGGED, job.made_by, job=job, key="blank", urgency=BLANKED_URGENCY, details=details)
    if job.state == JobState.BLOCKED:
        _pause_if_often(job.made_by)


def _pause_if_often(person: User) -> None:
    now, most = timezone.now(), chosen.BLOCKED_PER_DAY
    if not most:
        return
    lately = GenerationJob.objects.filter(made_by=person, created_at__gt=now - DAY, state=JobState.BLOCKED)
    if len(lately.values_list("pk")[:most]) < most:
        return
    until = now + DAY
    User.objects.filter(pk=person.pk).update(edits_paused_until=until)
    open_case(Cause.OFTEN, person, details={"blocked": most, "paused_until": until.isoformat(timespec="seconds")})
