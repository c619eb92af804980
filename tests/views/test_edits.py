"""Asking for an edit, following it, and the page of one."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.forms import EditForm
from editor.jobs import holding
from editor.models import Allowance, FluxServer, GenerationJob, HeldFor, Image, ImageState, JobState, User, Workspace
from tests.makers import make_attempt, make_image, make_job

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def ask(client: Client, image: Image, **fields: Any) -> Any:
    values = {"source": str(image.pk), "prompt": "like a watercolour", "form_token": uuid4().hex}
    return client.post("/edits/", values | fields)


def done(user: User, **fields: Any) -> GenerationJob:
    return make_job(user, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now(), **fields)


@pytest.fixture
def image(alice: User) -> Image:
    return make_image(alice)


def test_edit_is_queued_and_shown_on_the_stage(alice: User, alice_client: Client, image: Image) -> None:
    response = ask(alice_client, image, samples="2", strength="0.5", seed="42", ratio="1:1", negative_prompt="text")
    job = GenerationJob.objects.get()
    assert response["Location"] == f"/studio/{image.pk}/?edit={job.pk}"
    assert (job.made_by, job.state, job.source_images) == (alice, JobState.QUEUED, [image])
    assert (job.samples, job.strength, job.seed, job.ratio, job.negative_prompt) == (2, 0.5, 42, "1:1", "text")


def test_picture_that_is_not_yet_ready_can_be_asked_for(alice: User, alice_client: Client) -> None:
    assert ask(alice_client, make_image(alice, state=ImageState.RECEIVED)).status_code == 302


def test_two_pictures_keep_their_order(alice: User, alice_client: Client, image: Image) -> None:
    second = make_image(alice)
    ask(alice_client, image, second=str(second.pk))
    assert GenerationJob.objects.get().source_images == [image, second]


def test_same_form_sent_twice_makes_one_edit(alice_client: Client, image: Image) -> None:
    addresses = {ask(alice_client, image, form_token="once")["Location"] for _ in range(3)}
    assert GenerationJob.objects.count() == len(addresses) == 1


def test_each_form_that_is_shown_has_a_token_of_its_own(alice_client: Client, image: Image) -> None:
    tokens = {alice_client.get(f"/studio/{image.pk}/").context["form_token"] for _ in range(3)}
    assert len(tokens) == 3


def test_strangers_picture_gets_404(charlie_client: Client, image: Image) -> None:
    assert ask(charlie_client, image).status_code == 404
    assert not GenerationJob.objects.exists()


def test_strangers_second_picture_gets_404(alice_client: Client, charlie: User, image: Image) -> None:
    assert ask(alice_client, image, second=str(make_image(charlie).pk)).status_code == 404


def test_picture_in_the_trash_gets_404(alice_client: Client, image: Image) -> None:
    image.trash()
    assert ask(alice_client, image).status_code == 404


@pytest.mark.parametrize("spelling", ["{upper}", "{{{plain}}}", "made-up", "../etc/passwd"])
def test_other_spellings_of_an_id_get_404(spelling: str, alice_client: Client, image: Image) -> None:
    text = spelling.format(plain=image.pk, upper=str(image.pk).upper())
    assert ask(alice_client, image, source=text).status_code == 404
    assert not GenerationJob.objects.exists()


def test_without_a_picture_it_says_to_choose_one(alice_client: Client, image: Image) -> None:
    response = ask(alice_client, image, source="")
    assert response.status_code == 422
    assert "Choose a picture first." in response.content.decode()


def test_refused_picture_says_why(alice: User, alice_client: Client) -> None:
    refused = make_image(alice, state=ImageState.REFUSED, refused_code="damaged")
    response = ask(alice_client, refused)
    assert response.status_code == 422
    assert "damaged or incomplete" in response.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("prompt", "", "Say what should change"),
        ("prompt", "   \r\n ", "Say what should change"),
        ("prompt", "x" * 4001, "At most 4000 characters"),
        ("prompt", "a\x00b", "no text"),
        ("negative_prompt", "x" * 100_000, "At most 4000 characters"),
        ("samples", "5", "One to four pictures"),
        ("samples", "0", "One to four pictures"),
        ("samples", "1.5", "One to four pictures"),
        ("samples", "9" * 5000, "One to four pictures"),
        ("strength", "NaN", "A number from 0 to 1"),
        ("strength", "1e309", "A number from 0 to 1"),
        ("strength", "-0.1", "A number from 0 to 1"),
        ("seed", "-1", "A whole number from 0"),
        ("seed", "500.5", "A whole number from 0"),
        ("seed", str(2**32), "A whole number from 0"),
        ("ratio", "7:1", "Choose one of the shapes"),
        ("form_token", "", "reload the page"),
    ],
)
def test_bad_values_are_answered_in_words(
    field: str, value: str, sentence: str, alice_client: Client, image: Image
) -> None:
    response = ask(alice_client, image, **{"prompt": "words that stay", field: value})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert field == "prompt" or "words that stay</textarea>" in response.content.decode()
    assert not GenerationJob.objects.exists()


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_half_characters_sent_as_bytes_are_refused(field: str, alice_client: Client, image: Image) -> None:
    words = {"source": str(image.pk), "form_token": "t", "prompt": "sea", field: "HALF"}
    forms = [
        ("application/x-www-form-urlencoded", urlencode(words).encode(), b"%ED%A0%80"),
        (MULTIPART_CONTENT, encode_multipart(BOUNDARY, words), b"\xed\xa0\x80"),
    ]
    for content_type, body, half in forms:
        response = alice_client.generic("POST", "/edits/", body.replace(b"HALF", half), content_type)
        assert response.status_code == 422
        assert "no text" in response.content.decode()
    assert not GenerationJob.objects.exists()


def test_half_characters_are_refused() -> None:
    form = EditForm({"prompt": "a \ud800 b"})
    assert "no text" in str(form.errors["prompt"])


@pytest.mark.parametrize("prompt", ["שלום \u202eabc", "<b>{{ 7|add:7 }}</b>", "=cmd()|' /C calc'!A0", "é" * 4000, "😀"])
def test_strange_words_survive(prompt: str, alice_client: Client, image: Image) -> None:
    ask(alice_client, image, prompt=prompt)
    assert GenerationJob.objects.get().prompt == prompt


def test_line_ends_are_made_one_kind_and_count_once(alice_client: Client, image: Image) -> None:
    ask(alice_client, image, prompt="a\r\n" * 1999 + "b")
    assert GenerationJob.objects.get().prompt == "a\n" * 1999 + "b"


def test_fields_that_nobody_offered_change_nothing(alice: User, alice_client: Client, image: Image) -> None:
    ask(alice_client, image, made_by="1", user="1", state="succeeded", allowance="released", width="9999", cost="0")
    job = GenerationJob.objects.get()
    assert (job.made_by, job.state, job.allowance, job.width) == (alice, JobState.QUEUED, Allowance.HELD, None)


def test_used_up_day_is_said_and_the_words_are_kept(alice_client: Client, image: Image, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 1
    response = ask(alice_client, image, samples="2", prompt="words that stay")
    assert response.status_code == 422
    assert "in 24 hours" in response.content.decode()
    assert "words that stay</textarea>" in response.content.decode()


def test_errors_never_become_an_address(alice_client: Client, image: Image) -> None:
    assert ask(alice_client, image, prompt="")["HX-Push-Url"] == "false"


def test_signed_out_person_is_sent_to_sign_in(image: Image) -> None:
    assert ask(Client(), image)["Location"].startswith("/account/login/")
    scripted = Client().post("/edits/", {}, headers=HTMX)
    assert scripted["HX-Redirect"].startswith("/account/login/")


def test_viewer_of_a_workspace_may_not_edit_in_it(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    bob.memberships.filter(workspace=team).update(role="viewer")
    assert ask(bob_client, make_image(alice, workspace=team)).status_code == 404


def test_who_may_not_edit_any_more_sends_nothing_again(bob: User, bob_client: Client, team: Workspace) -> None:
    job = make_job(bob, make_image(bob, workspace=team), state=JobState.UNCONFIRMED, due_at=None)
    address = f"/edits/{job.pk}/send-again/"
    mine = bob.memberships.filter(workspace=team)
    mine.update(role="viewer")
    assert bob_client.post(address).status_code == 404
    mine.update(role="editor")
    team.archive()
    assert bob_client.post(address).status_code == 409
    job.refresh_from_db()
    assert (job.state, job.second) == (JobState.UNCONFIRMED, False)


# The page of one edit


def test_page_of_an_edit_says_everything(alice: User, alice_client: Client) -> None:
    job = done(alice, seed=987654, negative_prompt="no frames", strength=0.35)
    words = alice_client.get(f"/edits/{job.pk}/").content.decode()
    for part in (job.prompt, "987654", "no frames", "0.35", "Yes, 1 of the day", "Asked for", "Saved", str(job.pk)):
        assert part in words


def test_page_of_an_edit_is_a_404_for_strangers(alice: User, charlie_client: Client) -> None:
    job = make_job(alice)
    for address in (f"/edits/{job.pk}/", f"/edits/{job.pk}/tile/"):
        assert charlie_client.get(address).status_code == 404


def test_failed_edit_says_what_happened_whose_fault_it_is_and_what_helps(alice: User, alice_client: Client) -> None:
    fields = {"state": JobState.FAILED, "failure_code": "timed_out", "allowance": "released"}
    job = make_job(alice, finished_at=timezone.now(), **fields)
    words = alice_client.get(f"/edits/{job.pk}/").content.decode()
    assert "did not finish this edit in time" in words
    assert "at fault, not you" in words
    assert "It does not count for you" in words
    assert "Run it again" in words


def test_unconfirmed_edit_asks_its_owner(alice: User, alice_client: Client) -> None:
    job = make_job(alice, state=JobState.UNCONFIRMED)
    words = alice_client.get(f"/edits/{job.pk}/").content.decode()
    assert f"/edits/{job.pk}/send-again/" in words
    assert f"/edits/{job.pk}/let-go/" in words


def test_reruns_and_what_they_repeat_know_each_other(alice: User, alice_client: Client) -> None:
    first = done(alice)
    again = done(alice, rerun_of=first)
    assert f'href="/edits/{first.pk}/"' in alice_client.get(f"/edits/{again.pk}/").content.decode()
    assert f'href="/edits/{again.pk}/"' in alice_client.get(f"/edits/{first.pk}/").content.decode()


# The tile


def test_tile_asks_again_until_the_edit_has_ended(alice: User, alice_client: Client) -> None:
    waiting = alice_client.get(f"/edits/{make_job(alice).pk}/tile/", headers=HTMX)
    ended = alice_client.get(f"/edits/{done(alice).pk}/tile/", headers=HTMX)
    assert "hx-trigger" in waiting.content.decode()
    assert "HX-Trigger" not in waiting
    assert "hx-trigger" not in ended.content.decode()


def test_tile_says_how_many_go_before_and_why(alice: User, alice_client: Client, settings: Settings) -> None:
    settings.FLUX_OUTSTANDING = settings.FLUX_QUEUE_LIMIT = 1
    make_attempt(make_job(alice, state=JobState.PROCESSING), eta=20.0)
    make_job(alice)
    words = alice_client.get(f"/edits/{make_job(alice).pk}/tile/").content.decode()
    assert "Queued, 1 ahead of you, about 1 min" in words
    assert "The flux server is busy with 1 of 1." in words


def test_paused_edits_say_why_and_for_how_long(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    server = FluxServer.objects.current()
    server.pause_by_hand("<b>we move</b>")
    FluxServer.objects.update(paused_since=timezone.now() - timedelta(minutes=12))
    for address in (f"/edits/{job.pk}/tile/", f"/edits/{job.pk}/"):
        words = alice_client.get(address).content.decode()
        assert "Waiting. An administrator paused new edits (“&lt;b&gt;we move&lt;/b&gt;”), for 12 min now." in words


def test_studio_with_many_waiting_edits_looks_at_the_line_once(
    alice: User, alice_client: Client, image: Image, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    jobs = [make_job(alice, image) for _ in range(3)]
    address = f"/studio/{image.pk}/?edit={jobs[0].pk}"
    with CaptureQueriesContext(connection) as few:
        assert alice_client.get(address).status_code == 200
    for _ in range(30):
        make_job(alice, image)
    with django_assert_max_num_queries(len(few)):
        words = alice_client.get(address).content.decode()
    assert words.count("ahead of you") >= 30


def test_end_of_an_edit_is_an_event(alice: User, alice_client: Client) -> None:
    job = done(alice)
    response = alice_client.get(f"/edits/{job.pk}/tile/", headers=HTMX)
    assert f"edit-finished-{job.pk}" in response["HX-Trigger"]
    assert "Your edit is done." in response["HX-Trigger"]


def test_sentence_on_the_stage_changes_with_the_tile(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    there = {"HX-Current-URL": f"http://testserver/studio/{job.source_image.pk}/?edit={job.pk}"}
    assert "hx-swap-oob" in alice_client.get(f"/edits/{job.pk}/tile/", headers=HTMX | there).content.decode()
    assert "hx-swap-oob" not in alice_client.get(f"/edits/{job.pk}/tile/", headers=HTMX).content.decode()


# What its owner may do


def test_owner_cancels_for_free_while_it_waits(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    alice_client.post(f"/edits/{job.pk}/cancel/")
    job.refresh_from_db()
    assert (job.state, job.allowance) == (JobState.CANCELED, Allowance.RELEASED)


def test_cancel_answers_a_script_with_the_tile(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    response = alice_client.post(f"/edits/{job.pk}/cancel/", headers=HTMX)
    assert f'id="tile-{job.pk}"' in response.content.decode()
    assert "edit-finished" in response["HX-Trigger"]


def test_cancel_that_comes_too_late_says_so(alice: User, alice_client: Client) -> None:
    response = alice_client.post(f"/edits/{done(alice).pk}/cancel/", follow=True)
    assert "Too late to cancel" in response.content.decode()


@pytest.mark.parametrize("verb", ["cancel", "send-again", "let-go"])
def test_choices_are_the_owners_alone(
    verb: str, alice: User, bob_client: Client, charlie_client: Client, team: Workspace
) -> None:
    job = make_job(alice, make_image(alice, workspace=team), state=JobState.UNCONFIRMED)
    for client in (bob_client, charlie_client):
        assert client.post(f"/edits/{job.pk}/{verb}/").status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.UNCONFIRMED


@pytest.mark.parametrize(("verb", "state"), [("send-again", JobState.QUEUED), ("let-go", JobState.CANCELED)])
def test_owner_decides_about_an_unconfirmed_edit(verb: str, state: JobState, alice: User, alice_client: Client) -> None:
    job = make_job(alice, state=JobState.UNCONFIRMED)
    make_attempt(job, state="unknown")
    alice_client.post(f"/edits/{job.pk}/{verb}/")
    job.refresh_from_db()
    assert job.state == state


@pytest.mark.parametrize("verb", ["cancel", "send-again", "let-go", "run-again"])
def test_looking_changes_nothing(verb: str, alice: User, alice_client: Client) -> None:
    assert alice_client.get(f"/edits/{make_job(alice).pk}/{verb}/").status_code == 405


# Run again


def test_run_again_with_the_same_seed(alice: User, alice_client: Client) -> None:
    job = done(alice, seed=77, negative_prompt="text", samples=2, strength=0.4, ratio="4:3")
    alice_client.post(f"/edits/{job.pk}/run-again/", {"mode": "same", "form_token": "t"})
    again = job.reruns.get()
    for name in ("prompt", "negative_prompt", "samples", "strength", "ratio", "seed"):
        assert getattr(again, name) == getattr(job, name)
    assert again.source_images == job.source_images


def test_variation_draws_a_new_seed(alice: User, alice_client: Client) -> None:
    job = done(alice, seed=77)
    alice_client.post(f"/edits/{job.pk}/run-again/", {"mode": "new", "form_token": "t"})
    assert job.reruns.get().seed != 77


def test_run_again_twice_makes_one_edit(alice: User, alice_client: Client) -> None:
    job = done(alice)
    for _ in range(2):
        alice_client.post(f"/edits/{job.pk}/run-again/", {"mode": "same", "form_token": "once"})
    assert job.reruns.count() == 1


@pytest.mark.parametrize(
    "fields", [{"form_token": ""}, {"form_token": "a\0b"}, {"form_token": "x" * 65}, {"mode": "\0"}, {"mode": "odd"}]
)
def test_run_again_with_values_of_no_form_of_ours_says_to_reload(
    fields: dict[str, str], alice: User, alice_client: Client
) -> None:
    job = done(alice)
    values = {"mode": "same", "form_token": "t"} | fields
    response = alice_client.post(f"/edits/{job.pk}/run-again/", values, follow=True)
    assert "reload the page" in response.content.decode()
    assert not job.reruns.exists()


def test_run_again_without_its_picture_says_so(alice: User, alice_client: Client) -> None:
    job = done(alice)
    job.source_image.trash()
    response = alice_client.post(f"/edits/{job.pk}/run-again/", {"mode": "same", "form_token": "t"}, follow=True)
    assert "in the trash or gone" in response.content.decode()
    assert "Put back" in response.content.decode()
    assert not job.reruns.exists()


def test_stranger_can_not_run_it_again(alice: User, charlie_client: Client) -> None:
    job = done(alice)
    assert charlie_client.post(f"/edits/{job.pk}/run-again/", {"form_token": "t"}).status_code == 404


def cancel_on_stage(client: Client, job: GenerationJob) -> str:
    """What a script gets that cancels the edit on the stage."""
    page = f"http://testserver/studio/{job.source_image.pk}/?edit={job.pk}"
    headers = {"HX-Request": "true", "HX-Current-URL": page}
    return client.post(f"/edits/{job.pk}/cancel/", headers=headers).content.decode()


def test_answer_to_a_choice_says_on_the_stage_only_what_is_final(alice: User, alice_client: Client) -> None:
    waiting = cancel_on_stage(alice_client, make_job(alice, state=JobState.SUBMITTING))
    canceled = cancel_on_stage(alice_client, make_job(alice))
    assert "Canceling" in waiting
    assert "hx-swap-oob" not in waiting
    assert "hx-swap-oob" in canceled


def test_an_edit_that_a_moderator_refused_is_changed_and_not_run_again(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    assert job.hold(HeldFor.RULE)
    assert holding.refuse_job(job)
    page = alice_client.get(f"/edits/{job.pk}/").content.decode()
    assert "refused it" in page
    assert "Nobody is at fault" not in page
    assert "Change it" in page
    assert "Same seed" not in page


def test_token_of_edits_that_are_made_together_is_nobodys_own(alice: User, alice_client: Client) -> None:
    body = {"source": make_image(alice).pk, "prompt": "make it blue", "form_token": "of-a-batch.0.1.1"}
    assert alice_client.post("/edits/", body).status_code == 422
    assert not GenerationJob.objects.exists()
