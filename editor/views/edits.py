"""Asking for an edit, following it, and everything about one."""

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import image_for, job_for, open_workspace_for, own_job_for, source_for
from editor.forms import RELOAD, DockForm, EditForm, RunAgainForm
from editor.images.refusals import REFUSALS
from editor.images.rights import expired
from editor.jobs import control
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.jobs.failures import explain
from editor.jobs.progress import timeline
from editor.models import GenerationJob, Image, ImageState, JobState
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here
from editor.views.kinship import kin_of
from editor.views.studio import home_page, studio_page
from editor.views.versions import stage_address

if TYPE_CHECKING:
    from editor.models import User

log = logging.getLogger(__name__)

REUSABLE = {"prompt": "words", "seed": "seed", "size": "size"}  # what the studio may take from an edit, alone


@require_POST
@signed_in
def edit_create(request: PersonRequest) -> HttpResponse:
    form = DockForm(request.POST)
    form.is_valid()
    sources = _sources(request.user, form)
    if form.is_valid():
        try:
            job = create_job(request.user, sources, form.spec(), form.cleaned_data["form_token"])
            log.info("Edit %s is asked for.", job.pk)
            keep = "&keep=1" if form.cleaned_data["keep_seed"] else ""
            return redirect(stage_address(job, request.user) + keep + _with_second(form) + _with_joined(form))
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
    if not sources:
        return home_page(request, "Choose a picture first.", status=422)
    response = studio_page(request, sources[0], form, status=422)
    response["HX-Push-Url"] = "false"  # the address of a form is no page
    return response


@never_cache
@require_safe
@signed_in
def edit(request: PersonRequest, job_id: UUID) -> HttpResponse:
    job = job_for(request.user, job_id)
    context: dict[str, Any] = {
        "job": job,
        "timeline": timeline(job),
        "kin": kin_of(job, request.user),
        "reusable": REUSABLE,
        "may_edit": may_edit_here(workspace_here(request, job.workspace_id)),
        "own": job.made_by_id == request.user.pk,
        "expired": expired(job.source_images),
        "laid_over": _laid_over(job, request.user),
        "failure": explain(job) if _went_wrong(job) else None,
    }
    return render(request, "edits/edit.html", context)


@never_cache
@require_safe
@signed_in
def edit_tile(request: PersonRequest, job_id: UUID) -> HttpResponse:
    return _tile(request, job_for(request.user, job_id))


@require_POST
@signed_in
def edit_cancel(request: PersonRequest, job_id: UUID) -> HttpResponse:
    job = own_job_for(request.user, job_id)
    done = control.cancel(job)
    return _told(request, job, "Canceled." if done else "Too late to cancel: this edit has ended.")


@require_POST
@signed_in
def edit_send_again(request: PersonRequest, job_id: UUID) -> HttpResponse:
    job = own_job_for(request.user, job_id)
    open_workspace_for(request.user, job.workspace_id)
    done = control.send_again(job)
    return _told(request, job, "Sent again." if done else "Nothing was sent: this edit went on by itself.")


@require_POST
@signed_in
def edit_let_go(request: PersonRequest, job_id: UUID) -> HttpResponse:
    job = own_job_for(request.user, job_id)
    done = control.let_go(job)
    return _told(request, job, "Let go." if done else "Nothing to let go: this edit went on by itself.")


@require_POST
@signed_in
def edit_run_again(request: PersonRequest, job_id: UUID) -> HttpResponse:
    """The same words on the same pictures, with the same seed (`mode=same`) or a new one (`mode=new`)."""
    job = job_for(request.user, job_id)
    open_workspace_for(request.user, job.workspace_id)
    form = RunAgainForm(request.POST)
    if not form.is_valid():
        messages.error(request, RELOAD)
        return redirect("edit", job.pk)
    spec = replace(spec_of(job), seed=None) if form.draws_new_seed else spec_of(job)
    try:
        sources = sources_again(request.user, job)
        again = create_job(request.user, sources, spec, form.cleaned_data["form_token"], rerun_of=job)
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
        return redirect("edit", job.pk)
    return redirect(stage_address(again, request.user) + _with_second(form))


def spec_of(job: GenerationJob) -> EditSpec:
    """What was asked of an edit, so that it can be asked again; with its seed."""
    return EditSpec(job.prompt, job.negative_prompt, job.ratio, job.samples, job.strength, job.seed)


def sources_again(user: "User", job: GenerationJob) -> list[Image]:
    """The pictures that an edit was made from, to make another one from them. Raises NotAllowed."""
    sources = [source_for(user, image.pk) for image in job.source_images]
    present = [image for image in sources if image is not None]
    if len(present) < len(sources):
        raise NotAllowed("A picture that this was made from is in the trash or gone. Put it back and try again.")
    return present


def _sources(user: "User", form: EditForm) -> list[Image]:
    """The chosen pictures. A stranger's or made-up id is a 404; one that was refused says why."""
    if form.has_error("joined"):
        raise Http404
    found = []
    for field in ("source", "second"):
        image_id = form.cleaned_data.get(field)
        if image_id is None:
            if form.has_error(field, "invalid"):
                raise Http404
            continue
        image = source_for(user, image_id)
        if image is None:
            image = image_for(user, image_id)
            open_workspace_for(user, image.workspace_id)
            if image.state != ImageState.REFUSED:
                raise Http404
            form.add_error(field, REFUSALS.get(image.refused_code, "This picture could not be read."))
        found.append(image)
    return found


def _with_second(form: EditForm | RunAgainForm) -> str:
    """Of the studio's address: what lies in the second slot stays there, until a person takes it out."""
    second: UUID | None = form.cleaned_data.get("second")
    return f"&second={second}" if second else ""


def _laid_over(job: GenerationJob, user: "User") -> bool:
    """Whether it can be shown what changed: over a source that the person sees without asking."""
    source = job.source_image
    return source.is_ready and not source.sensitive and source.purged_at is None and source.is_shown_to(user)


def _with_joined(form: EditForm) -> str:
    """Of the studio's address: what is made at once is compared there with what several edits made."""
    joined: UUID | None = form.cleaned_data["joined"]
    return f"&joined={joined}" if joined else ""


def _went_wrong(job: GenerationJob) -> bool:
    return job.state in {JobState.FAILED, JobState.BLOCKED, JobState.UNCONFIRMED}


def _told(request: PersonRequest, job: GenerationJob, sentence: str) -> HttpResponse:
    """After an owner's choice: the tile to a script, else back to the edit with a message."""
    fresh = job_for(request.user, job.pk)
    if request.htmx:
        # Only what is final may be said on the stage: this answer may come after that of a later asking.
        return _tile(request, fresh, say_on_stage=fresh.is_final)
    messages.info(request, sentence)
    to_studio = request.POST.get("back") == "studio"
    return redirect(stage_address(fresh, request.user) if to_studio else reverse("edit", args=[job.pk]))


def _tile(request: PersonRequest, job: GenerationJob, say_on_stage: bool = True) -> HttpResponse:
    on_stage = _on_stage(request, job)
    context = {"job": job, "on_stage": on_stage and say_on_stage, "current": job.pk if on_stage else None}
    response = render(request, "edits/tile.html", context)
    if job.is_final:
        sentence = {
            JobState.SUCCEEDED: "Your edit is done.",
            JobState.CANCELED: "The edit was canceled.",
        }.get(JobState(job.state), "Your edit did not work out.")
        told = {"id": str(job.pk), "state": job.state, "sentence": sentence}
        response["HX-Trigger"] = json.dumps({"edit-finished": told, f"edit-finished-{job.pk}": told})
    return response


def _on_stage(request: PersonRequest, job: GenerationJob) -> bool:
    """Whether the page that asks shows this edit, so that its sentence there is to change as well."""
    return f"edit={job.pk}" in (request.htmx.current_url or "")
