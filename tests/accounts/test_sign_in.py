import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.models import User
from tests.people import PASSWORD, submit

LOGIN = "/account/login/"
FOREIGN = [
    "//evil.example", "https://evil.example", "javascript:alert(1)", "/\\evil.example", "https:evil.example",
    "//localhost/", "//127.0.0.1/x", "///localhost/", "http://localhost/", "http://127.0.0.1:8000/", "http:localhost",
    "/\t/localhost/", " //localhost/", "\t//localhost/", "//testserver/", "https://testserver/",
    "http://testserver:81/", "http://testserver.evil.example/", "http://testserver@evil.example/", "history/",
]  # fmt: skip


def sign_in(client: Client, email: str = "alice@example.com", password: str = PASSWORD, **fields: str) -> str:
    """Returns where it leads, or the page that says no."""
    response = submit(client, LOGIN, login=email, password=password, **fields)
    return response.get("Location", "") or response.content.decode()


def test_right_password_leads_to_the_studio(client: Client, alice: User) -> None:
    assert sign_in(client) == reverse("studio")
    assert client.session["_auth_user_id"] == str(alice.pk)


@pytest.mark.parametrize("spelling", [" Alice@EXAMPLE.com ", "ａlice@example.com", "alice@example.com."])
def test_every_spelling_of_an_address_is_the_same_person(client: Client, alice: User, spelling: str) -> None:
    assert sign_in(client, spelling) == reverse("studio")


def test_known_and_unknown_addresses_are_refused_alike(client: Client, alice: User) -> None:
    words = "That address and password don&#x27;t belong together"
    assert words in sign_in(client, "alice@example.com", "wrong")
    assert words in sign_in(client, "nobody@example.com", "wrong")


def test_guessing_is_limited_per_address(client: Client, alice: User) -> None:
    for _ in range(5):
        sign_in(client, password="wrong")
    assert "Too many failed tries" in sign_in(client)
    # Another spelling is no fresh start.
    assert "Too many failed tries" in sign_in(client, "ａLICE@example.com.")


def test_trying_is_limited_per_machine(client: Client, db: None) -> None:
    statuses = [submit(client, LOGIN, login=f"{n}@example.com", password="x").status_code for n in range(31)]
    assert statuses[-1] == 429


def test_limits_are_not_forgotten_for_many_strangers(db: None) -> None:
    limits = {f"limit-{n}": n for n in range(400)}
    for key, value in limits.items():
        cache.set(key, value, 300)
    assert cache.get_many(limits) == limits


def test_forged_forwarding_header_gives_no_fresh_start(client: Client, db: None) -> None:
    for n in range(30):
        client.post(LOGIN, HTTP_X_FORWARDED_FOR=f"10.0.0.{n}", content_type="application/x-www-form-urlencoded")
    assert client.post(LOGIN, HTTP_X_FORWARDED_FOR="10.1.1.1").status_code == 429


@pytest.mark.parametrize("evil", FOREIGN)
def test_foreign_next_page_is_not_followed(client: Client, alice: User, evil: str) -> None:
    assert sign_in(client, next=evil) == reverse("studio")
    assert client.get(LOGIN, {"next": evil})["Location"] == reverse("studio")


@pytest.mark.parametrize("ours", ["/history/", "/history/?q=//x", "http://testserver/history/"])
def test_own_next_page_is_followed(client: Client, alice: User, ours: str) -> None:
    assert sign_in(client, next=ours) == ours


def test_foreign_host_is_refused(client: Client, db: None) -> None:
    assert client.get(LOGIN, HTTP_HOST="evil.example").status_code == 400


def test_switching_an_account_off_signs_out_at_once(alice: User, alice_client: Client) -> None:
    assert alice_client.get(reverse("account_email")).status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert alice_client.get(reverse("account_email"))["Location"].startswith(LOGIN)


def test_account_that_is_off_is_told_so_only_with_its_password(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert sign_in(client) == reverse("account_inactive")
    assert "don&#x27;t belong together" in sign_in(client, password="wrong")


def test_signing_out_takes_a_click(alice_client: Client) -> None:
    assert "Sign out?" in alice_client.get(reverse("account_logout")).content.decode()
    assert alice_client.post(reverse("account_logout"))["Location"] == LOGIN
    assert "_auth_user_id" not in alice_client.session


def test_form_without_its_token_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert submit(client, LOGIN, login="alice@example.com", password=PASSWORD).status_code == 403


@pytest.mark.parametrize("password", ["x" * 201, "x" * 1_000_000])
def test_endless_password_bounces(client: Client, alice: User, password: str) -> None:
    response = submit(client, LOGIN, login="alice@example.com", password=password)
    assert response.status_code in (200, 400)
    assert "_auth_user_id" not in client.session


def test_nothing_is_kept_for_later_by_browsers(client: Client, db: None) -> None:
    assert "no-store" in client.get(LOGIN)["Cache-Control"]


def test_limits_hold_behind_a_unix_socket(client: Client, alice: User, settings: Settings) -> None:
    response = client.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD}, REMOTE_ADDR="")
    assert response["Location"] == reverse("studio")
