"""What every page shows around its content, and who may open it."""

import json
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from editor.access import RIGHTS, InArchive, Right, may_edit_as
from editor.accounts.links import is_ours
from editor.jobs.allowances import Rest, rest_of
from editor.models import Role, User, Workspace

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class PersonRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    htmx: "HtmxDetails"


class AnyRequest(HttpRequest):
    htmx: "HtmxDetails"


View = Callable[..., HttpResponse]

WORKSPACE_KEY = "workspace"  # in the session: the one chosen last in this browser,
JOIN_KEY = "join"  # and the invitation that a visitor wants to accept once signed in


def frame(request: HttpRequest) -> dict[str, object]:
    """Context processor. What costs a query is looked up when a template shows it."""
    shown: dict[str, object] = {"sandbox": settings.FLUX_IS_SANDBOX, "mailbox": settings.MAILBOX}
    shown["viewing"] = getattr(request, "viewing", None)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        shown["workspace"] = SimpleLazyObject(lambda: current_workspace(request))
        shown["workspaces"] = SimpleLazyObject(lambda: workspaces_of(request))
    return shown


def way_back(asked: str, otherwise: str) -> HttpResponse:
    """To the address that a page wants to come back to, if it is one of ours."""
    return redirect(asked if is_ours(asked) else otherwise)


def workspaces_of(request: HttpRequest) -> list[Workspace]:
    """All that the person is in, their own first; looked up once a request."""
    known: list[Workspace] | None = getattr(request, "_workspaces", None)
    if known is None:
        known = list(Workspace.objects.of(cast(User, request.user)))
        request._workspaces = known  # type: ignore[attr-defined]  # a request carries what it was asked for
    return known


def current_workspace(request: HttpRequest) -> Workspace:
    """The one that the person chose last and is still in, else their own. Uploads without a picture go there.

    A browser that has just been signed in goes on in the last one of any browser, if that is not in the archive by now.
    """
    user = cast(User, request.user)
    chosen = request.session.get(WORKSPACE_KEY)
    known = workspaces_of(request)
    if chosen is None:
        found = next((each for each in known if each.pk == user.last_workspace_id and each.is_open), None)
    else:
        found = next((each for each in known if str(each.pk) == chosen), None)
    return found or next(iter(known), None) or Workspace.objects.personal_of(user)


def workspace_here(request: HttpRequest, workspace_id: UUID | None) -> Workspace:
    """The named one if the person is in it, without a name the chosen one; of those that the frame shows anyway.

    Raises Http404.
    """
    if workspace_id is None:
        return current_workspace(request)
    found = next((each for each in workspaces_of(request) if each.pk == workspace_id), None)
    if found is None:
        raise Http404
    return found


def may_edit_here(workspace: Workspace) -> bool:
    """Of a workspace that the frame shows."""
    return may_edit_as(getattr(workspace, "my_role", Role.OWNER), workspace)


def may_manage_here(workspace: Workspace) -> bool:
    """Of a workspace that the frame shows."""
    role = getattr(workspace, "my_role", Role.OWNER)
    return workspace.is_open and Right.MANAGE in RIGHTS[Role(role)]


def choose_workspace(request: HttpRequest, workspace: Workspace) -> None:
    """Go on in it: in this browser, and where the person signs in next. Writes only what changes."""
    user = cast(User, request.user)
    if request.session.get(WORKSPACE_KEY) != str(workspace.pk):
        request.session[WORKSPACE_KEY] = str(workspace.pk)
    if user.last_workspace_id != workspace.pk:
        User.objects.filter(pk=user.pk).update(last_workspace=workspace)


def rest_here(request: HttpRequest, workspace: Workspace) -> Rest:
    """What the person may still have made in a workspace; looked up once a request."""
    known: dict[UUID, Rest] = request.__dict__.setdefault("_rests", {})
    if workspace.pk not in known:
        known[workspace.pk] = rest_of(cast(User, request.user), workspace.pk)
    return known[workspace.pk]


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def signed_in(view: View) -> View:
    """Everybody else is sent to sign in; a script gets an answer that it can show instead of a page.

    Who works in a workspace that is in the archive by now is told so.
    """

    @wraps(view)
    def guarded(request: AnyRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            try:
                return view(request, *args, **kwargs)
            except InArchive as refusal:
                return _in_archive(request, str(refusal))
        if wants_json(request):
            return JsonResponse({"error": "You are signed out. Sign in again; nothing is lost."}, status=401)
        if request.htmx:
            return HttpResponseClientRedirect(resolve_url(settings.LOGIN_URL))
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))

    return guarded


def _in_archive(request: AnyRequest, sentence: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=409)
    if request.htmx:
        said = {"retake:toast": {"level": "error", "sentence": sentence}}
        return HttpResponse(status=409, headers={"HX-Trigger": json.dumps(said)})
    return render(request, "refusal.html", {"sentence": sentence}, status=409)


@never_cache
@require_safe
@signed_in
def edits_left(request: PersonRequest) -> HttpResponse:
    """How many pictures the person may still have made in the workspace that the page shows."""
    asked = request.GET.get("workspace", "")
    here = next((each for each in workspaces_of(request) if str(each.pk) == asked), None)
    return render(request, "frame/edits_left.html", {"workspace": here or current_workspace(request)})
