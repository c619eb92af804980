"""`manage.py figures --since DATE`: count the hours of the dashboard anew, after rows were mended or brought in."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from editor.jobs import figures

TOLD = 24 * 30  # hours


def day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    except ValueError as error:
        raise ArgumentTypeError("A day like 2026-03-31.") from error


class Command(BaseCommand):
    help = "Counts the hours of the dashboard anew. The clock does so by itself; this is for rows that came late."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=day, help="the first day, in UTC; without it from the very first row")

    def handle(self, *args: Any, **options: Any) -> None:
        now, counted = timezone.now(), 0
        for hour in figures.recount(options["since"] or figures.first_hour(now), now):
            counted += 1
            if counted % TOLD == 0:
                self.stdout.write(f"Back to {hour:%Y-%m-%d} …")
        self.stdout.write(f"Counted {counted} hours.")
