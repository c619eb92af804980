"""The sandbox's memory and its work: what it accepted, when each is done, and a ledger file that survives."""

from __future__ import annotations

import heapq
import json
import math
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import faults, painting, webhook
from .rules import Wanted, queue_full

_PAINTERS = 2
_FAILED = "Processing failed: the pictures could not be made."
_RESTARTED = "Processing failed: the server was restarted."


@dataclass
class Entry:
    """One accepted generation; the times are seconds since the epoch, `outputs` names of files."""

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


@dataclass
class Work:
    """What is known about a generation while it runs, and is not worth remembering."""

    wanted: Wanted
    sources: Sequence[bytes]
    origin: str
    due: float
    done: threading.Event = field(default_factory=threading.Event)
    announced: threading.Event = field(default_factory=threading.Event)


class Generations:
    """Accepts, works off and remembers. `seconds` per picture, `slots` at a time, `queue_limit` unfinished at most."""

    def __init__(self, directory: Path, *, seconds: float, slots: int, queue_limit: int, echo: bool) -> None:
        self.directory = directory
        self.queue_limit = queue_limit
        self.stopping = threading.Event()
        self._seconds = seconds
        self._echo = echo
        self._lock = threading.Lock()
        self._painters = threading.BoundedSemaphore(_PAINTERS)
        self._free_from = [0.0] * max(1, slots)
        self._entries: dict[int, Entry] = {}
        self._by_prefix: dict[str, Entry] = {}
        self._work: dict[int, Work] = {}
        self._open = 0
        self._refused: Counter[str] = Counter()
        self._load()
        self._file = self._ledger_path.open("a", encoding="utf-8")

    @property
    def _ledger_path(self) -> Path:
        return self.directory / "ledger.jsonl"

    def close(self) -> None:
        """Stop all work; what was not finished is lost, as after a restart of the real server."""
        self.stopping.set()
        with self._lock:
            self._file.close()

    def refuse_if_full(self) -> None:
        """Raise RefusedError when no more may wait."""
        if self._open >= self.queue_limit:
            raise queue_full(self.queue_limit)

    def accept(self, wanted: Wanted, sources: Sequence[bytes], flaws: frozenset[str], origin: str) -> Entry:
        """Take a generation into the queue and start its work; raises RefusedError when the queue is full."""
        now = time.time()
        with self._lock:
            self.refuse_if_full()
            entry = self._new_entry(wanted, flaws, now)
            due = math.inf
            if "never" not in flaws:
                due = max(now, heapq.heappop(self._free_from)) + self._seconds * wanted.samples
                heapq.heappush(self._free_from, due)
                self._open += 1
            work = Work(wanted, sources, origin, due)
            self._remember(entry, work)
        if "failed-at-once" in flaws:
            self._finish(entry, "failed", _FAILED)
        if due < math.inf:
            threading.Thread(target=self._run, args=(entry, work), daemon=True).start()
        return entry

    def entry(self, number: int) -> Entry | None:
        """The generation with this id."""
        with self._lock:
            return self._entries.get(number)

    def by_prefix(self, prefix: str) -> Entry | None:
        """The generation whose files begin like this."""
        with self._lock:
            return self._by_prefix.get(prefix)

    def work(self, entry: Entry) -> Work:
        """The running side of a generation that was accepted by this process."""
        with self._lock:
            return self._work[entry.id]

    def eta(self, entry: Entry) -> float:
        """Seconds until it is done, as far as anyone knows."""
        with self._lock:
            work = self._work.get(entry.id)
        return round(max(0.0, work.due - time.time()), 2) if work and work.due < math.inf else 30.0

    def count_refused(self, reason: str) -> None:
        """Note that a request was turned away."""
        with self._lock:
            self._refused[reason] += 1

    def ledger(self) -> dict[str, Any]:
        """Everything that was ever accepted, how many wait, and how many were refused since the start, by reason."""
        with self._lock:
            return {
                "accepted": [asdict(entry) for entry in self._entries.values()],
                "queued": self._open,
                "refused": dict(self._refused),
            }

    def _new_entry(self, wanted: Wanted, flaws: frozenset[str], now: float) -> Entry:
        return Entry(
            # Ids follow the clock, so that a sandbox with an empty memory repeats none of its predecessor's.
            id=max(int(now * 1000), max(self._entries, default=0) + 1),
            prefix=uuid.uuid4().hex,
            track_id=wanted.track_id,
            prompt=wanted.prompt,
            negative_prompt=wanted.negative_prompt,
            seed=wanted.seed,
            samples=wanted.samples,
            strength=wanted.strength,
            width=wanted.size[0],
            height=wanted.size[1],
            faults=sorted(flaws),
            accepted=now,
        )

    def _remember(self, entry: Entry, work: Work) -> None:
        self._entries[entry.id] = entry
        self._by_prefix[entry.prefix] = entry
        self._work[entry.id] = work
        self._write(entry)

    def _write(self, entry: Entry) -> None:
        self._file.write(json.dumps(asdict(entry)) + "\n")
        self._file.flush()

    def _load(self) -> None:
        if not self._ledger_path.exists():
            return
        for line in self._ledger_path.read_text(encoding="utf-8").splitlines():
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue  # the last line of a process that was killed while it wrote
            self._entries[entry.id] = entry
            self._by_prefix[entry.prefix] = entry
        for entry in self._entries.values():
            if entry.status == "processing" and "never" not in entry.faults:
                entry.status, entry.message, entry.finished = "failed", _RESTARTED, time.time()

    def _run(self, entry: Entry, work: Work) -> None:
        if "webhook-processing" in entry.faults:
            webhook.send(entry, work)
        pictures = self._pictures(entry, work) if entry.status == "processing" else []
        work.sources = ()
        if self.stopping.wait(max(0.0, work.due - time.time())):
            return
        if entry.status == "processing":
            if pictures and "failed-later" not in entry.faults:
                entry.outputs = self._stored(entry, pictures)
                self._finish(entry, "success", "")
            else:
                self._finish(entry, "failed", _FAILED)
        webhook.announce(entry, work, self.stopping)
        work.announced.set()

    def _pictures(self, entry: Entry, work: Work) -> list[bytes]:
        wanted = work.wanted
        if "blank" in entry.faults and wanted.safety_checker:
            entry.nsfw = True
            return [painting.blank(wanted.size)] * wanted.samples
        if self._echo:
            return [bytes(work.sources[0])] * wanted.samples
        with self._painters:
            try:
                return [self._painted(work, number) for number in range(wanted.samples)]
            except ValueError:
                return []  # a picture that was broken behind its header: the generation fails

    def _painted(self, work: Work, number: int) -> bytes:
        wanted = work.wanted
        return painting.paint(
            work.sources,
            prompt=faults.unmarked(wanted.prompt),
            negative_prompt=wanted.negative_prompt,
            size=wanted.size,
            strength=wanted.strength,
            seed=wanted.seed + number,
        )

    def _stored(self, entry: Entry, pictures: Sequence[bytes]) -> list[str]:
        folder = self.directory / "generations"
        folder.mkdir(exist_ok=True)
        as_text = "base64-output" in entry.faults or self._work[entry.id].wanted.base64
        names = []
        for number, picture in enumerate(pictures):
            name = f"{entry.prefix}-{number}." + ("base64" if as_text else "png")
            prefix = b"data:image/png;base64," if number % 2 else b""
            (folder / name).write_bytes(prefix + b64encode(picture) if as_text else picture)
            names.append(name)
        return names

    def _finish(self, entry: Entry, status: str, message: str) -> None:
        with self._lock:
            entry.status, entry.message, entry.finished = status, message, time.time()
            self._open = max(0, self._open - 1)
            if not self._file.closed:
                self._write(entry)
        self._work[entry.id].done.set()
