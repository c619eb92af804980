"""A real mail server on loopback, and a clock that can be set forward."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone
from pytest_django import Settings

from tests.people import alice, alice_client, bob, bob_client, charlie, charlie_client, quick_passwords, team

__all__ = ["alice", "alice_client", "bob", "bob_client", "charlie", "charlie_client", "quick_passwords", "team"]


class Postbox:
    """What came over the wire, as a mail program reads it. While `refuses`, nothing is taken."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.refuses:
            return "451 Later, please"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def bodies(self) -> list[str]:
        return [mail.get_content() for mail in self.mails]


class Server(Controller):
    """On whatever port is free, which is known only once it listens there."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def postbox(settings: Settings) -> Iterator[Postbox]:
    box = Postbox()
    server = Server(box, hostname="127.0.0.1", port=0)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    yield box
    server.stop()


class Later:
    """`later(minutes=5)`: from now on it is five minutes later."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gone, really = timedelta(), timezone.now
        monkeypatch.setattr(timezone, "now", lambda: really() + self.gone)

    def __call__(self, **units: float) -> None:
        self.gone += timedelta(**units)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    return Later(monkeypatch)
