"""Whatever is wrong with a backup is a sentence, said before anything is written."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from editor.backup import taking
from editor.backup.folder import Folder, sum_of
from editor.models import User
from tests.backup.scenes import empty, rows_there
from tests.conftest import Bucket
from tests.makers import make_image, make_user

pytestmark = pytest.mark.django_db(transaction=True)

Damage = Callable[[Folder, dict[str, Any]], Any]


def silent(line: str) -> None: ...


def without(*path: str) -> Damage:
    def damage(folder: Folder, said: dict[str, Any]) -> None:
        *before, last = path
        place = said
        for name in before:
            place = place[name]
        del place[last]

    return damage


def saying(name: str, value: object) -> Damage:
    return lambda folder, said: said.update({name: value})


def lines_of(table: str, change: Callable[[list[bytes]], list[bytes]], *, sums: bool = True) -> Damage:
    """A file that is another one, though its SHA-256 is what the manifest says."""

    def damage(folder: Folder, said: dict[str, Any]) -> None:
        is_list = table == "objects"
        path = folder.runs / said["run"] / ("objects.jsonl.gz" if is_list else f"rows/{table}.jsonl.gz")
        path.write_bytes(gzip.compress(b"".join(change(gzip.decompress(path.read_bytes()).splitlines(True)))))
        (said["objects"] if is_list else said["tables"][table])["sha256"] = sum_of(path)

    return damage


def no_gzip(folder: Folder, said: dict[str, Any]) -> None:
    path = folder.runs / said["run"] / "objects.jsonl.gz"
    path.write_bytes(b"[]\n")
    said["objects"]["sha256"] = sum_of(path)


def shorter(lines: list[bytes]) -> list[bytes]:
    return [json.dumps(json.loads(lines[0])[:2]).encode() + b"\n", *lines[1:]]


def other_key(key: str) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [json.dumps([key, *json.loads(lines[0])[1:]]).encode() + b"\n", *lines[1:]]


def other_columns(folder: Folder, said: dict[str, Any]) -> None:
    said["tables"]["editor.user"]["columns"].pop()


def another_sum(folder: Folder, said: dict[str, Any]) -> None:
    said["tables"]["editor.user"]["sum"] = "0" * 64


def linked(folder: Folder, said: dict[str, Any]) -> None:
    folder.runs.rename(folder.path.parent / "elsewhere")
    folder.runs.symlink_to(folder.path.parent / "elsewhere")


UNKNOWN = "images/00000000-0000-4000-8000-000000000000/master.jpg"
WAYS: dict[str, tuple[Damage, str]] = {
    "pictures have no table": (without("tables", "editor.image"), "editor.image is in this version of the portal"),
    "notices have no table": (without("tables", "editor.notice"), "editor.notice is in this version of the portal"),
    "a table too many": (lambda _, said: said["tables"].update({"editor.x": {}}), "editor.x is in the backup alone"),
    "another column": (other_columns, "editor.user has other columns"),
    "a table is a number": (lambda _, said: said["tables"].update({"editor.user": 5}), "`editor.user` in the manifest"),
    "no sum": (without("tables", "editor.user", "sum"), "`sum` in `editor.user`"),
    "another sum": (another_sum, "editor.user.jsonl.gz"),
    "no SHA-256": (without("tables", "editor.user", "sha256"), "`sha256` in `editor.user`"),
    "no tables": (without("tables"), "`tables` in the manifest"),
    "no objects": (without("objects"), "`objects` in the manifest"),
    "no moment": (without("made_at"), "`made_at` in the manifest is not a text"),
    "no run": (without("run"), "`run` in the manifest is not a text"),
    "a run that is a number": (saying("run", 7), "`run` in the manifest is not a text"),
    "a run that leads elsewhere": (saying("run", "../runs"), "not the name of a run"),
    "no migrations": (saying("migrations", None), "`migrations` in the manifest is not a list of texts"),
    "lost ones without names": (saying("lost", {"count": 2, "some": []}), "names none"),
    "an object that is too short": (lines_of("objects", shorter), "a line that is no object"),
    "an object without a folder": (lines_of("objects", other_key("master.jpg")), "a line that is no object"),
    "an object elsewhere": (lines_of("objects", other_key("images/../../x")), "a line that is no object"),
    "an object of no picture": (lines_of("objects", other_key(UNKNOWN)), "no row of a picture"),
    "a list that is no gzip": (no_gzip, "can't be read"),
    "a row too few": (lines_of("editor.user", lambda lines: []), "editor.user.jsonl.gz"),
    "a row that is too short": (lines_of("editor.image", shorter), "has no rows of editor.image"),
    "a row that is no JSON": (lines_of("editor.image", lambda lines: [b"{\n"]), "has no rows of editor.image"),
    "a link": (linked, "is a link, which is not followed"),
}


def test_whatever_is_malformed_is_a_sentence_and_nothing_is_written(tmp_path: Path, bucket: Bucket) -> None:
    make_image(make_user(), stored=True)
    sound = tmp_path / "sound"
    taking.take(sound, silent)
    empty(bucket)
    before = rows_there()
    for number, (name, (damage, words)) in enumerate(WAYS.items()):
        folder = Folder(tmp_path / str(number) / "backup")
        copy(sound, folder.path)
        said = folder.manifest()
        damage(folder, said)
        folder.write_manifest(said)
        for options in (["--check"], []):
            with pytest.raises(CommandError) as caught:
                call_command("restore", str(folder.path), *options)
            assert words in str(caught.value), name
    assert bucket.keys() == []
    assert rows_there() == before
    assert not User.objects.exists()
    call_command("restore", str(sound), "--check", verbosity=0)


def copy(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file():
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / path.relative_to(source)).write_bytes(path.read_bytes())


def test_odd_things_in_the_directory_are_left_alone_or_said(tmp_path: Path, bucket: Bucket) -> None:
    make_user()
    directory = tmp_path / "backup"
    taking.take(directory, silent)
    (directory / "runs" / ".DS_Store").write_text("x")
    call_command("backup", str(directory), verbosity=0)
    assert (directory / "runs" / ".DS_Store").exists()
    for name in ("runs", "objects"):
        (directory / name).mkdir(exist_ok=True)
        (directory / name).rename(tmp_path / name)
        (directory / name).symlink_to(tmp_path / name)
        with pytest.raises(CommandError, match=f"{name} is a link"):
            call_command("backup", str(directory))
        (directory / name).unlink()
        (tmp_path / name).rename(directory / name)


def test_a_directory_that_cannot_be_written_is_a_sentence(tmp_path: Path, bucket: Bucket) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CommandError, match="can't be written: Not a directory"):
        call_command("backup", str(tmp_path / "file" / "backup"))
