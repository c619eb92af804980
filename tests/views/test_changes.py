"""What changed, on pages: who sees it, when it is there, and what is said when it is not."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.models import ChangeMap, ChangeState, Image, NoChangeMap, User
from tests.makers import make_change, make_image, make_job, make_user
from tests.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(alice: User) -> Image:
    done = {"state": "succeeded", "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    job = make_job(alice, make_image(alice, stored=True), **done)
    return make_image(alice, stored=True, kind="generated", job=job, root=job.source_image)


def source(result: Image) -> Image:
    assert result.job is not None
    return result.job.source_image


def stage(result: Image) -> str:
    return f"{reverse('studio_image', args=[source(result).pk])}?edit={result.job_id}"


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def map_of(result: Image) -> str:
    return reverse("image_change", args=[result.pk])


def status(client: Client, address: str) -> int:
    response: Any = client.get(address)
    if response.streaming:
        list(response)
    return int(response.status_code)


def test_it_comes_like_any_picture_privately_and_with_a_sum(alice_client: Client, result: Image) -> None:
    make_change(result)
    response: Any = alice_client.get(map_of(result))
    assert b"".join(response)[:8] == b"\x89PNG\r\n\x1a\n"
    assert response["Cache-Control"] == "private, max-age=300"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert alice_client.get(map_of(result), headers={"If-None-Match": response["ETag"]}).status_code == 304


@pytest.mark.parametrize("what", ["withheld_at", "removed_at", "trashed_at", "purged_at"])
@pytest.mark.parametrize("of", ["source", "result"])
def test_it_is_not_there_without_either_picture(result: Image, what: str, of: str) -> None:
    make_change(result)
    viewer = make_user("bob@example.com")
    result.workspace.memberships.create(user=viewer, role="viewer")
    client = client_of(viewer)
    assert status(client, map_of(result)) == 200
    gone = source(result) if of == "source" else result
    values = {what: timezone.now()} | ({"trashed_at": timezone.now()} if what == "removed_at" else {})
    Image.objects.filter(pk=gone.pk).update(**values)
    assert status(client, map_of(result)) == 404
    assert client.post(reverse("image_change_ask", args=[result.pk])).status_code == 404


def test_an_upload_has_none(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    assert alice_client.get(map_of(upload)).status_code == 404
    assert alice_client.post(reverse("image_change_ask", args=[upload.pk])).status_code == 404
    assert "What changed" not in page(alice_client, reverse("studio_image", args=[upload.pk]))


@pytest.mark.parametrize("where", ["stage", "edit"])
def test_pages_lay_it_over_the_result_and_say_how_much(alice_client: Client, result: Image, where: str) -> None:
    make_change(result, share=0.17)
    shown = page(alice_client, stage(result) if where == "stage" else reverse("edit", args=[result.job_id]))
    assert f'src="{map_of(result)}"' in shown
    assert "About 15 % changed" in shown


def test_switched_on_by_its_address_for_those_without_scripts(alice_client: Client, result: Image) -> None:
    make_change(result)
    on, off = page(alice_client, f"{stage(result)}&changes=1"), page(alice_client, stage(result))
    assert on.count("checked") == off.count("checked") + 1


def test_an_older_result_gets_one_when_somebody_asks(alice_client: Client, result: Image) -> None:
    ask = reverse("image_change_ask", args=[result.pk])
    assert f'action="{ask}"' in page(alice_client, stage(result))
    back = f"{stage(result)}&changes=1"
    assert alice_client.post(ask, {"next": back}).headers["Location"] == back
    assert ChangeMap.objects.get(image=result).is_wanted
    assert "Working out what changed" in page(alice_client, back)
    assert f'src="{map_of(result)}"' not in page(alice_client, back)


def test_asking_for_what_is_known_changes_nothing(alice_client: Client, result: Image) -> None:
    made = make_change(result)
    alice_client.post(reverse("image_change_ask", args=[result.pk]))
    assert ChangeMap.objects.get(image=result).made_at == made.made_at


def test_why_there_is_none_is_said(alice_client: Client, result: Image) -> None:
    ChangeMap.objects.create(image=result, state=ChangeState.NONE, reason=NoChangeMap.SHAPE)
    shown = page(alice_client, stage(result))
    assert "another shape than its source" in shown
    assert "Try again" not in shown


@pytest.mark.parametrize("reason", ["failed", "source"])
def test_what_may_be_over_can_be_tried_again(alice_client: Client, result: Image, reason: str) -> None:
    ChangeMap.objects.create(image=result, state=ChangeState.NONE, reason=reason, tries=3)
    assert "Try again" in page(alice_client, stage(result))
    alice_client.post(reverse("image_change_ask", args=[result.pk]))
    again = ChangeMap.objects.get(image=result)
    assert (again.state, again.reason, again.tries) == (ChangeState.WANTED, "", 0)


def test_the_other_picture_of_a_merge_is_not_compared(alice: User, alice_client: Client, result: Image) -> None:
    """The map lies over the first source; beside the second one it would tell lies."""
    assert result.job is not None
    other = make_image(alice, stored=True)
    result.job.sources.create(position=1, image=other)
    make_change(result)
    beside = f"{reverse('studio_image', args=[other.pk])}?edit={result.job_id}"
    assert map_of(result) not in page(alice_client, beside)
    assert map_of(result) in page(alice_client, stage(result))


@pytest.mark.parametrize("of", ["source", "result"])
def test_a_sensitive_one_waits_until_it_is_asked_for(alice_client: Client, result: Image, of: str) -> None:
    make_change(result)
    Image.objects.filter(pk=(source(result) if of == "source" else result).pk).update(sensitive=True)
    for address in (stage(result), reverse("edit", args=[result.job_id])):
        assert map_of(result) not in page(alice_client, address)
    assert map_of(result) in page(alice_client, f"{stage(result)}&show=1")
