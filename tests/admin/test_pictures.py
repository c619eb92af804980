from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from editor.models import Image, ImageState, User
from tests.makers import make_image
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(alice: User) -> Image:
    return make_image(alice, stored=True)


def ask(client: Client, picture: Image) -> int:
    """The status of the answer, which is read to its end."""
    response = client.get(reverse("admin_image", args=[picture.pk, 320]))
    if response.streaming:
        assert read(response)
    return response.status_code


def read(response: Any) -> bytes:
    async def collect() -> bytes:
        return b"".join([chunk async for chunk in response])

    return async_to_sync(collect)()


def test_administrator_sees_the_picture_and_no_cache_keeps_it(admin_client: Client, picture: Image) -> None:
    response = admin_client.get(reverse("admin_image", args=[picture.pk, 320]))
    assert response.status_code == 200
    assert read(response)[:2] == b"\xff\xd8"  # the maker's JPEG
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "image/webp"


def test_staff_sees_it_with_the_permission_alone(picture: Image) -> None:
    helper = make_person("helper")
    helper.is_staff = True
    helper.save()
    assert ask(client_of(helper), picture) == 404
    helper.user_permissions.set(Permission.objects.filter(codename="view_image"))
    assert ask(client_of(helper), picture) == 200
    User.objects.filter(pk=helper.pk).update(is_staff=False)
    assert ask(client_of(helper), picture) == 404


def test_everybody_else_gets_404(picture: Image, alice_client: Client, charlie_client: Client) -> None:
    assert {ask(client, picture) for client in (alice_client, charlie_client, Client())} == {404}


def test_picture_that_is_not_there_is_not_found(admin_client: Client, alice: User) -> None:
    refused = make_image(alice, state=ImageState.REFUSED, refused_code="kind")
    assert ask(admin_client, refused) == 404
    assert admin_client.get(reverse("admin_image", args=[uuid4(), 320])).status_code == 404


def test_picture_in_the_trash_is_seen(admin_client: Client, picture: Image) -> None:
    picture.trash()
    assert ask(admin_client, picture) == 200
