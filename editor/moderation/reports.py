"""What people say is wrong with a picture. All reports about the same picture stand in one case."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from editor.models import CaseState, Cause, Image, ModerationCase, Report, ReportReason, User
from editor.moderation.cases import REPORT_URGENCY, open_case

A_DAY = 50
"""Reports that a person may make in a day."""
_SHORT = 60  # of a picture's name


class TooManyReports(Exception):  # noqa: N818  a sentence for the person
    """The person's reports of a day are used up."""


@transaction.atomic
def report(reporter: User, image: Image, reason: ReportReason, words: str) -> Report:
    """Tell the moderators; whoever reports a picture again that nobody has decided about changes what they said.

    Raises TooManyReports.
    """
    said = {"reason": reason, "words": words}
    earlier = Report.objects.filter(reporter=reporter, created_at__gte=timezone.now() - timedelta(days=1))
    if earlier.exclude(case__image=image, case__state=CaseState.OPEN).count() >= A_DAY:
        raise TooManyReports(f"That is {A_DAY} reports in a day. Please go on tomorrow.")
    case = _open_case(image, reason)
    row, _ = Report.objects.update_or_create(case=case, reporter=reporter, defaults=said)
    names = {**case.details.get("names", {}), str(reporter.pk): image.name}
    ModerationCase.objects.filter(pk=case.pk).update(details={**case.details, "names": names})
    return row


def named_to(report: Report) -> str:
    """What the picture was called when it was reported, whatever its owner has called it since. Empty: nothing."""
    name = str(report.case.details.get("names", {}).get(str(report.reporter_id), ""))
    return name if len(name) <= _SHORT else f"{name[:_SHORT]}…"


def _open_case(image: Image, reason: ReportReason) -> ModerationCase:
    """Locked, so that it is not decided before the report stands in it; named after its most urgent reason."""
    urgency = REPORT_URGENCY[reason]
    while True:
        opened = open_case(Cause.REPORT, image.made_by, image=image, key=reason, urgency=urgency)
        case = ModerationCase.objects.select_for_update(no_key=True, of=("self",)).get(pk=opened.pk)
        if case.state == CaseState.OPEN:
            break
    if case.key != reason and case.urgency <= urgency:
        ModerationCase.objects.filter(pk=case.pk).update(key=reason)
    return case


def forget_words(person: User) -> None:
    """Of somebody who leaves: what they wrote goes. That they reported and why stays, and so does what is still open.

    Those words go when the case is decided: see `forget_words_of_leavers`.
    """
    Report.objects.filter(reporter=person, case__state=CaseState.DECIDED).update(words="")
    for case in ModerationCase.objects.filter(cause=Cause.APPEAL, person=person, state=CaseState.DECIDED):
        _forget_appeal(case)


def forget_words_of_leavers(case: ModerationCase) -> None:
    """Now that a case is decided, nothing is left of what people wrote who have left meanwhile."""
    if case.cause == Cause.REPORT:
        Report.objects.filter(case=case, reporter__anonymised_at__isnull=False).update(words="")
    if case.cause == Cause.APPEAL and case.person.anonymised_at is not None:
        _forget_appeal(case)


def _forget_appeal(case: ModerationCase) -> None:
    ModerationCase.objects.filter(pk=case.pk).update(details={**case.details, "words": ""})
