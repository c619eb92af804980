"""What a spoiled link answers instead of a picture."""

from __future__ import annotations

HTML = b"<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
"""The page of a proxy."""

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512"><script>alert(1)</script></svg>'
_BROKEN_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00\x00\x00\x02\x00\x08\x02\x00\x00\x00"
_BAD = {
    "link-html": (HTML, "text/html"),
    "link-svg": (_SVG, "image/svg+xml"),
    "link-empty": (b"", "image/png"),
    "link-broken": (_BROKEN_PNG, "image/png"),
    "not-a-picture": (b'{"status": "error"}', "image/png"),
}


def spoiled(flaws: frozenset[str]) -> tuple[bytes, str] | None:
    """Bytes and content type that stand in for the picture, if one of the faults asks for it."""
    return next((bad for name, bad in _BAD.items() if name in flaws), None)
