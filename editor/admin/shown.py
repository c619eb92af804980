"""How the administration shows what is no plain text: pictures, the vendor's answers, other pages."""

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from editor.models import Image

EMPTY = "–"
THUMBNAIL = 320  # pixels, the narrowest rendition


def pretty(value: Any) -> str | SafeString:
    """What the vendor said, line by line."""
    if value in (None, "", [], {}):
        return EMPTY
    return format_html('<pre class="vendor">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False, default=str))


def link(row: Model | None, words: str = "") -> str | SafeString:
    """To a row's page in the administration."""
    if row is None:
        return EMPTY
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, words or str(row))


def thumbnail(image: Image) -> str | SafeString:
    """The picture itself, or why there is none."""
    if image.removed_at:  # the desk alone shows those
        return "removed"
    if not image.is_ready or image.purged_at:
        return "gone" if image.purged_at else image.state
    if image.sensitive:
        asks = reverse("admin_sensitive_image", args=[image.pk])
        return format_html('<a class="thumbnail sensitive" href="{}">Sensitive: look at it</a>', asks)
    address = reverse("admin_image", args=[image.pk, THUMBNAIL])
    return format_html(
        '<img class="thumbnail" src="{}" alt="{}" width="{}" height="{}" loading="lazy">',
        address,
        image.name or "picture",
        *shape(image),
    )


def shape(image: Image, longest: int = 120) -> tuple[int, int]:
    """Width and height of a thumbnail, in pixels."""
    width, height = image.width or 1, image.height or 1
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def thumbnails(images: Iterable[Image]) -> str | SafeString:
    """Pictures in a row, each leading to its page; a sensitive one leads to a question first."""
    shown = (thumbnail(image) if image.sensitive else link(image, thumbnail(image)) for image in images)
    return format_html_join(" ", "{}", ((each,) for each in shown)) or EMPTY
