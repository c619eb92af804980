"""What the sandbox can be asked to get wrong.

`PUT /faults` switches faults on for the whole server: `{"no-credit": true, "http-500": 2}` refuses until further notice
and fails twice; `{}` ends all of it. `#fault:name` in a prompt asks for it in that one request. Faults at the door work
for img2img by their bare name, and for the other endpoints with a prefix: `fetch:http-500`, `details:bad-key`,
`upload:reset`.

At the door (nothing is accepted):
    bad-key                401, "Invalid API key"
    bad-key-200            the same under 200
    no-credit              402, "Insufficient credits"
    no-credit-200          "limit exceeded, upgrade" under 200
    plan                   403, the plan does not include it
    field-error            400, an object of lists about a field
    field-error-200        the same under 200
    bad-image              an init image that could not be fetched
    bad-prompt             a prompt that is not allowed
    messege                "Invalid API key" under a misspelt name
    quoting                an unknown error that quotes "Invalid API key" and "Rate limit exceeded"
    queue-full             429 with retry_after and headers
    queue-full-200         the same message under 200
    refuse-before          503 with a proxy's HTML page
    http-500               500 with JSON
    html-200               an HTML page under 200
    reset                  the connection is reset after the request was read
    hang                   no answer at all
    redirect               307 to another path
    deep-json              JSON nested ten thousand deep

Accepted, but the answer to img2img is lost or strange:
    accept-then-500        500 with HTML
    accept-then-html       HTML under 200
    accept-then-reset      the connection is reset
    accept-then-hang       no answer at all
    cut-json               the answer breaks off
    cut-short              half of the answer arrives in good order, as JSON that is not closed
    processing-without-id  accepted, but under which id?
    gzip-bomb              48 KB that unpack to 48 MB
    slow-drip              one byte a second
    held                   instant_response is ignored: the answer waits for the result
    id-as-string           the id is a string
    eta-wild               an eta of 1e9
    eta-negative           an eta of -1
    eta-as-string          an eta of "12"
    status-unknown         a status that nobody knows, while it works
    status-upper           "SUCCESS" and "PROCESSING"
    meta-as-list           meta is []
    failed-at-once         failed with an id and "Processing failed: ..."

The generation itself:
    failed-later           fails when it should be done
    blank                  the safety checker replaces every picture
    never                  stays "processing" for ever; takes no place in the queue
    forgotten              fetch does not know it

The finished answer's shape:
    output-as-string       output is a bare link
    output-as-object       output is {"0": link}
    output-empty           output is "", the links are in proxy_links
    output-null            output is null, and there are no links anywhere
    output-five            five links, whatever was asked for
    base64-output          links end in .base64, behind them is text; every second one with a data: prefix
    link-internal          links into a private network

The links:
    link-404-for-a-while   404 with HTML for two seconds after it is done
    link-429               429, always
    link-html              an HTML page under 200
    link-broken            the first bytes of a PNG
    link-svg               an SVG with a script
    link-empty             no bytes
    link-huge              200 MB that begin like a picture
    not-a-picture          JSON

The registered bucket:
    bucket-ignored         the results stay with the server
    bucket-lost            a success, but nothing was written
    bucket-full            nothing can be written, so that the generation fails

The webhook:
    webhook-lost           none is sent
    webhook-twice          two at once
    webhook-early          before img2img is answered
    webhook-late           three seconds late
    webhook-processing     one while it still works, too
"""

from __future__ import annotations

import re

_DOOR = "At the door"
ENDPOINTS = ("fetch", "details", "upload", "s3", "image", "command")
"""Prefixes of faults at the door that stand before another endpoint than img2img."""

_MARKER = re.compile(r"#fault:([a-z0-9-]+)")


def _catalogue(text: str) -> dict[str, str]:
    """Name of each fault in the text above, with the heading that it stands under."""
    found: dict[str, str] = {}
    heading = ""
    for line in text.splitlines():
        if line.endswith(":"):
            heading = line
        elif match := re.match(r" {4}([a-z0-9-]+) {2,}\S", line):
            found[match[1]] = heading
    return found


CATALOGUE = _catalogue(__doc__ or "")
DOOR = tuple(name for name, heading in CATALOGUE.items() if heading.startswith(_DOOR))
LATER = tuple(name for name in CATALOGUE if name not in DOOR)


def marked(prompt: str) -> frozenset[str]:
    """The faults that a prompt asks for; raises ValueError with the name of an unknown one."""
    names = frozenset(_MARKER.findall(prompt))
    for name in sorted(names):
        if name not in CATALOGUE:
            raise ValueError(name)
    return names


def unmarked(prompt: str) -> str:
    """The prompt without its markers."""
    return _MARKER.sub("", prompt).strip()
