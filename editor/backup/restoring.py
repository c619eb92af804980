"""Restoring: into an empty database and an empty bucket alone, and nothing is believed that was not read back."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from editor.backup import rows
from editor.backup.checking import check, with_places
from editor.backup.folder import Folder, NotPossible, sum_of
from editor.backup.index import Kept
from editor.backup.objects import THREADS, listed
from editor.backup.taking import Say, key_check, migrations
from editor.images import bucket
from editor.images.bucket import BucketUnavailable, Missing
from editor.models import AuditHead, Membership, User, Workspace

MARK = "restoring"  # the key of an object that says which backup is being restored here
PREFIXES = ("images/", "incoming/", "quarantine/")
BY_ITSELF = {
    *("contenttypes.contenttype", "auth.permission", "auth.group", "auth.group_permissions"),
    *("editor.fluxserver", "editor.mark", "editor.audithead", "editor.figure"),
    *("editor.storageuse", "editor.bucketround"),
}
"""Tables in which a portal has rows before anybody came."""

OF_FIRST = {"editor.user", "account.emailaddress", "editor.workspace", "editor.membership"}
"""Tables that hold the first administrator of a new portal."""


def restore(path: Path, say: Say) -> dict[str, Any]:
    """Put a backup into an empty portal; returns its manifest. Raises NotPossible with a sentence.

    Objects first, each read back, then all rows in one transaction: the portal has people only when it has everything.
    One that was interrupted goes on when it is called again.
    """
    folder = Folder(path)
    said = check(folder, say)
    with folder.held():
        try:
            _need_this_version(said)
            _need_empty_database()
            goes_on = _need_empty_bucket(said)
            say("Database and bucket are empty." if not goes_on else "An interrupted restore of this backup goes on.")
            bucket.put(MARK, _name(said).encode(), "text/plain")
            _put_objects(folder, said, goes_on, say)
            _load_rows(folder, said, say)
            bucket.delete([MARK])
        except BucketUnavailable as error:
            raise NotPossible(
                f"The bucket does not answer or does not keep what it is given ({error}). The same command goes on "
                "from here."
            ) from error
    return said


def _need_this_version(said: dict[str, Any]) -> None:
    """A database without tables gets them first."""
    if not MigrationRecorder(connection).has_table():
        call_command("migrate", interactive=False, verbosity=0)
    here, there = set(migrations()), set(said["migrations"])
    if here == there:
        return
    odd = sorted(here ^ there)[0]
    raise NotPossible(
        f"The backup was made by another version of the portal: {odd} is applied in "
        f"{'this database' if odd in here else 'the backup'} alone. Install the version that made it, migrate an "
        "empty database with it, restore, and upgrade then."
    )


def _need_empty_database() -> None:
    filled = [m for m in rows.tables() if m._meta.label_lower not in BY_ITSELF and m._base_manager.exists()]
    strangers = [m for m in filled if m._meta.label_lower not in OF_FIRST]
    if strangers or AuditHead.objects.filter(length__gt=0).exists() or not _is_first_administrator_alone():
        what = ([User] if User in filled else strangers or filled or [AuditHead])[0]._meta.verbose_name_plural
        raise NotPossible(
            f"The database is not empty: it has {what}. A backup is restored into an empty portal alone, and nothing "
            "was changed. Name an empty database in DATABASE_URL."
        )


def _is_first_administrator_alone() -> bool:
    """Nobody, or whom `firststart` made and who never signed in."""
    people = list(User.objects.all()[:2])
    if len(people) > 1 or any(not user.is_superuser or user.last_login for user in people):
        return False
    others = Workspace.objects.exclude(personal_for__in=people).exists()
    return not others and Membership.objects.count() <= len(people)


def _need_empty_bucket(said: dict[str, Any]) -> bool:
    """True if the same backup was being restored here."""
    with suppress(Missing):
        if bucket.get(MARK).decode() == _name(said):
            return True
    for prefix in PREFIXES:
        if (first := next(listed(prefix), None)) is not None:
            raise NotPossible(
                f"The bucket is not empty: it has {prefix}{first}. A backup is restored into an empty portal alone, "
                "and nothing was changed. Name an empty bucket in S3_BUCKET."
            )
    return False


def _name(said: dict[str, Any]) -> str:
    return f"{said['portal']} {said['run']}"


def _put_objects(folder: Folder, said: dict[str, Any], goes_on: bool, say: Say) -> None:
    """Raises BucketUnavailable, NotPossible."""
    left, done = with_places(folder, said), 0
    with ThreadPoolExecutor(THREADS) as pool:
        while some := list(islice(left, 200)):
            list(pool.map(lambda pair: _put(folder, pair[0], pair[1], goes_on), some))
            done += len(some)
            if done % 5_000 < len(some):
                say(f"{done} of {said['objects']['count']} objects are in the bucket.")
    say(f"All {done} objects are in the bucket, and were read back.")


def _put(folder: Folder, kept: Kept, key: str, goes_on: bool) -> None:
    if goes_on and _has(key, kept):
        return
    path = folder.object_path(kept.key)
    bucket.put(key, path, kept.content_type)
    if _has(key, kept):
        return
    if sum_of(path) != kept.sha256:
        raise NotPossible(f"{path} is not what it was. Take another copy of the backup, and an empty bucket.")
    raise BucketUnavailable(f"{key} came back otherwise than it went there")


def _has(key: str, kept: Kept) -> bool:
    """Whether the bucket gives these very bytes. Raises BucketUnavailable."""
    try:
        found = bucket.open_stream(key)
    except Missing:
        return False
    digest = hashlib.sha256()
    for chunk in found.body:
        digest.update(chunk)
    return digest.hexdigest() == kept.sha256


def _load_rows(folder: Folder, said: dict[str, Any], say: Say) -> None:
    """All of them or none, and only if the database gives back what it was given. Raises NotPossible."""
    models = rows.tables()
    with transaction.atomic(durable=True):
        rows.empty([*models, apps.get_model("sessions", "Session")])
        for model in models:
            label = model._meta.label_lower
            table = said["tables"][label]
            try:
                rows.load(model, table["columns"], folder.runs / said["run"] / "rows" / f"{label}.jsonl.gz")
            except (DatabaseError, *rows.MALFORMED) as error:
                raise NotPossible(f"The database does not take the rows of {label}: {error}") from error
            if rows.sum_in_database(model) != {"rows": table["rows"], "sum": table["sum"]}:
                raise NotPossible(f"{label} came back otherwise than it was written; nothing was changed.")
        rows.count_on(models)
    ContentType.objects.clear_cache()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    say(f"All rows of {len(models)} tables are in the database, and were read back.")


def warnings(said: dict[str, Any]) -> list[str]:
    """What whoever restores has to know."""
    found = []
    if said["key_check"] != key_check():
        found.append(
            "SECRET_KEY is another one than that of the backup: second factors can't be read, so people who have one "
            "can't sign in until SECRET_KEY is the old one or their second factor is taken off."
        )
    for what, words in (("lost", "had lost their bytes"), ("damaged", "were damaged")):
        if count := said[what]["count"]:
            found.append(f"{count} pictures {words} before the backup was made, such as {said[what]['some'][0]}.")
    return found
