"""Looking at the portal as another person does: to look, for half an hour, and to change nothing.

The session stays the administrator's, so that the person's own account, sessions and settings are not touched; only
this request is answered as if they had sent it, with a session that is forgotten and a database that is not written to.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from editor.accounts.roles import belongs_to_staff
from editor.models import User
from editor.moderation import audit

Get = Callable[[HttpRequest], HttpResponseBase]
AsyncGet = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

KEY = "view_as"  # in the administrator's session: whom, and until when
LONGEST = timedelta(minutes=30)
SHUT = ("/account/", "/admin/", "/desk/", "/operate/")  # what belongs to the person alone, and what is not theirs
READING = ("SELECT", "WITH", "EXPLAIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "SET", "PRAGMA")


class NothingChanges(PermissionDenied):
    """A page wanted to write while somebody looked at it as another person."""


@dataclass(frozen=True)
class Viewing:
    """Who looks at the portal as whom; `request.viewing` while somebody does."""

    actor: User
    person: User
    until: datetime


class ForgottenSession(SessionBase):
    """Holds what a page puts into it until the answer is made, and no longer."""

    def load(self) -> dict[str, Any]:
        return {}

    def exists(self, session_key: str) -> bool:
        return False

    def create(self) -> None:
        pass

    def save(self, must_create: bool = False) -> None:
        pass

    def delete(self, session_key: str | None = None) -> None:
        pass


def may_view_as(actor: User | AnonymousUser, person: User) -> bool:
    """Administrators and superusers, and nobody of the staff; nor somebody who is gone."""
    if not actor.is_active or not actor.is_staff or not actor.has_perm("editor.administer"):
        return False
    return person.anonymised_at is None and person.pk != actor.pk and not belongs_to_staff(person)


def begin(request: HttpRequest, person: User) -> None:
    """From the next request on. Raises PermissionDenied for somebody who may not, or of whom one may not."""
    actor = cast(User, request.user)
    if not may_view_as(actor, person):
        raise PermissionDenied
    request.session[KEY] = {"person": person.pk, "until": (timezone.now() + LONGEST).timestamp()}
    audit.record(actor, "view_as.began", person, f"Looks at the portal as {person}.")


def end(request: HttpRequest, words: str = "Stopped.") -> User | None:
    """Back to oneself; returns whom one looked at, None if nobody."""
    known = request.session.pop(KEY, None)
    person = User.objects.filter(pk=known["person"]).first() if known else None
    if person is not None:
        audit.record(cast(User, request.user), "view_as.ended", person, words)
    return person


@sync_and_async_middleware
def view_as(get_response: Get | AsyncGet) -> Get | AsyncGet:
    """Answers as to the person who is looked at; refuses whatever would change something."""
    if iscoroutinefunction(get_response):
        rest = cast(AsyncGet, get_response)

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            if not await begun_async(request):
                return await rest(request)
            own = request.session
            try:
                first = await sync_to_async(step_in)(request)
                if not hasattr(request, "viewing"):
                    return first or await rest(request)
                if first is None:
                    guard = reading_only()
                    await sync_to_async(guard.__enter__)()
                    try:
                        first = await rest(request)
                    finally:
                        await sync_to_async(guard.__exit__)(None, None, None)
                return stored_nowhere(first)
            finally:
                request.session = own

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        follow = cast(Get, get_response)
        if not has_session(request) or KEY not in request.session:
            return follow(request)
        own = request.session
        try:
            first = step_in(request)
            if not hasattr(request, "viewing"):
                return first or follow(request)
            if first is None:
                with reading_only():
                    first = follow(request)
            return stored_nowhere(first)
        finally:
            request.session = own

    return answer


def has_session(request: HttpRequest) -> bool:
    """Without asking the database; strangers and machines have none."""
    return request.session.session_key is not None


async def begun_async(request: HttpRequest) -> bool:
    return has_session(request) and await request.session.ahas_key(KEY)


def step_in(request: HttpRequest) -> HttpResponseBase | None:
    """Make the request the person's, with `viewing` on it; a response if it is to be answered otherwise.

    Neither for the way out, and for somebody who is signed out by now.
    """
    actor = request.user
    if not actor.is_authenticated or request.path_info == reverse("view_as_stop"):
        return None
    known = request.session[KEY]
    until = datetime.fromtimestamp(known["until"], UTC)
    person = User.objects.filter(pk=known["person"]).first()
    if person is None or until <= timezone.now() or not may_view_as(actor, person):
        with transaction.atomic():
            end(request, "Half an hour was over." if until <= timezone.now() else "Not allowed any more.")
        return redirect("admin:editor_user_change", person.pk) if person else redirect("admin:index")
    request.viewing = Viewing(actor, person, until)  # type: ignore[attr-defined]  # a request carries what it is
    request.session = ForgottenSession()
    request.user = request._cached_user = request._acached_user = person  # type: ignore[attr-defined]
    request.auser = _answering(person)
    if request.method not in {"GET", "HEAD"} or request.path_info.startswith(SHUT):
        return render(request, "frame/viewing_refused.html", status=403)
    return None


def _answering(person: User) -> Callable[[], Awaitable[User]]:
    async def auser() -> User:
        return person

    return auser


@contextmanager
def reading_only() -> Iterator[None]:
    """Whatever a page does, it writes nothing. Raises NothingChanges inside."""
    with connection.execute_wrapper(_refuse_to_write):
        yield


def _refuse_to_write(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if not str(sql).lstrip("( \n").upper().startswith(READING):
        raise NothingChanges
    return execute(sql, params, many, context)


def stored_nowhere(response: HttpResponseBase) -> HttpResponseBase:
    """Pictures of others stay in no cache of the administrator's browser."""
    response["Cache-Control"] = "private, no-store"
    return response
