"""Whose pictures are looked at first, and how trust grows."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor.images import ingest
from editor.images.copying import copy
from editor.images.moving import move
from editor.models import (
    Action,
    Cause,
    Decision,
    Image,
    ImageKind,
    ImageState,
    Membership,
    ModerationCase,
    Role,
    Trust,
    User,
    Workspace,
)
from editor.moderation import trust
from editor.moderation.cases import open_case
from tests.makers import jpeg, make_image, make_job, make_user, take_in_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(db: None) -> Workspace:
    return Workspace.objects.found(make_user("owner@example.com"), "Team")


def member(team: Workspace, trust: str) -> User:
    user = make_user(trust=trust)
    Membership.objects.create(workspace=team, user=user, role=Role.EDITOR)
    return user


def upload(user: User, workspace: Workspace) -> Image:
    image = ingest.receive(user, workspace, io.BytesIO(jpeg()), "a.jpg")
    assert (image.withheld_at is not None) == trust.looked_at_first(user, workspace)
    ingest.take_in(image)
    image.refresh_from_db()
    return image


@pytest.mark.parametrize(
    ("setting", "level", "waits"),
    [
        ({"restricted"}, Trust.RESTRICTED, True),
        ({"restricted"}, Trust.NEW, False),
        ({"restricted", "new"}, Trust.NEW, True),
        ({"restricted", "new"}, Trust.NORMAL, False),
        (set(), Trust.RESTRICTED, False),
    ],
)
def test_trust_decides_what_waits_in_a_team(
    setting: set[str], level: str, waits: bool, team: Workspace, settings: Settings
) -> None:
    settings.WITHHOLD_TRUST = setting
    user = member(team, level)
    image = upload(user, team)
    assert (image.state, image.withheld_at is not None) == (ImageState.READY, waits)
    found = [(case.cause, case.person, case.image) for case in ModerationCase.objects.all()]
    assert found == ([(Cause.TRUST, user, image)] if waits else [])
    assert upload(user, Workspace.objects.personal_of(user)).withheld_at is None


def test_result_of_a_restricted_person_waits(team: Workspace) -> None:
    user = member(team, Trust.RESTRICTED)
    job = make_job(user, make_image(user, workspace=team), state="collecting")
    values: dict[str, Any] = {"kind": ImageKind.GENERATED, "job": job, "workspace": team}
    image = make_image(user, state=ImageState.RECEIVED, **values)
    take_in_result(image, jpeg())
    image.refresh_from_db()
    assert image.withheld_at is not None
    assert ModerationCase.objects.get().cause == Cause.TRUST


@pytest.mark.parametrize("level", [Trust.RESTRICTED, Trust.NORMAL])
def test_what_goes_from_a_personal_workspace_into_a_team_follows_the_same_rule(level: str, team: Workspace) -> None:
    user = member(team, level)
    waits = level == Trust.RESTRICTED
    image, other = make_image(user, stored=True), make_image(user, stored=True)
    (copied,) = copy(user, [other], team)
    move(user, [image], team)
    for each in (image, copied):
        each.refresh_from_db()
        assert (each.workspace, each.withheld_at is not None) == (team, waits)
    other.refresh_from_db()
    assert other.withheld_at is None
    assert ModerationCase.objects.filter(cause=Cause.TRUST).count() == (2 if waits else 0)


def old_hand(pictures: int = 20, days: float = 8, **fields: Any) -> User:
    user = make_user(date_joined=timezone.now() - timedelta(days=days), **fields)
    for _ in range(pictures):
        make_image(user)
    return user


def decide(user: User, *actions: str) -> Decision:
    case = open_case(Cause.REPORT, user)
    type(case).objects.filter(pk=case.pk).update(state="decided", decided_at=timezone.now())
    return Decision.objects.create(
        case=case, moderator=make_user(), cause=case.cause, person=user, actions=sorted(actions)
    )


def grown(user: User) -> bool:
    trust.grow()
    user.refresh_from_db()
    return user.trust == Trust.NORMAL


def test_trust_grows_with_a_week_and_twenty_pictures() -> None:
    assert grown(old_hand())


@pytest.mark.parametrize(
    "fields", [{"pictures": 19}, {"days": 6.9}, {"trust": Trust.RESTRICTED}, {"is_active": False}], ids=str
)
def test_trust_does_not_grow_sooner(fields: dict[str, Any]) -> None:
    assert not grown(old_hand(**fields))


def test_removed_and_refused_pictures_do_not_count() -> None:
    user = old_hand()
    now = timezone.now()
    one, other = Image.objects.filter(made_by=user)[:2]
    Image.objects.filter(pk=one.pk).update(removed_at=now, trashed_at=now)
    assert not grown(user)
    Image.objects.filter(pk=one.pk).update(removed_at=None)
    Image.objects.filter(pk=other.pk).update(state="refused", refused_code="lost", ready_at=None)
    assert not grown(user)


def test_decision_against_somebody_keeps_them_new_until_it_is_changed() -> None:
    user = old_hand()
    against = decide(user, Action.WARN, Action.REMOVE)
    assert not grown(user)
    later = decide(user, Action.FINE)
    Decision.objects.filter(pk=later.pk).update(replaces=against)
    assert grown(user)


def test_what_was_found_fine_is_not_against_anybody() -> None:
    user = old_hand()
    decide(user, Action.FINE)
    assert grown(user)


def test_growing_goes_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(trust, "GROWN_WITH", 1)
    for _ in range(2):
        old_hand(1)
    assert [trust.grow(), trust.grow(), trust.grow()] == [1, 1, 0]
