"""The demo's browser: what it reads out of a page."""

import pytest
import requests

from tests.demo.browser import JourneyError, Page


def page(body: str, kind: str = "text/html") -> Page:
    response = requests.Response()
    response.status_code, response.url, response._content = 200, "http://127.0.0.1/here/?a=1", body.encode()
    response.headers["Content-Type"] = kind
    return Page(response)


def test_form_holds_what_was_served() -> None:
    form = page(
        '<form method="post" action="/edits/"><input type="hidden" name="token" value="t"><textarea name="words">\nhi'
        '</textarea><input type="radio" name="second" value=""><input type="radio" name="second" value="b" checked>'
        '<select name="ratio"><option value="a">A<option value="c" selected>C</select><input type="file" name="file">'
        '<button name="mode" value="same">Same</button></form>'
    ).form("/edits/")
    assert form.fields == {"token": "t", "words": "hi", "second": "b", "ratio": "c"}
    assert form.buttons == [("mode", "same")]
    assert (form.method, form.action) == ("post", "http://127.0.0.1/edits/")


def test_field_outside_its_form_belongs_to_it() -> None:
    form = page('<input name="samples" value="2" form="edit"><form id="edit" action="/edits/"></form>').form("/edits/")
    assert form.fields == {"samples": "2"}


def test_disabled_field_is_not_sent() -> None:
    assert page('<form action="/a/"><input name="x" value="1" disabled></form>').form("/a/").fields == {}


def test_missing_form_is_an_error_that_names_it() -> None:
    with pytest.raises(JourneyError, match="/edits/"):
        page("<p>nothing</p>").form("/edits/")


def test_words_of_scripts_are_no_text() -> None:
    assert page("<p>Seen</p><script>unseen()</script>").text == "Seen"


def test_other_kinds_of_content_have_no_links() -> None:
    assert page('<a href="/a/">a</a>', "application/json").links == []
