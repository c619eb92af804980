"""Where finished pictures go: into the sandbox's own store, or into the bucket that was registered for it."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from .ledger import Entry
from .spoiling import spoiled
from .storage import BucketError, Storage

KINDS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "base64": "text/plain",
    "": "application/octet-stream",
}
"""Content types by the ending of a result's name."""

_FORMATS = {"picture-jpg": "jpg", "picture-webp": "webp", "picture-avif": "avif"}
_THUMBNAIL = (320, 160)


class Results:
    """Names, writes and removes results. `echo` leaves the pictures as they came and makes no thumbnails."""

    def __init__(self, directory: Path, storage: Storage, *, echo: bool) -> None:
        self._directory = directory
        self._storage = storage
        self._echo = echo

    def named(self, entry: Entry, pictures: Sequence[bytes], *, as_text: bool) -> dict[str, bytes]:
        """The files that a generation consists of; their names and their place are noted in its entry."""
        bucket = self._storage.ours if "bucket-ignored" not in entry.faults else None
        entry.public = bucket.public if bucket else ""
        wanted = next((kind for fault, kind in _FORMATS.items() if fault in entry.faults), "png")
        ending = "base64" if as_text else wanted
        if "wrong-extension" in entry.faults:
            ending = "webp"
        if "link-without-extension" in entry.faults:
            ending = ""
        files = {}
        for number, picture in enumerate(pictures):
            content = picture if wanted == "png" else _converted(picture, wanted)
            if as_text:
                content = (f"data:{KINDS[wanted]};base64,".encode() if number % 2 else b"") + b64encode(content)
            files[f"{entry.prefix}-{number}" + (f".{ending}" if ending else "")] = content
            if not self._echo:
                self._write("thumbnails", f"{entry.prefix}-{number}.webp", _thumbnail(picture))
        entry.outputs = list(files)
        return files

    def write(self, entry: Entry, files: dict[str, bytes]) -> None:
        """Put the files where the entry says; raises BucketError when the bucket won't take them."""
        bucket = self._storage.ours if entry.public else None
        if bucket and "bucket-full" in entry.faults:
            raise BucketError("The bucket is full.", "endpoint_url")
        for name, content in files.items():
            if not entry.public:
                self._write("generations", name, content)
            elif bucket and "bucket-lost" not in entry.faults:
                # Nothing stands before the links of a bucket that could spoil them on the way: the file itself is bad.
                bad = spoiled(frozenset(entry.faults))
                kind = bad[1] if bad else KINDS[name.partition(".")[2]]
                bucket.write(name, bad[0] if bad else content, "text/plain" if "wrong-type" in entry.faults else kind)

    def path(self, name: str) -> Path:
        """Where a result with this name lies, if it lies here."""
        return self._directory / "generations" / name

    def thumbnail(self, name: str) -> Path:
        """Where the small picture with this name lies, if there is one."""
        return self._directory / "thumbnails" / name

    def remove(self, entry: Entry) -> None:
        """Delete what lies here; what was written into a bucket belongs to somebody else."""
        for number, name in enumerate(entry.outputs):
            self.path(name).unlink(missing_ok=True)
            self.thumbnail(f"{entry.prefix}-{number}.webp").unlink(missing_ok=True)

    def lend(self, name: str, picture: bytes) -> None:
        """Keep a picture that was uploaded for an edit."""
        self._write("uploads", name, picture)

    def lent(self, name: str) -> Path:
        """Where it lies."""
        return self._directory / "uploads" / name

    def _write(self, folder: str, name: str, content: bytes) -> None:
        path = self._directory / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    def remove_lent(self, before: float) -> None:
        """Delete uploads that are older than this moment."""
        for path in self._lent():
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _lent(self) -> Iterable[Path]:
        return list((self._directory / "uploads").glob("*.jpg"))


def _converted(picture: bytes, kind: str) -> bytes:
    target = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").save(target, "JPEG" if kind == "jpg" else kind.upper())
    return target.getvalue()


def _thumbnail(picture: bytes) -> bytes:
    target = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.thumbnail(_THUMBNAIL)
        opened.convert("RGB").save(target, "WEBP", quality=70, method=0)
    return target.getvalue()
