"""What people outside say about a picture that was shared with them: in comments, and whether it is good to go."""

from uuid import UUID

from allauth.core import ratelimit
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from editor.access import is_guest_of, shared_image
from editor.forms import GuestCommentForm, GuestDecisionForm, GuestForm
from editor.library.shelves import NotPossible
from editor.models import Comment, Image, Share, ShareKind
from editor.review import comments, rounds
from editor.sharing.talking import Guest, decided_just_now, guest_at, remember
from editor.views.shared import TOO_MANY, picture_page
from editor.views.shared_door import guest, seal

OFTEN = "shared_words"  # in ACCOUNT_RATE_LIMITS


@require_http_methods(["GET", "HEAD", "POST"])
@guest
def shared_decide(request: HttpRequest, share: Share, image_id: UUID) -> HttpResponseBase:
    """A guest approves or rejects."""
    image = _open_to_words(share, image_id, share.may_decide)
    if request.method != "POST":
        return seal(redirect(_address(share, image)))
    form = GuestDecisionForm(request.POST)
    if may_go_on(request, share, form):
        try:
            return back(request, share, image, form, _decide(request, share, image, form))
        except NotPossible as problem:
            form.add_error("why", str(problem))
    return picture_page(request, share, image, {"decision": form}, status=422)


def _decide(request: HttpRequest, share: Share, image: Image, form: GuestDecisionForm) -> int | None:
    """Raises NotPossible."""
    if not is_guest_of(request.user, share):
        raise NotPossible("You are a member: approve or reject it on the picture’s own page, under your own name.")
    said = form.cleaned_data
    name, why = said["guest_name"], said["why"]
    rounds.decide(image, share=share, guest_name=name, approves=said["what"] == "approve", why=why)
    return decided_just_now(share, image, name, why)


@require_http_methods(["GET", "HEAD", "POST"])
@guest
def shared_comment(request: HttpRequest, share: Share, image_id: UUID) -> HttpResponseBase:
    """A guest says something, or answers in a thread that guests of the same link began."""
    image = _open_to_words(share, image_id, share.may_comment)
    if request.method != "POST":
        return seal(redirect(_address(share, image)))
    form = GuestCommentForm(request.POST)
    if may_go_on(request, share, form):
        try:
            _say(share, image, form)
            return back(request, share, image, form)
        except NotPossible as problem:
            form.add_error("text", str(problem))
    return picture_page(request, share, image, {"comment": form}, status=422)


def _say(share: Share, image: Image, form: GuestCommentForm) -> None:
    """Raises NotPossible."""
    if not share.workspace.is_open:
        raise NotPossible("Nothing changes here any more.")
    said = form.cleaned_data
    thread = None
    if said["thread"] is not None:
        thread = Comment.objects.filter(pk=said["thread"], image=image, workspace=share.workspace_id).first()
        if thread is None:
            raise NotPossible("This thread is not there any more.")
    comments.add(
        image,
        said["text"],
        share=share,
        guest_name=said["guest_name"],
        thread=thread,
        point=form.point,
        form_token=said["form_token"],
    )


def _open_to_words(share: Share, image_id: UUID, may: bool) -> Image:
    """The picture that the link is about; nothing is said about what was before it. Raises Http404."""
    if not may or (share.kind != ShareKind.COLLECTION and image_id != share.image_id):
        raise Http404
    return shared_image(share, image_id)


def may_go_on(request: HttpRequest, share: Share, form: GuestForm) -> bool:
    """Whether the form is right, and its sender has not said too much already."""
    if not form.is_valid():
        return False
    if not ratelimit.consume(request, action=OFTEN, key=str(share.pk)):
        form.add_error(None, TOO_MANY)
    return not form.errors


def back(
    request: HttpRequest, share: Share, image: Image, form: GuestForm, decided: int | None = None
) -> HttpResponseBase:
    """To the picture, where it stands now; the name is not asked for again. `decided`: what they said of it."""
    response = seal(redirect(f"{_address(share, image)}{'?show=1' if image.sensitive else ''}#shared-talk"))
    before = guest_at(request, share).decided
    after = before if decided is None or decided in before else (*before, decided)
    remember(response, share, Guest(form.cleaned_data["guest_name"], after))
    return response


def _address(share: Share, image: Image) -> str:
    """Where a guest reads about the picture."""
    if share.kind == ShareKind.COLLECTION:
        return reverse("shared_picture", args=[share.token, image.pk])
    return reverse("shared", args=[share.token])
