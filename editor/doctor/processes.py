"""Whether a clock ticks and workers of both queues are alive."""

from collections.abc import Iterator

from django.conf import settings
from redis.exceptions import RedisError

from editor import rings
from editor.doctor.findings import Ask, Finding, fine, problem, warning
from editor.jobs.registry import workers
from editor.models import Mark

MISSED = 6  # marks that a clock may miss
LONG_QUEUE = 1_000


def look_at_clock(ask: Ask) -> Iterator[Finding]:
    """The age of its mark."""
    age = Mark.objects.age_of_tick()
    start = "Start `manage.py clock` (`systemctl start retake-clock`); its log says why it ended."
    if age is None:
        yield problem("No clock has ever ticked: what is rung for and lost is never found again.", start)
    elif age > MISSED * settings.CLOCK_MARK:
        yield problem(f"The last clock ticked {age.total_seconds():.0f} seconds ago.", start)
    elif age < -settings.CLOCK_MARK:
        yield warning(
            f"The clock ticked {-age.total_seconds():.0f} seconds from now: the machines do not agree about the time.",
            "Let a time service set the clocks of all machines.",
        )
    else:
        yield fine(f"The clock ticks (its mark is {max(0.0, age.total_seconds()):.0f} seconds old).")


def look_at_workers(ask: Ask) -> Iterator[Finding]:
    """RQ's register, and how much waits."""
    for queue in sorted(set(rings.QUEUES.values())):
        try:
            alive, silent = workers(queue)
            depth = int(rings.bell().llen(f"rq:queue:{queue}"))
        except RedisError as error:
            yield problem(f"Redis went away ({type(error).__name__}).", "Ask again.")
            return
        if not alive:
            yield problem(
                f"No worker of {queue} is alive; {depth} rings wait.",
                f"Start `manage.py rqworker {queue}` (`systemctl start retake-worker-{queue}@1`).",
            )
        elif depth > LONG_QUEUE:
            yield warning(f"{depth} rings wait for {alive} workers of {queue}.", "Start more of them.")
        else:
            gone = f" ({silent} more ended without saying so)" if silent else ""
            yield fine(f"{alive} workers of {queue}{gone}; {depth} rings wait.")
