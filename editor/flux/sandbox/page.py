"""The sandbox's one page: what waits, what it did, and how to make it fail."""

from __future__ import annotations

import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from .endpoints import Site

_SHOWN = 50
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top }
img { height: 4rem; border-radius: .25rem }
code { font-size: .9em }
"""


FILES: dict[str, Path] = {}
KINDS: dict[str, str] = {}


def sorry(words: str) -> str:
    """A page that says why something was not done."""
    return f"<!doctype html><title>Sandbox</title><p>{escape(words)}</p>"


def render(site: Site) -> str:
    """The page as HTML; it renews itself every two seconds."""
    ledger = site.ledger()
    switches = site.switches.shown()
    entries = list(reversed(ledger["accepted"]))
    rows = "".join(_row(entry) for entry in entries[:_SHOWN])
    refused = ", ".join(f"{escape(name)} {count}" for name, count in ledger["refused"].items()) or "none"
    on = ", ".join(f"{escape(name)} ({escape(str(count))})" for name, count in switches.items()) or "none"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Sandbox</title><style>{_STYLE}</style></head>
<body>
<h1>Sandbox of the flux server</h1>
<p>{len(entries)} accepted, {ledger["queued"]} waiting. Refused: {refused}. Faults: {on}.</p>
<p>{escape(str(ledger["storage"]))}</p><p>The same as JSON: <a href="/ledger">/ledger</a>. Switch faults with <code>PUT /faults</code>, see
<a href="/faults">/faults</a>, or write <code>#fault:name</code> into a prompt.</p>
<table><thead><tr><th>Result</th><th>Id</th><th>Prompt</th><th>Seed</th><th>Size</th><th>Status</th><th>Age</th></tr></thead>
<tbody>{rows}</tbody></table>
</body></html>"""


def _row(entry: Mapping[str, Any]) -> str:
    pictures = "".join(
        f'<img src="/generations/{escape(name)}" alt="" loading="lazy">'
        for name in entry["outputs"]
        if name.endswith(".png")
    )
    age = round(time.time() - entry["accepted"])
    flaws = f"<br><small>{escape(', '.join(entry['faults']))}</small>" if entry["faults"] else ""
    return (
        f"<tr><td>{pictures}</td><td><code>{entry['id']}</code></td><td>{escape(entry['prompt'][:200])}{flaws}</td>"
        f"<td>{entry['seed']}</td><td>{entry['width']}×{entry['height']}</td><td>{escape(entry['status'])}</td>"
        f"<td>{age} s</td></tr>"
    )
