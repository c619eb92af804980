"""The desk: what waits for a decision, who looks at what, and many decided at once."""

from collections.abc import Iterable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.desk import decisions, overview, queue
from editor.desk.decisions import AT_ONCE, NotDecided
from editor.desk.overview import Place
from editor.desk.queue import Scope
from editor.forms import DecisionForm, reasons_for
from editor.models import Action, Cause, Decision, ModerationCase, User
from editor.views.frame import PersonRequest, View, signed_in

SKIPPED_KEY = "desk_skipped"  # in the session: ids of cases that come last
SKIPPED_MAX = 100
_PLACE_SALT = "desk"


def at_the_desk(view: View) -> View:
    """For moderators alone; everybody else finds nothing here, and visitors may sign in first. Never cached."""

    @never_cache
    @signed_in
    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm("editor.moderate"):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@at_the_desk
def desk(request: PersonRequest) -> HttpResponse:
    """The whole queue in groups, or the cases of one group, to be ticked."""
    scope = scope_in(request.GET)
    if scope.cause and scope.person is not None:
        return _group(request, scope)
    place = read_place(request.GET.get("after", ""))
    page = overview.groups(scope, place)
    context = {
        "page": page,
        "further": write_place(page.further) if page.further else "",
        "first_page": place is None,
        "claims": overview.claims(),
        "scope": scope,
        "person": _person(scope),
        "causes": Cause.choices,
    }
    return render(request, "desk/overview.html", context)


def _group(request: PersonRequest, scope: Scope) -> HttpResponse:
    person = _person(scope)
    if person is None:
        raise Http404
    cases = overview.members(scope, AT_ONCE + 1)
    context = {
        "scope": scope,
        "person": person,
        "cause": Cause(scope.cause),
        "cases": cases[:AT_ONCE],
        "more": len(cases) > AT_ONCE,
        "at_once": AT_ONCE,
        "taken": {case.pk for case in cases if _is_taken(request.user, case)},
        **choices(scope.cause, cases[:AT_ONCE]),
    }
    return render(request, "desk/group.html", context)


def _person(scope: Scope) -> User | None:
    return User.objects.filter(pk=scope.person).first() if scope.person is not None else None


def _is_taken(user: User, case: Any) -> bool:
    return bool(case.is_claimed and case.claimed_by_id != user.pk)


def choices(cause: str, cases: Iterable[ModerationCase], chosen: Iterable[str] = ()) -> dict[str, Any]:
    """What a form for deciding offers for any of these cases, and what is chosen in it."""
    labels: dict[Action, dict[str, None]] = {}
    for case in cases:
        for action in decisions.offered(case):
            labels.setdefault(action, {})[decisions.label_of(action, case)] = None
    return {
        "actions": [(action, " / ".join(labels[action])) for action in Action if action in labels],
        "chosen": set(chosen),
        "keys": KEYS,
        "reasons": reasons_for(cause),
        "need_reason": decisions.NEED_REASON,
    }


KEYS = {
    Action.FINE: "F",
    Action.SENSITIVE: "S",
    Action.REMOVE: "R",
    Action.WARN: "W",
    Action.RESTRICT: "T",
    Action.SUSPEND: "U",
}


@require_POST
@at_the_desk
def desk_next(request: PersonRequest) -> HttpResponse:
    """Claim what is most urgent and open it."""
    scope = scope_in(request.POST)
    request.session.pop(SKIPPED_KEY, None)
    case = queue.next_case(request.user, scope)
    if case is None:
        messages.info(request, "Nothing is free for you just now.")
        return redirect(address_of("desk", scope))
    return redirect(address_of("desk_case", scope, case.pk))


@require_POST
@at_the_desk
def desk_bulk(request: PersonRequest) -> HttpResponse:
    """Decide all that are ticked alike."""
    scope, form, ids = scope_in(request.POST), DecisionForm(request.POST), ids_in(request.POST.getlist("case"))
    try:
        if not form.is_valid():
            raise NotDecided(form.problem)
        made, unfit = decisions.decide_all(
            request.user, ids, form.cleaned_data["actions"], reason=form.reason, note=form.cleaned_data["note"]
        )
    except NotDecided as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _said(made, len(ids), unfit))
    return redirect(address_of("desk", scope))


def _said(made: list[Decision], ticked: int, unfit: int) -> str:
    words = f"{len(made)} decided: {made[0]}." if made else ""
    if unfit:
        words += f" {unfit} left out: that can't be done to what {'it is' if unfit == 1 else 'they are'} about."
    missed = ticked - len(made) - unfit
    if missed == 1:
        words += " One was not free any more: a colleague has it, or decided about it."
    elif missed > 1:
        words += f" {missed} were not free any more: colleagues have them, or decided about them."
    return words


def ids_in(texts: Iterable[str]) -> list[UUID]:
    """What is no id is passed over."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


# Where in the queue ---------------------------------------------------------------------------------------------------


def scope_in(data: QueryDict) -> Scope:
    """The part of the queue that an address or a form names; what makes no sense is passed over."""
    cause, person = data.get("cause", ""), data.get("person", "")
    known = person.isascii() and person.isdigit() and len(person) < 18
    return Scope(cause if cause in Cause.values else "", int(person) if known else None)


def query_of(scope: Scope, **more: object) -> str:
    named: dict[str, object] = {"cause": scope.cause, "person": scope.person, **more}
    asked = {name: str(value) for name, value in named.items() if value not in ("", None)}
    return f"?{urlencode(asked)}" if asked else ""


def address_of(name: str, scope: Scope, *args: object, **more: object) -> str:
    return reverse(name, args=args) + query_of(scope, **more)


def skipped_in(request: HttpRequest) -> list[UUID]:
    return ids_in(request.session.get(SKIPPED_KEY, []))


def remember_skipped(request: HttpRequest, case_id: UUID) -> None:
    known = [text for text in request.session.get(SKIPPED_KEY, []) if text != str(case_id)]
    request.session[SKIPPED_KEY] = [*known, str(case_id)][-SKIPPED_MAX:]


def write_place(place: Place) -> str:
    return signing.dumps([place.urgency, place.opened_at.isoformat(), str(place.pk)], salt=_PLACE_SALT, compress=True)


def read_place(text: str) -> Place | None:
    """None for the first page, and for whatever we did not write."""
    if not text:
        return None
    try:
        urgency, opened_at, pk = signing.loads(text, salt=_PLACE_SALT)
        return Place(urgency, datetime.fromisoformat(opened_at), UUID(pk))
    except (signing.BadSignature, ValueError):
        return None
