"""A portal that ran for a month: people with workspaces, their pictures, and edits with their lines in the ledger."""

from typing import Any

from django.db import connection
from django.db.models import AutoField, Model

from editor.models import Allowance, AllowanceEntry, GenerationJob, User, Workspace
from editor.models.allowances import month_of
from tests.bench.crowd import ID, NUMBERED, SLOWING
from tests.bench.pages import finished
from tests.makers import make_image, make_user

DAYS = 30
AGO = f"now() - (n + 1) * interval '{DAYS} days' / %(all)s"  # evenly, the newest first
WHO = "%(first)s + n %% %(people)s"
WHERE = "lpad(to_hex(n %% %(people)s), 32, '0')::uuid"
STATE = "(ARRAY['succeeded', 'succeeded', 'succeeded', 'succeeded', 'failed', 'canceled', 'blocked'])[1 + n %% 7]"
CODE = "CASE WHEN n %% 7 = 4 THEN (ARRAY['timed_out', 'vendor', 'result_lost'])[1 + n %% 3] ELSE '' END"
TAKEN = "CASE WHEN n %% 7 < 4 THEN 'taken' ELSE 'released' END"
CHANGED_USER = {"id": "%(first)s + n", "email": "'person' || n || '@example.com'", "date_joined": AGO}
CHANGED_WORKSPACE = {"id": ID, "personal_for_id": "%(first)s + n", "created_at": AGO}
CHANGED_IMAGE = {
    "id": ID,
    "made_by_id": WHO,
    "workspace_id": WHERE,
    "created_at": AGO,
    "ready_at": AGO,
    "byte_size": "100000 + n %% 900000",
    "purged_at": f"CASE WHEN n %% 10 = 9 THEN {AGO} + interval '1 hour' END",
}
CHANGED_JOB = {
    "id": ID,
    "form_token": NUMBERED,
    "made_by_id": WHO,
    "workspace_id": WHERE,
    "state": STATE,
    "failure_code": CODE,
    "allowance": TAKEN,
    "created_at": f"{AGO} - interval '20 seconds' - (n %% 9) * interval '1 second'",
    "submitted_at": f"{AGO} - interval '15 seconds'",
    "processing_at": f"{AGO} - interval '14 seconds'",
    "collecting_at": f"{AGO} - (1 + n %% 5) * interval '1 second'",
    "finished_at": AGO,
}
CHANGED_ENTRY = {
    "job_id": ID,
    "user_id": WHO,
    "workspace_id": WHERE,
    "kind": TAKEN,
    "money": "0.06",
    "created_at": AGO,
}


class Years:
    """Filled with so many edits, a fifth as many pictures and a fiftieth as many people; each time anew."""

    def __init__(self) -> None:
        self.operator = make_user("operator@example.com", is_superuser=True, is_staff=True)
        self.pattern = make_user("pattern@example.com")
        self.workspace = Workspace.objects.personal_of(self.pattern)
        self.image = make_image(self.pattern)
        self.job = finished(self.pattern, self.workspace, self.image.created_at, 1)
        GenerationJob.objects.bulk_create([self.job])
        self.entry = AllowanceEntry.objects.create(
            workspace=self.workspace,
            user=self.pattern,
            job=self.job,
            kind=Allowance.TAKEN,
            month=month_of(self.job.created_at),
            pictures=1,
            money=0,
        )
        self.first = self.pattern.pk + 1_000

    def fill(self, edits: int) -> None:
        """Straight in the database: to carry a million rows there would take an hour."""
        pictures, self.people = max(1, edits // 5), max(1, edits // 50)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # all rows fit: their keys need not be looked up
            for pattern in (self.entry, self.image, self.job, self.workspace, self.pattern):
                key = pattern._meta.db_table
                kept: list[Any] = [self.operator.pk, pattern.pk] if isinstance(pattern, User) else [pattern.pk]
                if isinstance(pattern, Workspace):
                    kept.append(Workspace.objects.personal_of(self.operator).pk)
                cursor.execute(f"DELETE FROM {key} WHERE NOT id = ANY(%s)", [kept])
            cursor.execute(SLOWING)
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f'DROP INDEX "{name}"')
        self.copy(self.pattern, self.people, CHANGED_USER)
        self.copy(self.workspace, self.people, CHANGED_WORKSPACE)
        self.copy(self.image, pictures, CHANGED_IMAGE)
        self.copy(self.job, edits, CHANGED_JOB)
        self.copy(self.entry, edits, CHANGED_ENTRY)
        with connection.cursor() as cursor:
            for _, made_by in indexes:
                cursor.execute(made_by)
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM ANALYZE")

    def copy(self, pattern: Model, number: int, changed: dict[str, str]) -> None:
        """So many rows like one, but for some columns, by their number `n` from 0."""
        own = [field for field in pattern._meta.concrete_fields if not isinstance(field, AutoField)]
        names = [field.column for field in own if field.column]
        names += ["id"] if "id" in changed and "id" not in names else []
        columns, values = ", ".join(names), ", ".join(changed.get(name, f"p.{name}") for name in names)
        table = pattern._meta.db_table
        known: dict[str, Any] = {"all": number, "first": self.first, "people": self.people, "pattern": pattern.pk}
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} p, "
                "generate_series(0, %(all)s - 1) n WHERE p.id = %(pattern)s",
                known,
            )
