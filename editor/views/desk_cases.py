"""One case: what is known about it, its pictures for whoever asks to see them, the decision, and the next case."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from editor.desk import decisions, queue
from editor.desk.decisions import NotDecided
from editor.desk.exhibits import Exhibit, exhibit, picture_of
from editor.desk.queue import Scope
from editor.forms import DecisionForm
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.delivery import respond
from editor.images.quarantine import key_for
from editor.models import Action, AuditEntry, CaseState, Cause, Decision, Image, ModerationCase, User
from editor.moderation import audit
from editor.views.desk import address_of, at_the_desk, choices, remember_skipped, scope_in, skipped_in
from editor.views.frame import PersonRequest

VIEWED = "picture.viewed"
GRAVE = 75  # the urgency of reports about children, the law and people
UNSEEN = "You have not looked at the picture. Press V to look, or decide again: F or S."
LAST = "This is the last one: nothing else is free for you."
SAID_FOR = timedelta(minutes=15)


@require_safe
@at_the_desk
def desk_case(request: PersonRequest, case_id: UUID) -> HttpResponse:
    return render(request, "desk/case.html", case_context(request, case_id, scope_in(request.GET)))


def case_context(request: PersonRequest, case_id: UUID, scope: Scope) -> dict[str, Any]:
    """What the page of a case shows; the case is claimed, if it may be. Raises Http404."""
    mine = queue.claim(request.user, case_id)
    shown = exhibit(case_id)
    if shown is None:
        raise Http404
    if queue.is_closed_to(request.user, shown.case):
        return {"closed": queue.ABOUT_YOU, "scope": scope}
    return {
        "exhibit": shown,
        "case": shown.case,
        "mine": mine,
        "why_not": "" if mine else _why_not(request.user, shown),
        "scope": scope,
        "said": _last_decision_of(request.user),
        "show_pictures": "show" in request.GET,
        "kept_for": int(queue.CLAIM.total_seconds() // 60),
        **choices(shown.case.cause, [shown.case]),
    }


def _why_not(user: User, shown: Exhibit) -> str:
    case = shown.case
    if case.state != CaseState.OPEN:
        return ""
    if case.claimed_by is not None and case.is_claimed and case.claimed_by != user:
        return f"{case.claimed_by.get_short_name()} has this one until {case.claimed_until:%H:%M} UTC."
    return queue.why_not(user, case) or "This one is not free any more."


def _last_decision_of(user: User) -> Decision | None:
    """What somebody has just decided, so that they may think again."""
    rows = Decision.objects.select_related("case__job", "case__image", "case__person")
    recent = rows.filter(moderator=user, created_at__gt=timezone.now() - SAID_FOR)
    return recent.order_by("-created_at", "-id").first()


@require_POST
@at_the_desk
def desk_decide(request: PersonRequest, case_id: UUID) -> HttpResponse:
    """Decide, and show what comes next."""
    form, scope = DecisionForm(_data_of(request, case_id)), scope_in(request.POST)
    unseen = False
    try:
        if not form.is_valid():
            raise NotDecided(form.problem)
        unseen = "unseen" not in request.POST and _should_look(request.user, case_id, form.cleaned_data["actions"])
        if unseen:
            raise NotDecided(UNSEEN)
        decisions.decide(
            request.user, [case_id], form.cleaned_data["actions"], reason=form.reason, note=form.cleaned_data["note"]
        )
    except NotDecided as problem:
        context = case_context(request, case_id, scope) | {"problem": str(problem), "form": form, "unseen": unseen}
        context["chosen"] = set(request.POST.getlist("actions"))
        return render(request, _template(request, closed="closed" in context), context, status=422)
    return _show_next(request, scope)


def _should_look(user: User, case_id: UUID, actions: list[str]) -> bool:
    """Whether something this grave would be let pass without a look at its pictures."""
    case = ModerationCase.objects.filter(pk=case_id, state=CaseState.OPEN).first()
    if case is None or set(actions) - {Action.FINE, Action.SENSITIVE}:
        return False
    grave = case.cause == Cause.FINGERPRINT or (case.cause == Cause.REPORT and case.urgency >= GRAVE)
    if not grave or _looks_of(user, case).exists():
        return False
    shown = exhibit(case_id)
    return shown is not None and any(look.can_be_shown for look in shown.looks)


def _data_of(request: PersonRequest, case_id: UUID) -> Any:
    """As it was sent; what stands of an appealed decision stands with the actions of that decision."""
    if "stands" not in request.POST:
        return request.POST
    appealed = Decision.objects.filter(appeal=case_id).first()
    data = request.POST.copy()
    data.setlist("actions", appealed.actions if appealed is not None else [])
    return data


@require_POST
@at_the_desk
def desk_skip(request: PersonRequest, case_id: UUID) -> HttpResponse:
    """Leave it to somebody else, or for the end, and show what comes next."""
    queue.let_go(request.user, case_id)
    remember_skipped(request, case_id)
    return _show_next(request, scope_in(request.POST), skipped=case_id)


def _template(request: PersonRequest, *, closed: bool) -> str:
    if not request.htmx:
        return "desk/case.html"
    return "desk/closed_body.html" if closed else "desk/case_body.html"


def _show_next(request: PersonRequest, scope: Scope, skipped: UUID | None = None) -> HttpResponse:
    following = queue.next_case(request.user, scope, skipped_in(request))
    address = address_of("desk_done", scope) if following is None else address_of("desk_case", scope, following.pk)
    is_last = following is not None and following.pk == skipped
    if not request.htmx:
        if is_last:
            messages.info(request, LAST)
        return redirect(address)
    if following is None:
        response = render(request, "desk/done_body.html", _done(request, scope))
    else:
        context = case_context(request, following.pk, scope) | ({"why_not": LAST} if is_last else {})
        response = render(request, "desk/case_body.html", context)
    response["HX-Push-Url"] = address
    return response


@require_safe
@at_the_desk
def desk_done(request: PersonRequest) -> HttpResponse:
    """Nothing is left."""
    return render(request, "desk/done.html", _done(request, scope_in(request.GET)))


def _done(request: PersonRequest, scope: Scope) -> dict[str, Any]:
    return {"scope": scope, "said": _last_decision_of(request.user)}


# Pictures -------------------------------------------------------------------------------------------------------------


@require_safe
async def desk_picture(request: HttpRequest, case_id: UUID, image_id: UUID, width: int) -> HttpResponseBase:
    """A picture of the case at about this width, also a removed one; that somebody looked is recorded."""
    image = await sync_to_async(_picture)(await request.auser(), case_id, image_id)
    try:
        key = await sync_to_async(key_for)(image, width)
    except Missing:
        raise Http404 from None
    except BucketUnavailable:
        return HttpResponse("The picture store does not answer. Try again in a moment.", status=503)
    etag = f"desk-{image.master_sha256}-{width}"
    return await respond(request, key, etag=etag, cache="private, no-store", linked=False)


def _picture(user: User | AnonymousUser, case_id: UUID, image_id: UUID) -> Image:
    if not isinstance(user, User) or not user.has_perm("editor.moderate"):
        raise Http404
    found = picture_of(case_id, image_id)
    if found is None or not found[1].is_ready or found[1].purged_at or queue.is_closed_to(user, found[0]):
        raise Http404
    _record_look(user, *found)
    return found[1]


def _looks_of(user: User, case: ModerationCase) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(actor=user, action=VIEWED, about=audit.about_of(case))


def _record_look(user: User, case: ModerationCase, image: Image) -> None:
    """Once for each case and moderator."""
    looked = _looks_of(user, case)
    if looked.exists():
        return
    with transaction.atomic():
        list(ModerationCase.objects.select_for_update(no_key=True).filter(pk=case.pk).values_list("pk"))
        if not looked.exists():  # several pictures are asked for at once
            audit.record(user, VIEWED, case, f"Pictures of {case}"[:300], image=str(image.pk), person=case.person_id)
