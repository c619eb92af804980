"""What the sandbox can be asked to get wrong.

`PUT /faults` switches faults on for the whole server: `{"no-credit": true, "http-500": 2}` refuses until further notice
and fails twice; `{}` ends all of it. `#fault:name` in a prompt asks for it in that one request, and `GET /` has a
button for each. Faults at the door work for img2img by their bare name, and for the other endpoints with a prefix:
`fetch:http-500`, `details:bad-key`, `upload:reset`, `s3:…` (update_s3 and reset_s3), `image:…` (upload_image),
`command:…` (clear_cache, clear_queue, restart_server and update_server).

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
    queue-full             429 with retry_after and Retry-After
    queue-full-200         the same message under 200
    rate-date              429 with HTML; Retry-After is a date
    rate-reset             429 with HTML; X-RateLimit-Reset is a moment
    refuse-before          503 with a proxy's HTML page
    restarting             503 with HTML and Retry-After, as while the server restarts
    http-404               404 with HTML
    http-500               500 with JSON
    http-502               502 with HTML
    http-504               504 with HTML
    html-200               an HTML page under 200
    empty-200              an empty body under 200
    json-null              null under 200
    json-list              a list under 200
    not-utf8               bytes that are no text
    bad-gzip               says that it is gzip, and is not
    reset                  the connection is reset after the request was read
    hang                   no answer at all
    redirect               307 to another path
    deep-json              JSON nested ten thousand deep

Accepted, but the answer to img2img is lost or strange:
    accept-then-500        500 with HTML
    accept-then-504        504 with HTML
    accept-then-html       HTML under 200
    accept-then-reset      the connection is reset
    accept-then-hang       no answer at all
    cut-json               the answer breaks off
    cut-short              half of the answer arrives in good order, as JSON that is not closed
    processing-without-id  accepted, but under which id?
    gzip-bomb              200 KB that unpack to 48 MB
    slow-drip              one byte a second
    held                   instant_response is ignored: the answer waits for the result

The shape of every answer about it:
    id-as-string           the id is a string
    id-as-word             the id is a word, and fetch wants that word
    id-null                the id is null
    success-without-id     a success does not tell the id
    bare-success           a success tells nothing but status, id and output
    eta-wild               an eta of 1e9
    eta-negative           an eta of -1
    eta-as-string          an eta of "12"
    eta-in-words           an eta of "soon"
    eta-nan                an eta of NaN, which is no JSON
    eta-null               an eta of null
    eta-missing            no eta
    status-unknown         a status that nobody knows, while it works
    status-queued          "queued" while it works
    status-pending         "pending" while it works
    status-ready           "ready" for "success"
    status-missing         no status while it works
    status-upper           "SUCCESS" and "PROCESSING"
    meta-as-list           meta is []
    meta-missing           no meta
    message-object         message is an object of lists
    message-messege        message is misspelt
    escaped-slashes        every / is written \\/
    fetch-elsewhere        fetch_result names another host, path and id

Asking again (the first two times):
    fetch-404-for-a-while    404, "Request not found"
    fetch-500-for-a-while    500 with HTML
    fetch-html-for-a-while   HTML under 200
    fetch-429-for-a-while    429 with Retry-After
    fetch-error-for-a-while  an unknown error under 200
    fetch-reset-for-a-while  the connection is reset
    forgotten              404, "Request not found", always
    forgotten-200          the same under 200, always

The generation itself:
    failed-later           fails when it should be done
    failed-as-error        the same, with "error" for a status
    failed-at-once         failed with an id and "Processing failed: ..."
    blank                  the safety checker replaces every picture
    blank-one              it replaces the first picture only
    blank-untold           it replaces every picture, and does not say so
    flagged                it was not sure: it says so, and replaces none
    nsfw-list              nsfw_content_detected is a list
    nsfw-string            nsfw_content_detected is "true" or "false"
    never                  stays "processing" for ever; takes no place in the queue
    restart-underneath     the server restarts once it has answered: all that waits fails

The finished answer's shape:
    output-as-string       output is a bare link
    output-as-object       output is {"0": link}
    output-empty           output is "", the links are in proxy_links
    output-late            output is [] for a second
    output-null            output is null, and there are no links anywhere
    output-missing         there is no output
    output-none            output is []
    output-five            five links, whatever was asked for
    output-fewer           one link less than was asked for
    output-junk            null, a number and words among the links
    proxy-as-string        output is "", proxy_links a bare link
    proxy-as-object        output is "", proxy_links {"0": link}
    future-only            nothing but future_links
    base64-output          links end in .base64, behind them is text; every second one with a data: prefix
    link-internal          links into a private network
    link-double-slash      host//generations/...
    link-without-extension the name has no ending

The links (those of the sandbox's own store):
    picture-jpg            a JPEG
    picture-webp           a WebP
    picture-avif           an AVIF
    wrong-type             the content type is text
    wrong-extension        a PNG that is named .webp
    link-404               404 with HTML, always
    link-404-for-a-while   404 with HTML for two seconds after it is done
    link-429               429, always
    link-429-for-a-while   429 for two seconds after it is done
    link-500-for-a-while   500 with HTML for two seconds after it is done
    link-html              an HTML page under 200
    link-svg               an SVG with a script
    link-empty             no bytes
    link-broken            the first bytes of a PNG
    link-cut               breaks off in the middle
    link-drip              one byte a second
    link-huge              200 MB that begin like a picture
    link-redirect          302 to where the picture is
    link-redirect-internal 302 into a private network
    not-a-picture          JSON

The registered bucket (a bad picture arrives there as well, link-404-for-a-while comes two seconds late):
    bucket-ignored         the results stay with the server
    bucket-lost            a success, but nothing was written
    bucket-full            nothing can be written, so that the generation fails

The webhook:
    webhook-lost           none is sent
    webhook-twice          two at once
    webhook-ten            ten at once
    webhook-early          before img2img is answered
    webhook-late           three seconds late
    webhook-processing     one while it still works, too
    webhook-out-of-order   the one while it still works comes last
    webhook-failed         says that it failed, whatever came of it
    webhook-other-id       the id of another generation
    webhook-other-track    the track_id of another request
    webhook-without-id     no id
    webhook-unknown        a status that nobody knows
    webhook-internal       links into a private network
    webhook-huge           1 MB
    webhook-html           HTML
    webhook-deep           JSON nested ten thousand deep
    webhook-doubled        JSON that says everything twice, and not the same
    webhook-get            GET, with everything in the query
"""

from __future__ import annotations

import re

_DOOR = "At the door"
ENDPOINTS = ("fetch", "details", "upload", "s3", "image", "command")
"""Prefixes of faults at the door that stand before another endpoint than img2img."""

_MARKER = re.compile(r"#fault:([a-z0-9-]+)")


def _catalogue(text: str) -> dict[str, tuple[str, str]]:
    """Name of each fault in the text above, with the heading that it stands under and what it does."""
    found: dict[str, tuple[str, str]] = {}
    heading = ""
    for line in text.splitlines():
        if line.endswith(":"):
            heading = line.rstrip(":")
        elif match := re.match(r" {4}([a-z0-9-]+) +(\S.*)", line):
            found[match[1]] = heading, match[2]
    return found


_ALL = _catalogue(__doc__ or "")
CATALOGUE = {name: heading for name, (heading, _) in _ALL.items()}
"""The heading of each fault."""
MEANING = {name: meaning for name, (_, meaning) in _ALL.items()}
"""What each fault does, in words."""
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
