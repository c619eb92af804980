"""Saying it, from any process, once what changed is committed.

A message names whom it is for (`workspace:<id>`, `person:<id>` or `session:<hash>`) and then its topics, parted by
spaces: `edit:<id>`, `edits:<workspace>`, `image:<id>`, `library:<workspace>`, `talk:<image>`,
`talks:<workspace>`, `told:<person>`; or END, which ends streams.
"""

import logging
import time
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac
from redis import ConnectionPool
from redis.exceptions import RedisError

from editor.rings import bell

log = logging.getLogger(__name__)

END = "end"
SULK = 5.0  # seconds; nothing is said for so long after Redis did not take it: people wait behind each try

_sulks_until = 0.0


def edit_changed(job_id: UUID, workspace_id: UUID) -> None:
    """It went on: everybody in its workspace may see that."""
    _on_commit(for_workspace(workspace_id), f"edit:{job_id}", f"edits:{workspace_id}")


def edits_changed(job_ids: Iterable[UUID], workspace_id: UUID) -> None:
    """Several of one workspace went on at once."""
    _on_commit(for_workspace(workspace_id), *(f"edit:{pk}" for pk in job_ids), f"edits:{workspace_id}")


def edits_begun(workspace_id: UUID) -> None:
    """There are new ones, however many."""
    _on_commit(for_workspace(workspace_id), f"edits:{workspace_id}")


def image_changed(image_id: UUID, made_by_id: int, workspace_id: UUID) -> None:
    """It is ready or refused, came or went. Others learn only that the library changed: it may be kept from them."""
    of_picture = f"{for_person(made_by_id)} image:{image_id}"
    of_library = f"{for_workspace(workspace_id)} library:{workspace_id}"
    transaction.on_commit(partial(_say, of_picture, of_library))


def talk_changed(image_id: UUID, workspace_id: UUID) -> None:
    """Somebody commented on it, asked for a review, decided on it or shared it; or took any of that back."""
    _on_commit(for_workspace(workspace_id), f"talk:{image_id}", f"talks:{workspace_id}")


def person_told(person_id: int) -> None:
    """There is a notification for them, or they have seen some."""
    _on_commit(for_person(person_id), f"told:{person_id}")


def end_streams(person_id: int) -> None:
    """Of a person who may see less or more than before, or nothing; whoever still may asks for a new stream."""
    _on_commit(for_person(person_id), END)


def end_streams_of_session(session_key: str) -> None:
    """Of one browser, which signed out."""
    _on_commit(for_session(session_hash(session_key)), END)


def for_workspace(workspace_id: UUID) -> str:
    return f"workspace:{workspace_id}"


def for_person(person_id: int) -> str:
    return f"person:{person_id}"


def for_session(hashed: str) -> str:
    return f"session:{hashed}"


def session_hash(session_key: str) -> str:
    """What stands for a session outside the database: nobody signs in with it."""
    return salted_hmac("editor.events.session", session_key, algorithm="sha256").hexdigest()[:32]


def channel() -> str:
    """One for the whole portal. Redis keeps databases apart, but not what is published in them."""
    options = ConnectionPool.from_url(settings.REDIS_URL).connection_kwargs
    return f"retake:{options.get('db') or 0}:events"


def _on_commit(*words: str) -> None:
    transaction.on_commit(partial(_say, " ".join(words)))


def _say(*messages: str) -> None:
    global _sulks_until
    if time.monotonic() < _sulks_until:
        return
    try:
        with bell().pipeline(transaction=False) as pipeline:
            for message in messages:
                pipeline.publish(channel(), message)
            pipeline.execute()
    except RedisError as error:
        _sulks_until = time.monotonic() + SULK
        log.warning("Browsers were not told (%s); they ask by themselves.", type(error).__name__)
