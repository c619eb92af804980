"""How a picture was made, as metadata of a file: XMP in all formats, with the fields of IPTC for it, and what older
programs read (EXIF; in a PNG text).

Only what stands in `Making` goes in; nothing of a camera, no place, no person.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

MADE_WITH = "Retake"
_SHORT = 500  # characters of the words where programs show them as a caption
_LONG = 4_000
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "retake": "urn:retake:making:1/",
}


@dataclass(frozen=True)
class Making:
    """What is told about a picture. Whoever fills it in leaves out what its reader may not know; empty is not written.

    `made_at` is a moment in ISO 8601; `portal` the portal's address. An upload has no words and no seed.
    """

    name: str = ""
    made_at: str = ""
    portal: str = ""
    credit: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    strength: float | None = None
    shape: str = ""
    sandbox: bool = False

    @property
    def is_edit(self) -> bool:
        return bool(self.prompt)


def xmp(making: Making) -> bytes:
    """An XMP packet, at most some 50,000 bytes: a JPEG takes no more than 65,000."""
    known = "".join(f' xmlns:{name}="{address}"' for name, address in _NAMESPACES.items() if name != "rdf")
    said = "".join(_properties(making))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_NAMESPACES["rdf"]}"><rdf:Description rdf:about=""{known}>{said}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _properties(making: Making) -> Iterator[str]:
    yield _one("xmp:CreatorTool", _tool(making))
    yield _one("xmp:CreateDate", making.made_at)
    yield _one("photoshop:Credit", making.credit)
    for name, words in (("dc:title", making.name), ("dc:description", making.prompt[:_SHORT])):
        if words:
            said = f'<rdf:li xml:lang="x-default">{escape(clean(words))}</rdf:li>'
            yield f"<{name}><rdf:Alt>{said}</rdf:Alt></{name}>"
    if making.is_edit:
        yield _one("Iptc4xmpExt:DigitalSourceType", _SOURCE_TYPE)
        yield _one("Iptc4xmpExt:AISystemUsed", "Flux Kontext Dev" if not making.sandbox else "Sandbox")
        yield _one("Iptc4xmpExt:AIPromptInformation", making.prompt[:_LONG])
    for name, value in _parameters(making):
        yield _one(f"retake:{name}", value[:_LONG])


def _one(name: str, words: str) -> str:
    return f"<{name}>{escape(clean(words))}</{name}>" if words else ""


def _tool(making: Making) -> str:
    return f"{MADE_WITH}, {making.portal}" if making.portal else MADE_WITH


def _parameters(making: Making) -> Iterator[tuple[str, str]]:
    yield "NegativePrompt", making.negative_prompt
    yield "Seed", "" if making.seed is None else str(making.seed)
    yield "Strength", "" if making.strength is None else f"{making.strength:g}"
    yield "Shape", making.shape
    yield "Sandbox", "yes" if making.sandbox else ""


def png_text(making: Making) -> list[tuple[str, str]]:
    """Keywords and their text, as PNG programs know them."""
    said = [
        ("Title", making.name),
        ("Description", making.prompt),
        ("Software", _tool(making)),
        ("Creation Time", making.made_at),
        ("Copyright", making.credit),
        *_parameters(making),
    ]
    return [(keyword, clean(text)) for keyword, text in said if text]


def exif_tags(making: Making) -> dict[int, str]:
    """ImageDescription, Software and DateTime, as far as they are plain ASCII: EXIF knows nothing else."""
    moment = making.made_at[:19].replace("-", ":").replace("T", " ")
    said = {0x010E: clean(making.prompt[:_SHORT]), 0x0131: _tool(making), 0x0132: moment}
    return {tag: text for tag, text in said.items() if text and text.isascii()}


def clean(text: str) -> str:
    """Without characters that XML can't hold, and without those that turn the direction of text after them."""
    return "".join(c for c in text if _is_text(ord(c)))


def _is_text(code: int) -> bool:
    if code < 0x20:
        return code in (0x09, 0x0A)
    turning = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return not (turning or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE)
