"""Reporting a picture: by whoever sees it, without scripts, and once until it is decided."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.admin.prompt_rules import RuleForm
from editor.forms import AppealForm
from editor.forms.desk import DecisionForm
from editor.models import (
    CaseState,
    Cause,
    Image,
    Membership,
    ModerationCase,
    Report,
    ReportReason,
    Role,
    User,
    Workspace,
)
from editor.moderation import reports
from editor.moderation.cases import REPORT_URGENCY
from tests.makers import make_image, make_job
from tests.people import client_of, make_person, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(bob: User, team: Workspace) -> Image:
    return make_image(bob, workspace=team, name="hateful.jpg")


def address(picture: Image) -> str:
    return reverse("picture_report", args=[picture.pk])


def test_a_report_opens_a_case_and_says_what_happens_next(alice_client: Client, alice: User, picture: Image) -> None:
    sent = submit(alice_client, address(picture), reason="hate", words="Look at the sign.")
    assert sent["Location"] == f"{address(picture)}?sent=1"
    page = alice_client.get(sent["Location"]).content.decode()
    assert "A moderator will look at" in page
    case = ModerationCase.objects.get()
    assert (case.cause, case.key, case.person, case.image) == (Cause.REPORT, "hate", picture.made_by, picture)
    assert case.urgency == REPORT_URGENCY[ReportReason.HATE]
    report = Report.objects.get()
    assert (report.reporter, report.reason, report.words) == (alice, "hate", "Look at the sign.")


def test_reporting_again_changes_what_was_said(alice_client: Client, picture: Image) -> None:
    submit(alice_client, address(picture), reason="other", words="Hm.")
    assert "Hm." in alice_client.get(address(picture)).content.decode()
    submit(alice_client, address(picture), reason="child", words="A child is shown.")
    report, case = Report.objects.get(), ModerationCase.objects.get()
    assert (report.reason, report.words) == ("child", "A child is shown.")
    assert (case.key, case.urgency) == ("child", REPORT_URGENCY[ReportReason.CHILD])


def test_all_reports_of_a_picture_stand_in_one_case_named_after_the_most_urgent(
    alice_client: Client, picture: Image, team: Workspace
) -> None:
    submit(alice_client, address(picture), reason="nudity")
    for number, reason in enumerate(("illegal", "rights")):
        other = make_person(f"other{number}")
        Membership.objects.create(workspace=team, user=other, role=Role.VIEWER)
        submit(client_of(other), address(picture), reason=reason)
    case = ModerationCase.objects.get()
    assert case.reports.count() == 3
    assert (case.key, case.urgency) == ("illegal", REPORT_URGENCY[ReportReason.ILLEGAL])


def test_after_a_decision_a_report_opens_a_new_case(alice_client: Client, picture: Image) -> None:
    submit(alice_client, address(picture), reason="hate")
    ModerationCase.objects.update(state=CaseState.DECIDED, decided_at=timezone.now())
    submit(alice_client, address(picture), reason="hate", words="It is still there.")
    assert ModerationCase.objects.count() == 2
    assert Report.objects.count() == 2


def test_a_report_needs_a_reason_and_not_a_novel(alice_client: Client, picture: Image) -> None:
    for fields in ({}, {"reason": "boring"}, {"reason": "hate", "words": "x" * 2001}):
        answer = submit(alice_client, address(picture), **fields)
        assert answer.status_code == 422
        assert "field-error" in answer.content.decode()
    assert not Report.objects.exists()


def test_nobody_reports_without_end(
    alice_client: Client, bob: User, team: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "A_DAY", 3)
    pictures = [make_image(bob, workspace=team) for _ in range(4)]
    answers = [submit(alice_client, address(each), reason="other").status_code for each in pictures]
    assert answers == [302, 302, 302, 422]
    assert ModerationCase.objects.count() == 3
    # What was said already may still be changed.
    assert submit(alice_client, address(pictures[0]), reason="hate").status_code == 302


def test_strangers_can_not_report_what_they_can_not_see(charlie_client: Client, picture: Image) -> None:
    assert charlie_client.get(address(picture)).status_code == 404
    assert submit(charlie_client, address(picture), reason="hate").status_code == 404
    assert submit(Client(), address(picture), reason="hate").status_code == 302
    assert not ModerationCase.objects.exists()


def test_every_page_with_a_picture_leads_to_the_report(alice_client: Client, alice: User, picture: Image) -> None:
    result = make_image(
        alice,
        kind="generated",
        job=make_job(alice, state="succeeded", allowance="taken", finished_at=timezone.now(), due_at=None),
    )
    assert result.job
    pages = {
        reverse("picture", args=[picture.pk]): picture,
        reverse("studio_image", args=[picture.pk]): picture,
        reverse("picture", args=[result.pk]): result,
        reverse("edit", args=[result.job.pk]): result,
        f"{reverse('studio_image', args=[result.job.source_image.pk])}?edit={result.job.pk}": result,
    }
    for page, shown in pages.items():
        assert address(shown) in alice_client.get(page).content.decode(), page


def test_a_viewer_finds_the_report_as_well(picture: Image, team: Workspace) -> None:
    viewer = make_person("viewer")
    Membership.objects.create(workspace=team, user=viewer, role=Role.VIEWER)
    for name in ("picture", "studio_image"):
        assert address(picture) in client_of(viewer).get(reverse(name, args=[picture.pk])).content.decode()


def test_words_of_people_and_moderators_never_turn_the_text_around_them(alice_client: Client, picture: Image) -> None:
    turned = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
    submit(alice_client, address(picture), reason="hate", words=f"Look{turned} here.\nשלום")
    assert Report.objects.get().words == "Look here.\nשלום"
    appeal = AppealForm({"words": turned})
    assert "Say why" in str(appeal.errors)
    decision = DecisionForm({"actions": ["warn"], "words": f"No{turned}", "note": f"a{turned}b"})
    assert decision.is_valid()
    assert (decision.reason, decision.cleaned_data["note"]) == ("No", "ab")
    rule = RuleForm({"name": f"a{turned} rule", "kind": "term", "text": "hat", "action": "hold", "explanation": turned})
    assert rule.is_valid(), rule.errors
    assert (rule.cleaned_data["name"], rule.cleaned_data["explanation"]) == ("a rule", "")
