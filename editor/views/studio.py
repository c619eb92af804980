"""The studio: a picture on the stage, what was made of it, and the dock where the next edit is asked for."""

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import image_for, job_for, may_edit_in
from editor.forms import STRENGTH_DEFAULT, EditForm, draw_form_token
from editor.images.rights import expired
from editor.images.sizes import LONGEST, MATCH, RATIOS, size_for_ratio
from editor.models import GenerationJob, Image, ImageState, JobState, Workspace
from editor.views.frame import JOIN_KEY, PersonRequest, current_workspace, signed_in
from editor.views.trash import trashed_page
from editor.views.versions import versions_of

if TYPE_CHECKING:
    from editor.models import User

RECENT = 12
SAMPLES = {"astronaut": "Portrait", "coffee": "Cup of coffee", "cat": "Cat", "rocket": "Rocket"}


class Stage(NamedTuple):
    """What lies on the light table."""

    before: Image | None
    after: Image  # the picture itself when there is nothing to compare
    job: GenerationJob | None  # the edit that is shown or waited for
    results: list[Image]  # of that edit, to choose from
    trashed: Image | None = None  # the first of that edit's results that can be put back, if none is left to show

    @property
    def compares(self) -> bool:
        return self.before is not None and self.before.is_ready and self.after.is_ready

    @property
    def sensitive(self) -> bool:
        """Whether it stays hidden until somebody asks for it."""
        return self.after.sensitive or (self.before is not None and self.compares and self.before.sensitive)

    @property
    def waits(self) -> bool:
        return self.job is not None and not self.job.is_final

    @property
    def rests_on_expired(self) -> bool:
        """Whether the edit can't be run again, as one of its sources may not be used any more."""
        return self.job is not None and expired(self.job.source_images) is not None

    @property
    def shown_job_id(self) -> UUID | None:
        """The edit that is marked among the versions: the one asked for, or the one that made the picture."""
        return self.job.pk if self.job is not None else self.after.job_id

    @property
    def same_shape(self) -> bool:
        a, b = self.before, self.after
        if a is None or not (a.width and a.height and b.width and b.height):
            return True
        return abs(a.width * b.height / (a.height * b.width) - 1) < 0.02


@require_safe
def studio(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "studio/welcome.html")
    if token := request.session.pop(JOIN_KEY, ""):  # signed in on the way to an invitation
        return redirect("join", token)
    person: PersonRequest = request  # type: ignore[assignment]  # looked at just above
    return home_page(person)


@never_cache
@require_safe
@signed_in
def studio_image(request: PersonRequest, image_id: UUID) -> HttpResponse:
    try:
        image = image_for(request.user, image_id)
    except Http404:
        return trashed_page(request, image_id)
    shown = _job_named(request, "edit")
    changed = _job_named(request, "from")
    initial = _initial(image, changed or shown, with_words=changed is not None)
    if second := request.GET.get("second"):
        initial["second"] = second
    form = EditForm(initial=initial)
    return studio_page(request, image, form, stage_for(request.user, image, shown, request.GET.get("result", "")))


def home_page(request: PersonRequest, problem: str = "", status: int = 200) -> HttpResponse:
    """The studio without a picture."""
    workspace = current_workspace(request)
    context = {
        "recent": _recent(request, workspace),
        "samples": SAMPLES,
        "problem": problem,
        "may_edit": may_edit_in(request.user, workspace),
    }
    return render(request, "studio/home.html", context, status=status)


def studio_page(
    request: PersonRequest, image: Image, form: EditForm, stage: Stage | None = None, status: int = 200
) -> HttpResponse:
    """The studio with `image` as the source; `form` may be one that was refused."""
    versions = versions_of(image, request.user)
    context: dict[str, Any] = {
        "image": image,
        "stage": stage or stage_for(request.user, image, None),
        "form": form,
        "form_token": draw_form_token(),
        "second": _second(request, form),
        "shapes": shapes_of(image),
        "longest": LONGEST,
        "recent": _recent(request, image.workspace),
        "versions": versions,
        "workspace": image.workspace,
        "may_edit": may_edit_in(request.user, image.workspace),
    }
    return render(request, "studio/studio.html", context, status=status)


def stage_for(user: "User", image: Image, job: GenerationJob | None, result: str = "") -> Stage:
    """A result beside its source. Without an edit to show, a generated picture stands beside what it was made from."""
    if job is None:
        before = image.job.source_image if image.job is not None else None
        if before is not None and (not before.is_shown_to(user) or before.purged_at):
            before = None
        return Stage(before, image, None, [])
    there = [made for made in job.results.all() if made.is_there_for(user)]
    results = [made for made in there if made.is_ready and not made.trashed_at]
    if job.state != JobState.SUCCEEDED or not results:
        trashed = (made for made in there if made.trashed_at and not made.purged_at)
        return Stage(None, image, job, [], next(trashed, None))
    chosen = next((made for made in results if str(made.position + 1) == result), results[0])
    return Stage(image, chosen, job, results)


def shapes_of(image: Image) -> list[tuple[str, str, int, int]]:
    """(value, label, width, height) of each size to choose; zeros while the source's size isn't known."""
    labels = {MATCH: "Match source"} | {ratio: ratio.replace(":", " : ") for ratio in RATIOS}
    if not (image.width and image.height):
        return [(value, label, 0, 0) for value, label in labels.items()]
    return [(value, label, *size_for_ratio(value, (image.width, image.height))) for value, label in labels.items()]


def _initial(image: Image, job: GenerationJob | None, with_words: bool) -> dict[str, Any]:
    """The dock as it was for `job`; its words and seed only where that edit is to be changed."""
    initial: dict[str, Any] = {"source": image.pk, "ratio": MATCH, "samples": 1, "strength": STRENGTH_DEFAULT}
    if job is not None:
        initial |= {"ratio": job.ratio, "samples": job.samples, "strength": job.strength}
    if job is not None and with_words:
        sources = job.source_images
        initial |= {"prompt": job.prompt, "negative_prompt": job.negative_prompt, "seed": job.seed}
        initial["second"] = sources[1].pk if len(sources) > 1 else None
    return initial


def _job_named(request: PersonRequest, parameter: str) -> GenerationJob | None:
    text = request.GET.get(parameter, "")
    if not text:
        return None
    try:
        job_id = UUID(text)
    except ValueError:
        raise Http404 from None
    if str(job_id) != text:
        raise Http404
    return job_for(request.user, job_id)


def _second(request: PersonRequest, form: EditForm) -> Image | None:
    """The picture in the second slot, if there is one that the person may see."""
    value = form["second"].value()
    if not value:
        return None
    try:
        return image_for(request.user, UUID(str(value)))
    except (Http404, ValueError):
        return None


def _recent(request: PersonRequest, workspace: Workspace) -> list[Image]:
    images = Image.objects.visible_to(request.user).filter(workspace=workspace).exclude(state=ImageState.REFUSED)
    return list(images.order_by("-created_at", "-id")[:RECENT])
