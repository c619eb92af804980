"""The storage page with 200,000 pictures of 20,000 people beside one with a thousandth; what a rule costs."""

import time
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from editor.accounts.roles import OPERATOR
from editor.jobs import retention, storage
from editor.models import Image, ImageKind, Membership, RetentionRule, Role, StorageUse, User, Workspace
from tests.bench.library import analyze
from tests.bench.pages import copy_of, loader, measured, queries
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds
from tests.makers import make_image, make_user
from tests.portal import SandboxOptions
from tests.staff.roles import give_role

FEW, MANY = (200, 20), (200_000, 20_000)
"""Pictures and people."""
BATCH = 5_000
PAGE = "/operate/storage/"


def measure(stage: Stage) -> list[Row]:
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        operator = give_role(make_user("operator@example.com"), OPERATOR)
        load = loader(portal, operator, PAGE)
        fill(*FEW)
        storage.count_all()
        few = measured({"page": load})["page"]
        fill(*MANY)
        counted = counted_in_turns()
        analyze()
        many = measured({"page": load})["page"]
        place = StorageUse.objects.filter(workspace__isnull=False).order_by("size", "id")[30]
        last = measured({"page": loader(portal, operator, f"{PAGE}?after={place.pk}")})["page"]
        asked = len(queries(operator, PAGE))
        rows = [
            Row(
                f"storage page, {MANY[0]:,} pictures, {MANY[1]:,} people",
                milliseconds(many),
                f"{milliseconds(few)} with a thousandth; {asked} queries",
                "≤ 2 ×, ≤ 200 ms",
                many <= 2 * few and many <= 0.2,
            ),
            Row("  its last page", milliseconds(last), "", "≤ 200 ms", last <= 0.2),
            Row("  counting all anew, by the clock in turns", f"{counted:.1f} s of work"),
        ]
        return rows + dry_run(operator)


def counted_in_turns() -> float:
    """Seconds of work until everything is counted."""
    known = list(Workspace.objects.order_by("pk").values_list("pk", flat=True))
    began = time.perf_counter()
    for start in range(0, len(known), storage.AT_ONCE):
        storage.count(known[start : start + storage.AT_ONCE])
    return time.perf_counter() - began


def dry_run(operator: User) -> list[Row]:
    rule = RetentionRule.objects.create(what="uploads", days=30, made_by=operator)
    began = time.perf_counter()
    retention.try_dry(rule, timezone.now())
    tried = time.perf_counter() - began
    began = time.perf_counter()
    list(retention.listed(rule)[:101])
    listed = time.perf_counter() - began
    retention.looked(rule)
    rule.refresh_from_db()
    retention.switch_on(rule, operator, timezone.now())
    began = time.perf_counter()
    went = retention.step(timezone.now())
    step = time.perf_counter() - began
    return [
        Row(f"trying a rule dry that finds {rule.tried_pictures:,} pictures", milliseconds(tried)),
        Row("  the first page of its list", milliseconds(listed)),
        Row(f"  a step of its pass, {went} pictures", milliseconds(step)),
    ]


def fill(pictures: int, people: int) -> None:
    """So many people more with a personal workspace each, and pictures in them, the first ones' the most."""
    now = timezone.now()
    begin = User.objects.count()
    users = User.objects.bulk_create(
        User(email=f"someone{begin + number}@example.com", name=f"Someone {number}") for number in range(people)
    )
    spaces = Workspace.objects.bulk_create(Workspace(name="Personal", personal_for=user) for user in users)
    Membership.objects.bulk_create(
        Membership(workspace=space, user=user, role=Role.OWNER) for space, user in zip(spaces, users, strict=True)
    )
    pattern = make_image(users[0], copies_size=200_000)
    for start in range(0, pictures, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, pictures)):
            whose = number % people if number % 2 else number % max(1, people // 100)
            row = copy_of(pattern, ImageKind.UPLOADED)
            row.workspace, row.made_by = spaces[whose], users[whose]
            row.created_at = now - timedelta(minutes=number)
            row.byte_size = 1_000_000 + number
            row.trashed_at = now if number % 10 == 0 else None
            rows.append(row)
        Image.objects.bulk_create(rows)
    if connection.vendor == "postgresql":
        analyze()
