"""The way of a page's pictures through the portal, beside Django's: one question in one thread, and no layers.

A history asks for fifty of them, and each would go through everything that stands before a form. What decides is the
same: the session, the person whom it names, and whether that person may see this picture now. No answer is remembered;
pictures that one browser waits for at the same moment are asked about together.

This only ever gives. Whatever is not plainly allowed goes the long way, where it is refused as it always was.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.crypto import constant_time_compare

from editor import access
from editor.accounts import view_as
from editor.images.delivery import leave_database
from editor.models import Image, User
from editor.views.delivery import rendition_of

Send = Callable[[Any], Awaitable[None]]
Found = dict[UUID, Image]
Waiting = tuple[UUID, "asyncio.Future[Image | None]"]

PATH = re.compile(r"/images/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9]{1,5})\.webp")
THREADS = 4  # and as many connections to the database at most
MOST_TOGETHER = 100

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="small-pictures")


async def answered(scope: dict[str, Any], send: Send, portal: ASGIHandler) -> bool:
    """Send the picture that is asked for. False, with nothing sent, for all that goes the long way."""
    if scope["method"] not in {"GET", "HEAD"} or scope["query_string"] or not PATH.fullmatch(scope["path"]):
        return False  # a query may be no text at all, which Django has an answer to
    response = await _answer(ASGIRequest(scope, BytesIO()))
    if response is None:
        return False
    try:
        await portal.send_response(response, send)
    finally:
        if response.streaming:
            await asyncio.to_thread(response.close)
    return True


async def _find(request: HttpRequest) -> HttpResponseBase | None:
    """With the headers that the portal puts on every answer; None if there is nothing to give."""
    found, session_key = PATH.fullmatch(request.path_info), session_of(request)
    if found is None or not session_key:
        return None
    image = await together.ask(session_key, UUID(found[1]))
    if image is None:
        return None
    try:
        response = await rendition_of(request, image, int(found[2]))
    except Http404:
        return None
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
    for layer in _layers:
        layer.process_response(request, response)
    return response


def session_of(request: HttpRequest) -> str:
    """The key that the browser sent; "" for a stranger, and where something else than a plain request came."""
    try:
        request.get_host()
    except DisallowedHost:
        return ""
    return "" if request.META.get("CONTENT_LENGTH") else request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")


def found_for(session_key: str, image_ids: Iterable[UUID]) -> Found:
    """Of these pictures those that the browser with this session may have now."""
    session = SessionStore(session_key)
    person = None if view_as.KEY in session else signed_in(session)
    return {} if person is None else {each.pk: each for each in access.deliverable_to(person, image_ids)}


def signed_in(session: SessionBase) -> User | None:
    """Whom Django would say, but for a session that has to be mended or ended first: that is not done here."""
    backend, told = session.get(BACKEND_SESSION_KEY), session.get(HASH_SESSION_KEY)
    if backend not in settings.AUTHENTICATION_BACKENDS or not told:
        return None
    person: User | None = load_backend(backend).get_user(session.get(SESSION_KEY))
    fits = person is not None and constant_time_compare(told, person.get_session_auth_hash())
    return person if fits else None


class Together:
    """One question at a time for each session; who comes meanwhile is in the next one, never in one already asked."""

    def __init__(self, question: Callable[[str, Iterable[UUID]], Found]) -> None:
        self._question = question
        self._waiting: dict[str, list[Waiting]] = {}  # by session, of which a question is on its way
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds them weakly

    async def ask(self, session_key: str, image_id: UUID) -> Image | None:
        """Raises whatever the question raises."""
        answer: asyncio.Future[Image | None] = asyncio.get_running_loop().create_future()
        if session_key in self._waiting:
            self._waiting[session_key].append((image_id, answer))
        else:
            self._waiting[session_key] = [(image_id, answer)]
            task = asyncio.create_task(self._ask_for_all(session_key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _ask_for_all(self, session_key: str) -> None:
        try:
            while waiting := self._waiting[session_key]:
                now, self._waiting[session_key] = waiting[:MOST_TOGETHER], waiting[MOST_TOGETHER:]
                await self._ask_for(session_key, now)
        finally:
            del self._waiting[session_key]

    async def _ask_for(self, session_key: str, waiting: list[Waiting]) -> None:
        def ask() -> Found:
            try:
                return self._question(session_key, {image_id for image_id, _ in waiting})
            finally:
                leave_database()

        try:
            found = await asyncio.get_running_loop().run_in_executor(_threads, ask)
        except Exception as error:  # whoever waits is told
            for _, answer in waiting:
                if not answer.done():  # as it is when the browser went away
                    answer.set_exception(error)
            return
        for image_id, answer in waiting:
            if not answer.done():
                answer.set_result(found.get(image_id))


together = Together(found_for)
_answer: Any = convert_exception_to_response(_find)  # type: ignore[arg-type]  # hands on whatever is found, None too
_layers: list[Any] = [SecurityMiddleware(HttpResponse), XFrameOptionsMiddleware(HttpResponse)]
