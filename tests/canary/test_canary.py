"""After everything failed once, no secret is to be found anywhere but where it belongs."""

import re

import pytest
from _pytest.mark import ParameterSet

from editor.models import Attempt
from tests.canary.conftest import Aftermath
from tests.canary.searching import hits

# One worker tells the story; all look at what it left.
pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("canary"), pytest.mark.usefixtures("db")]

PLACES = [
    "logs",
    "logs of what is broken",
    "Redis",
    "database",
    "bucket",
    "files",
    "pages of the owner",
    "pages of the administrator",
    "error pages with DEBUG=1",
    "error pages with DEBUG=0",
    "error pages of the webhook",
    "command lines",
]
# The database holds these; a page of DEBUG=1 shows whoever called the webhook what they called.
KEPT = {"database", "error pages of the webhook"}


@pytest.fixture
def db(aftermath: Aftermath) -> None:
    """The database as the portal's processes see it: no transaction around a test."""


def cases(names: list[str]) -> list[ParameterSet]:
    """Each of these secrets in each place."""
    return [pytest.param(name, place, id=f"{name} in {place}") for name in names for place in PLACES]


@pytest.mark.parametrize(
    ("name", "place"), cases(["key", "S3 secret", "SECRET_KEY", "mail password", "Redis password", "metrics token"])
)
def test_no_secret_is_left(aftermath: Aftermath, name: str, place: str) -> None:
    things = aftermath.places[place]
    assert sum(len(thing.content) for thing in things) > 100
    found = hits(things, {name: aftermath.secrets[name]})
    assert [hit for hit in found if hit.spelling != "base64"] == []


@pytest.mark.parametrize(("name", "place"), cases(["key", "S3 secret"]))
def test_no_secret_is_left_in_base64(aftermath: Aftermath, name: str, place: str) -> None:
    found = hits(aftermath.places[place], {name: aftermath.secrets[name]})
    assert [hit for hit in found if hit.spelling == "base64"] == []


@pytest.mark.parametrize("place", [place for place in PLACES if place not in KEPT])
def test_no_webhook_secret_is_left(aftermath: Aftermath, place: str) -> None:
    """The database keeps them, as it has to."""
    assert len(aftermath.webhook_secrets) > 40
    found = hits(aftermath.places[place], aftermath.webhook_secrets)
    assert [(hit.where, hit.spelling) for hit in found] == []


def test_everything_went_wrong_and_was_looked_at(aftermath: Aftermath) -> None:
    """Or the tests above would say nothing."""
    logs = [*aftermath.places["logs"], *aftermath.places["logs of what is broken"]]
    told = "\n".join(thing.where for thing in logs)
    for words in (
        "ERROR django.request",
        "WARNING editor.jobs",
        "Redis is away|The bell did not ring|to Redis",
        "DEBUG ",
        "A ring could not be answered",
        "NotOurTaskError",
    ):
        assert re.search(words, told), words
    assert any("rq:worker" in thing.where for thing in aftermath.places["Redis"])
    for debug in (0, 1):
        assert set(aftermath.statuses[f"error pages with DEBUG={debug}"]) >= {500}
    assert aftermath.statuses["pages of the owner"][200] > 40
    assert aftermath.statuses["pages of the administrator"][200] > 120
    for start in ("attempt", "generationjob", "webhookevent", "fluxserver"):
        assert [path for path in aftermath.seen["administrator"] if re.search(f"editor/{start}/[^/]+/change", path)]
    assert [path for path in aftermath.seen["administrator"] if "django_rq" in path and "failed" in path]
    reasons = set(Attempt.objects.values_list("reason", flat=True))
    assert reasons >= {
        *("bad-key", "no-credit", "plan", "image", "field", "queue-full", "refused-connection"),
        *("server-error", "unreadable", "connection-lost", "timeout", "redirect", "no-id"),
    }


def test_gossip_was_asked_all_and_led_nobody_astray(aftermath: Aftermath) -> None:
    """Neither a redirect, nor `fetch_result`, nor a link takes the key, or anybody, to another host."""
    assert len(aftermath.said) >= 20
    assert aftermath.elsewhere == []
