"""Parts of documents that tests write: between two marks stands what was observed last.

A test compares; with `UPDATE_DOCS=1` in the environment it writes instead.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def updating() -> bool:
    """Whether documents are to be written."""
    return os.environ.get("UPDATE_DOCS") == "1"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def cells(text: str) -> list[list[str]]:
    """The rows of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def part(path: Path, name: str) -> str:
    """What stands between the marks of this name; empty if there are none."""
    found = _marked(name).search(path.read_text(encoding="utf-8")) if path.exists() else None
    return found[1] if found else ""


def parts(path: Path) -> list[str]:
    """The names of all parts, in order."""
    return re.findall(r"^<!-- observed: (.+) -->$", path.read_text(encoding="utf-8"), re.MULTILINE)


def write_part(path: Path, name: str, text: str, order: Sequence[str]) -> None:
    """Replace or add it. All parts come in this order then; those that it does not name are dropped."""
    with _alone(path):
        before = path.read_text(encoding="utf-8")
        known = {found: part(path, found) for found in parts(path)} | {name: text}
        for found in parts(path):
            before = _marked(found).sub("", before)
        wholes = [f"<!-- observed: {found} -->\n{known[found]}\n<!-- end -->" for found in order if found in known]
        path.write_text("\n\n".join([before.rstrip("\n"), *wholes]) + "\n", encoding="utf-8")


def _marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- observed: {re.escape(name)} -->\n(.*?)\n<!-- end -->\n*", re.DOTALL)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Tests may run in several processes; each writes its own part of the file."""
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
