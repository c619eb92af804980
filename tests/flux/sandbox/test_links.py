"""What stands behind the links of a result, and how they themselves look."""

from __future__ import annotations

import base64
import io

import pytest
import requests
from PIL import Image

from editor.flux.client import FluxClient
from editor.flux.contract import Status
from editor.flux.sandbox import Sandbox

from .conftest import Body, Edit, done, finished, got, wait_until


@pytest.mark.parametrize(
    ("fault", "count"),
    [("output-as-string", 1), ("output-as-object", 2), ("output-empty", 2), ("output-null", 0), ("output-five", 5)],
)
def test_output_faults_reach_the_client(client: FluxClient, edit: Edit, fault: str, count: int) -> None:
    generation = finished(client, edit(f"hat #fault:{fault}", samples=2))
    assert (generation.status, len(generation.outputs)) == (Status.SUCCESS, count)


def test_base64_output_is_text_behind_a_link(client: FluxClient, edit: Edit) -> None:
    links = finished(client, edit("hat #fault:base64-output", samples=2)).outputs
    plain, prefixed = (got(link).text for link in links)
    assert links[0].endswith(".base64")
    assert base64.b64decode(plain).startswith(b"\x89PNG")
    assert prefixed.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("fault", "code", "start"),
    [
        ("link-404", 404, b"<!doctype html>"),
        ("link-broken", 200, b"\x89PNG"),
        ("link-html", 200, b"<!doctype html>"),
        ("link-429", 429, b"<!doctype html>"),
        ("link-svg", 200, b"<svg"),
        ("link-empty", 200, b""),
        ("not-a-picture", 200, b"{"),
    ],
)
def test_link_faults(client: FluxClient, edit: Edit, fault: str, code: int, start: bytes) -> None:
    answer = got(finished(client, edit(f"hat #fault:{fault}")).outputs[0])
    assert answer.status_code == code
    assert answer.content[: len(start) or None] == start


def test_link_is_missing_for_a_while(client: FluxClient, edit: Edit) -> None:
    link = finished(client, edit("hat #fault:link-404-for-a-while")).outputs[0]
    assert got(link).status_code == 404
    wait_until(lambda: got(link).status_code == 200)


@pytest.mark.parametrize(("fault", "code"), [("link-429-for-a-while", 429), ("link-500-for-a-while", 500)])
def test_link_fails_for_a_while(client: FluxClient, edit: Edit, fault: str, code: int) -> None:
    link = finished(client, edit(f"hat #fault:{fault}")).outputs[0]
    assert got(link).status_code == code
    wait_until(lambda: got(link).status_code == 200)


@pytest.mark.parametrize(
    ("fault", "kind", "ending"),
    [("picture-jpg", "JPEG", ".jpg"), ("picture-webp", "WEBP", ".webp"), ("picture-avif", "AVIF", ".avif")],
)
def test_picture_comes_in_another_format(client: FluxClient, edit: Edit, fault: str, kind: str, ending: str) -> None:
    link = finished(client, edit(f"hat #fault:{fault}")).outputs[0]
    answer = got(link)
    assert link.endswith(ending)
    assert answer.headers["Content-Type"] == f"image/{kind.lower()}"
    assert Image.open(io.BytesIO(answer.content)).format == kind


@pytest.mark.parametrize(
    ("fault", "ending", "kind"),
    [
        ("wrong-type", ".png", "text/plain"),
        ("wrong-extension", ".webp", "image/webp"),
        ("link-without-extension", "-0", "application/octet-stream"),
        ("link-double-slash", ".png", "image/png"),
    ],
)
def test_link_says_little_about_the_png_behind_it(
    client: FluxClient, edit: Edit, fault: str, ending: str, kind: str
) -> None:
    link = finished(client, edit(f"hat #fault:{fault}")).outputs[0]
    answer = got(link)
    assert link.endswith(ending)
    assert answer.headers["Content-Type"] == kind
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    assert ("//generations/" in link) == (fault == "link-double-slash")


def test_head_of_a_spoiled_link_has_no_body(client: FluxClient, edit: Edit) -> None:
    link = finished(client, edit("hat #fault:link-html")).outputs[0]
    with requests.Session() as session:
        session.trust_env = False
        assert session.head(link, timeout=5).headers["Content-Length"] != "0"
        assert session.get(link, timeout=5).content.startswith(b"<!doctype html>")


def test_link_breaks_off_in_the_middle(client: FluxClient, edit: Edit) -> None:
    with pytest.raises(requests.RequestException):
        got(finished(client, edit("hat #fault:link-cut")).outputs[0])


def test_link_leads_on_to_the_picture(client: FluxClient, edit: Edit) -> None:
    answer = got(finished(client, edit("hat #fault:link-redirect")).outputs[0])
    assert [earlier.status_code for earlier in answer.history] == [302]
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"


def test_link_leads_into_a_private_network(client: FluxClient, edit: Edit) -> None:
    link = finished(client, edit("hat #fault:link-redirect-internal")).outputs[0]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(link, allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://10.0.0.1/picture.png")


def test_links_may_name_a_private_network(sandbox: Sandbox, body: Body) -> None:
    assert done(sandbox, body("hat #fault:link-internal"))["output"][0].startswith("http://10.0.0.1/")
