"""`manage.py backup DIR`: rows and objects that fit together. Again into the same directory, only what is new."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from editor.backup import taking
from editor.backup.folder import NotPossible


class Command(BaseCommand):
    help = "Backs up database and bucket into a directory; into that of an earlier backup, only what is new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="A new one, or that of an earlier backup of this portal.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            gathered = taking.take(options["directory"], self.stdout.write)
        except NotPossible as reason:
            raise CommandError(str(reason)) from reason
        except OSError as error:
            what = error.filename or options["directory"]
            raise CommandError(f"{what} can't be written: {error.strerror or error}.") from error
        for what, words in ((gathered.lost, "have no bytes in the bucket"), (gathered.damaged, "are damaged")):
            if what:
                self.stderr.write(
                    f"{len(what)} pictures {words}, such as {what[0]}: see `manage.py doctor --only objects --all`."
                )
        size = filesizeformat(gathered.size).replace("\xa0", " ")
        self.stdout.write(
            f"The backup in {options['directory']} is whole: {gathered.pictures} pictures in {gathered.objects} "
            f"objects ({size}), {gathered.copied} of them new."
        )
