"""Settings: all documented, every mistake said in one sentence that names its variable, and no secret in it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from project import adjustable
from project.environment import Environment

ROOT = Path(__file__).resolve().parent.parent
WEB = ["-c", "import project.asgi"]
CHECK = ["manage.py", "check"]
SECRET = "hunter2-not-for-any-log"
INBOX = {
    "FLUX_INBOX_BUCKET": "inbox",
    "FLUX_INBOX_PUBLIC_URL": "https://inbox.example.com",
    "FLUX_INBOX_ACCESS_KEY_ID": "their-key",
    "FLUX_INBOX_SECRET_ACCESS_KEY": SECRET,
}

MISTAKES = [
    ("retake.E001", "SECRET_KEY", {"SECRET_KEY": ""}),
    ("retake.E001", "PUBLIC_URL", {"PUBLIC_URL": " "}),
    ("retake.E001", "DATABASE_URL", {"DATABASE_URL": ""}),
    ("retake.E001", "REDIS_URL", {"REDIS_URL": ""}),
    ("retake.E001", "S3_BUCKET", {"S3_BUCKET": ""}),
    ("retake.E001", "FLUX_API_KEY", {"FLUX_API_KEY": ""}),
    ("retake.E002", "DEBUG", {"DEBUG": "perhaps"}),
    ("retake.E003", "FLUX_QUEUE_LIMIT", {"FLUX_QUEUE_LIMIT": "many"}),
    ("retake.E003", "UPLOAD_MAX_BYTES", {"UPLOAD_MAX_BYTES": "1e309"}),
    ("retake.E003", "FLUX_PRICE", {"FLUX_PRICE": "nan"}),
    ("retake.E004", "PUBLIC_URL", {"PUBLIC_URL": "retake.example.com"}),
    ("retake.E004", "PUBLIC_URL", {"PUBLIC_URL": "http://["}),
    ("retake.E004", "PUBLIC_URL", {"PUBLIC_URL": "https://retake.example.com:https"}),
    ("retake.E004", "DATABASE_URL", {"DATABASE_URL": f"postgres://retake:{SECRET}@db:port/retake"}),
    ("retake.E004", "DATABASE_URL", {"DATABASE_URL": f"oracel://retake:{SECRET}@db/retake"}),
    ("retake.E004", "REDIS_URL", {"REDIS_URL": f"http://:{SECRET}@redis"}),
    ("retake.E004", "S3_ENDPOINT_URL", {"S3_ENDPOINT_URL": "s3.example.com"}),
    ("retake.E004", "FLUX_BASE_URL", {"FLUX_BASE_URL": "ftp://flux.example.com/"}),
    ("retake.E004", "EMAIL_URL", {"EMAIL_URL": f"gopher://me:{SECRET}@mail.example.com"}),
    ("retake.E004", "EMAIL_URL", {"EMAIL_URL": f"smtp://me:{SECRET}@mail.example.com:smtp"}),
    ("retake.E004", "EMAIL_URL", {"EMAIL_URL": f"smtp://me:{SECRET}@mail.example.com?timeout=long"}),
    (
        "retake.E006",
        "FLUX_UPLOAD_URL",
        {
            "FLUX_UPLOAD_URL": "",
            "FLUX_BASE_URL": "https://modelslab.com/api/v1/enterprise/",
            "PUBLIC_URL": "http://localhost:8000",
        },
    ),
    ("retake.E005", "FLUX_INBOX_SECRET_ACCESS_KEY", INBOX | {"FLUX_INBOX_SECRET_ACCESS_KEY": ""}),
    ("retake.E004", "FLUX_INBOX_PUBLIC_URL", INBOX | {"FLUX_INBOX_PUBLIC_URL": "inbox.example.com"}),
    ("retake.E004", "FLUX_INBOX_PUBLIC_URL", INBOX | {"FLUX_INBOX_PUBLIC_URL": f"https://me:{SECRET}@example.com"}),
    ("retake.E004", "FLUX_INBOX_ENDPOINT_URL", INBOX | {"FLUX_INBOX_ENDPOINT_URL": f"http://me:{SECRET}@[::1]/inbox"}),
    ("retake.E004", "FLUX_INBOX_ENDPOINT_URL", INBOX | {"FLUX_INBOX_ENDPOINT_URL": "https://s3.example.com"}),
    ("retake.E007", "FLUX_INBOX_DIRECTORY", INBOX | {"FLUX_INBOX_DIRECTORY": "results/../.."}),
    ("retake.E008", "FLUX_INBOX_BUCKET", INBOX | {"S3_BUCKET": "inbox"}),
    ("retake.E008", "FLUX_INBOX_ACCESS_KEY_ID", INBOX | {"S3_ACCESS_KEY_ID": "their-key"}),
    ("retake.E007", "SIGNUP", {"SIGNUP": "everybody"}),
    ("retake.E007", "SIGNUP", {"SIGNUP": "domain:"}),
    ("retake.E003", "EDITS_PER_DAY", {"EDITS_PER_DAY": "2.5"}),
    ("retake.E003", "WORKSPACE_MONEY_PER_MONTH", {"WORKSPACE_MONEY_PER_MONTH": "-1"}),
    ("retake.E009", "PORTAL_NOTICE", {"PORTAL_NOTICE": "x" * 301}),
    ("retake.E007", "LOG_LEVEL", {"LOG_LEVEL": "loud"}),
    ("retake.E007", "LOG_FORMAT", {"LOG_FORMAT": "xml"}),
    ("retake.E004", "METRICS_TOKEN", {"METRICS_TOKEN": SECRET[:12]}),
]


def start(arguments: list[str], environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    given = {**os.environ, "SECRET_KEY": SECRET, "FLUX_API_KEY": SECRET, "S3_SECRET_ACCESS_KEY": SECRET, **environ}
    return subprocess.run(
        [sys.executable, *arguments], env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


ONE_OF_EACH = list({mistake[0]: mistake for mistake in MISTAKES}.values())


@pytest.mark.parametrize(("check", "name", "environ"), MISTAKES)
def test_mistake_names_its_variable_and_quotes_no_secret(check: str, name: str, environ: dict[str, str]) -> None:
    done = start(["-c", "from project import settings; print(*settings.SETTINGS_PROBLEMS, sep='\\n')"], environ)
    assert f"Problem(id='{check}', name='{name}', " in done.stdout
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(("check", "name", "environ"), ONE_OF_EACH)
def test_system_check_says_it_in_a_sentence(check: str, name: str, environ: dict[str, str]) -> None:
    done = start(CHECK, environ)
    assert done.returncode != 0
    assert f"{name}: ({check}) " in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(("check", "name", "environ"), ONE_OF_EACH)
def test_web_process_refuses_with_the_same_sentence(check: str, name: str, environ: dict[str, str]) -> None:
    done = start(WEB, environ)
    assert done.returncode != 0
    assert done.stderr.startswith("Retake can't start:\n")
    assert re.search(rf"^  .*{name}.* \({check}\)$", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize("process", [WEB, ["manage.py", "rqworker", "edits"], ["manage.py", "clock"], CHECK])
def test_no_process_starts_without_settings(process: list[str]) -> None:
    bare = {name: "" for name in os.environ if name in documented()}
    done = start(process, {**bare, "SECRET_KEY": "", "FLUX_API_KEY": "", "S3_SECRET_ACCESS_KEY": "", "EMBEDDED": "0"})
    assert done.returncode != 0
    for name in ("SECRET_KEY", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "S3_BUCKET", "FLUX_API_KEY"):
        assert f"{name} is not set." in done.stderr
    assert "Traceback" not in done.stderr


def test_sound_settings_start(tmp_path: Path) -> None:
    assert start(CHECK, {}).returncode == 0
    assert start(WEB, {"VAR_DIR": str(tmp_path)}).returncode == 0


def test_half_of_a_group_names_what_is_missing() -> None:
    env = Environment({"ONE": "1", "TWO": " "})
    assert not env.all_or_none(["ONE", "TWO"], "the pair")
    assert [(problem.id, problem.name) for problem in env.problems] == [("retake.E005", "TWO")]


@pytest.mark.parametrize(
    ("store", "address"),
    [
        ({"S3_ENDPOINT_URL": "", "S3_REGION": "eu-central-1"}, "https://inbox.s3.eu-central-1.amazonaws.com"),
        ({"S3_ENDPOINT_URL": "https://s3.example.com:9000"}, "https://inbox.s3.example.com:9000"),
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000/inbox"),
    ],
)
def test_address_of_the_inbox_follows_from_the_store(store: dict[str, str], address: str) -> None:
    code = "from project import settings as s; print(s.FLUX_INBOX, s.FLUX_INBOX_ENDPOINT_URL, s.SETTINGS_PROBLEMS)"
    assert start(["-c", code], INBOX | store).stdout.strip() == f"True {address} []"


@pytest.mark.parametrize(
    ("bind", "seen_at"),
    [
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("[::]:8000", "http://127.0.0.1:8000"),
        (":8000", "http://127.0.0.1:8000"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("10.0.0.5:8000", "http://10.0.0.5:8000"),
    ],
)
def test_sandbox_reaches_a_portal_that_listens_everywhere(bind: str, seen_at: str) -> None:
    code = "from project import settings as s; print(s.FLUX_SEES_US_AT, s.FLUX_SEES_US_AT[7:-5] in s.ALLOWED_HOSTS)"
    assert start(["-c", code], {"BIND": bind}).stdout.strip() == f"{seen_at} True"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("submission://me%40example.com:p%40ss@mail.example.com", ("mail.example.com", 587, True, False)),
        ("smtp://mail.example.com", ("mail.example.com", 25, False, False)),
        ("smtp://mail.example.com:465?ssl=1", ("mail.example.com", 465, False, True)),
    ],
)
def test_mail_server_is_read_from_its_address(address: str, expected: tuple[str, int, bool, bool]) -> None:
    code = (
        "from project import settings as s;"
        "print((s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL), s.EMAIL_TIMEOUT, s.MAILBOX)"
    )
    done = start(["-c", code], {"EMAIL_URL": address, "EMBEDDED": "1"})
    assert done.stdout.strip() == f"{expected} 10 False"


def read_by_settings() -> dict[str, ast.Call]:
    """Each variable that settings.py reads, with the call that does."""
    nodes = ast.walk(ast.parse((ROOT / "project/settings.py").read_text()))
    calls = [node for node in nodes if isinstance(node, ast.Call) and is_reading(node)]
    return {str(call.args[0].value): call for call in calls}  # type: ignore[attr-defined]


def is_reading(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="env"), attr=method), args=[ast.Constant(value=str()), *_]):
            return method not in {"complain", "url"}  # `url` checks what another call has read
    return False


OF_PEOPLE = "## Settings of people"


def rows_of(text: str) -> dict[str, str]:
    """Each variable in the tables of a text, with its default."""
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \|[^|]*\|([^|]*)\|", text, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return {name: default.strip() for name, default in rows}


def documented() -> dict[str, str]:
    """Each variable in docs/settings.md, with its default."""
    return rows_of((ROOT / "docs/settings.md").read_text())


def documented_for(whom: str) -> dict[str, str]:
    """Those in the part about the "machine" or about "people"."""
    before, _, after = (ROOT / "docs/settings.md").read_text().partition(OF_PEOPLE)
    people, _, rest = after.partition("\n## ")
    return rows_of(people if whom == "people" else before + rest)


def test_every_variable_is_documented_and_no_other() -> None:
    assert set(documented_for("machine")) == set(read_by_settings())
    assert set(documented_for("people")) == {each.name for each in adjustable.ALL}


def test_documented_defaults_of_people_are_the_real_ones() -> None:
    said = documented_for("people")
    assert said.pop("SIGNUP") == "`open` with a sandbox, else `invite`"
    nothing = Environment({})
    for each in adjustable.ALL:
        if each.name in said:
            default = adjustable.as_text(each.read(nothing, each.name))
            assert said[each.name] == (f"`{default}`" if default else "none"), each.name


def test_documented_defaults_are_the_real_ones() -> None:
    said = documented_for("machine")
    for name, call in read_by_settings().items():
        method = call.func.attr  # type: ignore[attr-defined]
        if method == "required":
            assert said[name] == "required", name
        elif method == "flag":
            assert said[name] == "off", name
        elif len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            assert said[name] == f"`{call.args[1].value!s}`", name
