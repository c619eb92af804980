"""The dock: where the next edit is asked for, empty, or filled with what an earlier one was asked with."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import image_for
from editor.forms import STRENGTH_DEFAULT, EditForm, draw_form_token
from editor.images.sizes import LONGEST, MATCH, RATIOS, size_for_ratio
from editor.jobs.creation import EditSpec
from editor.jobs.steps import fill, placeholders
from editor.library.filters import id_of
from editor.library.suggestions import Suggestion, suggestions
from editor.models import GenerationJob, Image
from editor.models.allowances import price
from editor.views.frame import PersonRequest, signed_in, workspace_here

if TYPE_CHECKING:
    from editor.models import User

SENTENCES = [
    "Make it look like a watercolour",
    "Warm evening light from the left",
    "Black and white, with soft contrast",
]
WORDS_SHOWN = 40
WORDS_READ = 200  # edits, among which many say the same

_REUSED: dict[str, tuple[str, ...]] = {
    "all": ("prompt", "negative_prompt", "ratio", "samples", "strength", "seed"),
    "prompt": ("prompt", "negative_prompt"),
    "seed": ("seed",),
    "size": ("ratio",),
}


class Asked(NamedTuple):
    """What the address of the studio asks to be in the dock. The edits are visible to the person."""

    shown: GenerationJob | None = None  # on the stage: the next edit is made in its size, with other words
    reused: GenerationJob | None = None
    what: str = "all"  # of the edit that is reused: a key of _REUSED, anything else stands for all
    keeps_seed: bool = False
    second: str = ""
    sentence: str = ""  # the number of one of SENTENCES
    recipe: EditSpec | None = None  # the one step of a recipe, whose placeholders get fields


def initial_of(image: Image, asked: Asked) -> dict[str, Any]:
    """What the dock holds before somebody changes it."""
    initial: dict[str, Any] = {"source": image.pk, "ratio": MATCH, "samples": 1, "strength": STRENGTH_DEFAULT}
    if asked.shown is not None:
        initial |= _facts(asked.shown, ("ratio", "samples", "strength"))
        if asked.keeps_seed:
            initial |= {"seed": asked.shown.seed, "keep_seed": True}
    if asked.reused is not None:
        initial |= _facts(asked.reused, _REUSED.get(asked.what, _REUSED["all"]))
        others = [source.pk for source in asked.reused.source_images if source.pk != image.pk]
        if others and len(asked.reused.source_images) > 1 and (asked.what == "all" or asked.what not in _REUSED):
            initial["second"] = others[-1]
    if asked.second and asked.second != str(image.pk):  # somebody may walk to the picture that lies there
        initial["second"] = asked.second
    if asked.sentence.isascii() and asked.sentence.isdigit() and int(asked.sentence[:3]) in range(len(SENTENCES)):
        initial["prompt"] = SENTENCES[int(asked.sentence[:3])]
    if asked.recipe is not None:
        names = placeholders([asked.recipe])
        step = asked.recipe if names else fill([asked.recipe], {})[0]  # without fields nothing is filled in later
        initial |= asdict(step) | {"filled": [(name, "") for name in names]}
    return initial


def dock_of(user: "User", image: Image, form: EditForm, known: Iterable[Image]) -> dict[str, Any]:
    """What the dock's template needs. `known`: pictures that are at hand, so that none of them is asked for again."""
    return {
        "form": form,
        "form_token": draw_form_token(),
        "second": _second(user, image, form, known),
        "shapes": shapes_of(image),
        "longest": LONGEST,
        "price": price(),
        "sentences": SENTENCES,
    }


def shapes_of(image: Image) -> list[tuple[str, str, int, int]]:
    """(value, label, width, height) of each size to choose; zeros while the source's size isn't known."""
    labels = {MATCH: "Match source"} | {ratio: ratio.replace(":", " : ") for ratio in RATIOS}
    if not (image.width and image.height):
        return [(value, label, 0, 0) for value, label in labels.items()]
    return [(value, label, *size_for_ratio(value, (image.width, image.height))) for value, label in labels.items()]


@never_cache
@require_safe
@signed_in
def studio_words(request: PersonRequest) -> HttpResponse:
    """The person's earlier prompts, newest first, each once: to walk through in the dock."""
    rows = GenerationJob.objects.filter(made_by=request.user).order_by("-created_at", "-id")
    words = list(dict.fromkeys(rows.values_list("prompt", flat=True)[:WORDS_READ]))
    return render(request, "studio/words.html", {"words": words[:WORDS_SHOWN]})


@never_cache
@require_safe
@signed_in
def studio_suggestions(request: PersonRequest) -> HttpResponse:
    """What the person may mean who wrote `q`; with a `workspace` also its recipes. Options of a list."""
    asked = request.GET.get("workspace", "")
    if asked and id_of(asked) is None:
        raise Http404
    workspace = workspace_here(request, id_of(asked)) if asked else None
    found = [_plain(each) for each in suggestions(request.user, workspace, request.GET.get("q", ""))]
    return render(request, "studio/suggestions.html", {"suggestions": found})


def _plain(suggestion: Suggestion) -> Suggestion:
    """A recipe's words as they are put in without its fields: braces that are meant as they stand are single."""
    if not suggestion.recipe:
        return suggestion
    return suggestion._replace(words=fill([EditSpec(suggestion.words)], {})[0].prompt)


def _facts(job: GenerationJob, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(job, name) for name in names}


def _second(user: "User", image: Image, form: EditForm, known: Iterable[Image]) -> Image | None:
    """The picture in the second slot, if there is one that the person may see."""
    value = str(form["second"].value() or "")
    if not value:
        return None
    here = (each for each in known if each.workspace_id == image.workspace_id and each.is_shown_to(user))
    if (found := next((each for each in here if str(each.pk) == value), None)) is not None:
        return found
    try:
        return image_for(user, UUID(value))
    except (Http404, ValueError):
        return None
