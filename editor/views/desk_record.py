"""What was decided, by whom and about whom; and deciding otherwise. Keyset; nothing is counted."""

from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from editor.desk import decisions, queue
from editor.desk.decisions import NotDecided
from editor.desk.exhibits import CHAIN_SHOWN, exhibit, record_of
from editor.forms import DecisionForm, reasons_for
from editor.models import Cause, Decision, User
from editor.views import cursors
from editor.views.desk import at_the_desk, choices
from editor.views.frame import PersonRequest

PER_PAGE = 50
RECORD_SHOWN = 30
_SALT = "desk decisions"


class Filters(NamedTuple):
    """By whom, about whom and why; empty for all."""

    moderator: int | None = None
    person: int | None = None
    cause: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> "Filters":
        """What makes no sense is passed over. A person may be named by their address."""
        cause, email = data.get("cause", ""), data.get("email", "").strip().lower()
        person = _whole(data.get("person", ""))
        if email:
            person = User.objects.filter(email=email).values_list("pk", flat=True).first() or 0
        return cls(_whole(data.get("moderator", "")), person, cause if cause in Cause.values else "")

    def address(self, **changed: Any) -> str:
        asked = {name: value for name, value in (self._asdict() | changed).items() if value not in ("", None)}
        return f"?{urlencode(asked)}"


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


@require_safe
@at_the_desk
def desk_decisions(request: PersonRequest) -> HttpResponse:
    """The latest first."""
    filters = Filters.read(request.GET)
    rows = _narrowed(filters).order_by("-created_at", "-id")
    place = cursors.read(request.GET.get("before", ""), _SALT)
    if place is not None:
        moment, pk = place
        rows = rows.filter(Q(created_at__lte=moment) & (Q(created_at__lt=moment) | Q(pk__lt=pk)))
    found = list(
        rows.select_related("moderator", "person", "case__image", "case__job", "case__person", "replaced_by")[
            : PER_PAGE + 1
        ]
    )
    more = len(found) > PER_PAGE
    context = {
        "decisions": found[:PER_PAGE],
        "older": filters.address(before=write_cursor(found[PER_PAGE - 1])) if more else "",
        "first_page": place is None,
        "filters": filters,
        "person": User.objects.filter(pk=filters.person).first() if filters.person else None,
        "moderators": queue.moderators(),
        "causes": Cause.choices,
    }
    return render(request, "desk/decisions.html", context)


def _narrowed(filters: Filters) -> QuerySet[Decision]:
    rows = Decision.objects.all()
    if filters.moderator is not None:
        rows = rows.filter(moderator=filters.moderator)
    if filters.person is not None:
        rows = rows.filter(person=filters.person)
    return rows.filter(cause=filters.cause) if filters.cause else rows


def write_cursor(decision: Decision) -> str:
    """Where the next page begins."""
    return cursors.write(decision.created_at, decision.pk, _SALT)


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def desk_decision(request: PersonRequest, decision_id: UUID) -> HttpResponse:
    """A decision with those before and after it; the last of them can be changed."""
    related = ("moderator", "person", "case__person", "case__image", "case__job", "case__appeal_of", "replaced_by")
    decision = Decision.objects.select_related(*related).filter(pk=decision_id).first()
    if decision is None:
        raise Http404
    form, problem = DecisionForm(request.POST), ""
    if request.method == "POST":
        try:
            if not form.is_valid():
                raise NotDecided(form.problem)
            changed = decisions.change(
                request.user,
                decision.pk,
                form.cleaned_data["actions"],
                reason=form.reason,
                note=form.cleaned_data["note"],
            )
        except NotDecided as refused:
            problem = str(refused)
        else:
            messages.success(request, f"Changed to: {changed}.")
            return redirect("desk_decision", changed.pk)
    chain = decision.case.decisions.select_related("moderator", "replaced_by").order_by("created_at")
    context = {
        "decision": decision,
        "case": decision.case,
        "chain": [] if queue.is_closed_to(request.user, decision.case) else list(chain[:CHAIN_SHOWN]),
        "next": Decision.objects.filter(replaces=decision).first(),  # it may be newer than what was read above
        "why_not": queue.why_not(request.user, decision.case),
        "problem": problem,
        "form": form if problem else _as_before(decision),
        "exhibit": None if queue.is_closed_to(request.user, decision.case) else exhibit(decision.case_id),
        "show_pictures": "show" in request.GET,
        **choices(decision.cause, [decision.case], request.POST.getlist("actions") if problem else decision.actions),
    }
    return render(request, "desk/decision.html", context, status=422 if problem else 200)


def _as_before(decision: Decision) -> DecisionForm:
    """With the reason that was given, so that it need not be typed again."""
    preset = decision.reason in reasons_for(decision.cause)
    return DecisionForm({"preset" if preset else "words": decision.reason})


@require_safe
@at_the_desk
def desk_person(request: PersonRequest, user_id: int) -> HttpResponse:
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise Http404
    context = {
        "record": record_of(person, shown=RECORD_SHOWN),
        "person": person,
        "with_notes": person != request.user or not queue.others_than(request.user),
    }
    return render(request, "desk/person.html", context)
