"""What may go wrong with processes and parts. Each fault is a small function: it breaks something, and mends it.

A fault is a context manager over the battlefield; what happens before the `yield` begins it, what comes after ends it.
`seconds` is how long it lasts, at random between two bounds.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import requests
from redis import Redis
from redis.exceptions import RedisError

from editor.flux.sandbox.faults import DOOR
from project.embedded.keeper import all_pids, send
from tests.chaos.points import KILL, KILL_ALL, KILL_PARENT, OF_EDITS, OF_PICTURES, OF_RINGS, OF_UPLOADS, STOP
from tests.chaos.portal import EVERYBODY, LEASE, TIME_SCALE, ChaosPortal
from tests.chaos.proxy import Mood

if TYPE_CHECKING:
    from tests.chaos.people import Crowd

HOUR = 3600 * TIME_SCALE  # seconds that a clock is off: an hour of this portal's time
MOMENT = (0.2, 1.2)
PAST_THE_LEASE = (LEASE * 1.3, LEASE * 2)


@dataclass
class Field:
    """What a fault can get at: the portal, the people of the round, and chance."""

    portal: ChaosPortal
    crowd: "Crowd"
    rng: random.Random
    restart_database: Callable[[], None] | None = None  # None: it is a file


Deed = Callable[[Field], Iterator[None]]


class Fault(NamedTuple):
    name: str
    does: Callable[[Field], AbstractContextManager[None]]
    seconds: tuple[float, float]


FAULTS: dict[str, Fault] = {}


def fault(name: str, seconds: tuple[float, float] = MOMENT) -> Callable[[Deed], Deed]:
    """Enter a function into the catalogue."""

    def enter(function: Deed) -> Deed:
        FAULTS[name] = Fault(name, contextmanager(function), seconds)
        return function

    return enter


# At named points ----------------------------------------------------------------------------------------------------


def _trap(role: str, point: str, action: str, here: Field) -> Iterator[None]:
    here.portal.lay_trap(role, point, action)
    yield


def _trapped_upload(point: str, here: Field) -> Iterator[None]:
    here.portal.lay_trap("web", point)
    here.crowd.upload(here.crowd.ada)
    yield


def _stopped(point: str, here: Field) -> Iterator[None]:
    here.portal.lay_trap("edits", point, STOP)
    yield
    for pid in here.portal.stopped():
        send(pid, signal.SIGCONT)


for _point in OF_EDITS:
    for _action, _words in ((KILL, "horse killed"), (KILL_ALL, "worker killed"), (KILL_PARENT, "parent killed")):
        fault(f"{_words} at {_point}", (1.0, 2.0))(partial(_trap, "edits", _point, _action))
    fault(f"horse stopped past its lease at {_point}", (LEASE * 1.5, LEASE * 2))(partial(_stopped, _point))
for _point in OF_RINGS:
    for _role in ("web", "clock", "edits"):
        fault(f"{_role} killed at {_point}", (0.5, 1.5))(partial(_trap, _role, _point, KILL))
for _point in OF_PICTURES:
    fault(f"pictures' worker killed at {_point}", (0.5, 1.5))(partial(_trap, "pictures", _point, KILL_ALL))
for _point in OF_UPLOADS:
    fault(f"web killed at {_point}", (1.0, 2.0))(partial(_trapped_upload, _point))
for _point in ("webhook-noted", "cancel-written"):
    fault(f"web killed at {_point}", (1.0, 2.0))(partial(_trap, "web", _point, KILL))
fault("clock killed at half-a-tick")(partial(_trap, "clock", "half-a-tick", KILL))


# At random moments --------------------------------------------------------------------------------------------------


def _killed(name: str, here: Field) -> Iterator[None]:
    here.portal.kill(name)  # whoever tends the portal starts it again
    yield


def _kept_away(name: str, here: Field) -> Iterator[None]:
    here.portal.away.add(name)
    here.portal.kill(name)
    yield
    here.portal.away.discard(name)


def _paused(name: str, here: Field) -> Iterator[None]:
    here.portal.send_all(name, signal.SIGSTOP)
    yield
    here.portal.send_all(name, signal.SIGCONT)


for _name in EVERYBODY:
    fault(f"{_name} killed")(partial(_killed, _name))
    fault(f"{_name} stopped past its lease", PAST_THE_LEASE)(partial(_paused, _name))
for _name in ("edits", "clock", "pictures"):
    fault(f"{_name} away for a while", (0.5, 2.5))(partial(_kept_away, _name))


@fault("both clocks away", (1.0, 2.5))
def _no_clock(here: Field) -> Iterator[None]:
    here.portal.away |= {"clock", "clock2"}
    for name in ("clock", "clock2"):
        here.portal.kill(name)
    yield
    here.portal.away -= {"clock", "clock2"}


@fault("parent of a worker killed alone")
def _parent(here: Field) -> Iterator[None]:
    with suppress(ProcessLookupError):
        send(here.portal.pid("edits"), signal.SIGKILL)
    yield


@fault("horses killed")
def _horses(here: Field) -> Iterator[None]:
    for pid in here.portal.horses():
        send(pid, signal.SIGKILL)
    yield


@fault("SIGTERM to all processes")
def _deploy(here: Field) -> Iterator[None]:
    for name in EVERYBODY:
        here.portal.terminate(name)
    yield


@fault("SIGTERM to all processes and what they forked")
def _deploy_hard(here: Field) -> Iterator[None]:
    for name in EVERYBODY:
        here.portal.send_all(name, signal.SIGTERM)
    yield


def _off(name: str, sign: int, here: Field) -> Iterator[None]:
    here.portal.start_otherwise(name, CHAOS_OFF=f"{sign * HOUR:.0f}")
    yield
    here.portal.start_otherwise(name)


for _name in ("edits2", "clock2"):
    fault(f"{_name} an hour ahead", (4.0, 6.0))(partial(_off, _name, 1))
    fault(f"{_name} an hour behind", (4.0, 6.0))(partial(_off, _name, -1))


# Parts --------------------------------------------------------------------------------------------------------------


@fault("redis down", (0.5, 2.5))
def _redis_down(here: Field) -> Iterator[None]:
    here.portal.kill("redis")
    yield
    here.portal.start("redis")


@fault("redis wiped")
def _redis_wiped(here: Field) -> Iterator[None]:
    with Redis.from_url(here.portal.redis_url, socket_timeout=2) as connection, suppress(RedisError):
        connection.flushall()
    yield


@fault("redis down, and back without its data", (0.3, 1.0))
def _redis_lost(here: Field) -> Iterator[None]:
    here.portal.kill("redis")
    yield
    here.portal.start("redis")
    with Redis.from_url(here.portal.redis_url, socket_timeout=2) as connection, suppress(RedisError):
        connection.flushall()


fault("redis hangs", (0.5, 2.5))(partial(_paused, "redis"))


@fault("database restarted")
def _database(here: Field) -> Iterator[None]:
    if here.restart_database is not None:
        here.restart_database()
    yield


def _bucket(mood: Mood, here: Field) -> Iterator[None]:
    here.portal.proxy.mood = mood
    yield
    here.portal.proxy.mood = Mood.WELL


for _mood in Mood:
    if _mood != Mood.WELL:
        fault(f"bucket {_mood}", (0.5, 3.0))(partial(_bucket, _mood))


@fault("decoders killed", (0.5, 1.5))
def _decoders(here: Field) -> Iterator[None]:
    """Whatever picture it was that killed its decoder: the worker sees a process that ended by a signal."""
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        parents = set(here.portal.horses())
        for pid in all_pids():  # the one that waits comes before those that it forks
            if _is_decoder_of(pid, parents):
                parents.add(pid)
                send(pid, signal.SIGKILL)
        time.sleep(0.05)
    yield


def _is_decoder_of(pid: int, parents: set[int]) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return False
    return b"decoder.py" in words and parent in parents


# The flux server ----------------------------------------------------------------------------------------------------


@fault("flux server restarted", (0.3, 1.5))
def _vendor(here: Field) -> Iterator[None]:
    here.portal.kill("sandbox")
    yield
    here.portal.start("sandbox")


fault("flux server hangs", (1.0, 4.0))(partial(_paused, "sandbox"))


def _door(name: str, here: Field) -> Iterator[None]:
    """A fault at one of its doors, once, a few times, or until further notice."""
    with suppress(requests.RequestException):
        here.portal.set_faults(**{name: here.rng.choice([1, 2, 3, True])})
    yield
    with suppress(requests.RequestException):
        here.portal.set_faults()


for _name in DOOR:
    fault(f"flux server: {_name}", (0.5, 2.0))(partial(_door, _name))
for _name in ("fetch", "details"):
    for _fault in ("http-500", "bad-key", "queue-full", "html-200", "reset", "hang"):
        fault(f"flux server: {_name}:{_fault}", (0.5, 2.0))(partial(_door, f"{_name}:{_fault}"))
