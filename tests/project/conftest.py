"""A keeper of one's own, and Python programs to keep."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project.embedded.ports import PortBook
from project.embedded.process import Child, Keeper, Program, inherited

MakeChild = Callable[[Program], Child]


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


@pytest.fixture
def started(keeper: Keeper) -> Iterator[MakeChild]:
    """Starts programs that end with the test."""
    children: list[Child] = []

    def start(program: Program) -> Child:
        child = Child(program, keeper, lambda line: None)
        children.append(child)
        child.start()
        child.wait_until_ready(30)
        return child

    yield start
    for child in children:
        child.stop()


@pytest.fixture
def book(tmp_path: Path) -> PortBook:
    return PortBook(tmp_path / "ports.json")


def python(code: str, name: str = "python", grace: float = 5.0) -> Program:
    """A program of a few lines of Python."""
    return Program(name=name, args=[sys.executable, "-u", "-c", code], env=inherited(), grace=grace)


def eventually(condition: Callable[[], object], timeout: float = 10.0) -> bool:
    """Whether it comes true within so many seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
