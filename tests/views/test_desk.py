"""The desk's pages: for moderators alone, with pictures that nobody loads before they ask."""

import re
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.desk import appeals, decisions, overview, queue
from editor.images import bucket, keys
from editor.models import (
    Action,
    AuditEntry,
    CaseState,
    Cause,
    Decision,
    HeldFor,
    JobState,
    ModerationCase,
    PromptRule,
    Report,
    RuleAction,
    RuleKind,
    User,
)
from editor.moderation.cases import open_case
from editor.moderation.prompts import open_case_of_blocked
from editor.moderation.rules import look_at_prompt
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_image, make_job, make_user
from tests.people import admin, alice, client_of, quick_passwords

__all__ = ["admin", "alice", "quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def mo(quick_passwords: None) -> User:
    return make_moderator("mo")


@pytest.fixture
def mia(quick_passwords: None) -> User:
    return make_moderator("mia")


@pytest.fixture
def desk(mo: User) -> Client:
    return client_of(mo)


def text_of(client: Client, name: str, *args: object, query: str = "") -> str:
    response = client.get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


def reported(person: User, words: str = "Look at this.") -> ModerationCase:
    case = open_case(Cause.REPORT, person, image=make_image(person, stored=True), key="nudity", urgency=60)
    Report.objects.create(case=case, reporter=make_user(), reason="nudity", words=words)
    return case


def body_of(response: HttpResponseBase) -> bytes:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in cast(StreamingHttpResponse, response)])

    assert response.status_code == 200
    return async_to_sync(read)()


# The queue ------------------------------------------------------------------------------------------------------------


def test_empty_desk_says_so(desk: Client) -> None:
    page = text_of(desk, "desk")
    assert "Nothing waits." in page
    assert "Start" not in page


def test_queue_has_one_row_for_what_belongs_together(desk: Client, alice: User) -> None:
    bella = make_user()
    for _ in range(3):
        case_about(make_image(alice))
    case_about(make_image(bella))
    case_about(make_image(alice), Cause.FINGERPRINT)
    page = overview.groups(queue.Scope())
    assert [(group.cause, group.first.person, group.many) for group in page.groups] == [
        (Cause.FINGERPRINT, alice, "1"),
        (Cause.CLASSIFIER, alice, "3"),
        (Cause.CLASSIFIER, bella, "1"),
    ]
    assert text_of(desk, "desk").count('class="desk-group"') == 3
    assert text_of(desk, "desk", query="?cause=fingerprint").count('class="desk-group"') == 1


def test_large_group_is_counted_up_to_a_bound(alice: User) -> None:
    for _ in range(overview.COUNTED + 3):
        case_about(make_image(alice))
    with CaptureQueriesContext(connection) as asked:
        (group,) = overview.groups(queue.Scope()).groups
    assert group.many == f"{overview.COUNTED}+"
    assert all("LIMIT" in query["sql"] for query in asked if "COUNT(" in query["sql"])


def test_queue_goes_on_behind_its_first_page(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "LOOKED_AT", 2)
    people = [make_user() for _ in range(5)]
    for person in people:
        case_about(make_image(person))
    found, query = [], ""
    while True:
        page = text_of(desk, "desk", query=query)
        found += re.findall(r"person=(\d+)\"", page)
        further = re.search(r"after=([^\"]+)\"", page)
        if further is None:
            break
        query = f"?after={further[1]}"
    assert found == [str(person.pk) for person in people]
    assert text_of(desk, "desk", query="?after=forged").count('class="desk-group"') == 2


def test_page_of_the_queue_holds_no_more_groups_than_it_shows(
    desk: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "SHOWN", 2)
    people = [make_user() for _ in range(3)]
    for person in [people[0], people[1], people[0], people[2], people[0]]:
        case_about(make_image(person))
    page = overview.groups(queue.Scope())
    assert [(group.first.person, group.number) for group in page.groups] == [(people[0], 3), (people[1], 1)]
    assert page.further is not None
    later = overview.groups(queue.Scope(), page.further)
    assert [group.first.person for group in later.groups] == [people[2], people[0]]
    assert later.further is None


def test_queue_says_who_looks_at_what(desk: Client, mia: User, alice: User) -> None:
    case = case_about(make_image(alice))
    assert "Being looked at" not in text_of(desk, "desk")
    assert queue.claim(mia, case.pk)
    assert "Mia" in text_of(desk, "desk")


def test_start_opens_the_most_urgent(desk: Client, alice: User) -> None:
    case_about(make_image(alice))
    urgent = case_about(make_image(alice), Cause.FINGERPRINT)
    response = desk.post(reverse("desk_next"))
    assert response["Location"] == reverse("desk_case", args=[urgent.pk])


# A case ---------------------------------------------------------------------------------------------------------------


def test_case_shows_why_and_the_record_and_what_was_decided_about_the_like(
    desk: Client, mia: User, alice: User
) -> None:
    decide(mia, reported(make_user(), "Another."), Action.WARN, reason="Be kind.")
    decide(mia, case_about(make_image(alice)), Action.SENSITIVE)
    open_case(Cause.OFTEN, alice)
    page = text_of(desk, "desk_case", reported(alice, "This is my sister.").pk)
    for words in ("This is my sister.", "It is sexual", "Be kind.", "Mark sensitive", "blocked too often"):
        assert words in page


def test_case_of_a_rule_shows_the_words_that_it_found(desk: Client, alice: User) -> None:
    details = {"rules": [{"name": "Weapons", "action": "hold", "words": ["rifle"]}], "action": "hold"}
    job = make_job(alice, prompt="put a rifle into her hands")
    page = text_of(desk, "desk_case", open_case(Cause.RULE, alice, job=job, key="Weapons", details=details).pk)
    assert "Rule “Weapons”, hold" in page
    assert "“rifle”" in page
    assert "put a rifle into her hands" in page


def test_case_of_blocked_prompts_shows_which_rule_found_which_words(desk: Client, alice: User) -> None:
    rule = PromptRule.objects.create(name="Weapons", kind=RuleKind.TERM, text="rifle", action=RuleAction.BLOCK)
    prompt, without = "put a rifle into her hands", "no rifle case"
    open_case_of_blocked(alice, prompt, without, look_at_prompt(prompt, without))
    page = text_of(desk, "desk_case", ModerationCase.objects.get(cause=Cause.RULE, key=rule.name).pk)
    for words in (prompt, without, "Rule “Weapons”, block", "“rifle”"):
        assert words in page


def test_held_edit_may_be_released_or_refused(desk: Client, alice: User) -> None:
    job = make_job(alice)
    assert job.hold(HeldFor.RULE)
    page = text_of(desk, "desk_case", open_case(Cause.RULE, alice, job=job, key="Weapons").pk)
    for words in ("<span>Release<kbd>", "<span>Refuse<kbd>"):
        assert words in page
    assert 'value="sensitive"' not in page
    assert "Mark sensitive; decides" not in page  # nor among the keys


def test_appeal_shows_the_earlier_decision_with_its_note(desk: Client, mia: User, alice: User) -> None:
    decision = decide(mia, case_about(make_image(alice)), Action.REMOVE, reason="Rude.", note="The third one.")
    page = text_of(desk, "desk_case", appeals.appeal(alice, decision, "It is my own cup.").pk)
    for words in ("It is my own cup.", "Rude.", "The third one.", "Mia", "It stands"):
        assert words in page


def test_appeal_that_stands_leaves_all_as_it_is(desk: Client, mia: User, alice: User) -> None:
    decision = decide(mia, case_about(make_image(alice)), Action.REMOVE)
    appeal = appeals.appeal(alice, decision, "It is my own cup.")
    desk.get(reverse("desk_case", args=[appeal.pk]))
    desk.post(reverse("desk_decide", args=[appeal.pk]), {"stands": "1", "words": "The same."})
    answer = Decision.objects.get(case=appeal)
    assert answer.actions == ["remove"]
    assert Decision.objects.filter(case=decision.case).count() == 1


def test_case_of_a_colleague_says_who_has_it_and_offers_no_decision(desk: Client, mia: User, alice: User) -> None:
    case = case_about(make_image(alice))
    assert queue.claim(mia, case.pk)
    page = text_of(desk, "desk_case", case.pk)
    assert "Mia has this one until" in page
    assert "data-desk-decide" not in page
    case.refresh_from_db()
    assert case.claimed_by == mia


def test_case_about_oneself_shows_nothing_but_that(desk: Client, mo: User, mia: User) -> None:
    case = reported(mo, "He did it again.")
    picture = reverse("desk_picture", args=[case.pk, case.image_id, 640])
    reporter = Report.objects.get(case=case).reporter

    def is_closed() -> None:
        for page in (
            text_of(desk, "desk_case", case.pk, query="?show=1"),
            desk.post(reverse("desk_decide", args=[case.pk]), {"actions": ["fine"]}).content.decode(),
        ):
            assert "This one is about you; a colleague decides." in page
            for hidden in ("He did it again.", reporter.get_short_name(), picture, "data-desk-decide"):
                assert hidden not in page
        assert desk.get(picture).status_code == 404

    is_closed()
    removal = decide(mia, case, Action.REMOVE, reason="Rude.", note="We should talk about him.")
    is_closed()
    for page in (text_of(desk, "desk_decision", removal.pk), text_of(desk, "desk_person", mo.pk)):
        assert "We should talk about him." not in page
    assert not AuditEntry.objects.filter(action="picture.viewed").exists()


def test_only_moderator_of_all_sees_what_is_about_themselves(desk: Client, mo: User) -> None:
    case = reported(mo)
    assert "data-desk-decide" in text_of(desk, "desk_case", case.pk)
    assert desk.get(reverse("desk_picture", args=[case.pk, case.image_id, 640])).status_code == 200


def test_decided_case_shows_what_was_decided(desk: Client, mia: User, alice: User) -> None:
    case = case_about(make_image(alice))
    decide(mia, case, Action.REMOVE, reason="Rude.")
    page = text_of(desk, "desk_case", case.pk)
    assert "Rude." in page
    assert "data-desk-decide" not in page


# Pictures -------------------------------------------------------------------------------------------------------------


def test_no_page_of_the_desk_loads_a_picture_before_it_is_asked_for(desk: Client, alice: User) -> None:
    case = reported(alice)
    for page in (
        text_of(desk, "desk"),
        text_of(desk, "desk", query=f"?cause=report&person={alice.pk}"),
        text_of(desk, "desk_case", case.pk),
    ):
        sources = re.findall(r"<img[^>]+?src=\"([^\"]+)\"", page)
        assert [source for source in sources if not source.startswith(("data:", "/static/"))] == []
    shown = text_of(desk, "desk_case", case.pk, query="?show=1")
    assert f'src="{reverse("desk_picture", args=[case.pk, case.image_id, 640])}"' in shown


def test_pictures_of_the_desk_never_go_by_a_link_that_outlives_the_claim(
    desk: Client, alice: User, settings: Settings
) -> None:
    settings.S3_PUBLIC = True
    case = case_about(make_image(alice, stored=True))
    assert body_of(desk.get(reverse("desk_picture", args=[case.pk, case.image_id, 320]))) != b""


def test_look_is_recorded_once_for_each_case_and_moderator(desk: Client, mia: User, alice: User) -> None:
    case = reported(alice)
    address = reverse("desk_picture", args=[case.pk, case.image_id, 640])
    for client in (desk, desk, client_of(mia)):
        response = client.get(address)
        assert body_of(response) != b""
        assert response["Cache-Control"] == "private, no-store"
    looks = AuditEntry.objects.filter(action="picture.viewed").order_by("number")
    assert [entry.actor.name for entry in looks] == ["Mo", "Mia"]  # type: ignore[union-attr]


def test_pictures_of_a_case_are_its_subject_its_sources_its_results_and_the_first_upload(
    desk: Client, alice: User
) -> None:
    first, second, stranger = (make_image(alice, stored=True) for _ in range(3))
    done = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    job = make_job(alice, second, **done)
    results = [make_image(alice, stored=True, kind="generated", job=job, position=i, root=first) for i in range(2)]
    case = case_about(results[0])
    for image in (first, second, *results):
        assert body_of(desk.get(reverse("desk_picture", args=[case.pk, image.pk, 320]))) != b""
    assert desk.get(reverse("desk_picture", args=[case.pk, stranger.pk, 320])).status_code == 404
    assert desk.get(reverse("desk_picture", args=[uuid4(), results[0].pk, 320])).status_code == 404


def test_removed_picture_is_served_from_the_quarantine(desk: Client, alice: User) -> None:
    image = make_image(alice, stored=True, trashed_at=timezone.now(), removed_at=timezone.now())
    key = keys.rendition_key(image.pk, 320)
    bucket.put(keys.quarantine_key(key), b"apart", "image/webp")
    bucket.delete([key])
    case = case_about(image)
    assert body_of(desk.get(reverse("desk_picture", args=[case.pk, image.pk, 320]))) == b"apart"


@pytest.mark.parametrize("who", ["anonymous", "owner"])
def test_pictures_of_the_desk_are_for_moderators_alone(who: str, alice: User) -> None:
    case = reported(alice)
    client = Client() if who == "anonymous" else client_of(alice)
    assert client.get(reverse("desk_picture", args=[case.pk, case.image_id, 640])).status_code == 404
    assert not AuditEntry.objects.exists()


# Deciding -------------------------------------------------------------------------------------------------------------


def test_plain_form_decides_and_goes_on_to_the_next(desk: Client, mo: User, alice: User) -> None:
    first, second = case_about(make_image(alice), Cause.FINGERPRINT), case_about(make_image(alice))
    body = {"actions": ["remove", "warn"], "preset": "It is sexual.", "note": "Third time."}
    response = desk.post(reverse("desk_decide", args=[first.pk]), body)
    decision = Decision.objects.get()
    assert (decision.actions, decision.reason, decision.note) == (["remove", "warn"], "It is sexual.", "Third time.")
    assert response["Location"] == reverse("desk_case", args=[second.pk])
    assert reverse("desk_decision", args=[decision.pk]) in desk.get(response["Location"]).content.decode()


def test_htmx_gets_the_next_case_at_once(desk: Client, alice: User) -> None:
    first, second = case_about(make_image(alice), Cause.DESCENDANT), case_about(make_image(alice))
    htmx = {"hx-request": "true"}
    response = desk.post(reverse("desk_decide", args=[first.pk]), {"actions": ["fine"]}, headers=htmx)
    assert response["HX-Push-Url"] == reverse("desk_case", args=[second.pk])
    assert f'data-case="{second.pk}"' in response.content.decode()
    assert "<html" not in response.content.decode()
    assert 'value="fine" data-key="f">' in response.content.decode()  # nothing is chosen beforehand
    last = desk.post(reverse("desk_decide", args=[second.pk]), {"actions": ["fine"]}, headers=htmx)
    assert "Nothing is left" in last.content.decode()


@pytest.mark.parametrize("cause", [Cause.REPORT, Cause.FINGERPRINT])
@pytest.mark.parametrize("action", ["fine", "sensitive"])
def test_what_is_grave_passes_unseen_only_when_it_is_said_twice(
    cause: Cause, action: str, desk: Client, alice: User
) -> None:
    case = open_case(cause, alice, image=make_image(alice, stored=True), key="child", urgency=90)
    address = reverse("desk_decide", args=[case.pk])
    asked = desk.post(address, {"actions": [action]})
    assert asked.status_code == 422
    assert "You have not looked at the picture." in asked.content.decode()
    assert not Decision.objects.exists()
    (field,) = re.findall(r'<input type="hidden" name="(unseen)" value="1">', asked.content.decode())
    assert desk.post(address, {"actions": [action], field: "1"}).status_code == 302
    assert Decision.objects.get().actions == [action]


def test_what_was_looked_at_and_what_is_harmless_passes_at_once(desk: Client, mia: User, alice: User) -> None:
    grave = open_case(Cause.REPORT, alice, image=make_image(alice, stored=True), key="child", urgency=100)
    body_of(client_of(mia).get(reverse("desk_picture", args=[grave.pk, grave.image_id, 640])))
    assert desk.post(reverse("desk_decide", args=[grave.pk]), {"actions": ["fine"]}).status_code == 422  # she did
    body_of(desk.get(reverse("desk_picture", args=[grave.pk, grave.image_id, 640])))
    for case in (grave, reported(alice)):
        assert desk.post(reverse("desk_decide", args=[case.pk]), {"actions": ["fine"]}).status_code == 302
    removed = open_case(Cause.REPORT, alice, image=make_image(alice, stored=True), key="child", urgency=100)
    body = {"actions": ["remove"], "words": "No."}
    assert desk.post(reverse("desk_decide", args=[removed.pk]), body).status_code == 302


def test_ones_own_words_go_before_a_preset(desk: Client, alice: User) -> None:
    case = case_about(make_image(alice))
    body = {"actions": ["warn"], "preset": "It is sexual.", "words": "Ask your sister first."}
    desk.post(reverse("desk_decide", args=[case.pk]), body)
    assert Decision.objects.get().reason == "Ask your sister first."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Choose what to do."),
        ({"actions": ["remove"]}, "Give a reason"),
        ({"actions": ["fine", "remove"], "words": "x"}, "go together"),
        ({"actions": ["promote"]}, "Choose what to do."),
        ({"actions": ["warn"], "preset": "forged"}, "Choose a reason."),
        ({"actions": ["warn"], "words": "x" * 201}, "At most 200 characters"),
    ],
)
def test_what_is_no_decision_is_said_beside_what_was_typed(
    body: dict[str, object], sentence: str, desk: Client, alice: User
) -> None:
    case = case_about(make_image(alice))
    response = desk.post(reverse("desk_decide", args=[case.pk]), {**body, "note": "Typed already."})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "Typed already." in response.content.decode()
    assert not Decision.objects.exists()


def test_case_that_a_colleague_took_meanwhile_is_not_decided(desk: Client, mia: User, alice: User) -> None:
    case = case_about(make_image(alice))
    assert queue.claim(mia, case.pk)
    response = desk.post(reverse("desk_decide", args=[case.pk]), {"actions": ["fine"]})
    assert response.status_code == 422
    assert "Mia has this one until" in response.content.decode()
    assert not Decision.objects.exists()


def test_skipped_case_is_free_and_does_not_come_again_at_once(desk: Client, mia: User, alice: User) -> None:
    first, second = case_about(make_image(alice), Cause.FINGERPRINT), case_about(make_image(alice))
    desk.get(reverse("desk_case", args=[first.pk]))
    assert desk.post(reverse("desk_skip", args=[first.pk]))["Location"] == reverse("desk_case", args=[second.pk])
    assert queue.claim(mia, first.pk)
    queue.let_go(mia, first.pk)
    response = desk.post(reverse("desk_decide", args=[second.pk]), {"actions": ["fine"]})
    assert response["Location"].startswith(reverse("desk_case", args=[first.pk]))


@pytest.mark.parametrize("htmx", [True, False])
def test_skipping_the_last_one_says_that_it_is_the_last(htmx: bool, desk: Client, alice: User) -> None:
    first, second = (case_about(make_image(alice)) for _ in range(2))
    headers = {"hx-request": "true"} if htmx else {}

    def skip(case: ModerationCase) -> str:
        return desk.post(reverse("desk_skip", args=[case.pk]), headers=headers, follow=True).content.decode()

    assert "This is the last one" not in skip(first)
    decide(User.objects.get(name="Mo"), second, Action.FINE)
    page = skip(first)
    assert f'data-case="{first.pk}"' in page
    assert "This is the last one" in page


def test_what_also_waits_is_counted(desk: Client, alice: User) -> None:
    cases = [case_about(make_image(alice)) for _ in range(3)]
    assert ">2 × flagged by the classifier</a>" in text_of(desk, "desk_case", cases[0].pk)


@pytest.mark.parametrize(
    ("reason", "kept"), [("It is sexual.", 'value="It is sexual." data-key="5" checked'), ("Rude.", 'value="Rude."')]
)
def test_change_begins_with_the_earlier_reason_and_the_hidden_picture(
    reason: str, kept: str, desk: Client, mia: User, alice: User
) -> None:
    case = reported(alice)
    first = decide(mia, case, Action.REMOVE, reason=reason)
    picture = reverse("desk_picture", args=[case.pk, case.image_id, 640])
    page = text_of(desk, "desk_decision", first.pk)
    assert kept in page
    assert f'src="{picture}"' not in page.replace("data-src", "")
    assert f' src="{picture}"' in text_of(desk, "desk_decision", first.pk, query="?show=1")


def test_next_stays_within_the_part_of_the_queue(desk: Client, alice: User) -> None:
    case_about(make_image(alice), Cause.FINGERPRINT)
    first, second = (case_about(make_image(alice)) for _ in range(2))
    body = {"actions": ["fine"], "cause": "classifier", "person": alice.pk}
    response = desk.post(reverse("desk_decide", args=[first.pk]), body)
    assert response["Location"].startswith(
        reverse("desk_case", args=[second.pk]) + f"?cause=classifier&person={alice.pk}"
    )
    assert reverse("desk_done") in desk.post(reverse("desk_decide", args=[second.pk]), body)["Location"]


def test_many_are_decided_at_once_and_what_was_taken_is_said(desk: Client, mia: User, alice: User) -> None:
    cases = [case_about(make_image(alice)) for _ in range(4)]
    assert queue.claim(mia, cases[0].pk)
    query = f"?cause=classifier&person={alice.pk}"
    page = text_of(desk, "desk", query=query)
    assert page.count('name="case"') == 4
    assert page.count(" disabled>") == 1
    body = {"case": [case.pk for case in cases], "actions": ["sensitive"], "cause": "classifier", "person": alice.pk}
    response = desk.post(reverse("desk_bulk"), body)
    assert response["Location"] == reverse("desk") + query
    assert "3 decided: Mark sensitive. One was not free any more" in desk.get(response["Location"]).content.decode()
    assert set(ModerationCase.objects.filter(state=CaseState.OPEN)) == {cases[0]}


def test_case_about_a_person_offers_what_can_be_done_to_people(desk: Client, alice: User) -> None:
    case = open_case(Cause.OFTEN, alice)
    for page in (text_of(desk, "desk_case", case.pk), text_of(desk, "desk", query=f"?cause=often&person={alice.pk}")):
        assert re.findall(r'name="actions" value="(\w+)"', page) == ["fine", "warn", "restrict", "suspend"]
    picture = case_about(make_image(alice))
    body = {"case": [case.pk, picture.pk], "actions": ["sensitive"]}
    page = desk.post(reverse("desk_bulk"), body, follow=True).content.decode()
    assert "1 decided: Mark sensitive. 1 left out: that can&#x27;t be done to what it is about." in page


def test_bulk_without_a_tick_or_a_reason_is_refused(desk: Client, alice: User) -> None:
    case = case_about(make_image(alice))
    for body, sentence in (
        ({"actions": ["fine"]}, "Choose something"),
        ({"case": [case.pk], "actions": ["remove"]}, "Give a reason"),
        ({"case": ["x"], "actions": ["fine"]}, "Choose something"),
    ):
        assert sentence in desk.post(reverse("desk_bulk"), body, follow=True).content.decode()
    assert not Decision.objects.exists()


# The record -----------------------------------------------------------------------------------------------------------


def test_decisions_are_listed_newest_first_and_narrowed(desk: Client, mo: User, mia: User, alice: User) -> None:
    bella = make_user("bella@example.com")
    mine = decide(mo, case_about(make_image(alice)), Action.FINE)
    hers = decide(mia, case_about(make_image(bella), Cause.FINGERPRINT), Action.SENSITIVE)

    def listed(query: str = "") -> list[str]:
        page = text_of(desk, "desk_decisions", query=query)
        return re.findall(r"/desk/decisions/([0-9a-f-]{36})/", page)

    both = [str(hers.pk), str(mine.pk)]
    assert listed() == both
    assert listed(f"?moderator={mo.pk}") == [str(mine.pk)]
    assert listed("?email=BELLA@example.com") == [str(hers.pk)]
    assert listed(f"?person={alice.pk}") == [str(mine.pk)]
    assert listed("?cause=fingerprint") == [str(hers.pk)]
    assert listed("?email=nobody@example.com") == []
    assert listed("?cause=nonsense&moderator=x&before=forged") == both


def test_decisions_go_on_behind_their_first_page(
    desk: Client, mo: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.views.desk_record.PER_PAGE", 2)
    made = [decide(mo, case_about(make_image(alice)), Action.FINE) for _ in range(5)]
    same = timezone.now() - timedelta(days=1)
    Decision.objects.filter(pk__in=[made[1].pk, made[2].pk, made[3].pk]).update(created_at=same)
    found: list[str] = []
    query = f"?person={alice.pk}"
    while query:
        page = text_of(desk, "desk_decisions", query=query)
        found += re.findall(r"/desk/decisions/([0-9a-f-]{36})/", page)
        older = re.search(r"rel=\"next\" href=\"([^\"]+)\"", page)
        query = older[1].replace("&amp;", "&") if older else ""
    assert len(found) == 5
    assert set(found) == {str(decision.pk) for decision in made}


def test_decision_is_changed_on_its_page_which_shows_how_it_came(desk: Client, mia: User, alice: User) -> None:
    first = decide(mia, case_about(make_image(alice)), Action.REMOVE, reason="Rude.")
    address = reverse("desk_decision", args=[first.pk])
    assert desk.post(address, {"actions": ["remove"], "words": "Rude."}).status_code == 422
    response = desk.post(address, {"actions": ["sensitive"], "note": "Art."})
    changed = Decision.objects.get(replaces=first)
    assert response["Location"] == reverse("desk_decision", args=[changed.pk])
    page = text_of(desk, "desk_decision", changed.pk)
    assert page.index("Rude.") < page.index("Art.")
    assert "It was changed since." in text_of(desk, "desk_decision", first.pk)


def test_second_of_two_changes_is_told_of_the_first(desk: Client, mia: User, alice: User) -> None:
    first = decide(mia, case_about(make_image(alice)), Action.FINE)
    address = reverse("desk_decision", args=[first.pk])
    response = desk.post(address, {"actions": ["sensitive"]})
    again = desk.post(address, {"actions": ["sensitive"]})
    assert again.status_code == 422
    page = again.content.decode()
    assert "This decision was changed already." in page
    assert f'href="{response["Location"]}"' in page


def test_change_that_a_colleague_makes_meanwhile_is_shown_to_the_slower(
    desk: Client, mia: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = decide(mia, case_about(make_image(alice)), Action.FINE)
    change = decisions.change

    def slower(*args: Any, **kwargs: Any) -> Decision:
        change(mia, first.pk, [Action.SENSITIVE])
        return change(*args, **kwargs)

    monkeypatch.setattr(decisions, "change", slower)
    response = desk.post(reverse("desk_decision", args=[first.pk]), {"actions": ["remove"], "words": "No."})
    assert response.status_code == 422
    later = Decision.objects.get(replaces=first)
    assert f'href="{reverse("desk_decision", args=[later.pk])}">Look at' in response.content.decode()


def test_record_of_a_person_holds_what_was_decided_and_what_waits(desk: Client, mia: User, alice: User) -> None:
    decide(mia, case_about(make_image(alice)), Action.RESTRICT, reason="Rude.")
    open_case(Cause.OFTEN, alice)
    page = text_of(desk, "desk_person", alice.pk)
    for words in ("Rude.", "Restricted", "Blocked too often", alice.email):
        assert words in page
    assert desk.get(reverse("desk_person", args=[0])).status_code == 404


def test_account_menu_leads_moderators_to_the_desk_and_asks_nothing_for_others(mo: User, alice: User) -> None:
    User.objects.filter(pk=mo.pk).update(is_staff=True)
    link = f'href="{reverse("desk")}"'
    assert link in client_of(mo).get("/").content.decode()
    browser = client_of(alice)
    with CaptureQueriesContext(connection) as asked:
        assert link not in browser.get("/").content.decode()
    assert not any("auth_permission" in query["sql"] for query in asked)
