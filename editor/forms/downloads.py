"""How a picture is to be given out, as somebody asks for it in an address or a form."""

from typing import Any

from django import forms

from editor.forms.fields import PICK_ONE, TOO_LONG, LineField
from editor.images.export_names import DEFAULT, PATTERN_MAX
from editor.images.export_settings import (
    QUALITY_MAX,
    QUALITY_MIN,
    SIDE_MAX,
    SIDE_MIN,
    BadSettings,
    ExportSettings,
    Format,
    Size,
    Space,
)

FORMATS = [
    (Format.AS_IS.value, "As it is"),
    (Format.JPEG.value, "JPEG"),
    (Format.PNG.value, "PNG"),
    (Format.WEBP.value, "WebP"),
    (Format.AVIF.value, "AVIF"),
]
SIZES = [
    (Size.AS_IS.value, "As it is"),
    (Size.LONG.value, "Long side"),
    (Size.BOX.value, "Into a box"),
]
SPACES = [
    (Space.SRGB.value, "sRGB, for screens and the web"),
    (Space.P3.value, "Display P3"),
    (Space.A98.value, "Compatible with Adobe RGB"),
]


class PixelsField(forms.IntegerField):
    """A side in pixels; may be missing where none is asked for."""

    def __init__(self, least: int = SIDE_MIN, most: int = SIDE_MAX, **options: Any) -> None:
        sentence = f"A whole number from {least} to {most:,}, please."
        told = {"invalid": sentence, "min_value": sentence, "max_value": sentence}
        super().__init__(min_value=least, max_value=most, required=False, error_messages=told, **options)

    def to_python(self, value: Any) -> Any:
        # Python refuses to read numbers of thousands of digits, and takes its time for those of hundreds.
        return super().to_python(value if len(str(value or "")) <= 12 else "too long")


class DownloadForm(forms.Form):
    """Every field has a default, so that an address names only what differs. A good one gives `settings`."""

    format = forms.ChoiceField(choices=FORMATS, required=False, error_messages=PICK_ONE)
    quality = PixelsField(QUALITY_MIN, QUALITY_MAX)
    size = forms.ChoiceField(choices=SIZES, required=False, error_messages=PICK_ONE)
    side = PixelsField(label="Longer side")
    width = PixelsField()
    height = PixelsField()
    enlarge = forms.BooleanField(required=False)
    space = forms.ChoiceField(choices=SPACES, required=False, error_messages=PICK_ONE, label="Colours")
    background = forms.CharField(
        required=False, max_length=7, error_messages=TOO_LONG, label="In place of transparency"
    )
    making = forms.BooleanField(required=False)
    pattern = LineField(required=False, max_length=PATTERN_MAX, error_messages=TOO_LONG, label="Name of the file")

    settings: ExportSettings

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in _unused(cleaned):
            self.errors.pop(name, None)
        if not self.errors:
            asked = {name: value for name, value in cleaned.items() if name in DEFAULTS and value not in (None, "")}
            try:
                self.settings = ExportSettings(**asked)
            except BadSettings as bad:
                self.add_error(bad.field, bad.sentence)
        return cleaned

    @property
    def problems(self) -> list[str]:
        """What is wrong, one sentence for each field, which it names."""
        return [f"{self[name].label}: {' '.join(map(str, said))}" for name, said in self.errors.items()]


def _unused(cleaned: dict[str, Any]) -> set[str]:
    """Fields that say nothing with what is chosen: the page hides them, and nobody could mend what is in them."""
    unused = {
        Size.AS_IS: {"side", "width", "height"},
        Size.LONG: {"width", "height"},
        Size.BOX: {"side"},
    }.get(cleaned.get("size") or Size.AS_IS, set())
    lossless = (cleaned.get("format") or Format.AS_IS) in (Format.AS_IS, Format.PNG)
    return unused | {"quality"} if lossless else unused


DEFAULTS = ExportSettings().to_row()
ASKED = frozenset(DownloadForm.base_fields)


class PresetForm(DownloadForm):
    """The same under a name."""

    name = LineField(max_length=60, error_messages={"required": "Give it a name, like Web or Print.", **TOO_LONG})


__all__ = ["ASKED", "DEFAULT", "FORMATS", "SIZES", "SPACES", "DownloadForm", "PresetForm"]
