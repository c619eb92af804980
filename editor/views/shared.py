"""What people outside see who have a link: its pictures and nothing else, without an account."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import is_guest_of, share_of_token, shared_image
from editor.forms import UnlockForm, draw_form_token
from editor.library.listing import Place
from editor.models import Image, Share, ShareKind
from editor.review.comments import threads_of
from editor.sharing import counting, passwords
from editor.sharing.showing import PER_PAGE, beside, page_of, state_of
from editor.sharing.talking import guest_at, talk_of
from editor.views import cursors
from editor.views.shared_door import gone, guest, seal

TOO_MANY = "Too much was said here, or from your network, in a short time. Wait some minutes and send it again."
TOO_MANY_GUESSES = (
    "Too many wrong passwords were tried, at this link or from your network. Until that is over none is looked at, "
    "not even the right one: try again in ten minutes; it may take an hour."
)
WRONG = "That is not the password. Check it, or ask whoever gave you the link."


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """The link itself: its pictures, or the question for its password."""
    try:
        share = share_of_token(token)
        if not passwords.is_unlocked(request, share):
            return _ask(request, share, UnlockForm())
        if share.kind == ShareKind.COLLECTION:
            response = _collection(request, share)
        else:
            response = picture_page(request, share, _pair(share)[0])
    except Http404:
        return gone()
    counting.count(request, response, share)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def shared_unlock(request: HttpRequest, token: str) -> HttpResponseBase:
    """A try at the password. Whoever opens its address, where a wrong one led them, is asked anew."""
    try:
        share = share_of_token(token)
    except Http404:
        return gone()
    response = redirect("shared", token)
    if request.method != "POST":
        return seal(response)
    form = UnlockForm(request.POST)
    if share.password and form.is_valid():
        try:
            if not passwords.fits(request, share, form.cleaned_data["password"]):
                form.add_error("password", WRONG)
        except passwords.TooMany:
            form.add_error("password", TOO_MANY_GUESSES)
            return _ask(request, share, form, status=429)
        if not form.errors:
            passwords.unlock(response, share)
    if share.password and form.errors:
        return _ask(request, share, form, status=422)
    return seal(response)


def _ask(request: HttpRequest, share: Share, form: UnlockForm, status: int = 200) -> HttpResponseBase:
    """It says nothing of what is behind it."""
    return seal(
        render(request, "shared/password.html", {"token": share.token, "form": form}, status=status), forms=True
    )


@require_safe
@guest
def shared_picture(request: HttpRequest, share: Share, image_id: UUID) -> HttpResponseBase:
    """One of a collection, large. Other links have no such pages: theirs is the first."""
    if share.kind != ShareKind.COLLECTION:
        raise Http404
    return picture_page(request, share, shared_image(share, image_id))


@require_safe
@guest
def shared_state(request: HttpRequest, share: Share) -> HttpResponseBase:
    """Whether a page that is open somewhere still shows what is so; it asks every few seconds."""
    images = _images_now(request, share)
    alone = share.kind != ShareKind.COLLECTION or "picture" in request.GET
    talk = talk_of(share, images[0], guest_at(request, share)) if alone else None
    pictures, said = state_of(share, images, talk)
    return seal(
        JsonResponse({"pictures": pictures != request.GET.get("pictures"), "talk": said != request.GET.get("talk")})
    )


def _images_now(request: HttpRequest, share: Share) -> list[Image]:
    """What the page that asks would show now. Raises Http404."""
    if share.kind != ShareKind.COLLECTION:
        return _pair(share)
    asked = request.GET.get("picture")
    if asked is None:
        return page_of(share, _place(share, request.GET.get("before", "")))[:PER_PAGE]
    try:
        return [shared_image(share, UUID(asked))]
    except ValueError:
        raise Http404 from None


def _pair(share: Share) -> list[Image]:
    """The picture, and what was before it. Raises Http404."""
    return [shared_image(share, pk) for pk in (share.image_id, share.before_id) if pk is not None]


def _collection(request: HttpRequest, share: Share) -> HttpResponse:
    asked = request.GET.get("before", "")
    found = page_of(share, _place(share, asked))
    images, older = found[:PER_PAGE], ""
    if len(found) > PER_PAGE:
        cursor = cursors.write(images[-1].created_at, images[-1].pk, _salt(share))
        older = f"?{urlencode({'before': cursor})}"
    return _page(request, share, images, {"images": images, "older": older}, {"before": asked} if asked else {})


def picture_page(
    request: HttpRequest, share: Share, image: Image, forms: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """One picture large, with what was before it or what is beside it; `forms`: those that were refused."""
    images = [image] if share.kind == ShareKind.COLLECTION else _pair(share)
    talk = talk_of(share, image, guest_at(request, share))
    context: dict[str, Any] = {
        "image": image,
        "sensitive": any(each.sensitive for each in images),
        "shown": "show" in request.GET or request.method == "POST",
        "prompt": _prompt(share, image),
        "talk": talk,
        "is_guest": is_guest_of(request.user, share),
        "may_say": share.workspace.is_open and (share.may_comment or share.may_decide),
        "form_token": draw_form_token(),
    }
    if share.may_comment:
        context |= {"threads": threads_of(image, share=share), "settled": threads_of(image, share=share, resolved=True)}
    place = {}
    if share.kind == ShareKind.COLLECTION:
        context["newer"], context["older"] = beside(share, image)
        place = {"picture": str(image.pk)}
    elif len(images) > 1:
        context |= {"before": images[1], "same_shape": image.lies_over(images[1])}
    return _page(request, share, images, context | (forms or {}), place, status)


def _prompt(share: Share, image: Image) -> str:
    """The words that it was made with, if the link says so and they belong to the same workspace."""
    job = image.job if share.shows_prompts else None
    return job.prompt if job is not None and job.workspace_id == share.workspace_id else ""


def _page(
    request: HttpRequest,
    share: Share,
    images: list[Image],
    context: dict[str, Any],
    place: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    """`place`: what `shared_state` has to know to find the same pictures."""
    pictures, talk = state_of(share, images, context.get("talk"))
    query = urlencode(place | {"pictures": pictures, "talk": talk})
    context |= {"share": share, "state": f"{reverse('shared_state', args=[share.token])}?{query}"}
    response = render(request, "shared/page.html", context, status=status)
    seal(response, forms=bool(context.get("may_say")))
    return response


def _place(share: Share, text: str) -> Place | None:
    """None for the first page, and for whatever we did not write for this link."""
    found = cursors.read(text, _salt(share))
    return Place(*found) if found else None


def _salt(share: Share) -> str:
    return f"shared pages:{share.pk}"
