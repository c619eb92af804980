"""What is locked is trashed by nobody; and what becomes of an approval when its picture goes elsewhere."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from editor.accounts.leaving import delete_account
from editor.desk import consequences
from editor.images.copying import copy
from editor.images.moving import move
from editor.jobs import control
from editor.models import Approval, ApprovalEvent, Image, Membership, Review, Role, Workspace
from editor.review import rounds
from tests.makers import make_image, make_job
from tests.people import client_of
from tests.review.team import Team


def locked(team: Team, **fields: Any) -> Image:
    image = team.picture(**fields)
    rounds.decide(image, by=team.adam, approves=True)
    rounds.lock(image, team.adam)
    return image


def in_trash(image: Image) -> bool:
    image.refresh_from_db()
    return image.trashed_at is not None


def said(client: Client, address: str, **body: Any) -> str:
    return client.post(address, body, follow=True).content.decode()


def result(team: Team) -> Image:
    source = team.picture()
    done = {"state": "succeeded", "allowance": "taken", "finished_at": source.created_at, "due_at": None}
    return locked(team, kind="generated", job=make_job(team.edda, source, **done), root=source)


@pytest.mark.parametrize("name", ["alice", "adam", "edda"])
def test_nobody_trashes_a_locked_picture_with_others_that_go(team: Team, name: str) -> None:
    image, other = locked(team), team.picture()
    address = reverse("selection_trash", args=[team.workspace.pk])
    page = said(client_of(getattr(team, name)), address, picture=[image.pk, other.pk])
    assert (in_trash(image), in_trash(other)) == (False, True)
    assert "1 picture in the trash" in page
    assert "1 picture is approved and locked, so it stays" in page


def test_result_that_was_locked_before_the_others_came_stays_when_its_edit_is_canceled(team: Team) -> None:
    source = team.picture()
    job = make_job(team.edda, source, state="collecting", samples=2)
    first, second = (team.picture(kind="generated", job=job, root=source, position=position) for position in range(2))
    rounds.decide(first, by=team.adam, approves=True)
    rounds.lock(first, team.adam)
    assert control.cancel(job)
    assert (in_trash(first), in_trash(second)) == (False, True)


def test_picture_alone_and_edits_of_a_history_and_of_a_tree_are_told_why(team: Team) -> None:
    image = result(team)
    browser = client_of(team.edda)
    for address, body in (
        (reverse("image_trash", args=[image.pk]), {}),
        (reverse("edits_trash"), {"edit": [image.job_id]}),
        (reverse("edit_trash", args=[image.job_id]), {"branch": "1"}),
    ):
        assert "approved and locked" in said(browser, address, **body), address
        assert not in_trash(image), address


def test_account_that_goes_leaves_its_locked_pictures(team: Team) -> None:
    image, other = locked(team), team.picture()
    delete_account(team.edda, trash_made=True)
    assert (in_trash(image), in_trash(other)) == (False, True)


def test_moderation_removes_it_and_it_comes_back_unlocked(team: Team) -> None:
    image = locked(team)
    consequences.remove(image)
    assert in_trash(image)
    consequences.put_back(image, trashed=False)
    row = Approval.objects.get(image=image)
    assert (row.state, row.locked_at) == ("approved", None)


@pytest.fixture
def elsewhere(team: Team) -> Workspace:
    made = Workspace.objects.create(name="Elsewhere")
    Membership.objects.create(workspace=made, user=team.edda, role=Role.EDITOR)
    return made


def test_locked_picture_does_not_move_and_its_family_stays_with_it(team: Team, elsewhere: Workspace) -> None:
    root = locked(team)
    version = make_image(team.edda, workspace=team.workspace, root=root)
    moved = move(team.edda, [root, version], elsewhere)
    assert (moved.went, moved.busy, moved.locked) == (0, 0, 2)
    page = said(
        client_of(team.edda),
        reverse("selection_move", args=[team.workspace.pk]),
        picture=[root.pk, version.pk],
        to=str(elsewhere.pk),
    )
    assert "Nothing was moved. 2 pictures are approved and locked" in page


def test_picture_that_moves_is_a_draft_there_and_nobody_is_asked_any_more(team: Team, elsewhere: Workspace) -> None:
    asked, approved = team.picture(), team.picture()
    review = rounds.ask(asked, team.edda, [team.vera])
    rounds.decide(approved, by=team.adam, approves=True)
    move(team.edda, [asked, approved], elsewhere)
    for image in (asked, approved):
        image.refresh_from_db()
        assert rounds.approval_of(image).state == "draft"
    review.refresh_from_db()
    assert (review.state, review.decided_by) == ("withdrawn", team.edda)
    assert set(ApprovalEvent.objects.values_list("workspace", flat=True)) == {team.workspace.pk}


def test_what_was_to_replace_a_picture_that_moves_is_a_draft_again(team: Team, elsewhere: Workspace) -> None:
    old, new = team.picture(), team.picture()
    rounds.ask(new, team.edda, [team.vera], replaces=old)
    move(team.edda, [old], elsewhere)
    assert Review.objects.get().state == "withdrawn"
    assert rounds.approval_of(new).state == "draft"


def test_copy_is_a_draft(team: Team, elsewhere: Workspace) -> None:
    image = team.picture(stored=True)
    rounds.decide(image, by=team.adam, approves=True)
    (made,) = copy(team.edda, [image], elsewhere)
    assert rounds.approval_of(made).state == "draft"


def test_put_back_from_the_trash_it_stands_where_it_stood(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera])
    assert image.trash()
    with pytest.raises(rounds.NotPossible, match="trash"):
        rounds.answer(review, team.vera, True)
    image.refresh_from_db()
    assert image.restore()
    rounds.answer(review, team.vera, True)
    assert rounds.approval_of(image).state == "approved"
