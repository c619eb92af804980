import pytest
from django.test import Client
from django.urls import reverse

from editor.models import User
from tests.people import PASSWORD, submit

INDEX = "/admin/"


def test_stranger_signs_in_where_everybody_does_and_comes_back(client: Client, admin: User) -> None:
    response = client.get(INDEX, follow=True)
    assert response.redirect_chain[-1][0] == "/account/login/?next=%2Fadmin%2F"
    answer = submit(client, "/account/login/", login=admin.email, password=PASSWORD, next=INDEX)
    assert answer["Location"] == INDEX
    assert client.get(INDEX).status_code == 200


def test_djangos_own_login_is_not_reachable(client: Client, admin: User) -> None:
    response = submit(client, "/admin/login/", username=admin.email, password=PASSWORD)
    assert response["Location"].startswith("/account/login/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("address", [INDEX, "/admin/editor/user/", "/admin/login/?next=/admin/"])
def test_somebody_else_is_refused_in_words_and_not_in_a_loop(alice_client: Client, address: str) -> None:
    response = alice_client.get(address, follow=True)
    assert response.status_code == 403
    assert "This is for administrators" in response.content.decode()
    assert len(response.redirect_chain) <= 1


@pytest.mark.parametrize("evil", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "http://["])
def test_foreign_next_page_is_not_followed(client: Client, admin_client: Client, evil: str) -> None:
    assert admin_client.get("/admin/login/", {"next": evil})["Location"] == INDEX
    assert client.get("/admin/login/", {"next": evil})["Location"] == "/account/login/?next=%2Fadmin%2F"


def test_administrator_who_returns_is_led_on(admin_client: Client) -> None:
    assert admin_client.get("/admin/login/?next=/admin/editor/image/")["Location"] == "/admin/editor/image/"
    assert admin_client.get("/admin/login/?next=/admin/login/")["Location"] == INDEX


def test_passwords_and_sign_out_are_those_of_everybody(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:password_change"))["Location"] == reverse("account_change_password")
    assert admin_client.post(reverse("admin:logout"))["Location"] == reverse("account_login")
    assert "_auth_user_id" not in admin_client.session
