"""Where the bytes of a picture lie in the bucket.

Every key follows from the picture's id, so a write can be repeated harmlessly.
"""

from uuid import UUID

RENDITION_WIDTHS = (320, 640, 1280)
"""Widths in pixels of the WebP renditions; those wider than the master are left out."""


def raw_key(image_id: UUID | str) -> str:
    """The bytes as they were received: never served, dropped after ingest."""
    return f"incoming/{_canonical(image_id)}"


def master_key(image_id: UUID | str, ext: str) -> str:
    """The cleaned picture that people download. `ext` comes without its dot, as in ``"jpg"``."""
    if not ext.isalnum():
        raise ValueError(f"not an extension: {ext!r}")
    return f"images/{_canonical(image_id)}/master.{ext}"


def rendition_key(image_id: UUID | str, width: int) -> str:
    """A smaller WebP copy for pages, `width` pixels wide."""
    return f"images/{_canonical(image_id)}/{width:d}.webp"


def init_key(image_id: UUID | str) -> str:
    """The JPEG that the flux server fetches, at the size of the edit."""
    return f"images/{_canonical(image_id)}/init.jpg"


def change_key(image_id: UUID | str) -> str:
    """The map of what an edit changed in this result, if there is one."""
    return f"images/{_canonical(image_id)}/change.png"


def quarantine_key(key: str) -> str:
    """Where a removed picture's object lies apart: no address but the desk's leads there."""
    folder, image_id, *rest = key.split("/")
    if folder not in {"incoming", "images"}:
        raise ValueError(f"not a key of a picture: {key!r}")
    return f"quarantine/{_canonical(image_id)}/{rest[0] if rest else 'raw'}"


def _canonical(image_id: UUID | str) -> UUID:
    """Anything but a UUID raises ValueError here, so that no other text can ever become part of a key."""
    return image_id if isinstance(image_id, UUID) else UUID(image_id)
