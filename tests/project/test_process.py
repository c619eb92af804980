"""Children and everything that they start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from project.embedded.keeper import has_ended, members
from project.embedded.process import Child, Keeper, Program, StartError, inherited
from tests.project.conftest import MakeChild, eventually, python

# As RQ does it: the child moves to a process group of its own, out of reach of a signal to the group.
WITH_CHILD = "import os, time\nif os.fork() == 0: os.setpgrp()\ntime.sleep(60)"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf')\ntime.sleep(60)"


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and not has_ended(pid)


def test_stop_ends_what_the_program_has_forked(started: MakeChild) -> None:
    child = started(python(WITH_CHILD))
    session = child.pid or 0
    assert eventually(lambda: len(members(session)) == 2)
    child.stop()
    assert members(session) == []


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(started: MakeChild) -> None:
    child = started(python(STUBBORN, grace=0.3))
    assert eventually(lambda: "deaf" in child.last_words)
    pid = child.pid or 0
    child.stop()
    assert not is_alive(pid)


def test_a_program_that_ends_at_once_is_quoted(keeper: Keeper) -> None:
    program = Program(name="part", args=["/bin/sh", "-c", "echo no room; exit 3"], env=inherited(), quiet=True)
    child = Child(program, keeper, lambda line: None)
    child.start()
    child.wait(5)
    with pytest.raises(StartError, match=r"part ended at once \(exit status 3\)\.\n    no room"):
        child.wait_until_ready(5)
    child.stop()


def test_a_program_is_ready_once_it_has_said_so(keeper: Keeper) -> None:
    late = Program(
        name="clock", args=["/bin/sh", "-c", "sleep 0.5; echo ticks; sleep 60"], env=inherited(), says="ticks"
    )
    child = Child(late, keeper, lambda line: None)
    child.start()
    assert child.wait_until_ready(5)
    assert list(child.last_words) == ["ticks"]
    child.stop()


def test_a_program_that_does_not_answer_is_named(keeper: Keeper) -> None:
    silent = Program(name="part", args=["/bin/sleep", "60"], env=inherited(), answers=lambda: False)
    child = Child(silent, keeper, lambda line: None)
    child.start()
    with pytest.raises(StartError, match="part did not answer within"):
        child.wait_until_ready(0.2)
    child.stop()


def test_a_program_that_is_not_there_is_named(keeper: Keeper) -> None:
    with pytest.raises(StartError, match=r"part can't be started: .*nonexistent"):
        Child(Program(name="part", args=["/nonexistent"], env={}), keeper, lambda line: None).start()


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    parent = f"""
import time
from pathlib import Path
from project.embedded.process import Child, Keeper
from tests.project.conftest import python
keeper = Keeper()
keeper.remove_at_end(Path({str(scratch)!r}))
for code in ({WITH_CHILD!r}, {STUBBORN!r}):
    child = Child(python(code), keeper, lambda line: None)
    child.start()
    print(child.pid, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    sessions = [int(process.stdout.readline()) for _ in range(2)]
    assert eventually(lambda: len(members(sessions[0])) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert eventually(lambda: not any(members(session) for session in sessions))
    assert eventually(lambda: not scratch.exists())
