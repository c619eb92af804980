"""Proposing an edit as a picture's next version: the pages, who may do what, and the way back."""

import pytest
from django.urls import reverse
from django.utils import timezone

from editor.library.shelves import collect, new_collection
from editor.models import Image, Replacement, Review, User
from editor.review.replacing import put_in_place
from tests.makers import make_change, make_image, make_job
from tests.people import client_of, make_person, quick_passwords
from tests.review.team import Team, make_team

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(quick_passwords: None) -> Team:
    return make_team()


@pytest.fixture
def old(team: Team) -> Image:
    return team.picture(name="lamp.jpg", stored=True)


@pytest.fixture
def new(team: Team, old: Image) -> Image:
    job = make_job(team.edda, old, state="succeeded", allowance="taken", finished_at=timezone.now())
    return team.picture(name="lamp, warm.jpg", kind="generated", job=job, root=old, stored=True)


def page(person: User, name: str, *args: object) -> str:
    answer = client_of(person).get(reverse(name, args=args))
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def test_proposed_shown_over_each_other_declined_proposed_again_and_taken_back(
    team: Team, old: Image, new: Image
) -> None:
    shelf = new_collection(team.edda, team.workspace, "Lamps")
    collect(team.edda, shelf, [old])
    edda, vera = client_of(team.edda), client_of(team.vera)
    assert reverse("picture_propose", args=[new.pk]) in page(team.edda, "picture", new.pk)
    assert reverse("picture_propose", args=[new.pk]) not in page(team.vera, "picture", new.pk)
    body = {"replaces": old.pk, "person": [team.vera.pk], "note": "Warmer"}
    edda.post(reverse("picture_propose", args=[new.pk]), body)
    review = Review.objects.get()
    shown = page(team.vera, "review", review.pk)
    assert "data-compare-range" in shown
    assert reverse("review_change", args=[review.pk]) in shown
    vera.post(reverse("review_answer", args=[review.pk]), {"what": "reject", "why": "Too warm"})
    assert not Replacement.objects.exists()
    edda.post(reverse("picture_propose", args=[new.pk]), body)
    again = Review.objects.get(state="open")
    vera.post(reverse("review_answer", args=[again.pk]), {"what": "approve"})
    made = Replacement.objects.get()
    assert [item.image for item in shelf.items.all()] == [new]
    assert "Another version took its place" in page(team.edda, "picture", old.pk)
    assert "It took the place of an earlier version" in page(team.edda, "picture", new.pk)
    undo = reverse("replacement_undo", args=[made.pk])
    assert edda.post(undo).status_code == 404, "she did not decide it"
    assert undo not in page(team.edda, "picture", old.pk)
    assert undo in page(team.adam, "picture", old.pk)
    client_of(team.adam).post(undo)
    assert [item.image for item in shelf.items.all()] == [old]
    assert "that was taken back" in page(team.vera, "review", again.pk)


def test_map_lies_over_what_is_proposed(team: Team, old: Image, new: Image) -> None:
    client_of(team.edda).post(reverse("picture_propose", args=[new.pk]), {"replaces": old.pk, "person": [team.vera.pk]})
    address = reverse("review_change", args=[Review.objects.get().pk])
    answer = client_of(team.vera).get(address)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert client_of(make_person("stranger")).get(address).status_code == 404
    old.trash()
    assert client_of(team.vera).get(address).status_code == 404


def test_at_once_is_for_those_who_decide(team: Team, old: Image, new: Image) -> None:
    body = {"replaces": old.pk, "at_once": "1"}
    address = reverse("picture_propose", args=[new.pk])
    assert client_of(team.edda).post(address, body).status_code == 404
    assert not Replacement.objects.exists()
    assert "at_once" not in page(team.edda, "picture_propose", new.pk)
    assert "at_once" in page(team.adam, "picture_propose", new.pk)
    client_of(team.adam).post(address, body)
    assert Replacement.objects.get().by == team.adam


def test_only_what_it_was_made_from_can_be_replaced(team: Team, old: Image, new: Image) -> None:
    other = team.picture()
    theirs = make_image(team.vera)
    for wrong in (str(other.pk), str(theirs.pk), str(new.pk), "", "x"):
        answer = client_of(team.edda).post(
            reverse("picture_propose", args=[new.pk]), {"replaces": wrong, "person": [team.vera.pk]}
        )
        assert answer.status_code == 422
        assert "Choose the picture that it is to replace" in answer.content.decode()
    assert not Review.objects.exists()
    assert "nothing that it could replace" in page(team.edda, "picture_propose", old.pk)


def test_review_of_a_result_without_its_old_picture_says_so(team: Team, old: Image, new: Image) -> None:
    make_change(new)
    client_of(team.edda).post(reverse("picture_propose", args=[new.pk]), {"replaces": old.pk, "person": [team.vera.pk]})
    old.trash()
    review = Review.objects.get()
    assert "is not there any more" in page(team.vera, "review", review.pk)
    answered = client_of(team.vera).post(reverse("review_answer", args=[review.pk]), {"what": "approve"}, follow=True)
    assert answered.status_code == 200


def test_taking_back_needs_both_pictures_and_an_open_workspace(team: Team, old: Image, new: Image) -> None:
    made = put_in_place(old, new, team.adam)
    assert made is not None
    undo = reverse("replacement_undo", args=[made.pk])
    team.workspace.archive()
    assert client_of(team.adam).post(undo).status_code == 409
    team.workspace.reopen()
    assert client_of(make_person("stranger")).post(undo).status_code == 404
    new.trash()
    client_of(team.adam).post(undo)
    assert Replacement.objects.get().undone_at is not None


def test_section_that_is_asked_for_again_brings_what_took_its_place(team: Team, old: Image, new: Image) -> None:
    before = page(team.edda, "picture_approval", old.pk)
    assert 'id="replacements"' in before
    assert "took its place" not in before
    put_in_place(old, new, team.adam)
    after = page(team.edda, "picture_approval", old.pk)
    assert 'hx-swap-oob="true"' in after
    assert "Another version took its place" in after
    assert "hx-swap-oob" not in page(team.edda, "picture", old.pk)
