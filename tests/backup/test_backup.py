"""A backup restored into an empty portal: every row and byte, whatever happened while it was made."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from editor.backup import checking, restoring, taking
from editor.backup.folder import Folder, NotPossible
from editor.backup.objects import Gathered
from editor.images import bucket as objects
from editor.images import ingest, keys, quarantine
from editor.jobs import clock
from editor.models import AuditEntry, Image, Mark, User, Workspace
from editor.moderation import audit
from tests.backup.scenes import (
    empty,
    make_first_administrator,
    make_portal,
    make_removed,
    make_waiting,
    objects_there,
    rows_there,
)
from tests.conftest import Bucket
from tests.makers import make_image, make_job, make_user
from tests.people import PASSWORD, client_of, quick_passwords
from tests.portal import database_url

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "backup"


def silent(line: str) -> None: ...


def back_up(directory: Path) -> Gathered:
    return taking.take(directory, silent)


def restore(directory: Path) -> None:
    restoring.restore(directory, silent)


def test_an_empty_portal_gets_every_row_and_byte(directory: Path, bucket: Bucket, quick_passwords: None) -> None:
    alice = make_portal()
    client_of(alice)
    Mark.objects.leave(taking.PORTAL, "a portal")  # which the first backup leaves
    rows, things = rows_there(), objects_there(bucket)
    assert sum(map(bool, rows.values())) > 25
    assert {key.split("/")[0] for key in things} == {"images", "incoming", "quarantine"}
    call_command("backup", str(directory), verbosity=0)
    empty(bucket)
    make_first_administrator()
    clock.tick()
    call_command("restore", str(directory), verbosity=0)
    assert rows_there() == rows
    assert objects_there(bucket) == things
    assert list(audit.verify()) == []
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)
    # New rows get numbers of their own.
    make_user("next@example.com")
    Workspace.objects.found(alice, "Another")


def test_the_log_stays_closed_after_a_restore(directory: Path, bucket: Bucket, quick_passwords: None) -> None:
    make_portal()
    back_up(directory)
    empty(bucket)
    restore(directory)
    audit.record(None, "limits.changed")
    assert list(audit.verify()) == []
    if connection.vendor == "postgresql":
        with pytest.raises(Exception, match="never changed"):
            AuditEntry.objects.update(words="")


def test_nobody_else_may_read_a_backup(directory: Path, bucket: Bucket, quick_passwords: None) -> None:
    make_portal()
    before = os.umask(0o000)
    try:
        back_up(directory)
    finally:
        os.umask(before)
    found = [directory, *directory.rglob("*")]
    assert len(found) > 40
    assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_second_run_copies_what_is_new_and_forgets_what_is_gone(directory: Path, bucket: Bucket) -> None:
    user = make_user()
    going, staying = make_image(user, stored=True), make_image(user, stored=True)
    assert back_up(directory).copied == 6
    fresh = make_image(user, stored=True)
    ingest.purge(going)
    again = back_up(directory)
    assert (again.objects, again.copied) == (6, 3)
    master = keys.master_key
    there = {
        image: Folder(directory).object_path(master(image.pk, "jpg")).exists() for image in (going, staying, fresh)
    }
    assert there == {going: False, staying: True, fresh: True}
    assert len(list((directory / "runs").iterdir())) == 1
    rows, things = rows_there(), objects_there(bucket)
    empty(bucket)
    restore(directory)
    assert (rows_there(), objects_there(bucket)) == (rows, things)


def test_a_backup_fits_together_though_people_go_on_meanwhile(directory: Path, bucket: Bucket) -> None:
    user = make_user()
    for _ in range(30):
        make_image(user, stored=True)
    over, made = threading.Event(), 0

    def go_on() -> None:
        nonlocal made
        try:
            while not over.is_set():
                image = make_image(user, stored=True)
                make_job(user, image)
                waiting = make_waiting(user)
                removed = make_removed(user)
                ingest.take_in(waiting)
                Image.objects.filter(pk=removed.pk).update(removed_at=None)
                quarantine.settle(removed)
                trashed = Image.objects.filter(trashed_at=None, state="ready", kind="uploaded").order_by("created_at")
                trashed.filter(pk=trashed.values("pk")[:1]).update(trashed_at=timezone.now())
                made += 1
        finally:
            connections.close_all()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        while not made:
            time.sleep(0.01)
        before = made
        for _ in range(3):
            gathered = back_up(directory)
            assert gathered.lost == []
        assert made > before, "nothing happened while the backup was made"
    finally:
        over.set()
        thread.join()
    empty(bucket)
    restore(directory)
    for image in Image.objects.filter(purged_at=None, state="ready"):
        for key in quarantine.keys_of(image)[1:]:
            assert objects.exists(keys.quarantine_key(key) if image.quarantined_at else key)
    waiting = Image.objects.filter(state="received")
    assert all(objects.exists(keys.raw_key(image.pk)) for image in waiting)


def test_a_killed_backup_goes_on_where_it_was(directory: Path, bucket: Bucket) -> None:
    user = make_user()
    for _ in range(40):
        make_image(user, stored=True)
    environ = {**os.environ, "DATABASE_URL": database_url()}
    command = [sys.executable, "manage.py", "backup", str(directory)]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, env=environ, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and len(list((directory / "objects").glob("*/*/*"))) < 80:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(NotPossible, match="never finished"):
        checking.check(Folder(directory), silent)
    gathered = back_up(directory)
    assert gathered.objects == 120
    assert gathered.copied <= 45
    rows, things = rows_there(), objects_there(bucket)
    empty(bucket)
    restore(directory)
    assert (rows_there(), objects_there(bucket)) == (rows, things)


def test_a_killed_restore_goes_on_where_it_was(directory: Path, bucket: Bucket) -> None:
    image = make_image(make_user(), stored=True)
    back_up(directory)
    rows, things = rows_there(), objects_there(bucket)
    empty(bucket)
    said = Folder(directory).manifest()
    # As it is when one was killed: its mark, some objects, no rows.
    objects.put(restoring.MARK, f"{said['portal']} {said['run']}".encode(), "text/plain")
    objects.put(keys.master_key(image.pk, "jpg"), b"half", "image/jpeg")
    restore(directory)
    assert (rows_there(), objects_there(bucket)) == (rows, things)


def test_nothing_but_a_backup_is_ever_written_over(tmp_path: Path, bucket: Bucket) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "dear.txt").write_text("Dear Alice")
    with pytest.raises(CommandError, match=r"no backup \(dear.txt\)"):
        call_command("backup", str(letters))
    assert [path.name for path in letters.iterdir()] == ["dear.txt"]
    theirs = tmp_path / "theirs"
    back_up(theirs)
    Mark.objects.filter(pk=taking.PORTAL).delete()
    with pytest.raises(NotPossible, match="another portal"):
        back_up(theirs)


def test_people_and_pictures_are_never_written_over(directory: Path, bucket: Bucket) -> None:
    make_user()
    back_up(directory)
    with pytest.raises(CommandError, match="The database is not empty: it has users"):
        call_command("restore", str(directory))
    empty(bucket)
    objects.put("images/theirs.jpg", b"x", "image/jpeg")
    with pytest.raises(NotPossible, match=r"The bucket is not empty: it has images/theirs\.jpg"):
        restore(directory)
    assert bucket.keys() == ["images/theirs.jpg"]
    assert not User.objects.exists()


def test_a_damaged_backup_is_noticed_before_anything_is_written(directory: Path, bucket: Bucket) -> None:
    image = make_image(make_user(), stored=True)
    back_up(directory)
    empty(bucket)
    master = Folder(directory).object_path(keys.master_key(image.pk, "jpg"))
    whole = master.read_bytes()
    people = next(directory.glob("runs/*/rows/editor.user.jsonl.gz"))
    written = people.read_bytes()
    for path, damage in ((master, whole[:-1]), (people, written[:-9] + b"x" + written[-8:])):
        sound = path.read_bytes()
        path.write_bytes(damage)
        with pytest.raises(NotPossible, match=f"damaged, and nothing was written: 1 of its files.*{path.name}"):
            restore(directory)
        path.write_bytes(sound)
    # As long as it was: seen by whoever reads every byte, and by a restore before there is a single row.
    master.write_bytes(b"x" + whole[1:])
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(directory), "--check")
    with pytest.raises(NotPossible, match="is not what it was"):
        restore(directory)
    assert not User.objects.exists()


def test_bytes_that_rotted_in_the_bucket_and_those_that_are_gone_are_told(directory: Path, bucket: Bucket) -> None:
    user = make_user()
    rotten = make_image(user, stored=True, master_sha256="0" * 64)
    gone = make_image(user, stored=True)
    objects.delete([keys.master_key(gone.pk, "jpg")])
    gathered = back_up(directory)
    assert (gathered.damaged, gathered.lost) == ([str(rotten.pk)], [str(gone.pk)])
    empty(bucket)
    said = restoring.restore(directory, silent)
    assert len(restoring.warnings(said)) == 2
    assert Image.objects.count() == 2


def test_a_wrong_bucket_is_noticed(directory: Path, bucket: Bucket) -> None:
    user = make_user()
    for _ in range(21):
        make_image(user)
    with pytest.raises(NotPossible, match="S3_BUCKET"):
        back_up(directory)
    with pytest.raises(NotPossible, match="never finished"):
        restore(directory)


def test_another_version_says_what_to_do(directory: Path, bucket: Bucket) -> None:
    folder = Folder(directory)
    back_up(directory)
    said = folder.manifest()
    folder.write_manifest({**said, "migrations": said["migrations"][:-1], "key_check": "another"})
    with pytest.raises(NotPossible, match="Install the version that made it"):
        restore(directory)
    assert "SECRET_KEY" in restoring.warnings(folder.manifest())[0]
