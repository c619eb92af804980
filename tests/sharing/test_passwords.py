"""A link's password: tries are limited, what was given is kept for this link alone, and a new one asks again."""

import time

import pytest
from django.core import signing
from django.test import Client

from editor.models import Image, Share, User
from editor.sharing import links
from editor.sharing.links import Terms
from tests.sharing.guests import at, share_of

pytestmark = pytest.mark.django_db
ASKED = "This link has a password"


@pytest.fixture
def share(bob: User, image: Image) -> Share:
    made = share_of(bob, image)
    links.change(made, Terms(password="open sesame"))
    return Share.objects.get()


def unlock(guest: Client, share: Share, password: str = "open sesame") -> int:
    return guest.post(at("shared_unlock", share), {"password": password}).status_code


def test_right_password_opens_pages_and_bytes_in_this_browser_alone(share: Share, image: Image) -> None:
    guest = Client()
    assert unlock(guest, share, "wrong") == 422
    assert ASKED in guest.get(at("shared", share)).content.decode()
    assert unlock(guest, share) == 302
    assert ASKED not in guest.get(at("shared", share)).content.decode()
    assert guest.get(at("shared_rendition", share, image.pk, 640)).status_code == 200
    cookie = guest.cookies["shared"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (at("shared", share), True, "Lax")
    assert share.password not in cookie.value
    assert ASKED in Client().get(at("shared", share)).content.decode()


def test_cookie_opens_no_other_link_with_the_same_password(share: Share, bob: User, image: Image) -> None:
    other, guest = share_of(bob, image, password=share.password), Client()
    unlock(guest, share)
    guest.cookies["shared"]["path"] = "/"
    assert ASKED in guest.get(at("shared", other)).content.decode()
    guest.cookies["shared"] = signing.get_cookie_signer(salt="shared").sign("anything")
    assert ASKED in guest.get(at("shared", share)).content.decode()


def test_new_password_asks_everybody_again_and_none_lets_everybody_in(share: Share, image: Image) -> None:
    guest = Client()
    unlock(guest, share)
    links.change(share, Terms(title="Other"))
    assert ASKED not in guest.get(at("shared", share)).content.decode()
    links.change(share, Terms(password="open sesame"))  # the same words, asked anew all the same
    assert ASKED in guest.get(at("shared", share)).content.decode()
    assert guest.get(at("shared_state", share)).status_code == 404
    assert guest.get(at("shared_rendition", share, image.pk, 640)).status_code == 404
    links.change(share, Terms(password=""))
    assert ASKED not in Client().get(at("shared", share)).content.decode()


def test_it_is_asked_for_again_after_some_hours(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = Client()
    unlock(guest, share)
    later = time.time() + 9 * 3600
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert ASKED in guest.get(at("shared", share)).content.decode()  # the test's browser keeps cookies for ever


def test_tries_are_limited_by_address_and_by_link(share: Share, bob: User, image: Image) -> None:
    guest = Client(REMOTE_ADDR="10.0.0.1")
    assert [unlock(guest, share, "wrong") for _ in range(20)] == [422] * 20
    assert unlock(guest, share) == 429  # the right one is not even looked at
    assert unlock(guest, share_of(bob, image, password=share.password)) == 429
    for number in range(2, 4):
        other = Client(REMOTE_ADDR=f"10.0.0.{number}")
        assert [unlock(other, share, "wrong") for _ in range(20)] == [422] * 20
    assert unlock(Client(REMOTE_ADDR="10.0.0.9"), share) == 429


def test_who_is_kept_out_by_the_guesses_of_others_is_told_so(share: Share) -> None:
    for number in range(1, 4):
        guesser = Client(REMOTE_ADDR=f"10.0.0.{number}")
        assert [unlock(guesser, share, "wrong") for _ in range(20)] == [422] * 20
    response = Client(REMOTE_ADDR="10.0.0.9").post(at("shared_unlock", share), {"password": "open sesame"})
    assert response.status_code == 429
    assert "Too many wrong passwords were tried, at this link" in response.content.decode()


def test_question_for_it_is_kept_nowhere_and_listed_nowhere(share: Share) -> None:
    guest = Client()
    answers = [guest.get(at("shared", share))]
    answers += [guest.post(at("shared_unlock", share), {"password": "wrong"}) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] + [422] * 20 + [429]
    assert {(answer["Cache-Control"], answer["X-Robots-Tag"]) for answer in answers} == {
        ("no-store", "noindex, nofollow")
    }


def test_those_who_know_it_do_not_use_up_the_tries_of_others(share: Share) -> None:
    assert {unlock(Client(), share) for _ in range(25)} == {302}
    assert [unlock(Client(), share, "wrong") for _ in range(21)] == [422] * 20 + [429]


def test_new_password_does_not_wait_for_what_was_tried_at_the_one_before(share: Share) -> None:
    for number in range(1, 4):
        assert [unlock(Client(REMOTE_ADDR=f"10.0.0.{number}"), share, "wrong") for _ in range(20)] == [422] * 20
    assert unlock(Client(REMOTE_ADDR="10.0.0.9"), share) == 429
    links.change(share, Terms(password="open at last"))
    assert unlock(Client(REMOTE_ADDR="10.0.0.9"), share, "open at last") == 302
    assert unlock(Client(REMOTE_ADDR="10.0.0.1"), share, "open at last") == 429
