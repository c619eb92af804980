"""Decodes one picture in a process of its own, which `decoding` starts with ``python -I decoder.py ORDER``.

ORDER is JSON: raw, out_dir, max_bytes, max_pixels, widths, crop, memory (bytes), cpu (seconds). The answer is one JSON
object on stdout, a description or ``{"refused": code}``; the exit code OUT_OF_MEMORY says that a limit was too tight.
The limits come first; nothing of Django is imported, so that it starts fast.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

OUT_OF_MEMORY = 77
_LARGEST_FILE = 1_000_000_000  # bytes of any file that it may write


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
    sys.path.append(str(Path(__file__).resolve().parents[2]))
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


def main() -> int:
    order = json.loads(sys.argv[1])
    limit(order["memory"], order["cpu"])
    try:
        answer = describe(order)
    except MemoryError:
        return OUT_OF_MEMORY
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
