"""What a person is told before there is an environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import bootstrap

SOURCE = Path(bootstrap.__file__)


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for an environment, and requirements that need nothing from anywhere."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("# none\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n")
    return tmp_path / "venv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as `python -m venv` leaves it, made once since that takes seconds."""
    path = tmp_path_factory.mktemp("made") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(path)], check=True)
    return path


@pytest.fixture
def bin_with(tmp_path: Path) -> Path:
    """A folder for the PATH."""
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def pretend(version: tuple[int, int], path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a Python that says it is of this version."""
    code = (
        f"import runpy, sys; sys.version_info = {(*version, 0)!r}; sys.argv = [{str(SOURCE)!r}, *{list(arguments)!r}]; "
        f"runpy.run_path({str(SOURCE)!r}, run_name='__main__')"
    )
    env = {**os.environ, "PATH": str(path)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_old_python_says_so_in_one_sentence(bin_with: Path) -> None:
    done = pretend((3, 8), bin_with, "run")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("retake  Retake needs Python 3.11 or newer, and this is Python 3.8: install")
    assert len(done.stderr.splitlines()) == 1


def test_old_python_goes_on_in_a_newer_one(bin_with: Path) -> None:
    newer = bin_with / "python3.12"
    newer.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "went on with $2"\n')
    newer.chmod(0o755)
    assert pretend((3, 8), bin_with, "run").stdout == "went on with run\n"


def test_its_words_are_old_enough_for_an_old_python() -> None:
    code = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 6))"
    subprocess.run([sys.executable, "-c", code, str(SOURCE)], check=True)


def test_missing_ensurepip_says_what_to_install(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(
        bootstrap.Stop, match=r"ensurepip module is missing here: install it \(`apt install python3-venv`"
    ):
        bootstrap.make_environment(venv, "requirements.txt")


def test_an_environment_is_made_once(venv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.make_environment(venv, "requirements.txt")
    assert "Installing requirements.txt" in capsys.readouterr().out
    bootstrap.make_environment(venv, "requirements.txt")
    assert capsys.readouterr().out == ""


def test_changed_requirements_are_installed_again(venv: Path, made: Path) -> None:
    shutil.copytree(made, venv, symlinks=True)
    bootstrap.make_environment(venv, "requirements-dev.txt")
    assert bootstrap.is_installed(venv, "requirements.txt")
    (venv.parent / "requirements.txt").write_text("# changed\n")
    assert not bootstrap.is_installed(venv, "requirements-dev.txt")


def test_a_half_made_environment_is_mended(venv: Path) -> None:
    (venv / "bin").mkdir(parents=True)
    bootstrap.stamp_of(venv, "requirements.txt").write_text(bootstrap.fingerprint("requirements.txt"))
    assert not bootstrap.is_installed(venv, "requirements.txt")
    bootstrap.make_environment(venv, "requirements.txt")
    assert bootstrap.is_installed(venv, "requirements.txt")


def test_an_install_that_fails_leaves_no_finished_environment(venv: Path, made: Path) -> None:
    shutil.copytree(made, venv, symlinks=True)
    (venv.parent / "requirements.txt").write_text("./nothing-here\n")
    with pytest.raises(bootstrap.Stop, match=r"(?s)could not install.*nothing-here.*PIP_INDEX_URL"):
        bootstrap.make_environment(venv, "requirements.txt")
    assert not bootstrap.is_installed(venv, "requirements.txt")


def test_an_open_version_is_named(venv: Path) -> None:
    (venv.parent / "requirements.txt").write_text("Django==5.2\nrequests>=2\n")
    with pytest.raises(bootstrap.Stop, match="requests>=2"):
        bootstrap.need_pins()


def test_every_requirement_of_ours_is_pinned() -> None:
    bootstrap.need_pins()
