"""Whether a backup is whole and fits this version: everything that a restore relies on, before it writes anything."""

import re
from collections.abc import Iterator
from typing import Any

from django.db.models import Model

from editor.backup import rows
from editor.backup.folder import Folder, NotPossible, sum_of
from editor.backup.index import Kept
from editor.backup.objects import image_of
from editor.backup.taking import IMAGES, Say
from editor.images import keys

NUMBER, TEXT, TEXTS = "a number", "a text", "a list of texts"
SHAPE: dict[str, Any] = {
    "portal": TEXT, "run": TEXT, "made_at": TEXT, "migrations": TEXTS, "key_check": TEXT, "tables": {},
    "objects": {"count": NUMBER, "bytes": NUMBER, "sha256": TEXT},
    "lost": {"count": NUMBER, "some": TEXTS}, "damaged": {"count": NUMBER, "some": TEXTS},
}  # fmt: skip
TABLE = {"columns": TEXTS, "rows": NUMBER, "sum": TEXT, "sha256": TEXT}
_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY = re.compile(rf"incoming/{_ID}|images/{_ID}/[A-Za-z0-9]+\.[A-Za-z0-9]+")
RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]*")


def check(folder: Folder, say: Say, *, whole: bool = False) -> dict[str, Any]:
    """Whether everything that the manifest names is there and as it was; writes nothing. Raises NotPossible.

    Of rows it reads all; of objects it looks at the size, or, `whole`, at every byte.
    """
    said = folder.manifest()
    folder.need_no_links()
    if said.get("run", "") is None:
        raise NotPossible(f"The backup in {folder.path} was never finished: run `manage.py backup` again.")
    _need_shape(said, SHAPE, "the manifest")
    if not RUN.fullmatch(said["run"]):
        raise _damaged("`run` in the manifest is not the name of a run")
    if any(what["count"] and not what["some"] for what in (said["lost"], said["damaged"])):
        raise _damaged("the manifest counts pictures and names none")
    models = _models_of(said)
    wrong = [str(path) for path, fits in _files(folder, said) if not fits]
    for model in [] if wrong else models:
        label = model._meta.label_lower
        path = folder.runs / said["run"] / "rows" / f"{label}.jsonl.gz"
        try:
            found = rows.checked(model, path)
        except ValueError as error:
            raise _damaged(f"{path} has no rows of {label} ({error})") from error
        if found != {name: said["tables"][label][name] for name in ("rows", "sum")}:
            wrong.append(str(path))
    wrong = wrong or _wrong_objects(folder, said, whole)
    if wrong:
        raise NotPossible(
            f"The backup is damaged, and nothing was written: {len(wrong)} of its files are missing or are not what "
            f"they were, such as {wrong[0]}. Take another copy of it."
        )
    say(f"The backup of {said['made_at']} is whole: {said['objects']['count']} objects.")
    return said


def _damaged(what: str) -> NotPossible:
    return NotPossible(f"The backup is damaged, and nothing was written: {what}. Take another copy of it.")


def _need_shape(said: Any, shape: dict[str, Any], where: str) -> None:
    """Raises NotPossible."""
    if not isinstance(said, dict):
        raise _damaged(f"{where} has no names and values")
    for name, wanted in shape.items():
        value = said.get(name)
        if isinstance(wanted, dict):
            _need_shape(value, wanted, f"`{name}` in {where}")
        elif not _is(value, wanted):
            raise _damaged(f"`{name}` in {where} is not {wanted}")


def _is(value: object, wanted: str) -> bool:
    if wanted == NUMBER:
        return type(value) is int and value >= 0
    if wanted == TEXT:
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _models_of(said: dict[str, Any]) -> list[type[Model]]:
    """All tables, if the manifest has these very ones with these very columns. Raises NotPossible."""
    models = {model._meta.label_lower: model for model in rows.tables()}
    if odd := sorted(models.keys() ^ said["tables"].keys()):
        where = "this version of the portal" if odd[0] in models else "the backup"
        raise _misfit(f"the table {odd[0]} is in {where} alone")
    for label, model in models.items():
        _need_shape(said["tables"][label], TABLE, f"`{label}` in the manifest")
        if said["tables"][label]["columns"] != [field.attname for field in rows.columns(model)]:
            raise _misfit(f"the table {label} has other columns")
    return list(models.values())


def _misfit(what: str) -> NotPossible:
    return NotPossible(
        f"The backup can't be restored here, and nothing was written: {what}. If another version of the portal made "
        "it, use that version; else it is damaged: take another copy of it."
    )


def _files(folder: Folder, said: dict[str, Any]) -> Iterator[tuple[Any, bool]]:
    run = folder.runs / said["run"]
    for label, table in said["tables"].items():
        path = run / "rows" / f"{label}.jsonl.gz"
        yield path, path.is_file() and sum_of(path) == table["sha256"]
    listing = run / "objects.jsonl.gz"
    yield listing, listing.is_file() and sum_of(listing) == said["objects"]["sha256"]


def _wrong_objects(folder: Folder, said: dict[str, Any], whole: bool) -> list[str]:
    wrong, count, size = [], 0, 0
    for kept, _ in with_places(folder, said):
        path = folder.object_path(kept.key)
        count, size = count + 1, size + kept.size
        fits = path.is_file() and path.stat().st_size == kept.size
        if not fits or (whole and sum_of(path) != kept.sha256):
            wrong.append(str(path))
    if (count, size) != (said["objects"]["count"], said["objects"]["bytes"]):
        wrong.append("the list of objects")
    return wrong


def _kept(folder: Folder, said: dict[str, Any]) -> Iterator[Kept]:
    """Raises NotPossible."""
    path = folder.runs / said["run"] / "objects.jsonl.gz"
    lines = rows.read(path)
    while True:
        try:
            values: Any = next(lines, None)
        except rows.MALFORMED as error:
            raise _damaged(f"{path} can't be read ({error})") from error
        if values is None:
            return
        if not (
            isinstance(values, list)
            and len(values) == len(Kept._fields)
            and all(map(_is, values, (TEXT, NUMBER, TEXT, TEXT)))
            and KEY.fullmatch(values[0])
        ):
            raise _damaged(f"{path} has a line that is no object")
        yield Kept(*values)


def with_places(folder: Folder, said: dict[str, Any]) -> Iterator[tuple[Kept, str]]:
    """Each object with the key that it gets; both lists go by the pictures' ids. Raises NotPossible."""
    path = folder.runs / said["run"] / "rows" / f"{IMAGES}.jsonl.gz"
    images = map(image_of, rows.read_dicts(path, said["tables"][IMAGES]["columns"]))
    image = None
    for kept in _kept(folder, said):
        image_id = kept.key.split("/")[1]
        while image is None or str(image.pk) != image_id:
            image = next(images, None)
            if image is None:
                raise _damaged(f"{kept.key} is listed, and no row of a picture is there for it")
        yield kept, keys.quarantine_key(kept.key) if image.quarantined_at else kept.key
