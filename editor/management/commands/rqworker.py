"""`manage.py rqworker edits` or `… pictures`: django-rq's command with our defaults."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_rq.management.commands.rqworker import Command as RQWorkerCommand

from editor import rings


class Command(RQWorkerCommand):
    help = "Works on one queue: edits or pictures."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)  # type: ignore[no-untyped-call]
        parser.set_defaults(worker_ttl=30, serializer="rq.serializers.JSONSerializer")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = set(rings.QUEUES.values())
        if len(args) != 1 or args[0] not in queues:
            raise CommandError(
                f"Name one queue: {' or '.join(sorted(queues))}. 200 uploads must never stand before a result."
            )
        options["verbosity"] = 0  # RQ logs job arguments at INFO
        super().handle(*args, **options)  # type: ignore[no-untyped-call]
