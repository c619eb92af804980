"""Whose turn it is: workspaces take turns, in a workspace its people do, and of one person the oldest edit goes first.

Whoever was served longest ago goes first, whoever never was before all others. So each workspace goes at most once
before any other that waits, and so does each person within a workspace: nobody waits longer than one round. Edits that
somebody sits and waits for go before batches, but for one turn in BATCH_EVERY, so that a batch comes to its end.

Turns are numbered rather than timed: clocks that disagree change no order. Nothing here asks the database.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple
from uuid import UUID

BATCH_EVERY = 10


class Flow(NamedTuple):
    """The edits of one person in one workspace, either interactive ones or those of batches."""

    interactive: bool
    workspace: UUID
    person: int


@dataclass(frozen=True)
class Waiting:
    """How many edits of a flow wait, and since when the oldest of them does."""

    flow: Flow
    edits: int
    since: datetime


class Line:
    """All that wait, in the order of their turns. `taken` are the numbers of last turns by workspace and person.

    A turn costs logarithmic time however many wait. Numbers only grow, so an entry of a heap that is out of date lies
    too far to the front, is met in time, and is put where it belongs.
    """

    def __init__(
        self,
        waiting: Iterable[Waiting],
        taken: dict[tuple[UUID, int], int],
        turns: int = 0,
        batch_passed: int = 0,
    ) -> None:
        self.turns = turns
        self.batch_passed = batch_passed
        flows = [each for each in waiting if each.edits > 0]
        self._left = {each.flow: each.edits for each in flows}
        self._since = {each.flow: each.since for each in flows}
        self._of_person = dict(taken)
        self._of_workspace: dict[UUID, int] = {}
        for (workspace, _), number in taken.items():
            self._of_workspace[workspace] = max(number, self._of_workspace.get(workspace, 0))
        self._quick = _Ring(self, [each.flow for each in flows if each.flow.interactive])
        self._batch = _Ring(self, [each.flow for each in flows if not each.flow.interactive])

    def first(self) -> Flow | None:
        """Whose turn it is; None if nobody waits."""
        quick, batch = self._quick.first(), self._batch.first()
        if quick is None or (batch is not None and self.batch_passed >= BATCH_EVERY - 1):
            return batch
        return quick

    def take(self, flow: Flow) -> None:
        """One edit of this flow goes now."""
        passed = flow.interactive and self._batch.first() is not None
        self.batch_passed = self.batch_passed + 1 if passed else 0
        self.turns += 1
        self._of_workspace[flow.workspace] = self._of_person[flow.workspace, flow.person] = self.turns
        self._left[flow] -= 1
        if not self._left[flow]:
            self.drop(flow)

    def drop(self, flow: Flow) -> None:
        """Nothing of this flow can go now: it is somebody else's turn."""
        del self._left[flow]

    def in_turn(self, most: int) -> Iterator[Flow]:
        """Let the next turns be taken, so many at most; a flow comes once for each of its edits."""
        for _ in range(most):
            flow = self.first()
            if flow is None:
                return
            self.take(flow)
            yield flow

    def waits(self, flow: Flow) -> bool:
        return flow in self._left

    def rank_in_workspace(self, flow: Flow) -> tuple[int, datetime, int]:
        return self._of_person.get((flow.workspace, flow.person), 0), self._since[flow], flow.person

    def rank_of_workspace(self, first: Flow) -> tuple[int, datetime, UUID]:
        """`first` is the one in the workspace whose turn it would be."""
        return self._of_workspace.get(first.workspace, 0), self._since[first], first.workspace


class _Ring:
    """The flows of one kind: a heap of workspaces, and in each a heap of its people."""

    def __init__(self, line: Line, flows: list[Flow]) -> None:
        self._line = line
        self._people: dict[UUID, list[tuple[tuple[int, datetime, int], Flow]]] = {}
        for flow in flows:
            self._people.setdefault(flow.workspace, []).append((line.rank_in_workspace(flow), flow))
        for people in self._people.values():
            heapify(people)
        self._workspaces = [
            (line.rank_of_workspace(people[0][1]), workspace) for workspace, people in self._people.items()
        ]
        heapify(self._workspaces)

    def first(self) -> Flow | None:
        while self._workspaces:
            rank, workspace = self._workspaces[0]
            flow = self._first_in(workspace)
            if flow is None:
                heappop(self._workspaces)
            elif (now := self._line.rank_of_workspace(flow)) != rank:
                heapreplace(self._workspaces, (now, workspace))
            else:
                return flow
        return None

    def _first_in(self, workspace: UUID) -> Flow | None:
        people = self._people[workspace]
        while people:
            rank, flow = people[0]
            if not self._line.waits(flow):
                heappop(people)
            elif (now := self._line.rank_in_workspace(flow)) != rank:
                heapreplace(people, (now, flow))
            else:
                return flow
        return None
