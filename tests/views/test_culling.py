"""Going through many pictures, as plain forms: deciding, passing over, undoing, one or two at a time."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from editor.images import moving
from editor.library.shelves import collect, new_collection
from editor.models import (
    Approval,
    ApprovalEvent,
    Culling,
    Image,
    Membership,
    Replacement,
    Review,
    Reviewer,
    Role,
    Workspace,
)
from editor.review import culling, rounds
from tests.makers import make_batch, make_job
from tests.people import client_of, quick_passwords
from tests.review.team import Team, make_team

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(quick_passwords: None) -> Team:
    return make_team()


def press(client: Client, found: Culling, at: int, what: str, **more: str) -> Any:
    """Like the button of the page that stands there; follows it to the next one."""
    shown = client.get(reverse("culling", args=[found.pk]) + f"?at={at}")
    plate = next((each for each in shown.context["plates"] if each.at == at), None)
    body = {"what": what, "at": str(at), "seen": plate.seen if plate else "", **more}
    return client.post(reverse("cull_decide", args=[found.pk]), body, follow=True)


def facts(image: Image) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        list(Approval.objects.filter(image=image).values()),
        list(Review.objects.filter(image=image).values()),
        list(Reviewer.objects.filter(review__image=image).values()),
    )


def test_chosen_pictures_are_gone_through_one_after_the_other(team: Team) -> None:
    first, second, third = (team.picture(name=f"picture {number}") for number in range(3))
    adam = client_of(team.adam)
    begun = adam.post(
        reverse("cull", args=[team.workspace.pk]), {"picture": [first.pk, second.pk, third.pk]}, follow=True
    )
    found = Culling.objects.get()
    assert "picture 2" in begun.content.decode(), "the newest first"
    assert press(adam, found, 0, "approve").context["at"] == 1
    assert press(adam, found, 1, "reject", why="Too dark").context["at"] == 2
    page = press(adam, found, 2, "approve").content.decode()
    assert "You have been through all 3" in page
    assert "2 approved, 1 rejected" in page
    states = dict(Approval.objects.values_list("image__name", "state"))
    assert states == {"picture 2": "approved", "picture 1": "rejected", "picture 0": "approved"}
    assert Approval.objects.get(image=second).why == "Too dark"


def test_a_no_without_words_has_a_reason_all_the_same_and_words_stay_for_the_next_one(team: Team) -> None:
    images = [team.picture() for _ in range(2)]
    found = culling.begin(team.adam, team.workspace, "All", [image.pk for image in images])
    adam = client_of(team.adam)
    press(adam, found, 0, "reject")
    assert Approval.objects.get(image=images[0]).why == "Not chosen."
    press(adam, found, 0, "undo")
    page = press(adam, found, 0, "reject", why="Blurred")
    assert page.context["at"] == 1
    assert 'value="Blurred"' in page.content.decode()


@pytest.mark.parametrize("approves", [True, False])
@pytest.mark.parametrize("before", ["nothing", "approved", "rejected", "reopened", "in review", "asked myself"])
def test_undo_puts_back_exactly_what_was(team: Team, before: str, approves: bool) -> None:
    image = team.picture()
    if before in {"approved", "reopened"}:
        rounds.decide(image, by=team.alice, approves=True, why="Lovely")
    if before == "reopened":
        rounds.reopen(image, team.alice)
    if before == "rejected":
        rounds.decide(image, by=team.alice, approves=False, why="No")
    if before == "in review":
        rounds.ask(image, team.edda, [team.vera])
    if before == "asked myself":
        rounds.ask(image, team.edda, [team.vera, team.adam], "Look at the sky")
    was = facts(image)
    found = culling.begin(team.adam, team.workspace, "All", [image.pk])
    adam = client_of(team.adam)
    press(adam, found, 0, "approve" if approves else "reject")
    passed_over = before == ("approved" if approves else "rejected")
    assert (facts(image) == was) == passed_over
    assert press(adam, found, 0, "undo").context["at"] == 0
    assert facts(image) == was
    if not passed_over:
        assert ApprovalEvent.objects.order_by("pk").last().kind == "taken-back"  # type: ignore[union-attr]


def test_undo_goes_back_one_by_one_and_then_says_that_nothing_is_left(team: Team) -> None:
    images = [team.picture() for _ in range(3)]
    found = culling.begin(team.adam, team.workspace, "All", [image.pk for image in images])
    adam = client_of(team.adam)
    for at in range(3):
        press(adam, found, at, "approve")
    assert [press(adam, found, 0, "undo").context["at"] for _ in range(3)] == [2, 1, 0]
    assert not Approval.objects.exists()
    assert "Nothing is left" in press(adam, found, 0, "undo").content.decode()


def test_undo_leaves_what_somebody_did_since(team: Team) -> None:
    image = team.picture()
    found = culling.begin(team.adam, team.workspace, "All", [image.pk])
    adam = client_of(team.adam)
    press(adam, found, 0, "approve")
    rounds.decide(image, by=team.alice, approves=False, why="No")
    assert "Something else was done" in press(adam, found, 0, "undo").content.decode()
    assert Approval.objects.get().state == "rejected"


def test_who_may_decide_no_more_takes_nothing_back(team: Team) -> None:
    image = team.picture()
    found = culling.begin(team.adam, team.workspace, "All", [image.pk])
    adam = client_of(team.adam)
    press(adam, found, 0, "approve")
    Membership.objects.filter(user=team.adam).update(role=Role.VIEWER)
    assert "any more, so that decision stays" in press(adam, found, 0, "undo").content.decode()
    assert Approval.objects.get().state == "approved"


def test_undo_brings_no_approval_back_that_a_move_took_away(team: Team) -> None:
    image, own = team.picture(), Workspace.objects.personal_of(team.alice)
    rounds.decide(image, by=team.adam, approves=True)
    found = culling.begin(team.alice, team.workspace, "All", [image.pk])
    alice = client_of(team.alice)
    press(alice, found, 0, "reject")
    moving.move(team.alice, [image], own)
    moving.move(team.alice, [Image.objects.get()], team.workspace)
    assert "Something else was done" in press(alice, found, 0, "undo").content.decode()
    assert not Approval.objects.exists()


def test_colleague_who_was_faster_is_told_of(team: Team) -> None:
    image = team.picture()
    found = culling.begin(team.adam, team.workspace, "All", [image.pk])
    rounds.decide(image, by=team.alice, approves=False, why="No")
    body = {"what": "approve", "at": "0", "seen": ""}
    answer = client_of(team.adam).post(reverse("cull_decide", args=[found.pk]), body, follow=True)
    assert "Alice rejected it in the meantime" in answer.content.decode()
    assert not Culling.objects.get().steps


def test_only_who_was_asked_or_may_decide_has_keys_and_others_are_told_why(team: Team) -> None:
    asked, other = team.picture(), team.picture()
    rounds.ask(asked, team.edda, [team.vera])
    found = culling.begin(team.vera, team.workspace, "All", [asked.pk, other.pk])
    vera = client_of(team.vera)
    address = reverse("culling", args=[found.pk])
    assert 'data-press="a"' in vera.get(address).content.decode()
    shown = vera.get(address + "?at=1").content.decode()
    assert 'data-press="a"' not in shown
    assert "Nobody asked you about this one" in shown
    press(vera, found, 0, "approve")
    assert Review.objects.get().state == "approved"
    body = {"what": "approve", "at": "1", "seen": ""}
    assert vera.post(reverse("cull_decide", args=[found.pk]), body).status_code == 404


def test_of_two_the_other_one_is_next_and_then_the_next_pair(team: Team) -> None:
    images = [team.picture() for _ in range(4)]
    found = culling.begin(team.adam, team.workspace, "All", [image.pk for image in images])
    adam = client_of(team.adam)
    both = adam.get(reverse("culling", args=[found.pk]) + "?at=1&two=1")
    assert [plate.at for plate in both.context["plates"]] == [0, 1]
    assert press(adam, found, 1, "approve", two="1").context["at"] == 0
    after = press(adam, found, 0, "reject", two="1")
    assert (after.context["at"], [plate.at for plate in after.context["plates"]]) == (1, [0, 1])


def test_of_two_a_locked_one_is_passed_by_and_says_who_unlocks_it(team: Team) -> None:
    images = [team.picture() for _ in range(4)]
    rounds.decide(images[0], by=team.adam, approves=True)
    rounds.lock(images[0], team.adam)
    ids = [image.pk for image in images]
    found = culling.begin(team.adam, team.workspace, "All", ids)
    adam = client_of(team.adam)
    page = adam.get(reverse("culling", args=[found.pk]) + "?two=1").content.decode()
    assert "unlock it on its page" in page
    assert press(adam, found, 1, "approve", two="1").context["at"] == 2
    rounds.ask(images[1], team.edda, [team.vera], replaces=images[2])
    theirs = culling.begin(team.vera, team.workspace, "All", ids)
    page = client_of(team.vera).get(reverse("culling", args=[theirs.pk]) + "?two=1").content.decode()
    assert "until an admin or owner unlocks it" in page


def test_a_collection_a_batch_and_all_in_review_are_gone_through(team: Team) -> None:
    shelved, asked, source = team.picture(), team.picture(), team.picture()
    shelf = new_collection(team.edda, team.workspace, "Summer")
    collect(team.edda, shelf, [shelved])
    rounds.ask(asked, team.edda, [team.vera])
    done = {"state": "succeeded", "allowance": "taken", "finished_at": source.created_at, "due_at": None}
    job = make_job(team.edda, source, **done)
    made = team.picture(kind="generated", job=job, root=source)
    batch = make_batch(team.edda, job, workspace=team.workspace)
    address = reverse("cull", args=[team.workspace.pk])
    vera = client_of(team.vera)
    for body, image in (({"collection": shelf.pk}, shelved), ({"from": "review"}, asked), ({"batch": batch.pk}, made)):
        answer = vera.post(address, body, follow=True)
        assert [plate.image for plate in answer.context["plates"]] == [image], body
    assert "Summer" in vera.get(address).content.decode()
    assert "Choose pictures first" in vera.post(address, follow=True).content.decode()


def test_page_of_hundreds_loads_two_pictures_and_few_rows(team: Team, django_assert_max_num_queries: Any) -> None:
    images = [team.picture() for _ in range(60)]
    found = culling.begin(team.adam, team.workspace, "All", [image.pk for image in images])
    adam = client_of(team.adam)
    with django_assert_max_num_queries(
        9
    ):  # session, person, frame; the culling, its pictures, who asks, where it stands
        shown = adam.get(reverse("culling", args=[found.pk]) + "?at=30").content.decode()
    assert shown.count("/1280.webp") == 2
    assert f"{images[30].pk}/1280.webp" in shown
    assert f"{images[31].pk}/1280.webp" in shown


def test_of_a_person_the_last_few_are_kept(team: Team) -> None:
    image = team.picture()
    for number in range(culling.KEPT + 2):
        culling.begin(team.adam, team.workspace, str(number), [image.pk])
    titles = set(Culling.objects.values_list("title", flat=True))
    assert titles == {str(number) for number in range(2, culling.KEPT + 2)}


def test_proposal_that_replaced_a_picture_is_not_taken_back_here(team: Team) -> None:
    old, new = team.picture(), team.picture()
    review = rounds.ask(new, team.edda, [team.adam], replaces=old)
    found = culling.begin(team.adam, team.workspace, "All", [new.pk])
    adam = client_of(team.adam)
    press(adam, found, 0, "approve")
    Replacement.objects.get_or_create(
        review=review, defaults={"workspace": team.workspace, "old": old, "new": new, "by": team.adam}
    )
    assert "current version of another picture" in press(adam, found, 0, "undo").content.decode()
    assert Approval.objects.get(image=new).state == "approved"
