"""What people outside see who have a link, and how soon they don't any more."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import Image, Share, User, Workspace
from tests.makers import make_image
from tests.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(bob: User, team: Workspace) -> Image:
    return make_image(bob, workspace=team, stored=True)


def share_of(user: User, image: Image, **fields: Any) -> Share:
    values: dict[str, Any] = {"workspace": image.workspace, "made_by": user, "kind": "picture", "image": image}
    return Share.objects.create(**(values | fields))


def test_link_is_made_opened_by_a_guest_and_revoked(bob: User, image: Image) -> None:
    client, guest = client_of(bob), Client()
    made = client.post(
        reverse("share_picture", args=[image.pk]), {"lasts": "week", "title": "For you", "form_token": "x"}
    )
    share = Share.objects.get()
    assert made["Location"] == reverse("share", args=[share.pk])
    assert f"/s/{share.token}/" in client.get(made["Location"]).content.decode()
    page = guest.get(reverse("shared", args=[share.token]))
    assert page.status_code == 200
    bytes_at = reverse("shared_rendition", args=[share.token, image.pk, 1280])
    assert "For you" in page.content.decode()
    assert bytes_at in page.content.decode()
    assert guest.get(bytes_at).status_code == 200
    client.post(reverse("share_revoke", args=[share.pk]))
    for address in (reverse("shared", args=[share.token]), bytes_at):
        assert guest.get(address).status_code == 404
