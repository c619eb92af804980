"""Settings of people: a row goes before the environment, is heard within seconds, and costs a query that often."""

import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, Settings

from editor.models import ChangedMeanwhile, Setting, User
from editor.models import chosen as module
from editor.models.chosen import LIFE, Chosen, chosen
from tests.makers import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return make_user("boss@example.com")


class Time:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(module, "time", time)
    return time


def test_every_process_hears_of_a_change_within_seconds(boss: User, time: Time) -> None:
    another = Chosen()  # what another process remembers
    assert another.EDITS_PER_DAY == 200
    Setting.objects.change("EDITS_PER_DAY", "50", seen=0, by=boss)
    assert chosen.EDITS_PER_DAY == 50
    assert another.EDITS_PER_DAY == 200
    time.now += LIFE
    assert another.EDITS_PER_DAY == 50
    assert LIFE <= 5


def test_reading_costs_one_query_in_a_while(time: Time, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    chosen.forget()
    with django_assert_num_queries(1):
        assert [chosen.EDITS_PER_DAY for _ in range(50)] == [200] * 50
        assert chosen.FLUX_PRICE == 0
    time.now += LIFE
    with django_assert_num_queries(1):
        assert chosen.TRASH_DAYS == 30


def test_environment_holds_until_a_row_speaks_and_again_after(boss: User, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 7
    assert chosen.EDITS_PER_DAY == 7
    Setting.objects.change("EDITS_PER_DAY", "50", seen=0, by=boss)
    assert chosen.EDITS_PER_DAY == 50
    Setting.objects.change("EDITS_PER_DAY", None, seen=1, by=boss)
    assert chosen.EDITS_PER_DAY == 7


def test_nothing_is_a_value_where_it_may_be_one(boss: User, settings: Settings) -> None:
    settings.PORTAL_NOTICE, settings.WORKSPACE_PICTURES_PER_MONTH = "From the environment", 5
    for name in ("PORTAL_NOTICE", "WORKSPACE_PICTURES_PER_MONTH"):
        Setting.objects.change(name, "", seen=0, by=boss)
    assert (chosen.PORTAL_NOTICE, chosen.WORKSPACE_PICTURES_PER_MONTH) == ("", None)


def test_of_two_who_saw_the_same_the_later_changes_nothing(boss: User) -> None:
    Setting.objects.change("FLUX_PRICE", "0.5", seen=0, by=boss)
    with pytest.raises(ChangedMeanwhile):
        Setting.objects.change("FLUX_PRICE", "0.7", seen=0, by=boss)
    assert chosen.FLUX_PRICE == 0.5


@pytest.mark.parametrize("value", ["lots", "0", "2.5", "nan", ""])
def test_what_cannot_hold_does_not(value: str) -> None:
    Setting.objects.create(name="EDITS_PER_DAY", value=value, version=1)
    Setting.objects.create(name="NEVER_HEARD_OF", value="1", version=1)
    chosen.forget()
    assert chosen.EDITS_PER_DAY == 200


def test_what_was_known_holds_while_the_database_is_away(boss: User, time: Time) -> None:
    Setting.objects.change("SIGNUP", "invite", seen=0, by=boss)
    assert chosen.SIGNUP == "invite"
    time.now += LIFE
    with transaction.atomic():
        transaction.set_rollback(True)  # from here on every query of this block fails
        assert chosen.SIGNUP == "invite"


def test_names_and_types_are_all_there() -> None:
    known = {name for name in Chosen.__annotations__ if not name.startswith("_")}
    assert known == set(django_settings.ADJUSTABLE)
    with pytest.raises(AttributeError):
        chosen.SECRET_KEY  # noqa: B018


def test_nobody_reads_a_setting_of_people_past_the_administration() -> None:
    past = re.compile(rf"\bsettings\.({'|'.join(django_settings.ADJUSTABLE)})\b")
    files = [*Path(django_settings.BASE_DIR, "editor").rglob("*.py"), Path(django_settings.BASE_DIR, "project/asgi.py")]
    assert len(files) > 100
    assert [str(file) for file in files if past.search(file.read_text())] == []
