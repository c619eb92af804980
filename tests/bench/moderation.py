"""The desk and every list of the administration, with a million decisions and edits beside a thousandth of that."""

import re
import time
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from editor.desk import queue
from editor.models import Cause, Decision, GenerationJob, ModerationCase, User, Workspace
from editor.moderation.cases import open_case
from editor.views.desk_record import PER_PAGE, write_cursor
from tests.bench.pages import Load, finished, loader, measured, queries
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds
from tests.makers import make_image, make_job, make_user
from tests.portal import Portal, SandboxOptions

FEW = {"cases": 100, "decisions": 1_000, "jobs": 1_000}
MANY = {"cases": 100_000, "decisions": 1_000_000, "jobs": 1_000_000}
PEOPLE = 1_000
KNOWN = 30
ROUNDS = 9
CONTROL = "control: a page that reads none of it"

WHO = "%(first)s + n %% %(people)s"
CAUSE = "(ARRAY['report', 'classifier', 'trust', 'flagged'])[1 + n %% 4]"
CHANGED_JOB = {
    "id": "md5('job' || n)::uuid",
    "form_token": "md5('form' || n)",
    "made_by_id": WHO,
    "created_at": "p.created_at - n * interval '1 minute'",
}
CHANGED_IMAGE = {"id": "md5('image' || n)::uuid", "made_by_id": WHO, "created_at": CHANGED_JOB["created_at"]}
CASES = f"""
    INSERT INTO editor_moderationcase (id, cause, key, urgency, state, person_id, image_id, details, opened_at)
    SELECT md5('case' || n)::uuid, {CAUSE}, 'nudity', 30 + n %% 60, 'open', {WHO}, md5('image' || n / 4)::uuid, '{{}}',
           now() - n * interval '1 minute'
    FROM generate_series(%(start)s, %(last)s) n"""
DECIDED = f"""
    INSERT INTO editor_moderationcase (id, cause, key, urgency, state, person_id, details, opened_at, decided_at)
    SELECT md5('decided' || n)::uuid, {CAUSE}, 'nudity', 50, 'decided', {WHO}, '{{}}', now() - n * interval '1 minute',
           now() - n * interval '1 minute'
    FROM generate_series(%(start)s, %(last)s) n"""
DECISIONS = f"""
    INSERT INTO editor_decision
        (id, case_id, moderator_id, cause, key, person_id, actions, reason, note, before, created_at)
    SELECT md5('decision' || n)::uuid, md5('decided' || n / 10)::uuid,
           CASE WHEN n %% 4 = 0 THEN %(colleague)s ELSE %(moderator)s END, {CAUSE}, 'nudity', {WHO}, '["fine"]', '', '',
           '{{}}', now() - n * interval '1 second'
    FROM generate_series(%(start)s, %(last)s) n"""


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


class Scene:
    """Two moderators, a thousand people, and what was reported and decided of them."""

    def __init__(self) -> None:
        self.moderator = make_user("moderator@example.com", is_superuser=True, is_staff=True)
        self.colleague = make_user("colleague@example.com")
        self.colleague.user_permissions.add(Permission.objects.get(codename="moderate"))
        self.people = [make_user(f"reported{number}@example.com") for number in range(PEOPLE)]
        self.image = make_image(self.people[0])
        self.ended = finished(self.people[0], Workspace.objects.personal_of(self.people[0]), self.image.created_at, 1)
        GenerationJob.objects.bulk_create([self.ended])
        make_job(self.people[0], self.image, due_at=None)
        self.known = self.someone_known()
        self.filled = dict.fromkeys(FEW, 0)

    def someone_known(self) -> User:
        """A person whose pages are as full in both: what grows is all around them."""
        person = make_user("known@example.com")
        for _ in range(KNOWN):
            open_case(Cause.REPORT, person, image=make_image(person))
        case = ModerationCase(cause=Cause.OFTEN, urgency=50, person=person, state="decided", decided_at=timezone.now())
        case.save()
        rows = (
            Decision(case=case, moderator=self.moderator, cause=case.cause, person=person) for _ in range(2 * KNOWN)
        )
        for row in (decisions := list(rows)):
            row.actions = ["fine"]
        Decision.objects.bulk_create(decisions)
        return person

    def fill(self, wanted: dict[str, int]) -> None:
        """Up to so many of each, straight in the database: to carry millions of rows there would take an hour."""

        def more(name: str, of: int = 1) -> range:
            return range(-(-self.filled[name] // of), -(-wanted[name] // of))

        self.copy(GenerationJob, self.ended.pk, more("jobs"), CHANGED_JOB)
        self.copy(type(self.image), self.image.pk, more("cases", of=4), CHANGED_IMAGE)
        self.run(CASES, more("cases"))
        self.run(DECIDED, more("decisions", of=10))
        self.run(DECISIONS, more("decisions"))
        self.filled = dict(wanted)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def copy(self, model: Any, pattern: Any, numbers: range, changed: dict[str, str]) -> None:
        """Rows like one, but for some columns, by their number `n`."""
        names = [field.column for field in model._meta.concrete_fields]
        columns, values = ", ".join(names), ", ".join(changed.get(name, f"p.{name}") for name in names)
        table = model._meta.db_table
        self.run(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} p, "
            "generate_series(%(start)s, %(last)s) n WHERE p.id = %(pattern)s",
            numbers,
            pattern=pattern,
        )

    def run(self, sql: str, numbers: range, **known: Any) -> None:
        known |= {"first": self.people[0].pk, "people": PEOPLE, "start": numbers.start, "last": numbers.stop - 1}
        known |= {"moderator": self.moderator.pk, "colleague": self.colleague.pk}
        with connection.cursor() as cursor:
            cursor.execute(sql, known)

    # Reading ----------------------------------------------------------------------------------------------------------

    def pages(self) -> dict[str, str]:
        case = ModerationCase.objects.waiting().filter(person=self.known)[10]
        oldest = Decision.objects.order_by("created_at", "id")[PER_PAGE]
        desk, decisions, by = reverse("desk"), reverse("desk_decisions"), self.moderator.pk
        found = {
            "desk": desk,
            "desk: one cause": f"{desk}?cause=flagged",
            "desk: one group": f"{desk}?cause={case.cause}&person={case.person_id}",
            "desk: a case": reverse("desk_case", args=[case.pk]),
            "desk: a person": reverse("desk_person", args=[case.person_id]),
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
        said = f"{milliseconds(few)} with a thousandth" + (f"; {len(asked)} queries" if path else "")
        return Row(
            name,
            milliseconds(many),
            said + (f", {len(counting)} count" if counting else ""),
            "≤ 1.3 ×, no COUNT",
            many / few <= 1.3 and not counting,
        )
