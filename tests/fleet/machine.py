"""The documented machine: nginx with deploy/nginx/retake.conf, two web processes, four workers, two clocks."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from project.embedded import programs
from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Child, Keeper, Program
from tests.portal import Portal, SandboxOptions

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIGURATION = programs.ROOT / "deploy/nginx/retake.conf"
NAME = "retake.example.com"
CERTIFICATES = f"/etc/letsencrypt/live/{NAME}"
KILLABLE = ("web", "edits", "clock", "pictures", "web2", "edits2", "clock2", "pictures2")
# What else nginx needs: and a way in for the flux server, which can't be told to believe a certificate of our own.
AROUND = """
{user}daemon off;
pid {scratch}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    {places}
    include {scratch}/retake.conf;
    server {{
        listen {host}:{way_in};
        access_log off;
        location / {{
            proxy_pass https://{host}:{tls};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


def places(scratch: Path) -> str:
    """Where nginx keeps what passes through: its own place may be for root alone. For its block `http`."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in kinds)


def with_ports(text: str, scratch: Path, ports: Mapping[str, int]) -> str:
    """The documented file on other ports (`plain`, `tls`, `web`, `web2`), with files of `scratch`.

    Raises AssertionError where it does not say what is replaced.
    """
    changes = {
        "listen 80;": f"listen {HOST}:{ports['plain']};",
        "listen 443 ": f"listen {HOST}:{ports['tls']} ",
        "listen [::]:80;": "",  # not every machine has IPv6
        "listen [::]:443 ssl http2;": "",
        "server 127.0.0.1:8000 ": f"server {HOST}:{ports['web']} ",
        "server 127.0.0.1:8001 ": f"server {HOST}:{ports['web2']} ",
        CERTIFICATES: str(scratch),
        "/var/log/nginx/": f"{scratch}/",
        f"server_name {NAME};": f"server_name {HOST};",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def make_certificate(directory: Path) -> Path:
    """A certificate for loopback with its key, named as Let's Encrypt's are. Raises CalledProcessError."""
    certificate, key = directory / "fullchain.pem", directory / "privkey.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    about = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}"]
    command = ["openssl", "req", *kind, *about, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return certificate


class Machine(Portal):
    """A portal with two of each process, and nginx before them at `url`; `certificate` is what to believe there."""

    def __init__(
        self,
        keeper: Keeper,
        scratch: Path,
        *,
        sandbox: SandboxOptions | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        book = PortBook(scratch / "ports.json")
        ports = {name: book.take(name, scattered()) for name in ("plain", "tls", "way_in", "web2")}
        url = f"https://{HOST}:{ports['tls']}"
        proxied = {"PUBLIC_URL": url, "BIND": f"{HOST}:{ports['way_in']}", "TRUSTED_PROXIES": "1"}
        super().__init__(keeper, scratch, sandbox=sandbox, extra={**proxied, **(extra or {})})
        self.url = url
        self.access_log = scratch / "retake.log"
        self.certificate = make_certificate(scratch)
        for program in (
            replace(programs.web(self.environ, HOST, ports["web2"]), name="web2"),
            *(replace(self._second(queue), name=f"{queue}2") for queue in ("edits", "pictures")),
            replace(programs.clock(self.environ), name="clock2"),
            self._nginx(scratch, ports | {"web": self.port}),
        ):
            self.children[program.name] = Child(program, keeper, self._voice(program.name))

    def _second(self, queue: str) -> Program:
        known = programs.worker(self.environ, queue)
        return replace(known, answers=lambda: self.listens(queue, self.pid(f"{queue}2")))

    def _nginx(self, scratch: Path, ports: Mapping[str, int]) -> Program:
        (scratch / "retake.conf").write_text(with_ports(CONFIGURATION.read_text(), scratch, ports))
        around = scratch / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""  # else it gives itself to somebody who can't read scratch
        around.write_text(AROUND.format(user=user, scratch=scratch, places=places(scratch), host=HOST, **ports))
        return Program(
            name="nginx",
            args=[NGINX or "nginx", "-e", "stderr", "-c", str(around), "-p", str(scratch)],
            env={"PATH": os.environ["PATH"]},
            answers=lambda: is_open(ports["tls"]),
        )

    def stop(self) -> None:
        for name in ("nginx", *KILLABLE):
            self.children[name].terminate()
        for name in ("nginx", *KILLABLE):
            self.children[name].stop(grace=8)
        super().stop()


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
