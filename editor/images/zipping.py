"""How a ZIP is made while it is sent: of the whole there is never more than a piece in memory.

Pictures are stored as they are, since they do not shrink. As their checksums are known only behind them, each has a
data descriptor; what is larger than 4 GB becomes a ZIP64.
"""

import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Protocol


class Source(Protocol):
    """Bytes to come, from the bucket or from a file."""

    @property
    def length(self) -> int: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    @property
    def close(self) -> Callable[[], Any]: ...


class Outbox(io.RawIOBase):
    """Takes what is written and gives it away; it can't be wound back, which `zipfile` heeds."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def entry(name: str, moment: datetime, *, compressed: bool = False) -> zipfile.ZipInfo:
    """A file that everybody may read."""
    info = zipfile.ZipInfo(name, moment.astimezone(UTC).timetuple()[:6])
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    return info


async def add_object(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, found: Source, take: Callable[[], bytes]
) -> AsyncGenerator[bytes, None]:
    """What was opened becomes a file of the ZIP; gives what `take` has after each chunk.

    Raises BucketUnavailable if it breaks off in the middle: the download has to fail, as half a file would lie.
    """
    info.file_size = found.length
    try:
        with archive.open(info, "w") as file:
            async for chunk in found:
                file.write(chunk)
                yield take()
    finally:  # also when the browser goes away in between
        found.close()
