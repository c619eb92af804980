"""Links for people outside, as members make, change and revoke them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import (
    RIGHTS,
    Right,
    changeable_share_for,
    collection_for,
    image_for,
    managed_workspace,
    may_revoke_share_as,
    member_of,
    open_workspace_for,
    revocable_share_for,
    share_for,
    shown_by,
)
from editor.accounts.links import public_url
from editor.forms import ShareForm, draw_form_token
from editor.images.change_maps import source_of
from editor.models import Image, Membership, Role, Share, ShareKind, Workspace
from editor.sharing import links
from editor.sharing.links import What
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here

PER_PAGE = 50
SHOWN_BESIDE = 10  # links on a picture's page


def shares_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `pictures/shares.html` shows on a picture's page."""
    workspace = workspace_here(request, image.workspace_id)
    if not may_edit_here(workspace) or not image.is_ready:
        return {"may_share": False}
    rows = Share.objects.open_at(timezone.now()).filter(image=image, workspace=workspace)
    return {"may_share": True, "links": rows.select_related("made_by").order_by("-created_at", "-id")[:SHOWN_BESIDE]}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share_picture(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """A new link to a picture, or to it and what it was made from."""
    image = image_for(request.user, image_id)
    workspace = open_workspace_for(request.user, image.workspace_id)
    if not image.is_ready or image.purged_at:
        raise Http404
    before = _before(request, image)
    both = before is not None and (request.POST or request.GET).get("what") == ShareKind.BEFORE_AFTER
    what = What(image=image, before=before if both else None)
    return _new(request, workspace, what, {"image": image, "before": before, "both": both})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share_collection(request: PersonRequest, collection_id: UUID) -> HttpResponse:
    """A new link to a collection, with whatever lies in it whenever somebody looks."""
    collection, _ = collection_for(request.user, collection_id, Right.EDIT)
    return _new(request, collection.workspace, What(collection=collection), {"collection": collection})


def _before(request: PersonRequest, image: Image) -> Image | None:
    """What a result was made from, if the person sees that and it lies in the same workspace."""
    source = source_of(image)
    if source is None or source.workspace_id != image.workspace_id or not source.is_shown_to(request.user):
        return None
    return source if source.is_ready and source.purged_at is None else None


def _new(request: PersonRequest, workspace: Workspace, what: What, context: dict[str, Any]) -> HttpResponse:
    form = ShareForm(request.POST or None)
    token = request.POST.get("form_token", "")[:64] or draw_form_token()
    if request.method == "POST" and form.is_valid():
        made = links.make(request.user, workspace, what, form.terms(timezone.now()), token)
        return redirect("share", made.pk)
    context |= {"workspace": workspace, "form": form, "form_token": token, "never_shown": _never_shown(workspace, what)}
    return render(request, "shares/new.html", context, status=422 if form.errors else 200)


def _never_shown(workspace: Workspace, what: What) -> bool:
    """Whether guests would see nothing as it is now: the link is made all the same, and shows it from then on."""
    if what.image is None:
        return False
    share = Share(workspace=workspace, kind=what.kind, image=what.image, before=what.before)
    return shown_by(share).count() < (2 if what.before else 1)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share(request: PersonRequest, share_id: UUID) -> HttpResponse:
    """One link: its address to pass on, how often it was opened, and what may be changed about it."""
    found, me = share_for(request.user, share_id)
    if request.method == "POST":
        found = changeable_share_for(request.user, share_id)
        form = ShareForm(request.POST, share=found)
        if form.is_valid():
            links.change(found, form.terms(timezone.now()))
            messages.success(request, "Changed. It holds from now on, also where the link is open already.")
            return redirect("share", found.pk)
    else:
        form = ShareForm(share=found)
    may_revoke = may_revoke_share_as(me, found) and found.revoked_at is None
    context = {
        "share": found,
        "workspace": found.workspace,
        "address": public_url("shared", token=found.token),
        "is_open": _opens(found),
        "form": form,
        "may_revoke": may_revoke,
        "may_change": may_revoke and found.workspace.is_open,
    }
    return render(request, "shares/share.html", context, status=422 if form.errors else 200)


def _opens(found: Share) -> bool:
    """As far as its own row and those beside it tell."""
    gone = found.kind == ShareKind.COLLECTION and found.collection_id is None
    return found.is_open_at(timezone.now()) and found.made_by.is_active and not gone


@require_POST
@signed_in
def share_revoke(request: PersonRequest, share_id: UUID) -> HttpResponse:
    found = revocable_share_for(request.user, share_id)
    if links.revoke(found, request.user):
        messages.success(request, "Revoked: the link opens nothing any more.")
    return redirect("shares", found.workspace_id)


@never_cache
@require_safe
@signed_in
def shares(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """All links of a workspace, newest first."""
    me = member_of(request.user, workspace_id, Right.EDIT)
    rows = Share.objects.filter(workspace=workspace_id).select_related("made_by", "image", "collection", "workspace")
    asked = _uuid(request.GET.get("before", ""))
    before = rows.filter(pk=asked).first() if asked else None
    if before is not None:
        rows = rows.shown_before(before)
    found = list(rows.order_by("-created_at", "-id")[: PER_PAGE + 1])
    listed = found[:PER_PAGE]
    context = {
        "workspace": me.workspace,
        "rows": [_row(me, each) for each in listed],
        "older": f"?before={listed[-1].pk}" if len(found) > PER_PAGE else "",
        "first_page": before is None,
        "manages": _manages(me),
        "may_change": _manages(me) and me.workspace.is_open,
    }
    return render(request, "shares/list.html", context)


def _row(me: Membership, each: Share) -> dict[str, Any]:
    opens = _opens(each)
    return {"share": each, "is_open": opens, "may_revoke": opens and may_revoke_share_as(me, each)}


def _manages(me: Membership) -> bool:
    return Right.MANAGE in RIGHTS[Role(me.role)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_POST
@signed_in
def share_revoke_all(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """By whoever manages it; in the archive as well."""
    me = member_of(request.user, workspace_id, Right.MANAGE)
    many = links.revoke_all(me.workspace, request.user)
    messages.success(
        request, f"{many} link{'' if many == 1 else 's'} revoked." if many else "There was no link to revoke."
    )
    return redirect("shares", workspace_id)


@require_POST
@signed_in
def share_approved_only(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Whether links of the workspace show approved pictures alone."""
    me = managed_workspace(request.user, workspace_id)
    only = "on" in request.POST
    Workspace.objects.filter(pk=me.workspace_id).update(shares_approved_only=only)
    said = "Links show approved pictures alone from now on." if only else "Links show any picture they lead to again."
    messages.success(request, said)
    return redirect("shares", workspace_id)
