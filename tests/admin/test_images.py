import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from editor.models import Image, ImageState, User
from tests.makers import make_image
from tests.people import client_of, make_person, submit

LIST = "/admin/editor/image/"


@pytest.fixture
def picture(alice: User) -> Image:
    return make_image(alice, name="holiday at the sea.jpg")


def shown(client: Client, words: str) -> int:
    """How many rows a search shows."""
    return client.get(LIST, {"q": words}).content.decode().count('class="action-select"')


def test_found_by_id_name_person_and_refusal(admin_client: Client, picture: Image, charlie: User) -> None:
    refused = make_image(charlie, state=ImageState.REFUSED, refused_code="too-many-pixels")
    found = {
        words: shown(admin_client, words) for words in (str(picture.pk), "SEA holi", "alice@ex", "too-many-pixels")
    }
    assert set(found.values()) == {1}
    assert shown(admin_client, "mountains") == 0
    assert str(refused.pk) in admin_client.get(LIST, {"q": "too-many-pixels"}).content.decode()


def test_thumbnail_comes_through_the_portal(admin_client: Client, picture: Image) -> None:
    page = admin_client.get(LIST).content.decode()
    assert f'src="{reverse("admin_image", args=[picture.pk, 320])}"' in page
    assert 'width="120" height="90"' in page


def test_name_is_escaped(admin_client: Client, alice: User) -> None:
    picture = make_image(alice, name='"><script>alert(1)</script>')
    for address in (LIST, f"{LIST}{picture.pk}/change/"):
        assert "<script>alert" not in admin_client.get(address).content.decode()


def test_picture_is_only_looked_at(admin_client: Client, picture: Image) -> None:
    page = admin_client.get(f"{LIST}{picture.pk}/change/")
    assert page.status_code == 200
    assert 'name="name"' not in page.content.decode()
    assert submit(admin_client, f"{LIST}{picture.pk}/change/", name="mine").status_code == 403
    assert admin_client.get(f"{LIST}add/").status_code == 403


def test_into_the_trash_and_back(admin_client: Client, picture: Image) -> None:
    submit(admin_client, LIST, action="move_to_trash", _selected_action=str(picture.pk))
    picture.refresh_from_db()
    assert picture.trashed_at
    submit(admin_client, LIST, action="restore", _selected_action=str(picture.pk))
    picture.refresh_from_db()
    assert not picture.trashed_at


def test_who_may_only_look_moves_nothing(picture: Image) -> None:
    helper = make_person("helper")
    helper.is_staff = True
    helper.save()
    helper.user_permissions.set(Permission.objects.filter(codename="view_image"))
    submit(client_of(helper), LIST, action="move_to_trash", _selected_action=str(picture.pk))
    picture.refresh_from_db()
    assert not picture.trashed_at


@pytest.mark.parametrize("query", [{}, {"q": "coffee"}, {"p": "2"}, {"state__exact": "ready"}])
def test_list_takes_few_queries_and_no_count(
    admin_client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, query: dict[str, str]
) -> None:
    for _ in range(60):
        make_image(alice)
    with django_assert_num_queries(3) as taken:  # session, person, page
        assert admin_client.get(LIST, query).status_code == 200
    assert not any("COUNT" in query["sql"] for query in taken.captured_queries)
