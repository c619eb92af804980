"""Asking for a batch: which pictures, which words or recipe, and what it may cost."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from editor.access import (
    Right,
    collection_for,
    editable_workspaces,
    open_workspace_for,
    recipe_for,
    recipes_of,
)
from editor.forms import BatchForm, draw_form_token
from editor.forms.batch_rows import TOO_LARGE, BadRows
from editor.images.sizes import MATCH, RATIOS
from editor.jobs import batches
from editor.jobs.creation import EditSpec, NotAllowed
from editor.jobs.outlook import Outlook, about
from editor.jobs.recipes import said_by
from editor.jobs.steps import from_rows
from editor.library.shelves import NotPossible
from editor.models import Image, ImageState, Recipe, User, Workspace
from editor.models.allowances import price
from editor.views.frame import PersonRequest, rest_here, signed_in
from editor.views.selection import LARGEST, ids_in, many, refusal

THUMBS = 24  # of the chosen pictures on the form
RECIPES_SHOWN = 200
GONE = "This recipe is not there for you any more. Choose another one, or say what should change; your table is kept."
OFTEN = "batch_preview"  # in ACCOUNT_RATE_LIMITS
SHAPES = [(MATCH, "Each its own"), *((ratio, ratio.replace(":", " : ")) for ratio in RATIOS)]


@dataclass(frozen=True)
class Chosen:
    """The recipe that the form shows, in one of its versions; or none, and words are typed."""

    recipe: Recipe | None = None
    version: int = 0

    @property
    def steps(self) -> list[EditSpec]:
        if self.recipe is None:
            return []
        versions = self.recipe.versions.order_by("-number")
        found = versions.filter(number=self.version).first() or versions.first()
        return from_rows(found.steps) if found is not None else []


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def batch_new(request: PersonRequest) -> HttpResponse:
    """The form for the chosen pictures or a collection; with words or a recipe among what is sent, the batch itself."""
    if request.method != "POST":
        messages.info(request, "Choose pictures in the library first; then say once what should change in all of them.")
        return redirect("library")
    try:
        ids = _ids(request)
    except NotPossible as problem:
        return refusal(request, problem)
    if not ids:
        messages.error(request, "Choose pictures first.")
        recipe = _recipe(request).recipe
        return redirect("recipe", recipe.pk) if recipe else redirect("library")
    return batch_form(request, ids)


def _ids(request: PersonRequest) -> list[UUID]:
    """Of a selection, of this form itself, or of a collection, the newest first. Raises NotPossible, Http404."""
    if collection := request.POST.get("collection"):
        found, _ = collection_for(request.user, _uuid(collection), Right.EDIT)
        images = Image.objects.shown_to(request.user).filter(workspace=found.workspace_id, state=ImageState.READY)
        rows = images.filter(collection_items__collection=found).order_by("-created_at", "-id")
        return list(rows.values_list("pk", flat=True)[: batches.BATCH_MAX])
    chosen = ids_in(request, LARGEST)
    for text in request.POST.get("pictures", "").split():
        try:
            chosen.append(UUID(text))
        except ValueError:
            continue
    return chosen


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def batch_form(request: PersonRequest, ids: list[UUID]) -> HttpResponse:
    """The same for these pictures. Raises Http404, InArchive."""
    workspace, images, left_out = _chosen(request.user, list(dict.fromkeys(ids)))
    if not images:
        return refusal(request, "None of these pictures can be edited: their rights have ended, or they can’t be read.")
    sent, gone = _sent(request), False
    try:
        chosen = _recipe(request)
    except Http404:
        if not sent:
            raise
        chosen, gone = Chosen(), True  # what was typed beside it is worth keeping
    form = BatchForm(*sent, steps=chosen.steps, initial={"ratio": MATCH, "samples": 1})
    if gone:
        form.add_error(None, GONE)
    if form.is_bound and form.is_valid():
        try:
            return redirect("batch", _ask(request, form, images, chosen).pk)
        except NotAllowed as problem:
            form.add_error(None, str(problem))
        except BadRows as problem:
            form.tell(problem)
    recipe = chosen.recipe
    context = {
        **_counted(request, form, workspace, images),
        "form_token": draw_form_token(),
        "workspace": workspace,
        "shown": images[:THUMBS],
        "more": len(images) - THUMBS,
        "left_out": left_out,
        "shapes": SHAPES,
        "recipe": recipe,
        "recipe_picture": recipe.picture_for(request.user) if recipe else None,
        "version": chosen.version,
        "recipes": _recipes(request.user, workspace),
    }
    return render(request, "batches/new.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_POST
@signed_in
def batch_preview(request: PersonRequest) -> HttpResponse:
    """The fields of the form as it stands, what its table comes to, and the price; nothing is made by that.

    A table of a thousand rows takes a quarter of a second. Whoever asks too often gets no price before they send it.
    """
    if not ratelimit.consume(request, action=OFTEN):
        return HttpResponse(status=429)
    try:
        ids = _ids(request)
    except NotPossible as problem:
        return refusal(request, problem)
    if not ids:
        raise Http404
    workspace, images, _ = _chosen(request.user, list(dict.fromkeys(ids)))
    form = BatchForm(request.POST, request.FILES, steps=_recipe(request).steps)
    return render(request, "batches/preview.html", _counted(request, form, workspace, images))


def _counted(request: PersonRequest, form: BatchForm, workspace: Workspace, images: list[Image]) -> dict[str, Any]:
    """What the parts of the form need that follow what is typed."""
    count = form.count(images)
    if request.META.get("retake.upload_too_large"):
        count = count._replace(problem=TOO_LARGE)
    samples = [step.samples for step in form.steps] or [_samples(form)]
    return {
        "form": form,
        "images": images,
        "steps": form.steps,
        "blanks": form.blanks(),
        "count": count,
        "left": rest_here(request, workspace),
        "price": price(),
        "takes": _takes(count.items * len(samples)),
        "uses": count.items * sum(samples),
        "first_uses": count.items * samples[0],
    }


def _samples(form: BatchForm) -> int:
    text = str(form["samples"].value() or 1)
    return int(text) if text in ("1", "2", "3", "4") else 1


def _recipes(user: User, workspace: Workspace) -> list[tuple[Recipe, str]]:
    """Those to choose from; where another one is called the same, with the first words of what it says."""
    rows = list(recipes_of(user, workspace).select_related("workspace", "made_by")[:RECIPES_SHOWN])
    called = Counter(each.name.casefold() for each in rows)
    alike = [each for each in rows if called[each.name.casefold()] > 1]
    said = said_by(alike) if alike else {}
    return [(each, said[each.pk][0].prompt if each.pk in said else "") for each in rows]


def _sent(request: PersonRequest) -> tuple[Any, ...]:
    """What the form is bound to: nothing where it is only to be shown, as with another recipe."""
    post = request.POST
    if "use" in post or post.get("recipe", "") != post.get("shown", post.get("recipe", "")):
        return ()
    asked = "prompt" in post or (post.get("recipe") and "form_token" in post)
    return (post, request.FILES) if asked else ()


def _recipe(request: PersonRequest) -> Chosen:
    """Raises Http404."""
    text = request.POST.get("recipe", "")
    if not text:
        return Chosen()
    recipe = recipe_for(request.user, _uuid(text))
    said = request.POST.get("version", "") if request.POST.get("shown") == text else ""
    newest = recipe.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return Chosen(recipe, int(said) if said.isdecimal() and len(said) < 9 else newest)


def _ask(request: PersonRequest, form: BatchForm, images: list[Image], chosen: Chosen) -> Any:
    """Raises NotAllowed, BadRows."""
    if request.META.get("retake.upload_too_large"):
        raise BadRows(TOO_LARGE, "table")
    words = form.cleaned_data
    found, values = form.filled(images)
    return batches.create_batch(
        request.user,
        found,
        form.asked(),
        words["form_token"],
        values=values,
        gate=bool(words["gate"]),
        recipe=chosen.recipe,
        mail=bool(words["mail"]),
    )


def _takes(edits: int) -> str:
    """How long so many edits take, in words; empty if nobody can know yet."""
    span = batches.time_of(edits, Outlook())
    return about(span) if span else ""


def _chosen(user: User, ids: list[UUID]) -> tuple[Workspace, list[Image], list[str]]:
    """Of these pictures those that can be edited, in the same order, and in sentences which others were left out.

    All are of the workspace of the first that the person may edit. Raises Http404, InArchive.
    """
    rows = Image.objects.shown_to(user).filter(pk__in=ids, workspace__memberships__user=user)
    known = {image.pk: image for image in rows.filter(workspace__trashed_at=None).select_related("workspace")}
    found = [known[pk] for pk in ids if pk in known]
    if not found:
        raise Http404
    mine = set(editable_workspaces(user).values_list("pk", flat=True))
    place = next((image.workspace for image in found if image.workspace_id in mine), None)
    if place is None:
        place = open_workspace_for(user, found[0].workspace_id)
    here = [image for image in found if image.workspace_id == place.pk]
    images = batches.usable_ones(here)
    told = []
    if elsewhere := len(found) - len(here):
        told.append(f"{many(elsewhere)} left out: not in {place.name}. All pictures of a batch are of one workspace.")
    if unusable := len(here) - len(images):
        told.append(f"{many(unusable)} left out: the rights have ended, or the file can’t be read.")
    return place, images, told
