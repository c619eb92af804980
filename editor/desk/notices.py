"""Telling people what was decided: a notice in the portal, and a mail, which a worker sends."""

from django.db.models import F

from editor import rings
from editor.desk import wording
from editor.models import Cause, Decision, Notice, Report, User
from editor.moderation.reports import forget_words_of_leavers, named_to


def tell(decision: Decision) -> None:
    """Tell whom it is about and those who reported it. Called in the decision's transaction, after it is saved."""
    told = wording.to_its_owner(decision)
    if told is not None:
        may_appeal = decision.cause != Cause.APPEAL and bool(wording.PUNISHES & set(decision.actions))
        _give(decision.person, decision, told.headline, told.words, may_appeal=may_appeal)
    if decision.cause == Cause.REPORT and _is_news(decision):
        _tell_reporters(decision)
    forget_words_of_leavers(decision.case)


def _is_news(decision: Decision) -> bool:
    before = decision.replaces
    return before is None or wording.to_reporters(before) != wording.to_reporters(decision)


def _tell_reporters(decision: Decision) -> None:
    reports = Report.objects.filter(case=decision.case_id).exclude(reporter=decision.person_id)
    for report in reports.filter(reporter__anonymised_at=None).select_related("reporter", "case"):
        again = "We looked at it once more. " if decision.replaces_id else "Thank you. "
        seen = named_to(report)
        which = f"the picture “{seen}”, which" if seen else "the picture that"
        words = f"{again}This is about {which} you reported on {report.created_at:%-d %B %Y}. "
        _give(report.reporter, decision, "Your report", words + wording.to_reporters(decision))


def _give(person: User, decision: Decision, headline: str, words: str, *, may_appeal: bool = False) -> None:
    if person.anonymised_at is not None:
        return
    notice = Notice.objects.create(
        person=person, decision=decision, headline=headline, words=words, may_appeal=may_appeal
    )
    User.objects.filter(pk=person.pk).update(notices_unseen=F("notices_unseen") + 1)
    rings.ring_notice(notice.pk)
