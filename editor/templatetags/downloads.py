"""What templates say of downloads."""

from typing import Any

from django import template

from editor.forms.downloads import FORMATS, SPACES
from editor.images.export_settings import LOSSY, Format, Size
from editor.models import DownloadPreset, Image
from editor.views.downloads import settings_of

register = template.Library()


@register.inclusion_tag("downloads/menu.html")
def download_menu(image: Image) -> dict[str, Any]:
    """The presets of a picture's workspace, for whoever sees the picture in it; one query."""
    return {"image": image, "presets": DownloadPreset.objects.filter(workspace=image.workspace_id)}


@register.filter
def in_words(preset: DownloadPreset) -> str:
    """What it asks for, in a line."""
    asked = settings_of(preset)
    words = [dict(FORMATS)[asked.format] if asked.format != Format.AS_IS else "Format as it is"]
    if asked.format in LOSSY:
        words[0] += f", quality {asked.quality}"
    if asked.size == Size.LONG:
        words.append(f"{asked.side} pixels")
    elif asked.size == Size.BOX:
        words.append(f"into {asked.width} × {asked.height}")
    words.append(dict(SPACES)[asked.space].split(",")[0])
    words.append("with how it was made" if asked.making else "without how it was made")
    return " · ".join([*words, asked.pattern])
