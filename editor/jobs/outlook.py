"""What a waiting edit may expect: how many go before it, when its picture will be there, and why it waits.

The order is that of the turns themselves, let run ahead; the times are measured ones. Whoever arrives meanwhile may
still go first, so all of this is said as "about".
"""

from collections import Counter, deque
from functools import cached_property
from heapq import heapify, heapreplace
from statistics import median
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from editor.flux.contract import Status
from editor.jobs import admission, pauses
from editor.jobs.turns import Flow
from editor.models import Attempt, AttemptState, FluxServer, GenerationJob, JobState

MOST_TURNS = 200  # that are foreseen
MEASURED = 50  # requests, the last ones that are done
LONGEST_ETA = 3600.0  # seconds; more was never meant

Span = tuple[float, float]


class Outlook:
    """The line at one moment. Make one for each request: it asks the database at most once for each thing."""

    @cached_property
    def server(self) -> FluxServer:
        return FluxServer.objects.current()

    @cached_property
    def trouble(self) -> str:
        """Why nothing is sent at all; "" while all is well."""
        return pauses.sentence(self.server)

    @property
    def busy(self) -> str:
        """Why no more is sent at this moment; "" while there is room."""
        taken, limit = len(self._running), self.server.limit
        return f"The flux server is busy with {taken} of {limit}." if taken >= limit else ""

    @property
    def foreseen(self) -> bool:
        """Whether all that wait are in sight, so that an edit without a place just left the line."""
        return len(self._places) < MOST_TURNS

    def place(self, job: GenerationJob) -> int | None:
        """How many edits go before this one; None for one behind MOST_TURNS, or that waits no more."""
        return self._places.get(job.pk)

    def seconds(self, place: int) -> Span | None:
        """From now until the picture of the edit at this place is there: half of the times, and nine times of ten."""
        if self._spans is None:
            return None
        half, most = (self._ends(span, place) for span in self._spans)
        return half, most

    def _ends(self, span: float, place: int) -> float:
        """If each edit takes so many seconds, on as many slots as there are."""
        free = [max(0.0, span - since) for since in self._running][: self.server.limit]
        free += [0.0] * (self.server.limit - len(free))
        heapify(free)
        for _ in range(place):
            heapreplace(free, free[0] + span)
        return free[0] + span

    @cached_property
    def _running(self) -> list[float]:
        """For how many seconds each of the requests under way has been."""
        now = timezone.now()
        begun = admission.under_way(self.server).values_list("created_at", flat=True)
        return [max(0.0, (now - moment).total_seconds()) for moment in begun]

    @cached_property
    def _spans(self) -> Span | None:
        """Seconds for which a request keeps its slot: half of them, nine of ten. As the vendor says if none is done."""
        done = Attempt.objects.filter(server=self.server, state=AttemptState.ENDED, vendor_status=Status.SUCCESS)
        rows = done.order_by("-ended_at").values_list("created_at", "ended_at")[:MEASURED]
        spans = sorted((end - begin).total_seconds() for begin, end in rows if end is not None)
        if spans:
            return spans[len(spans) // 2], spans[len(spans) * 9 // 10]
        told = admission.under_way(self.server).filter(eta__gt=0, eta__lte=LONGEST_ETA).values_list("eta", flat=True)
        return (eta, eta) if (eta := median([each for each in told if each] or [0.0])) else None

    @cached_property
    def _places(self) -> dict[UUID, int]:
        flows = list(admission.line_now(self.server).in_turn(MOST_TURNS))
        edits = self._first_edits(Counter(flows))
        places: dict[UUID, int] = {}
        for place, flow in enumerate(flows):
            if edits[flow]:  # one that was canceled between two queries leaves a gap
                places[edits[flow].popleft()] = place
        return places

    def _first_edits(self, wanted: Counter[Flow]) -> dict[Flow, deque[UUID]]:
        """The oldest waiting edits of each flow, about as many as are wanted."""
        found: dict[Flow, deque[UUID]] = {flow: deque() for flow in wanted}
        if not wanted:
            return found
        keys = ["interactive", "workspace", "made_by"]
        nth = Window(RowNumber(), partition_by=[F(key) for key in keys], order_by=["created_at", "id"])
        queued = GenerationJob.objects.filter(
            state=JobState.QUEUED,
            workspace__in={flow.workspace for flow in wanted},
            made_by__in={flow.person for flow in wanted},
        )
        rows = queued.annotate(nth=nth).filter(nth__lte=max(wanted.values())).order_by(*keys, "created_at", "id")
        for *flow, pk in rows.values_list(*keys, "pk"):
            if Flow(*flow) in found:
                found[Flow(*flow)].append(pk)
        return found


def about(span: Span) -> str:
    """ "about 40 s to 2 min"; one number where both are the same."""
    low, high = _rounded(span[0]), _rounded(max(span))
    if low == high:
        return f"about {low}"
    number, unit = low.split()
    return f"about {number} to {high}" if high.endswith(f" {unit}") else f"about {low} to {high}"


def _rounded(seconds: float) -> str:
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 57.5:
        return f"{round(seconds / 5) * 5} s"
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min"
    return f"{round(seconds / 3600)} h"
