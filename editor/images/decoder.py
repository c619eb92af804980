"""Decodes pictures, each in a process of its own: a fork of this one, which has everything loaded.

It reads no picture itself, but for one of its own making, and looks after its forks: how they end, and that they do.
While nobody asks, one fork stands by, for one picture like all the others: most of what a fork costs is done then.

`warm_decoder` starts it with ``python -I decoder.py`` and a socket as stdin. An order is one message, JSON with raw,
out_dir, max_bytes, max_pixels, widths, crop, memory (bytes), cpu and timeout (seconds), and with it three open files:
where the answer goes, where errors go, and a socket for how it ended. The answer is one JSON object, a description or
``{"refused": code}``; the exit code OUT_OF_MEMORY says that a limit was too tight. The end of stdin ends it. An order
of `exports` has, in place of what to make of an upload, `export`: a file that says how a master is to be written.

Nothing of Django is imported. In each fork the limits come first, before a byte of the picture is read.
"""

import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

OUT_OF_MEMORY = 77
LONGEST_ORDER = 65_536  # bytes
_LARGEST_FILE = 1_000_000_000  # bytes of any file that it may write
_GRACE = 5  # seconds over a picture's time
_QUIET = 0.2  # seconds without an order after which the next fork is made ahead
_LOADED = [
    *("editor.images.normalizing", "editor.images.outputs", "editor.images.exporting"),
    *("concurrent.futures.thread", "PIL.ImageCms"),
    *(f"PIL.{kind}ImagePlugin" for kind in ("Jpeg", "Png", "WebP", "Avif")),
    "pillow_heif",  # optional
]

Work = Callable[[dict[str, Any]], int]


def limit(memory: int, cpu: int) -> None:
    """From here on the system ends whatever goes beyond."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    except (ValueError, OSError):
        if sys.platform != "darwin":  # macOS knows this limit by name only
            raise


def describe(order: dict[str, Any]) -> dict[str, Any]:
    """Read, check, decode and write; raises Refused."""
    if "export" in order:
        return _export(order)
    from editor.images.refusals import Refused

    with Path(order["raw"]).open("rb") as file:
        data = file.read(order["max_bytes"] + 1)
    try:
        if not data:
            raise Refused("empty")
        if len(data) > order["max_bytes"]:
            raise Refused("too-many-bytes")
        from editor.images.normalizing import normalize

        picture = normalize(data, order["max_pixels"], order["crop"])
    except Refused as refusal:
        return {"refused": refusal.code}
    import hashlib

    from editor.images.outputs import write_outputs

    raw_sha256 = hashlib.sha256(data).hexdigest()
    del data
    return {"raw_sha256": raw_sha256, **write_outputs(picture, Path(order["out_dir"]), order["widths"])}


def _export(order: dict[str, Any]) -> dict[str, Any]:
    """A master as the file that somebody asked for; how, stands in a file, as words are longer than an order may be."""
    from editor.images.exporting import export
    from editor.images.refusals import Refused

    try:
        return export(order | json.loads(Path(order["export"]).read_text()))
    except Refused as refusal:
        return {"refused": refusal.code}


def work(order: dict[str, Any]) -> int:
    """One picture, in its own process; the exit code."""
    try:
        answer = describe(order)
    except MemoryError:
        return OUT_OF_MEMORY
    sys.stdout.write(json.dumps(answer))
    return 0


@dataclass
class _Picture:
    """One that is worked on: where its end is told, and when its time is over."""

    told: int
    until: float  # of the monotonic clock
    expired: bool = False


@dataclass
class _Spare:
    """The fork that stands by, and where its order goes; it ends as soon as nobody can give it one any more."""

    worker: int
    order: socket.socket


@dataclass
class _Desk:
    """What there is to look after."""

    orders: socket.socket
    work: Work
    pictures: dict[int, _Picture] = field(default_factory=dict)  # by the process that works on each
    spare: _Spare | None = None
    open: bool = True  # whether there may be more orders


def serve(work: Work = work) -> int:
    """Take orders until nobody is there to give one, and then until the last picture is done."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)  # whoever ends our process lets it finish, and stdin ends then
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    for module in _LOADED:
        with suppress(ImportError):
            importlib.import_module(module)
    _rehearse()
    gc.freeze()  # a fork would copy much of what is loaded only to find that none of it is garbage
    desk, bell = _Desk(socket.socket(fileno=0), work), _bell_of_ends()
    while desk.pictures or desk.open:
        waits = [bell, desk.orders] if desk.open else [bell]
        ready, _, _ = select.select(waits, [], [], _until_something_is_to_do(desk))
        if bell in ready:
            bell.recv(LONGEST_ORDER)
        _tell_ends(desk.pictures)
        if desk.orders in ready:
            desk.open = _begin(desk)
        elif not ready and desk.open and not desk.pictures and desk.spare is None:
            with suppress(OSError):  # no room for another process now: nobody waits for it
                desk.spare = _stand_by(desk)
    return 0


def _rehearse() -> None:
    """Work once on a small picture of our own: what libraries do the first time, no fork then has to do."""
    from PIL import Image

    from editor.images.normalizing import normalize
    from editor.images.outputs import write_outputs

    with suppress(OSError), tempfile.TemporaryDirectory() as directory:  # perhaps there is no place for files here
        for kind in ("JPEG", "PNG"):
            raw = io.BytesIO()
            Image.linear_gradient("L").convert("RGB").save(raw, kind)
            write_outputs(normalize(raw.getvalue(), 256 * 256), Path(directory), [64])


def _bell_of_ends() -> socket.socket:
    """What can be read from as soon as a process of a picture ends."""
    bell, ringer = socket.socketpair()
    ringer.setblocking(False)
    signal.set_wakeup_fd(ringer.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return bell


def _until_something_is_to_do(desk: _Desk) -> float | None:
    """Seconds until the time of the next picture is over, or the next fork is to be made ahead."""
    if not desk.pictures and desk.spare is None:
        return _QUIET
    ends = [picture.until for picture in desk.pictures.values() if not picture.expired]
    return max(0.0, min(ends) - time.monotonic()) if ends else None


def _tell_ends(pictures: dict[int, _Picture]) -> None:
    """Say how pictures ended, and end those whose time is over."""
    for worker, picture in list(pictures.items()):
        ended, status = os.waitpid(worker, os.WNOHANG)  # its use of the machine is counted as ours then
        if ended:
            del pictures[worker]
            end = {"returncode": os.waitstatus_to_exitcode(status), "expired": picture.expired}
            with suppress(OSError):  # whoever asked is gone
                os.write(picture.told, json.dumps(end).encode())
            os.close(picture.told)
        elif not picture.expired and picture.until <= time.monotonic():
            picture.expired = True
            os.kill(worker, signal.SIGKILL)


def _begin(desk: _Desk) -> bool:
    """Have the next order done, by the fork that stands by or a new one; False if there is none, nor will be."""
    message, files, _, _ = socket.recv_fds(desk.orders, LONGEST_ORDER, 3)
    if not message:
        return False
    order = json.loads(message)
    out, err, told = files
    worker = _hand_on(desk, message, out, err)
    if worker is None:
        worker = os.fork()
        if worker == 0:
            try:
                _leave(desk)
                os.close(told)
                _work_alone(order, out, err, work=desk.work)
            finally:
                os._exit(1)  # as below
    desk.pictures[worker] = _Picture(told, time.monotonic() + order["timeout"])
    os.close(out)
    os.close(err)
    desk.orders.send(b".")
    return True


def _hand_on(desk: _Desk, message: bytes, out: int, err: int) -> int | None:
    """The process that stood by and has the order now; None if there was none, or none any more."""
    spare, desk.spare = desk.spare, None
    if spare is None:
        return None
    with spare.order:
        try:
            socket.send_fds(spare.order, [message], [out, err])
        except OSError:  # somebody ended it
            os.waitpid(spare.worker, 0)
            return None
    return spare.worker


def _stand_by(desk: _Desk) -> _Spare:
    """Fork ahead for the next order."""
    ours, theirs = socket.socketpair()
    worker = os.fork()
    if worker == 0:
        try:
            ours.close()
            _leave(desk)
            _wait_for_an_order(theirs, desk.work)
        finally:
            os._exit(1)  # whatever went wrong: it never goes on as the one that looks after others
    theirs.close()
    return _Spare(worker, ours)


def _wait_for_an_order(orders: socket.socket, work: Work) -> NoReturn:
    _rehearse()  # what it writes to, it has to itself from then on
    message, files, _, _ = socket.recv_fds(orders, LONGEST_ORDER, 2)
    if not message:
        os._exit(0)
    orders.close()
    _work_alone(json.loads(message), *files, work=work)


def _leave(desk: _Desk) -> None:
    """In a fork: what it has no part in."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    desk.orders.close()
    _read_nothing()  # orders came by the number of stdin, which no other file must get
    for picture in desk.pictures.values():
        os.close(picture.told)
    if desk.spare is not None:
        desk.spare.order.close()


def _read_nothing() -> None:
    file = os.open(os.devnull, os.O_RDONLY)
    if file != 0:
        os.dup2(file, 0)
        os.close(file)


def _work_alone(order: dict[str, Any], out: int, err: int, *, work: Work) -> NoReturn:
    signal.setitimer(signal.ITIMER_REAL, order["timeout"] + _GRACE)  # should nobody be there to end it
    for file, place in ((out, 1), (err, 2)):
        os.dup2(file, place)
        os.close(file)
    code = 1
    try:
        limit(order["memory"], order["cpu"])
        os.chdir(order["out_dir"])
        code = work(order)
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(serve())
