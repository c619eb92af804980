"""The switches that make the sandbox fail, and the text that lists them."""

from __future__ import annotations

import pytest

from editor.flux.sandbox.faults import CATALOGUE, DOOR, LATER, marked, unmarked
from editor.flux.sandbox.switches import Switches


def test_every_listed_fault_is_known() -> None:
    assert {"bad-key", "queue-full", "refuse-before"} <= set(DOOR)
    assert {"accept-then-reset", "forgotten", "link-html", "webhook-twice", "gzip-bomb"} <= set(LATER)
    assert len(CATALOGUE) == len(DOOR) + len(LATER) > 50


def test_marker_is_found_and_taken_out() -> None:
    prompt = "a cat #fault:blank with #fault:webhook-lost a hat"
    assert marked(prompt) == {"blank", "webhook-lost"}
    assert "#" not in unmarked(prompt)


def test_unknown_marker_is_named() -> None:
    with pytest.raises(ValueError, match="no-such"):
        marked("#fault:no-such")


def test_counted_fault_ends_by_itself() -> None:
    switches = Switches()
    switches.replace({"http-500": 2})
    assert [switches.door("img2img") for _ in range(3)] == ["http-500", "http-500", ""]
    assert switches.shown() == {}


def test_unlimited_fault_lasts_until_it_is_cleared() -> None:
    switches = Switches()
    switches.replace({"blank": True})
    assert [switches.later() for _ in range(3)] == [{"blank"}] * 3
    switches.replace({})
    assert switches.later() == frozenset()


def test_prefix_chooses_the_endpoint() -> None:
    switches = Switches()
    switches.replace({"fetch:http-500": True})
    assert (switches.door("img2img"), switches.door("fetch"), switches.door("upload")) == ("", "http-500", "")


@pytest.mark.parametrize(
    "wanted", [{"no-such": 1}, {"fetch:blank": 1}, {"moon:http-500": 1}, {"http-500": "x"}, {"http-500": -1}]
)
def test_nonsense_changes_nothing(wanted: dict[str, object]) -> None:
    switches = Switches()
    switches.replace({"blank": True})
    with pytest.raises(ValueError):
        switches.replace(wanted)
    assert switches.shown() == {"blank": True}
