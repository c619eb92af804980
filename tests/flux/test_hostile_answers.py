"""The row *the flux server's answers* of what must survive: each item by its name, through submit, check and collect.

The server on the other side says what a test wants; the edit goes on from there as in a worker. Whatever came, the
next sound answer still ends in a picture, and nothing was asked for twice.
"""

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pytest_django import Settings

from editor.images import bucket, keys
from editor.jobs import lifecycle
from editor.models import FluxServer, GenerationJob, JobState, WebhookEvent
from tests.flux.conftest import Recorder, drawn, reply
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = drawn("teal")
ID = 168_200_001
Answer = tuple[int, object, dict[str, str]]


def ok(**fields: object) -> Answer:
    return 200, fields, {}


def raw(body: bytes, code: int = 200, **headers: str) -> Answer:
    return code, body, {name.replace("_", "-"): value for name, value in headers.items()}


class Vendor:
    """Answers to img2img, fetch and GET as it is told; `asked` counts each of them."""

    def __init__(self) -> None:
        self.img2img: Answer = ok(status="processing", id=ID)
        self.fetch: Answer = ok(status="processing")
        self.files: Callable[[str], Answer] = lambda _: raw(PICTURE)
        self.asked = {"img2img": 0, "fetch": 0, "GET": 0}
        self.server = Recorder(self._answer)
        self.link = f"{self.server.origin}/generations/0.png"
        self.finished = ok(status="success", id=ID, output=[self.link])

    def _answer(self, handler: BaseHTTPRequestHandler, _: bytes) -> None:
        kind = "GET" if handler.command == "GET" else "img2img" if handler.path.endswith("img2img") else "fetch"
        self.asked[kind] += 1
        answer = {"GET": self.files(handler.path), "img2img": self.img2img, "fetch": self.fetch}[kind]
        code, body, headers = answer
        reply(handler, code, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)


@pytest.fixture
def vendor(settings: Settings) -> Iterator[Vendor]:
    known = Vendor()
    settings.FLUX_BASE_URL = f"{known.server.origin}/api/v1/enterprise/"
    settings.FLUX_SEES_US_AT = ""
    settings.S3_PUBLIC = True
    yield known
    known.server.close()


@pytest.fixture
def job(vendor: Vendor) -> GenerationJob:
    person = make_user()
    return make_job(person, make_image(person, stored=True))


def look(job: GenerationJob, times: int = 1) -> GenerationJob:
    """Look at it as a worker does, as if it had fallen due, and nothing kept requests from leaving."""
    for _ in range(times):
        FluxServer.objects.current().resume()
        GenerationJob.objects.filter(pk=job.pk, lease_until=None, finished_at=None).update(due_at=job.created_at)
        lifecycle.look_at(job.pk)
    job.refresh_from_db()
    return job


def succeeded(job: GenerationJob, vendor: Vendor) -> None:
    """It ends well with a clean picture, and the paid request left once."""
    result = job.results.get()
    assert (job.state, result.state, job.note) == (JobState.SUCCEEDED, "ready", "")
    master = bucket.get(keys.master_key(result.pk, result.master_ext))
    assert master[:8] == b"\x89PNG\r\n\x1a\n" or master[:3] == b"\xff\xd8\xff"
    assert vendor.asked["img2img"] == 1


BOMB = gzip.compress(b'{"status": "' + b" " * 48_000_000)
GARBAGE: dict[str, Answer] = {
    "HTML with 200": raw(b"<!doctype html><html><h1>Bad gateway</h1></html>", Content_Type="text/html"),
    "HTML with 502": raw(b"<html>Bad gateway</html>", 502),
    "gzip bomb": raw(BOMB, Content_Encoding="gzip"),
    "gzip that is none": raw(b"nonsense", Content_Encoding="gzip"),
    "3 MB": raw(b'{"status": "' + b"x" * 3_000_000 + b'"}'),
    "deep JSON": raw(b'{"status":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "cut-off JSON": raw(b'{"status": "success", "id": 1682'),
    "nothing": raw(b""),
    "list": raw(b'[{"status": "success"}]'),
    "text": raw(b'"success"'),
    "no UTF-8": raw(b'{"status": "\xff\xfe"}'),
    "number of 10,000 digits": raw(b'{"status": "x", "eta": ' + b"9" * 10_000 + b"}"),
    "NUL and lone surrogates": raw(b'{"status": "error", "message": "\\u0000\\ud800", "\\ud800": "\\u0000"}'),
    "redirect": raw(b"", 307, Location="http://169.254.169.254/latest"),
    "no content": raw(b"", 204),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_for_the_paid_request_is_asked_about_and_not_repeated(
    job: GenerationJob, vendor: Vendor, name: str
) -> None:
    vendor.img2img = GARBAGE[name]
    assert look(job, 3).state == JobState.UNCONFIRMED
    attempt = job.attempts.get()
    vendor.fetch = vendor.finished
    assert attempt.learn_vendor_id(str(ID))  # as its webhook does
    WebhookEvent.objects.create(attempt=attempt, body={})
    look(job, 3)
    succeeded(job, vendor)


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_for_a_check_means_later(job: GenerationJob, vendor: Vendor, name: str) -> None:
    vendor.fetch = GARBAGE[name]
    assert look(job, 4).state == JobState.PROCESSING
    vendor.fetch = vendor.finished
    look(job, 2)
    succeeded(job, vendor)


OUTPUTS: dict[str, Callable[[str], dict[str, object]]] = {
    "string": lambda link: {"output": link},
    "object": lambda link: {"output": {"0": link}},
    "one item": lambda link: {"output": [link]},
    "five items": lambda link: {"output": [link, *(f"{link}?{n}" for n in range(4))]},
    "500 items": lambda link: {"output": [link] * 500},
    "one among nonsense": lambda link: {
        "output": [None, 3, {"url": link}, "", "file:///etc/passwd", "gopher://x/", link]
    },
    '"" and proxy_links': lambda link: {"output": "", "proxy_links": [link]},
    "null and proxy_links": lambda link: {"output": None, "proxy_links": link},
    "none and proxy_links": lambda link: {"proxy_links": {"0": link}},
    "0 items and proxy_links": lambda link: {"output": [], "proxy_links": [link], "future_links": ["http://[::1]/"]},
    "double slash": lambda link: {"output": [link.replace("/generations", "//generations")]},
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_of_any_shape_becomes_the_picture(job: GenerationJob, vendor: Vendor, name: str) -> None:
    vendor.fetch = ok(status="success", id=ID, **OUTPUTS[name](vendor.link))
    look(job, 3)
    succeeded(job, vendor)
    assert vendor.asked["GET"] == 1


def test_escaped_slashes_are_read(job: GenerationJob, vendor: Vendor) -> None:
    vendor.fetch = raw(json.dumps({"status": "success", "output": [vendor.link]}).replace("/", "\\/").encode())
    look(job, 3)
    succeeded(job, vendor)


NOTHING: dict[str, object] = {
    '""': "",
    "null": None,
    "0 items": [],
    "object without": {},
    "number": 7,
    "true": True,
    "list of lists": [["https://a.example/0.png"]],
    "no links": [
        "file:///etc/passwd",
        "gopher://a.example/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "a b",
    ],
    "link of 5,000 letters": ["https://a.example/" + "x" * 5_000],
}


@pytest.mark.parametrize("name", NOTHING)
def test_success_without_a_link_is_asked_about_again(job: GenerationJob, vendor: Vendor, name: str) -> None:
    vendor.fetch = ok(status="success", id=ID, output=NOTHING[name], future_links=[vendor.link])
    assert look(job, 3).state == JobState.PROCESSING
    assert vendor.asked["GET"] == 0
    vendor.fetch = vendor.finished
    look(job, 2)
    succeeded(job, vendor)


@pytest.mark.parametrize("number", [ID, str(ID), float(ID), f" {ID} ", "a-b_c.d:e~f"], ids=repr)
def test_id_as_number_or_string_is_followed(job: GenerationJob, vendor: Vendor, number: object) -> None:
    vendor.img2img, vendor.fetch = ok(status="processing", id=number), vendor.finished
    look(job, 3)
    succeeded(job, vendor)


@pytest.mark.parametrize(
    "number", [None, "", "..", 0, -1, [ID], {"id": ID}, True, 1e300, "x" * 200], ids=lambda i: repr(i)[:20]
)
def test_processing_without_a_usable_id_is_unconfirmed(job: GenerationJob, vendor: Vendor, number: object) -> None:
    vendor.img2img = ok(status="processing", id=number)
    assert look(job, 3).state == JobState.UNCONFIRMED
    assert (vendor.asked["img2img"], vendor.asked["fetch"]) == (1, 0)


@pytest.mark.parametrize("number", [None, "", [ID]], ids=repr)
def test_success_with_its_picture_needs_no_id(job: GenerationJob, vendor: Vendor, number: object) -> None:
    vendor.img2img = ok(status="success", id=number, output=[vendor.link])
    look(job, 3)
    succeeded(job, vendor)
    assert vendor.asked["fetch"] == 0


@pytest.mark.parametrize("eta", [-1, "12", 1e9, 12.6, None, "soon", [], True, "-1e999"], ids=repr)
def test_eta_of_any_kind_lets_us_look_in_time(
    job: GenerationJob, vendor: Vendor, settings: Settings, eta: object
) -> None:
    vendor.img2img = ok(status="processing", id=ID, eta=eta)
    before = look(job).due_at
    assert job.state == JobState.PROCESSING
    assert before is not None
    # Soon enough, though the server says that it takes 31 years.
    assert -1 < before.timestamp() - time.time() <= settings.JOB_POLL_LAST.total_seconds()
    vendor.fetch = vendor.finished
    look(job, 2)
    succeeded(job, vendor)


@pytest.mark.parametrize("eta", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_eta_that_is_no_number_in_json(job: GenerationJob, vendor: Vendor, eta: bytes) -> None:
    vendor.img2img = raw(b'{"status": "processing", "id": 5, "eta": ' + eta + b"}")
    vendor.fetch = vendor.finished
    look(job, 3)
    succeeded(job, vendor)


@pytest.mark.parametrize("name", ["message", "messege"])
def test_messege_is_read_like_message(job: GenerationJob, vendor: Vendor, name: str) -> None:
    vendor.img2img = ok(status="error", **{name: "Rate limit exceeded. Maximum 5 queued requests allowed."})
    assert look(job).state == JobState.QUEUED
    assert FluxServer.objects.current().pause_reason == "queue-full"
    vendor.img2img = ok(status="error", **{name: {"width": ["The width must be a multiple of 8."]}})
    assert (look(job).state, job.failure_code) == (JobState.FAILED, "refused_field")
    assert job.failure_detail == "The width must be a multiple of 8."


LINKS: dict[str, Answer] = {
    "JSON": raw(b'{"status": "error", "message": "no such key"}', Content_Type="image/png"),
    "SVG": raw(
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', Content_Type="image/svg+xml"
    ),
    "200 MB": raw(b"\x89PNG\r\n\x1a\n", Content_Length="200000000"),
    "200 MB packed into 200 KB": raw(gzip.compress(PICTURE + bytes(200_000_000), 1), Content_Encoding="gzip"),
    "0 bytes": raw(b""),
    "404": raw(b"<html>not yet</html>", 404),
    "429": raw(b"<html>slow down</html>", 429, Retry_After="1"),
    "HTML with 200": raw(b"<!doctype html><html>not yet</html>", Content_Type="image/png"),
    "cut off": raw(PICTURE, Content_Length=str(len(PICTURE) + 1), Connection="close"),
    "half a picture": raw(PICTURE[: len(PICTURE) // 2]),
    "redirect inside": raw(b"", 302, Location="http://169.254.169.254/"),
    "redirect to itself": raw(b"", 302, Location="0.png"),
}


@pytest.mark.parametrize("name", LINKS)
def test_link_without_a_picture_may_have_one_later(job: GenerationJob, vendor: Vendor, name: str) -> None:
    vendor.fetch = vendor.finished
    vendor.files = lambda _: LINKS[name]
    assert look(job, 4).state == JobState.COLLECTING
    assert job.results.get().state == "received"
    vendor.files = lambda _: raw(PICTURE)
    look(job, 2)
    succeeded(job, vendor)


@pytest.mark.parametrize(
    "name",
    [name for name in LINKS if name not in {"404", "429", "0 bytes", "HTML with 200", "cut off", "redirect to itself"}],
)
def test_link_that_never_has_a_picture_is_given_up(
    job: GenerationJob, vendor: Vendor, settings: Settings, name: str
) -> None:
    settings.JOB_RESULT_PATIENCE = settings.JOB_RESULT_PATIENCE * 0
    vendor.fetch = vendor.finished
    vendor.files = lambda _: LINKS[name]
    assert (look(job, 4).state, job.failure_code) == (JobState.FAILED, "result_lost")
    assert vendor.asked["img2img"] == 1


INSIDE = [
    *("127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "169.254.169.254"),
    *(
        "100.64.0.1",
        "[64:ff9b::7f00:1]",
        "inside.example",
        "user:password@127.0.0.1",
        "127.0.0.1:22",
        "inside.example:6379",
    ),
]


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> list[Any]:
    """Where connections were opened to. Names have an address inside, whoever asks; nothing leaves this machine."""
    reached: list[Any] = []
    connect, ask = socket.socket.connect, socket.getaddrinfo

    def noted(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            reached.append(address[:2])
        return connect(self, address)

    def resolve(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        named = {"inside.example": "10.1.2.3", "localhost": "127.0.0.1"}.get(host, host)
        try:
            numbers = socket.inet_ntoa(socket.inet_aton(named))
        except OSError:
            numbers = named
        return ask(numbers, port, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", noted)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return reached


@pytest.mark.parametrize(
    ("way", "address"),
    [*(("link", address) for address in INSIDE), *(("redirect", address) for address in INSIDE[:2] + INSIDE[-5:-3])],
)
def test_no_result_is_fetched_from_inside(
    job: GenerationJob, vendor: Vendor, settings: Settings, reached: list[Any], way: str, address: str
) -> None:
    settings.JOB_RESULT_PATIENCE = settings.JOB_RESULT_PATIENCE * 0
    inside = f"http://{address}/0.png"
    vendor.fetch = ok(status="success", id=ID, output=[inside]) if way == "link" else vendor.finished
    vendor.files = lambda _: raw(b"", 302, Location=inside)
    assert (look(job, 4).state, job.failure_code) == (JobState.FAILED, "result_lost")
    own = {int(url.rpartition(":")[2]) for url in (vendor.server.origin, settings.S3_ENDPOINT_URL)}
    assert [address for address in reached if address[1] not in own] == []


def test_fetch_result_elsewhere_is_not_asked(job: GenerationJob, vendor: Vendor) -> None:
    elsewhere = Recorder()
    pointing = {"fetch_result": f"{elsewhere.origin}/fetch/7", "future_links": [f"{elsewhere.origin}/0.png"]}
    vendor.img2img = ok(status="processing", id=ID, **pointing)
    vendor.fetch = ok(status="processing", id=7, **pointing)
    look(job, 3)
    vendor.fetch = vendor.finished
    look(job, 2)
    elsewhere.close()
    succeeded(job, vendor)
    assert elsewhere.requests == []
