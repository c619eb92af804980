"""The settings that people change in the administration: what each means, and what it may be.

The environment gives the default of each, read and checked by the same readers (`project.environment`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from project.environment import Environment

Reader = Callable[[Environment, str], Any]

LIMITS, MONEY, SIGNUP, KEPT, WORDS = "Limits", "Money and workspaces", "Sign-up", "What is kept", "Words"


@dataclass(frozen=True)
class Adjustable:
    """One setting. `optional`: nothing is a value too, called `empty`. `rows`: lines of its field; 0: a short one."""

    name: str
    group: str
    label: str
    help: str
    read: Reader
    optional: bool = False
    empty: str = "nothing"
    rows: int = 0

    def parsed(self, text: str) -> Any:
        """The value of what somebody typed. Raises ValueError with a sentence for them."""
        if not text.strip() and not self.optional:
            raise ValueError("This is empty. Fill it in, or set it back to the default.")
        env = Environment({"This": text})
        value = self.read(env, "This")
        for problem in env.problems:
            raise ValueError(problem.sentence)
        return value


def as_text(value: Any) -> str:
    """A value as it is stored and typed; "" for none."""
    if isinstance(value, float):
        text = format(Decimal(str(value)), "f")
        return text.removesuffix(".0")
    return "" if value is None else str(value)


def _whole(default: int, at_least: int, at_most: int) -> Reader:
    return lambda env, name: env.whole(name, default, at_least=at_least, at_most=at_most)


def _number(default: float, at_most: float) -> Reader:
    return lambda env, name: env.number(name, default, at_least=0, at_most=at_most)


def _words(longest: int) -> Reader:
    return lambda env, name: env.words(name, longest=longest)


ALL = (
    Adjustable(
        "EDITS_PER_DAY",
        LIMITS,
        "Pictures a person may have made in 24 hours",
        "Single people can be given another number on their page.",
        _whole(200, 1, 1_000_000),
    ),
    Adjustable(
        "WAITING_PER_USER",
        LIMITS,
        "Edits of one person that may wait",
        "At the same time. What waits already goes on.",
        _whole(1_000, 1, 1_000_000),
    ),
    Adjustable(
        "WAITING_PER_WORKSPACE",
        LIMITS,
        "Edits of one workspace that may wait",
        "At the same time, of all its members together.",
        _whole(2_000, 1, 1_000_000),
    ),
    Adjustable(
        "BLOCKED_PER_DAY",
        LIMITS,
        "Edits kept back before a person is paused",
        "So many edits kept back whole by the flux server’s safety check within 24 hours pause a person’s edits for "
        "24 hours. 0 never pauses anybody.",
        _whole(5, 0, 1_000),
    ),
    Adjustable(
        "UPLOADS_PER_DAY",
        LIMITS,
        "Uploads of one person in 24 hours",
        "Of one person, in all their workspaces.",
        _whole(2_000, 1, 1_000_000),
    ),
    Adjustable(
        "UPLOADS_WAITING",
        LIMITS,
        "Uploads of one person that may wait to be checked",
        "Nobody else has to wait behind more of them.",
        _whole(200, 1, 1_000_000),
    ),
    Adjustable(
        "FLUX_PRICE",
        MONEY,
        "Price of a picture",
        "In the currency of your bill; 0 shows no prices. What was asked for before keeps the price of its moment.",
        _number(0.0, 1_000),
    ),
    Adjustable(
        "WORKSPACE_PICTURES_PER_MONTH",
        MONEY,
        "Pictures a workspace may have made a month",
        "All members together, for each workspace without a number of its own. Empty: no limit.",
        lambda env, name: env.whole_or_none(name, at_least=0, at_most=100_000_000),
        optional=True,
        empty="no limit",
    ),
    Adjustable(
        "WORKSPACE_MONEY_PER_MONTH",
        MONEY,
        "Money a workspace may spend a month",
        "All members together, for each workspace without a sum of its own; counts while pictures have a price. "
        "Empty: no limit.",
        lambda env, name: env.number_or_none(name, at_least=0, at_most=10_000_000),
        optional=True,
        empty="no limit",
    ),
    Adjustable(
        "SIGNUP",
        SIGNUP,
        "Who may sign up",
        "open, invite, or domain: and the domains of allowed addresses, like domain:example.com,example.org. "
        "An invitation works with each of them.",
        lambda env, name: env.signup(name),
    ),
    Adjustable(
        "TRASH_DAYS",
        KEPT,
        "Days in the trash",
        "Then pictures and workspaces go for good. It holds also for what lies in the trash now: with fewer days, that "
        "goes sooner than people were told.",
        _whole(30, 1, 3_650),
    ),
    Adjustable(
        "QUARANTINE_DAYS",
        KEPT,
        "Days in quarantine",
        "How long the bytes of pictures that moderators removed are kept apart before they go for good, also of those "
        "that lie there now.",
        _whole(90, 1, 3_650),
    ),
    Adjustable(
        "PORTAL_RUN_BY",
        WORDS,
        "Who runs the portal",
        "A name. It stands on the welcome page, where people sign up, and below mails.",
        _words(100),
        optional=True,
    ),
    Adjustable(
        "PORTAL_CONTACT",
        WORDS,
        "How to reach them",
        "An address of mail or street, on the page about the portal and below mails.",
        _words(300),
        optional=True,
        rows=4,
    ),
    Adjustable(
        "PORTAL_WELCOME",
        WORDS,
        "A line on the welcome page",
        "For people who are not signed in.",
        _words(200),
        optional=True,
    ),
    Adjustable(
        "PORTAL_NOTICE",
        WORDS,
        "A notice for everybody",
        "Stands at the top of every page until somebody closes it, and again when it changes.",
        _words(300),
        optional=True,
        rows=4,
    ),
    Adjustable(
        "PORTAL_TERMS",
        WORDS,
        "Terms",
        "The words, or an address that begins with https://. Plain text.",
        _words(20_000),
        optional=True,
        rows=10,
    ),
    Adjustable(
        "PORTAL_PRIVACY",
        WORDS,
        "Privacy",
        "The words, or an address that begins with https://. Plain text.",
        _words(20_000),
        optional=True,
        rows=10,
    ),
)
