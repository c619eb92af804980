"""Where the safe fetcher does not go: no connection is opened, however the address is spelled.

Nothing here can reach another machine, even if the guard under test were broken: names are resolved by a stub, and
every connection but one to the test's own server fails before it leaves.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from editor.images.download import NotThereYet, Unsafe, download
from project.embedded.s3 import OFFSETS
from tests.images.loopback import Answer, Loopback, serving, write_certificate

PUBLIC = "93.184.215.14"
NAMES = {
    "localhost": "127.0.0.1",
    "inside.example": "10.1.2.3",
    "printer.local": "192.168.1.9",
    "metadata.google.internal": "169.254.169.254",
    "six.example": "::1",
    "pictures.example": PUBLIC,
}
ADDRESSES = [
    "127.0.0.1",
    "127.1",
    "localhost",
    "LOCALHOST.",
    "0.0.0.0",
    "0",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "１２７.０.０.１",
    "inside.example",
    "printer.local",
    "metadata.google.internal",
    "six.example",
]
OTHER_LINKS = [
    "file:///etc/passwd",
    "gopher://pictures.example/_x",
    "ftp://pictures.example/a.png",
    "data:image/png;base64,iVBORw0KGgo=",
    "javascript:alert(1)",
    "//pictures.example/a.png",
    "/a.png",
    "",
    "http:",
    "http://",
    "http:///a.png",
    "http://[::1/a.png",
    "http://[v1.x]/a.png",
    "http://user:password@pictures.example/a.png",
    "http://user@pictures.example/a.png",
    "http://pictures.example@127.0.0.1/a.png",
    "http://pictures.example:22/a.png",
    "http://pictures.example:8080/a.png",
    "https://pictures.example:80/a.png",
    "http://pictures.example:443/a.png",
    "http://pictures.example:99999/a.png",
    "http://pictures.example:-1/a.png",
    "http://pictures.example:port/a.png",
    "http://pictures.example\\@127.0.0.1/a.png",
    "http://127.0.0.1\\.pictures.example/a.png",
    "http://pictures.example/\r\nHost: inside.example",
    "http://pictures.example\x00.inside.example/a.png",
    "http://pictures.example\t/a.png",
]


Doors = dict[tuple[str, int], int]


class ConnectedError(RuntimeError):
    """The guard under test let a connection through."""


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        server.answer = Answer(body=b"\x89PNG what an attacker wants to read")
        yield server


@pytest.fixture(autouse=True)
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    """Addresses that may be connected to, none at first, and the port on loopback that each of them leads to."""
    opened: Doors = {}
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX:  # Redis, which is emptied after each test
            return connect(self, address)
        if address[:2] not in opened:
            self.close()
            raise ConnectedError(f"{address} was connected to")
        return connect(self, ("127.0.0.1", opened[address[:2]]))

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", guarded)
    return opened


def resolve(host: str, port: int | None, *_: Any, **__: Any) -> list[Any]:
    """Names by the list above, numbers as every C library reads them, nothing else."""
    bare = NAMES.get(host.lower().rstrip("."), host)
    if ":" in bare:
        address = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, bare))
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port or 80, 0, 0))]
    try:
        address = socket.inet_ntoa(socket.inet_aton(bare))
    except OSError:
        raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 80))]


def refused(url: str, **options: Any) -> None:
    with pytest.raises(Unsafe):
        download(url, max_bytes=1_000, timeout=5, **options)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_inner_address_is_refused(scheme: str, address: str) -> None:
    refused(f"{scheme}://{address}/a.png")


@pytest.mark.parametrize("url", OTHER_LINKS)
def test_link_of_another_kind_is_refused(url: str) -> None:
    refused(url)


def test_public_address_is_let_through(doors: Doors, loopback: Loopback) -> None:
    with pytest.raises(ConnectedError):
        download("http://pictures.example/a.png", max_bytes=1_000, timeout=5)
    doors[PUBLIC, 80] = loopback.port
    assert download("http://pictures.example:80/a.png", max_bytes=1_000, timeout=5).startswith(b"\x89PNG")
    assert len(loopback.paths) == 1


@pytest.mark.parametrize("target", [*(f"http://{address}/" for address in ADDRESSES), *OTHER_LINKS[:5]])
def test_redirect_to_where_we_do_not_go_is_refused(doors: Doors, loopback: Loopback, target: str) -> None:
    doors[PUBLIC, 80] = loopback.port
    loopback.answer = Answer(status=302, headers={"Location": target.encode().decode("latin-1")})
    refused("http://pictures.example/a.png")
    assert len(loopback.paths) == 1


@pytest.mark.parametrize(
    "target",
    ["http://user:pw@pictures.example/", "http://pictures.example:8080/", "http://pictures.example\\@127.0.0.1/"],
)
def test_redirect_to_another_port_or_with_a_user_is_refused(doors: Doors, loopback: Loopback, target: str) -> None:
    doors[PUBLIC, 80] = loopback.port
    loopback.answer = Answer(status=307, headers={"Location": target})
    refused("http://pictures.example/a.png")
    assert len(loopback.paths) == 1


def test_name_that_changes_its_mind_is_held_to_its_first_answer(
    doors: Doors, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[str] = iter([PUBLIC])

    def rebinding(host: str, port: int | None, *_: Any, **__: Any) -> list[Any]:
        return resolve(next(answers, "127.0.0.1") if host == "pictures.example" else host, port)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    doors[PUBLIC, 80] = loopback.port  # ("127.0.0.1", 80) stays shut: going there would be seen
    assert download("http://pictures.example/a.png", max_bytes=1_000, timeout=5)
    refused("http://pictures.example/a.png")


@pytest.mark.parametrize(("host", "fine"), [("pictures.example", True), ("other.example", False)])
def test_certificate_is_checked_against_the_name_though_the_address_is_dialled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doors: Doors, host: str, fine: bool
) -> None:
    certificate = write_certificate(tmp_path / "server.pem", host)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with serving(certificate) as server:
        server.answer = Answer(body=b"\x89PNG")
        doors[PUBLIC, 443] = server.port
        outcome = pytest.raises(NotThereYet, match="SSLError") if not fine else nullcontext()
        with outcome:
            assert download("https://pictures.example/a.png", max_bytes=1_000, timeout=5) == b"\x89PNG"


def test_allowed_origin_may_be_inside(doors: Doors, loopback: Loopback) -> None:
    doors["127.0.0.1", loopback.port] = loopback.port
    origin = f"{loopback.origin}/api/v1/enterprise/"
    assert download(f"{loopback.origin}/a.png", allowed_origins=[origin], max_bytes=1_000, timeout=5)


@pytest.mark.parametrize(
    "spell",
    [
        lambda port: f"http://127.0.0.1:{port + 1}/",
        lambda port: f"https://127.0.0.1:{port}/",
        lambda port: f"http://127.0.0.2:{port}/",
        lambda port: f"http://localhost:{port}/",
        lambda port: f"http://2130706433:{port}/",
        lambda port: f"http://127.0.0.1:{port}@inside.example/",
        lambda port: f"http://user@127.0.0.1:{port}/",
        lambda port: f"http://127.0.0.1:{port}.inside.example/",
        lambda port: "http://127.0.0.1/",
    ],
)
def test_only_exactly_the_allowed_origin_is_allowed(loopback: Loopback, spell: Callable[[int], str]) -> None:
    refused(spell(loopback.port), allowed_origins=[loopback.origin])


def test_redirect_from_the_allowed_origin_to_its_neighbour_is_refused(doors: Doors, loopback: Loopback) -> None:
    doors["127.0.0.1", loopback.port] = loopback.port
    loopback.answer = Answer(status=302, headers={"Location": f"http://127.0.0.1:{loopback.port + 1}/secret"})
    refused(f"{loopback.origin}/a.png", allowed_origins=[loopback.origin])
    assert len(loopback.paths) == 1


def test_other_ports_of_the_embedded_s3_stay_refused() -> None:
    endpoint = os.environ["S3_ENDPOINT_URL"]
    own = urlsplit(endpoint).port
    assert own is not None
    ports = {own - 3 + offset for offset in OFFSETS} - {own}  # S3 is the fourth of its ports
    assert len(ports) == 9
    for port in ports:
        refused(f"http://127.0.0.1:{port}/buckets/retake/", allowed_origins=[endpoint])


def test_proxy_of_the_environment_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, doors: Doors, loopback: Loopback
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, loopback.origin)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    doors[PUBLIC, 80] = loopback.port  # the proxy's own door stays shut
    assert download("http://pictures.example/a.png", max_bytes=1_000, timeout=5)
    assert loopback.paths == ["/a.png"]
