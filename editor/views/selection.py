"""What is done with many pictures of a workspace at once.

Their ids come in the body. Those that are not there for the sender, be they a stranger's, gone or made up, are passed
over alike; if none is left, there is nothing here (404).
"""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from editor.access import Right, open_workspace_for, pictures_for, workspace_for
from editor.forms import CollectionForm
from editor.images.copying import copy
from editor.images.moving import MOVED_MAX, TooMany, move
from editor.jobs.batches import BATCH_MAX
from editor.library import shelves
from editor.library.filters import tags_of
from editor.library.shelves import NotPossible, Trashed
from editor.models import Image, User, Workspace
from editor.models.chosen import chosen
from editor.views.frame import PersonRequest, View, signed_in, way_back

CHOSEN_MAX = 500
LARGEST = BATCH_MAX  # for a batch and a ZIP, which take what a collection gives them
TAGS_AT_ONCE = 20
Action = Callable[[PersonRequest, Workspace, list[Image]], str]


def ids_in(request: HttpRequest, most: int = CHOSEN_MAX) -> list[UUID]:
    """The chosen pictures, so many at most; what is no id is passed over. Raises NotPossible."""
    found = []
    for text in request.POST.getlist("picture"):
        try:
            picture = UUID(text)
        except ValueError:
            continue
        if str(picture) == text:
            found.append(picture)
    if len(found) > most:
        raise NotPossible(too_many(most, "pictures"))
    return found


def too_many(most: int, what: str) -> str:
    more = f" A batch and a ZIP take up to {LARGEST:,}." if most < LARGEST else ""
    return f"At most {most:,} {what} at once, please.{more}"


def refusal(request: HttpRequest, sentence: object) -> HttpResponse:
    return render(request, "refusal.html", {"sentence": str(sentence)}, status=400)


def nothing_chosen(request: HttpRequest, user: User, workspace_id: UUID) -> HttpResponse:
    """Back, with a word. Raises Http404 to strangers."""
    workspace_for(user, workspace_id)
    messages.error(request, "Choose pictures first.")
    return back(request, workspace_id)


def say_trashed(request: HttpRequest, trashed: Trashed, way_back: str) -> None:
    """What went into the trash, or was put away because there is no picture of it; and what stayed."""
    pictures, edits = trashed.pictures, trashed.edits
    said = [f"{many(pictures)} in the trash for {chosen.TRASH_DAYS} days."] if pictures else []
    if edits:
        said.append(f"{'1 edit' if edits == 1 else f'{edits:,} edits'} without pictures put away.")
    if trashed.locked:
        said.append(locked_words(trashed.locked))
    if pictures or edits:
        messages.success(request, " ".join(said), extra_tags=f"undo={way_back}")
    else:
        messages.error(request, " ".join(said))


def locked_words(number: int) -> str:
    if number == 1:
        return "1 picture is approved and locked, so it stays; admins and owners can unlock it."
    return f"{number:,} pictures are approved and locked, so they stay; admins and owners can unlock them."


def put_back_words(pictures: int, edits: int) -> str:
    found = [many(pictures)] if pictures else []
    if edits:
        found.append("1 edit" if edits == 1 else f"{edits:,} edits")
    return f"{' and '.join(found)} put back." if found else ""


def many(number: int) -> str:
    return "1 picture" if number == 1 else f"{number:,} pictures"


def selecting(right: Right) -> Callable[[Action], View]:
    """An address for what the action does with the chosen pictures; it answers with what to say of it."""

    def made(action: Action) -> View:
        @require_POST
        @signed_in
        @wraps(action)
        def view(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
            try:
                ids = ids_in(request)
            except NotPossible as problem:
                return refusal(request, problem)
            if not request.POST.getlist("picture"):
                return nothing_chosen(request, request.user, workspace_id)
            workspace, images = pictures_for(request.user, workspace_id, ids, right)
            try:
                if sentence := action(request, workspace, images):
                    messages.success(request, sentence)
            except NotPossible as problem:
                messages.error(request, str(problem))
            return back(request, workspace_id)

        return view

    return made


def back(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    """To the page that asked, if it is one of ours."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    return way_back(asked, reverse("workspace_library", args=[workspace_id]))


@selecting(Right.EDIT)
def selection_tag(request: PersonRequest, workspace: Workspace, images: list[Image]) -> str:
    names = tags_of(request.POST.get("tags", ""))
    if not names:
        raise NotPossible("Type a tag, or several with commas between them.")
    if len(names) > TAGS_AT_ONCE:
        raise NotPossible(f"At most {TAGS_AT_ONCE} tags at once, please.")
    if request.POST.get("remove"):
        shelves.remove_tags(workspace, images, names)
        return f"{', '.join(names)} taken off {many(len(images))}."
    shelves.add_tags(workspace, images, names)
    return f"{many(len(images))} tagged {', '.join(names)}."


@selecting(Right.EDIT)
def selection_collect(request: PersonRequest, workspace: Workspace, images: list[Image]) -> str:
    """Into the collection that was typed; a new one, if there is none of that name."""
    form = CollectionForm({"name": request.POST.get("collection_name", "")})
    if not form.is_valid():
        raise NotPossible("Type the name of a collection; a new one is made by that.")
    collection = shelves.collection_named(request.user, workspace, form.cleaned_data["name"])
    shelves.collect(request.user, collection, images)
    return f"{many(len(images))} in {collection.name}."


@selecting(Right.SEE)
def selection_favourite(request: PersonRequest, workspace: Workspace, images: list[Image]) -> str:
    if request.POST.get("remove"):
        shelves.remove_favourites(request.user, images)
        return f"{many(len(images))} no longer among your favourites."
    shelves.add_favourites(request.user, images)
    return f"{many(len(images))} among your favourites."


@selecting(Right.EDIT)
def selection_trash(request: PersonRequest, workspace: Workspace, images: list[Image]) -> str:
    trashed = shelves.trash(images)
    say_trashed(request, trashed, f"{reverse('selection_restore', args=[workspace.pk])}?at={trashed.moment}")
    return ""


@require_POST
@signed_in
def selection_restore(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """All that went into the trash in one moment: the way back from `selection_trash`."""
    workspace = open_workspace_for(request.user, workspace_id)
    text = request.GET.get("at", "")
    known = text.isascii() and text.isdigit() and len(text) < 18
    words = put_back_words(*shelves.put_back(request.user, workspace, int(text))) if known else ""
    if words:
        messages.success(request, words)
    else:
        messages.info(request, "There was nothing left to put back.")
    return back(request, workspace_id)


@selecting(Right.EDIT)
def selection_move(request: PersonRequest, workspace: Workspace, images: list[Image]) -> str:
    to = _target(request, workspace)
    try:
        moved = move(request.user, images, to)
    except TooMany:
        raise NotPossible(f"With their versions these are more than {MOVED_MAX:,} pictures. Move fewer.") from None
    stayed = f" {many(moved.busy)} stayed: an edit is at work with them." if moved.busy else ""
    if moved.locked:
        stayed += f" {locked_words(moved.locked)}"
    return f"{many(moved.went)} moved to {to.name}.{stayed}" if moved.went else f"Nothing was moved.{stayed}"


@selecting(Right.EDIT)
def selection_copy(request: PersonRequest, workspace: Workspace, images: list[Image]) -> str:
    to = _target(request, workspace)
    copied = copy(request.user, images, to)
    missing = len(images) - len(copied)
    left = f" {many(missing)} could not be copied; try again in a minute." if missing else ""
    return f"{many(len(copied))} copied to {to.name}.{left}"


def _target(request: PersonRequest, workspace: Workspace) -> Workspace:
    """Raises NotPossible, Http404."""
    text = request.POST.get("to", "")
    if not text:
        raise NotPossible("Choose a workspace first.")
    to = open_workspace_for(request.user, _id(text))
    if to == workspace:
        raise NotPossible(f"They are in {to.name} already.")
    return to


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
