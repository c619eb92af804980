"""Up to four variations of one edit: asking for them, and seeing them side by side."""

import logging
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import job_for, open_workspace_for
from editor.forms import VariationsForm, draw_form_token
from editor.images.rights import expired
from editor.jobs.creation import NotAllowed, Order, create_jobs
from editor.models import GenerationJob
from editor.models.allowances import price
from editor.views.edits import sources_again, spec_of
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here
from editor.views.kinship import in_words, named

log = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit_variations(request: PersonRequest, job_id: UUID) -> HttpResponse:
    """The form; sent, it makes all that it asks for, or nothing."""
    job = job_for(request.user, job_id)
    open_workspace_for(request.user, job.workspace_id)
    sent = request.POST if request.method == "POST" else None
    form = VariationsForm(spec_of(job), sent, initial={"what": request.GET.get("what", "strength")})
    if form.is_valid():
        try:
            made = _make(request, job, form)
            return redirect("variations", made[0].variation_set)
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
    context: dict[str, Any] = {
        "job": job,
        "form": form,
        "form_token": draw_form_token(),
        "workspace": workspace_here(request, job.workspace_id),
        "price": in_words(price()),
        "expired": expired(job.source_images),
    }
    return render(request, "edits/variations_form.html", context, status=422 if form.is_bound else 200)


def _make(request: PersonRequest, job: GenerationJob, form: VariationsForm) -> list[GenerationJob]:
    sources = sources_again(request.user, job)
    token = form.cleaned_data["form_token"]
    orders = [Order(sources, spec, f"{token}.{number}", job) for number, spec in enumerate(form.specs())]
    made = create_jobs(request.user, orders, lambda: {"variation_set": uuid4()})
    log.info("%d variations of edit %s are asked for.", len(made), job.pk)
    return made


@never_cache
@require_safe
@signed_in
def variations(request: PersonRequest, set_id: UUID) -> HttpResponse:
    """Those that were made at once, side by side, each called by what differs."""
    rows = GenerationJob.objects.visible_to(request.user).filter(variation_set=set_id).with_pictures()
    jobs = list(rows.order_by("created_at", "id"))
    if not jobs:
        raise Http404
    base = _base(request, jobs[0])
    context = {
        "base": base,
        "variations": named(jobs, base),
        "may_edit": may_edit_here(workspace_here(request, jobs[0].workspace_id)),
    }
    return render(request, "edits/variations.html", context)


def _base(request: PersonRequest, job: GenerationJob) -> GenerationJob | None:
    """The edit that they vary, if the person may see it: its pictures may have been moved out of its workspace."""
    if job.rerun_of_id is None:
        return None
    return GenerationJob.objects.visible_to(request.user).with_pictures().filter(pk=job.rerun_of_id).first()
