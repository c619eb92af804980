"""Many edits of a history at once."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from editor.library.edits import index_edits
from editor.models import (
    CollectionItem,
    Favourite,
    GenerationJob,
    Image,
    ImageKind,
    JobState,
    Membership,
    User,
    Workspace,
)
from tests.makers import make_image, make_job
from tests.views.test_zips import client_of as async_client_of
from tests.views.test_zips import zip_of

pytestmark = pytest.mark.django_db


def edit(user: User, workspace: Workspace | None = None, results: int = 2) -> GenerationJob:
    place: dict[str, Any] = {"workspace": workspace} if workspace else {}
    source = make_image(user, name="cup.jpg", **place)
    ended = {"state": "succeeded", "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    job = make_job(user, source, prompt="a blue cup", samples=results, **ended)
    for position in range(results):
        make_image(
            user, stored=True, kind=ImageKind.GENERATED, job=job, position=position, name=f"blue {position}", **place
        )
    return job


def act(client: Client, what: str, *jobs: GenerationJob, **fields: str) -> str:
    """The sentence that the page after it shows."""
    answer = client.post(f"/history/chosen/{what}/", {"edit": [job.pk for job in jobs], **fields}, follow=True)
    assert answer.status_code == 200
    return " ".join(str(message) for message in answer.context["messages"])


def test_favourites_come_and_go(alice: User, alice_client: Client) -> None:
    job = edit(alice)
    assert act(alice_client, "favourite", job) == "2 pictures among your favourites."
    assert set(Favourite.objects.values_list("job", "job_created_at")) == {(job.pk, job.created_at)}
    assert 'aria-label="Among your favourites"' in alice_client.get("/history/").content.decode()
    act(alice_client, "favourite", job, remove="1")
    assert not Favourite.objects.exists()


def test_trash_has_a_way_back_over_workspaces(alice: User, alice_client: Client, team: Workspace) -> None:
    jobs = edit(alice), edit(alice, team)
    answer = alice_client.post("/history/chosen/trash/", {"edit": [job.pk for job in jobs], "next": "/history/?q=x"})
    assert answer["Location"] == "/history/?q=x"
    assert Image.objects.filter(kind="generated", trashed_at=None).count() == 0
    page = alice_client.get("/history/")
    assert "In the trash" in page.content.decode()
    undo = next(str(message.extra_tags) for message in page.context["messages"]).removeprefix("undo=")
    assert alice_client.post(undo)["Location"] == "/history/?q=x"
    assert Image.objects.filter(trashed_at=None).count() == 6


def test_edits_that_made_nothing_are_put_away_and_come_back(alice: User, alice_client: Client) -> None:
    made, working = edit(alice), make_job(alice, prompt="still at work", state=JobState.PROCESSING, due_at=None)
    failed = make_job(
        alice,
        prompt="of no use",
        state=JobState.FAILED,
        failure_code="vendor",
        allowance="released",
        finished_at=timezone.now(),
    )
    index_edits(failed)
    chosen = [made.pk, failed.pk, working.pk]
    page = alice_client.post("/history/chosen/trash/", {"edit": chosen}, follow=True)
    (said,) = page.context["messages"]
    assert str(said) == "2 pictures in the trash for 30 days. 1 edit without pictures put away."
    assert "of no use" not in page.content.decode()
    assert "still at work" in page.content.decode()
    assert "of no use" not in alice_client.get("/history/?q=use").content.decode()
    alice_client.post(str(said.extra_tags).removeprefix("undo="))
    assert "of no use" in alice_client.get("/history/").content.decode()
    assert Image.objects.exclude(trashed_at=None).count() == 0


def test_edit_under_way_is_not_put_away(alice: User, alice_client: Client) -> None:
    working = make_job(alice, state=JobState.PROCESSING, due_at=None)
    assert act(alice_client, "trash", working).startswith("Nothing to put away")
    working.refresh_from_db()
    assert working.put_away_at is None


def test_collection_is_made_in_each_workspace(alice: User, alice_client: Client, team: Workspace) -> None:
    act(alice_client, "collect", edit(alice), edit(alice, team), collection_name="Cups")
    places = CollectionItem.objects.values_list("collection__workspace", "image__workspace")
    assert len(places) == 4
    assert {place == of for place, of in places} == {True}


def test_viewer_may_only_mark_and_take(bob: User, bob_client: Client, alice: User, team: Workspace) -> None:
    job = edit(alice, team)
    Membership.objects.filter(user=bob).exclude(workspace__personal_for=bob).update(role="viewer")
    assert act(bob_client, "favourite", job)
    for what in ("trash", "collect", "batch"):
        assert bob_client.post(f"/history/chosen/{what}/", {"edit": job.pk, "collection_name": "x"}).status_code == 404
    assert Image.objects.filter(trashed_at__isnull=False).count() == 0


def test_strangers_edits_are_passed_over(alice: User, charlie: User, charlie_client: Client) -> None:
    foreign, own = edit(alice), edit(charlie)
    act(charlie_client, "trash", foreign, own)
    assert set(Image.objects.filter(trashed_at__isnull=False).values_list("job", flat=True)) == {own.pk}
    assert charlie_client.post("/history/chosen/trash/", {"edit": foreign.pk}).status_code == 404


def test_two_are_compared_and_no_other_number(alice: User, alice_client: Client) -> None:
    older, newer, third = (edit(alice) for _ in range(3))
    answer = alice_client.post("/history/chosen/compare/", {"edit": [newer.pk, older.pk]})
    assert answer["Location"] == f"/edits/compare/?a={older.pk}&b={newer.pk}"
    assert act(alice_client, "compare", older, newer, third) == "Choose two edits to compare them."
    assert act(alice_client, "compare") == "Choose edits first."


def test_one_prompt_is_asked_for_the_first_picture_of_each(alice: User, alice_client: Client) -> None:
    jobs = [edit(alice), edit(alice)]
    page = alice_client.post("/history/chosen/batch/", {"edit": [job.pk for job in jobs]}).content.decode()
    firsts = {str(job.results.get(position=0).pk) for job in jobs}
    assert all(first in page for first in firsts)
    assert str(jobs[0].results.get(position=1).pk) not in page


@pytest.mark.django_db(transaction=True)
def test_zip_says_how_each_picture_was_made(alice: User) -> None:
    job = edit(alice)
    answer = async_to_sync(async_client_of(alice).post)("/history/chosen.zip", {"edit": job.pk})
    archive = zip_of(answer)  # type: ignore[arg-type]
    made = json.loads(archive.read("pictures.json"))
    assert {one["file"] for one in made} <= set(archive.namelist())
    first = made[0]
    expected = {"edit": str(job.pk), "prompt": "a blue cup", "seed": 7, "samples": 2, "sources": ["cup.jpg"]}
    assert {name: first[name] for name in expected} == expected
    assert (first["edit_width"], first["edit_height"]) == (320, 256)


def test_zip_of_nothing_says_so(alice: User, alice_client: Client) -> None:
    answer = alice_client.post("/history/chosen.zip", {"edit": make_job(alice).pk})
    assert answer.status_code == 400
    assert "no pictures" in answer.content.decode()
