"""`manage.py flux_s3 register | show | reset`: whether the flux server writes results straight into our inbox.

No part of a key is ever printed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.timesince import timesince

from editor.flux.contract import DEPLOY_TYPE, Notice
from editor.images import inbox
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.ingest import TooMany
from editor.jobs import registration, trial, vendor
from editor.jobs.creation import NotAllowed
from editor.jobs.registration import IN_A_SHELL, NotRegistered
from editor.models import User


class Command(BaseCommand):
    help = "Have the flux server write its results straight into a bucket of ours, look whether it does, or end it."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        register = actions.add_parser("register", help="check the keys, tell the flux server, try it with one edit")
        register.add_argument("--yes", action="store_true", help="don't ask")
        register.add_argument("--no-test", action="store_true", help="make no test edit, which is a paid request")
        register.add_argument("--as", dest="email", help="whose edit the test is; the first administrator's by default")
        register.add_argument("--wait", type=float, default=180, help="seconds for the test edit")
        actions.add_parser("show", help="what is set, and where the last results came from")
        reset = actions.add_parser("reset", help="have results written into the flux server's own bucket again")
        reset.add_argument("--yes", action="store_true", help="don't ask")
        for action in (register, reset):
            action.add_argument("--deploy-type", default=DEPLOY_TYPE, help="the kind of your flux server; %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        {"register": self.register, "show": self.show, "reset": self.reset}[options["action"]](options)

    # register ------------------------------------------------------------------------------------------------------

    def register(self, options: dict[str, Any]) -> None:
        if not settings.FLUX_INBOX:
            raise CommandError(registration.NO_INBOX)
        person = None if options["no_test"] else self._person(options["email"])
        self._say_what_is_set()
        self._check_keys()
        self.stdout.write(f"The flux server at {registration.host()} will be told to write all its results there.")
        if person:
            self.stdout.write(
                f"Then a test edit is made for {person.email}: one paid request, {registration.price()}. "
                "It waits for its turn like any other."
            )
        if not options["yes"] and not self._agreed():
            raise CommandError("Nothing was changed.")
        self._tell(lambda: vendor.client().update_s3(vendor.registration(options["deploy_type"])))
        self.stdout.write("Registered.")
        if person:
            self._try(person, options)
        else:
            self.stdout.write("Not tested: `manage.py flux_s3 show` says later where results came from.")

    def _check_keys(self) -> None:
        try:
            odd = registration.check_keys()
        except NotRegistered as no:
            raise CommandError(str(no)) from no
        self.stdout.write("Our key can list, read, copy and delete there.")
        self.stdout.write(f"The flux server's key can write there, and neither see nor change {settings.S3_BUCKET}.")
        for sentence in odd:
            self.stdout.write(f"Note: {sentence}")

    def _try(self, person: User, options: dict[str, Any]) -> None:
        wait = options["wait"]
        try:
            job = trial.begin(person)
        except (NotAllowed, TooMany, BucketUnavailable) as error:
            raise CommandError(f"Registered, but not tested: {error}") from error
        ended = trial.follow(job, timedelta(seconds=wait))
        if not ended:
            raise CommandError(registration.late(job, wait, IN_A_SHELL))
        try:
            link = registration.proven(job, options["deploy_type"], IN_A_SHELL)
        except NotRegistered as no:
            raise CommandError(str(no)) from no
        self.stdout.write(f"The test picture arrived in the inbox, as {link}, and was copied from there.")
        self.stdout.write(f"It is in the history of {person.email}.")

    def _person(self, email: str | None) -> User:
        people = User.objects.filter(is_active=True)
        found = people.filter(email__iexact=email) if email else people.filter(is_superuser=True).order_by("pk")
        person = found.first()
        if person is None:
            who = f"Nobody here is {email}." if email else "There is no administrator whose edit the test could be."
            raise CommandError(f"{who} Name a person by --as, or leave the test out by --no-test.")
        return person

    # show and reset ------------------------------------------------------------------------------------------------

    def show(self, options: dict[str, Any]) -> None:
        if not settings.FLUX_INBOX:
            self.stdout.write("No inbox is set: results are downloaded from the flux server's own links.")
            return
        self._say_what_is_set()
        self.stdout.write(registration.last_results())
        try:
            found = inbox.contents()
        except (BucketUnavailable, Missing) as error:
            raise CommandError(f"What lies in the inbox can't be seen: {error}") from error
        if found.oldest is None:
            self.stdout.write("The inbox is empty.")
            return
        count = f"more than {found.count}" if found.more else str(found.count)
        kept = timesince(timezone.now() - settings.FLUX_INBOX_KEPT, depth=1)
        since = timesince(found.oldest, depth=1)
        self.stdout.write(
            f"In the inbox: {count}, the oldest for {since}. The clock deletes what is older than {kept}."
        )

    def reset(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"The flux server at {registration.host()} will write its results into its own bucket again.")
        if not options["yes"] and not self._agreed():
            raise CommandError("Nothing was changed.")
        self._tell(lambda: vendor.client().reset_s3(options["deploy_type"]))
        self.stdout.write("Done. What is under way may still arrive in the inbox: keep the settings for a day.")
        self.stdout.write("Then unset FLUX_INBOX_…, and delete the flux server's key at your store.")

    # What they share ------------------------------------------------------------------------------------------------

    def _say_what_is_set(self) -> None:
        for name, words in registration.what_is_set():
            self.stdout.write(f"{name + ':':<10}{words}")

    def _agreed(self) -> bool:
        try:
            return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            raise CommandError("Nobody is there to ask. Nothing was changed; --yes goes on without.") from None

    def _tell(self, call: Callable[[], Notice]) -> None:
        try:
            words = registration.told(call)
        except NotRegistered as no:
            raise CommandError(str(no)) from no
        if words:
            self.stdout.write(f"It says: {words}")
