"""Any two edits: both pictures, and the parameters that differ."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import job_for
from editor.jobs.differences import differences, name_by, other_sources
from editor.models import GenerationJob, Image
from editor.views.frame import PersonRequest, signed_in
from editor.views.kinship import edits_beside

OFFERED = 24


@never_cache
@require_safe
@signed_in
def edit_compare(request: PersonRequest) -> HttpResponse:
    """`?a=…&b=…`, or two of `?edit=…`. Of one alone: what it can be compared with."""
    chosen = _chosen(request)
    if len(chosen) == 1:
        return _choose(request, chosen[0])
    a, b = chosen
    before, after = (_picture(request, job, name) for job, name in ((a, "first"), (b, "second")))
    sources = other_sources(a, b)
    context: dict[str, Any] = {
        "a": a,
        "b": b,
        "before": before,
        "after": after,
        "names": (name_by(a, b), name_by(b, a)),
        "differences": differences(a, b),
        "sources": sources,
        "same_shape": before is not None and after is not None and after.lies_over(before),
        "sensitive": any(image is not None and image.sensitive for image in (before, after)),
    }
    return render(request, "edits/compare.html", context)


def _chosen(request: PersonRequest) -> list[GenerationJob]:
    """One or two different edits. Raises Http404."""
    asked = [request.GET[name] for name in ("a", "b") if request.GET.get(name)] or request.GET.getlist("edit")
    ids = list(dict.fromkeys(asked))
    if not 1 <= len(ids) <= 2:
        raise Http404
    return [job_for(request.user, _id(text)) for text in ids]


def _id(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        raise Http404 from None
    if str(found) != text:
        raise Http404
    return found


def _choose(request: PersonRequest, job: GenerationJob) -> HttpResponse:
    others = edits_beside(job, request.user, OFFERED + 1)
    context = {"job": job, "others": others[:OFFERED], "cut": len(others) > OFFERED}
    return render(request, "edits/compare_choose.html", context)


def _picture(request: PersonRequest, job: GenerationJob, name: str) -> Image | None:
    """The result that is asked for by its number, else the first that can be shown."""
    shown = [image for image in job.results.all() if image.is_ready and image.is_shown_to(request.user)]
    asked = request.GET.get(name, "")
    return next((image for image in shown if str(image.position + 1) == asked), next(iter(shown), None))
