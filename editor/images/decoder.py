"""Decodes pictures, each in a process of its own: a fork of this one, which has everything loaded and reads no picture.

`warm_decoder` starts it with ``python -I decoder.py`` and a socket as stdin. An order is one message, JSON with raw,
out_dir, max_bytes, max_pixels, widths, crop, memory (bytes), cpu and timeout (seconds), and with it three open files:
where the answer goes, where errors go, and a socket for how it ended. The answer is one JSON object, a description or
``{"refused": code}``; the exit code OUT_OF_MEMORY says that a limit was too tight. The end of stdin ends it. An order
of `exports` has, in place of what to make of an upload, `export`: a file that says how a master is to be written.

Nothing of Django is imported. In each fork the limits come first, before a byte of the picture is read.
"""

import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

OUT_OF_MEMORY = 77
LONGEST_ORDER = 65_536  # bytes
_LARGEST_FILE = 1_000_000_000  # bytes of any file that it may write
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


def serve(work: Work = work) -> int:
    """Take orders until nobody is there to give one."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)  # whoever ends our process lets it finish, and stdin ends then
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    for module in _LOADED:
        with suppress(ImportError):
            importlib.import_module(module)
    orders = socket.socket(fileno=0)
    while True:
        message, files, _, _ = socket.recv_fds(orders, LONGEST_ORDER, 3)
        if not message:
            break
        if os.fork() == 0:
            orders.close()
            _watch(json.loads(message), files, work)
            os._exit(0)
        for file in files:
            os.close(file)
        orders.send(b".")
        _bury(os.WNOHANG)
    _bury(0)
    return 0


def _bury(how: int) -> None:
    """Those whose pictures are done; their use of the machine is counted as ours then."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def _watch(order: dict[str, Any], files: list[int], work: Work) -> None:
    """Let a fork do the work and end it when its time is over; then say how it ended."""
    out, err, told = files
    worker = os.fork()
    if worker == 0:
        os.close(told)
        _work_alone(order, out, err, work)
    expired: list[bool] = []

    def expire(*_: object) -> None:
        expired.append(True)
        os.kill(worker, signal.SIGKILL)

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, order["timeout"])
    _, status = os.waitpid(worker, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    end = {"returncode": os.waitstatus_to_exitcode(status), "expired": bool(expired)}
    with suppress(OSError):  # whoever asked is gone
        os.write(told, json.dumps(end).encode())


def _work_alone(order: dict[str, Any], out: int, err: int, work: Work) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, place in ((nothing, 0), (out, 1), (err, 2)):
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
