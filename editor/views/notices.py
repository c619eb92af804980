"""What a person was told by the moderators, and appealing against it."""

from uuid import UUID

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from editor.desk import appeals
from editor.forms import AppealForm
from editor.models import Decision, Notice, User
from editor.views.frame import PersonRequest, signed_in

PER_PAGE = 20


@never_cache
@require_safe
@signed_in
def notices(request: PersonRequest) -> HttpResponse:
    """Newest first; what is shown counts as seen, unless somebody else looks as this person."""
    rows = _before(_of(request.user), request.user, request.GET.get("before", ""))
    found = list(rows[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    if shown and request.method == "GET" and not hasattr(request, "viewing"):
        _mark_seen(request.user, shown)
    context = {"notices": shown, "older": shown[-1].pk if len(found) > PER_PAGE else None}
    return render(request, "moderation/notices.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def notice_appeal(request: PersonRequest, notice_id: UUID) -> HttpResponse:
    notice = _of(request.user).filter(pk=notice_id).first()
    if notice is None or not notice.may_appeal or notice.decision is None:
        raise Http404
    return appeal_page(request, notice.decision, notice)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def appeal_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The same for somebody who can't sign in: the link from the mail says who it is."""
    decision = appeals.decision_of(token)
    if decision is None:
        return render(request, "moderation/appeal_gone.html", {"days": appeals.LINK_DAYS}, status=404)
    notice = Notice.objects.filter(person=decision.person_id, decision=decision).order_by("-created_at").first()
    return appeal_page(request, decision, notice)


def appeal_page(request: HttpRequest, decision: Decision, notice: Notice | None) -> HttpResponse:
    """What was decided, and the form; afterwards, or where there can be no appeal, a sentence instead of it."""
    form = AppealForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                appeals.appeal(decision.person, decision, form.cleaned_data["words"])
            except appeals.NotPossible as problem:
                form.add_error(None, str(problem))
            else:
                if request.user.is_authenticated:
                    messages.success(request, "Your appeal is with the moderators. You will be told here and by mail.")
                    return redirect("notices")
                return redirect(f"{request.path}?sent=1")
    context = {"notice": notice, "form": form, "why_not": appeals.why_not(decision), "sent": "sent" in request.GET}
    return render(request, "moderation/appeal.html", context, status=status)


def _of(person: User) -> QuerySet[Notice]:
    related = ("decision__image", "decision__appeal", "decision__replaced_by", "decision__case__job")
    return Notice.objects.filter(person=person).select_related(*related).order_by("-created_at", "-id")


def _before(rows: QuerySet[Notice], person: User, text: str) -> QuerySet[Notice]:
    """Keyset: what comes after this notice of the person's. All of them for anything else."""
    try:
        last = Notice.objects.filter(person=person, pk=UUID(text)).first()
    except ValueError:
        last = None
    if last is None:
        return rows
    return rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, id__lt=last.pk))


def _mark_seen(person: User, shown: list[Notice]) -> None:
    unseen = [notice.pk for notice in shown if notice.seen_at is None]
    if not unseen:
        return
    seen = Notice.objects.filter(pk__in=unseen, seen_at=None).update(seen_at=timezone.now())
    User.objects.filter(pk=person.pk, notices_unseen__gt=0).update(
        notices_unseen=Greatest(F("notices_unseen"), seen) - seen
    )
    person.notices_unseen = max(person.notices_unseen - seen, 0)
