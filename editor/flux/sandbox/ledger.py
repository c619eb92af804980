"""What the sandbox remembers of each generation, and the file that remembers it across a restart."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """One accepted generation; the times are seconds since the epoch, `outputs` names of files.

    `public` is the address of the directory in a registered bucket that the files were written to, or "" where the
    sandbox serves them itself. What is `gone` is known to `fetch` no more.
    """

    id: int
    prefix: str
    track_id: str | None
    prompt: str
    negative_prompt: str
    seed: int
    samples: int
    strength: float
    width: int
    height: int
    faults: list[str]
    accepted: float
    finished: float | None = None
    status: str = "processing"
    message: str = ""
    nsfw: bool = False
    outputs: list[str] = field(default_factory=list)
    temp: bool = False
    public: str = ""
    gone: bool = False


class LedgerFile:
    """JSON lines; a later line about the same id replaces an earlier one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries = self._read()
        self._file = path.open("a", encoding="utf-8")

    def write(self, entry: Entry) -> None:
        """Note the present state; nothing happens once it is closed."""
        if not self._file.closed:
            self._file.write(json.dumps(asdict(entry)) + "\n")
            self._file.flush()

    def close(self) -> None:
        """End writing."""
        self._file.close()

    def _read(self) -> dict[int, Entry]:
        entries: dict[int, Entry] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = Entry(**json.loads(line))
                except (ValueError, TypeError):
                    continue  # the last line of a process that was killed while it wrote
                entries[entry.id] = entry
        return entries
