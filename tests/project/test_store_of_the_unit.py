"""The store of deploy/systemd/retake-s3.service, with its own command, and the bucket as docs/install.md makes it."""

import re
import subprocess
from pathlib import Path

import pytest
import requests
from django.conf import settings

from project.embedded import s3
from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Program, inherited
from tests.project.conftest import MakeChild

ROOT = Path(settings.BASE_DIR)
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@pytest.fixture
def ports(tmp_path: Path) -> dict[str, int]:
    first = PortBook(tmp_path / "ports.json").take("s3", scattered(step=5), offsets=s3.OFFSETS)
    return {name: first + number for number, name in enumerate(PORTS)}


def test_store_of_the_unit_keeps_pictures_from_strangers(
    started: MakeChild, ports: dict[str, int], tmp_path: Path
) -> None:
    found = re.search(r"^ExecStart=\S+/weed (.*)$", (ROOT / "deploy/systemd/retake-s3.service").read_text(), re.M)
    assert found
    options = [word for word in found[1].split() if word != "-s3.port=8333"]
    options = [option.replace("/var/lib/retake-s3", str(tmp_path)) for option in options]
    url = f"http://{HOST}:{ports['s3.port']}"
    keys = {"AWS_ACCESS_KEY_ID": "retake", "AWS_SECRET_ACCESS_KEY": "s" * 32}
    started(
        Program(
            name="s3",
            args=[s3.find_server(), *options, *(f"-{name}={port}" for name, port in ports.items())],
            env={**inherited(), **keys, "TMPDIR": str(tmp_path)},
            cwd=tmp_path,
            answers=lambda: s3.answers(url),
            quiet=True,
            grace=0.1,
            after=lambda: s3.remove_sockets(ports["master.port"]),
        )
    )
    make = re.search(r"^echo '(s3\.bucket\.create.*)' \| \S+/weed (shell .*)$", _install(), re.M)
    assert make
    words = make[2].replace("127.0.0.1:9333", f"{HOST}:{ports['master.port']}").split()
    subprocess.run([s3.find_server(), *words], input=make[1], text=True, check=True, timeout=30, capture_output=True)
    client = s3.make_client(url, s3.REGION, *keys.values())
    client.put_object(Bucket="retake", Key="images/a", Body=b"a picture")
    assert client.get_object(Bucket="retake", Key="images/a")["Body"].read() == b"a picture"
    assert requests.get(f"{url}/retake/images/a", timeout=5).status_code == requests.codes.forbidden


def _install() -> str:
    return (ROOT / "docs/install.md").read_text()
