"""Taking a backup: the rows of one moment, then the objects that they speak of, then the manifest."""

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.crypto import salted_hmac

from editor.backup import objects, rows
from editor.backup.folder import Folder, NotPossible, make_private, sum_of
from editor.backup.index import Index, without_run
from editor.backup.objects import Gathered, Incoming
from editor.images.bucket import BucketUnavailable
from editor.models import Image, ImageState, Mark

PORTAL = "portal"  # the mark by which a directory knows whose backups it holds
TRIES = 3
IMAGES = "editor.image"
NAMED = 50  # pictures in the manifest that lack bytes

Say = Callable[[str], None]


def take(path: Path, say: Say) -> Gathered:
    """Write a backup into a new directory, or into that of earlier ones of the same portal.

    Raises NotPossible with a sentence, or OSError if the directory can't be written; then whatever backup was there is
    as good as before.
    """
    folder = Folder(path)
    folder.make(portal())
    with folder.held(), closing(Index(path / "index.sqlite3")) as index:
        folder.clear_drafts()
        run = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{uuid4().hex[:6]}"
        try:
            tables = _rows_of_one_moment(folder, index, run, say)
            gathered = _objects(folder, index, run, tables, say)
        except BucketUnavailable as error:
            raise NotPossible(
                f"The bucket does not answer ({error}). The same command goes on from here as soon as it does."
            ) from error
        if gathered.look_wrong():
            raise NotPossible(
                f"{len(gathered.lost)} pictures have no bytes in the bucket, and only {gathered.pictures} have: "
                "S3_BUCKET or S3_ENDPOINT_URL is probably the wrong one. The backup was not finished."
            )
        folder.write_manifest(_manifest(run, tables, gathered))
        _tidy_up(folder, index, run)
    return gathered


def portal() -> str:
    """What this portal is called in its backups; stays the same after it was restored."""
    if not (known := Mark.objects.value_of(PORTAL)):
        Mark.objects.leave(PORTAL, uuid4().hex)
        known = Mark.objects.value_of(PORTAL)
    return known


def migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied)


def key_check() -> str:
    """Tells whether SECRET_KEY is the same, and nothing else about it."""
    return salted_hmac("editor.backup", "the same key").hexdigest()[:16]


def _rows_of_one_moment(folder: Folder, index: Index, run: str, say: Say) -> dict[str, Any]:
    """Also fetches what somebody just uploaded: a worker deletes that as soon as it has made a picture of it.

    If one was faster, the moment is over, and the rows of a later one are read, in which the picture is ready.
    """
    for left in reversed(range(TRIES)):
        target = folder.runs / run / "rows"
        shutil.rmtree(target, ignore_errors=True)
        make_private(target)
        with rows.one_moment():
            if not _fetch_uploads(folder, index, run) and left:
                continue
            tables = {}
            for model in rows.tables():
                label = model._meta.label_lower
                tables[label] = rows.write(model, target / f"{label}.jsonl.gz")
                tables[label]["sha256"] = sum_of(target / f"{label}.jsonl.gz")
            break
    total = sum(table["rows"] for table in tables.values())
    say(f"{total} rows of {len(tables)} tables are written.")
    return tables


def _fetch_uploads(folder: Folder, index: Index, run: str) -> bool:
    waiting = Image.objects.filter(state=ImageState.RECEIVED, kind="uploaded", purged_at=None).order_by("pk")
    incoming = Incoming()
    whole = True
    for image in waiting.iterator(chunk_size=rows.AT_ONCE):
        wanted = [each for each in objects.wanted_of(image, incoming) if each.needed]
        known = index.find([each.key for each in wanted])
        missing = [each for each in wanted if each.key not in known]
        whole = objects.fetch(missing, folder, index, run) and whole
    return whole


def _objects(folder: Folder, index: Index, run: str, tables: dict[str, Any], say: Say) -> Gathered:
    path = folder.runs / run / "rows" / f"{IMAGES}.jsonl.gz"
    images = rows.read_dicts(path, tables[IMAGES]["columns"])
    gathered, told = Gathered(), 0
    for gathered in objects.gather(images, folder, index, run):
        if gathered.objects >= told + 5_000:
            told = gathered.objects
            say(f"{gathered.objects} objects so far, {gathered.copied} of them copied now.")
        if gathered.look_wrong() and not gathered.pictures:
            break  # the whole bucket is another one; there is no need to ask it for every single picture
    return gathered


def _manifest(run: str, tables: dict[str, Any], gathered: Gathered) -> dict[str, Any]:
    return {
        "portal": portal(),
        "run": run,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": connection.vendor,
        "migrations": migrations(),
        "key_check": key_check(),
        "tables": tables,
        "objects": {
            "count": gathered.objects,
            "bytes": gathered.size,
            "pictures": gathered.pictures,
            "sha256": gathered.list_sha256,
        },
        "lost": {"count": len(gathered.lost), "some": gathered.lost[:NAMED]},
        "damaged": {"count": len(gathered.damaged), "some": gathered.damaged[:NAMED]},
    }


def _tidy_up(folder: Folder, index: Index, run: str) -> None:
    """Earlier runs, and objects that no row knows any more: what people had deleted does not stay in a backup."""
    for other in folder.runs.iterdir():
        if other.name != run and other.is_dir() and not other.is_symlink():
            shutil.rmtree(other)
    for keys in without_run(index, run):
        for key in keys:
            path = folder.object_path(key)
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()
    shutil.rmtree(folder.drafts, ignore_errors=True)
