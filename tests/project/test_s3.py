"""The embedded S3, really started."""

import os
import socket
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from project.embedded import s3
from project.embedded.ports import PortBook
from project.embedded.process import StartError
from tests.project.conftest import MakeChild, eventually


def test_it_keeps_objects_over_a_restart_on_other_ports(tmp_path: Path, book: PortBook, started: MakeChild) -> None:
    part = s3.prepare(tmp_path / "s3", book, "key", "secret")
    child = started(part.program)
    s3.make_bucket(part.client(), "pictures")
    part.client().put_object(Bucket="pictures", Key="a", Body=b"bytes")
    child.stop()
    book.path.unlink()
    part = s3.prepare(tmp_path / "s3", book, "key", "secret")
    started(part.program)
    s3.make_bucket(part.client(), "pictures")  # there already, which is no error
    assert part.client().get_object(Bucket="pictures", Key="a")["Body"].read() == b"bytes"


def test_it_is_private_and_ends_clean(tmp_path: Path, book: PortBook, started: MakeChild) -> None:
    part = s3.prepare(tmp_path / "s3", book, "key", "secret")
    child = started(part.program)
    s3.make_bucket(part.client(), "pictures")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{part.endpoint_url}/pictures")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3.make_client(part.endpoint_url, s3.REGION, "key", "guessed").list_objects_v2(Bucket="pictures")
    child.kill()
    child.stop()
    assert [path for port in part.ports for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock")] == []


def test_all_its_ports_are_known_and_on_loopback(tmp_path: Path, book: PortBook, started: MakeChild) -> None:
    part = s3.prepare(tmp_path / "s3", book, "key", "secret")
    child = started(part.program)
    assert eventually(lambda: listening(child.pid) == {("127.0.0.1", port) for port in part.ports})


def listening(pid: int | None) -> set[tuple[str, int]]:
    """The TCP addresses that a process listens on, as the kernel shows them."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            inodes.add(str(link.readlink()))
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                address, port = fields[1].split(":")
                raw = b"".join(bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8))
                found.add((socket.inet_ntop(family, raw), int(port, 16)))
    return found


def test_ports_of_which_one_is_taken_are_passed_over(tmp_path: Path, book: PortBook) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        book.path.write_text(f'{{"s3": {taken - 10_003}}}')
        assert taken not in s3.prepare(tmp_path / "s3", book, "key", "secret").ports


def test_a_machine_without_it_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(StartError, match=r"Intel Macs: set S3_ENDPOINT_URL"):
        s3.find_server()


def test_ports_with_sockets_of_somebody_else_are_passed_over(tmp_path: Path) -> None:
    for name in ("filer-12752", "master-grpc-22750", "s3-"):
        (tmp_path / f"seaweedfs-{name}.sock").touch()
    assert s3.ports_of_others(os.getuid(), tmp_path) == set()
    assert s3.ports_of_others(os.getuid() + 1, tmp_path) == {12752, 22750}
