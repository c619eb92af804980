"""One prompt on many pictures."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from editor.jobs import admission, batch_mails, batches, clock, ledger
from editor.jobs.batches import cancel_waiting, create_batch, run_again, standing_of
from editor.jobs.creation import EditSpec, NotAllowed
from editor.models import (
    Allowance,
    AllowanceEntry,
    Attempt,
    Batch,
    GenerationJob,
    Image,
    JobState,
    ModerationCase,
    PromptRule,
    RuleAction,
    Usage,
    User,
    Workspace,
)
from tests.jobs.test_allowances import together
from tests.makers import make_image, make_user

pytestmark = pytest.mark.django_db

SPEC = EditSpec(prompt="on a white background", samples=2)


def pictures(user: User, number: int) -> list[Image]:
    return [make_image(user) for _ in range(number)]


def test_each_picture_gets_its_own_edit_in_the_order_chosen(alice: User) -> None:
    chosen = pictures(alice, 3)
    batch = create_batch(alice, chosen, SPEC, "token")
    jobs = list(batch.jobs.order_by("created_at", "id"))
    assert [job.source_image for job in jobs] == chosen
    assert {job.prompt for job in jobs} == {"on a white background"}
    assert len({job.seed for job in jobs}) == 3
    assert not any(job.interactive for job in jobs)


def test_pressing_twice_makes_one_batch(alice: User) -> None:
    chosen = pictures(alice, 2)
    first, second = (create_batch(alice, chosen, SPEC, "token") for _ in range(2))
    assert first == second
    assert GenerationJob.objects.count() == 2


def test_token_of_a_single_edit_makes_no_batch_of_it(alice: User) -> None:
    image = make_image(alice)
    GenerationJob.objects.create(
        workspace=image.workspace, made_by=alice, prompt="x", form_token="token.0.0.0", seed=1, due_at=timezone.now()
    )
    with pytest.raises(NotAllowed, match="reload"):
        create_batch(alice, [image], SPEC, "token")


def test_more_than_is_left_makes_nothing(alice: User, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 5
    with pytest.raises(NotAllowed, match="That would be 6 pictures, and none of them was made"):
        create_batch(alice, pictures(alice, 3), SPEC, "token")
    assert not Batch.objects.exists()
    assert not AllowanceEntry.objects.exists()


def test_more_than_the_most_makes_nothing_and_as_many_makes_all(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_MAX", 2)
    chosen = pictures(alice, 3)
    with pytest.raises(NotAllowed, match="At most 2 pictures at once"):
        create_batch(alice, chosen, SPEC, "too-many")
    assert not Batch.objects.exists()
    assert not GenerationJob.objects.exists()
    create_batch(alice, chosen[:2], SPEC, "just-enough")
    assert GenerationJob.objects.count() == 2


def test_ledger_holds_a_line_for_each_and_sums_that_fit(alice: User, settings: Settings) -> None:
    settings.FLUX_PRICE = 0.05
    batch = create_batch(alice, pictures(alice, 3), SPEC, "token")
    usage = Usage.objects.get()
    assert AllowanceEntry.objects.filter(job__batch=batch, kind=Allowance.HELD).count() == 3
    assert (usage.pictures_held, float(usage.money_held)) == (6, 0.3)
    for job in batch.jobs.all():
        job.cancel(Allowance.RELEASED)
    usage.refresh_from_db()
    assert (usage.pictures_held, float(usage.money_held)) == (0, 0)


def test_many_cost_as_few_queries_as_few(alice: User) -> None:
    def queries(number: int) -> int:
        chosen = pictures(alice, number)
        with CaptureQueriesContext(connection) as seen:
            create_batch(alice, chosen, SPEC, f"token{number}")
        return len(seen)

    assert queries(40) < queries(4) + 10  # rows go to the database in pieces


def coloured(user: User, images: list[Image], token: str) -> Batch:
    values = [{"colour": f"{place} red"} for place in range(len(images))]
    return create_batch(user, images, EditSpec("make it {colour}"), token, values=values)


def test_many_words_cost_as_few_queries_as_few(alice: User) -> None:
    PromptRule.objects.create(name="White", kind="terms", text="white", action=RuleAction.BLOCK)

    def queries(number: int) -> int:
        chosen = pictures(alice, number)
        with CaptureQueriesContext(connection) as seen:
            coloured(alice, chosen, f"token{number}")
        return len(seen)

    assert queries(40) < queries(10) + 10


def test_too_many_are_refused_before_the_rules_look_at_all_their_words(alice: User, settings: Settings) -> None:
    PromptRule.objects.create(name="Red", kind="terms", text="39 red", action=RuleAction.BLOCK)
    settings.EDITS_PER_DAY = 39
    chosen = pictures(alice, 40)
    with pytest.raises(NotAllowed, match="That would be 40 pictures"):
        coloured(alice, chosen, "token")
    assert not ModerationCase.objects.exists()
    made = coloured(alice, chosen[:39], "token")
    assert coloured(alice, chosen[:39], "token") == made  # sent twice, though nothing is left by now
    assert Batch.objects.count() == 1


def test_held_prompt_holds_all_of_them_and_blocked_one_makes_none(alice: User) -> None:
    rule = PromptRule.objects.create(name="White", kind="terms", text="white", action=RuleAction.HOLD)
    batch = create_batch(alice, pictures(alice, 2), SPEC, "token")
    assert {job.state for job in batch.jobs.all()} == {JobState.HELD}
    assert ModerationCase.objects.filter(job__batch=batch).count() == 2
    PromptRule.objects.filter(pk=rule.pk).update(action=RuleAction.BLOCK)
    with pytest.raises(NotAllowed):
        create_batch(alice, pictures(alice, 2), SPEC, "other")
    assert Batch.objects.count() == 1


def test_canceling_stops_what_waits_and_nothing_else(alice: User) -> None:
    batch = create_batch(alice, pictures(alice, 3), SPEC, "token")
    sent = batch.jobs.order_by("created_at")[0]
    assert sent.start_submitting(timedelta(minutes=1), width=320, height=256)
    assert cancel_waiting(batch) == 2
    sent.refresh_from_db()
    assert sent.state == JobState.SUBMITTING
    standing = standing_of(batch)
    assert (standing.working, standing.canceled, standing.total) == (1, 2, 3)
    assert not standing.is_over


def test_many_are_canceled_by_as_few_statements_as_few(alice: User) -> None:
    def statements(number: int) -> int:
        batch = create_batch(alice, pictures(alice, number), SPEC, f"token{number}")
        with CaptureQueriesContext(connection) as seen:
            assert cancel_waiting(batch) == number
        assert ledger.problems() == []
        return len(seen)

    assert statements(40) == statements(4)
    usage = Usage.objects.get()
    assert (usage.pictures_held, usage.pictures_taken) == (0, 0)


def test_process_that_dies_between_two_pieces_leaves_the_rest_to_be_canceled(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = create_batch(alice, pictures(alice, 5), SPEC, "token")
    monkeypatch.setattr(batches, "CANCELED_AT_ONCE", 2)
    broken = batch.jobs.order_by("created_at")[1]  # in the second piece: the newest go first
    entry = AllowanceEntry.objects.get(job=broken).copy_as(Allowance.RELEASED)
    entry.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        cancel_waiting(batch)
    entry.delete()
    assert batch.jobs.waiting().count() == 5
    assert batches.edits_of(batch).cancel_some(2) == 2  # and the process dies
    assert ledger.problems() == []
    assert cancel_waiting(batch) == 3
    assert ledger.problems() == []
    assert Usage.objects.get().pictures_held == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_while_the_rest_is_canceled_is_one_or_the_other(alice: User, settings: Settings) -> None:
    settings.FLUX_QUEUE_LIMIT = settings.FLUX_OUTSTANDING = 6
    batch = create_batch(alice, pictures(alice, 12), SPEC, "token")
    batch.jobs.update(due_at=timezone.now())
    assert together([*[partial(cancel_waiting, batch)] * 2, *[partial(admission.admit_some, 2)] * 2]) == []
    states = Counter(batch.jobs.values_list("state", flat=True))
    assert set(states) <= {JobState.CANCELED, JobState.SUBMITTING}
    assert Attempt.objects.count() == states[JobState.SUBMITTING]
    assert ledger.problems() == []
    assert Usage.objects.get().pictures_held == 2 * states[JobState.SUBMITTING]


def fail(job: GenerationJob, code: str = "vendor") -> None:
    assert job.fail(code)


def test_failed_ones_run_again_once_with_their_seeds(alice: User) -> None:
    batch = create_batch(alice, pictures(alice, 3), SPEC, "token")
    first, second, refused = batch.jobs.order_by("created_at")
    fail(first)
    fail(second)
    fail(refused, "refused")
    assert run_again(batch) == 2
    assert run_again(batch) == 0
    again = GenerationJob.objects.filter(rerun_of__in=[first, second]).order_by("created_at")
    assert [job.seed for job in again] == [first.seed, second.seed]
    standing = standing_of(batch)
    assert (standing.waiting, standing.failed, standing.total) == (2, 1, 3)


@pytest.mark.django_db(transaction=True)
def test_failed_ones_run_again_once_whatever_many_windows_ask(alice: User) -> None:
    batch = create_batch(alice, pictures(alice, 3), SPEC, "token")
    for job in batch.jobs.all():
        fail(job)
    windows = [partial(run_again, batch) for _ in range(4)]
    assert together(windows) == []
    assert batch.jobs.filter(rerun_of__isnull=False).count() == 3
    assert set(batch.jobs.exclude(rerun_of=None).values_list("rerun_of", flat=True)) == set(
        batch.jobs.filter(rerun_of=None).values_list("pk", flat=True)
    )


def test_canceled_ones_can_be_run_after_all(alice: User) -> None:
    batch = create_batch(alice, pictures(alice, 2), SPEC, "token")
    assert cancel_waiting(batch) == 2
    assert run_again(batch) == 0
    assert run_again(batch, JobState.CANCELED) == 2
    assert (standing_of(batch).waiting, standing_of(batch).total) == (2, 2)


def test_pictures_in_the_trash_are_not_run_again(alice: User) -> None:
    batch = create_batch(alice, pictures(alice, 2), SPEC, "token")
    kept, trashed = batch.jobs.order_by("created_at")
    fail(kept)
    fail(trashed)
    Image.objects.filter(pk=trashed.source_image.pk).update(trashed_at=timezone.now())
    assert run_again(batch) == 1
    assert GenerationJob.objects.get(rerun_of__isnull=False).rerun_of == kept


def test_mail_comes_when_the_last_one_ended(alice: User, mailoutbox: list[Any], settings: Settings) -> None:
    batch = create_batch(alice, pictures(alice, 2), SPEC, "token", mail=True)
    unwanted = create_batch(make_user("bob@example.com"), [make_image(make_user())], SPEC, "token")
    first, last = batch.jobs.order_by("created_at")
    fail(first)
    batch_mails.mail_batch(str(batch.pk))
    assert mailoutbox == []
    last.cancel(Allowance.RELEASED)
    cancel_waiting(unwanted)
    assert list(batches.to_be_mailed(timezone.now())) == [batch.pk]
    batch_mails.mail_batch(str(batch.pk))
    batch_mails.mail_batch(str(batch.pk))
    (sent,) = mailoutbox
    assert sent.to == ["alice@example.com"]
    assert "1 did not work" in sent.body
    assert f"{settings.PUBLIC_URL}/batches/{batch.pk}/" in sent.body


@pytest.mark.parametrize("gone", ["member", "workspace"])
def test_whoever_sees_a_batch_no_more_is_mailed_nothing_of_it(gone: str, alice: User, mailoutbox: list[Any]) -> None:
    batch = create_batch(alice, pictures(alice, 1), SPEC, "token", mail=True)
    cancel_waiting(batch)
    if gone == "member":
        batch.workspace.memberships.all().delete()
    else:
        Workspace.objects.filter(pk=batch.workspace_id).update(personal_for=None, trashed_at=timezone.now())
    batch_mails.mail_batch(str(batch.pk))
    batch.refresh_from_db()
    assert (mailoutbox, batch.mail_due_at) == ([], None)


def test_mail_server_that_fails_when_a_long_batch_ends_is_asked_again(
    alice: User, mailoutbox: list[Any], settings: Settings
) -> None:
    batch = create_batch(alice, pictures(alice, 1), SPEC, "token", mail=True)
    cancel_waiting(batch)
    Batch.objects.filter(pk=batch.pk).update(created_at=timezone.now() - timedelta(days=3))
    good, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1  # where nobody listens
    batch_mails.mail_batch(str(batch.pk))
    batch.refresh_from_db()
    assert batch.mail_due_at
    Batch.objects.filter(pk=batch.pk).update(mail_due_at=timezone.now())
    settings.EMAIL_BACKEND = good
    batch_mails.mail_batch(str(batch.pk))
    assert len(mailoutbox) == 1


def test_clock_rings_for_the_mail(alice: User, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    batch = create_batch(alice, pictures(alice, 1), SPEC, "token", mail=True)
    cancel_waiting(batch)
    with django_capture_on_commit_callbacks() as rung:
        clock.tick()
    assert any(str(batch.pk) in str(ring) for ring in rung)


def test_row_that_the_database_refuses_is_an_error_and_not_an_earlier_edit(alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        create_batch(alice, pictures(alice, 2), EditSpec(prompt="x", samples=9), "token")
    assert not Batch.objects.exists()
