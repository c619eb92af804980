"""Reports of several people at once, and while somebody decides."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from editor.desk import decisions
from editor.models import Action, Cause, ModerationCase, Notice, Report, ReportReason, User
from editor.moderation.reports import report
from tests.desk.deciding import make_moderator
from tests.makers import make_image
from tests.people import make_person, quick_passwords

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> None:
    """Each in a thread of its own; raises the first of their errors."""
    errors: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_people_who_report_at_once_stand_in_one_case(quick_passwords: None) -> None:
    maker = make_person("maker")
    people = [make_person(f"reporter{number}") for number in range(4)]
    picture = make_image(maker)
    reasons = [ReportReason.OTHER, ReportReason.NUDITY, ReportReason.CHILD, ReportReason.RIGHTS]

    def reporting(person: User, reason: ReportReason) -> Callable[[], object]:
        return lambda: report(person, picture, reason, "")

    at_once(*(reporting(person, reason) for person, reason in zip(people, reasons, strict=True)))
    case = ModerationCase.objects.get()
    assert (case.key, case.urgency) == (ReportReason.CHILD, 100)
    assert case.reports.count() == 4


def test_a_report_that_meets_a_decision_is_answered_by_it_or_waits_for_another(quick_passwords: None) -> None:
    moderator, maker = make_moderator("moderator"), make_person("maker")
    first, second = make_person("first"), make_person("second")
    for _ in range(3):
        picture = make_image(maker)
        report(first, picture, ReportReason.HATE, "")
        case = picture.cases.get()
        at_once(
            lambda case=case: decisions.decide(moderator, [case.pk], [Action.FINE]),  # type: ignore[misc]
            lambda picture=picture: report(second, picture, ReportReason.HATE, ""),  # type: ignore[misc]
        )
        theirs = Report.objects.get(reporter=second, case__image=picture)
        told = Notice.objects.filter(person=second, decision__case=theirs.case).exists()
        assert told == (theirs.case.state == "decided")
        assert ModerationCase.objects.filter(image=picture, cause=Cause.REPORT).count() == (1 if told else 2)
