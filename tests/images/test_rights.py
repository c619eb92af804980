"""Rights travel from the pictures of an edit to what is made of them, and end when they end."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from editor.images.rights import CREDIT_MAX, Rights, expired, inherited, joined, made_from, today, write
from editor.jobs import admission, clock, collection, lifecycle
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.jobs.failures import explain
from editor.models import Allowance, Consent, GenerationJob, Image, ImageKind, JobState, Licence, User
from tests.makers import make_attempt, make_image, make_job, make_user

pytestmark = pytest.mark.django_db

SPEC = EditSpec(prompt="make it blue")
MAY = date(2030, 5, 1)


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


def make_result(alice: User, *sources: Image, **fields: Any) -> Image:
    job = make_job(alice, *sources)
    return make_image(alice, kind=ImageKind.GENERATED, job=job, root=sources[0].first_upload, **fields)


def test_merge_inherits_the_strictest_of_both(alice: User) -> None:
    one = make_image(
        alice, licence=Licence.LICENSED, credit="Agency A", consent=Consent.UNKNOWN, usable_until=MAY + timedelta(9)
    )
    other = make_image(alice, licence=Licence.EDITORIAL, credit="Agency B", consent=Consent.GIVEN, usable_until=MAY)
    expected = Rights(Licence.EDITORIAL, "Agency A; Agency B", Consent.UNKNOWN, MAY)
    assert inherited([one, other]) == expected


@pytest.mark.parametrize(
    ("said", "together"),
    [
        ((Licence.OWN, ""), ""),  # half of it may be anybody's
        ((Licence.OWN, Licence.OWN), Licence.OWN),
        (("", Licence.INTERNAL), Licence.INTERNAL),
        (("", Licence.LICENSED), Licence.LICENSED),
    ],
)
def test_nothing_said_is_no_permission(said: tuple[str, str], together: str, alice: User) -> None:
    assert inherited([make_image(alice, licence=licence) for licence in said]).licence == together


def test_one_date_is_enough_to_end_a_merge(alice: User) -> None:
    assert inherited([make_image(alice), make_image(alice, usable_until=MAY)]).usable_until == MAY


def test_credits_are_named_once_and_never_cut_in_two() -> None:
    assert joined(["A; B", "", "B; C"]) == "A; B; C"
    many = joined([f"{letter * 110}" for letter in "abcdef"])
    assert len(many) <= CREDIT_MAX
    assert many.endswith("c" * 110 + " and others")
    assert joined([many, "z"]).endswith("; z and others")


def test_result_gets_its_rights_with_its_row(alice: User) -> None:
    source = make_image(alice, licence=Licence.INTERNAL, credit="Anna", usable_until=MAY)
    job = make_job(alice, source, make_image(alice, consent=Consent.REFUSED), state=JobState.COLLECTING)
    attempt = make_attempt(job, outputs=["http://127.0.0.1:9/none.png"])
    (result,) = collection._rows(job, attempt)
    assert Rights.of(result) == Rights(Licence.INTERNAL, "Anna", Consent.REFUSED, MAY)


# What has expired


def test_last_day_is_a_whole_one(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2030, 5, 1, 23, 59, tzinfo=UTC))
    assert create_job(alice, [make_image(alice, usable_until=MAY)], SPEC, "token").state == JobState.QUEUED


def test_expired_picture_stops_an_edit_with_a_sentence(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2030, 5, 2, 0, 0, tzinfo=UTC))
    assert today() == date(2030, 5, 2)
    old = make_image(alice, name="old.jpg", usable_until=MAY)
    with pytest.raises(NotAllowed, match=r"“old.jpg” could be used until 1 May 2030"):
        create_job(alice, [make_image(alice), old], SPEC, "token")
    assert not GenerationJob.objects.exists()
    assert expired([make_image(alice), old]) == old


def expired_while_waiting(alice: User) -> GenerationJob:
    source = make_image(alice, usable_until=today() - timedelta(1))
    return make_job(alice, source, created_at=timezone.now() - timedelta(hours=2))


def test_edit_whose_picture_expired_while_it_waited_is_never_sent(alice: User) -> None:
    job = expired_while_waiting(alice)
    assert admission.admit() is None
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "expired", Allowance.RELEASED)
    assert not job.attempts.exists()
    failure = explain(job)
    assert failure is not None
    assert "rights to a source picture ended" in failure.sentence
    assert not failure.charged


def test_clock_ends_it_though_nobody_looks(alice: User) -> None:
    job = expired_while_waiting(alice)
    fresh = make_job(alice, make_image(alice, usable_until=today()))
    clock.tick()
    job.refresh_from_db()
    fresh.refresh_from_db()
    assert (job.failure_code, fresh.state) == ("expired", JobState.QUEUED)


# Changed later


def test_change_stays_with_the_picture_unless_asked(alice: User) -> None:
    source = make_image(alice)
    result = make_result(alice, source)
    assert write(source, Rights(Licence.INTERNAL)) == 0
    result.refresh_from_db()
    source.refresh_from_db()
    assert (source.licence, result.licence) == (Licence.INTERNAL, "")


def test_change_travels_through_versions_and_merges(alice: User) -> None:
    source, other = make_image(alice), make_image(alice, usable_until=MAY, credit="B")
    child = make_result(alice, source)
    merge = make_result(alice, other, child)
    stranger = make_image(alice)
    assert made_from(source) == [child, merge]
    assert write(source, Rights(Licence.EDITORIAL, credit="A"), to_results=True) == 2
    child.refresh_from_db()
    merge.refresh_from_db()
    stranger.refresh_from_db()
    assert Rights.of(child) == Rights(Licence.EDITORIAL, "A")
    assert Rights.of(merge) == Rights(Licence.EDITORIAL, "B; A", usable_until=MAY)
    assert Rights.of(stranger) == Rights()


def test_loosened_rights_travel_too(alice: User) -> None:
    source = make_image(alice, licence=Licence.INTERNAL)
    child = make_result(alice, source, licence=Licence.INTERNAL)
    write(source, Rights(Licence.OWN), to_results=True)
    child.refresh_from_db()
    assert child.licence == Licence.OWN
