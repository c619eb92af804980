"""How each fault of the sandbox is met: what is switched on, for how long, and what came of it."""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from editor.flux.sandbox import faults
from editor.flux.sandbox.faults import CATALOGUE, DOOR
from editor.images.download import download
from editor.jobs import admission, collection, control, server_orders, vendor
from editor.models import FINAL, Allowance, Attempt, GenerationJob, JobState
from editor.models.server_orders import OrderKind
from tests.contract.world import MOST_RESTS, Diary, World, diary_of_all, words_for
from tests.portal import wait_until

SHORT = 0.4  # seconds; the read timeout where the sandbox is going to keep silent
SILENT = ("hang", "slow-drip")
BY_THE_CLOCK = ("for-a-while", "output-late", "restart-underneath")
OF_SEVERAL = ("output-fewer", "blank-one")
NAP = 0.6  # seconds of a rest, for what the sandbox does by its own clock
DRIP = 0.5  # seconds that a download may take where the link gives a byte a second
ORDINARY = ("With the flux server", "Saving", "Queued, next in line", "Handing over")
Happening = Callable[[World, GenerationJob, Diary], None]
HEADS = ("fault", "what it is", "what the job did", "what its owner read", "the job's allowance", "accepted there")


class Reading(NamedTuple):
    """What the tile of an edit said in which state."""

    state: JobState
    words: str


@dataclass
class Scene:
    """One example: an edit, and what becomes of it while the sandbox does what it is told.

    `faults` are on for the whole server until the job rested `rests` times; `marked` ones stand in the prompt.
    """

    name: str
    about: str
    faults: dict[str, int | bool] = field(default_factory=dict)
    marked: tuple[str, ...] = ()
    rests: int = 6
    ends: str = "it ends"
    reachable: bool = True
    patient: float = 30.0
    seconds: float = World.SECONDS
    first: Happening | None = None
    """Happens instead of the first look."""
    meanwhile: Happening | None = None
    """Happens once, when the job rests for the first time."""
    asked_again: int = 0
    samples: int = 1
    inbox: bool = False
    """Whether results go to a bucket of ours."""
    nap: float = 0.0
    """Real seconds of each rest, for what the sandbox does by its own clock."""

    def play(self, world: World, monkeypatch: pytest.MonkeyPatch) -> "Outcome":
        """Run the edit to its end."""
        random.seed(1)  # the jitter
        world.clean()
        if world.seconds != self.seconds:
            world.restart(self.seconds)
        world.connect(self.patient, reachable=self.reachable)
        if self.inbox:
            world.open_inbox()
        world.office.at_once = "webhook-early" in self.marked
        world.sandbox.set_faults(self.faults)
        prompt = " ".join(["make it look like a watercolour", *(f"#fault:{name}" for name in self.marked)])
        with diary_of_all(monkeypatch) as diary, monkeypatch.context() as patches:
            if "link-drip" in self.marked:
                patches.setattr(collection, "download", partial(_hasty, download))
            diary.state(JobState.QUEUED)
            job = world.ask(prompt, self.samples)
            read = self._run(world, job, diary)
        self._late_webhook_changes_nothing(world, job)
        return Outcome(self, job, diary.story, read, len(world.accepted(job)))

    def _late_webhook_changes_nothing(self, world: World, job: GenerationJob) -> None:
        if "webhook-late" in self.marked:
            secret = job.attempts.get().secret
            wait_until(lambda: world.office.knows(secret), 10, "The late webhook")
        ended = job.state
        world.office.deliver()
        world.look(job)
        assert job.state == ended

    def unheard(self, outcome: "Outcome") -> list["Scene"]:
        """Where the webhook found a lost request again: the same without it."""
        found = JobState.UNCONFIRMED in outcome.story and outcome.accepted
        if not found or "webhook-lost" in self.marked or self.meanwhile or self.first:
            return []
        name, words = f"{self.name} and `webhook-lost`", "the same, and its webhook never comes"
        return [replace(self, name=name, about=words, marked=(*self.marked, "webhook-lost"))]

    def _run(self, world: World, job: GenerationJob, diary: Diary) -> list[Reading]:
        read: list[Reading] = []
        if self.first:
            self.first(world, job, diary)
            job.refresh_from_db()
        for rest in range(MOST_RESTS):
            world.look(job)
            reading = read_of(job)
            if not reading.words.startswith(ORDINARY) and reading not in read:
                read.append(reading)
            if job.state in FINAL:
                break
            if rest == 0 and self.meanwhile:
                self.meanwhile(world, job, diary)
            world.sandbox_rests(job)
            time.sleep(self.nap)
            if rest == self.rests and self.faults:
                diary.note(self.ends)
                world.sandbox.set_faults({})
                world.connect(reachable=self.reachable)
            if not world.office.deliver():
                diary.waited += world.jump(job)
        return read


@dataclass
class Outcome:
    """What became of a scene's edit."""

    scene: Scene
    job: GenerationJob
    story: str
    read: list[Reading]
    accepted: int

    @property
    def row(self) -> list[str]:
        """The line of the table."""
        allowance = {Allowance.TAKEN: "counts", Allowance.RELEASED: "given back", Allowance.HELD: "held"}
        times = {0: "never", 1: "once", 2: "twice"}
        count = times.get(self.accepted, f"{self.accepted} times")
        return [
            self.scene.name,
            self.scene.about,
            self._story,
            "<br>".join(reading.words for reading in self.read),
            allowance[Allowance(self.job.allowance)],
            count,
        ]

    @property
    def _story(self) -> str:
        """Links that come by the sandbox's own clock may be there at the first look of a slow machine, or not."""
        if any(name.startswith("link-") and name.endswith("-for-a-while") for name in self.scene.marked):
            return self.story.replace("*some minutes* → ", "")
        return self.story


def scenes_of(heading: str) -> Iterator[Scene]:
    """A scene for each fault under this heading of the catalogue."""
    for name, its_heading in CATALOGUE.items():
        if its_heading != heading:
            continue
        patient = SHORT if name.endswith(SILENT) else 30.0
        nap = NAP if name.endswith(BY_THE_CLOCK) and not name.startswith("fetch-") else 0.0
        scene = Scene(f"`{name}`", about(name), patient=patient, nap=nap, inbox="bucket" in heading)
        if name in DOOR:
            scene.faults = {name: True}
        else:
            scene.marked = (name,)
            scene.samples = 2 if name in OF_SEVERAL else 1
        yield scene


def read_of(job: GenerationJob) -> "Reading":
    return Reading(JobState(job.state), words_for(job))


def _hasty(fetch: Callable[..., bytes], link: str, **options: Any) -> bytes:
    return fetch(link, **options | {"timeout": DRIP})


def about(name: str) -> str:
    """The catalogue's own words for a fault."""
    found = re.search(rf"^ {{4}}{re.escape(name)} +(\S.*)$", faults.__doc__ or "", re.MULTILINE)
    assert found, name
    return found[1]


def is_told(kind: OrderKind, world: World, job: GenerationJob, diary: Diary) -> None:
    diary.note("the server is told, and well again")
    world.settings.FLUX_ORDER_LOOK = world.settings.FLUX_ORDER_SETTLED = timedelta(0)
    order = server_orders.begin(job.made_by, kind, uuid4().hex, "it answers slowly")
    server_orders.hurry(job.made_by, order)

    def over() -> bool:
        server_orders.look_at(order.pk)
        order.refresh_from_db()
        return order.is_over

    wait_until(over, 10, "The end of the order")


def restarts(world: World, job: GenerationJob, diary: Diary) -> None:
    """The flux server crashes and comes back with its memory, in the middle of the work."""
    world.restart(seconds=world.SECONDS)
    diary.note("the server crashes and comes back")


def cancels(world: World, job: GenerationJob, diary: Diary) -> None:
    """The owner changes their mind."""
    diary.note("its owner cancels")
    assert control.cancel(job)


def sends_again(world: World, job: GenerationJob, diary: Diary) -> None:
    """The owner decides not to wait for an answer."""
    diary.note("its owner sends it again")
    assert control.send_again(job)


def lets_go(world: World, job: GenerationJob, diary: Diary) -> None:
    """The owner gives it up."""
    diary.note("its owner lets go")
    assert control.let_go(job)


def dies(sent: bool) -> Callable[[World, GenerationJob, Diary], None]:
    """A worker that is killed after it took the job: before the request leaves, or before its answer is written."""

    def die(world: World, job: GenerationJob, diary: Diary) -> None:
        taken, attempt = admitted()
        if sent:
            vendor.client().img2img(vendor.edit_request(taken, attempt))
        diary.note("its worker is killed")

    return die


def admitted() -> tuple[GenerationJob, Attempt]:
    """The next job, as a worker takes it."""
    found = admission.admit()
    assert found
    return found


def stories() -> Iterator[Scene]:
    """What no fault of the catalogue says: people, crashes, and silence for good."""
    lost: dict[str, int | bool] = {"accept-then-500": 1, "webhook-lost": 1}
    fetch: dict[str, int | bool] = {"fetch:http-500": True}
    yield Scene("crash", "the flux server crashes while it works", seconds=30.0, meanwhile=restarts)
    for kind in (OrderKind.RESTART, OrderKind.CLEAR_QUEUE):
        yield Scene(
            kind.label.lower(),
            "an operator gives this order while it works, and does not wait for it",
            seconds=30.0,
            meanwhile=partial(is_told, kind),
        )
    yield Scene("silence", "fetch answers nothing but errors, for good", faults=fetch, rests=MOST_RESTS)
    yield Scene("cancel", "its owner cancels while it runs", meanwhile=cancels)
    yield Scene(
        "second",
        "an answer got lost, and its owner sends the edit again",
        faults=dict(lost),
        meanwhile=sends_again,
        asked_again=1,
    )
    yield Scene("let go", "an answer got lost, and its owner lets go", faults=dict(lost), meanwhile=lets_go)
    yield Scene("killed before", "a worker is killed before the request leaves", first=dies(sent=False))
    yield Scene("killed after", "a worker is killed after the request left; the webhook comes", first=dies(sent=True))
    yield Scene("killed, unheard", "the same, and the webhook is lost", marked=("webhook-lost",), first=dies(sent=True))
    yield Scene("as it should be", "nothing goes wrong")
