"""The words by which pictures are found, kept true by one call wherever one of them changes."""

import re
import unicodedata
from collections import defaultdict
from itertools import islice
from uuid import UUID

from django.db import transaction

from editor.models import Image, ImageTag, ImageWord

WORD_MAX = 40  # characters that count; what is longer is cut, in a picture as in a search
WORDS_MAX = 150  # of one picture
_BATCH = 1_000
_READ = ("name", "description", "workspace_id", "created_at", "job__prompt")  # of a picture, for its words

_WORD = re.compile("[^\\W_]+|[\u2190-\u2bff\U0001f000-\U0001faff]")  # letters and digits, or one symbol like an emoji


def words_of(text: str) -> list[str]:
    """The words of a text as they are looked up: small letters without accents, each once, in their order.

    An emoji or another such symbol is a word of its own; punctuation is none.
    """
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold()
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return list(dict.fromkeys(word[:WORD_MAX] for word in _WORD.findall(plain)))


def index_words(*images: Image) -> None:
    """Let these pictures be found by the words of their names, tags, descriptions and prompts, and by no others.

    To be called after the change, in its transaction. Two that change one picture go one after the other.
    """
    with transaction.atomic(savepoint=False):
        ids = sorted({image.pk for image in images})
        rows = Image.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids)
        locked = list(rows.select_related("job").only(*_READ).order_by("pk"))
        tags, known = _tags_of(ids), _known_words(ids)
        gone: list[int] = []
        new: list[ImageWord] = []
        for image in locked:
            wanted = _wanted(image, tags[image.pk])
            gone += [pk for word, pk in known[image.pk].items() if word not in wanted]
            new += [_row(image, word) for word in wanted if word not in known[image.pk]]
        for begin in range(0, len(gone), _BATCH):
            ImageWord.objects.filter(pk__in=gone[begin : begin + _BATCH]).delete()
        ImageWord.objects.bulk_create(new, batch_size=_BATCH, ignore_conflicts=True)


def index_result(image: Image) -> None:
    """The same for what an edit made, in the transaction in which it becomes ready: until now nobody could tag it."""
    new = [_row(image, word) for word in _wanted(image, [])]
    ImageWord.objects.bulk_create(new, batch_size=_BATCH, ignore_conflicts=True)


def _wanted(image: Image, tags: list[str]) -> list[str]:
    prompt = image.job.prompt if image.job is not None else ""
    return list(islice(words_of(" ".join([image.name, *tags, image.description, prompt])), WORDS_MAX))


def _row(image: Image, word: str) -> ImageWord:
    return ImageWord(image=image, workspace_id=image.workspace_id, word=word, image_created_at=image.created_at)


def _tags_of(ids: list[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for image_id, name in ImageTag.objects.filter(image__in=ids).values_list("image_id", "tag__name"):
        found[image_id].append(name)
    return found


def _known_words(ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for pk, image_id, word in ImageWord.objects.filter(image__in=ids).values_list("pk", "image_id", "word"):
        found[image_id][word] = pk
    return found
