"""One thing is opened once per cause, however often it is noticed."""

import pytest
from django.utils import timezone

from editor.models import CaseState, Cause, ModerationCase
from editor.moderation.cases import open_case
from tests.makers import make_image
from tests.people import make_person

pytestmark = pytest.mark.django_db


def test_same_thing_noticed_twice_is_one_case_and_the_more_urgent_counts() -> None:
    person = make_person("author")
    image = make_image(person)
    first = open_case(Cause.REPORT, person, image=image, urgency=35)
    second = open_case(Cause.REPORT, person, image=image, urgency=95)
    assert first == second
    assert ModerationCase.objects.get().urgency == 95


def test_another_cause_another_picture_and_the_person_are_cases_of_their_own() -> None:
    person = make_person("author")
    image = make_image(person)
    cases = {
        open_case(Cause.REPORT, person, image=image),
        open_case(Cause.FLAGGED, person, image=image),
        open_case(Cause.REPORT, person, image=make_image(person)),
        open_case(Cause.REPORT, person),
    }
    assert len(cases) == 4


def test_what_was_decided_is_opened_anew_when_it_is_noticed_again() -> None:
    person = make_person("author")
    image = make_image(person)
    first = open_case(Cause.REPORT, person, image=image)
    ModerationCase.objects.filter(pk=first.pk).update(state=CaseState.DECIDED, decided_at=timezone.now())
    assert open_case(Cause.REPORT, person, image=image) != first


def test_most_urgent_comes_first_then_the_oldest() -> None:
    person = make_person("author")
    late = open_case(Cause.REPORT, person, image=make_image(person), urgency=50)
    later = open_case(Cause.REPORT, person, image=make_image(person), urgency=50)
    urgent = open_case(Cause.REPORT, person, image=make_image(person), urgency=100)
    assert list(ModerationCase.objects.waiting()) == [urgent, late, later]
