"""`manage.py fluxsandbox` as its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from editor.flux.client import FluxClient

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "manage.py", "fluxsandbox"]


def test_faults_are_listed() -> None:
    done = subprocess.run([*COMMAND, "--list-faults"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "accept-then-reset" in done.stdout
    assert "#fault:name" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_serves_and_ends_soon(number: signal.Signals) -> None:
    options = ["--bind", "127.0.0.1:0", "--seconds", "0.5", "--key", "k", "--restart-seconds", "0"]
    options += ["--keep-hours", "1", "--temp-seconds", "5"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*COMMAND, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout
            lines = dict(
                line.strip().split("=", 1) for line in (process.stdout.readline() for _ in range(3)) if "=" in line
            )
            assert FluxClient(lines["FLUX_BASE_URL"], "k").system_details().model_count == 1
            answer = requests.post(
                lines["FLUX_BASE_URL"] + "flux_kontext_dev/restart_server", json={"key": "k"}, timeout=5
            )
            assert answer.json()["status"] == "success"
            assert FluxClient(lines["FLUX_BASE_URL"], "k").system_details().model_count == 1
            started = time.monotonic()
            process.send_signal(number)
            assert process.wait(10) == 0
            assert time.monotonic() - started < 5  # a busy machine takes a while to unload Django
        finally:
            process.kill()


def test_taken_port_is_said_in_a_sentence() -> None:
    with subprocess.Popen([*COMMAND, "--bind", "127.0.0.1:0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout
            address = first.stdout.readline().rpartition("http://")[2].strip("/\n")
            second = subprocess.run([*COMMAND, "--bind", address], cwd=ROOT, capture_output=True, text=True, timeout=60)
        finally:
            first.kill()
    assert second.returncode == 1
    assert f"can't listen on {address}" in second.stderr
    assert "Traceback" not in second.stderr
