"""Rules that let old pictures go: what they take, what they never take, and that a pass does what its dry run said."""

import random
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from editor.accounts.roles import OPERATOR
from editor.images import bucket, keys
from editor.jobs import retention
from editor.library.shelves import collect, new_collection
from editor.models import (
    Approval,
    ApprovalState,
    AuditEntry,
    Cause,
    Favourite,
    Image,
    Listed,
    Notice,
    Retained,
    RetentionPass,
    RetentionRule,
    Retired,
    Review,
    Share,
    User,
    Workspace,
)
from editor.moderation.cases import open_case
from tests.makers import make_image, make_job, make_user
from tests.people import charlie, client_of, quick_passwords
from tests.staff.roles import give_role

__all__ = ["charlie", "quick_passwords"]

pytestmark = pytest.mark.django_db

DONE = {"state": "succeeded", "allowance": "taken", "due_at": None}
OLD = timedelta(days=100)


def make_rule(user: User, what: Retained = Retained.UPLOADS, **fields: Any) -> RetentionRule:
    return RetentionRule.objects.create(what=what, made_by=user, **({"days": 90} | fields))


def old(user: User, **fields: Any) -> Image:
    return make_image(user, **({"created_at": timezone.now() - OLD} | fields))


def result_of(source: Image, **fields: Any) -> Image:
    job = make_job(source.made_by, source, finished_at=timezone.now(), **DONE)
    return old(source.made_by, kind="generated", job=job, root=source.first_upload, **fields)


def tried(rule: RetentionRule) -> set[Any]:
    """What its dry run lists, as somebody looks at it."""
    retention.try_dry(rule, timezone.now())
    retention.looked(rule)
    rule.refresh_from_db()
    found = list(retention.listed(rule))
    assert rule.tried_pictures == len(found)
    assert rule.tried_size == sum(image.goes for image in found)  # type: ignore[attr-defined]
    return {image.pk for image in found}


def passed(rule: RetentionRule, by: User, at: datetime | None = None) -> set[Any]:
    """What goes when it is switched on, until its pass is over."""
    assert retention.switch_on(rule, by, timezone.now())
    while retention.step(at or timezone.now()):
        pass
    return set(Image.objects.filter(trashed_at__gte=rule.tried_at).values_list("pk", flat=True))


def test_a_pass_takes_what_its_dry_run_listed(alice: User) -> None:
    gone = {old(alice).pk for _ in range(3)}
    make_image(alice)
    trashed_before = old(alice, trashed_at=timezone.now() - timedelta(days=1))
    rule = make_rule(alice)
    assert tried(rule) == gone
    assert passed(rule, alice) == gone
    done = rule.passes.get()
    assert done.finished_at is not None
    assert (done.pictures, done.size) == (3, 3_000)
    entry = AuditEntry.objects.get(action="retention.pass")
    assert entry.details == {"pictures": 3, "bytes": 3_000}
    trashed_before.refresh_from_db()
    assert (trashed_before.trashed_at or timezone.now()) < done.as_of


def test_more_than_one_step_takes_all_and_each_person_is_told_once(
    alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for _ in range(5):
        old(alice)
    old(charlie)
    rule = make_rule(alice)
    assert len(tried(rule)) == 6
    assert len(passed(rule, alice)) == 6
    told = {notice.person: notice.headline for notice in Notice.objects.all()}
    assert told == {
        alice: "5 of your pictures went into the trash",
        charlie: "One of your pictures went into the trash",
    }
    alice.refresh_from_db()
    assert alice.notices_unseen == 1


def keep_as_favourite(image: Image) -> None:
    Favourite.objects.create(user=image.made_by, image=image, image_created_at=image.created_at)


def keep_in_collection(image: Image) -> None:
    collect(image.made_by, new_collection(image.made_by, image.workspace, "Best"), [image])


def keep_as_cover(image: Image) -> None:
    Workspace.objects.filter(pk=image.workspace_id).update(cover=image)


def keep_in_open_edit(image: Image) -> None:
    make_job(image.made_by, image)


def keep_for_moderation(image: Image) -> None:
    open_case(Cause.REPORT, image.made_by, image=image)


def keep_withheld(image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(withheld_at=timezone.now())


def keep_as_source(image: Image) -> None:
    result_of(image, created_at=timezone.now())


def keep_in_archive(image: Image) -> None:
    team = Workspace.objects.create(name="Team", archived_at=timezone.now())
    Image.objects.filter(pk=image.pk).update(workspace=team)


def stand(image: Image, state: ApprovalState) -> None:
    Approval.objects.create(
        image=image, workspace=image.workspace, image_created_at=image.created_at, state=state, by=image.made_by
    )


def keep_as_approved(image: Image) -> None:
    stand(image, ApprovalState.APPROVED)


def keep_in_review(image: Image) -> None:
    stand(image, ApprovalState.IN_REVIEW)


def keep_to_be_replaced(image: Image) -> None:
    proposed = make_image(image.made_by)
    Review.objects.create(image=proposed, workspace=image.workspace, replaces=image, asked_by=image.made_by)


def share(shared: Image, **fields: Any) -> None:
    values = {"workspace": shared.workspace, "made_by": shared.made_by, "kind": "picture", "image": shared}
    Share.objects.create(**(values | fields))


def keep_shared(image: Image) -> None:
    share(image, expires_at=timezone.now() + timedelta(days=1))


def keep_shared_as_before(image: Image) -> None:
    share(image, kind="before-after", image=make_image(image.made_by), before=image)


WAYS = [
    keep_as_approved, keep_in_review, keep_to_be_replaced, keep_shared, keep_shared_as_before,
    keep_as_favourite, keep_in_collection, keep_as_cover, keep_in_open_edit, keep_for_moderation, keep_withheld,
    keep_as_source, keep_in_archive,
]  # fmt: skip


@pytest.mark.parametrize("keep", WAYS)
@pytest.mark.parametrize("when", ["before the dry run", "after it"])
def test_what_somebody_keeps_never_goes(keep: Any, when: str, alice: User) -> None:
    image, other = old(alice), old(alice)
    rule = make_rule(alice)
    if when == "before the dry run":
        keep(image)
    listed = tried(rule)
    assert (image.pk in listed) == (when == "after it")
    if when == "after it":
        keep(image)
    assert passed(rule, alice) == {other.pk}


def test_what_is_rejected_or_shown_by_no_open_link_goes(alice: User) -> None:
    images = [old(alice) for _ in range(3)]
    stand(images[0], ApprovalState.REJECTED)
    share(images[1], expires_at=timezone.now() - timedelta(seconds=1))
    share(images[2], revoked_at=timezone.now())
    rule = make_rule(alice)
    assert tried(rule) == {image.pk for image in images} == passed(rule, alice)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_kept_no_pass_takes_it_nor_more_than_was_listed(seed: int, alice: User, charlie: User) -> None:
    chance = random.Random(seed)
    images: list[Image] = []
    for _ in range(25):
        source = chance.choice(images) if images and chance.random() < 0.5 else None
        age: dict[str, Any] = {"created_at": timezone.now() - timedelta(days=chance.randint(1, 200))}
        made_by = chance.choice([alice, charlie])
        images.append(result_of(source, **age) if source else make_image(made_by, **age))
    for image in images:
        if chance.random() < 0.2:
            chance.choice([keep_as_favourite, keep_in_open_edit, keep_for_moderation, keep_as_cover])(image)
    rules = [make_rule(alice, what, days=chance.randint(1, 150)) for what in (Retained.RESULTS, Retained.UPLOADS)]
    for rule in rules:
        listed = tried(rule)
        went = passed(rule, alice)
        assert went == listed
        rule.refresh_from_db()
        retention.switch_off(rule, alice)
    kept = {row.image_id for row in Favourite.objects.all()} | set(
        Image.objects.filter(used_by__job__state="queued").values_list("pk", flat=True)
    )
    assert not Image.objects.filter(pk__in=kept, trashed_at__isnull=False).exists()
    # Nothing that is still there lost what it was made from in the same pass.
    assert not Image.objects.filter(trashed_at=None, root__trashed_at__isnull=False).exists()


def test_sources_go_a_pass_after_their_results(alice: User) -> None:
    source = old(alice)
    result = result_of(source)
    results, uploads = make_rule(alice, Retained.RESULTS), make_rule(alice, Retained.UPLOADS)
    assert (tried(results), tried(uploads)) == ({result.pk}, set())
    assert retention.switch_on(uploads, alice, timezone.now())
    assert passed(results, alice) == {result.pk}
    assert retention.step(timezone.now() + timedelta(hours=23)) == 0
    assert retention.step(timezone.now() + timedelta(hours=25)) == 1
    source.refresh_from_db()
    assert source.trashed_at is not None


def test_who_puts_a_picture_back_keeps_it(alice: User) -> None:
    image = old(alice)
    rule = make_rule(alice)
    tried(rule)
    assert passed(rule, alice) == {image.pk}
    assert image.restore()
    for days in (2, 4):
        retention.step(timezone.now() + timedelta(days=days))
    image.refresh_from_db()
    assert image.trashed_at is None


def take_mark_off(image: Image) -> None:
    Favourite.objects.filter(image=image).delete()


def put_back(image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(trashed_at=None)


@pytest.mark.parametrize(
    ("keep", "stop"),
    [(keep_as_favourite, take_mark_off), (lambda image: image.trash(), put_back)],
    ids=["favourite mark taken off", "put back from the trash"],
)
def test_the_first_pass_takes_nothing_that_the_dry_run_did_not_list(keep: Any, stop: Any, alice: User) -> None:
    image, other = old(alice), old(alice)
    keep(image)
    rule = make_rule(alice)
    assert tried(rule) == {other.pk}
    stop(image)
    assert {each.pk for each in retention.listed(rule)} == {other.pk}
    assert passed(rule, alice) == {other.pk}
    assert not Listed.objects.exists()
    assert retention.step(timezone.now() + timedelta(hours=25)) == 1, "the next one asks anew"


def test_a_rule_switched_off_in_its_first_pass_goes_on_with_what_is_left_of_its_list(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    kept, *images = [old(alice) for _ in range(3)]
    keep_as_favourite(kept)
    rule = make_rule(alice)
    listed = tried(rule)
    assert retention.switch_on(rule, alice, timezone.now())
    assert retention.step(timezone.now()) == 1
    assert retention.switch_off(rule, alice)
    take_mark_off(kept)
    assert passed(rule, alice) == listed == {image.pk for image in images}
    assert retention.switch_off(rule, alice)
    rule.refresh_from_db()
    assert retention.why_not(rule, timezone.now()) == "Try it dry first.", "its list is used up"


def test_a_rule_that_is_on_is_not_tried_and_nothing_is_recorded_twice(alice: User) -> None:
    old(alice)
    rule = make_rule(alice, days=1)
    tried(rule)
    stale = RetentionRule.objects.get(pk=rule.pk)
    assert retention.switch_on(rule, alice, timezone.now())
    assert not retention.try_dry(stale, timezone.now())
    rule.refresh_from_db()
    assert rule.on_since is not None
    assert [retention.switch_off(rule, alice, remove=True) for _ in range(2)] == [True, False]
    retention.change(stale, alice, days=3)
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["retention.on", "retention.removed"]
    assert AuditEntry.objects.last().words.endswith("Uploads, 1 day old")  # type: ignore[union-attr]  # there are two
    assert not RetentionPass.objects.filter(finished_at=None).exists()


def test_a_notice_says_where_they_were_and_how_long_they_lie_there(alice: User) -> None:
    team = Workspace.objects.create(name="Team")
    for where in (team, team, None):
        old(alice, **({"workspace": where} if where else {}))
    rule = make_rule(alice)
    tried(rule)
    passed(rule, alice)
    words = Notice.objects.get().words
    assert words.startswith("From Team and Personal: ")
    assert "They lie in the trash for 30 days." in words


@pytest.mark.parametrize("address", ["list", "csv"])
def test_only_who_gets_the_list_has_looked_at_it(address: str, alice: User) -> None:
    operator = client_of(give_role(alice, OPERATOR))
    rule = make_rule(alice)
    retention.try_dry(rule, timezone.now())
    url = reverse(f"operate_rule_{address}", args=[rule.pk])
    for method, looked in ((operator.head, False), (operator.get, True)):
        assert method(url).status_code == 200
        rule.refresh_from_db()
        assert (rule.looked_at is not None) == looked


def test_a_rule_is_switched_on_only_after_its_list_was_seen(alice: User) -> None:
    old(alice)
    rule = make_rule(alice)
    now = timezone.now()
    assert retention.why_not(rule, now) == "Try it dry first."
    assert not retention.switch_on(rule, alice, now)
    retention.try_dry(rule, now)
    assert "Look at the list" in retention.why_not(rule, now)
    assert not retention.switch_on(rule, alice, now)
    retention.looked(rule)
    rule.refresh_from_db()
    assert not retention.switch_on(rule, alice, now + timedelta(days=2))
    stale = RetentionRule.objects.get(pk=rule.pk)
    retention.change(rule, alice, days=5)
    assert not retention.switch_on(stale, alice, now), "it says something else now"
    assert retention.why_not(rule, now) == "Try it dry first."
    assert retention.step(now) == 0
    assert not RetentionPass.objects.exists()


def test_changing_a_rule_switches_it_off_in_the_middle(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    for _ in range(3):
        old(alice)
    rule = make_rule(alice)
    tried(rule)
    assert retention.switch_on(rule, alice, timezone.now())
    assert retention.step(timezone.now()) == 1
    retention.change(rule, alice, days=80)
    assert retention.step(timezone.now()) == 0
    assert Image.objects.filter(trashed_at=None).count() == 2
    assert rule.passes.get().finished_at is not None
    assert Notice.objects.get().headline == "One of your pictures went into the trash"


def test_leftovers_and_one_workspace(alice: User, charlie: User) -> None:
    refused = old(alice, state="refused", refused_code="undecodable")
    failed = make_job(alice, make_image(alice), finished_at=timezone.now(), state="failed", failure_code="vendor",
                      allowance="released", due_at=None)  # fmt: skip
    left = old(alice, kind="generated", job=failed)
    theirs = old(charlie, state="refused", refused_code="undecodable")
    fine = old(alice)
    everywhere = make_rule(alice, Retained.LEFTOVERS)
    here = make_rule(alice, Retained.LEFTOVERS, workspace=fine.workspace)
    assert tried(everywhere) == {refused.pk, left.pk, theirs.pk}
    assert tried(here) == {refused.pk, left.pk}


def test_what_was_kept_as_it_came_goes_and_the_picture_stays(alice: User) -> None:
    image = old(alice, stored=True, raw_size=700)
    bucket.put(keys.raw_key(image.pk), b"raw", "application/octet-stream")
    rule = make_rule(alice, Retained.RAW)
    assert tried(rule) == {image.pk}
    assert rule.tried_size == 700
    assert passed(rule, alice) == set()
    assert not bucket.exists(keys.raw_key(image.pk))
    assert bucket.exists(keys.master_key(image.pk, "jpg"))
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_let_each_picture_go_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 5)
    user = make_user()
    for _ in range(24):
        old(user)
    rule = make_rule(user)
    tried(rule)
    assert retention.switch_on(rule, user, timezone.now())
    went: list[int] = []

    def tick() -> None:
        try:
            while step := retention.step(timezone.now()):
                went.append(step)
        finally:
            connections.close_all()

    clocks = [threading.Thread(target=tick) for _ in range(3)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    done = rule.passes.get()
    assert (sum(went), done.pictures, Retired.objects.count()) == (24, 24, 24)
    assert AuditEntry.objects.filter(action="retention.pass").count() == 1
    assert Notice.objects.get().headline == "24 of your pictures went into the trash"
