"""Opening cases: something needs a look. Who decides about them works at the desk."""

from typing import Any

from django.db import IntegrityError, transaction

from editor.models import CaseState, Cause, Decision, GenerationJob, Image, ModerationCase, ReportReason, User

URGENCY = {
    Cause.FINGERPRINT: 90,
    Cause.RULE: 80,  # somebody waits for it
    Cause.TRUST: 70,  # likewise
    Cause.DESCENDANT: 70,
    Cause.APPEAL: 60,
    Cause.OFTEN: 55,
    Cause.FLAGGED: 40,
    Cause.CLASSIFIER: 40,
    Cause.REPORT: 50,
    Cause.STAFF: 0,  # decided as it is opened
}
"""How soon somebody should look, 0 to 100; a report's reason says it more exactly."""

REPORT_URGENCY = {
    ReportReason.CHILD: 100,
    ReportReason.ILLEGAL: 95,
    ReportReason.PERSON: 75,
    ReportReason.HATE: 65,
    ReportReason.NUDITY: 60,
    ReportReason.RIGHTS: 50,
    ReportReason.OTHER: 35,
}


def open_case(
    cause: Cause,
    person: User,
    *,
    image: Image | None = None,
    job: GenerationJob | None = None,
    key: str = "",
    urgency: int | None = None,
    details: dict[str, Any] | None = None,
    appeal_of: Decision | None = None,
) -> ModerationCase:
    """The open case of this cause about the picture, else the edit, else the person; made if there is none.

    One that is open already becomes more urgent if this is, and keeps its details.
    """
    urgency = URGENCY[cause] if urgency is None else urgency
    place = image or job
    row = ModerationCase(
        cause=cause,
        person=person,
        image=image,
        job=job,
        workspace_id=place.workspace_id if place is not None else None,
        key=key[:60],
        urgency=urgency,
        details=details or {},
        appeal_of=appeal_of,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        found = _open_one(row)
        if found is None:  # it was decided in this very moment: what came now needs a look of its own
            row.save(force_insert=True)
            return row
        ModerationCase.objects.filter(pk=found.pk, urgency__lt=urgency).update(urgency=urgency)
        return found
    return row


def _open_one(like: ModerationCase) -> ModerationCase | None:
    rows = ModerationCase.objects.filter(cause=like.cause)
    if like.appeal_of_id:
        return rows.filter(appeal_of=like.appeal_of_id).first()
    rows = rows.filter(state=CaseState.OPEN)
    if like.image_id:
        return rows.filter(image=like.image_id).first()
    if like.job_id:
        return rows.filter(image=None, job=like.job_id).first()
    return rows.filter(image=None, job=None, person=like.person_id).first()
