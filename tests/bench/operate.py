"""The dashboard over a month with a million edits, 200,000 pictures and 20,000 people, beside a thousandth of that."""

import os
import time
from datetime import timedelta

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from editor.jobs import figures
from editor.jobs.periods import write_period
from editor.models import Figure, Mark
from editor.models.figures import HOUR, hour_of
from tests.bench.pages import Load, loader, measured, queries
from tests.bench.stage import Stage
from tests.bench.table import Row, median, milliseconds
from tests.bench.years import Years
from tests.portal import Portal, SandboxOptions

MANY = int(os.environ.get("BENCH_EDITS", "1_000_000"))
FEW = MANY // 1_000
ROUNDS = 15
CONTROL = "control: a page that reads none of it"
DASHBOARD = "dashboard"


def measure(stage: Stage) -> list[Row]:
    if connection.vendor != "postgresql":
        return [Row("operate", "", "measured on PostgreSQL alone")]
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        years = Years()
        few, _ = filled(years, portal, FEW)
        many, counting = filled(years, portal, MANY)
        pace = many[CONTROL] / few[CONTROL]
        rows = [
            Row(f"counting the hours of a month, {MANY:,} edits", f"{sum(counting):.1f} s"),
            Row("  one hour", milliseconds(median(counting)), f"{milliseconds(max(counting))} the slowest"),
            Row(CONTROL, milliseconds(many[CONTROL]), f"{milliseconds(few[CONTROL])} before"),
        ]
        return rows + [row(name, few[name] * pace, many[name], years, path) for name, path in pages().items()]


def filled(years: Years, portal: Portal, edits: int) -> tuple[dict[str, float], list[float]]:
    """Medians of the pages with so many edits, and the seconds that counting each hour took."""
    Figure.objects.all().delete()
    Mark.objects.filter(pk__startswith="figures").delete()
    years.fill(edits)
    took, now = [], timezone.now()
    began = time.perf_counter()
    for _ in figures.recount(figures.first_hour(now), now):
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    loads: dict[str, Load] = {CONTROL: loader(portal, years.operator, reverse("trash"))}
    loads |= {name: loader(portal, years.operator, path) for name, path in pages().items()}
    return measured(loads, rounds=ROUNDS), took


def pages() -> dict[str, str]:
    jobs = reverse("admin:editor_generationjob_changelist")
    hour = hour_of(timezone.now()) - timedelta(days=10)
    period = write_period(hour, hour + HOUR)
    return {
        DASHBOARD: reverse("operate"),
        "  the edits behind a bar of an hour": f"{jobs}?ended={period}&state__exact=succeeded",
        "  those of a cause": f"{jobs}?ended={period}&state__exact=failed&cause=timed_out",
        "  those of a day": f"{jobs}?ended={write_period(hour, hour + 24 * HOUR)}&allowance__exact=taken",
    }


def row(name: str, few: float, many: float, years: Years, path: str) -> Row:
    said = f"{milliseconds(few)} with a thousandth, {many / few:.2f} ×; {len(queries(years.operator, path))} queries"
    if name != DASHBOARD:  # a thousandth fills no list
        return Row(name, milliseconds(many), said, "≤ 200 ms", many <= 0.2)
    return Row(name, milliseconds(many), said, "≤ 200 ms, ≤ 2 ×", many <= 0.2 and many <= 2 * few)
