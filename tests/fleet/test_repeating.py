"""What the documented proxy asks the next process for, when one dies over a request: what docs/install.md promises."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Child, Keeper, Program
from tests.fleet.machine import CONFIGURATION, NGINX, is_open, make_certificate, places, with_ports


class Well(http.server.BaseHTTPRequestHandler):
    """Answers all requests."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, *words: object) -> None:
        pass


class Dying(Well):
    """Takes a request and goes away."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.connection.shutdown(socket.SHUT_RDWR)

    do_POST = do_GET  # noqa: N815


@pytest.fixture
def servers() -> Iterator[list[int]]:
    """The ports of one that dies over each request, and of one that is well."""
    found = [http.server.ThreadingHTTPServer((HOST, 0), kind) for kind in (Dying, Well)]
    for server in found:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield [server.server_address[1] for server in found]
    for server in found:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(not NGINX, reason="there is no nginx here (apt install nginx-light)")
def test_request_over_which_a_process_dies_is_repeated_only_where_that_is_harmless(
    servers: list[int], tmp_path: Path
) -> None:
    book = PortBook(tmp_path / "ports.json")
    ports = {name: book.take(name, scattered()) for name in ("plain", "tls")} | {"web": servers[0], "web2": servers[1]}
    certificate = make_certificate(tmp_path)
    # The one that dies is always asked first, and never left alone.
    text = with_ports(CONFIGURATION.read_text(), tmp_path, ports).replace("max_fails=1", "max_fails=0")
    text = text.replace(f"server {HOST}:{servers[1]} ", f"server {HOST}:{servers[1]} backup ")
    (tmp_path / "retake.conf").write_text(text)
    block = f"http {{ {places(tmp_path)} include {tmp_path}/retake.conf; }}"
    (tmp_path / "nginx.conf").write_text(f"daemon off;\npid {tmp_path}/pid;\nevents {{}}\n{block}\n")
    words = [str(NGINX), "-e", "stderr", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    keeper = Keeper()
    nginx = Child(
        Program(name="nginx", args=words, env={}, answers=lambda: is_open(ports["tls"])), keeper, lambda _: None
    )
    try:
        nginx.start()
        nginx.wait_until_ready(20)
        with requests.Session() as browser:
            browser.trust_env, browser.verify = False, str(certificate)
            asked = [("GET", "/history/"), ("POST", "/edits/"), ("POST", "/images/"), ("POST", "/hooks/flux/a/")]
            asked += [("POST", "/edits/1/cancel/"), ("POST", "/account/login/")]
            url = f"https://{HOST}:{ports['tls']}"
            answers = [browser.request(how, url + what, timeout=10).status_code for how, what in asked]
        assert answers == [200, 200, 200, 200, 502, 502]
        log = (tmp_path / "retake.log").read_text()
        assert "/history/" in log
        assert not any(secret in log for secret in ("/hooks/", "/account/"))
    finally:
        nginx.stop(grace=2)
        keeper.close()
