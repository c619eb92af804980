"""Make the environment and run something in it: `python3 project/bootstrap.py COMMAND`, as COMMANDS lists them.

Standard library only, in words that a Python as old as 3.6 can parse, so that one which is too old can say so itself.
Everything else in this repository needs Python 3.11.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
NEWER = ("python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parent.parent
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
LINT = (
    ("python", "project/bootstrap.py", "pinned"),
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("djlint", "templates", "--lint"),
    ("lint-imports",),
    ("mypy", "."),
)
COMMANDS = {
    "run": (RUNTIME, (("python", "-m", "project.embedded.run"),)),
    "demo": (RUNTIME, (("python", "-m", "tests.demo"),)),
    "test": (DEVELOPMENT, (("python", "-m", "pytest", "-n", "auto", "--dist", "loadgroup"),)),
    "bench": (DEVELOPMENT, (("python", "-m", "tests.bench"),)),
    "chaos": (DEVELOPMENT, (("python", "-m", "tests.chaos"),)),
    "shots": (DEVELOPMENT, (("python", "-m", "tests.shots"),)),
    "lint": (DEVELOPMENT, LINT),
    "format": (DEVELOPMENT, (("ruff", "check", "--fix", "."), ("ruff", "format", "."))),
}


class Stop(Exception):  # noqa: N818  (it is an end, explained, rather than an error of the program)
    """The sentence says why we can't go on and what to do."""


def say(line: str) -> None:
    """A line for the person who waits; flushed, since another program writes next."""
    print("retake  " + line, flush=True)


def need_new_python() -> None:
    """Go on in a newer Python if this one is too old; raises Stop where there is none."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    raise Stop(
        "Retake needs Python 3.11 or newer, and this is Python {}.{}: install a newer one (`apt install python3.11 "
        "python3.11-venv`, `brew install python@3.12`) and try again.".format(*sys.version_info[:2])
    )


def need_venv_module() -> None:
    """Raises Stop where this Python came without what makes an environment (Debian packs it by itself)."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise Stop(
            "Python's {} module is missing here: install it (`apt install python3-venv` on Debian and Ubuntu, where "
            "it may be called `python{}.{}-venv`) and try again.".format(error.name, *sys.version_info[:2])
        ) from error


def fingerprint(requirements: str) -> str:
    """A hash of a requirement file, of those it includes, and of the Python that they are installed for."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    waiting = [requirements]
    while waiting:
        content = (ROOT / waiting.pop()).read_text(encoding="utf-8")
        digest.update(content.encode())
        waiting += [line[3:].strip() for line in content.splitlines() if line.startswith("-r ")]
    return digest.hexdigest()


def stamp_of(venv: Path, requirements: str) -> Path:
    """The file that is written last, so that an environment whose making was interrupted has none."""
    return venv / ("." + requirements + ".installed")


def works(venv: Path) -> bool:
    """Whether the environment's Python starts, is new enough and has pip."""
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST!r})"
    try:
        return subprocess.call([str(venv / "bin/python"), "-c", check], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def is_installed(venv: Path, requirements: str) -> bool:
    """Whether the environment was finished, by this Python and from these very files."""
    try:
        finished = stamp_of(venv, requirements).read_text().strip() == fingerprint(requirements)
    except OSError:
        return False
    return finished and works(venv)


def make_environment(venv: Path, requirements: str) -> None:
    """Make what is missing of the environment, showing progress; raises Stop."""
    if is_installed(venv, requirements):
        return
    if not works(venv):
        need_venv_module()
        say(f"Making a Python environment in {venv} (once).")
        if subprocess.call([sys.executable, "-m", "venv", "--clear", str(venv)]) != 0:
            raise Stop(f"The environment in {venv} could not be made; the lines above say why.")
    say(f"Installing {requirements} (a few minutes the first time).")
    for name in (RUNTIME, DEVELOPMENT):
        if stamp_of(venv, name).exists():
            stamp_of(venv, name).unlink()
    install(venv, requirements)
    # The second file includes the first.
    for name in (RUNTIME, DEVELOPMENT) if requirements == DEVELOPMENT else (RUNTIME,):
        stamp_of(venv, name).write_text(fingerprint(name))


def install(venv: Path, requirements: str) -> None:
    """Run pip with whatever configuration it has, telling its steps; raises Stop with its last words."""
    started = time.monotonic()
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    lines = []
    with subprocess.Popen(
        [*pip, "-r", str(ROOT / requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            show_progress(line, time.monotonic() - started)
    rewrite_line("")
    if process.returncode != 0:
        raise Stop(
            "pip could not install {}. Its last words:\n    {}\nIf the package index can't be reached from here, set "
            "PIP_INDEX_URL or PIP_PROXY. The next try goes on from here.".format(
                requirements, "\n    ".join(lines[-12:])
            )
        )
    say(f"Installed in {time.monotonic() - started:.0f} seconds.")


def show_progress(line: str, seconds: float) -> None:
    """On a terminal one line that changes; into a file, a line for each package."""
    verb, _, rest = line.strip().partition(" ")
    if verb not in ("Collecting", "Downloading", "Building", "Installing") or not rest:
        return
    text = "        {:4.0f} s  {} {}".format(seconds, verb, rest.split()[0].rpartition("/")[2])
    if sys.stdout.isatty():
        rewrite_line(text)
    elif verb == "Collecting":
        print(text, flush=True)


def rewrite_line(text: str) -> None:
    """Replace the line under the cursor; nothing where there is no terminal."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write("\r" + text[:width].ljust(width) + ("" if text else "\r"))
        sys.stdout.flush()


def need_pins() -> None:
    """Raises Stop naming the requirements that leave their version open."""
    loose = []
    for name in (RUNTIME, DEVELOPMENT):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith(("#", "-r ")) and "==" not in line.partition(";")[0]:
                loose.append(f"{name}: {line}")
    if loose:
        raise Stop("These requirements name no exact version: " + ", ".join(loose))


def execute(venv: Path, steps: "tuple[tuple[str, ...], ...]", arguments: "list[str]") -> None:
    """Become the only step; of several, run all, so that one look shows every fault. Raises Stop if any fails."""
    os.chdir(str(ROOT))
    programs = str(venv / "bin")
    environ = dict(os.environ, PATH=programs + os.pathsep + os.environ.get("PATH", os.defpath))
    commands = [[str(venv / "bin" / step[0]), *list(step[1:])] for step in steps]
    if len(commands) == 1:
        os.execve(commands[0][0], commands[0] + arguments, environ)  # noqa: S606
    failed = []
    for step, command in zip(steps, commands):  # noqa: B905  (`strict` is newer)
        say(" ".join(step))
        if subprocess.call(command, env=environ) != 0:
            failed.append(" ".join(step))
    if failed:
        raise Stop("Not in order: " + ", ".join(failed))


def main(arguments: "list[str]") -> int:
    """Make the environment and run the command; returns the exit status."""
    verb = arguments[0] if arguments else ""
    if verb not in COMMANDS and verb != "pinned":
        print("Usage: python3 project/bootstrap.py " + "|".join(COMMANDS) + " [arguments]", file=sys.stderr)
        return 2
    try:
        if verb == "pinned":
            need_pins()
            return 0
        need_new_python()
        requirements, steps = COMMANDS[verb]
        venv = Path(os.environ.get("VENV_DIR") or str(ROOT / ".venv"))
        make_environment(venv, requirements)
        execute(venv, steps, arguments[1:])
    except Stop as stop:
        print("retake  " + str(stop), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        rewrite_line("")
        print("retake  Interrupted; the next start goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
