"""Presets of a workspace: who makes, changes and deletes them, and which one is the default."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from editor.models import DownloadPreset, Membership, Role, User, Workspace
from tests.people import client_of

pytestmark = pytest.mark.django_db

WEB = {"name": "Web", "format": "webp", "quality": "80", "size": "long", "side": "1600", "pattern": "{name}-web"}


def make(client: Client, workspace: Workspace, **fields: str) -> Any:
    return client.post(reverse("preset_list", args=[workspace.pk]), WEB | fields)


def test_preset_keeps_what_was_asked_for(alice: User, alice_client: Client, own: Workspace) -> None:
    page = alice_client.get(reverse("preset_list", args=[own.pk]), {"format": "png", "pattern": "{seed}"})
    assert 'value="{seed}"' in page.content.decode()
    assert make(alice_client, own).status_code == 302
    row = DownloadPreset.objects.get()
    assert (row.name, row.made_by, row.workspace) == ("Web", alice, own)
    assert (row.options["format"], row.options["side"], row.options["making"]) == ("webp", 1600, False)
    assert "WebP, quality 80 · 1600 pixels" in alice_client.get(reverse("preset_list", args=[own.pk])).content.decode()
    change = reverse("preset", args=[row.pk])
    assert 'value="1600"' in alice_client.get(change).content.decode()
    assert alice_client.post(change, WEB | {"name": "Slides", "side": "1920"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.options["side"]) == ("Slides", 1920)
    alice_client.post(reverse("preset_delete", args=[row.pk]))
    assert not DownloadPreset.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": " wEB "}, "There is one of this name already."),
        ({"name": "x" * 61}, "At most 60 characters"),
        ({"name": "Other", "side": "0"}, "from 16 to 16,000"),
        ({"name": "Other", "pattern": "{x}"}, "There is no {x}"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(
    fields: dict[str, str], sentence: str, alice_client: Client, own: Workspace
) -> None:
    make(alice_client, own)
    response = make(alice_client, own, **fields)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert DownloadPreset.objects.count() == 1


def test_there_is_room_for_so_many(alice_client: Client, own: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editor.views.download_presets.PRESETS_MAX", 1)
    make(alice_client, own)
    assert "There is room for 1." in make(alice_client, own, name="Other").content.decode()


def test_editors_make_them_admins_choose_the_default_viewers_use_them(alice: User, bob: User, team: Workspace) -> None:
    Membership.objects.filter(user=bob).update(role=Role.EDITOR)
    editor, owner = client_of(bob), client_of(alice)
    make(editor, team)
    make(editor, team, name="Print")
    first, second = DownloadPreset.objects.order_by("created_at")
    assert editor.post(reverse("preset_default", args=[first.pk])).status_code == 404
    for each in (first, second):
        owner.post(reverse("preset_default", args=[each.pk]))
    assert DownloadPreset.objects.get(is_default=True) == second
    owner.post(reverse("preset_default", args=[second.pk]), {"off": "1"})
    assert not DownloadPreset.objects.filter(is_default=True).exists()
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    page = editor.get(reverse("preset_list", args=[team.pk])).content.decode()
    assert "Print" in page
    assert "Delete" not in page
    assert make(editor, team, name="Third").status_code == 404


def test_two_defaults_or_two_of_a_name_are_no_rows(alice: User, own: Workspace) -> None:
    DownloadPreset.objects.create(workspace=own, made_by=alice, name="Web", is_default=True)
    for fields in ({"name": "Print", "is_default": True}, {"name": "WEB"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DownloadPreset.objects.create(workspace=own, made_by=alice, **fields)


def test_nothing_changes_in_an_archived_workspace(alice_client: Client, team: Workspace) -> None:
    make(alice_client, team)
    row = DownloadPreset.objects.get()
    team.archive()
    assert make(alice_client, team, name="Other").status_code == 409
    for name in ("preset", "preset_delete", "preset_default"):
        assert alice_client.post(reverse(name, args=[row.pk]), WEB).status_code == 409
    assert alice_client.get(reverse("preset_list", args=[team.pk])).status_code == 200
