"""Where `make run` listens, and what it refuses."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from project.embedded.ports import PortBook
from project.embedded.process import StartError
from project.embedded.programs import ROOT
from project.embedded.run import choose_address


def run(**environ: str) -> subprocess.CompletedProcess[str]:
    """`make run`, for cases in which it ends by itself."""
    env = {"PATH": os.environ["PATH"], **environ}
    command = [sys.executable, "-m", "project.embedded.run"]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_it_listens_on_loopback_alone(book: PortBook) -> None:
    assert choose_address({}, book)[0] == "127.0.0.1"


def test_bind_is_obeyed(book: PortBook) -> None:
    assert choose_address({"BIND": "127.0.0.2:20123"}, book) == ("127.0.0.2", 20123)


def test_a_taken_bind_is_refused_rather_than_changed(book: PortBook) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        bind = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(StartError, match=f"BIND is {bind}, but that port is taken"):
            choose_address({"BIND": bind}, book)


def test_a_bind_without_a_port_is_refused(book: PortBook) -> None:
    with pytest.raises(StartError, match="should look like"):
        choose_address({"BIND": "localhost"}, book)


def test_half_a_group_ends_it_before_anything_is_made(tmp_path: Path) -> None:
    done = run(VAR_DIR=str(tmp_path / "var"), S3_ENDPOINT_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are not set" in done.stdout
    assert not (tmp_path / "var").exists()


def test_it_says_what_is_wrong_with_a_database_that_is_not_there(tmp_path: Path) -> None:
    done = run(VAR_DIR=str(tmp_path / "var"), DATABASE_URL="postgres://nobody:x@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "migrate failed" in done.stdout
