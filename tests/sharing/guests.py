"""Links for tests, and people outside."""

from typing import Any

from django.test import Client
from django.urls import reverse

from editor.models import Collection, Image, Share, User


def share_of(user: User, image: Image, **fields: Any) -> Share:
    """An open link to a picture, for good."""
    values: dict[str, Any] = {"workspace": image.workspace, "made_by": user, "kind": "picture", "image": image}
    return Share.objects.create(**(values | fields))


def share_of_collection(user: User, collection: Collection, **fields: Any) -> Share:
    values: dict[str, Any] = {"workspace": collection.workspace, "made_by": user, "kind": "collection"}
    return Share.objects.create(**(values | {"collection": collection} | fields))


def at(name: str, share: Share, *rest: Any) -> str:
    """One of a link's addresses."""
    return reverse(name, args=[share.token, *rest])


def look(share: Share, guest: Client | None = None) -> str:
    """What a guest reads at a link that is open."""
    response = (guest or Client()).get(at("shared", share))
    assert response.status_code == 200
    return response.content.decode()
