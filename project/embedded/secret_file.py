"""The secrets of one VAR_DIR: drawn at the first start, readable by their owner alone."""

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from project.embedded.process import StartError


@dataclass(frozen=True)
class Secrets:
    """What the embedded parts and the portal know each other by."""

    secret_key: str
    redis_password: str
    s3_access_key_id: str
    s3_secret_access_key: str
    sandbox_key: str


def load(path: Path) -> Secrets:
    """The secrets of this file, which is made if it is missing; raises StartError if it can't be read."""
    if not path.exists():
        draw(path)
    path.chmod(0o600)
    try:
        kept = json.loads(path.read_text())
        return Secrets(**{field.name: str(kept[field.name]) for field in fields(Secrets)})
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{path} is damaged ({error}); put it right or remove it, which signs everybody out."
        ) from error


def draw(path: Path) -> None:
    """Write fresh secrets."""
    fresh = Secrets(
        secret_key=secrets.token_urlsafe(50),
        redis_password=secrets.token_hex(20),
        s3_access_key_id=secrets.token_hex(10),
        s3_secret_access_key=secrets.token_hex(20),
        sandbox_key=secrets.token_hex(20),
    )
    _write(path, json.dumps(asdict(fresh), indent=2))


def write_environment(path: Path, environ: Mapping[str, str]) -> None:
    """What a start chose itself, for a shell that is to run a command beside it: `. var/env`."""
    chosen = sorted({"BIND"} | {name for name, value in environ.items() if os.environ.get(name) != value})
    _write(path, "".join(f"export {name}={shlex.quote(environ[name])}\n" for name in chosen))


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others even for a moment."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
