"""Two moderators, a thousand people, and whatever was reported, decided, edited and paid of theirs, by the million."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import AutoField, Model
from django.utils import timezone

from editor.models import (
    Allowance,
    AllowanceEntry,
    AttemptState,
    AuditHead,
    Cause,
    Decision,
    GenerationJob,
    ModerationCase,
    Notice,
    User,
    WebhookEvent,
    Workspace,
)
from editor.models.allowances import month_of
from editor.moderation import audit
from editor.moderation.cases import open_case
from tests.bench.pages import finished
from tests.makers import make_attempt, make_image, make_job, make_user

PEOPLE = 1_000
KNOWN = 30

WHO = "%(first)s + n %% %(people)s"
# Every other one is flagged: so that a page of one cause is full with a thousandth, too.
CAUSE = "(ARRAY['flagged', 'report', 'flagged', 'classifier', 'flagged', 'trust'])[1 + n %% 6]"
MINUTES_AGO = "now() - n * interval '1 minute'"
# In order, since a million random ids would take minutes to file away.
ID = "lpad(to_hex(n), 32, '0')::uuid"
DECIDED_ID = "('d' || lpad(to_hex({}), 31, '0'))::uuid"
NUMBERED = "lpad(n::text, 12, '0')"
CHANGED_JOB = {"id": ID, "form_token": NUMBERED, "made_by_id": WHO, "created_at": MINUTES_AGO}
CHANGED_IMAGE = {"id": ID, "made_by_id": WHO, "created_at": MINUTES_AGO}
CHANGED_ATTEMPT = {
    "id": ID,
    "job_id": ID,
    "secret": NUMBERED,
    "vendor_id": NUMBERED,
    "created_at": MINUTES_AGO,
    "ended_at": MINUTES_AGO,
}
CHANGED_EVENT = {"attempt_id": ID, "received_at": MINUTES_AGO}
CHANGED_ENTRY = {"job_id": ID, "user_id": WHO, "created_at": MINUTES_AGO}
CHANGED_NOTICE = {"id": ID, "person_id": WHO, "created_at": MINUTES_AGO}
CASES = f"""
    INSERT INTO editor_moderationcase (id, cause, key, urgency, state, person_id, image_id, details, opened_at)
    SELECT {ID}, {CAUSE}, 'nudity', 30 + n %% 60, 'open', {WHO}, {ID}, '{{}}',
           {MINUTES_AGO}
    FROM generate_series(%(start)s, %(last)s) n"""

REPORTS = f"""
    INSERT INTO editor_report (case_id, reporter_id, reason, words, created_at)
    SELECT {ID}, {WHO}, 'nudity', '', {MINUTES_AGO}
    FROM generate_series(%(start)s, %(last)s) n WHERE n %% 6 = 1"""
DECIDED = f"""
    INSERT INTO editor_moderationcase (id, cause, key, urgency, state, person_id, details, opened_at, decided_at)
    SELECT {DECIDED_ID.format("n")}, {CAUSE}, 'nudity', 50, 'decided', {WHO}, '{{}}', {MINUTES_AGO}, {MINUTES_AGO}
    FROM generate_series(%(start)s, %(last)s) n"""
DECISIONS = f"""
    INSERT INTO editor_decision
        (id, case_id, moderator_id, cause, key, person_id, actions, reason, note, before, created_at)
    SELECT {ID}, {DECIDED_ID.format("n / 10")},
           CASE WHEN n %% 4 = 0 THEN %(colleague)s ELSE %(moderator)s END, {CAUSE}, 'nudity', {WHO}, '["fine"]', '', '',
           '{{}}', now() - n * interval '1 second'
    FROM generate_series(%(start)s, %(last)s) n"""
# Only what no page shows of them is made up: the hashes.
AUDIT_LOG = f"""
    INSERT INTO editor_auditentry (number, at, actor_id, action, about, words, details, previous, hash)
    SELECT %(length)s + 1 + n - %(start)s, now() - (%(last)s - n) * interval '1 millisecond', %(moderator)s,
           'case.decided', 'user:' || ({WHO}), 'Fine', '{{}}', md5('entry' || n - 1), md5('entry' || n)
    FROM generate_series(%(start)s, %(last)s) n"""
# To build an index of a million rows at once takes a tenth of what it takes to add them one by one.
SLOWING = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename LIKE 'editor%' AND indexdef NOT LIKE '%UNIQUE%'"""
LENGTH = "UPDATE editor_audithead SET length = length + 1 + %(last)s - %(start)s"


class Crowd:
    """Filled twice, it has a thousandth first."""

    def __init__(self) -> None:
        self.moderator = make_user("moderator@example.com", is_superuser=True, is_staff=True)
        self.colleague = make_user("colleague@example.com")
        self.colleague.user_permissions.add(Permission.objects.get(codename="moderate"))
        self.people = [make_user(f"reported{number}@example.com") for number in range(PEOPLE)]
        self.image = make_image(self.people[0])
        self.job = finished(self.people[0], Workspace.objects.personal_of(self.people[0]), self.image.created_at, 1)
        GenerationJob.objects.bulk_create([self.job])
        make_job(self.people[0], self.image, due_at=None)
        self.attempt = make_attempt(self.job, state=AttemptState.ENDED)
        self.event = WebhookEvent.objects.create(attempt=self.attempt, status="success", body={"status": "success"})
        self.entries = [self.movement(kind) for kind in (Allowance.HELD, Allowance.TAKEN)]
        self.notice = Notice.objects.create(person=self.people[0], headline="All is fine", words="We looked at it.")
        Notice.objects.update(mail_due_at=None)
        audit.record(self.moderator, "case.decided", self.people[0])
        self.known = self.someone_known()
        self.filled = 0

    def movement(self, kind: Allowance) -> AllowanceEntry:
        return AllowanceEntry.objects.create(
            workspace=self.job.workspace,
            user=self.job.made_by,
            job=self.job,
            kind=kind,
            month=month_of(self.job.created_at),
            pictures=1,
            money=0,
        )

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
        Notice.objects.bulk_create(
            Notice(
                person=person,
                decision=decision,
                headline="Fine",
                words="Fine",
                mail_due_at=None,
                seen_at=case.decided_at,
            )
            for decision in decisions
        )
        return person

    def fill(self, thousands: int) -> None:
        """Up to so many thousand edits and decisions and a tenth of open cases, straight in the database.

        To carry millions of rows there would take an hour.
        """
        all_of = range(self.filled * 1_000, thousands * 1_000)
        tenth = range(self.filled * 100, thousands * 100)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # all rows fit: their keys need not be looked up
            cursor.execute(SLOWING)
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f'DROP INDEX "{name}"')
        self.copy(self.job, all_of, CHANGED_JOB)
        self.copy(self.attempt, all_of, CHANGED_ATTEMPT)
        self.copy(self.event, all_of, CHANGED_EVENT)
        for entry in self.entries:
            self.copy(entry, all_of, CHANGED_ENTRY)
        self.copy(self.image, tenth, CHANGED_IMAGE)
        self.run(CASES, tenth)
        self.run(REPORTS, tenth)
        self.run(DECIDED, tenth)
        self.run(DECISIONS, all_of)
        self.copy(self.notice, all_of, CHANGED_NOTICE)
        self.run(AUDIT_LOG, all_of, length=AuditHead.objects.get().length)
        self.run(LENGTH, all_of)
        self.filled = thousands
        with connection.cursor() as cursor:
            for _, made_by in indexes:
                cursor.execute(made_by)
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM ANALYZE")

    def copy(self, pattern: Model, numbers: range, changed: dict[str, str]) -> None:
        """Rows like one, but for some columns, by their number `n`; a number of their own is drawn as ever."""
        own = [field for field in pattern._meta.concrete_fields if not isinstance(field, AutoField)]
        names = [field.column for field in own if field.column]
        columns, values = ", ".join(names), ", ".join(changed.get(name, f"p.{name}") for name in names)
        table = pattern._meta.db_table
        self.run(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} p, "
            "generate_series(%(start)s, %(last)s) n WHERE p.id = %(pattern)s",
            numbers,
            pattern=pattern.pk,
        )

    def run(self, sql: str, numbers: range, **known: Any) -> None:
        known |= {"first": self.people[0].pk, "people": PEOPLE, "start": numbers.start, "last": numbers.stop - 1}
        known |= {"moderator": self.moderator.pk, "colleague": self.colleague.pk}
        with connection.cursor() as cursor:
            cursor.execute(sql, known)
