from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from editor.models import User, Workspace
from tests.people import client_of, link_in, make_person, submit

LIST = "/admin/editor/user/"
ADD = f"{LIST}add/"


def change_page(user: User) -> str:
    return reverse("admin:editor_user_change", args=[user.pk])


@pytest.fixture
def helper(db: None, quick_passwords: None) -> User:
    """Staff who may change people, and is no superuser."""
    user = make_person("helper")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


def test_people_are_found_by_address_and_name(admin_client: Client, alice: User, charlie: User) -> None:
    for words in ("alice@exam", "Alice"):
        page = admin_client.get(LIST, {"q": words}).content.decode()
        assert alice.email in page
        assert charlie.email not in page


def test_new_person_chooses_their_own_password(
    admin_client: Client, client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        submit(admin_client, ADD, email="Dora@Example.com", name="Dora", edits_per_day="5")
    dora = User.objects.get(email="dora@example.com")
    assert (dora.edits_per_day, dora.is_staff, dora.has_usable_password()) == (5, False, False)
    assert Workspace.objects.filter(personal_for=dora).exists()
    form = client.get(link_in(mail.outbox[0]))["Location"]
    assert submit(client, form, password1="a long enough password")["Location"] == reverse("studio")


def test_second_account_with_one_address_is_refused(admin_client: Client, alice: User) -> None:
    page = submit(admin_client, ADD, email="ａLICE@example.com.", name="")
    assert "Another account has this address" in page.content.decode()


def test_no_page_shows_a_password(admin_client: Client, alice: User) -> None:
    page = admin_client.get(change_page(alice)).content.decode()
    assert alice.password not in page
    assert 'name="password' not in page


def test_switched_off_means_signed_out(admin_client: Client, alice: User, alice_client: Client) -> None:
    submit(admin_client, LIST, action="switch_off", _selected_action=str(alice.pk))
    assert alice_client.get(reverse("account_email")).status_code == 302
    submit(admin_client, LIST, action="switch_on", _selected_action=str(alice.pk))
    alice.refresh_from_db()
    assert alice.is_active


def test_administrators_do_not_switch_themselves_off(admin_client: Client, admin: User) -> None:
    submit(admin_client, LIST, action="switch_off", _selected_action=str(admin.pk))
    admin.refresh_from_db()
    assert admin.is_active


def test_nobody_is_deleted(admin_client: Client, alice: User) -> None:
    assert admin_client.post(f"{LIST}{alice.pk}/delete/", {"post": "yes"}).status_code == 403
    submit(admin_client, LIST, action="delete_selected", _selected_action=str(alice.pk), post="yes")
    assert User.objects.filter(pk=alice.pk).exists()


def test_changed_address_is_the_one_to_sign_in_with(admin_client: Client, alice: User) -> None:
    submit(admin_client, change_page(alice), email="Alice@New.example", name="", is_active="on", trust="new")
    assert [(a.email, a.verified, a.primary) for a in EmailAddress.objects.filter(user=alice)] == [
        ("alice@new.example", True, True)
    ]


@pytest.mark.parametrize("way", ["change", "switch_off"])
@pytest.mark.parametrize("superuser", [True, False])
def test_helper_does_not_touch_the_administration(helper: User, admin: User, way: str, superuser: bool) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=superuser)
    client = client_of(helper)
    if way == "change":
        assert submit(client, change_page(admin), email="helper2@example.com", name="").status_code == 403
    else:
        submit(client, LIST, action="switch_off", _selected_action=str(admin.pk))
    admin.refresh_from_db()
    assert (admin.email, admin.is_active) == ("admin@example.com", True)


def test_helper_gives_nobody_rights(helper: User, alice: User) -> None:
    fields: dict[str, Any] = {"email": alice.email, "name": "", "is_active": "on"}
    submit(client_of(helper), change_page(alice), **fields, is_staff="on", is_superuser="on")
    alice.refresh_from_db()
    assert not alice.is_staff
    assert not alice.is_superuser


def test_addresses_are_changed_with_their_person_alone(admin_client: Client) -> None:
    assert admin_client.get("/admin/account/emailaddress/").status_code == 404


def test_list_takes_few_queries_and_no_count(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        User.objects.create_user(f"person{number}@example.com")
    with django_assert_num_queries(3) as taken:  # session, person, page
        page = admin_client.get(LIST).content.decode()
    assert not any("COUNT" in query["sql"] for query in taken.captured_queries)
    assert page.count('class="action-select"') == 50
    assert 'rel="next"' in page


def test_second_page_leads_back(admin_client: Client) -> None:
    for number in range(60):
        User.objects.create_user(f"person{number}@example.com")
    page = admin_client.get(LIST, {"p": "2"}).content.decode()
    assert page.count('class="action-select"') == 11
    assert 'rel="prev"' in page
    assert 'rel="next"' not in page


@pytest.mark.parametrize("number", ["0", "-1", "1000000000", "x"])
def test_made_up_page_is_the_first_one(admin_client: Client, number: str) -> None:
    response = admin_client.get(LIST, {"p": number}, follow=True)
    assert response.status_code == 200


def test_autocomplete_does_not_count(
    admin_client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    asked = {"app_label": "editor", "model_name": "membership", "field_name": "user", "term": "ali"}
    with django_assert_num_queries(3) as taken:
        answer = admin_client.get("/admin/autocomplete/", asked).json()
    assert answer == {"results": [{"id": str(alice.pk), "text": alice.email}], "pagination": {"more": False}}
    assert not any("COUNT" in query["sql"] for query in taken.captured_queries)
