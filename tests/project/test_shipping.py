"""Docker, Compose, proxies, alarms and docs name only what there is, and what they start ends in its time."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from editor import metrics
from tests.fleet.machine import CONFIGURATION, NGINX, make_certificate, places, with_ports
from tests.project.test_deploy_files import UNITS, commands, unit
from tests.test_settings import documented

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
SAID = ["README.md", *(f"docs/{name}.md" for name in ("install", "upgrading", "alarms", "operating"))]
OF_OTHERS = {"help"}  # Django's, which `get_commands` leaves out
MINIMUM = {"web": 30, "edits": 480, "pictures": 150, "clock": 60}  # seconds, as docs/operating.md says


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_compose_starts_what_the_procfile_does_and_gives_it_time() -> None:
    services = compose()
    procfile = {name: command.split() for name, command in commands().items()}
    for name, service in services.items():
        kind = name.rstrip("2")
        if kind in MINIMUM:
            assert int(service["stop_grace_period"].rstrip("s")) >= MINIMUM[kind], name
            assert service.get("command", procfile["web"]) == procfile[kind], name
    assert {"web", "web2", "edits", "edits2", "pictures", "clock", "postgres", "redis", "s3", "migrate"} == set(
        services
    )
    assert all("healthcheck" in services[name] for name in ("web", "web2", "postgres", "redis", "s3"))
    assert all(":" in service["image"] or service["image"] == "retake" for service in services.values())


def test_image_runs_the_web_process_of_the_procfile_without_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    found = re.search(r"^CMD (.*)$", text, re.MULTILINE)
    assert found
    command = " ".join(yaml.safe_load(found[1]))
    assert command == commands()["web"].replace("${HOST:-127.0.0.1}", "0.0.0.0").replace("${PORT:-8000}", "8000")
    assert text.rindex("USER retake") < text.rindex("CMD")
    assert all(re.fullmatch(r"FROM \S+:[\w.-]+( AS \w+)?", line) for line in text.splitlines() if line[:4] == "FROM")


def test_image_collects_static_files_with_what_it_says(tmp_path: Path) -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    line = next(line for line in text.splitlines() if line.startswith("RUN SECRET_KEY"))
    command = (
        line.removeprefix("RUN ").replace("/opt/retake/var", str(tmp_path)).replace(".venv/bin/python", sys.executable)
    )
    done = subprocess.run(
        ["env", "-i", "sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "staticfiles/staticfiles.json").exists()


@pytest.mark.parametrize("name", UNITS)
def test_units_give_the_documented_time(name: str) -> None:
    assert int(unit(name)["TimeoutStopSec"]) == MINIMUM[name]


@pytest.mark.parametrize("name", SAID)
def test_documented_commands_and_settings_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    known = get_commands().keys() | OF_OTHERS
    named = set(re.findall(r"(?:manage\.py|`retake|^ *(?:RETAKE=\S+ )?retake)\s+([a-z_0-9]+)", text, re.MULTILINE))
    assert named
    assert named - known == set()


@pytest.mark.parametrize("name", SAID)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#[\w-]+)?\)", (ROOT / name).read_text()):
        assert not target or (ROOT / name).parent.joinpath(target).exists(), target


def test_example_of_the_environment_names_known_settings_alone() -> None:
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(values) <= set(documented())
    assert all(re.fullmatch(r"'[^']*'", value) for value in values.values())  # read alike by systemd, sh and Compose


@pytest.mark.django_db
def test_alarms_are_on_metrics_that_there_are_and_each_is_explained() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus/retake.rules.yml").read_text())["groups"][0]["rules"]
    said = metrics.exposition().decode()
    explained = (ROOT / "docs/alarms.md").read_text()
    for rule in rules:
        for name in re.findall(r"retake_\w+", rule["expr"]):
            assert f"# TYPE {name} " in said, name
        assert f"| `{rule['alert']}` {rule['labels']['severity']} |" in explained


@pytest.mark.skipif(not NGINX, reason="there is no nginx here (apt install nginx-light)")
def test_nginx_understands_the_configuration(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    ports = {"plain": 18080, "tls": 18443, "web": 18000, "web2": 18001}
    (tmp_path / "retake.conf").write_text(with_ports(CONFIGURATION.read_text(), tmp_path, ports))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ {places(tmp_path)} include {tmp_path}/retake.conf; }}\n"
    )
    command = [str(NGINX), "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr.replace('the "user" directive', "")


@pytest.mark.skipif(not shutil.which("caddy"), reason="there is no caddy here (apt install caddy)")
def test_caddy_understands_the_configuration(tmp_path: Path) -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "caddy/Caddyfile")]
    environ = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_proxies_take_uploads_that_the_portal_has_words_for() -> None:
    largest = 2 * settings.UPLOAD_MAX_BYTES
    nginx = re.findall(r"client_max_body_size (\d+)m;", CONFIGURATION.read_text())
    caddy = re.findall(r"max_size (\d+)MB", (DEPLOY / "caddy/Caddyfile").read_text())
    assert max(int(size) for size in nginx) * 2**20 > largest
    assert int(caddy[0]) * 1_000_000 > largest
