"""Requests in other charsets than UTF-8: refused in words, before anybody reads them."""

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

FORM = "application/x-www-form-urlencoded"
LOGIN = "/account/login/"
pytestmark = pytest.mark.django_db
OTHERS = ["utf-7", "utf-16", "utf-8-sig", "iso-8859-1", "zlib", "idna", "hex", "undefined", "no-such-charset", '""']


@pytest.fixture
def client() -> Client:
    """One that gets the page of a 500, as a browser does, and whose forms need their token."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("charset", OTHERS)
def test_form_in_another_charset_is_refused_in_words(client: Client, charset: str) -> None:
    response = client.generic("POST", LOGIN, b"login=a", f"{FORM}; charset={charset}")
    assert response.status_code == 415
    assert "not in UTF-8" in response.content.decode()


@pytest.mark.parametrize("charset", OTHERS)
def test_upload_in_another_charset_is_refused_in_words(client: Client, charset: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\nx\r\n--b--\r\n'
    response = client.generic("POST", "/images/", body, f"multipart/form-data; boundary=b; charset={charset}")
    assert response.status_code == 415


def test_refused_under_asgi_as_well() -> None:
    post = async_to_sync(AsyncClient(raise_request_exception=False).generic)
    assert post("POST", LOGIN, b"login=a", f"{FORM}; charset=zlib").status_code == 415
    assert post("POST", LOGIN, b"login=a", f"{FORM}; charset=utf-8").status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8", "us-ascii"])
def test_every_name_of_utf8_is_read(charset: str) -> None:
    response = Client().generic("POST", LOGIN, b"login=%C3%A9%40example.com", f"{FORM}; charset={charset}")
    assert response.status_code == 200
    assert "é@example.com" in response.content.decode()
