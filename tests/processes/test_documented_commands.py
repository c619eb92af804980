"""The commands of the docs, run as they stand there, against a portal of real processes.

Blocks behind `<!-- run -->` are run by bash, which stops at the first that fails; `<!-- run: 0 1 -->` names the exit
statuses that are well. Paths of a machine become those of the test, and the environment's file is filled in as the docs
ask a person to.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from editor.models import User
from project.embedded.ports import HOST
from project.embedded.programs import ROOT
from tests.portal import Portal

MARKED = re.compile(r"<!-- run(?:: ([\d ]+))? -->\s*```sh\n(.*?)```", re.DOTALL)
FILLED_IN = "# filled in by a person\n"


def blocks(name: str) -> list[tuple[str, set[int]]]:
    """The marked blocks of a page, with the exit statuses that are well. Raises AssertionError where there is none."""
    found = [(block, {int(word) for word in (well or "0").split()}) for well, block in MARKED.findall(page(name))]
    assert found, name
    return found


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


class Ground:
    """A machine's directories below one of the test's."""

    def __init__(self, portal: Portal, directory: Path) -> None:
        self.portal, self.directory = portal, directory
        self.environment = directory / "etc/retake/environment"
        self.installed = directory / "opt/retake"
        for path in ("etc", "usr/local/bin", "var/lib", "opt/retake"):
            (directory / path).mkdir(parents=True)
        for known in ("manage.py", "project", "editor", "templates", "static", "docs"):
            (self.installed / known).symlink_to(ROOT / known)
        (self.installed / ".venv").symlink_to(Path(sys.prefix))
        shutil.copytree(ROOT / "deploy", self.installed / "deploy")
        wrapper = self.installed / "deploy/retake"
        wrapper.write_text(self.here(wrapper.read_text()))

    def here(self, text: str) -> str:
        """The same with the test's paths and port, without another user."""
        text = re.sub(r"/opt/retake-[\d.]+", "/opt/retake", text)
        text = re.sub(r"/(etc/retake|opt/retake|usr/local/bin|var/lib)", rf"{self.directory}/\1", text)
        text = text.replace("runuser -u retake -- ", "").replace(" -o retake -g retake", "")
        return text.replace("127.0.0.1:8000", f"{HOST}:{self.portal.port}")

    def run(self, block: str) -> "subprocess.CompletedProcess[str]":
        environ = {"PATH": f"{self.directory}/usr/local/bin:{os.environ['PATH']}", "HOME": str(self.directory)}
        command = ["bash", "-euo", "pipefail", "-c", self.here(block)]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)

    def fill_in(self) -> None:
        """What a person puts into the file of the environment: the portal's own settings."""
        if self.environment.exists() and FILLED_IN not in self.environment.read_text():
            own = {
                name: value for name, value in self.portal.environ.items() if name not in ("PATH", "HOME", "VAR_DIR")
            }
            lines = (f"{name}='{value}'\n" for name, value in own.items())
            self.environment.write_text(self.environment.read_text() + FILLED_IN + "".join(lines) + "EMAIL_URL=''\n")


@pytest.fixture
def ground(portal: Portal, tmp_path: Path) -> Ground:
    return Ground(portal, tmp_path)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("openssl"), reason="curl or openssl is missing here")
def test_portal_is_installed_and_upgraded_by_the_documented_commands(ground: Ground) -> None:
    for block, well in [*blocks("install"), *blocks("upgrading")]:
        done = ground.run(block)
        assert done.returncode in well, f"{block}\n{done.stdout}\n{done.stderr}"
        if FILLED_IN not in ground.environment.read_text():
            secret = re.search(r"^SECRET_KEY='([0-9a-f]{64})'$", ground.environment.read_text(), re.MULTILINE)
            assert secret
            assert ground.environment.stat().st_mode & 0o777 == 0o600
            ground.fill_in()
    assert User.objects.filter(is_superuser=True).exists()
    assert (ground.directory / "var/lib/retake/first-administrator.txt").stat().st_mode & 0o777 == 0o600
    assert (ground.directory / "var/lib/retake/staticfiles/staticfiles.json").exists()
