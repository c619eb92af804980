"""The audit log: to read, to search and to export; verified by a command; guarded by PostgreSQL itself."""

import csv
import io
import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from editor.accounts.roles import MODERATOR
from editor.models import AuditEntry, AuditHead, FluxServer, Invitation, User
from editor.moderation import audit
from tests.makers import make_image
from tests.people import client_of, make_person, submit
from tests.staff.roles import give_role

LIST = "/admin/editor/auditentry/"
USERS = "/admin/editor/user/"


def last() -> AuditEntry:
    entry = AuditEntry.objects.order_by("-number").first()
    assert entry is not None
    return entry


def body(response: object) -> str:
    return "".join(part.decode() for part in response)  # type: ignore[attr-defined]


def test_administrators_read_it_and_moderators_do_not(administrator: User, moderator: User, operator: User) -> None:
    assert [client_of(who).get(LIST).status_code for who in (administrator, moderator, operator)] == [200, 403, 403]


def test_it_is_found_by_person_action_thing_day_and_words(admin_client: Client, admin: User, alice: User) -> None:
    audit.record(None, "case.decided", alice, "Nothing was wrong with the lighthouse")
    audit.record(alice, "picture.viewed", words="A cat")
    with patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(days=9)):
        for number in range(3):
            audit.record(None, "limits.changed", words=f"Other {number}")
    day = timezone.now().date().isoformat()
    found = {
        term: admin_client.get(LIST, {"q": term}).content.decode()
        for term in ("alice@example.com", "case.decided", f"user:{alice.pk}", day, "LIGHTHOUSE wrong")
    }
    assert all("lighthouse" in page for page in found.values())
    assert not any("Other 1" in page for page in found.values())
    assert "A cat" in found["alice@example.com"]
    assert "A cat" not in found["case.decided"]
    assert "Other 1" in admin_client.get(LIST).content.decode()
    assert "lighthouse" not in admin_client.get(LIST, {"q": "0001-02-30"}).content.decode()


def test_list_does_not_count(admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(60):
        audit.record(None, "limits.changed", words=f"Number {number}")
    with django_assert_num_queries(3) as taken:  # session, person, page
        page = admin_client.get(LIST).content.decode()
    assert not any("COUNT" in query["sql"] for query in taken.captured_queries)
    assert 'rel="next"' in page


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export_holds_everything_and_is_recorded(admin_client: Client, admin: User, form: str) -> None:
    audit.record(None, "limits.changed", words="=cmd()", number=7)
    response = admin_client.post(f"{LIST}export.{form}")
    text = body(response)
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert "'=cmd()" in {row["words"] for row in rows}  # no spreadsheet takes it for a formula
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [int(row["number"]) for row in rows] == list(range(1, last().number + 1))
    assert (last().action, last().actor, last().details) == ("auditlog.exported", admin, {"format": form})
    assert list(audit.verify()) == []


def test_export_goes_on_over_many_pages(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editor.moderation.export.PAGE", 2)
    for number in range(5):
        audit.record(None, "limits.changed", number=number)
    lines = body(admin_client.post(f"{LIST}export.jsonl")).splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(1, last().number + 1))


def test_export_is_for_those_who_read_it_and_by_a_click(moderator: User, admin_client: Client) -> None:
    assert client_of(moderator).post(f"{LIST}export.csv").status_code == 403
    assert admin_client.get(f"{LIST}export.csv").status_code == 405
    assert admin_client.post(f"{LIST}export.exe").status_code == 404


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("auditlog", *words, stdout=out, stderr=out)
    return out.getvalue()


def tamper() -> None:
    """Change an entry as somebody would who owns the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
        cursor.execute("UPDATE editor_auditentry SET words = 'Nothing' WHERE number = 1")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = 'origin'")


@pytest.mark.django_db
def test_command_says_that_the_log_is_whole_and_how_it_ends() -> None:
    assert "empty" in run("verify")
    audit.record(None, "limits.changed")
    entry = audit.record(None, "limits.changed")
    assert run("verify").splitlines() == [
        "The audit log is whole: 2 entries.", "Note the last hash where nobody here can write:", entry.hash
    ]  # fmt: skip
    audit.record(None, "limits.changed")
    assert "is whole: 3" in run("verify", "--expect", entry.hash)


@pytest.mark.django_db
def test_command_fails_on_a_changed_log_and_on_another_one() -> None:
    audit.record(None, "limits.changed")
    with pytest.raises(CommandError) as told:
        run("verify", "--expect", "ab" * 32)
    assert told.value.returncode == 1
    tamper()
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("auditlog", "verify", stderr=out)
    assert "Entry 1 was changed." in out.getvalue()


@pytest.mark.django_db
def test_command_exports_and_says_so_in_the_last_line() -> None:
    audit.record(None, "limits.changed")
    lines = [json.loads(line) for line in run("export").splitlines()]
    assert [(line["action"], line["number"]) for line in lines] == [("limits.changed", 1), ("auditlog.exported", 2)]
    assert run("export", "--format", "csv").startswith("number,at,actor,action")


@pytest.mark.django_db
def test_postgresql_refuses_to_change_or_delete_an_entry() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL guards the log itself")
    audit.record(None, "limits.changed", words="As it was")
    for statement in ("UPDATE editor_auditentry SET words = ''", "DELETE FROM editor_auditentry"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert last().words == "As it was"


# What is recorded ---------------------------------------------------------------------------------------------------


def test_change_of_a_person_says_what_was_and_what_is(admin_client: Client, admin: User, alice: User) -> None:
    fields = {"email": alice.email, "name": "Alice", "is_active": "on", "edits_per_day": "7", "trust": "trusted"}
    page = submit(admin_client, f"{USERS}{alice.pk}/change/", **fields).content.decode()
    assert "Say why you change the trust." in page
    submit(admin_client, f"{USERS}{alice.pk}/change/", **fields, why="Known\u202e for years")
    entry = last()
    assert (entry.actor, entry.action, entry.about) == (admin, "user.changed", f"user:{alice.pk}")
    assert entry.details["changes"] == [
        ["edits_per_day", "", "7"], ["trust", "new", "trusted"], ["why", "", "Known for years"]
    ]  # fmt: skip
    alice.refresh_from_db()
    assert alice.trust == "trusted"


def test_role_that_is_given_is_in_the_log_and_opens_the_administration(admin_client: Client, alice: User) -> None:
    give_role(make_person("other"), MODERATOR)
    group = User.groups.through.objects.values_list("group", flat=True)[0]
    fields = {"email": alice.email, "name": "Alice", "is_active": "on", "trust": "new", "groups": str(group)}
    submit(admin_client, f"{USERS}{alice.pk}/change/", **fields)
    alice.refresh_from_db()
    assert alice.is_staff
    assert last().action == "user.rights_changed"
    assert ["groups", "", "Moderator"] in last().details["changes"]


def test_nothing_changed_is_no_entry(admin_client: Client, alice: User) -> None:
    before = last().number
    submit(admin_client, f"{USERS}{alice.pk}/change/", email=alice.email, name="Alice", is_active="on", trust="new")
    assert last().number == before


def test_actions_are_recorded_for_each(admin_client: Client, alice: User, charlie: User) -> None:
    before = last().number
    ids = [str(alice.pk), str(charlie.pk)]
    for action in ("switch_off", "switch_on", "sign_out_everywhere"):
        admin_client.post(USERS, {"action": action, "_selected_action": ids})
    told = AuditEntry.objects.filter(number__gt=before).order_by("number")
    assert [each.action for each in told] == ["user.changed"] * 4 + ["user.signed_out_everywhere"] * 2
    image = make_image(alice)
    admin_client.post("/admin/editor/image/", {"action": "move_to_trash", "_selected_action": [str(image.pk)]})
    assert (last().action, last().about) == ("image.trashed", f"image:{image.pk}")


def test_limits_and_brakes_of_the_flux_server_are_recorded(operator: User) -> None:
    server = FluxServer.objects.current()
    client = client_of(operator)
    submit(client, f"/admin/editor/fluxserver/{server.pk}/change/", queue_limit="4", outstanding="2")
    assert [name for name, *_ in last().details["changes"]] == ["queue_limit", "outstanding"]
    chosen = {"action": "pause", "_selected_action": [str(server.pk)], "reason": "Too expensive."}
    client.post("/admin/editor/fluxserver/", chosen)
    assert (last().actor, last().action) == (operator, "flux.paused")


def test_rules_and_invitations_are_recorded(admin_client: Client) -> None:
    fields = {"name": "Weapons", "kind": "term", "text": "gun", "action": "hold"}
    submit(admin_client, "/admin/editor/promptrule/add/", **fields)
    assert last().action == "promptrule.added"
    assert ["action", "hold", "hold"] not in last().details["changes"]
    assert ["text", "", "gun"] in last().details["changes"]
    submit(admin_client, "/admin/editor/invitation/add/", email="dora@example.com")
    invitation = Invitation.objects.get()
    assert (last().action, last().details["changes"]) == ("invitation.added", [["email", "", "dora@example.com"]])
    submit(admin_client, f"/admin/editor/invitation/{invitation.pk}/delete/", post="yes")
    assert (last().action, last().about) == ("invitation.deleted", f"invitation:{invitation.pk}")


def test_signed_out_everywhere_at_once(admin_client: Client, alice: User, alice_client: Client) -> None:
    assert alice_client.get("/history/").status_code == 200
    submit(admin_client, f"{USERS}{alice.pk}/sign-out/")
    assert alice_client.get("/history/").status_code == 302
    assert last().action == "user.signed_out_everywhere"


def test_suspending_from_a_persons_page_asks_why(administrator: User, alice: User) -> None:
    client = client_of(administrator)
    page = client.post(f"{USERS}{alice.pk}/suspend/", {"reason": " "}, follow=True).content.decode()
    assert "Give a reason" in page
    client.post(f"{USERS}{alice.pk}/suspend/", {"reason": "Many \u202ereports\u2066"})
    alice.refresh_from_db()
    assert alice.suspended_at
    assert (last().actor, last().words) == (administrator, "Many reports")
    submit(client, USERS, action="switch_on", _selected_action=str(alice.pk))
    alice.refresh_from_db()
    assert not alice.is_active
    client.post(f"{USERS}{alice.pk}/reinstate/")
    alice.refresh_from_db()
    assert alice.is_active


def test_sensitive_picture_is_shown_after_a_click_that_is_recorded(moderator: User, alice: User) -> None:
    image = make_image(alice, stored=True, sensitive=True)
    client = client_of(moderator)
    thumbnail = '<img class="thumbnail"'
    assert thumbnail not in client.get(f"/admin/editor/image/{image.pk}/change/").content.decode()
    assert thumbnail not in client.get("/admin/editor/image/").content.decode()
    assert client.get(f"/admin/pictures/{image.pk}/320/").status_code == 404
    before = AuditHead.objects.get().length
    assert "looked-at" not in client.get(f"/admin/pictures/{image.pk}/").content.decode()
    assert AuditHead.objects.get().length == before
    page = client.post(f"/admin/pictures/{image.pk}/").content.decode()
    assert (last().actor, last().action, last().about) == (moderator, "picture.viewed", f"image:{image.pk}")
    address = page.split('src="/admin/pictures/')[1].split('"')[0]
    response = client.get(f"/admin/pictures/{address}")
    assert response.status_code == 200
    other = client_of(give_role(make_person("another"), MODERATOR))
    assert other.get(f"/admin/pictures/{address}").status_code == 404
    response.close()
