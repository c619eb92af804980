"""A fixed selection of what `make chaos` draws at random, on SQLite unless TEST_DATABASE says otherwise."""

import pytest

from tests.chaos.people import CHAIN_PICTURES
from tests.chaos.portal import ChaosPortal
from tests.chaos.round import Round, plan_of

DEATHS = (
    "worker killed at attempt-committed",
    "worker killed at request-answered",
    "horse killed at bytes-stored",
    "parent killed at answer-written",
    "web killed at ring-leaves",
    "web killed at upload-stored",
    "clock killed at half-a-tick",
    "horse stopped past its lease at request-answered",
    "double click",
    "canceled while submitting",
)
TROUBLES = (
    "SIGTERM to all processes and what they forked",
    "redis down, and back without its data",
    "bucket answer-lost",
    "bucket full",
    "decoders killed",
    "flux server restarted",
    "ten webhooks at once",
    "clock2 an hour ahead",
    "source removed by moderation",
    "account deleted",
    "owner suspended, and let in again",
)


@pytest.mark.parametrize(("seed", "names"), [("deaths", DEATHS), ("troubles", TROUBLES)])
def test_nothing_is_lost_repeated_or_left_behind(portal: ChaosPortal, seed: str, names: tuple[str, ...]) -> None:
    outcome = Round(portal, plan_of(seed, names, chain=True)).play()
    assert outcome.complaints == []
    assert outcome.lost == 0
    assert max(outcome.accepted) == 1
    assert outcome.jobs > len(names) / 2 + CHAIN_PICTURES
