"""The folder could be published as a library: it needs nothing of the portal around it, and says what it offers."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import editor.flux

FOLDER = Path(editor.flux.__file__).parent
CLIENT_NEEDS = {"requests", "urllib3"}
SANDBOX_NEEDS = CLIENT_NEEDS | {"PIL", "boto3", "botocore", "mypy_boto3_s3"}
SAND = 'FluxClient("http://127.0.0.1:1/api/v1/enterprise/", "k")'


def imported(file: Path) -> Iterator[str]:
    """The packages that a file imports; for a relative import the dots that lead out of the folder, if they do."""
    depth = len(file.relative_to(FOLDER).parts)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level > depth:
            yield "." * node.level


def test_nothing_of_the_portal_is_imported() -> None:
    files = sorted(FOLDER.rglob("*.py"))
    assert len(files) > 8
    for file in files:
        needs = SANDBOX_NEEDS if file.parent.name == "sandbox" else CLIENT_NEEDS
        assert set(imported(file)) - sys.stdlib_module_names - needs == set(), file.name


def test_copy_of_the_folder_works_elsewhere_and_without_the_sandbox(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "lonely", ignore=shutil.ignore_patterns("__pycache__", "sandbox"))
    program = (
        "import sys; from lonely import *; client = "
        f"{SAND}; print(client)\n"
        "try: client.system_details()\n"
        "except FluxError as error: print(error.reason)\n"
        "print(sorted({'django', 'PIL', 'boto3', 'editor', 'redis'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.splitlines() == [SAND.replace('"', "'").replace(", 'k'", ""), "refused-connection", "[]"]


def test_every_public_name_exists_and_is_explained() -> None:
    for name in editor.flux.__all__:
        offered = getattr(editor.flux, name)
        assert not callable(offered) or (offered.__doc__ or "").strip(), name
    for name, method in vars(editor.flux.FluxClient).items():
        assert name.startswith("_") or method.__doc__, name


def test_example_of_the_docstring_uses_what_there_is() -> None:
    example = "".join(
        line.removeprefix("    ") for line in (editor.flux.__doc__ or "").splitlines(True) if line[:4] == "    "
    )
    imports = next(node for node in ast.walk(ast.parse(example)) if isinstance(node, ast.ImportFrom))
    assert imports.module == "editor.flux"
    assert {name.name for name in imports.names} <= set(editor.flux.__all__)
