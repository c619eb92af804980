"""A sensitive picture is shown and hidden by keyboard alone, in its place, and a reload hides it again."""

from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from editor.models import JobState, User
from tests.makers import make_image, make_job


def test_comparison_is_shown_and_hidden_by_keyboard(signed_in: Page, person: User, complaints: list[Any]) -> None:
    source = make_image(person, stored=True)
    done = make_job(person, source, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now())
    result = make_image(person, stored=True, kind="generated", job=done, position=0, root=source, sensitive=True)
    asked: list[str] = []
    signed_in.on("request", lambda request: asked.append(request.url))
    signed_in.goto(f"/studio/{source.pk}/?edit={done.pk}")
    show = signed_in.get_by_role("link", name="Sensitive picture, hidden. Show")
    expect(show).to_be_visible()
    assert not [url for url in asked if str(result.pk) in url and url.endswith(".webp")]

    show.focus()
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_alt_text("After")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Sensitive picture, shown. Hide")).to_be_focused()
    signed_in.keyboard.press("Enter")
    expect(show).to_be_focused()
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_alt_text("After")).to_be_visible()
    signed_in.reload()
    expect(show).to_be_visible()
    assert complaints == []
