"""What lies in a backup's directory already, with sizes and sums: a second run, or one that goes on, skips it."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_TABLE = """
CREATE TABLE IF NOT EXISTS object (
  key TEXT PRIMARY KEY, size INTEGER NOT NULL, sha256 TEXT NOT NULL, content_type TEXT NOT NULL, run TEXT NOT NULL
) WITHOUT ROWID
"""


class Kept(NamedTuple):
    """An object in a backup. `key` is the one that it has while its picture is in the open."""

    key: str
    size: int  # bytes
    sha256: str
    content_type: str


class Index:
    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._rows = sqlite3.connect(path)
        self._rows.execute(_TABLE)

    def close(self) -> None:
        self._rows.close()

    def find(self, keys: list[str]) -> dict[str, Kept]:
        marks = ",".join("?" * len(keys))
        found = self._rows.execute(
            f"SELECT key, size, sha256, content_type FROM object WHERE key IN ({marks})",  # noqa: S608  marks alone
            keys,
        )
        return {row[0]: Kept(*row) for row in found}

    def note(self, kept: Iterable[Kept], run: str) -> None:
        """These lie there for good and belong to this run."""
        with self._rows:
            self._rows.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)", [(*k, run) for k in kept])

    def of_other_runs(self, run: str, most: int) -> list[str]:
        found = self._rows.execute("SELECT key FROM object WHERE run <> ? LIMIT ?", [run, most])
        return [row[0] for row in found]

    def forget(self, keys: Iterable[str]) -> None:
        with self._rows:
            self._rows.executemany("DELETE FROM object WHERE key = ?", [[key] for key in keys])


def without_run(index: Index, run: str) -> Iterator[list[str]]:
    """The keys that belong to no row of this run any more, some at a time; they are forgotten after each step."""
    while keys := index.of_other_runs(run, 1_000):
        yield keys
        index.forget(keys)
