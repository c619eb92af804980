"""The desk and every list of the administration, with a million decisions and edits beside a thousandth of that."""

import re
import time

from django.contrib import admin
from django.db import connection
from django.urls import reverse

from editor.desk import queue
from editor.desk.overview import groups
from editor.desk.queue import Scope
from editor.models import Decision, ModerationCase
from editor.views.desk import write_place
from editor.views.desk_record import PER_PAGE, write_cursor
from tests.bench.crowd import Crowd
from tests.bench.pages import Load, loader, measured, queries
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds
from tests.portal import Portal, SandboxOptions

FEW, MANY = 1, 1_000  # thousands of edits and of decisions, hundreds of open cases
ROUNDS = 9
CONTROL = "control: a page that reads none of it"


def measure(stage: Stage) -> list[Row]:
    if connection.vendor != "postgresql":
        return [Row("moderation", "", "measured on PostgreSQL alone")]
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        scene = Scene()
        scene.fill(FEW)
        few = measured(scene.loads(portal), rounds=ROUNDS)
        scene.fill(MANY)
        many = measured(scene.loads(portal), rounds=ROUNDS)
        # The machine may be faster or slower by now; what reads none of the rows tells by how much.
        pace = many[CONTROL] / few[CONTROL]
        rows = [Row(CONTROL, milliseconds(many[CONTROL]), f"{milliseconds(few[CONTROL])} before")]
        return rows + [scene.row(name, few[name] * pace, many[name]) for name in many if name != CONTROL]


class Scene(Crowd):
    """Every page of the desk and of the administration, as a browser asks for it."""

    def pages(self) -> dict[str, str]:
        case = ModerationCase.objects.waiting().filter(person=self.known)[10]
        oldest = Decision.objects.order_by("created_at", "id")[PER_PAGE]
        desk, decisions, by = reverse("desk"), reverse("desk_decisions"), self.moderator.pk
        found = {
            "desk": desk,
            "desk: one cause": f"{desk}?cause=flagged",
            "desk: further down": self.further_down(),
            "desk: about one person": f"{desk}?person={case.person_id}",
            "desk: one group": f"{desk}?cause={case.cause}&person={case.person_id}",
            "desk: a case": reverse("desk_case", args=[case.pk]),
            "desk: a person": reverse("desk_person", args=[case.person_id]),
            "desk: a decision": reverse("desk_decision", args=[Decision.objects.filter(person=self.known)[0].pk]),
            "decisions": decisions,
            "decisions: the last page": f"{decisions}?before={write_cursor(oldest)}",
            "decisions: one moderator": f"{decisions}?moderator={self.colleague.pk}",
            "decisions: one cause": f"{decisions}?cause=trust",
            "decisions: one person": f"{decisions}?person={case.person_id}",
            "decisions: all three": f"{decisions}?person={case.person_id}&cause=often&moderator={by}",
        }
        for model in admin.site._registry:
            options = model._meta
            name = f"admin:{options.app_label}_{options.model_name}_changelist"
            found[f"administration: {options.verbose_name_plural}"] = reverse(name)
        return found

    def further_down(self) -> str:
        found = groups(Scope())
        if found.further is None:
            raise RuntimeError("The first page of the queue shows all of it.")
        return f"{reverse('desk')}?after={write_place(found.further)}"

    def loads(self, portal: Portal) -> dict[str, Load]:
        found: dict[str, Load] = {CONTROL: loader(portal, self.moderator, reverse("trash")), "desk: next": self.next}
        return found | {name: loader(portal, self.moderator, path) for name, path in self.pages().items()}

    def next(self) -> float:
        began = time.perf_counter()
        case = queue.next_case(self.moderator)
        took = time.perf_counter() - began
        if case is None:
            raise RuntimeError("Nothing was left.")
        queue.let_go(self.moderator, case.pk)
        return took

    def row(self, name: str, few: float, many: float) -> Row:
        path = self.pages().get(name)
        asked = queries(self.moderator, path) if path else []
        counting = [sql for sql in asked if re.search(r"COUNT\(", sql, re.IGNORECASE) and "AS bounded" not in sql]
        said = f"{milliseconds(few)} with a thousandth, {many / few:.2f} ×"
        said += f"; {len(asked)} queries, {len(counting)} count" if path else ""
        return Row(name, milliseconds(many), said, "≤ 1.3 ×, no COUNT", many / few <= 1.3 and not counting)
