from datetime import timedelta

import pytest
from django.test import Client

from editor.models import AuditEntry, FluxServer, User
from tests.people import submit

LIST = "/admin/editor/fluxserver/"


@pytest.fixture
def server(db: None) -> FluxServer:
    return FluxServer.objects.current()


def act(client: Client, server: FluxServer, action: str, reason: str = "") -> FluxServer:
    submit(client, LIST, action=action, reason=reason, _selected_action=str(server.pk))
    server.refresh_from_db()
    return server


def test_paused_by_hand_until_resumed(admin_client: Client, admin: User, server: FluxServer) -> None:
    act(admin_client, server, "pause", "we move  the bucket")
    assert server.paused
    assert (server.paused_by_hand, server.pause_detail) == (True, "we move the bucket")
    assert server.paused_since is not None
    assert not act(admin_client, server, "resume", "moved").in_trouble
    entries = AuditEntry.objects.filter(action__startswith="flux.").order_by("number")
    about = f"fluxserver:{server.pk}"
    assert list(entries.values_list("actor", "action", "about", "words")) == [
        (admin.pk, "flux.paused", about, "we move the bucket"), (admin.pk, "flux.resumed", about, "moved")
    ]  # fmt: skip


def test_nothing_is_paused_without_a_reason(admin_client: Client, server: FluxServer) -> None:
    assert not act(admin_client, server, "pause", "  ").paused
    assert not AuditEntry.objects.filter(action__startswith="flux.").exists()
    assert "Give a reason" in admin_client.get(LIST).content.decode()


def test_trouble_is_shown(admin_client: Client, server: FluxServer) -> None:
    server.pause("no-credit", "Insufficient credits", timedelta(minutes=5))
    words = admin_client.get(f"{LIST}{server.pk}/change/").content.decode()
    assert "no-credit" in words
    assert "Insufficient credits" in words


def test_limits_are_set(admin_client: Client, server: FluxServer) -> None:
    submit(admin_client, f"{LIST}{server.pk}/change/", queue_limit="9", outstanding="7")
    server.refresh_from_db()
    assert server.limit == 7


def test_none_is_added_or_deleted(admin_client: Client, server: FluxServer) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert submit(admin_client, f"{LIST}{server.pk}/delete/", post="yes").status_code == 403
