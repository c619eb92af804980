"""What comes from a sensitive picture is blurred with it, and shown again with it unless it was marked by itself."""

import io
from typing import Any

import pytest

from editor.desk import decisions
from editor.images import copying, ingest
from editor.models import Action, Image, JobState, User, Workspace
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import jpeg, make_image, make_job, make_user
from tests.people import alice, quick_passwords

__all__ = ["alice", "quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def mo(quick_passwords: None) -> User:
    return make_moderator("mo")


def result_of(*sources: Image, **fields: Any) -> Image:
    user = sources[0].made_by
    job = make_job(user, *sources, state=JobState.SUCCEEDED, allowance="taken", finished_at="2026-01-01T00:00Z")
    return make_image(user, kind="generated", job=job, root=sources[0].first_upload, **fields)


def veiled(*images: Image) -> list[bool]:
    found = Image.objects.in_bulk([image.pk for image in images])
    return [found[image.pk].sensitive for image in images]


def sent(user: User, data: bytes) -> Image:
    image = ingest.receive(user, Workspace.objects.personal_of(user), io.BytesIO(data), "a.jpg")
    assert ingest.take_in(image)
    return Image.objects.get(pk=image.pk)


def test_marking_a_picture_blurs_what_was_made_from_it_and_taking_it_back_shows_that(mo: User, alice: User) -> None:
    source = make_image(alice)
    result = result_of(source)
    later, stranger = result_of(result), make_image(alice)
    decision = decide(mo, case_about(source), Action.SENSITIVE)
    assert veiled(source, result, later, stranger) == [True, True, True, False]
    decisions.change(mo, decision.pk, [Action.FINE])
    assert veiled(source, result, later) == [False, False, False]


def test_what_was_marked_by_itself_stays_blurred_with_all_that_comes_from_it(mo: User, alice: User) -> None:
    source = make_image(alice)
    marked = result_of(source)
    before = decide(mo, case_about(source), Action.SENSITIVE)
    below, beside = result_of(marked), result_of(source)
    decide(mo, case_about(marked), Action.SENSITIVE)
    decisions.change(mo, before.pk, [Action.WARN], reason="Once is enough.")
    assert veiled(source, marked, below, beside) == [False, True, True, False]


def test_merge_stays_blurred_while_one_of_its_sources_is_sensitive(mo: User, alice: User) -> None:
    first, second = make_image(alice), make_image(alice)
    merge = result_of(first, second)
    marks = [decide(mo, case_about(image), Action.SENSITIVE) for image in (first, second)]
    decisions.change(mo, marks[0].pk, [Action.FINE])
    assert veiled(first, second, merge) == [False, True, True]
    decisions.change(mo, marks[1].pk, [Action.FINE])
    assert veiled(merge) == [False]


def test_mark_that_is_taken_back_leaves_what_the_source_lends(mo: User, alice: User) -> None:
    source = make_image(alice)
    result = result_of(source)
    decide(mo, case_about(source), Action.SENSITIVE)
    mark = decide(mo, case_about(result), Action.SENSITIVE)
    decisions.change(mo, mark.pk, [Action.WARN], reason="Once is enough.")
    assert veiled(result) == [True]


def test_result_that_is_still_being_stored_is_blurred_when_it_comes(mo: User, alice: User) -> None:
    source = make_image(alice)
    result = result_of(source, state="received")
    decide(mo, case_about(source), Action.SENSITIVE)
    assert veiled(result) == [True]


def test_bytes_of_a_sensitive_picture_come_in_as_sensitive_for_anybody(mo: User, alice: User) -> None:
    first, bob = sent(alice, jpeg()), make_user()
    decision = decide(mo, case_about(first), Action.SENSITIVE)
    again, elsewhere, other = sent(alice, jpeg()), sent(bob, jpeg()), sent(bob, jpeg(colour=(1, 250, 1)))
    (copy,) = copying.copy(alice, [first], Workspace.objects.personal_of(alice))
    assert veiled(again, elsewhere, copy, other) == [True, True, True, False]
    decisions.change(mo, decision.pk, [Action.FINE])
    assert veiled(first, again, elsewhere, copy) == [False] * 4
