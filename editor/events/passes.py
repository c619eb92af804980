"""The pass with which a browser opens an event stream: signed, good for a minute and for one session.

It says all that the stream has to know, so that neither opening nor holding one asks the database.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core import signing

from editor.events.telling import for_person, for_session, for_workspace, session_hash

GOOD_FOR = 60.0  # seconds
MOST_WORKSPACES = 100  # or the address grows too long for some proxies; the others are asked about
SALT = "editor.events.pass"


class Refused(Exception):  # noqa: N818  an answer, not a fault
    """This pass opens nothing: forged, too old, or another browser's."""


@dataclass(frozen=True)
class Pass:
    """Who may listen to what; `issued` in seconds since the epoch."""

    person: int
    session: str
    workspaces: tuple[UUID, ...]
    issued: float

    @property
    def person_address(self) -> str:
        return for_person(self.person)

    @property
    def session_address(self) -> str:
        return for_session(self.session)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Whatever is said to one of these is said to the stream."""
        return self.person_address, self.session_address, *map(for_workspace, self.workspaces)


def write(person_id: int, session_key: str, workspaces: Iterable[UUID]) -> str:
    """A pass for somebody who is signed in and in these workspaces; a text that needs no quoting in an address."""
    ids = b"".join(each.bytes for each in list(workspaces)[:MOST_WORKSPACES])
    told = [person_id, session_hash(session_key), urlsafe_b64encode(ids).decode(), round(time.time(), 3)]
    return signing.dumps(told, salt=SALT)


def read(text: str, session_key: str) -> Pass:
    """What a pass says that comes with this session's cookie. Raises Refused."""
    try:
        person, session, ids, issued = signing.loads(text, salt=SALT)
    except signing.BadSignature as error:
        raise Refused from error
    # A machine whose clock is behind may get one from the future: its age is what counts, however it came about.
    if abs(time.time() - issued) > GOOD_FOR or session != session_hash(session_key):
        raise Refused
    packed = urlsafe_b64decode(ids)
    return Pass(person, session, tuple(UUID(bytes=packed[n : n + 16]) for n in range(0, len(packed), 16)), issued)
