"""Why a picture is refused: codes for rows, sentences for people. Imports nothing, as the decoder needs it too."""

SMALLEST_SIDE = 32
"""Pixels. Below that there is nothing to edit."""

THINNEST = 12
"""How many times longer than wide a picture may be: its 1280 pixel rendition still fits into a WebP then."""

REFUSALS: dict[str, str] = {
    "too-many-bytes": "This file is too large. Save the picture smaller, or as a JPEG, and upload it again.",
    "too-many-pixels": "This picture has too many pixels. Make it smaller, and upload it again.",
    "too-small": f"This picture is too small to edit. Both sides need at least {SMALLEST_SIDE} pixels.",
    "too-thin": f"This picture is too long and thin. Crop it to at most {THINNEST} times as long as wide.",
    "empty": "This file is empty. Perhaps it was not copied completely: please upload it again.",
    "unsupported": "This kind of file can’t be edited. Save the picture as JPEG, PNG, WebP or AVIF, and upload that.",
    "damaged": "This picture is damaged or incomplete. Open it in a picture program, save it again, and upload that.",
    "undecodable": "This picture could not be read, or took too long. Save it as a plain JPEG, and upload that.",
    "lost": "This picture did not arrive completely. Please upload it again.",
    "removed": "This picture was removed by a moderator before, so it can’t be uploaded again.",
    "blocked": "The flux server’s safety check kept this picture back.",
}


class Refused(Exception):  # noqa: N818  it says what happened
    """The picture must bounce. `code` is one of `REFUSALS`; `sentence` says it to the person who uploaded it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def sentence(self) -> str:
        return REFUSALS[self.code]
