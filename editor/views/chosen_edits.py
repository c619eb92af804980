"""What is done with many edits of a history at once: with their pictures, in whichever workspaces these are.

Their ids come in the body. Those that are not there for the sender, be they a stranger's, gone or made up, are passed
over alike; if none is left, there is nothing here (404).
"""

from collections.abc import Callable
from functools import wraps
from itertools import groupby
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from editor.access import Right, edits_for, results_of
from editor.forms import CollectionForm
from editor.library import shelves
from editor.library.shelves import NotPossible
from editor.models import GenerationJob, Image
from editor.views.batch_forms import batch_form
from editor.views.frame import PersonRequest, View, signed_in, way_back
from editor.views.selection import CHOSEN_MAX, LARGEST, many, put_back_words, say_trashed, too_many

Action = Callable[[PersonRequest, list[GenerationJob], list[Image]], "str | HttpResponse"]


def edit_ids_in(request: HttpRequest, most: int = CHOSEN_MAX) -> list[UUID]:
    """The chosen edits, so many at most; what is no id is passed over. Raises NotPossible."""
    found = []
    for text in request.POST.getlist("edit"):
        try:
            edit = UUID(text)
        except ValueError:
            continue
        if str(edit) == text:
            found.append(edit)
    if len(found) > most:
        raise NotPossible(too_many(most, "edits"))
    if not found:
        raise NotPossible("Choose edits first.")
    return found


def back(request: HttpRequest) -> HttpResponse:
    """To the page that asked, if it is one of ours."""
    return way_back(request.POST.get("next", ""), reverse("history"))


def with_edits(right: Right, most: int = CHOSEN_MAX) -> Callable[[Action], View]:
    """An address for what the action does with the chosen edits and their pictures, newest first.

    It answers with what to say of it, or with another page.
    """

    def made(action: Action) -> View:
        @require_POST
        @signed_in
        @wraps(action)
        def view(request: PersonRequest) -> HttpResponse:
            try:
                jobs = edits_for(request.user, edit_ids_in(request, most), right)
                said = action(request, jobs, results_of(request.user, jobs))
            except NotPossible as problem:
                messages.error(request, str(problem))
                return back(request)
            if isinstance(said, HttpResponse):
                return said
            if said:
                messages.success(request, said)
            return back(request)

        return view

    return made


def some(images: list[Image]) -> list[Image]:
    """Raises NotPossible where there is no picture."""
    if not images:
        raise NotPossible("These edits have no pictures that could be taken.")
    return images


@with_edits(Right.SEE)
def edits_favourite(request: PersonRequest, jobs: list[GenerationJob], images: list[Image]) -> str:
    if request.POST.get("remove"):
        shelves.remove_favourites(request.user, some(images))
        return f"{many(len(images))} no longer among your favourites."
    shelves.add_favourites(request.user, some(images))
    return f"{many(len(images))} among your favourites."


@with_edits(Right.EDIT)
def edits_collect(request: PersonRequest, jobs: list[GenerationJob], images: list[Image]) -> str:
    """Into the collection that was typed, in each one's own workspace; a new one, if there is none of that name."""
    form = CollectionForm({"name": request.POST.get("collection_name", "")})
    if not form.is_valid():
        raise NotPossible("Type the name of a collection; a new one is made by that.")
    name = form.cleaned_data["name"]
    ordered = sorted(some(images), key=lambda image: str(image.workspace_id))
    for _, group in groupby(ordered, key=lambda image: image.workspace_id):
        of_one = list(group)
        collection = shelves.collection_named(request.user, of_one[0].workspace, name)
        shelves.collect(request.user, collection, of_one)
    return f"{many(len(images))} in {name}."


@with_edits(Right.EDIT)
def edits_trash(request: PersonRequest, jobs: list[GenerationJob], images: list[Image]) -> str:
    """Their pictures. The edits stay, so that it remains true what was made and paid; without one they are put away."""
    empty = shelves.made_nothing(jobs)
    if not images and not empty:
        raise NotPossible("Nothing to put away: these edits are under way, or their pictures lie in the trash already.")
    trashed = shelves.trash(images, empty)
    undo = urlencode({"at": trashed.moment, "next": request.POST.get("next", "")})
    say_trashed(request, trashed, f"{reverse('edits_restore')}?{undo}")
    return ""


@require_POST
@signed_in
def edits_restore(request: PersonRequest) -> HttpResponse:
    """All of the sender's that went into the trash in one moment: the way back from `edits_trash`."""
    text = request.GET.get("at", "")
    known = text.isascii() and text.isdigit() and len(text) < 18
    words = put_back_words(*shelves.put_back(request.user, None, int(text))) if known else ""
    if words:
        messages.success(request, words)
    else:
        messages.info(request, "There was nothing left to put back.")
    return way_back(request.GET.get("next", ""), reverse("history"))


@with_edits(Right.SEE)
def edits_compare(request: PersonRequest, jobs: list[GenerationJob], images: list[Image]) -> HttpResponse:
    """On to the page that compares two; the older one first."""
    if len(jobs) != 2:
        raise NotPossible("Choose two edits to compare them.")
    newer, older = jobs
    return redirect(f"{reverse('edit_compare')}?{urlencode({'a': older.pk, 'b': newer.pk})}")


@with_edits(Right.EDIT, LARGEST)
def edits_batch(request: PersonRequest, jobs: list[GenerationJob], images: list[Image]) -> HttpResponse:
    """The page that says one prompt for many pictures, with the first picture of each."""
    firsts = {image.job_id: image.pk for image in some(images)}  # the newest edit first, its first picture last
    return batch_form(request, list(firsts.values()))
