"""One portal per VAR_DIR."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from project.embedded.lock import Lock
from project.embedded.process import StartError

HOLDER = """
import sys, time
from pathlib import Path
from project.embedded.lock import Lock
lock = Lock(Path(sys.argv[1]))
lock.acquire()
lock.note("http://127.0.0.1:8000")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def hold(path: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    return holder


def test_the_second_one_learns_where_the_first_one_is(path: Path) -> None:
    holder = hold(path)
    with pytest.raises(
        StartError, match=rf"already runs on {path.parent} at http://127.0.0.1:8000 \(process {holder.pid}\)"
    ):
        Lock(path).acquire()
    holder.kill()
    holder.communicate()


def test_it_is_free_after_a_kill(path: Path) -> None:
    holder = hold(path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    lock = Lock(path)
    lock.acquire()
    assert path.read_text().startswith(str(os.getpid()))
    os.close(lock.descriptor)
