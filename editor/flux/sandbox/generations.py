"""The sandbox's work: what it accepted, what runs and what waits, when each is done, and how long it is kept."""

from __future__ import annotations

import heapq
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from . import webhook
from .ledger import Entry, LedgerFile
from .making import Maker
from .results import Results
from .rules import Wanted, queue_full
from .storage import BucketError, Storage

FAILED = "Processing failed: the pictures could not be made."
RESTARTED = "Processing failed: the server was restarted."
UNWRITTEN = "Processing failed: the pictures could not be written to the registered bucket."

_LATE = 2.0
_FAILING = {"failed-later", "failed-as-error"}


@dataclass
class Work:
    """What is known about a generation while it runs, and is not worth remembering.

    `due` is when it will be done; `fetched` counts how often it was asked for; `broken` ends the work.
    """

    wanted: Wanted
    sources: Sequence[bytes]
    origin: str
    due: float
    fetched: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    announced: threading.Event = field(default_factory=threading.Event)
    broken: threading.Event = field(default_factory=threading.Event)


class Generations:
    """Accepts, works off and remembers.

    `seconds` per picture, `slots` at a time, `queue_limit` unfinished at most; results are kept for `keep_seconds`, or
    for `temp_seconds` where the request says `temp`.
    """

    def __init__(
        self,
        directory: Path,
        storage: Storage,
        *,
        seconds: float,
        slots: int,
        queue_limit: int,
        echo: bool,
        keep_seconds: float,
        temp_seconds: float,
    ) -> None:
        self.directory = directory
        self.queue_limit = queue_limit
        self.seconds = seconds
        self.slots = max(1, slots)
        self.results = Results(directory, storage, echo=echo)
        self.stopping = threading.Event()
        self._keep, self._keep_temp = keep_seconds, temp_seconds
        self._lock = threading.Lock()
        self._maker = Maker(echo=echo)
        self._free_from = [0.0] * self.slots
        self._file = LedgerFile(directory / "ledger.jsonl")
        self._entries = self._file.entries
        self._by_prefix = {entry.prefix: entry for entry in self._entries.values()}
        self._work: dict[int, Work] = {}
        self._counted: set[int] = set()
        self._refused: Counter[str] = Counter()
        self._expiries: list[tuple[float, int]] = []
        self._take_up()

    def close(self) -> None:
        """Stop all work; what was not finished is lost, as after a restart of the real server."""
        self.stopping.set()
        with self._lock:
            self._file.close()
            for work in self._work.values():
                work.broken.set()

    def refuse_if_full(self) -> None:
        """Raise RefusedError when no more may wait."""
        if len(self._counted) >= self.queue_limit:
            raise queue_full(self.queue_limit)

    def accept(self, wanted: Wanted, sources: Sequence[bytes], flaws: frozenset[str], origin: str) -> Entry:
        """Take a generation into the queue and start its work; raises RefusedError when the queue is full."""
        now = time.time()
        with self._lock:
            self.refuse_if_full()
            entry = self._new_entry(wanted, flaws, now)
            due = math.inf
            if "never" not in flaws:
                due = max(now, heapq.heappop(self._free_from)) + self.seconds * wanted.samples
                heapq.heappush(self._free_from, due)
                self._counted.add(entry.id)
            work = Work(wanted, sources, origin, due)
            self._entries[entry.id] = self._by_prefix[entry.prefix] = entry
            self._work[entry.id] = work
            self._file.write(entry)
        if "failed-at-once" in flaws:
            self._finish(entry, "failed", FAILED)
        if due < math.inf:
            threading.Thread(target=self._run, args=(entry, work), daemon=True).start()
        return entry

    def entry(self, number: int) -> Entry | None:
        """The generation with this id, unless it is gone."""
        self.forget_old()
        with self._lock:
            entry = self._entries.get(number)
        return None if entry is None or entry.gone else entry

    def by_prefix(self, prefix: str) -> Entry | None:
        """The generation whose files begin like this, unless it is gone."""
        self.forget_old()
        with self._lock:
            entry = self._by_prefix.get(prefix)
        return None if entry is None or entry.gone else entry

    def work(self, entry: Entry) -> Work | None:
        """The running side of a generation, if it was accepted by this process."""
        with self._lock:
            return self._work.get(entry.id)

    def count_fetch(self, entry: Entry) -> int:
        """Note that somebody asks for it, and return how often that was."""
        work = self.work(entry)
        if work is None:
            return 1_000  # of an earlier process: whatever was for a while is over
        with self._lock:
            work.fetched += 1
            return work.fetched

    def eta(self, entry: Entry) -> float:
        """Seconds until it is done, as far as anyone knows."""
        work = self.work(entry)
        return round(max(0.0, work.due - time.time()), 2) if work and work.due < math.inf else 30.0

    def wait(self) -> float:
        """Seconds until a slot is free."""
        with self._lock:
            return round(max(0.0, self._free_from[0] - time.time()), 2)

    def queue(self) -> tuple[int, int]:
        """How many are worked on, and how many wait for a slot."""
        with self._lock:
            running = min(len(self._counted), self.slots)
            return running, len(self._counted) - running

    def progress(self, number: int) -> tuple[str, float] | None:
        """Whether this one is running or waiting, and the seconds until it is done; None if nobody can say."""
        with self._lock:
            work = self._work.get(number)
        if work is None or work.due == math.inf:
            return None
        left = max(0.0, work.due - time.time())
        return "running" if left <= self.seconds * work.wanted.samples else "waiting", left

    def count_refused(self, reason: str) -> None:
        """Note that a request was turned away."""
        with self._lock:
            self._refused[reason] += 1

    def ledger(self, newest: int | None = None) -> dict[str, Any]:
        """What was accepted, oldest first (all, or the `newest` so many), what waits, and what was refused, by reason.

        Refusals are counted from the start of this process.
        """
        self.forget_old()
        with self._lock:
            wanted = list(islice(reversed(self._entries.values()), newest))
            told = {"total": len(self._entries), "queued": len(self._counted), "refused": dict(self._refused)}
        return {"accepted": [asdict(entry) for entry in reversed(wanted)]} | told

    def lose_all(self, *, gone: bool, until: float) -> None:
        """Lose what runs and waits, without a webhook: `fetch` says failed, or, if `gone`, that it knows no such thing.

        Nothing new is worked on before `until`, in seconds since the epoch.
        """
        with self._lock:
            lost = [entry for entry in self._entries.values() if entry.status == "processing"]
            self._free_from = [until] * self.slots
        for entry in lost:
            entry.gone = gone
            self._finish(entry, "failed", RESTARTED)
            if work := self.work(entry):
                work.broken.set()

    def forget_old(self) -> None:
        """Delete what was kept for long enough."""
        now = time.time()
        old: list[Entry] = []
        with self._lock:
            while self._expiries and self._expiries[0][0] <= now:
                old.append(self._entries[heapq.heappop(self._expiries)[1]])
            for entry in old:
                entry.gone = True
                self._file.write(entry)
        for entry in old:
            self.results.remove(entry)

    def _take_up(self) -> None:
        """Go on from what an earlier process wrote down."""
        for entry in self._entries.values():
            if entry.status == "processing" and "never" not in entry.faults:
                entry.status, entry.message, entry.finished = "failed", RESTARTED, time.time()
            self._expire_later(entry)

    def _expire_later(self, entry: Entry) -> None:
        if entry.finished and not entry.gone:
            heapq.heappush(self._expiries, (entry.finished + (self._keep_temp if entry.temp else self._keep), entry.id))

    def _new_entry(self, wanted: Wanted, flaws: frozenset[str], now: float) -> Entry:
        return Entry(
            # Ids follow the clock, so that a sandbox with an empty memory repeats none of its predecessor's.
            id=max(int(now * 1000), next(reversed(self._entries), 0) + 1),
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
            temp=wanted.temp,
        )

    def _run(self, entry: Entry, work: Work) -> None:
        if "webhook-processing" in entry.faults:
            webhook.send(entry, work)
        pictures = self._maker.pictures(entry, work.wanted, work.sources) if entry.status == "processing" else []
        work.sources = ()
        if work.broken.wait(max(0.0, work.due - time.time())):
            return
        late: dict[str, bytes] = {}
        if entry.status == "processing":
            if not pictures or not _FAILING.isdisjoint(entry.faults):
                self._finish(entry, "failed", FAILED)
            else:
                late = self._deliver(entry, work, pictures)
        webhook.announce(entry, work, self.stopping)
        work.announced.set()
        if late and not work.broken.wait(_LATE):
            self._write(entry, late)

    def _deliver(self, entry: Entry, work: Work, pictures: Sequence[bytes]) -> dict[str, bytes]:
        """Write the results and say so; returns what is to be written only later."""
        as_text = "base64-output" in entry.faults or work.wanted.base64
        files = self.results.named(entry, pictures, as_text=as_text)
        late = files if entry.public and "link-404-for-a-while" in entry.faults else {}
        if late or self._write(entry, files):
            self._finish(entry, "success", "")
        else:
            entry.outputs, entry.public = [], ""
            self._finish(entry, "failed", UNWRITTEN)
        return late

    def _write(self, entry: Entry, files: dict[str, bytes]) -> bool:
        try:
            self.results.write(entry, files)
        except BucketError:
            return False
        return True

    def _finish(self, entry: Entry, status: str, message: str) -> None:
        with self._lock:
            if entry.status != "processing":
                return  # lost in the meantime
            entry.status, entry.message, entry.finished = status, message, time.time()
            self._counted.discard(entry.id)
            self._expire_later(entry)
            self._file.write(entry)
            work = self._work.get(entry.id)
        if work:
            work.done.set()
