"""What a person asks of a history again and again, under names of their own."""

from urllib.parse import parse_qsl

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from editor.access import workspace_for
from editor.forms import SavedFilterForm
from editor.library.history_filters import HistoryFilters
from editor.models import SavedFilter
from editor.views.frame import PersonRequest, signed_in

SAVED_MAX = 50  # of one person


@require_POST
@signed_in
def saved_filter_new(request: PersonRequest) -> HttpResponse:
    """Keep what a history is narrowed by; `query` as in its address, `workspace` if it is that of one."""
    form = SavedFilterForm(request.POST)
    if not form.is_valid():
        messages.error(request, said_of(form))
        return redirect("history")
    chosen = form.cleaned_data["workspace"]
    workspace = workspace_for(request.user, chosen) if chosen else None
    query = HistoryFilters.read(dict(parse_qsl(form.cleaned_data["query"].lstrip("?")))).address()
    row = SavedFilter(user=request.user, workspace=workspace, name=form.cleaned_data["name"], query=query)
    if SavedFilter.objects.filter(user=request.user)[SAVED_MAX - 1 : SAVED_MAX].exists():
        messages.error(request, f"There is room for {SAVED_MAX} saved filters. Delete one first.")
    elif _written(row):
        messages.success(request, f"Saved as {row.name}.")
    else:
        messages.error(request, f"You have a filter {row.name} already. Choose another name.")
    return redirect(address_of(row))


@require_POST
@signed_in
def saved_filter_rename(request: PersonRequest, filter_id: int) -> HttpResponse:
    row = _own(request, filter_id)
    form = SavedFilterForm(request.POST)
    if not form.is_valid():
        messages.error(request, said_of(form))
    else:
        row.name = form.cleaned_data["name"]
        if _written(row):
            messages.success(request, f"It is called {row.name} now.")
        else:
            messages.error(request, f"You have a filter {row.name} already. Choose another name.")
    return redirect(address_of(row))


@require_POST
@signed_in
def saved_filter_delete(request: PersonRequest, filter_id: int) -> HttpResponse:
    """The page still asks for the same afterwards, so that it can be saved again."""
    row = _own(request, filter_id)
    row.delete()
    messages.success(request, f"{row.name} is no longer saved. What it showed is still here.")
    return redirect(address_of(row))


def said_of(form: SavedFilterForm) -> str:
    return " ".join(str(sentence) for errors in form.errors.values() for sentence in errors)


def address_of(row: SavedFilter) -> str:
    room = reverse("workspace_history", args=[row.workspace_id]) if row.workspace_id else reverse("history")
    return room + row.query


def _own(request: PersonRequest, filter_id: int) -> SavedFilter:
    row = SavedFilter.objects.filter(user=request.user, pk=filter_id).first()
    if row is None:
        raise Http404
    return row


def _written(row: SavedFilter) -> bool:
    """False if the person has one of this name."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return False
    return True
