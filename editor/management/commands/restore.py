"""`manage.py restore DIR`: a backup into an empty database and an empty bucket."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from editor.backup import checking, restoring
from editor.backup.folder import Folder, NotPossible


class Command(BaseCommand):
    help = "Puts a backup into an empty database and an empty bucket, and compares every row and byte."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="That of a backup.")
        parser.add_argument(
            "--check", action="store_true", help="Only read the backup, every byte of it, and say whether it is whole."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["directory"]
        try:
            if options["check"]:
                checking.check(Folder(path), self.stdout.write, whole=True)
                return
            said = restoring.restore(path, self.stdout.write)
        except NotPossible as reason:
            raise CommandError(str(reason)) from reason
        except OSError as error:
            what = error.filename or options["directory"]
            raise CommandError(f"{what} can't be read: {error.strerror or error}.") from error
        for sentence in restoring.warnings(said):
            self.stderr.write(sentence)
        self.stdout.write(
            f"The portal is as it was at {said['made_at']}. Now start its processes, and then run `manage.py doctor`."
        )
