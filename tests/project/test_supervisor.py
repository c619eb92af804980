"""The supervisor: what dies is started again, and the end is orderly."""

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.embedded.log import Log
from project.embedded.process import Keeper, Program, StartError, inherited
from project.embedded.supervisor import Stopped, Supervisor
from tests.project.conftest import eventually, python

SLEEP = "import time\ntime.sleep(60)"


@pytest.fixture
def log() -> Log:
    return Log(io.StringIO())


@pytest.fixture
def supervisor(keeper: Keeper, log: Log) -> Iterator[Supervisor]:
    supervisor = Supervisor(keeper, log)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def watching(supervisor: Supervisor) -> Iterator[Supervisor]:
    """A supervisor at work in a thread."""
    thread = threading.Thread(target=supervisor.watch)
    thread.start()
    yield supervisor
    supervisor.stopping.set()
    thread.join()


def appending(path: Path, word: str, then: str = "") -> Program:
    """A program that writes down when it starts and when it is told to end."""
    return python(
        f"import signal, sys, time\nsay = lambda what: open({str(path)!r}, 'a').write(what + '\\n')\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (say('{word} ends'), sys.exit()))\nsay('{word} starts')\n{then}"
        "time.sleep(60)",
        name=word,
    )


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_killed_process_is_started_again(watching: Supervisor, tmp_path: Path, log: Log) -> None:
    child = watching.start(appending(tmp_path / "said", "web"))
    assert eventually(lambda: lines(tmp_path / "said") == ["web starts"])
    os.kill(child.pid or 0, signal.SIGKILL)
    assert eventually(lambda: lines(tmp_path / "said") == ["web starts"] * 2)
    assert "web ended (killed by SIGKILL); starting it again" in log._stream.getvalue()  # type: ignore[attr-defined]


def test_one_that_keeps_dying_is_started_less_and_less_often(watching: Supervisor, tmp_path: Path) -> None:
    watching.start(appending(tmp_path / "said", "web", then="sys.exit(1)\n"))
    time.sleep(4)  # 0.5 s, 1 s, 2 s: four starts in this time, where a fixed half second would make eight
    assert 2 <= len(lines(tmp_path / "said")) <= 4


def test_parts_end_after_the_processes_that_use_them(supervisor: Supervisor, tmp_path: Path) -> None:
    said = tmp_path / "said"
    supervisor.start(appending(said, "redis"), is_part=True)
    assert eventually(lambda: lines(said) == ["redis starts"])
    supervisor.start(appending(said, "web"))
    assert eventually(lambda: len(lines(said)) == 2)
    supervisor.stop()
    assert lines(said)[2:] == ["web ends", "redis ends"]


def test_nothing_is_started_again_while_stopping(watching: Supervisor, tmp_path: Path) -> None:
    watching.start(appending(tmp_path / "said", "web"))
    assert eventually(lambda: lines(tmp_path / "said"))
    watching.stop()
    time.sleep(1)
    assert lines(tmp_path / "said") == ["web starts", "web ends"]


def test_a_command_that_fails_is_named(supervisor: Supervisor) -> None:
    with pytest.raises(StartError, match=r"migrate failed \(exit status 2\)"):
        supervisor.run_once(python("import sys\nsys.exit(2)", name="migrate"))


def test_a_stop_while_starting_interrupts_the_command(supervisor: Supervisor) -> None:
    threading.Timer(0.3, supervisor.stopping.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        supervisor.run_once(python(SLEEP, name="migrate"))
    assert time.monotonic() - began < 5


def test_kill_ends_at_once_what_ignores_sigterm(supervisor: Supervisor) -> None:
    child = supervisor.start(
        Program(name="deaf", args=["/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"], env=inherited())
    )
    began = time.monotonic()
    supervisor.kill()
    supervisor.stop()
    assert not child.running
    assert time.monotonic() - began < 3
