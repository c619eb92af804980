"""Run the stand-in for the flux server by itself."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from editor.flux.sandbox import Sandbox, faults


class Command(BaseCommand):
    """`manage.py fluxsandbox`: ends on Ctrl-C and SIGTERM."""

    help = "Run a stand-in for the flux server: it really edits pictures, and fails in every way it is asked to."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8010", help="host:port, with port 0 for any free one")
        parser.add_argument("--seconds", type=float, default=4.0, help="time per picture; may be 0")
        parser.add_argument("--slots", type=int, default=1, help="generations that run at the same time")
        parser.add_argument("--queue-limit", type=int, default=10, help="unfinished generations that it accepts")
        parser.add_argument("--key", help="the one key that is good; without it any is")
        parser.add_argument("--dir", help="folder for results and the ledger; without it a temporary one")
        parser.add_argument("--echo", action="store_true", help="return the input as it came, for load tests")
        parser.add_argument("--keep-hours", type=float, default=24.0, help="how long results are kept")
        parser.add_argument("--temp-seconds", type=float, default=60.0, help="the same where a request says temp")
        parser.add_argument("--restart-seconds", type=float, default=3.0, help="how long a restart on command takes")
        parser.add_argument("--list-faults", action="store_true", help="print what it can be asked to get wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list_faults"]:
            self.stdout.write((faults.__doc__ or "").strip())
            return
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        try:
            sandbox = Sandbox(
                seconds=options["seconds"],
                slots=options["slots"],
                queue_limit=options["queue_limit"],
                bind=options["bind"],
                key=options["key"],
                directory=options["dir"],
                echo=options["echo"],
                keep_hours=options["keep_hours"],
                temp_seconds=options["temp_seconds"],
                restart_seconds=options["restart_seconds"],
            ).start()
        except (OSError, ValueError, OverflowError) as error:
            raise CommandError(f"The sandbox can't listen on {options['bind']}: {error}") from error
        with sandbox:
            self.stdout.write(f"Sandbox of the flux server: {sandbox.origin}/")
            self.stdout.write(f"FLUX_BASE_URL={sandbox.base_url}")
            self.stdout.write(f"FLUX_UPLOAD_URL={sandbox.upload_url}")
            self.stdout.flush()
            ending.wait()
