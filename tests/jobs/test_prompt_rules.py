"""A rule fits the words of an edit: it is not made, or it waits for a look, or somebody looks at it later."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import django_rq
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.jobs.progress import progress
from editor.models import (
    Allowance,
    CaseState,
    Cause,
    GenerationJob,
    HeldFor,
    JobState,
    ModerationCase,
    PromptRule,
    RuleAction,
    Usage,
    User,
)
from editor.moderation.prompts import MOST_PROMPTS
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db

SPEC = EditSpec("make her nude")


def rule(action: RuleAction, **fields: Any) -> PromptRule:
    return PromptRule.objects.create(**({"name": f"nudity, {action}", "text": "nude", "action": action} | fields))


def ask(user: User, spec: EditSpec = SPEC, token: str = "") -> GenerationJob:
    return create_job(user, [make_image(user)], spec, token or uuid4().hex)


class TestBlock:
    def test_edit_is_not_made_nor_charged_and_the_person_reads_what_to_do(self, alice: User) -> None:
        rule(RuleAction.BLOCK)
        with pytest.raises(NotAllowed, match=r"“nude” is not accepted here.*nothing was charged. Say it in another"):
            ask(alice)
        assert not GenerationJob.objects.exists()
        assert not Usage.objects.exists()

    def test_explanation_of_the_rule_is_what_the_person_reads(self, alice: User) -> None:
        rule(RuleAction.BLOCK, explanation="No nudity, please.")
        with pytest.raises(NotAllowed, match=r"^No nudity, please\.$"):
            ask(alice)

    def test_long_finds_are_not_quoted(self, alice: User) -> None:
        rule(RuleAction.BLOCK, text="nude.*", kind="pattern")
        with pytest.raises(NotAllowed, match=r"^Some of these words are not accepted here"):
            ask(alice, EditSpec("nude " + "very " * 30))

    def test_desk_gets_one_case_about_the_person_with_all_prompts(self, alice: User) -> None:
        rule(RuleAction.BLOCK)
        bob = make_user()
        for person, prompt in [(alice, "nude one"), (alice, "nude two"), (alice, "nude two"), (bob, "nude three")]:
            with pytest.raises(NotAllowed):
                ask(person, EditSpec(prompt, negative_prompt="hats"))
        case = ModerationCase.objects.get(person=alice)
        assert (case.cause, case.key, case.job, case.image) == (Cause.RULE, "nudity, block", None, None)
        assert [one["prompt"] for one in case.details["prompts"]] == ["nude one", "nude two"]
        assert case.details["times"] == 3
        assert case.details["prompts"][0]["rules"] == [{"name": "nudity, block", "action": "block", "words": ["nude"]}]
        assert ModerationCase.objects.get(person=bob).details["times"] == 1

    def test_case_keeps_so_many_prompts_and_counts_the_others(self, alice: User) -> None:
        rule(RuleAction.BLOCK)
        for number in range(MOST_PROMPTS + 3):
            with pytest.raises(NotAllowed):
                ask(alice, EditSpec(f"nude {number}"))
        details = ModerationCase.objects.get().details
        assert (len(details["prompts"]), details["times"]) == (MOST_PROMPTS, MOST_PROMPTS + 3)

    def test_decided_case_is_not_added_to(self, alice: User) -> None:
        rule(RuleAction.BLOCK)
        with pytest.raises(NotAllowed):
            ask(alice)
        ModerationCase.objects.update(state=CaseState.DECIDED, decided_at=timezone.now())
        with pytest.raises(NotAllowed):
            ask(alice)
        assert sorted(case.details["times"] for case in ModerationCase.objects.all()) == [1, 1]

    def test_same_form_sent_again_finds_the_edit_that_it_made_before_the_rule(self, alice: User) -> None:
        job = ask(alice, token="token")
        rule(RuleAction.BLOCK)
        assert ask(alice, token="token") == job
        assert not ModerationCase.objects.exists()

    def test_run_again_is_looked_at_like_a_new_one(self, alice: User) -> None:
        old = make_job(alice, prompt=SPEC.prompt)
        assert old.fail("vendor")
        rule(RuleAction.BLOCK)
        client = Client()
        client.force_login(alice)
        response = client.post(f"/edits/{old.pk}/run-again/", {"form_token": "new", "mode": "same"}, follow=True)
        assert "is not accepted here" in response.content.decode()
        assert GenerationJob.objects.get() == old


class TestHold:
    def test_edit_waits_for_a_look_and_nobody_is_rung_for(
        self, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        rule(RuleAction.HOLD)
        with django_capture_on_commit_callbacks(execute=True):
            job = ask(alice)
        assert (job.state, job.held_for, job.due_at, job.allowance) == (
            JobState.HELD,
            HeldFor.RULE,
            None,
            Allowance.HELD,
        )
        assert progress(job).headline == "Waits for a look by a moderator"
        assert progress(job).can_cancel
        assert len(django_rq.get_queue("edits")) == 0
        assert Usage.objects.get().pictures_held == 1

    def test_desk_gets_a_case_about_the_edit(self, alice: User) -> None:
        rule(RuleAction.HOLD)
        job = ask(alice)
        case = ModerationCase.objects.get()
        assert (case.cause, case.job, case.person, case.workspace) == (Cause.RULE, job, alice, job.workspace)
        assert (case.key, case.urgency) == ("nudity, hold", 80)
        assert case.details["rules"][0]["words"] == ["nude"]

    def test_edit_that_is_not_made_leaves_no_case(self, alice: User) -> None:
        rule(RuleAction.HOLD)
        alice.edits_per_day = 0
        with pytest.raises(NotAllowed, match="none are left"):
            ask(alice)
        assert not ModerationCase.objects.exists()


class TestNote:
    def test_edit_goes_on_and_somebody_looks_later(
        self, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        rule(RuleAction.NOTE)
        with django_capture_on_commit_callbacks(execute=True):
            job = ask(alice)
        case = ModerationCase.objects.get()
        assert (job.state, case.job, case.urgency) == (JobState.QUEUED, job, 20)
        assert [ring.args[0] for ring in django_rq.get_queue("edits").jobs] == [str(job.pk)]

    def test_edit_without_such_words_leaves_no_case(self, alice: User) -> None:
        rule(RuleAction.NOTE)
        assert ask(alice, EditSpec("a blue hat")).state == JobState.QUEUED
        assert not ModerationCase.objects.exists()


class TestPause:
    def test_nothing_is_made_until_the_pause_is_over(self, alice: User) -> None:
        until = timezone.now() + timedelta(hours=3)
        User.objects.filter(pk=alice.pk).update(edits_paused_until=until)
        with pytest.raises(
            NotAllowed, match=f"kept back too many.*until {until.day} {until:%B}, {until:%H:%M} \\(UTC\\)"
        ):
            ask(alice)
        assert not GenerationJob.objects.exists()
        User.objects.filter(pk=alice.pk).update(edits_paused_until=timezone.now())
        assert ask(alice).state == JobState.QUEUED
