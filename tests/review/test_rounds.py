"""A round: asked for, answered, decided, withdrawn; and what is written down and told."""

import pytest
from django.utils import timezone

from editor.models import (
    About,
    Approval,
    ApprovalEvent,
    Image,
    Membership,
    Notification,
    Review,
    Share,
    ShareKind,
    User,
    Workspace,
)
from editor.notifications import tell
from editor.review import rounds
from tests.review.team import Team


def state(image: Image) -> str:
    return rounds.approval_of(image).state


def kinds(image: Image) -> list[str]:
    return list(ApprovalEvent.objects.filter(image=image).order_by("at", "id").values_list("kind", flat=True))


def told(person: User) -> list[str]:
    return list(Notification.objects.filter(person=person).order_by("created_at").values_list("words", flat=True))


def test_picture_nobody_spoke_about_is_a_draft_without_a_row(team: Team) -> None:
    image = team.picture()
    assert state(image) == "draft"
    assert not Approval.objects.exists()


def test_round_is_approved_once_all_who_were_asked_said_yes(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera, team.vic], "For the cover")
    assert state(image) == "in-review"
    rounds.answer(review, team.vera, True)
    assert state(image) == "in-review"
    rounds.answer(review, team.vic, True, "Lovely")
    row = Approval.objects.get(image=image)
    assert (row.state, row.by, row.why) == ("approved", team.vic, "Lovely")
    assert Review.objects.get().state == "approved"
    assert kinds(image) == ["asked", "approved", "approved"]


@pytest.mark.parametrize("how", ["answered", "decided"])
def test_who_has_answered_is_asked_no_more_by_the_bell_or_by_mail(team: Team, how: str) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.adam, team.vic])
    tell(team.adam, About.COMMENT, f"image:{image.pk}", "Vera comments on it.", by=team.vera, image=image)
    if how == "answered":
        rounds.answer(review, team.adam, True)
    else:
        rounds.decide(image, by=team.adam, approves=True)
    unseen = Notification.objects.filter(seen_at=None, mail_due_at__isnull=False).order_by("pk")
    waiting = [(row.person, row.about) for row in unseen.exclude(person=team.edda)]
    assert waiting == [(team.vic, About.REVIEW_ASKED), (team.adam, About.COMMENT)]
    assert User.objects.get(pk=team.adam.pk).notifications_unseen == 1


def test_first_no_ends_the_round_and_says_why(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera, team.vic])
    rounds.answer(review, team.vera, False, "Too dark")
    row = Approval.objects.get(image=image)
    assert (row.state, row.by, row.why) == ("rejected", team.vera, "Too dark")
    with pytest.raises(rounds.Overtaken, match="Vera rejected it in the meantime"):
        rounds.answer(review, team.vic, True)
    assert state(image) == "rejected"


def test_no_needs_a_reason(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera])
    with pytest.raises(rounds.NotPossible, match="why not"):
        rounds.answer(review, team.vera, False)
    with pytest.raises(rounds.NotPossible, match="why not"):
        rounds.decide(image, by=team.adam, approves=False)
    assert state(image) == "in-review"


def test_those_asked_are_told_and_then_who_asked_and_who_made_it(team: Team) -> None:
    image = team.picture(name="cat.jpg")
    review = rounds.ask(image, team.alice, [team.vera])
    assert told(team.vera) == ["Alice asks you to review “cat.jpg”."]
    assert told(team.edda) == []
    rounds.answer(review, team.vera, True)
    assert told(team.edda) == told(team.alice) == ["Vera approved “cat.jpg”."]


def test_who_left_the_workspace_is_told_nothing_and_waited_for_no_longer(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera, team.vic])
    Membership.objects.get(workspace=team.workspace, user=team.vic).delete()
    Membership.objects.get(workspace=team.workspace, user=team.edda).delete()
    rounds.answer(review, team.vera, True)
    assert state(image) == "approved"
    assert told(team.edda) == []


@pytest.mark.parametrize("who", ["edda", "stranger", "nobody"])
def test_round_needs_somebody_else_who_is_in_the_workspace(team: Team, who: str) -> None:
    people = {"edda": [team.edda], "stranger": [User.objects.create_user("stranger@example.com")], "nobody": []}
    with pytest.raises(rounds.NotPossible):
        rounds.ask(team.picture(), team.edda, people[who])
    assert not Review.objects.exists()


def test_there_is_one_open_round_at_a_time(team: Team) -> None:
    image = team.picture()
    rounds.ask(image, team.edda, [team.vera])
    with pytest.raises(rounds.Overtaken, match="Edda asked for a review of it already"):
        rounds.ask(image, team.alice, [team.vic])
    assert Review.objects.count() == 1


def test_who_may_decide_unasked_ends_the_round(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera])
    rounds.decide(image, by=team.adam, approves=True)
    review.refresh_from_db()
    assert (review.state, review.decided_by) == ("approved", team.adam)
    assert state(image) == "approved"


def test_pressing_twice_writes_one_event(team: Team) -> None:
    image = team.picture()
    for _ in range(2):
        rounds.decide(image, by=team.adam, approves=True)
    review = rounds.ask(team.picture(), team.edda, [team.vera, team.vic])
    for _ in range(2):
        rounds.answer(review, team.vera, True)
    assert kinds(image) == ["approved"]
    assert kinds(review.image) == ["asked", "approved"]


def test_second_of_two_deciders_is_told_what_the_first_did(team: Team) -> None:
    image = team.picture()
    seen = rounds.seen_at(rounds.approval_of(image))
    rounds.decide(image, by=team.adam, approves=False, why="Too dark", seen=seen)
    with pytest.raises(rounds.Overtaken, match="Adam rejected it in the meantime"):
        rounds.decide(image, by=team.alice, approves=True, seen=seen)
    assert state(image) == "rejected"


def test_withdrawn_round_leaves_a_draft_and_its_record(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera])
    rounds.withdraw(review, team.edda)
    rounds.withdraw(review, team.edda)
    assert state(image) == "draft"
    assert kinds(image) == ["asked", "withdrawn"]
    with pytest.raises(rounds.Overtaken, match="Edda withdrew the review"):
        rounds.answer(review, team.vera, True)


def test_approved_picture_is_asked_for_again_only_as_a_proposal(team: Team) -> None:
    image, old = team.picture(), team.picture()
    rounds.decide(image, by=team.adam, approves=True)
    with pytest.raises(rounds.NotPossible, match="approved already"):
        rounds.ask(image, team.edda, [team.vera])
    review = rounds.ask(image, team.edda, [team.vera], replaces=old)
    assert state(image) == "approved"
    rounds.answer(review, team.vera, False, "The old one is better")
    assert state(image) == "approved"
    assert Review.objects.get().state == "rejected"


def test_back_to_draft(team: Team) -> None:
    image = team.picture()
    rounds.decide(image, by=team.adam, approves=True)
    rounds.reopen(image, team.adam, "Wrong logo")
    assert state(image) == "draft"
    assert kinds(image) == ["approved", "reopened"]


def test_only_approved_pictures_are_locked_and_locked_ones_stay_approved(team: Team) -> None:
    image = team.picture()
    with pytest.raises(rounds.NotPossible, match="Only approved"):
        rounds.lock(image, team.adam)
    rounds.decide(image, by=team.adam, approves=True)
    rounds.lock(image, team.adam)
    for attempt in (
        lambda: rounds.decide(image, by=team.alice, approves=False, why="No"),
        lambda: rounds.reopen(image, team.alice),
    ):
        with pytest.raises(rounds.NotPossible, match="locked"):
            attempt()
    rounds.unlock(image, team.alice)
    rounds.reopen(image, team.alice)
    assert kinds(image) == ["approved", "locked", "unlocked", "reopened"]


def test_guest_decides_where_nobody_is_asked_and_only_speaks_where_somebody_is(team: Team) -> None:
    image, other = team.picture(), team.picture()
    share = Share.objects.create(
        workspace=team.workspace, made_by=team.alice, kind=ShareKind.PICTURE, image=image, may_decide=True
    )
    rounds.decide(image, share=share, guest_name="Gus", approves=True)
    row = Approval.objects.get(image=image)
    assert (row.state, row.by, row.guest_name) == ("approved", None, "Gus")
    assert told(team.alice) == told(team.edda) == ["Gus (guest) approved “coffee.jpg”."]
    review = rounds.ask(other, team.edda, [team.vera])
    rounds.decide(other, share=share, guest_name="Gus", approves=False, why="No")
    rounds.decide(other, share=share, guest_name="Gus", approves=False, why="No")
    review.refresh_from_db()
    assert (review.state, state(other)) == ("open", "in-review")
    assert kinds(other) == ["asked", "rejected"]


def test_nothing_is_decided_in_the_trash_or_the_archive(team: Team) -> None:
    image = team.picture(trashed_at=timezone.now())
    with pytest.raises(rounds.NotPossible, match="trash"):
        rounds.decide(image, by=team.adam, approves=True)
    Workspace.objects.filter(pk=team.workspace.pk).update(archived_at=timezone.now())
    with pytest.raises(rounds.NotPossible, match="archive"):
        rounds.decide(team.picture(), by=team.adam, approves=True)


def test_what_was_said_in_another_workspace_counts_no_more(team: Team) -> None:
    image = team.picture()
    rounds.decide(image, by=team.adam, approves=True)
    elsewhere = Workspace.objects.create(name="Elsewhere")
    Image.objects.filter(pk=image.pk).update(workspace=elsewhere)
    image.refresh_from_db()
    assert state(image) == "draft"
    rounds.decide(image, by=team.alice, approves=False, why="No")
    assert Approval.objects.get().workspace == elsewhere
