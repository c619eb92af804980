"""What a link shows now, page by page, and how an open page finds out that it is not so any more."""

from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.crypto import salted_hmac

from editor.access import items_shown_by
from editor.library.listing import Place
from editor.models import CollectionItem, Image, Share
from editor.sharing.talking import Talk

if TYPE_CHECKING:
    from django.db.models import QuerySet

PER_PAGE = 48
_NEWEST, _OLDEST = ("-image_created_at", "-image_id"), ("image_created_at", "image_id")


def page_of(share: Share, after: Place | None) -> list[Image]:
    """Of a collection's pictures, newest first, those behind that place: one more than a page shows."""
    items = items_shown_by(share)
    if after is not None:
        items = _beyond(items, after, "lt")
    return [item.image for item in items.order_by(*_NEWEST)[: PER_PAGE + 1]]


def beside(share: Share, image: Image) -> tuple[Image | None, Image | None]:
    """The next newer and the next older one in the collection."""
    here, items = Place(image.created_at, image.pk), items_shown_by(share)
    newer = _beyond(items, here, "gt").order_by(*_OLDEST).first()
    older = _beyond(items, here, "lt").order_by(*_NEWEST).first()
    return (newer.image if newer else None), (older.image if older else None)


def name_of(share: Share, image: Image) -> str:
    """What a guest's file is called. A result is named by how its prompt begins: not unless the link shows prompts."""
    return share.title if _tells_prompt(share, image, image.name) else image.name


def alt_of(share: Share, image: Image) -> str:
    """Its alternative text, for which the words of the edit are offered: not those, unless the link shows prompts."""
    return "" if _tells_prompt(share, image, image.alt_text) else image.alt_text


def _tells_prompt(share: Share, image: Image, text: str) -> bool:
    """Whether it is how its prompt begins, and guests are not to read that."""
    words = (image.job.prompt if image.job else "", image.description)
    return not share.shows_prompts and any(" ".join(each.split()).startswith(text) for each in words)


def state_of(share: Share, images: list[Image], talk: Talk | None) -> tuple[str, str]:
    """What a page shows, as two short sums: of its pictures and how they are shown, and of what is said about them."""
    terms = (share.title, share.watermark, share.may_download, share.shows_prompts, share.may_comment, share.may_decide)
    pictures = [(each.pk.hex, each.sensitive) for each in images]
    return _sum(terms, pictures), _sum(talk.stamp if talk else None)


def _beyond(items: "QuerySet[CollectionItem]", place: Place, way: str) -> "QuerySet[CollectionItem]":
    """The wider bound comes first, as an index knows it for one."""
    further = Q(**{f"image_created_at__{way}": place.value}) | Q(**{f"image_id__{way}": place.pk})
    return items.filter(Q(**{f"image_created_at__{way}e": place.value}) & further)


def _sum(*facts: object) -> str:
    return salted_hmac("editor.sharing.state", repr(facts), algorithm="sha256").hexdigest()[:16]
