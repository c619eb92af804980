"""The sandbox's one page: what waits, what it did, and how to make it fail. It works without its script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from .commands import COMMANDS
from .endpoints import Site
from .faults import CATALOGUE, DOOR, ENDPOINTS, MEANING

FILES = {name: Path(__file__).with_name(name[1:]) for name in ("/page.css", "/page.js")}
"""What belongs to the page, by address."""
KINDS = {"/page.css": "text/css; charset=utf-8", "/page.js": "text/javascript; charset=utf-8"}
"""Their content types."""

_SHOWN = 40
_COMMANDS = {
    "clear_cache": "Clear cache",
    "clear_queue": "Clear queue",
    "restart_server": "Restart server",
    "update_server": "Update server",
}


def sorry(words: str) -> str:
    """A page that says why something was not done."""
    return _document(
        "Not done", f'<main class="sorry"><h1>Not done</h1><p>{escape(words)}</p><p><a href="/">Back</a></p></main>'
    )


def render(site: Site) -> str:
    """The whole page as HTML; its script renews what is marked `data-live` every two seconds."""
    ledger = site.ledger(_SHOWN)
    on = site.switches.shown()
    return _document(
        "Sandbox of the flux server",
        f"""
<header>
  <h1>Sandbox <small>of the flux server</small></h1>
  <nav><a href="/ledger">Ledger as JSON</a> <a href="/faults">Faults as JSON</a> <a href="/">Reload</a></nav>
</header>
<main>
  <div id="now" data-live>{_now(site, ledger)}</div>
  <section aria-labelledby="server">
    <h2 id="server">Server</h2>
    <div class="two">
      <div>{_commands()}</div>
      <div id="storage" data-live>{_storage(ledger["storage"])}</div>
    </div>
  </section>
  <section aria-labelledby="faults">
    <h2 id="faults">Faults</h2>
    <p class="hint">For every request, until further notice or for a number of times. For one request alone, write
      <code>#fault:name</code> into its prompt.</p>
    <div id="on" data-live>{_active(on)}</div>
    {_switches()}
  </section>
  <section aria-labelledby="work">
    <h2 id="work">Ledger</h2>
    <div id="ledger" data-live>{_ledger(site, ledger)}</div>
  </section>
</main>
<script src="/page.js" defer></script>""",
    )


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"></head>'
        f"<body>{body}</body></html>"
    )


def _now(site: Site, ledger: Mapping[str, Any]) -> str:
    running, waiting = site.generations.queue()
    room = max(0, site.generations.queue_limit - running - waiting)
    left = site.downtime.left()
    refused = sum(ledger["refused"].values())
    words = ", ".join(f"{escape(name)} {count}" for name, count in sorted(ledger["refused"].items()))
    tiles = [
        ("running", f"{running}<small> of {site.generations.slots}</small>"),
        ("waiting", f"{waiting}<small> room for {room}</small>"),
        ("a slot is free in", f"{site.generations.wait():.0f}<small> s</small>"),
        ("accepted in all", str(ledger["total"])),
        ("refused", f"{refused}"),
    ]
    down = f'<p class="down" role="status">Restarting: 502 and 503 for {left:.0f} s more.</p>' if left else ""
    boxes = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles)
    return f'{down}<dl class="tiles">{boxes}</dl>' + (f'<p class="hint">Refused: {words}.</p>' if words else "")


def _commands() -> str:
    buttons = "".join(
        f'<button name="name" value="{name}" title="{escape(COMMANDS[name])}">{words}</button>'
        for name, words in _COMMANDS.items()
    )
    return (
        f'<form method="post" action="/command" class="buttons">{buttons}</form>'
        '<p class="hint">All but the cache take the server down for a while; what runs or waits is lost.</p>'
    )


def _storage(known: Mapping[str, Mapping[str, str]]) -> str:
    if not known:
        return '<p class="hint">No bucket is registered: results stay here. <code>update_s3</code> registers one.</p>'
    rows = "".join(
        f"<tr><th scope=row><code>{escape(kind)}</code></th><td>{escape(bucket['endpoint_url'])}<br>"
        f"<small>{escape(bucket['image_directory'])} · {escape(bucket['region_name'])} · links begin with "
        f"{escape(bucket['public_url'])}</small></td></tr>"
        for kind, bucket in known.items()
    )
    forget = ""
    if "flux_kontext_dev" in known:
        forget = (
            '<form method="post" action="/command"><button name="name" value="reset_s3">Forget bucket</button></form>'
        )
    return f"<table><caption>Registered buckets</caption><tbody>{rows}</tbody></table>{forget}"


def _ledger(site: Site, ledger: Mapping[str, Any]) -> str:
    entries = list(reversed(ledger["accepted"]))
    if not entries:
        return '<p class="hint">Nothing was accepted yet.</p>'
    cards = "".join(_card(site, entry) for entry in entries)
    more = f'<p class="hint">The newest {_SHOWN} of {ledger["total"]}.</p>' if ledger["total"] > _SHOWN else ""
    return f'<ul class="cards">{cards}</ul>{more}'


def _card(site: Site, entry: Mapping[str, Any]) -> str:
    pictures = "".join(
        f'<img src="/thumbnails/{entry["prefix"]}-{number}.webp" alt="" loading="lazy">'
        for number in range(len(entry["outputs"]))
        if not entry["gone"] and site.generations.results.thumbnail(f"{entry['prefix']}-{number}.webp").exists()
    )
    state = "gone" if entry["gone"] else "blocked" if entry["nsfw"] and entry["outputs"] else entry["status"]
    flaws = "".join(f'<span class="fault">{escape(name)}</span> ' for name in entry["faults"])
    if state == "processing" and (found := site.generations.progress(entry["id"])):
        state, left = found
        flaws = f"{left:.0f} s left {flaws}"
    age = _ago(time.time() - entry["accepted"])
    took = f" · took {entry['finished'] - entry['accepted']:.1f} s" if entry["finished"] else ""
    where = " · in the bucket" if entry["public"] else ""
    message = f'<p class="hint">{escape(entry["message"])}</p>' if entry["message"] else ""
    return f"""<li><div class="pictures">{pictures}</div><div class="told">
<p class="prompt">{escape(entry["prompt"][:300])}</p>
<p><span class="state {escape(state)}">{escape(state)}</span> {flaws}</p>{message}
<p class="hint"><code>{entry["id"]}</code> · seed {entry["seed"]} · {entry["width"]}×{entry["height"]} ·
strength {entry["strength"]:g}{where}{took} · {age}</p></div></li>"""


def _active(on: Mapping[str, int | bool]) -> str:
    if not on:
        return '<p class="hint">None is on.</p>'
    chips = ""
    for key, count in on.items():
        prefix, _, name = key.rpartition(":")
        times = "until further notice" if count is True else f"{count} times" if count != 1 else "once"
        hidden = _hidden(endpoint=prefix or "img2img", name=name)
        off = f'<button name="turn" value="off" aria-label="Switch {escape(key)} off">Off</button>'
        chip = f'{hidden}<span class="fault">{escape(key)}</span> {times} {off}'
        chips += f'<form method="post" action="/switch" class="chip">{chip}</form>'
    every = '<form method="post" action="/switch"><button name="turn" value="all-off">All off</button></form>'
    return f'<div class="chips">{chips}{every}</div>'


def _switches() -> str:
    groups: dict[str, list[str]] = {}
    for name, heading in CATALOGUE.items():
        groups.setdefault(heading, []).append(name)
    return "".join(
        f"<details><summary>{escape(heading)} <small>{len(names)}</small></summary>"
        f'<ul class="switches">{"".join(map(_switch, names))}</ul></details>'
        for heading, names in groups.items()
    )


def _switch(name: str) -> str:
    where = ""
    if name in DOOR:
        where = f'<select name="endpoint" aria-label="Endpoint">{_options(("img2img", *ENDPOINTS))}</select>'
    return (
        f'<li><div><code>{name}</code> <span class="hint">{escape(MEANING[name])}</span></div>'
        f'<form method="post" action="/switch">{_hidden(name=name)}{where}'
        '<input name="times" inputmode="numeric" pattern="[0-9]*" maxlength="5" placeholder="always" '
        f'aria-label="How many times; empty for always"><button name="turn" value="on" aria-label="Switch {name} on">'
        "On</button></form></li>"
    )


def _options(names: Iterable[str]) -> str:
    return "".join(f"<option>{name}</option>" for name in names)


def _hidden(**fields: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"
