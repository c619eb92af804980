"""Pruning the tree of versions: what an edit made goes into the trash, alone or with all that was made of it."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from editor.access import job_for, open_workspace_for
from editor.library import shelves
from editor.models import GenerationJob, Image
from editor.views.frame import PersonRequest, signed_in
from editor.views.selection import say_trashed

STEPS_MAX = 100  # from a picture to what was made of it, and of that


@require_POST
@signed_in
def edit_trash(request: PersonRequest, job_id: UUID) -> HttpResponse:
    """The results of an edit; with `branch` those of all edits below it, too. Edits at work go on.

    Those that made nothing are put away.
    """
    job = job_for(request.user, job_id)
    workspace = open_workspace_for(request.user, job.workspace_id)
    jobs = _branch(job) if request.POST.get("branch") else {job.pk}
    shown = Image.objects.shown_to(request.user).filter(workspace=workspace, job__in=jobs)
    images = list(shown.only("pk"))
    empty = shelves.made_nothing(GenerationJob.objects.listed().filter(workspace=workspace, pk__in=jobs))
    source = job.source_image
    address = reverse("studio_image", args=[source.pk]) if source.is_shown_to(request.user) else reverse("studio")
    if not images and not empty:
        messages.info(request, "There was nothing left to put into the trash.")
        return redirect(address)
    trashed = shelves.trash(images, empty)
    way_back = urlencode({"at": str(trashed.moment), "next": f"{address}?edit={job.pk}"})
    say_trashed(request, trashed, f"{reverse('selection_restore', args=[workspace.pk])}?{way_back}")
    return redirect(address)


def _branch(job: GenerationJob) -> set[UUID]:
    """The edit and all that were made of its results, and of theirs."""
    found = newest = {job.pk}
    for _ in range(STEPS_MAX):
        made = GenerationJob.objects.filter(workspace=job.workspace_id, sources__image__job__in=newest)
        newest = set(made.values_list("pk", flat=True)) - found
        if not newest:
            break
        found = found | newest
    return found
