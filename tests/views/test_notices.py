"""The page with what a person was told, and the appeal beside it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.models import Action, Cause, Decision, Image, ModerationCase, Notice, User
from editor.views.notices import PER_PAGE
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_image
from tests.people import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator(alice: User) -> User:
    return make_moderator("moderator")


@pytest.fixture
def removed(moderator: User, alice: User) -> Decision:
    picture = make_image(alice, name="beach.jpg")
    return decide(moderator, case_about(picture), Action.REMOVE, reason="Somebody else’s photograph.")


def appeal_address(decision: Decision) -> str:
    return reverse("notice_appeal", args=[Notice.objects.get(decision=decision).pk])


def test_a_notice_says_what_and_why_but_shows_no_picture(alice_client: Client, removed: Decision) -> None:
    page = alice_client.get(reverse("notices")).content.decode()
    assert "beach.jpg" in page
    assert "Somebody else’s photograph." in page
    assert appeal_address(removed) in page
    assert "<img" not in page.split("<main")[1]
    assert str(removed.image_id) not in page


def test_what_was_shown_counts_as_seen(alice_client: Client, alice: User, removed: Decision) -> None:
    alice_client.head(reverse("notices"))
    alice.refresh_from_db()
    assert alice.notices_unseen == 1
    first = alice_client.get(reverse("notices")).content.decode()
    assert 'class="unseen"' in first
    alice.refresh_from_db()
    assert alice.notices_unseen == 0
    assert Notice.objects.get().seen_at is not None
    assert 'class="unseen"' not in alice_client.get(reverse("notices")).content.decode()


def test_many_notices_come_page_by_page_and_each_once(alice_client: Client, alice: User) -> None:
    moment = timezone.now()
    for number in range(PER_PAGE + 5):
        created_at = moment - timedelta(minutes=number // 2)  # in pairs of the same moment
        Notice.objects.create(person=alice, headline=f"Number {number:03}", words="-", created_at=created_at)
    User.objects.filter(pk=alice.pk).update(notices_unseen=PER_PAGE + 5)
    first = alice_client.get(reverse("notices"))
    alice.refresh_from_db()
    assert alice.notices_unseen == 5
    second = alice_client.get(f"{reverse('notices')}?before={first.context['older']}")
    shown = [notice.headline for page in (first, second) for notice in page.context["notices"]]
    assert sorted(shown) == [f"Number {number:03}" for number in range(PER_PAGE + 5)]
    assert second.context["older"] is None
    alice.refresh_from_db()
    assert alice.notices_unseen == 0


def test_a_page_after_somebody_elses_notice_is_the_first_page(
    alice_client: Client, charlie: User, removed: Decision
) -> None:
    theirs = Notice.objects.create(person=charlie, headline="Not yours", words="-")
    for text in (str(theirs.pk), "nonsense"):
        page = alice_client.get(f"{reverse('notices')}?before={text}").content.decode()
        assert "beach.jpg" in page
        assert "Not yours" not in page


def test_an_appeal_is_sent_once_and_its_state_shown(alice_client: Client, moderator: User, removed: Decision) -> None:
    address = appeal_address(removed)
    assert "beach.jpg" in alice_client.get(address).content.decode()
    assert submit(alice_client, address, words=" ").status_code == 422
    assert submit(alice_client, address, words="It is my own.")["Location"] == reverse("notices")
    case = ModerationCase.objects.get(cause=Cause.APPEAL)
    assert case.details["words"] == "It is my own."
    page = alice_client.get(reverse("notices")).content.decode()
    assert "Somebody will look at it." in page
    assert address not in page
    again = submit(alice_client, address, words="Once more.")
    assert again.status_code == 422
    assert "You have appealed already." in again.content.decode()
    decide(moderator, case, Action.FINE)
    page = alice_client.get(reverse("notices")).content.decode()
    assert "It was answered" in page
    assert "Your appeal was accepted" in page
    assert not Image.objects.filter(removed_at__isnull=False).exists()


def test_nobody_appeals_by_somebody_elses_notice(charlie_client: Client, removed: Decision) -> None:
    assert charlie_client.get(appeal_address(removed)).status_code == 404
    assert submit(charlie_client, appeal_address(removed), words="Let me.").status_code == 404
    assert not ModerationCase.objects.filter(cause=Cause.APPEAL).exists()


def test_the_notices_cost_no_query_each(
    alice_client: Client, alice: User, moderator: User, django_assert_max_num_queries: object
) -> None:
    for _ in range(3):
        decide(moderator, case_about(make_image(alice)), Action.WARN)
    alice_client.get(reverse("notices"))
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        alice_client.get(reverse("notices"))
