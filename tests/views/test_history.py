"""A person's edits, newest first."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from editor.models import FluxServer, GenerationJob, ImageKind, JobState, User, Workspace
from editor.views.history import PER_PAGE, read_cursor, write_cursor
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db
MaxQueries = Callable[[int], AbstractContextManager[Any]]


def make_many(user: User, count: int) -> list[GenerationJob]:
    """Newest first, a minute apart."""
    image, now = make_image(user), timezone.now()
    return [make_job(user, image, created_at=now - timedelta(minutes=number)) for number in range(count)]


def shown(client: Client, address: str = "/history/") -> list[GenerationJob]:
    response = client.get(address)
    assert response.status_code == 200
    return [job for _, jobs in response.context["days"] for job in jobs]


def test_newest_stands_first(alice: User, alice_client: Client) -> None:
    jobs = make_many(alice, 3)
    assert shown(alice_client) == jobs


def test_older_is_a_link_that_goes_on_where_the_page_ended(alice: User, alice_client: Client) -> None:
    jobs = make_many(alice, PER_PAGE + 2)
    first = alice_client.get("/history/")
    older = first.context["older"]
    assert f'href="{older}"' in first.content.decode()
    assert shown(alice_client, f"/history/{older}") == jobs[PER_PAGE:]


def test_newer_leads_back_up_the_same_pages(alice: User, alice_client: Client) -> None:
    jobs = make_many(alice, 3 * PER_PAGE)
    second = alice_client.get("/history/" + alice_client.get("/history/").context["older"])
    third = alice_client.get("/history/" + second.context["older"])
    assert shown(alice_client, "/history/" + third.context["newer"]) == jobs[PER_PAGE : 2 * PER_PAGE]
    assert alice_client.get("/history/" + second.context["newer"])["Location"] == "/history/?"


def test_new_edits_do_not_shift_an_older_page(alice: User, alice_client: Client) -> None:
    jobs = make_many(alice, PER_PAGE + 2)
    older = alice_client.get("/history/").context["older"]
    make_job(alice)
    assert shown(alice_client, f"/history/{older}") == jobs[PER_PAGE:]


def test_last_page_has_no_older(alice: User, alice_client: Client) -> None:
    make_many(alice, PER_PAGE)
    assert 'rel="next"' not in alice_client.get("/history/").content.decode()


def test_edits_of_the_same_moment_are_neither_lost_nor_repeated(alice: User, alice_client: Client) -> None:
    image, now = make_image(alice), timezone.now()
    jobs = {make_job(alice, image, created_at=now) for _ in range(PER_PAGE + 5)}
    first = shown(alice_client)
    rest = shown(alice_client, f"/history/?before={write_cursor(alice, first[-1])}")
    assert len(first) + len(rest) == len(jobs)
    assert {*first, *rest} == jobs


def test_five_queries_and_no_count(
    alice: User, alice_client: Client, django_assert_max_num_queries: MaxQueries
) -> None:
    for job in make_many(alice, PER_PAGE + 1):
        make_image(alice, kind=ImageKind.GENERATED, job=job)
    with django_assert_max_num_queries(5) as context:
        shown(alice_client)
    assert not any("COUNT(" in query["sql"].upper() for query in context.captured_queries)


@pytest.mark.parametrize("cursor", ["x", "-1", "1e9", "eyJhIjoxfQ:x:y", "%00", "a" * 5000])
def test_cursor_that_is_not_ours_shows_the_first_page(cursor: str, alice: User, alice_client: Client) -> None:
    jobs = make_many(alice, 2)
    assert shown(alice_client, f"/history/?before={cursor}") == jobs


def test_another_persons_cursor_is_none(alice: User, charlie: User) -> None:
    cursor = write_cursor(alice, make_job(alice))
    assert read_cursor(charlie, cursor) is None
    assert read_cursor(alice, cursor) is not None


def test_cursor_of_a_deleted_row_still_goes_on(alice: User, alice_client: Client) -> None:
    newer, older = make_many(alice, 2)
    cursor = write_cursor(alice, newer)
    newer.delete()
    assert shown(alice_client, f"/history/?before={cursor}") == [older]


def test_only_own_edits_are_shown(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    make_job(alice, make_image(alice, workspace=team))
    own = make_job(bob, make_image(alice, workspace=team))
    assert shown(bob_client) == [own]


def test_edits_of_a_left_workspace_are_gone(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    make_job(bob, make_image(alice, workspace=team))
    bob.memberships.filter(workspace=team).delete()
    assert shown(bob_client) == []


@pytest.mark.parametrize("state", ["working", "done", "failed"])
def test_states_can_be_chosen(state: str, alice: User, alice_client: Client) -> None:
    now = timezone.now()
    jobs = {
        "working": make_job(alice),
        "done": make_job(alice, state=JobState.SUCCEEDED, allowance="taken", finished_at=now),
        "failed": make_job(alice, state=JobState.CANCELED, allowance="released", finished_at=now),
    }
    assert shown(alice_client, f"/history/?state={state}") == [jobs[state]]


def test_unknown_state_shows_all(alice: User, alice_client: Client) -> None:
    jobs = make_many(alice, 2)
    assert shown(alice_client, "/history/?state=%27;--") == jobs


def test_result_in_the_trash_is_not_shown(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    result = make_image(alice, kind=ImageKind.GENERATED, job=job)
    assert str(result.pk) in alice_client.get("/history/").content.decode()
    result.trash()
    assert str(result.pk) not in alice_client.get("/history/").content.decode()


def test_where_browsers_reach_the_bucket_the_page_leads_straight_there(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    settings.S3_PUBLIC = True
    job = make_job(alice)
    result = make_image(alice, stored=True, kind=ImageKind.GENERATED, job=job)
    page = alice_client.get("/history/")
    found = next(one for one in re.findall(r'<img src="([^"]+)"', page.content.decode()) if str(result.pk) in one)
    answer = requests.get(unescape(found), timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert alice_client.get("/history/").content.decode().count(found) == 1  # the same link: a browser has it


def test_page_that_scrolls_in_does_not_repeat_the_day(alice: User, alice_client: Client) -> None:
    newer, _ = make_many(alice, 2)
    address = f"/history/?before={write_cursor(alice, newer)}"
    plain = alice_client.get(address).content.decode()
    scrolled = alice_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert '<h2 class="visually-hidden">' in scrolled
    assert '<h2 class="visually-hidden">' not in plain


def test_empty_history_teaches(alice_client: Client) -> None:
    assert "Make the first one" in alice_client.get("/history/").content.decode()


def test_visitor_is_sent_to_sign_in() -> None:
    assert Client().get("/history/")["Location"].startswith("/account/login/?next=/history/")


def test_page_asks_about_working_edits_alone(alice: User, alice_client: Client) -> None:
    working = make_job(alice)
    ended = make_job(alice, state=JobState.CANCELED, allowance="released", finished_at=timezone.now())
    words = alice_client.get("/history/").content.decode()
    assert f"/history/working/?edit={working.pk}.queued" in words
    assert f"edit={ended.pk}" not in words


def test_only_tiles_that_went_on_are_sent(alice: User, alice_client: Client) -> None:
    still, gone_on = make_job(alice), make_job(alice)
    address = f"/history/working/?edit={still.pk}.queued&edit={gone_on.pk}.queued&edit=x"
    assert "entry-" not in alice_client.get(address).content.decode()
    gone_on.cancel("released")  # type: ignore[arg-type]
    words = alice_client.get(address).content.decode()
    assert f'id="entry-{gone_on.pk}"' in words
    assert f'id="entry-{still.pk}"' not in words
    assert f"edit={gone_on.pk}" not in words
    assert f"edit={still.pk}.queued" in words


def test_edits_that_wait_say_how_many_go_before_them(
    alice: User, alice_client: Client, django_assert_max_num_queries: MaxQueries
) -> None:
    jobs = make_many(alice, 20)
    FluxServer.objects.current()
    assert 'hx-trigger="load, look, every 30s"' in alice_client.get("/history/").content.decode()
    address = "/history/working/?" + "&".join(f"edit={job.pk}.queued" for job in jobs)
    with django_assert_max_num_queries(11):  # session, person, edits, sources, and six for the line of all
        words = alice_client.get(address).content.decode()
    assert f'id="waits-{jobs[-1].pk}" hx-swap-oob="true">Queued, next in line</span>' in words
    assert f'id="waits-{jobs[0].pk}" hx-swap-oob="true">Queued, 19 ahead of you</span>' in words
    assert "load" not in words


def test_asking_ends_when_nothing_works(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    job.cancel("released")  # type: ignore[arg-type]
    assert "hx-get" not in alice_client.get(f"/history/working/?edit={job.pk}.queued").content.decode()


def test_strangers_working_edit_is_not_told(alice: User, charlie_client: Client) -> None:
    job = make_job(alice)
    assert str(job.pk) not in charlie_client.get(f"/history/working/?edit={job.pk}.held").content.decode()
