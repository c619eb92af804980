import pytest
from django.test import Client

from editor.models import FluxServer
from tests.people import submit

LIST = "/admin/editor/fluxserver/"


@pytest.fixture
def server(db: None) -> FluxServer:
    return FluxServer.objects.current()


def act(client: Client, server: FluxServer, action: str) -> FluxServer:
    submit(client, LIST, action=action, _selected_action=str(server.pk))
    server.refresh_from_db()
    return server


def test_paused_by_hand_until_resumed(admin_client: Client, server: FluxServer) -> None:
    act(admin_client, server, "pause")
    assert server.paused
    assert server.pause_detail == "Paused by admin@example.com."
    assert not act(admin_client, server, "resume").paused


def test_limits_are_set(admin_client: Client, server: FluxServer) -> None:
    submit(admin_client, f"{LIST}{server.pk}/change/", queue_limit="9", outstanding="7")
    server.refresh_from_db()
    assert server.limit == 7


def test_none_is_added_or_deleted(admin_client: Client, server: FluxServer) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert submit(admin_client, f"{LIST}{server.pk}/delete/", post="yes").status_code == 403
