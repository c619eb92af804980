"""The web process. Refuses to start on unsound settings."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("DATABASE_POOL", "1")

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from editor.checks import require_sound_settings
from editor.events import streams
from editor.log_context import about
from project import request_ids
from project.lifespan import lifespan
from project.request_bodies import FORM_BYTES, Body, Receive, Scope, Send, serve

try:
    require_sound_settings()
except ImproperlyConfigured as error:
    sys.exit(str(error))  # the sentences alone: a traceback would bury them
portal = get_asgi_application()

from editor.views import small_pictures  # noqa: E402  models, which are there from now on

UPLOAD_PATH = reverse("image_upload")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The portal behind whatever forwards to it: PUBLIC_URL says whether people come by https, no header does."""
    if scope["type"] == "http":
        if settings.PUBLIC_IS_HTTPS:
            scope = {**scope, "scheme": "https"}
        # Twice the limit of an upload: a file that is a little too large is read, so that its sender gets words for it.
        upload = scope["path"] == UPLOAD_PATH
        body = Body(receive, 2 * settings.UPLOAD_MAX_BYTES if upload else FORM_BYTES)
        request_id = request_ids.taken_or_made(scope["headers"])
        if scope["path"] == streams.PATH:
            await streams.answer(scope, body.read, request_ids.answering(send, request_id))
            return
        with about(request=request_id):
            answer = request_ids.answering(send, request_id)
            if not await small_pictures.answered(scope, answer, portal):
                await serve(portal, scope, body, answer)
        return
    if scope["type"] == "lifespan":
        await lifespan(receive, send, streams.hub)
        return
    await portal(scope, receive, send)
