"""What the buttons of the page do; they are plain forms and need no script."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from .commands import COMMANDS
from .endpoints import Site


def from_elsewhere(headers: Message) -> bool:
    """Whether a browser sent this on behalf of another site's page; programs send neither of these headers."""
    if where := headers.get("Sec-Fetch-Site"):
        return where not in ("same-origin", "none")
    origin = headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != headers.get("Host", "")
    except ValueError:
        return True


def obey(site: Site, path: str, body: bytes) -> None:
    """Switch a fault or give a command; raises ValueError in words for what there is not."""
    fields = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace"), max_num_fields=20).items()}
    if path == "/command":
        name = fields.get("name", "")
        if name == "reset_s3":
            site.storage.forget_ours()
        elif name in COMMANDS:
            site.downtime.command(name)
        else:
            raise ValueError("There is no such command.")
    elif fields.get("turn") == "all-off":
        site.switches.replace({})
    else:
        prefix = fields.get("endpoint", "img2img")
        name = fields.get("name", "") if prefix == "img2img" else f"{prefix}:{fields.get('name', '')}"
        site.switches.turn(name, _times(fields) if fields.get("turn") == "on" else False)


def _times(fields: Mapping[str, str]) -> int | bool:
    text = fields.get("times", "").strip()
    if not text:
        return True
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) <= 10_000:
        raise ValueError("The number of times must be from 1 to 10000, or empty for until further notice.")
    return int(text)
