"""Sensitive pictures stay hidden until somebody asks, also without scripts: their bytes are not even named."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.library.shelves import collect, new_collection
from editor.models import GenerationJob, Image, User, Workspace
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(alice: User) -> Image:
    return make_image(alice, name="shocking.jpg", sensitive=True)


@pytest.fixture
def result(alice: User, picture: Image) -> Image:
    """A sensitive result of a picture that is none; something harmless was made of it."""
    source = make_image(alice)
    done = {"state": "succeeded", "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    made = make_image(
        alice, kind="generated", job=make_job(alice, source, picture, **done), root=source, sensitive=True
    )
    make_image(alice, kind="generated", job=make_job(alice, made, **done), root=source)
    make_job(alice, picture, **done)
    return made


def shows(page: str, image: Image) -> bool:
    """Whether the page has the browser fetch it."""
    return f'src="/images/{image.pk}/' in page


def test_no_page_shows_a_sensitive_picture_unasked(
    alice_client: Client, alice: User, own: Workspace, picture: Image, result: Image
) -> None:
    made: GenerationJob = result.job  # type: ignore[assignment]
    shelf = new_collection(alice, own, "Shelf")
    collect(alice, shelf, [picture, result])
    Workspace.objects.filter(pk=own.pk).update(cover=picture)
    pages = [
        reverse("studio"),
        reverse("studio_image", args=[picture.pk]),
        reverse("studio_image", args=[made.source_image.pk]) + f"?edit={made.pk}",
        reverse("studio_image", args=[made.source_image.pk]) + f"?second={picture.pk}",
        reverse("studio_image", args=[result.pk]),
        reverse("edit", args=[made.pk]),
        reverse("history"),
        reverse("workspace_history", args=[own.pk]),
        reverse("workspace_library", args=[own.pk]),
        reverse("collections", args=[own.pk]),
        reverse("collection", args=[shelf.pk]),
        reverse("picture", args=[picture.pk]),
        reverse("picture", args=[result.pk]),
        reverse("picture", args=[made.source_image.pk]),
        reverse("workspaces"),
        reverse("workspace", args=[own.pk]),
    ]
    for address in pages:
        page = alice_client.get(address).content.decode()
        assert not shows(page, picture), address
        assert not shows(page, result), address
    states = alice_client.get(f"{reverse('image_states')}?id={picture.pk}").json()
    assert "image_rendition" not in str(states)
    assert f"/images/{picture.pk}/320" not in str(states)


def test_its_pages_show_it_to_whoever_asks_without_scripts(alice_client: Client, picture: Image) -> None:
    for name in ("picture", "studio_image"):
        hidden = alice_client.get(reverse(name, args=[picture.pk])).content.decode()
        assert 'aria-label="Sensitive picture, hidden. Show"' in hidden
        address = f"{reverse(name, args=[picture.pk])}?show=1"
        assert f'href="{address}"' in hidden
        assert shows(alice_client.get(address).content.decode(), picture)
        # The next page view hides it again.
        assert not shows(alice_client.get(reverse(name, args=[picture.pk])).content.decode(), picture)


def test_a_comparison_is_hidden_if_either_side_is_sensitive(alice_client: Client, alice: User, result: Image) -> None:
    made: GenerationJob = result.job  # type: ignore[assignment]
    address = reverse("studio_image", args=[made.source_image.pk]) + f"?edit={made.pk}"
    hidden = alice_client.get(address).content.decode()
    assert "data-compare-range" not in hidden
    assert f'href="{address.replace("&", "&amp;")}&amp;show=1"' in hidden
    shown = alice_client.get(f"{address}&show=1").content.decode()
    assert "data-compare-range" in shown
    assert shows(shown, result)


def test_other_pictures_are_shown_as_ever(alice_client: Client, alice: User, own: Workspace, result: Image) -> None:
    made: GenerationJob = result.job  # type: ignore[assignment]
    plain = made.source_image
    for address in (reverse("workspace_library", args=[own.pk]), reverse("picture", args=[plain.pk])):
        assert shows(alice_client.get(address).content.decode(), plain)
