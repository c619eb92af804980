"""Settings of people in the administration: shown, changed, refused, set back, recorded; and what they do."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from pytest_django import Settings

from editor.accounts.mails import send_welcome
from editor.accounts.roles import ADMINISTRATOR
from editor.jobs.allowances import rest_of
from editor.models import Allowance, AllowanceEntry, AuditEntry, Setting, User, Workspace
from editor.models.allowances import hold_all, settle
from editor.models.chosen import chosen
from editor.moderation import audit
from tests.makers import make_job
from tests.people import client_of, make_person, submit
from tests.staff.roles import give_role

LIST = "/admin/editor/setting/"


@pytest.fixture
def administrator(db: None, quick_passwords: None) -> User:
    return give_role(make_person("carla"), ADMINISTRATOR)


@pytest.fixture
def carla(administrator: User) -> Client:
    return client_of(administrator)


def page_of(name: str) -> str:
    return f"{LIST}{name}/change/"


def change(client: Client, name: str, value: str, seen: int = 0, expected: int = 302) -> str:
    response = submit(client, page_of(name), value=value, seen=str(seen))
    assert response.status_code == expected
    return response.content.decode()


def test_change_holds_is_recorded_and_shown(carla: Client, administrator: User) -> None:
    assert "built in" in carla.get(page_of("EDITS_PER_DAY")).content.decode()
    change(carla, "EDITS_PER_DAY", " 50 ")
    assert chosen.EDITS_PER_DAY == 50
    entry = AuditEntry.objects.get(about="setting:EDITS_PER_DAY")
    assert (entry.action, entry.actor) == ("setting.changed", administrator)
    assert entry.details == {"changes": [["EDITS_PER_DAY", "200 (default)", "50"]]}
    assert list(audit.verify()) == []
    page = carla.get(page_of("EDITS_PER_DAY")).content.decode()
    assert "<td>200 (default)</td>" in page
    assert 'name="value" value="50"' in page
    assert f"set here by {administrator}" in carla.get(LIST).content.decode()


def test_default_is_named_with_where_it_comes_from(carla: Client, settings: Settings) -> None:
    settings.ADJUSTABLE_GIVEN, settings.UPLOADS_PER_DAY = {"UPLOADS_PER_DAY"}, 321
    page = carla.get(page_of("UPLOADS_PER_DAY")).content.decode()
    assert "321" in page
    assert "from UPLOADS_PER_DAY in the environment" in page


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("EDITS_PER_DAY", "lots", "This is &#x27;lots&#x27;, not a whole number from 1 to 1,000,000."),
        ("EDITS_PER_DAY", "0", "not a whole number from 1 to 1,000,000."),
        ("EDITS_PER_DAY", "2.5", "not a whole number"),
        ("EDITS_PER_DAY", "", "This is empty."),
        ("FLUX_PRICE", "-1", "not a number from 0 to 1,000."),
        ("SIGNUP", "everybody", "none of open, invite and domain:"),
        ("SIGNUP", "domain: ,", "none of open, invite and domain:"),
        ("PORTAL_NOTICE", "x" * 301, "This has 301 characters; at most 300 fit."),
        ("PORTAL_RUN_BY", "Exa\ufffdmple", "This holds characters that are no text."),
    ],
)
def test_what_cannot_hold_is_refused_in_words_and_changes_nothing(
    carla: Client, name: str, value: str, says: str
) -> None:
    before = getattr(chosen, name)
    assert says in change(carla, name, value, expected=422)
    assert getattr(chosen, name) == before
    assert not Setting.objects.exists()
    assert not AuditEntry.objects.filter(action="setting.changed").exists()


def test_default_comes_back(carla: Client) -> None:
    change(carla, "TRASH_DAYS", "10")
    assert chosen.TRASH_DAYS == 10
    assert submit(carla, page_of("TRASH_DAYS"), value="11", seen="1", default="1").status_code == 302
    assert chosen.TRASH_DAYS == 30
    last = AuditEntry.objects.filter(about="setting:TRASH_DAYS").order_by("-number")[0]
    assert last.details == {"changes": [["TRASH_DAYS", "10", "30 (default)"]]}


def test_later_of_two_administrators_is_told_and_loses_nothing(carla: Client, db: None) -> None:
    dora = client_of(give_role(make_person("dora"), ADMINISTRATOR))
    change(dora, "EDITS_PER_DAY", "50")
    page = change(carla, "EDITS_PER_DAY", "70", seen=0, expected=409)
    assert "dora@example.com changed this meanwhile" in page
    assert 'value="70"' in page
    assert chosen.EDITS_PER_DAY == 50
    change(carla, "EDITS_PER_DAY", "70", seen=1)
    assert chosen.EDITS_PER_DAY == 70


def test_saving_what_is_there_is_no_change(carla: Client) -> None:
    change(carla, "EDITS_PER_DAY", "50")
    change(carla, "EDITS_PER_DAY", "50", seen=1)
    assert AuditEntry.objects.filter(action="setting.changed").count() == 1


@pytest.mark.parametrize("name", ["SECRET_KEY", "FLUX_API_KEY", "edits_per_day"])
def test_settings_of_the_machine_are_not_here(carla: Client, name: str) -> None:
    assert carla.get(page_of(name)).status_code == 404
    assert submit(carla, page_of(name), value="x", seen="0").status_code == 404


def test_who_may_only_look_changes_nothing(db: None, quick_passwords: None) -> None:
    looking = make_person("looking")
    looking.is_staff = True
    looking.save()
    looking.user_permissions.add(Permission.objects.get(codename="view_setting"))
    client = client_of(User.objects.get(pk=looking.pk))
    assert 'name="value"' not in client.get(page_of("EDITS_PER_DAY")).content.decode()
    change(client, "EDITS_PER_DAY", "50", expected=403)
    assert not Setting.objects.exists()


# What they do ----------------------------------------------------------------------------------------------------


def test_new_price_leaves_what_is_held_at_the_old_one(carla: Client, alice: User) -> None:
    change(carla, "FLUX_PRICE", "0.5")
    first = make_job(alice, due_at=None)
    hold_all([first])
    change(carla, "FLUX_PRICE", "2", seen=1)
    second = make_job(alice, due_at=None)
    hold_all([second])
    settle([first], Allowance.TAKEN)
    money = AllowanceEntry.objects.filter(kind="taken").values_list("money", flat=True)
    assert list(money) == [Decimal("0.5") * first.samples]
    assert AllowanceEntry.objects.get(job=second).money == 2 * second.samples


def test_workspaces_without_a_number_get_the_usual_one(carla: Client, alice: User) -> None:
    own = Workspace.objects.personal_of(alice)
    change(carla, "WORKSPACE_PICTURES_PER_MONTH", "3")
    assert rest_of(alice, own.pk).words == "of 3 pictures left this month"
    Workspace.objects.filter(pk=own.pk).update(pictures_per_month=2)
    assert rest_of(alice, own.pk).words == "of 2 pictures left this month"


def test_sign_up_is_opened_and_closed(carla: Client) -> None:
    change(carla, "SIGNUP", "invite")
    assert "Sign-up is by invitation" in Client().get("/account/signup/").content.decode()
    change(carla, "SIGNUP", "domain:example.com", seen=1)
    assert "For addresses at example.com." in Client().get("/account/signup/").content.decode()


EVIL = "<script>alert(1)</script> & <b>more</b>"


def test_words_stand_where_they_belong_and_are_never_html(carla: Client, alice: User) -> None:
    for name in ("RUN_BY", "CONTACT", "WELCOME", "NOTICE", "TERMS", "PRIVACY"):
        change(carla, f"PORTAL_{name}", f"{name} {EVIL}")
    safe = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;more&lt;/b&gt;"
    welcome, signup, about = (Client().get(url).content.decode() for url in ("/", "/account/signup/", "/about/"))
    assert f"WELCOME {safe}" in welcome
    for page in (welcome, signup):
        assert f"Run by RUN_BY {safe}" in page
        assert f"NOTICE {safe}" in page
        assert 'href="/about/#terms"' in page
    for name in ("RUN_BY", "CONTACT", "TERMS", "PRIVACY"):
        assert f"{name} {safe}" in about
    assert all("<script>" not in page for page in (welcome, signup, about, carla.get(LIST).content.decode()))
    signed_in = client_of(alice).get("/").content.decode()
    assert f"NOTICE {safe}" in signed_in
    assert 'href="/about/"' in signed_in
    assert send_welcome(alice)
    assert f"\n--\nRetake, run by RUN_BY {EVIL}\nCONTACT {EVIL}" in mail.outbox[-1].body


def test_terms_may_be_an_address_of_their_own(carla: Client) -> None:
    change(carla, "PORTAL_TERMS", "https://example.com/terms")
    assert '<a href="https://example.com/terms">Terms</a>' in Client().get("/").content.decode()
    change(carla, "PORTAL_TERMS", "javascript:alert(1)", seen=1)
    assert 'href="javascript' not in Client().get("/").content.decode() + Client().get("/about/").content.decode()


def test_closed_notice_stays_away_until_it_says_something_else(carla: Client, alice: User) -> None:
    change(carla, "PORTAL_NOTICE", "We rest on Sunday.")
    visitor = client_of(alice)
    page = visitor.get("/").content.decode()
    mark = page.partition('data-notice="')[2].partition('"')[0]
    visitor.cookies["notice-closed"] = mark
    assert "We rest on Sunday." not in visitor.get("/").content.decode()
    change(carla, "PORTAL_NOTICE", "We rest on Monday.", seen=1)
    assert "We rest on Monday." in visitor.get("/").content.decode()


def test_without_words_nothing_stands_there(db: None) -> None:
    page = Client().get("/").content.decode()
    assert "run-by" not in page
    assert "portal-notice" not in page
    assert Client().get("/about/").status_code == 200
