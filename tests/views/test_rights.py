"""What people say about the rights of a picture, and what they see of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from editor.images.rights import Rights, today, write
from editor.library.perceptual import phash_columns
from editor.models import GenerationJob, ImageKind, Licence, Role, User, Workspace
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db


def test_rights_are_changed_and_said_on_the_pictures_page(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    said = {"licence": "internal", "credit": "Agency", "consent": "unknown", "usable_until": "2040-01-31"}
    page = alice_client.post(f"/pictures/{image.pk}/rights/", said, follow=True)
    words = page.content.decode()
    assert page.redirect_chain == [(f"/pictures/{image.pk}/", 302)]
    assert "Internal use only" in words
    assert "31 January 2040" in words


def test_form_shows_what_was_said(alice: User, alice_client: Client) -> None:
    image = make_image(alice, usable_until=today(), credit="Anna")
    words = alice_client.get(f"/pictures/{image.pk}/rights/").content.decode()
    assert f'value="{today():%Y-%m-%d}"' in words
    assert 'value="Anna"' in words
    assert "already made from it" not in words


def test_nonsense_is_said_beside_its_field_and_changes_nothing(alice: User, alice_client: Client) -> None:
    image = make_image(alice, credit="Anna")
    response = alice_client.post(f"/pictures/{image.pk}/rights/", {"usable_until": "tomorrow", "credit": "Bob"})
    assert response.status_code == 422
    assert "A day like" in response.content.decode()
    image.refresh_from_db()
    assert image.credit == "Anna"


@pytest.mark.parametrize("ticked", [True, False])
def test_results_get_them_if_asked(ticked: bool, alice: User, alice_client: Client) -> None:
    source = make_image(alice)
    result = make_image(alice, kind=ImageKind.GENERATED, job=make_job(alice, source), root=source)
    assert (
        "Also for the picture already made from it"
        in alice_client.get(f"/pictures/{source.pk}/rights/").content.decode()
    )
    said: dict[str, Any] = {"licence": "editorial"} | ({"to_results": "on"} if ticked else {})
    alice_client.post(f"/pictures/{source.pk}/rights/", said)
    result.refresh_from_db()
    assert result.licence == (Licence.EDITORIAL if ticked else "")


def test_viewers_see_rights_and_change_none(
    charlie: User, alice: User, charlie_client: Client, team: Workspace
) -> None:
    image = make_image(alice, workspace=team, credit="Agency")
    team.memberships.create(user=charlie, role=Role.VIEWER)
    words = charlie_client.get(f"/pictures/{image.pk}/").content.decode()
    assert "Agency" in words
    assert "Change the rights" not in words
    assert charlie_client.post(f"/pictures/{image.pk}/rights/", {"licence": "own"}).status_code == 404
    image.refresh_from_db()
    assert Rights.of(image) == Rights(credit="Agency")


def test_expired_picture_wears_it_in_the_studio_and_on_its_page(alice: User, alice_client: Client) -> None:
    image = make_image(alice, usable_until=today() - timedelta(1))
    soon = make_image(alice, usable_until=today() + timedelta(3))
    for room in ("studio", "pictures"):
        assert "Expired on" in alice_client.get(f"/{room}/{image.pk}/").content.decode()
        assert "state-ask" in alice_client.get(f"/{room}/{soon.pk}/").content.decode()


@pytest.mark.parametrize("days", [-1, 0])
def test_dock_says_beforehand_that_a_picture_expired(days: int, alice: User, alice_client: Client) -> None:
    old = make_image(alice, name="old.jpg", usable_until=today() + timedelta(days))
    other = make_image(alice)
    alone = alice_client.get(f"/studio/{old.pk}/").content.decode()
    merge = alice_client.get(f"/studio/{other.pk}/?second={old.pk}").content.decode()
    for words in (alone, merge):
        assert ("“old.jpg” could be used until" in words) is (days < 0)
        assert bool(re.search(r'<button class="run"[^>]* disabled>', words)) is (days < 0)


def test_page_of_an_expired_picture_leads_to_its_rights_first(alice: User, alice_client: Client) -> None:
    old = make_image(alice, usable_until=today() - timedelta(1))
    words = alice_client.get(f"/pictures/{old.pk}/").content.decode()
    assert f'<a href="/pictures/{old.pk}/rights/">change its rights</a>' in words
    assert "Edit in the studio" not in words


def test_result_of_an_expired_picture_offers_no_other_run(alice: User, alice_client: Client) -> None:
    source = make_image(alice)
    job = make_job(alice, source, state="succeeded", allowance="taken", finished_at=timezone.now())
    make_image(alice, kind=ImageKind.GENERATED, job=job, root=source)
    address = f"/studio/{source.pk}/?edit={job.pk}"
    assert "may not be used any more" not in alice_client.get(address).content.decode()
    write(source, Rights(usable_until=today() - timedelta(1)))
    words = alice_client.get(address).content.decode()
    buttons = re.findall(r'name="mode"[^>]*>', words)
    assert buttons
    assert all(button.endswith(" disabled>") for button in buttons)


def test_edit_of_an_expired_picture_is_refused_in_the_dock(alice: User, alice_client: Client) -> None:
    image = make_image(alice, name="old.jpg", usable_until=today() - timedelta(1))
    asked = {"source": image.pk, "prompt": "make it blue", "form_token": "t"}
    response = alice_client.post("/edits/", asked)
    assert response.status_code == 422
    assert "“old.jpg” could be used until" in response.content.decode()
    assert not GenerationJob.objects.exists()


def test_expired_picture_stops_running_again(alice: User, alice_client: Client) -> None:
    job = make_job(alice, make_image(alice, name="old.jpg", usable_until=today() - timedelta(1)))
    page = alice_client.post(f"/edits/{job.pk}/run-again/", {"form_token": "t"}, follow=True)
    assert "could be used until" in page.content.decode()
    assert GenerationJob.objects.count() == 1


def test_page_offers_what_looks_like_it(alice: User, alice_client: Client, charlie: User) -> None:
    looks: dict[str, Any] = phash_columns((7, 8, 9, 10))
    image, twin = make_image(alice, **looks), make_image(alice, **looks)
    foreign = make_image(charlie, **looks)
    words = alice_client.get(f"/pictures/{image.pk}/").content.decode()
    assert "Looks like these" in words
    assert f"/pictures/{twin.pk}/" in words
    assert str(foreign.pk) not in words


@pytest.mark.parametrize("days", [-1, 0])
def test_page_of_an_edit_runs_nothing_again_whose_source_expired(days: int, alice: User, alice_client: Client) -> None:
    job = make_job(
        alice,
        make_image(alice, usable_until=today() + timedelta(days)),
        state="succeeded",
        allowance="taken",
        finished_at=timezone.now(),
    )
    words = alice_client.get(f"/edits/{job.pk}/").content.decode()
    for mode in ("same", "new"):
        assert bool(re.search(rf'value="{mode}"[^>]* disabled>', words)) is (days < 0)
    assert ("have ended" in words) is (days < 0)
