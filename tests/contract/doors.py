"""The faults at the doors of the endpoints that cost nothing, met one after the other by one and the same edit."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from editor.flux.sandbox.faults import DOOR
from editor.models import GenerationJob, JobState
from tests.contract.scenes import SHORT, Outcome, Scene, read_of
from tests.contract.world import Diary, World, diary_of_all


def at_fetch(world: World, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """One edit that is with the flux server, and each fault in turn where it asks how that is doing."""
    world.clean()
    world.connect(SHORT, reachable=False)
    with diary_of_all(monkeypatch) as diary:
        job = world.ask()
        world.look(job)
        world.sandbox_rests(job)
        assert job.state == JobState.PROCESSING
        return _in_turn(world, job, diary, "fetch", _rung)


def at_details(world: World, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """One edit that waits for the end of a pause, and each fault in turn where the server is asked if it is well."""
    world.clean()
    world.connect(SHORT)
    world.sandbox.set_faults({"bad-key": 1})
    with diary_of_all(monkeypatch) as diary:
        job = world.ask()
        world.look(job)
        assert job.state == JobState.QUEUED
        return _in_turn(world, job, diary, "details", world.jump)


def at_file_store(world: World, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An edit whose source is lent to the flux server, and each fault in turn there; a new edit where one failed."""
    world.clean()
    world.connect(SHORT, reachable=False)
    with diary_of_all(monkeypatch) as diary:
        return _in_turn(world, world.ask(), diary, "upload", world.jump)


def _rung(job: GenerationJob) -> None:
    """Somebody rang for it; no time passes, or its deadline would come before the last of the faults."""
    GenerationJob.objects.filter(pk=job.pk).update(due_at=timezone.now())


def _in_turn(
    world: World, job: GenerationJob, diary: Diary, endpoint: str, due: Callable[[GenerationJob], object]
) -> list[list[str]]:
    """A row for all faults that came to the same, and one for what happens when they are over."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in DOOR:
        begun = job.state
        refused = world.sandbox.ledger()["refused"].get(name, 0)
        world.sandbox.set_faults({f"{endpoint}:{name}": True})
        diary.lines.clear()
        due(job)
        world.look(job)
        assert world.sandbox.ledger()["refused"][name] > refused, f"nobody asked {endpoint} while {name} was on"
        story = " → ".join([begun, *diary.lines]) if diary.lines else f"stays {begun}"
        outcome = Outcome(Scene("", ""), job, story, [read_of(job)], len(world.accepted(job)))
        found.setdefault(tuple(outcome.row[2:]), []).append(f"`{endpoint}:{name}`")
        if job.is_final:
            job = world.ask()
    world.sandbox.set_faults({})
    world.connect(reachable=bool(world.settings.FLUX_SEES_US_AT))
    diary.lines.clear()
    begun = job.state
    for _ in range(6):
        due(job)
        world.look(job)
        world.sandbox_rests(job)
    assert job.state == JobState.SUCCEEDED
    story = " → ".join([begun, *diary.lines])
    over = Outcome(Scene("", ""), job, story, [read_of(job)], len(world.accepted(job)))
    rows = [["<br>".join(names), "as above", *cells] for cells, names in found.items()]
    return [*rows, ["none of them any more", "", *over.row[2:]]]
