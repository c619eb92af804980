"""What can be done about a person on their page: view as, sign out everywhere, suspend; and where their things are."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from editor import events
from editor.accounts import view_as
from editor.admin import recording
from editor.admin.recording import actor_of
from editor.desk import suspension
from editor.forms.fields import line_of
from editor.models import User

THEIRS = [
    ("Pictures", "image", "made_by"),
    ("Edits", "generationjob", "made_by"),
    ("Ledger", "allowanceentry", "user"),
    ("Cases", "moderationcase", "person"),
    ("Decisions", "decision", "person"),
]
"""What hangs on a person: the words, the model, and its column."""

Door = Callable[[HttpRequest, User], HttpResponse | None]


class PersonDoors:
    """Mixed into the administration of people."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        doors: dict[str, Door] = {
            "view-as": self.view_as,
            "sign-out": self.sign_out,
            "suspend": self.suspend,
            "reinstate": self.reinstate,
        }
        ours = [
            path(f"<int:person_id>/{name}/", self._door(door), name=f"editor_user_{name.replace('-', '_')}")
            for name, door in doors.items()
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def _door(self, door: Door) -> Any:
        """A button's address: by POST alone, for whoever may change that person. Raises Http404, PermissionDenied."""

        def opened(request: HttpRequest, person_id: int) -> HttpResponse:
            person = User.objects.filter(pk=person_id).first()
            if person is None:
                raise Http404
            if not self.has_change_permission(request, person):  # type: ignore[attr-defined]
                raise PermissionDenied
            return door(request, person) or redirect("admin:editor_user_change", person.pk)

        return self.admin_site.admin_view(require_POST(opened))

    def view_as(self, request: HttpRequest, person: User) -> HttpResponse:
        with transaction.atomic():
            view_as.begin(request, person)
        return redirect("studio")

    def sign_out(self, request: HttpRequest, person: User) -> None:
        with transaction.atomic():
            self.end_sessions(request, person)
        messages.success(request, f"{person} is signed out everywhere.")

    def end_sessions(self, request: HttpRequest, person: User) -> None:
        """Called in a transaction."""
        User.objects.filter(pk=person.pk).update(session_epoch=F("session_epoch") + 1)
        events.end_streams(person.pk)
        recording.record(request, "user.signed_out_everywhere", person, str(person))

    def suspend(self, request: HttpRequest, person: User) -> None:
        try:
            suspension.suspend(actor_of(request), person, line_of(request.POST.get("reason", "")))
        except suspension.NotAllowed as problem:
            messages.error(request, str(problem))
        else:
            messages.success(request, f"{person} is suspended and was told why.")

    def reinstate(self, request: HttpRequest, person: User) -> None:
        suspension.lift(actor_of(request), person)
        messages.success(request, f"{person} may sign in again and was told.")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        person = self.get_object(request, object_id)  # type: ignore[attr-defined]
        shown = dict(extra_context or {})
        if person is not None:
            user = request.user
            shown |= {
                "may_change": self.has_change_permission(request, person),  # type: ignore[attr-defined]
                "may_view_as": view_as.may_view_as(user, person),
                "is_oneself": user.pk == person.pk,
                "theirs": [
                    (words, f"{reverse(f'admin:editor_{model}_changelist')}?{column}__id__exact={person.pk}")
                    for words, model, column in THEIRS
                    if user.has_perm(f"editor.view_{model}")
                ],
                "record": f"{reverse('admin:editor_auditentry_changelist')}?q=user:{person.pk}"
                if user.has_perm("editor.view_auditentry")
                else "",
            }
        return super().change_view(request, object_id, form_url, shown)  # type: ignore[misc,no-any-return]
