"""The studio: a picture on the stage, what was made of it, and the dock where the next edit is asked for."""

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import image_for, recipe_for
from editor.forms import DockForm, EditForm
from editor.images.rights import expired
from editor.jobs.recipes import steps_of
from editor.models import ChangeMap, GenerationJob, Image, ImageState, JobState, Workspace
from editor.views.dock import SENTENCES, Asked, dock_of, initial_of
from editor.views.frame import JOIN_KEY, PersonRequest, current_workspace, may_edit_here, signed_in, workspace_here
from editor.views.loss import Loss, at_once, loss_of, picture_of
from editor.views.trash import trashed_page
from editor.views.versions import Versions, versions_of

if TYPE_CHECKING:
    from editor.models import User

RECENT = 12
SAMPLES = {"astronaut": "Portrait", "coffee": "Cup of coffee", "cat": "Cat", "rocket": "Rocket"}
EXAMPLES = list(zip(("cat", "coffee", "astronaut"), SENTENCES, strict=True))


class Stage(NamedTuple):
    """What lies on the light table."""

    before: Image | None
    after: Image  # the picture itself when there is nothing to compare
    job: GenerationJob | None  # the edit that is shown or waited for
    results: list[Image]  # of that edit, to choose from
    trashed: Image | None = None  # the first of that edit's results that can be put back, if none is left to show
    made_from: Image | None = None  # what `after` is a result of, if the edit that made it is known
    in_steps: bool = False  # whether `before` is what several edits made, of which `job` is the sum

    @property
    def compares(self) -> bool:
        return self.before is not None and self.before.is_ready and self.after.is_ready

    @property
    def shows_changes(self) -> bool:
        """Whether it can be said what changed: beside its source, or where that is known beside several edits."""
        return self.compares and self.made_from is not None and (self.in_steps or self.before == self.made_from)

    @property
    def change(self) -> ChangeMap | None:
        """What is known of it; None where nobody asked yet."""
        return getattr(self.after, "change_map", None) if self.shows_changes else None

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
        return self.before is None or self.after.lies_over(self.before)


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
    """A picture and its versions. `edit`: the one on the stage, `result`: which of its pictures, from 1.

    `reuse`: an edit to fill the dock from, with all of it or `what` (prompt, seed, size); `second`: a picture for the
    second slot; `against`: one to compare with; `keep`: whether the seed stays; `try`: one of our sentences;
    `recipe`: one whose step is to be in the dock, where one of several steps leads to its page instead.
    `joined`: what several edits made of this picture; without `edit` the dock asks for them at once, with it both are
    compared.
    """
    try:
        image = image_for(request.user, image_id)
    except Http404:
        return trashed_page(request, image_id)
    query = request.GET
    shown = id_asked(request, "edit")
    reused = id_asked(request, "reuse")
    against = id_asked(request, "against")
    chosen = id_asked(request, "recipe")
    steps = steps_of(recipe_for(request.user, chosen)) if chosen is not None else []
    if chosen is not None and len(steps) != 1:
        return redirect(f"{reverse('recipe', args=[chosen])}?picture={image.pk}")
    joined = id_asked(request, "joined")
    versions = versions_of(image, request.user, {pk for pk in (shown, reused, image.job_id) if pk is not None})
    asked = Asked(
        _asked(versions, shown),
        _asked(versions, reused),
        query.get("what", "all"),
        "keep" in query,
        query.get("second", ""),
        query.get("try", ""),
        steps[0] if steps else None,
    )
    in_steps = picture_of(versions, joined, request.user) if joined is not None else None
    initial = initial_of(image, asked)
    if in_steps is not None and shown is None:
        initial |= at_once(in_steps, request.user, versions)
    form = DockForm(initial=initial)
    stage = stage_for(request.user, image, asked.shown, query.get("result", ""), versions.maker_of(image))
    if against is not None:
        stage = stage._replace(before=image_for(request.user, against))
    elif in_steps is not None and stage.results:
        source = stage.made_from if stage.shows_changes else None
        stage = stage._replace(before=in_steps, in_steps=True, made_from=source)
    return studio_page(request, image, form, stage, versions)


def home_page(request: PersonRequest, problem: str = "", status: int = 200) -> HttpResponse:
    """The studio without a picture."""
    workspace = current_workspace(request)
    context = {
        "recent": _recent(request, workspace),
        "samples": SAMPLES,
        "problem": problem,
        "examples": EXAMPLES,
        "may_edit": may_edit_here(workspace),
    }
    return render(request, "studio/home.html", context, status=status)


def studio_page(
    request: PersonRequest,
    image: Image,
    form: EditForm,
    stage: Stage | None = None,
    versions: Versions | None = None,
    status: int = 200,
) -> HttpResponse:
    """The studio with `image` as the source; `form` may be one that was refused."""
    if versions is None:
        versions = versions_of(image, request.user, {image.job_id} if image.job_id else ())
    if stage is None:
        stage = stage_for(request.user, image, None, made_by=versions.maker_of(image))
    workspace = workspace_here(request, image.workspace_id)
    may_edit = may_edit_here(workspace)
    pictures = chain.from_iterable([*job.source_images, *job.results.all()] for job in versions.asked.values())
    context: dict[str, Any] = {
        "image": image,
        "stage": stage,
        "versions": versions,
        "workspace": workspace,
        "may_edit": may_edit,
        "loss": _loss(request, image, stage, versions) if may_edit else None,
        **dock_of(request.user, image, form, pictures),
    }
    return render(request, "studio/studio.html", context, status=status)


def _loss(request: PersonRequest, image: Image, stage: Stage, versions: Versions) -> Loss | None:
    """Of the result on the stage, if there is one: that is “this picture” to whoever looks. Else of the source."""
    if stage.results:
        return loss_of(stage.after, request.user, versions, made=True)
    return loss_of(image, request.user, versions)


def stage_for(
    user: "User", image: Image, job: GenerationJob | None, result: str = "", made_by: GenerationJob | None = None
) -> Stage:
    """A result beside its source. Without an edit to show, a generated picture stands beside what it was made from.

    `made_by`: the edit that made `image`, with its pictures.
    """
    if job is None:
        before = made_by.source_image if made_by is not None else None
        if before is not None and (not before.is_shown_to(user) or before.purged_at):
            before = None
        return Stage(before, image, None, [], made_from=before)
    there = [made for made in job.results.all() if made.is_there_for(user)]
    results = [made for made in there if made.is_ready and not made.trashed_at]
    if job.state != JobState.SUCCEEDED or not results:
        trashed = (made for made in there if made.trashed_at and not made.purged_at)
        return Stage(None, image, job, [], next(trashed, None))
    chosen = next((made for made in results if str(made.position + 1) == result), results[0])
    return Stage(image, chosen, job, results, made_from=job.source_image)


def id_asked(request: PersonRequest, parameter: str) -> UUID | None:
    """An id in the query, spelt as we spell it. Raises Http404."""
    text = request.GET.get(parameter, "")
    if not text:
        return None
    try:
        found = UUID(text)
    except ValueError:
        raise Http404 from None
    if str(found) != text:
        raise Http404
    return found


def _asked(versions: Versions, job_id: UUID | None) -> GenerationJob | None:
    """Raises Http404 for one that the person may not see."""
    if job_id is None:
        return None
    if job_id not in versions.asked:
        raise Http404
    return versions.asked[job_id]


def _recent(request: PersonRequest, workspace: Workspace) -> list[Image]:
    images = Image.objects.visible_to(request.user).filter(workspace=workspace).exclude(state=ImageState.REFUSED)
    return list(images.order_by("-created_at", "-id")[:RECENT])
