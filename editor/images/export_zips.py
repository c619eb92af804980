"""ZIPs of pictures that are converted while they are sent: one at a time each, and few such ZIPs at once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import UUID
from weakref import WeakSet

from editor.images.exports import ZIPS, Exported, ExportSettings, Kept, Making, export
from editor.images.making import making_of, stem_for
from editor.images.zips import Entry, Made, entries_of, stream
from editor.models import Image

AT_ONCE = 6
"""ZIPs with pictures to convert, in each web process: two pictures are written at a time, so that each goes on."""

OF_ONE_PERSON = 2


@dataclass(frozen=True, eq=False)
class Contents:
    """What goes into a ZIP, and how."""

    entries: list[Entry]
    settings: ExportSettings
    pictures: dict[UUID, tuple[Image, Making]]
    who: object  # asks for it

    def take_place(self) -> bool:
        """False if to ask for some patience: there is work to do, and as many are at it as the machine should bear.

        The place is taken before the first piece is asked for, or all who come at one moment would find it free. It is
        given back by the end of `stream`, and when nobody holds this any more.
        """
        if all(self.settings.leaves(image) for image, _ in self.pictures.values()):
            return True
        mine = [each for each in _under_way if each.who == self.who]
        if len(_under_way) >= AT_ONCE or len(mine) >= OF_ONE_PERSON:
            return False
        _under_way.add(self)
        return True

    async def stream(self, may_give: Callable[[UUID], Awaitable[bool]]) -> AsyncIterator[bytes]:
        """The ZIP, as `zips.stream` makes it; its place is given back also when the browser goes away."""
        try:
            async with aclosing(stream(self.entries, may_give, self._open)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            _under_way.discard(self)

    async def _open(self, entry: Entry) -> Exported | Kept:
        image, making = self.pictures[entry.image_id]
        return await export(image, self.settings, stem="picture", making=making, lane=ZIPS)


_under_way: WeakSet[Contents] = WeakSet()


def contents_of(
    images: list[Image],
    settings: ExportSettings,
    known: set[UUID],
    tags: dict[object, list[str]],
    sources: Mapping[object, list[str]],
    names: Mapping[UUID, str],
    collections: Mapping[UUID, str],
    who: object,
) -> Contents:
    """As `entries_of`. `known`: the edits that the person may see; `collections`: for a name, by picture. `who` asks.

    Without how they were made, the lists inside say no more than what the files are.
    """
    numbers = {image.pk: number for number, image in enumerate(images, 1)}

    def called(image: Image) -> str:
        stem = stem_for(
            image,
            settings,
            known,
            number=numbers[image.pk],
            of=len(images),
            name=names.get(image.job_id, "") if image.job_id else "",
            collection=collections.get(image.pk, ""),
        )
        return f"{stem}.{settings.ending_of(image.master_ext)}"

    entries = entries_of(images, tags, sources, called=called)
    told = [
        replace(entry, made=_told(entry.made, image, settings)) for entry, image in zip(entries, images, strict=True)
    ]
    return Contents(told, settings, {image.pk: (image, making_of(image, known)) for image in images}, who)


def _told(made: Made, image: Image, settings: ExportSettings) -> Made:
    if made.note:
        return made if settings.making else Made(name=made.name, note=made.note)
    width, height = settings.size_of(image.width or 1, image.height or 1)
    if settings.making:
        return replace(made, width=width, height=height)
    return Made(file=made.file, width=width, height=height)
