"""The directory of a backup: what lies where, who may read it, and the manifest that is written last.

    retake-backup.json    the manifest: which run is whole, and what has to be found
    runs/<moment>/        rows/<table>.jsonl.gz, and objects.jsonl.gz: the objects that belong to these rows
    objects/<ab>/<id>/    the objects themselves, shared by all runs
    index.sqlite3         what lies under objects/ and its sums, so that a second run copies only what is new
    drafts/               what is being written just now

A run that is interrupted leaves the manifest of the one before, and all that it needs.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

MANIFEST = "retake-backup.json"
KIND, FORMAT = "retake backup", 1


class NotPossible(Exception):  # noqa: N818  a sentence for the person
    """Says what is in the way, and what to do."""


class Folder:
    """The directory of one backup. Raises NotPossible for anything else, before it touches it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else works with this directory meanwhile. Raises NotPossible."""
        opened = os.open(self.path, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network file systems know no locks
                self._lock(opened)
            yield
        finally:
            os.close(opened)

    def _lock(self, opened: int) -> None:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotPossible(f"Another backup or restore works with {self.path}; let it finish first.") from None

    def need_no_links(self) -> None:
        """Behind a link may lie what is nobody's backup. Raises NotPossible."""
        for path in (self.runs, self.path / "objects", self.drafts, self.path / "index.sqlite3"):
            if path.is_symlink():
                raise NotPossible(f"{path} is a link, which is not followed. Put what it leads to in its place.")

    def make(self, portal: str) -> None:
        """Make it the directory of this portal's backups, if it is new or empty. Raises NotPossible, OSError."""
        self.need_no_links()
        if self.path.exists() and not self.path.is_dir():
            raise NotPossible(f"{self.path} is a file. Name a directory.")
        there = [each.name for each in self.path.iterdir()] if self.path.exists() else []
        if there and not (self.path / MANIFEST).exists():
            raise NotPossible(
                f"{self.path} holds something that is no backup ({sorted(there)[0]}), so nothing is written there. "
                "Name a new or an empty directory, or that of an earlier backup."
            )
        if not there:
            make_private(self.path)
            self.path.chmod(0o700)
            self.write_manifest({"portal": portal, "run": None})
        elif self.manifest()["portal"] != portal:
            raise NotPossible(
                f"{self.path} holds backups of another portal, or DATABASE_URL names another database than it did "
                "then. Name another directory."
            )

    def manifest(self) -> dict[str, Any]:
        """What the manifest says. Raises NotPossible if there is none of ours."""
        try:
            said = json.loads((self.path / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise NotPossible(f"{self.path} holds no backup: there is no {MANIFEST}.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise NotPossible(f"{self.path / MANIFEST} can't be read: {error}") from error
        if not isinstance(said, dict) or said.get("kind") != KIND:
            raise NotPossible(f"{self.path / MANIFEST} is not the manifest of a backup.")
        if said.get("format") != FORMAT:
            raise NotPossible(f"The backup in {self.path} has the format {said.get('format')}, not {FORMAT}.")
        return said

    def write_manifest(self, said: dict[str, Any]) -> None:
        """At once and for good: whoever reads it finds the old one or the new one."""
        draft = self.path / f"{MANIFEST}.new"
        with open_private(draft) as file:
            file.write(json.dumps({"kind": KIND, "format": FORMAT, **said}, indent=2).encode() + b"\n")
            flush(file)
        draft.replace(self.path / MANIFEST)

    def clear_drafts(self) -> None:
        """What an interrupted run was writing."""
        shutil.rmtree(self.drafts, ignore_errors=True)
        make_private(self.drafts)

    @property
    def drafts(self) -> Path:
        return self.path / "drafts"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    def object_path(self, key: str) -> Path:
        """Where an object lies, by the key that it has while it is in the open."""
        folder, image_id, *rest = key.split("/")
        name = rest[0] if folder == "images" else "raw"
        return self.path / "objects" / image_id[:2] / image_id / name

    def new_draft(self) -> Path:
        return self.drafts / uuid4().hex


def make_private(path: Path) -> None:
    """A directory that its owner alone may enter, and those above it that are not there yet."""
    if not path.parent.exists():
        make_private(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def open_private(path: Path, mode: str = "wb") -> IO[bytes]:
    """A file that its owner alone may read."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def flush(file: IO[bytes]) -> None:
    """To the disk, not only to the system."""
    file.flush()
    os.fsync(file.fileno())


def sum_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
