"""One prompt on many pictures: the form, the page that follows them, and what can be done there."""

import asyncio
import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.jobs.batches import create_batch
from editor.jobs.creation import EditSpec
from editor.models import Batch, GenerationJob, Image, ImageKind, ImageState, JobState, Role, User, Workspace
from editor.views.batches import PER_PAGE
from tests.makers import make_batch, make_image, make_job, make_user

pytestmark = pytest.mark.django_db


DONE: dict[str, Any] = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}


def choose(client: Client, *images: Image, **fields: Any) -> Any:
    return client.post(reverse("batch_new"), {"picture": [image.pk for image in images], **fields})


def ask(client: Client, *images: Image, **fields: Any) -> Any:
    return choose(client, *images, **{"prompt": "make it blue", "form_token": uuid4().hex} | fields)


def batch_of(user: User, number: int, **fields: Any) -> Batch:
    return make_batch(user, *(make_job(user, **fields) for _ in range(number)))


def test_form_says_what_it_costs_before(alice: User, alice_client: Client, settings: Settings) -> None:
    settings.FLUX_PRICE, settings.EDITS_PER_DAY = 0.04, 10
    page = choose(alice_client, make_image(alice), make_image(alice), make_image(alice)).content.decode()
    assert "Edit 3 pictures at once" in page
    assert "<strong><span data-batch-uses>3</span> of 10</strong>" in page
    assert "0.12" in page
    assert not GenerationJob.objects.exists()


def test_asking_leads_to_the_batch(alice: User, alice_client: Client) -> None:
    images = [make_image(alice), make_image(alice)]
    response = ask(alice_client, *images, samples=2, mail="1")
    batch = Batch.objects.get()
    assert response.url == reverse("batch", args=[batch.pk])
    assert batch.mail_due_at is not None
    page = alice_client.get(response.url).content.decode()
    assert "0 of 2 done" in page
    assert "2 waiting" in page


def test_mistake_keeps_pictures_and_words(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    response = ask(alice_client, image, strength="9")
    page = response.content.decode()
    assert response.status_code == 422
    assert "A number from 0 to 1" in page
    assert "make it blue" in page
    assert f'name="pictures" value="{image.pk} "' in page
    assert not Batch.objects.exists()


def test_what_cannot_be_edited_is_left_out_with_a_word(alice: User, alice_client: Client, team: Workspace) -> None:
    fine = make_image(alice)
    refused = make_image(alice, state=ImageState.REFUSED, refused_code="broken")
    elsewhere = make_image(alice, workspace=team)
    foreign = make_image(make_user("stranger@example.com"))
    page = choose(alice_client, fine, refused, elsewhere, foreign).content.decode()
    assert "Edit 1 picture at once" in page
    assert "1 picture left out: not in" in page
    assert "1 picture left out: the rights have ended, or the file" in page
    assert str(foreign.pk) not in page


def test_foreign_pictures_alone_are_not_there(alice_client: Client) -> None:
    assert choose(alice_client, make_image(make_user("stranger@example.com"))).status_code == 404


def test_viewers_of_the_team_make_no_batch(bob: User, bob_client: Client, team: Workspace, alice: User) -> None:
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    assert ask(bob_client, make_image(alice, workspace=team)).status_code == 404
    assert not Batch.objects.exists()


def test_progress_sends_only_the_tiles_that_went_on(alice: User, alice_client: Client) -> None:
    batch = batch_of(alice, 2)
    waits, ends = batch.jobs.order_by("created_at")
    ends.fail("vendor")
    address = reverse("batch_progress", args=[batch.pk]) + "?item=0.working-0-1-queued&item=1.working-0-1-queued"
    answer = alice_client.get(address).content.decode()
    assert 'id="item-1" hx-swap-oob' in answer
    assert 'id="item-0"' not in answer
    assert "item=0.working-0-1-queued" in answer
    assert f"edit:{waits.pk}" in answer
    assert f"edit:{ends.pk}" not in answer


def test_large_batch_has_pages_that_hold_each_edit_once(alice: User, alice_client: Client) -> None:
    batch = batch_of(alice, PER_PAGE + 2)
    first = alice_client.get(reverse("batch", args=[batch.pk]))
    second = alice_client.get(reverse("batch", args=[batch.pk]) + f"?after={first.context['more']}")
    shown = [item.number for page in (first, second) for item in page.context["items"]]
    assert shown == list(range(PER_PAGE + 2))
    assert second.context["more"] is None


def test_page_costs_the_same_however_many(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    batch = batch_of(alice, 20)
    with django_assert_max_num_queries(9):
        alice_client.get(reverse("batch", args=[batch.pk]))


def test_owner_stops_and_repeats(alice: User, alice_client: Client) -> None:
    batch = batch_of(alice, 3)
    batch.jobs.order_by("created_at")[0].fail("vendor")
    page = alice_client.post(reverse("batch_cancel", args=[batch.pk]), follow=True).content.decode()
    assert "2 edits canceled; nothing was charged" in page
    page = alice_client.post(reverse("batch_again", args=[batch.pk]), follow=True).content.decode()
    assert "1 edit run again" in page
    assert "1 waiting" in page


def test_page_says_how_long_the_rest_waits_and_takes_a_cancel_back(alice: User, alice_client: Client) -> None:
    batch = create_batch(alice, [make_image(alice), make_image(alice)], EditSpec("blue"), "token")
    address, progress = (reverse(name, args=[batch.pk]) for name in ("batch", "batch_progress"))
    assert "The last of them: Queued, 1 ahead of you" in alice_client.get(progress).content.decode()
    alice_client.post(reverse("batch_cancel", args=[batch.pk]))
    assert "Run the canceled ones after all" in alice_client.get(address).content.decode()
    alice_client.post(reverse("batch_again", args=[batch.pk]), {"what": "canceled"})
    assert batch.jobs.filter(state="queued").count() == 2


def test_colleagues_see_it_and_leave_it_alone(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    batch = make_batch(alice, make_job(alice, make_image(alice, workspace=team)))
    page = bob_client.get(reverse("batch", args=[batch.pk])).content.decode()
    assert "make it blue" in page
    assert "Cancel the" not in page
    assert bob_client.post(reverse("batch_cancel", args=[batch.pk])).status_code == 404


def test_edit_that_was_moved_away_leaves_the_batch(
    alice: User, bob_client: Client, team: Workspace, own: Workspace
) -> None:
    stays, moves = (make_job(alice, make_image(alice, workspace=team)) for _ in range(2))
    batch = make_batch(alice, stays, moves)
    GenerationJob.objects.filter(pk=moves.pk).update(workspace=own)
    page = bob_client.get(reverse("batch", args=[batch.pk])).content.decode()
    assert "0 of 1 done" in page
    assert str(moves.pk) not in page
    asked = "?item=0.held&item=1.held"
    answer = bob_client.get(reverse("batch_progress", args=[batch.pk]) + asked).content.decode()
    assert str(stays.pk) in answer
    assert str(moves.pk) not in answer


def withhold_source(job: GenerationJob) -> None:
    Image.objects.filter(pk=job.source_image.pk).update(name="secret.jpg", withheld_at=timezone.now())


def test_name_of_a_picture_that_is_kept_back_is_on_no_page(
    alice: User, bob_client: Client, team: Workspace, alice_client: Client
) -> None:
    batch = create_batch(alice, [make_image(alice, workspace=team)], EditSpec("blue"), "token")
    withhold_source(batch.jobs.get())
    address = reverse("batch", args=[batch.pk])
    assert "secret.jpg" not in bob_client.get(address).content.decode()
    assert "secret.jpg" in alice_client.get(address).content.decode()


@pytest.mark.django_db(transaction=True)
def test_zip_names_no_source_that_was_removed(alice: User) -> None:
    batch = batch_of(alice, 1, **DONE)
    job = batch.jobs.get()
    make_image(alice, stored=True, kind=ImageKind.GENERATED, job=job, root=job.source_image)
    Image.objects.filter(pk=job.source_image.pk).update(
        name="secret.jpg", removed_at=timezone.now(), trashed_at=timezone.now()
    )
    archive = zip_of_batch(alice, batch)
    assert json.loads(archive.read("pictures.json"))[0]["sources"] == []


@pytest.mark.django_db(transaction=True)
def test_zip_holds_the_results_alone(alice: User) -> None:
    batch = batch_of(alice, 1, **DONE)
    job = batch.jobs.get()
    make_image(alice, stored=True, kind=ImageKind.GENERATED, job=job, position=0, root=job.source_image)
    make_image(alice, stored=True, kind=ImageKind.GENERATED, job=job, position=1, trashed_at=timezone.now())
    archive = zip_of_batch(alice, batch)
    pictures = [name for name in archive.namelist() if not name.startswith("pictures.")]
    assert len(pictures) == 1


def zip_of_batch(person: User, batch: Batch) -> zipfile.ZipFile:
    client = AsyncClient()
    client.force_login(person)
    response = asyncio.run(client.get(reverse("batch_zip", args=[batch.pk])))

    async def whole() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])  # type: ignore[attr-defined]

    return zipfile.ZipFile(io.BytesIO(asyncio.run(whole())))
