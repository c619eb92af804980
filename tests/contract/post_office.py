"""Where the flux server finds the portal in these tests: it takes the webhooks in, and hands them on when a test says.

So a test decides whether a webhook comes early, late or never; what it says and to whom is the flux server's own.
"""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from django.db import connection
from django.test import Client

from editor.images import bucket, keys
from editor.jobs import vendor
from tests.flux.conftest import Recorder, reply


@dataclass(frozen=True)
class Letter:
    """One webhook call as it came."""

    method: str
    path: str
    body: bytes


@dataclass
class PostOffice:
    """Gives out the source picture of a signed link; keeps webhook calls, or hands each on `at_once`."""

    at_once: bool = False
    waiting: list[Letter] = field(default_factory=list)
    delivered: list[Letter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = Recorder(self._answer)
        self.origin = self._server.origin

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def deliver(self) -> int:
        """Hand on what waits, to the real view; returns how many that were."""
        with self._lock:
            letters, self.waiting = self.waiting, []
        for letter in letters:
            self._hand_on(letter)
        return len(letters)

    def deliver_again(self) -> None:
        """Hand on once more what was delivered already, as a careless server would."""
        for letter in list(self.delivered):
            self._hand_on(letter)

    def knows(self, secret: str) -> bool:
        """Whether a webhook to this secret has come."""
        return any(secret in letter.path for letter in [*self.waiting, *self.delivered])

    def forget(self) -> None:
        """Lose everything."""
        with self._lock:
            self.waiting.clear()
        self.delivered.clear()

    def _hand_on(self, letter: Letter) -> None:
        answer = Client().generic(letter.method, letter.path, letter.body, content_type="application/json")
        assert answer.status_code < 500, answer.content
        if letter not in self.delivered:
            self.delivered.append(letter)

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if handler.path.startswith("/sources/"):
            token = unquote(handler.path).removeprefix("/sources/").removesuffix(".jpg")
            picture = bucket.get(keys.init_key(vendor.image_of_link(token)))
            reply(handler, 200, picture, {"Content-Type": "image/jpeg"})
            return
        letter = Letter(handler.command, handler.path, body)
        if self.at_once:
            try:
                self._hand_on(letter)
            finally:
                connection.close()  # of this thread, which ends with the call
        else:
            with self._lock:
                self.waiting.append(letter)
        reply(handler, 200, b"{}")
