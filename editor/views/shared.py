"""What people outside see who have a link: its pictures and nothing else, without an account."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from editor.access import share_of_token, shared_image
from editor.forms import UnlockForm
from editor.library.listing import Place
from editor.models import Image, Share, ShareKind
from editor.sharing import counting, passwords
from editor.sharing.showing import PER_PAGE, beside, page_of, state_of
from editor.views.shared_door import gone, guest, seal

TOO_MANY = "That was too often. Wait some minutes and try again."
WRONG = "That is not the password. Check it, or ask whoever gave you the link."


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """The link itself: its pictures, or the question for its password."""
    try:
        share = share_of_token(token)
        if not passwords.is_unlocked(request, share):
            return _ask(request, share, UnlockForm())
        response = _collection(request, share) if share.kind == ShareKind.COLLECTION else _one(request, share)
    except Http404:
        return gone()
    counting.count(request, response, share)
    return response


@require_POST
def shared_unlock(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        share = share_of_token(token)
    except Http404:
        return gone()
    form = UnlockForm(request.POST)
    response = redirect("shared", token)
    if share.password and form.is_valid():
        try:
            if not passwords.fits(request, share, form.cleaned_data["password"]):
                form.add_error("password", WRONG)
        except passwords.TooMany:
            form.add_error("password", TOO_MANY)
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
    image = shared_image(share, image_id)
    newer, older = beside(share, image)
    context = _of_picture(request, share, image) | {"newer": newer, "older": older}
    return page(request, share, context, {"picture": str(image.pk)})


@require_safe
@guest
def shared_state(request: HttpRequest, share: Share) -> HttpResponseBase:
    """Whether a page that is open somewhere still shows what is so; it asks every few seconds."""
    pictures, talk = state_of(share, _images_now(request, share))
    now = {"pictures": pictures != request.GET.get("pictures"), "talk": talk != request.GET.get("talk")}
    return seal(JsonResponse(now))


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


def _one(request: HttpRequest, share: Share) -> HttpResponseBase:
    image, *before = _pair(share)
    context = _of_picture(request, share, image)
    if before:
        context |= {"before": before[0], "sensitive": image.sensitive or before[0].sensitive}
        context["same_shape"] = _same_shape(before[0], image)
    return page(request, share, context, {})


def _collection(request: HttpRequest, share: Share) -> HttpResponseBase:
    asked = request.GET.get("before", "")
    found = page_of(share, _place(share, asked))
    context = {"images": found[:PER_PAGE], "older": ""}
    if len(found) > PER_PAGE:
        last = found[PER_PAGE - 1]
        cursor = signing.dumps([last.created_at.isoformat(), str(last.pk)], salt=_salt(share), compress=True)
        context["older"] = f"?{urlencode({'before': cursor})}"
    return page(request, share, context, {"before": asked} if asked else {})


def _of_picture(request: HttpRequest, share: Share, image: Image) -> dict[str, Any]:
    job = image.job if share.shows_prompts else None
    return {
        "image": image,
        "sensitive": image.sensitive,
        "shown": "show" in request.GET,
        "prompt": job.prompt if job is not None and job.workspace_id == share.workspace_id else "",
    }


def page(request: HttpRequest, share: Share, context: dict[str, Any], place: dict[str, str]) -> HttpResponse:
    """`place`: what `shared_state` has to know to find the same pictures."""
    images = context.get("images") or [each for each in (context.get("image"), context.get("before")) if each]
    pictures, talk = state_of(share, images)
    query = urlencode(place | {"pictures": pictures, "talk": talk})
    context |= {"share": share, "state": f"{reverse('shared_state', args=[share.token])}?{query}"}
    response = render(request, "shared/page.html", context)
    seal(response)
    return response


def _place(share: Share, text: str) -> Place | None:
    """None for the first page, and for whatever we did not write for this link."""
    try:
        moment, pk = signing.loads(text, salt=_salt(share))
        return Place(datetime.fromisoformat(moment), UUID(pk))
    except (signing.BadSignature, ValueError):
        return None


def _salt(share: Share) -> str:
    return f"shared:{share.pk}"


def _same_shape(a: Image, b: Image) -> bool:
    if not (a.width and a.height and b.width and b.height):
        return False
    return abs(a.width * b.height / (a.height * b.width) - 1) < 0.02
