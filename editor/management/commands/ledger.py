"""`manage.py ledger [--repair]`: whether all that was held, taken and released adds up."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from editor.jobs import ledger


class Command(BaseCommand):
    help = "Checks that the ledger of allowances adds up; exits with 1 and names what does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="First write the entries that edits from before the ledger lack, and set the sums right.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["repair"]:
            self.stdout.write(f"Written: {ledger.repair()}")
        problems = ledger.problems()
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            raise CommandError("The ledger does not add up.")
        self.stdout.write("The ledger adds up.")
