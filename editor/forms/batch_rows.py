"""One row, one picture: what pasted lines or a CSV file say of the placeholders of a batch.

Columns are called like the placeholders; one called `picture` names the file. Without it rows and pictures go in order.
"""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from editor.forms.fields import line_of
from editor.models import Image

BYTES_MAX = 1_000_000
ROWS_MAX = 1_000
VALUE_MAX = 300  # characters
NAMED = 5  # mistakes that are told at once
PICTURE = "picture"
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
TOO_LARGE = "The file is larger than 1 MB. A table for 1,000 pictures is far smaller."
ONE_KIND = "Use one of them in all lines."
_FORMULA = ("=", "+", "-", "@")


class BadRows(Exception):  # noqa: N818  a sentence for the person
    """The table can't be used; the text says where and why. `fields`: those of the form in which it is to be mended."""

    def __init__(self, sentence: str, *fields: str) -> None:
        super().__init__(sentence)
        self.fields = fields


@dataclass(frozen=True)
class Row:
    """`line` is where it begins, from 1; `cells` by the name of their column in small letters.

    `mixed`: what to say of it if it can't be used, as its cells seem to be parted in another way than the first.
    """

    line: int
    cells: Mapping[str, str]
    mixed: str = ""


def text_of(data: bytes) -> str:
    """What a file says. Raises BadRows."""
    if len(data) > BYTES_MAX:
        raise BadRows(TOO_LARGE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRows("The file is no UTF-8 text. Save it as “CSV UTF-8”, please.") from None


def read_rows(text: str, names: Sequence[str]) -> list[Row]:
    """The rows of a table with a column for each of `names`, or, for one name alone, a value a line. Raises BadRows."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text or "\ufffd" in text:
        raise BadRows("The table holds characters that are no text.")
    known = {_same(name) for name in names} | {PICTURE}
    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter, header = max(((each, _cells(first, each)) for each in DELIMITERS), key=lambda one: len(one[1]))
    if not known & set(header):
        if len(names) != 1:
            raise BadRows(f"The first line must name the columns: {', '.join([PICTURE, *names])}.")
        found: Iterator[Row] = (
            Row(line, {_same(names[0]): _value(value, line)})
            for line, value in enumerate(text.split("\n"), start=1)
            if value.strip()
        )
    else:
        _check_header(header)
        _check_one_kind(first, delimiter, known)
        found = _read(text, delimiter, header, known)
    rows = list(islice(found, ROWS_MAX + 1))  # a file may have half a million, and each costs time
    if not rows:
        raise BadRows("The table has no rows.")
    if len(rows) > ROWS_MAX:
        raise BadRows(f"At most {ROWS_MAX:,} rows, please; this table has more.")
    return rows


def _same(text: str) -> str:
    """What a name is compared by: `é` may be one character or two, as some machines write the names of files."""
    return unicodedata.normalize("NFC", line_of(text)).casefold()


def _cells(line: str, delimiter: str) -> list[str]:
    return [_same(cell) for cell in _parted(line, delimiter)]


def _parted(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return []


def _check_one_kind(first: str, delimiter: str, known: set[str]) -> None:
    names = _parted(first, delimiter)
    for other, called in DELIMITERS.items():
        if other != delimiter and any(known & set(_cells(name, other)) for name in names if other in name):
            raise BadRows(f"The first line parts its columns by {DELIMITERS[delimiter]} and by {called}. {ONE_KIND}")


def _check_header(header: list[str]) -> None:
    twice = next((name for name, number in Counter(header).items() if name and number > 1), None)
    if twice is not None:
        raise BadRows(f"Two columns are called “{twice}”.")


def _read(text: str, delimiter: str, header: list[str], known: set[str]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    begins, seen = 1, False
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not seen:
                seen = True
                continue
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                raise BadRows(f"Line {line}: there are {len(cells)} cells, and the first line names {len(header)}.")
            named = {
                name: _value(cell, line)
                for name, cell in zip_longest(header, cells[: len(header)], fillvalue="")
                if name in known
            }
            yield Row(line, named, _mixed(line, cells, header, delimiter))
    except csv.Error as error:
        raise BadRows(f"Line {begins}: this is no CSV ({error}). Look for a quotation mark too many.") from None


def _mixed(line: int, cells: list[str], header: list[str], delimiter: str) -> str:
    if len(cells) >= len(header):
        return ""
    called = [called for other, called in DELIMITERS.items() if other != delimiter and any(other in c for c in cells)]
    if not called:
        return ""
    first = DELIMITERS[delimiter]
    return f"Line {line}: its cells are parted by {called[0]}, those of the first line by {first}. {ONE_KIND}"


def _value(text: str, line: int) -> str:
    value = line_of(text)
    if value.startswith("'") and value[1:].startswith(_FORMULA):
        value = value[1:]  # as our own lists write what a spreadsheet would run
    if len(value) > VALUE_MAX:
        raise BadRows(f"Line {line}: a cell has {len(value)} characters; at most {VALUE_MAX}, please.")
    return value


def match(
    rows: Sequence[Row], names: Sequence[str], images: Sequence[Image], given: Mapping[str, str]
) -> list[tuple[Image, dict[str, str]]]:
    """Each row with its picture and a value for each of `names`; empty cells take what is `given`. Raises BadRows."""
    wrong: list[str] = []
    found = []
    by_name = any(PICTURE in row.cells for row in rows)
    if not by_name and len(rows) != len(images):
        raise BadRows(
            f"There {_are(len(rows), 'row')} for {_many(len(images), 'picture')}. Give one row for each, "
            f"or a column “{PICTURE}” with the names of the files."
        )
    called = _called(images) if by_name else {}
    missing = [name for name in names if not given.get(name) and not any(_same(name) in row.cells for row in rows)]
    for place, row in enumerate(rows):
        image, problem = (images[place], "") if not by_name else _named(row, called)
        values = {name: row.cells.get(_same(name)) or given.get(name, "") for name in names}
        lacking = [name for name in names if not values[name] and name not in missing]
        if lacking and not problem:
            problem = f"Line {row.line}: nothing for “{lacking[0]}”."
        if problem:
            wrong.append(row.mixed or problem)
        elif image is not None:
            found.append((image, values))
    said = [f"No column is called “{name}”: name one so in the first line, or fill in its field." for name in missing]
    if said or wrong:
        more = f" And {len(wrong) - NAMED} more like these." if len(wrong) > NAMED else ""
        raise BadRows(" ".join([*said, *wrong[:NAMED]]) + more)
    return found


def _called(images: Sequence[Image]) -> dict[str, list[Image]]:
    """The pictures by what a row may call them: the name of the file, with its ending or without."""
    called: dict[str, list[Image]] = {}
    for image in images:
        name = _same(image.name)
        for each in dict.fromkeys([name, name.rpartition(".")[0] or name]):
            called.setdefault(each, []).append(image)
    return called


def _named(row: Row, called: Mapping[str, list[Image]]) -> tuple[Image | None, str]:
    """The picture, or what is wrong with its name."""
    name = row.cells.get(PICTURE, "")
    found = called.get(_same(name), [])
    if len(found) == 1:
        return found[0], ""
    if not name:
        return None, f"Line {row.line}: no picture is named."
    if found:
        return None, f"Line {row.line}: {len(found)} of the chosen pictures are called “{name}”."
    return None, f"Line {row.line}: none of the chosen pictures is called “{name}”."


def _many(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"


def _are(number: int, what: str) -> str:
    return f"is 1 {what}" if number == 1 else f"are {number:,} {what}s"
