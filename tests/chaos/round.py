"""One round: edits are asked for while things go wrong, then all is mended, and then everything must come right."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import Error, close_old_connections, connections
from django.utils import timezone

from editor.flux.sandbox.faults import LATER
from editor.jobs import control
from editor.models import (
    FINAL,
    Attempt,
    AttemptState,
    BatchItem,
    FluxServer,
    GenerationJob,
    Image,
    ImageState,
    JobState,
)
from tests.chaos import deeds as deeds  # enters what people do into the catalogue
from tests.chaos.faults import FAULTS, Fault, Field
from tests.chaos.oracle import AWAITED, Oracle
from tests.chaos.people import Crowd
from tests.chaos.portal import ChaosPortal

WORDS = ("a watercolour", "a mosaic", "a pencil sketch", "make it night", "pop art", "in the snow")
MOST_SECONDS = 240.0  # to come right
JOBS, FAULTS_AT_ONCE = 12, 8
CHAINED = 0.5  # of the rounds that are drawn
WINDOW = 5.0  # seconds in which faults begin
ROUNDS_OF_OWNERS = 4
LONGER = 10.0  # seconds after which what can't end by itself meets its deadline, minutes or hours early


@dataclass
class Plan:
    """What is to happen, all drawn before it begins: the same seed is the same plan."""

    seed: str
    asked: list[tuple[int, str, tuple[str, ...], int, int]]  # whose, words, marks, samples, clicks
    faults: list[tuple[float, Fault, float]]  # when, which, for how long
    chain: bool = False  # whether a batch of several steps goes through all of it

    @property
    def names(self) -> list[str]:
        return [fault.name for _, fault, _ in self.faults] + [mark for one in self.asked for mark in one[2]]


@dataclass
class Outcome:
    """How a round went."""

    names: list[str]
    seconds: float  # from the end of all faults until everything had come right
    jobs: int = 0
    lost: int = 0
    sent_again: int = 0
    accepted: Counter[int] = field(default_factory=Counter)  # edits that nobody sent again, by accepted generations
    marks: dict[str, list[int]] = field(default_factory=dict)  # accepted generations of each edit with this mark
    states: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def draw(seed: str, faults: Sequence[str], *, jobs: int = JOBS, at_once: int = FAULTS_AT_ONCE) -> Plan:
    """The plan of a seed: edits, most of them with a fault of the flux server, and some of `faults`."""
    rng = random.Random(seed + " choice")
    chain = random.Random(seed + " chain").random() < CHAINED
    return plan_of(seed, [rng.choice(list(faults)) for _ in range(at_once)], jobs=jobs, chain=chain)


def plan_of(seed: str, faults: Sequence[str], *, jobs: int = JOBS, chain: bool = False) -> Plan:
    """With exactly these faults, at moments that the seed draws."""
    rng = random.Random(seed)
    asked = []
    for _ in range(jobs):
        marks = tuple(rng.sample(LATER, rng.choice([0, 1, 1, 2, 2, 3])))
        asked.append((rng.randrange(3), rng.choice(WORDS), marks, rng.choice([1, 1, 2]), rng.choice([1, 1, 1, 2])))
    drawn = []
    for name in faults:
        fault = FAULTS[name]
        drawn.append((rng.uniform(0, WINDOW), fault, rng.uniform(*fault.seconds)))
    return Plan(seed, asked, sorted(drawn, key=lambda one: one[0]), chain)


class Round:
    """Plays one plan to a portal that is well, and leaves it well."""

    def __init__(self, portal: ChaosPortal, plan: Plan, restart_database: Callable[[], None] | None = None) -> None:
        self.portal, self.plan = portal, plan
        self.crowd = Crowd(portal.url)
        self.second: Counter[UUID] = Counter()
        self.rng = random.Random(plan.seed + " owners")
        self.field = Field(portal, self.crowd, random.Random(plan.seed + " faults"), restart_database)

    def play(self) -> Outcome:
        """All of it; never raises for what the portal does wrong."""
        FluxServer.objects.current().resume()
        with self.portal.tended():
            self._break()
            self.portal.mend()
            mended = time.monotonic()
            self.crowd.wait()
            outcome = Outcome(self.plan.names, 0.0)
            self._wait(AWAITED)
            outcome.seconds = time.monotonic() - mended
            first = Oracle(self.portal, self.crowd, self.second)
            if first.lost:  # one that waited for its owner may just have been found again by its webhook
                self._wait(AWAITED)
                first = Oracle(self.portal, self.crowd, self.second)
            outcome.lost, outcome.complaints = first.lost, first.complaints(over=False)
            for last in (False,) * (ROUNDS_OF_OWNERS - 1) + (True,):
                if not self._decide(last):
                    break
                self._wait(AWAITED)
            self._wait(set())
        self._judge(outcome)
        self._clear()
        return outcome

    # While things go wrong ---------------------------------------------------------------------------------------

    def _break(self) -> None:
        """Begin and end faults at their time; edits are asked for all along."""
        begun: list[tuple[float, AbstractContextManager[None]]] = []
        todo = list(self.plan.faults)
        asking = list(enumerate(self.plan.asked))
        start = time.monotonic()
        if self.plan.chain:
            self.crowd.chain()
        while todo or begun:
            now = time.monotonic() - start
            while asking and now >= asking[0][0] * WINDOW / len(self.plan.asked):
                self._ask(asking.pop(0)[1])
            for one in [one for one in todo if one[0] <= now]:
                todo.remove(one)
                manager = one[1].does(self.field)
                self._carefully(manager.__enter__)
                begun.append((time.monotonic() - start + one[2], manager))
            for end in [end for end in begun if end[0] <= now]:
                begun.remove(end)
                self._carefully(lambda manager=end[1]: manager.__exit__(None, None, None))
            time.sleep(0.02)
        for _, one_asked in asking:
            self._ask(one_asked)

    def _ask(self, one: tuple[int, str, tuple[str, ...], int, int]) -> None:
        who, words, marks, samples, clicks = one
        user = self.crowd.people[who]
        self.crowd.ask(user, words, marks, samples=samples, which=self.rng.randrange(2), clicks=clicks)

    def _carefully(self, deed: Callable[..., object]) -> None:
        """A fault may strike whoever makes another one."""
        try:
            deed()
        except Error:
            connections.close_all()

    # And then --------------------------------------------------------------------------------------------------------

    def _wait(self, settled: set[str]) -> None:
        """Until everything has ended or waits for a person; what can't end by itself meets its deadline early."""
        start = time.monotonic()
        while time.monotonic() - start < MOST_SECONDS:
            try:
                jobs = list(GenerationJob.objects.filter(made_by__in=self.crowd.people).exclude(state__in=FINAL))
                pictures = Image.objects.filter(made_by__in=self.crowd.people)
                received = pictures.filter(state=ImageState.RECEIVED, trashed_at=None).exists()
                moving = pictures.filter(removed_at__isnull=False, quarantined_at=None, purged_at=None).exists()
                going_on = BatchItem.objects.filter(batch__made_by__in=self.crowd.people, due_at__isnull=False).exists()
                busy = received or moving or going_on
                if not busy and all(job.state in settled for job in jobs):
                    return
                if time.monotonic() - start > LONGER:
                    self._pass_deadlines()
            except Error:
                connections.close_all()
            time.sleep(0.1)

    def _pass_deadlines(self) -> None:
        """Of edits that the flux server accepted and will never finish, or whose pictures never come."""
        endless = Attempt.objects.filter(job__made_by__in=self.crowd.people, state=AttemptState.OPEN)
        jobs = GenerationJob.objects.filter(
            attempts__in=endless,
            state__in=[JobState.PROCESSING, JobState.COLLECTING],
            prompt__contains="#fault:",
            deadline_at__gt=timezone.now(),
        )
        GenerationJob.objects.filter(pk__in=jobs.values("pk")).update(deadline_at=timezone.now())

    def _decide(self, last: bool) -> bool:
        """The owners of unconfirmed edits make up their minds. False if nobody had to."""
        waiting = GenerationJob.objects.filter(made_by__in=self.crowd.people, state__in=AWAITED)
        for job in waiting:
            choice = "let go" if last else self.rng.choice(["again", "again", "let go", "24 hours"])
            if job.state == JobState.HELD:
                control.cancel(job)
            elif choice == "again":
                self.second[job.pk] += control.send_again(job)
            elif choice == "let go":
                control.let_go(job)
            else:
                gone = {"due_at": timezone.now(), "deadline_at": timezone.now()}
                GenerationJob.objects.filter(pk=job.pk, state=JobState.UNCONFIRMED).update(**gone)
        return bool(waiting)

    def _judge(self, outcome: Outcome) -> None:
        close_old_connections()
        oracle = Oracle(self.portal, self.crowd, self.second)
        outcome.lost = max(outcome.lost, oracle.lost)
        outcome.complaints += [words for words in oracle.complaints(over=True) if words not in outcome.complaints]
        outcome.jobs, outcome.sent_again = len(oracle.jobs), sum(self.second.values())
        for job in oracle.jobs:
            outcome.states[f"{job.state} {job.failure_code}".strip()] += 1
            if not self.second[job.pk]:
                outcome.accepted[len(oracle.accepted[job.pk])] += 1
        for asked in self.crowd.asked:
            found = asked.job
            for mark in asked.marks if found is not None and not self.second[found.pk] else ():
                outcome.marks.setdefault(mark, []).append(len(oracle.accepted[found.pk]))  # type: ignore[union-attr]

    def _clear(self) -> None:
        """Requests that are given up take no place in the next round."""
        self.crowd.close()
        Attempt.objects.counting().update(state=AttemptState.LOST)
