"""`manage.py doctor [--repair] [--all] [--json] [--only CHECK]`: is the portal well, and if not, what to do."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from editor.doctor.findings import Ask, Finding, Level
from editor.doctor.round import CHECKS, make_round


class Command(BaseCommand):
    help = (
        "Looks at settings, parts, processes, rows and objects, and says a line for each. Exit status: 0 all is well, "
        "1 something to know, 2 something to mend."
    )
    requires_system_checks: list[str] = []  # it says itself what is wrong with the settings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Mend what is safe: ring for stuck edits, delete objects that no row knows. Never touches money.",
        )
        parser.add_argument(
            "--all", action="store_true", help="Look at all attempts and objects, however many, not at some at a time."
        )
        parser.add_argument(
            "--only",
            action="append",
            choices=[check.name for check in CHECKS],
            help="This check alone; may be repeated.",
        )
        parser.add_argument("--json", action="store_true", help="Say it as JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[Finding] = []
        chosen = [check for check in CHECKS if check.name in (options["only"] or [check.name])]
        for finding in make_round(Ask(repair=options["repair"], everything=options["all"]), chosen):
            found.append(finding)
            if not options["json"]:
                self.say(finding)
        worst = max(finding.level for finding in found)
        if options["json"]:
            said = {"status": worst.word, "findings": [finding.as_dict() for finding in found]}
            self.stdout.write(json.dumps(said, indent=2))
        sys.exit(int(worst))

    def say(self, finding: Finding) -> None:
        paint = {Level.OK: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.PROBLEM: self.style.ERROR}
        head = paint[finding.level](f"{finding.level.word:<8}")
        self.stdout.write(
            " ".join(filter(None, [f"{head} {finding.check}:", finding.says, finding.do, finding.mended]))
        )
