"""What strangers can cause at will fills no log: a line each, and words for whoever sent it."""

import io
import logging
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from editor.models.shares import new_token

FORM = "application/x-www-form-urlencoded"
LOGIN = "/account/login/"
FILES = "".join(
    f'--b\r\nContent-Disposition: form-data; name="f{n}"; filename="f"\r\n\r\nx\r\n' for n in range(3)
)  # fmt: skip
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=" + b"x" * 200_001, FORM),
        (b"a=1&" * 1_101, FORM),
        (f"{FILES}--b--\r\n".encode(), "multipart/form-data; boundary=b"),
    ],
)
def test_request_beyond_our_bounds_is_one_line(
    body: bytes, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(raise_request_exception=False)
    response = client.generic("POST", LOGIN, body, content_type)
    assert response.status_code == 400
    assert "did not understand" in response.content.decode()
    assert [(record.levelno, record.exc_info) for record in caplog.records] == [(logging.WARNING, None)]


def test_foreign_host_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    assert Client().get(LOGIN, headers={"Host": "evil.example"}).status_code == 400
    assert "Traceback" not in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_what_opens_a_link_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    said, token = io.StringIO(), new_token()
    for handler in logging.root.handlers:
        if type(handler) is logging.StreamHandler:
            monkeypatch.setattr(handler, "stream", said)
    for address in (f"/s/{token}/password/", f"/unsubscribe/{token}:a:b/", f"/sources/{token}.jpg", f"/join/{token}/"):
        assert Client(enforce_csrf_checks=True).post(address).status_code in {403, 404}
    logging.getLogger("django.request").error("%s: %s", "Service Unavailable", f"/hooks/flux/{token}/")
    assert token not in said.getvalue()
    assert "/s/…/password/" in said.getvalue()
    assert "Service Unavailable: /hooks/flux/…/" in said.getvalue()


def test_proxy_logs_none_of_these_addresses_either() -> None:
    said = (settings.BASE_DIR / "deploy/nginx/retake.conf").read_text()
    for name in ("shared", "unsubscribe", "join", "appeal_by_link", "flux_webhook"):
        path = reverse(name, args=[new_token()])
        assert re.match(re.findall(r"~(\^/\(.*\)/) 0;", said)[0], path)
    for name in ("shared", "unsubscribe", "join", "appeal_by_link"):
        assert re.match(re.findall(r"location ~ (\^/\(.*\)/) {", said)[0], reverse(name, args=[new_token()]))
