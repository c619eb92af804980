"""For no sequence of faults, deaths and clicks is an edit accepted twice without its owner having asked for it.

Each example draws what goes wrong and when, plays it to a real sandbox with the units that workers and clock call,
and then lets things get well. The sandbox's own ledger is the witness.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from editor.flux.contract import Generation
from editor.flux.errors import FluxError
from editor.flux.sandbox.faults import CATALOGUE, DOOR
from editor.jobs import admission, checks, clock, control, lifecycle, submission, vendor
from editor.models import FINAL, Allowance, Attempt, AttemptState, GenerationJob, JobState
from tests.contract.world import MOST_RESTS, World, pass_time

SHORT = 0.25  # seconds; the sandbox is on this machine, and a timeout is a fault like any other
# These keep a thread of the sandbox busy for real seconds, which no fake clock shortens.
SLOW = {"webhook-late", "link-huge", "link-drip", "slow-drip", "held", "output-late"}
ACCEPTED = [name for name in CATALOGUE if name not in DOOR and name not in SLOW]
FREE = [f"{endpoint}:{name}" for endpoint in ("fetch", "details") for name in DOOR if name != "hang"]

faults = st.one_of(
    st.sampled_from([name for name, heading in CATALOGUE.items() if "lost or strange" in heading and name not in SLOW]),
    st.sampled_from([name for name in ACCEPTED if name.startswith("webhook")]),
    st.sampled_from(DOOR),
    st.sampled_from(ACCEPTED),
    st.sampled_from(FREE),
)
steps = st.one_of(
    st.tuples(st.just("fault"), faults, st.integers(1, 3)),
    st.tuples(st.sampled_from(["look", "look", "tick", "check", "webhooks", "webhooks again"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 70, 400, 2000, 90_000])),
    st.tuples(st.sampled_from(["die before", "die after", "stall", "wake", "restart"])),
    st.tuples(st.sampled_from(["cancel", "let go", "send again"])),
)


class Play:
    """One example: one edit, what is done to it, and how often its owner asked for it once more."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.clean()
        world.office.at_once = False
        self.job = world.ask()
        self.on: Counter[str] = Counter()
        self.asked_again = 0
        self.canceled = False
        self.stalled: list[tuple[GenerationJob, Attempt, Generation | FluxError]] = []

    def run(self, step: tuple[Any, ...]) -> None:
        """Do what the step says, if it can be done now."""
        name, *arguments = step
        does: dict[str, Callable[..., object]] = {
            "fault": self.fault,
            "look": lambda: lifecycle.look_at(self.job.pk),
            "tick": clock.tick,
            "check": checks.check_due,
            "webhooks": self.webhooks,
            "webhooks again": self.world.office.deliver_again,
            "wait": lambda seconds: pass_time(timedelta(seconds=seconds)),
            "die before": admission.admit,
            "die after": self.request,
            "stall": self.stall,
            "wake": self.wake,
            "restart": lambda: self.world.restart(self.world.seconds),
            "cancel": self.cancel,
            "let go": self.let_go,
            "send again": self.send_again,
        }
        does[name](*arguments)
        self.job.refresh_from_db()
        note(f"{step} → {self.job.state}")
        self.nothing_was_paid_twice()

    def fault(self, name: str, times: int) -> None:
        """One more fault beside those that are on; the sandbox counts them down by itself."""
        self.on[name] = times
        self.world.sandbox.set_faults(self.on)

    def webhooks(self) -> None:
        """What the sandbox announced arrives."""
        self.world.sandbox_rests(self.job, 1.0)
        self.world.office.deliver()

    def request(self) -> tuple[GenerationJob, Attempt, Generation | FluxError] | None:
        """A worker takes the edit and sends the request, and does not live to see the answer."""
        admitted = admission.admit()
        if admitted is None:
            return None
        request = vendor.edit_request(*admitted)
        try:
            return *admitted, vendor.client().img2img(request)
        except FluxError as error:
            return *admitted, error

    def stall(self) -> None:
        """A worker that has the answer, and is stopped before it writes it down."""
        answered = self.request()
        if answered:
            self.stalled.append(answered)

    def wake(self) -> None:
        """It goes on as if nothing had happened, whatever became of the edit meanwhile."""
        for job, attempt, answer in self.stalled:
            submission.record(attempt, answer)
            submission._move_on(job, attempt)
        self.stalled.clear()

    def cancel(self) -> None:
        self.job.refresh_from_db()
        self.canceled = control.cancel(self.job) or self.canceled

    def let_go(self) -> None:
        self.job.refresh_from_db()
        self.canceled = control.let_go(self.job) or self.canceled

    def send_again(self) -> None:
        """Only an unconfirmed edit can be sent again, and only its owner's word counts."""
        self.job.refresh_from_db()
        self.asked_again += control.send_again(self.job)

    def get_well(self) -> None:
        """No more faults: clocks and workers bring the edit to its end."""
        self.world.sandbox.set_faults({})
        for _ in range(MOST_RESTS):
            self.world.look(self.job)
            if self.job.state in FINAL:
                break
            self.webhooks()
            self.world.jump(self.job)
        self.wake()
        self.job.refresh_from_db()
        note(f"at the end {self.job.state} {self.job.failure_code}, {self.job.allowance}")

    def nothing_was_paid_twice(self) -> None:
        """The sandbox took it once, and once more for each time that its owner asked; each is written down here."""
        accepted = self.world.accepted(self.job)
        assert len(accepted) <= 1 + self.asked_again, [entry["track_id"] for entry in accepted]
        assert len({entry["track_id"] for entry in accepted}) == len(accepted), "one attempt, two generations"
        for entry in accepted:
            attempt = self.job.attempts.get(pk=entry["track_id"])
            told = {None, str(entry["id"]), f"flx-{entry['prefix']}"}
            assert attempt.vendor_id in told or "webhook-other-id" in entry["faults"]
            assert attempt.state != AttemptState.REFUSED

    def books_are_right(self) -> None:
        """It ended, its allowance fits its end, and no attempt is left over that nobody follows."""
        assert self.job.state in FINAL
        pictures = self.job.results.filter(state="ready").count()
        if self.job.state == JobState.SUCCEEDED:
            assert (self.job.allowance, pictures) == (Allowance.TAKEN, 1)
        elif self.job.state != JobState.CANCELED:
            assert (self.job.allowance, pictures) == (Allowance.RELEASED, 0)
        else:
            assert self.canceled
            assert self.job.allowance == Allowance.TAKEN or self.asked_again or not self.running()
        assert not self.job.attempts.filter(state__in=[AttemptState.OPEN, AttemptState.UNKNOWN]).exists()
        spent = GenerationJob.objects.pictures_spent(self.world.user, self.job.created_at)
        assert spent == (self.job.allowance == Allowance.TAKEN)

    def running(self) -> bool:
        """Whether the flux server took something for it that did not fail there."""
        return any(entry["status"] != "failed" for entry in self.world.accepted(self.job))


@settings(
    max_examples=50,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(steps, min_size=2, max_size=9))
@example(story=[("fault", "accept-then-500", 1), ("look",), ("wait", 70), ("look",)])
@example(story=[("die after",), ("wait", 70), ("look",), ("send again",), ("look",), ("webhooks",)])
@example(story=[("stall",), ("wait", 70), ("look",), ("send again",), ("stall",), ("wake",)])
def test_no_edit_is_accepted_twice_unless_its_owner_asked(world: World, story: list[tuple[Any, ...]]) -> None:
    world.connect(SHORT)
    play = Play(world)
    for step in story:
        play.run(step)
    play.get_well()
    play.nothing_was_paid_twice()
    play.books_are_right()
