"""The Procfile and the systemd units start the same processes, and let them finish what they do."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
UNITS = {
    "web": "retake-web@.service",
    "edits": "retake-worker-edits@.service",
    "pictures": "retake-worker-pictures@.service",
    "clock": "retake-clock.service",
}


def commands() -> dict[str, str]:
    """The Procfile's lines by name."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(ROOT / "deploy/systemd" / UNITS[name])
    return parser["Service"]


def test_units_and_procfile_start_the_same() -> None:
    assert set(commands()) == set(UNITS)
    for name, command in commands().items():
        plain = re.sub(r"\$\{(\w+):-[^}]*\}", r"${\1}", command)
        assert unit(name)["ExecStart"] == plain.replace("python ", "/opt/retake/.venv/bin/python ", 1)


@pytest.mark.parametrize("name", UNITS)
def test_unit_asks_the_main_process_alone_to_end_and_gives_it_time(name: str) -> None:
    service = unit(name)
    assert (service["KillMode"], service["KillSignal"], service["Restart"]) == ("mixed", "SIGTERM", "always")
    assert service["NoNewPrivileges"] == "yes"
    # The edits' worker waits for a paid request: to connect, to read, and what the client allows on top.
    longest = settings.FLUX_CONNECT_TIMEOUT + settings.FLUX_READ_TIMEOUT + 30
    assert int(service["TimeoutStopSec"]) >= (longest if name == "edits" else 30)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for path in (ROOT / "deploy/systemd").glob("retake*"):
        text = re.sub(r"/opt/retake/.venv/bin/(python|weed)", "/bin/sh", path.read_text())
        text = re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE)
        (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
    names = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, timeout=30, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "retake" in line]
    assert (done.returncode, complaints) == (0, [])
