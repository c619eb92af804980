"""The section of a picture's page, asking, answering, the page of a round and the lists of them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from editor.library.words import index_words
from editor.models import Approval, Image, Review, Workspace
from editor.review import rounds
from editor.review.culling import begin
from tests.makers import make_image, make_user
from tests.people import client_of, quick_passwords
from tests.review.team import Team, make_team

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(quick_passwords: None) -> Team:
    return make_team()


def page(person: object, name: str, *args: object, query: str = "") -> str:
    answer = client_of(person).get(reverse(name, args=args) + query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_picture_goes_through_a_whole_round_on_its_pages(team: Team) -> None:
    image = team.picture(name="cat.jpg")
    edda, vera = client_of(team.edda), client_of(team.vera)
    assert "Nobody was asked about it so far" in page(team.edda, "picture", image.pk)
    asking = page(team.edda, "picture_review", image.pk)
    assert "Vera" in asking
    assert "edda@example.com · Editor" not in asking, "nobody asks themselves"
    body = {"person": [team.vera.pk], "note": "For the cover"}
    assert "Asked Vera." in edda.post(reverse("picture_review", args=[image.pk]), body, follow=True).content.decode()
    review = Review.objects.get()
    shown = page(team.vera, "picture", image.pk)
    assert "In review" in shown
    assert "For the cover" in shown
    assert "You are asked" in shown
    assert "cat.jpg" in page(team.vera, "reviews")
    answer = vera.post(reverse("review_answer", args=[review.pk]), {"what": "reject", "why": "Too dark"}, follow=True)
    assert "Rejected" in answer.content.decode()
    assert "Too dark" in page(team.edda, "picture", image.pk)
    assert "cat.jpg" not in page(team.vera, "reviews")
    assert "cat.jpg" in page(team.edda, "reviews", query="?show=asked")


def test_asking_nobody_says_so_and_keeps_the_note(team: Team) -> None:
    image = team.picture()
    answer = client_of(team.edda).post(reverse("picture_review", args=[image.pk]), {"note": "Look at the sky"})
    assert answer.status_code == 422
    assert "Choose at least one person" in answer.content.decode()
    assert "Look at the sky" in answer.content.decode()


def test_stranger_who_is_named_is_not_asked(team: Team) -> None:
    image = team.picture()
    other = make_image(make_user("stranger@example.com"))
    answer = client_of(team.edda).post(reverse("picture_review", args=[image.pk]), {"person": [other.made_by_id]})
    assert answer.status_code == 422
    assert not Review.objects.exists()


def test_people_are_found_by_name(team: Team) -> None:
    found = page(team.edda, "picture_review", team.picture().pk, query="?q=ver")
    assert "vera@example.com" in found
    assert "adam@example.com" not in found


@pytest.mark.parametrize(
    ("name", "asked", "seen"),
    [
        ("vera", True, {"Approve", "Reject …"}),
        ("vic", True, set()),
        ("edda", True, {"Withdraw the review"}),
        ("adam", True, {"Approve", "Reject …", "Withdraw the review"}),
        ("edda", False, {"Ask for a review"}),
        ("adam", False, {"Approve", "Reject …", "Ask for a review"}),
        ("vic", False, set()),
    ],
)
def test_everybody_sees_the_buttons_that_they_may_press(team: Team, name: str, asked: bool, seen: set[str]) -> None:
    image = team.picture()
    if asked:
        rounds.ask(image, team.edda, [team.vera])
    shown = page(getattr(team, name), "picture_approval", image.pk)
    words = {"Approve", "Reject …", "Withdraw the review", "Ask for a review"}
    buttons = {word for word in words if f"</svg>{word}<" in shown}
    assert buttons == seen


def test_approved_picture_is_locked_and_unlocked_and_taken_back(team: Team) -> None:
    image = team.picture()
    adam = client_of(team.adam)

    def press(name: str, **body: str) -> str:
        return adam.post(reverse(name, args=[image.pk]), body, follow=True).content.decode()

    assert "Approved." in press("picture_decide", what="approve", seen="")
    assert "nobody can put it into the trash" in press("picture_lock")
    assert "locked. Unlock it first" in press("picture_decide", what="reopen")
    assert "Unlocked." in press("picture_lock", remove="1")
    assert "A draft again." in press("picture_decide", what="reopen")


def test_who_decides_on_what_is_over_is_told_what_happened(team: Team) -> None:
    image = team.picture()
    rounds.decide(image, by=team.alice, approves=False, why="Too dark")
    answer = client_of(team.adam).post(
        reverse("picture_decide", args=[image.pk]), {"what": "approve", "seen": ""}, follow=True
    )
    assert "Alice rejected it in the meantime" in answer.content.decode()
    assert Approval.objects.get().state == "rejected"


def test_who_takes_back_to_draft_what_is_over_is_told_what_happened(team: Team) -> None:
    image = team.picture()
    rounds.decide(image, by=team.adam, approves=True)
    seen = page(team.adam, "picture_approval", image.pk).split('name="seen" value="')[-1].split('"')[0]
    rounds.decide(image, by=team.alice, approves=False, why="Too dark")
    body = {"what": "reopen", "seen": seen}
    answer = client_of(team.adam).post(reverse("picture_decide", args=[image.pk]), body, follow=True)
    assert "Alice rejected it in the meantime" in answer.content.decode()
    assert Approval.objects.get().state == "rejected"


def test_editor_takes_rejected_ones_back_to_draft_but_not_approved_ones(team: Team) -> None:
    image = team.picture()
    edda, address = client_of(team.edda), reverse("picture_decide", args=[image.pk])
    rounds.decide(image, by=team.adam, approves=True)
    assert edda.post(address, {"what": "reopen"}).status_code == 404
    rounds.decide(image, by=team.adam, approves=False, why="No")
    assert edda.post(address, {"what": "reopen"}).status_code == 302
    assert Approval.objects.get().state == "draft"


def test_lists_hold_nothing_that_is_not_shown_to_the_person(team: Team) -> None:
    pictures = [team.picture(name=f"picture {number}") for number in range(4)]
    for image in pictures:
        rounds.ask(image, team.edda, [team.vera])
    Image.objects.filter(pk=pictures[1].pk).update(trashed_at=timezone.now())
    Image.objects.filter(pk=pictures[2].pk).update(withheld_at=timezone.now())
    Image.objects.filter(pk=pictures[3].pk).update(workspace=Workspace.objects.create(name="Elsewhere"))
    for query in ("", f"?show=open&workspace={team.workspace.pk}"):
        shown = page(team.vera, "reviews", query=query)
        assert [name for name in range(4) if f"picture {name}" in shown] == [0]
    for image in pictures[1:]:
        review = Review.objects.get(image=image)
        assert client_of(team.vera).get(reverse("review", args=[review.pk])).status_code == 404


def test_library_says_how_many_wait_for_the_person_there(team: Team) -> None:
    for _ in range(2):
        rounds.ask(team.picture(), team.edda, [team.vera])
    asking = f"{reverse('reviews')}?count=1&workspace={team.workspace.pk}"
    library = page(team.vera, "workspace_library", team.workspace.pk)
    assert asking.replace("&", "&amp;") in library
    assert b'>2<small class="visually-hidden"> for you' in client_of(team.vera).get(asking).content
    assert b"for you" not in client_of(team.vic).get(asking).content
    own = Workspace.objects.personal_of(team.vera)
    assert b"for you" not in client_of(team.vera).get(f"{reverse('reviews')}?count=1&workspace={own.pk}").content


def test_open_reviews_are_those_of_a_team(team: Team) -> None:
    image = team.picture(name="cat.jpg")
    rounds.ask(image, team.edda, [team.vera])
    own = Workspace.objects.personal_of(team.adam)
    client = client_of(team.adam)
    client.get(reverse("workspace_library", args=[own.pk]))
    assert "cat.jpg" in client.get(reverse("reviews") + "?show=open").content.decode()
    assert "cat.jpg" not in client.get(reverse("reviews") + f"?show=open&workspace={own.pk}").content.decode()


def test_list_goes_on_page_by_page_with_few_queries(
    team: Team, django_assert_max_num_queries: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.views.reviews.PER_PAGE", 3)
    for number in range(7):
        rounds.ask(team.picture(name=f"picture {number}"), team.edda, [team.vera, team.vic])
    client, query, seen = client_of(team.vera), "", []
    for _ in range(3):
        with django_assert_max_num_queries(8):  # type: ignore[operator]  # session, person, frame; the list and its people
            answer = client.get(reverse("reviews") + query)
        seen += [review.image.name for review in answer.context["reviews"]]
        query = f"?before={answer.context['older']}"
    assert seen == [f"picture {number}" for number in reversed(range(7))]


def test_library_is_narrowed_by_approval_and_marks_its_tiles(team: Team) -> None:
    states = {}
    for name in ("draft", "reopened", "asked", "approved", "rejected"):
        states[name] = team.picture(name=name)
        index_words(states[name])
    rounds.ask(states["asked"], team.edda, [team.vera])
    rounds.decide(states["approved"], by=team.adam, approves=True)
    rounds.lock(states["approved"], team.adam)
    rounds.decide(states["rejected"], by=team.adam, approves=False, why="No")
    rounds.decide(states["reopened"], by=team.adam, approves=True)
    rounds.reopen(states["reopened"], team.adam)
    client = client_of(team.vera)
    address = reverse("workspace_library", args=[team.workspace.pk])

    def names(query: str) -> set[str]:
        return {image.name for image in client.get(address + query).context["images"]}

    assert names("?approval=draft") == {"draft", "reopened"}
    assert names("?approval=in-review") == {"asked"}
    assert names("?approval=approved") == {"approved"}
    assert names("?approval=rejected&q=rejected&kind=uploaded") == {"rejected"}
    assert names("?approval=draft&q=reopened&sort=name") == {"reopened"}
    assert "Approved and locked" in client.get(address).content.decode()
    assert "Rejected: show without" in client.get(address + "?approval=rejected").content.decode()


@pytest.mark.parametrize("what", ["withheld_at", "removed_at"])
def test_nothing_is_decided_about_a_picture_that_is_not_shown(team: Team, what: str) -> None:
    image = team.picture(stored=True)
    review = rounds.ask(image, team.edda, [team.vera])
    culling = begin(team.alice, team.workspace, "All", [image.pk])
    now = timezone.now()
    Image.objects.filter(pk=image.pk).update(**{"trashed_at": now if what == "removed_at" else None, what: now})
    alice, vera = client_of(team.alice), client_of(team.vera)
    yes = {"what": "approve"}
    assert alice.post(reverse("picture_decide", args=[image.pk]), yes).status_code == 404
    assert alice.post(reverse("picture_lock", args=[image.pk])).status_code == 404
    assert alice.post(reverse("review_withdraw", args=[review.pk])).status_code == 404
    assert vera.post(reverse("review_answer", args=[review.pk]), yes).status_code == 404
    shown = alice.get(reverse("culling", args=[culling.pk])).content.decode()
    assert "It is not here any more" in shown
    assert str(image.pk) not in shown
    said = alice.post(reverse("cull_decide", args=[culling.pk]), yes | {"at": "0"}, follow=True).content.decode()
    assert "not here any more" in said
    assert Approval.objects.get().state == "in-review"
