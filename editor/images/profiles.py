"""Colour profiles that exports are written with, made here from published numbers, so that nobody's file is shipped.

Each is an ICC profile of version 4 (ICC.1:2010) with three primaries and one tone curve, as displays have them; some
600 bytes. There is none for CMYK: how inks mix is measured, not computed, and such tables belong to those who measured.
"""

import struct
from typing import NamedTuple

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

_D65 = (0.3127, 0.3290)
_D50: Vector = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


class _Space(NamedTuple):
    description: str
    primaries: tuple[tuple[float, float], ...]  # x, y of red, green and blue; white is D65
    curve: bytes  # an ICC tag


def _fixed(*values: float) -> bytes:
    """Numbers as s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


_SRGB_CURVE = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_GAMMA_CURVE = b"curv" + bytes(4) + struct.pack(">IH", 1, round(563 / 256 * 256)) + bytes(2)

_SPACES = {
    "srgb": _Space("sRGB (IEC 61966-2-1)", ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), _SRGB_CURVE),
    "p3": _Space("P3 for displays, D65", ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), _SRGB_CURVE),
    "a98": _Space("Compatible with Adobe RGB (1998)", ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), _GAMMA_CURVE),
}


def profile(space: str) -> bytes:
    """The ICC profile of a colour space: srgb, p3 or a98. Raises KeyError for others."""
    name, primaries, curve = _SPACES[space]
    adapted = _multiply(_adaptation(), _to_xyz(primaries))
    tags = {
        b"desc": _text(name),
        b"cprt": _text("In the public domain"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(*(value for row in _adaptation() for value in row)),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    for number, tag in enumerate((b"rXYZ", b"gXYZ", b"bXYZ")):
        tags[tag] = _xyz((adapted[0][number], adapted[1][number], adapted[2][number]))
    return _file(tags)


def _file(tags: dict[bytes, bytes]) -> bytes:
    table, data, begin = b"", b"", 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}  # curves are the same for all three and stand there once
    for tag, value in tags.items():
        if value not in places:
            places[value] = begin + len(data)
            data += value + bytes(-len(value) % 4)
        table += tag + struct.pack(">II", places[value], len(value))
    head = struct.pack(">I4sI4s4s4s", begin + len(data), bytes(4), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data


def _text(words: str) -> bytes:
    said = words.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(said), 28) + said


def _xyz(values: Vector) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> Matrix:
    """From linear RGB to XYZ: the primaries, each as bright as it takes for white to come out."""
    columns = _transposed(tuple(_lit(*each) for each in primaries))
    red, green, blue = _times(_inverse(columns), _lit(*_D65))
    return _multiply(columns, ((red, 0, 0), (0, green, 0), (0, 0, blue)))


def _adaptation() -> Matrix:
    """What D65 is to eyes that are used to it becomes what D50 is, as profiles are asked for (Bradford)."""
    there, here = _times(_BRADFORD, _lit(*_D65)), _times(_BRADFORD, _D50)
    scale: Matrix = ((here[0] / there[0], 0, 0), (0, here[1] / there[1], 0), (0, 0, here[2] / there[2]))
    return _multiply(_inverse(_BRADFORD), _multiply(scale, _BRADFORD))


def _lit(x: float, y: float) -> Vector:
    return x / y, 1.0, (1 - x - y) / y


def _transposed(rows: tuple[Vector, ...]) -> Matrix:
    first, second, third = zip(*rows, strict=True)
    return first, second, third


def _times(matrix: Matrix, vector: Vector) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _multiply(left: Matrix, right: Matrix) -> Matrix:
    return _transposed(tuple(_times(left, column) for column in _transposed(right)))


def _inverse(m: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = m
    whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        ((e * i - f * h) / whole, (c * h - b * i) / whole, (b * f - c * e) / whole),
        ((f * g - d * i) / whole, (a * i - c * g) / whole, (c * d - a * f) / whole),
        ((d * h - e * g) / whole, (b * g - a * h) / whole, (a * e - b * d) / whole),
    )
