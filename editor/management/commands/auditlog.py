"""`manage.py auditlog verify | export`: whether the audit log is whole, and the log as a file."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from editor.models import AuditEntry, AuditHead
from editor.moderation import audit
from editor.moderation.export import Format, lines


class Command(BaseCommand):
    help = "Checks the chain of the audit log, or writes the log to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True)
        verify = ways.add_parser("verify", help="Exits with 1 and says in sentences what is wrong.")
        verify.add_argument(
            "--expect",
            metavar="HASH",
            help="A hash that was noted elsewhere: the log must hold an entry with it, or somebody wrote it anew.",
        )
        export = ways.add_parser("export", help="All entries, the oldest first.")
        export.add_argument("--format", choices=[each.value for each in Format], default=Format.LINES.value)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["way"] == "export":
            return self.export(Format(options["format"]))
        return self.verify((options["expect"] or "").strip().lower())

    def verify(self, expected: str) -> None:
        """Raises CommandError, with which the process exits with 1."""
        wrong = 0
        for sentence in audit.verify():
            self.stderr.write(sentence)
            wrong += 1
        if expected and not AuditEntry.objects.filter(hash=expected).exists():
            self.stderr.write(f"No entry has the hash {expected}: the log was written anew, or it is another log.")
            wrong += 1
        if wrong:
            raise CommandError("The audit log is not what it was.", returncode=1)
        head = AuditHead.objects.filter(pk=audit.HEAD).first()
        if head is None or not head.length:
            self.stdout.write("The audit log is empty.")
            return
        self.stdout.write(f"The audit log is whole: {head.length} entries.")
        self.stdout.write("Note the last hash where nobody here can write:")
        self.stdout.write(head.hash)

    def export(self, form: Format) -> None:
        """The export is an entry, too, and the last line of itself."""
        last = audit.record(None, "auditlog.exported", words=f"As {form}, by a command.", format=form.value)
        for text in lines(last.number, form):
            self.stdout.write(text, ending="")
