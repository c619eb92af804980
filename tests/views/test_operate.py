"""The dashboard: what it says about how the portal is, what its bars lead to, and what it costs."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.jobs import figures
from editor.models import FINAL, FluxServer, GenerationJob, Image, JobState, Mark, User
from editor.models.figures import hour_of
from editor.views.operate import dashboard
from editor.views.operate.drawn import ENDS
from tests.makers import make_image, make_job
from tests.people import client_of, make_person
from tests.staff.roles import give_role

NOW = datetime(2026, 3, 4, 10, 40, tzinfo=UTC)
WEEK = timedelta(days=7)


class Then:
    """The time of the page in these tests."""

    @staticmethod
    def now() -> datetime:
        return NOW


@pytest.fixture
def operator(db: None, quick_passwords: None) -> Client:
    return client_of(give_role(make_person("operator"), "Operator"))


@pytest.fixture
def image(alice: User) -> Image:
    User.objects.update(date_joined=NOW - 2 * WEEK)
    return make_image(alice, created_at=NOW - 2 * WEEK, ready_at=NOW - 2 * WEEK, byte_size=2_000_000)


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "timezone", Then)


@pytest.fixture
def well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks; whether workers are alive is for the doctor's own tests."""
    Mark.objects.tick()
    monkeypatch.setattr("editor.doctor.processes.workers", lambda queue: (1, 0))


def ended(image: Image, moment: datetime, state: str = "succeeded", code: str = "") -> GenerationJob:
    made = moment - timedelta(seconds=9)
    return make_job(
        image.made_by, image, state=state, failure_code=code, due_at=None, finished_at=moment, created_at=made,
        allowance="taken" if state == "succeeded" else "released", submitted_at=made,
    )  # fmt: skip


def count() -> None:
    """Those hours in which anything happened: all of two weeks would take long."""
    moments = [*GenerationJob.objects.values_list("finished_at", flat=True)]
    moments += [moment for pair in Image.objects.values_list("ready_at", "purged_at") for moment in pair]
    for hour in {hour_of(moment) for moment in moments if moment is not None}:
        figures.count(hour)


def page_of(client: Client) -> str:
    return client.get("/operate/").content.decode()


def bars(page: str, plot: str) -> list[tuple[str, str]]:
    """(address, words) of the bars of a plot that lead somewhere."""
    drawn = page.split(f'id="plot-{plot}"')[1].split("</svg>")[0]
    found = re.findall(r'<a href="([^"]+)" tabindex="-1"><rect[^>]*><title>([^<]+)', drawn)
    return [(unescape(address), words) for address, words in found]


def ids_behind(client: Client, address: str) -> set[str]:
    """Of the edits in the administration's list."""
    response = client.get(address)
    assert response.status_code == 200
    return {str(job.pk) for job in response.context["cl"].result_list}


def verdict(page: str) -> str:
    words = page.split('id="verdict"')[1].split("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", words.partition(">")[2]).split())


def test_all_is_well_in_one_sentence(operator: Client, well: None) -> None:
    assert verdict(page_of(operator)) == "All is well. Nobody waits for anything."


def test_without_a_clock_it_says_what_to_do(operator: Client, well: None) -> None:
    Mark.objects.all().delete()
    words = verdict(page_of(operator))
    assert words.startswith("Something needs you. No clock has ever ticked")
    assert "systemctl start retake-clock" in words


def test_pause_is_told_with_its_reason_and_way_out(operator: Client, well: None) -> None:
    FluxServer.objects.current().pause("bad-key", "no", timedelta(hours=1))
    page = page_of(operator)
    assert "Something needs you. The flux server does not accept our key" in verdict(page)
    assert "FLUX_API_KEY" in verdict(page)
    assert 'id="verdict-flux"' in page


def test_many_failures_are_told_with_their_causes(operator: Client, well: None, image: Image) -> None:
    for _ in range(6):
        ended(image, timezone.now() - timedelta(minutes=5), "failed", "timed_out")
    page = page_of(operator)
    assert "6 of the 6 edits that ended within the last hour failed" in verdict(page)
    assert "6 timed out" in page


def test_what_nobody_looks_at_is_told(operator: Client, well: None, image: Image) -> None:
    make_job(image.made_by, image, state="processing", due_at=timezone.now() - timedelta(minutes=7))
    make_image(image.made_by, state="received", due_at=timezone.now() - timedelta(minutes=9))
    words = verdict(page_of(operator))
    assert "An edit under way was due 7 minutes ago" in words
    assert "An upload has been waiting for 9 minutes" in words


def test_bar_leads_to_exactly_its_edits(operator: Client, then: None, image: Image) -> None:
    hour = hour_of(NOW)
    inside = [ended(image, hour + timedelta(minutes=minute)) for minute in (0, 20, 39)]
    for moment in (hour - timedelta(microseconds=1), hour - timedelta(days=1), hour - WEEK):
        ended(image, moment)
    failed = [ended(image, hour + timedelta(minutes=5), "failed", code) for code in ("timed_out", "vendor")]
    count()
    page = page_of(operator)
    drawn = {words: address for address, words in bars(page, "ended")}
    assert list(drawn) == ["09:00–10:00: 1, done", "10:00–11:00: 3, done", "10:00–11:00: 2, failed"]
    assert ids_behind(operator, drawn["10:00–11:00: 3, done"]) == {str(job.pk) for job in inside}
    assert ids_behind(operator, drawn["10:00–11:00: 2, failed"]) == {str(job.pk) for job in failed}
    cause = re.search(r'id="cause-timed-out" href="([^"]+)"', page)
    assert cause
    assert ids_behind(operator, unescape(cause[1])) == {str(failed[0].pk)}
    for address, _ in bars(page, "step-whole")[-1:]:
        assert ids_behind(operator, address) == {str(job.pk) for job in inside}


def test_list_says_which_edits_it_shows_and_refuses_what_is_no_time(operator: Client, image: Image) -> None:
    jobs = reverse("admin:editor_generationjob_changelist")
    page = operator.get(f"{jobs}?ended=2026-03-04T10..2026-03-04T11").content.decode()
    assert "4 Mar 2026, 10:00–11:00 UTC" in page
    assert operator.get(f"{jobs}?ended=tomorrow")["Location"].endswith("?e=1")


def test_today_stands_beside_the_same_day_a_week_before(operator: Client, then: None, image: Image) -> None:
    for moment, number in ((NOW, 3), (NOW - timedelta(hours=5), 3), (NOW - WEEK - timedelta(hours=5), 4)):
        for _ in range(number):
            ended(image, moment)
    ended(image, NOW - WEEK + timedelta(hours=5))  # later than by this time
    count()
    plot = page_of(operator).split('id="plot-ended"')[1].split("</figure>")[0]
    assert "<strong>6 today</strong>" in plot
    assert "4 a week before by this time, +50 %" in plot
    assert 'class="plot-before" d="M' in plot


def test_storage_is_what_came_less_what_went(operator: Client, then: None, image: Image) -> None:
    user = image.made_by
    make_image(user, byte_size=4_000_000, ready_at=NOW - timedelta(days=2), purged_at=NOW - timedelta(days=1))
    make_image(user, byte_size=1_000_000, ready_at=NOW, created_at=NOW)
    count()
    plot = page_of(operator).split('id="plot-storage"')[1].split("</figure>")[0]
    assert "<strong>3 MB now</strong> " in plot.replace("</strong>", "</strong> ")
    assert "Mon 2 Mar: 6 MB, uploads" in plot
    assert "Tue 3 Mar: 2 MB, uploads" in plot


def test_everything_drawn_stands_in_a_table_too(operator: Client, then: None, image: Image) -> None:
    ended(image, NOW)
    count()
    table = page_of(operator).split('id="table-ended"')[1].split("</details>")[0]
    assert table.count("<tr>") == 1 + 11  # the hours of today that have begun
    assert re.search(r'<th scope="row">10:00–11:00</th><td><a id="ended-0-0" href="[^"]+">1</a></td>', table)


def test_it_says_while_hours_are_not_counted_yet(operator: Client, image: Image, monkeypatch: Any) -> None:
    monkeypatch.setattr(figures, "MOST_HOURS", 3)
    figures.keep(timezone.now())
    assert "The clock is still counting" in page_of(operator)


def test_page_asks_as_much_of_a_full_portal_as_of_an_empty_one(
    operator: Client, then: None, well: None, image: Image
) -> None:
    page_of(operator)
    with CaptureQueriesContext(connection) as empty:
        page_of(operator)
    for hours in range(40):
        ended(image, NOW - timedelta(hours=hours), *(("failed", "vendor") if hours % 3 else ("succeeded",)))
    count()
    with CaptureQueriesContext(connection) as full:
        page_of(operator)
    assert len(full) <= len(empty) + 1  # when the one that waits longest came
    assert len(full) <= 25


def test_it_asks_again_for_itself_without_the_frame(operator: Client) -> None:
    part = operator.get("/operate/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="operate-now"')
    assert "<html" not in part


def test_operators_find_it_and_others_do_not(operator: Client, alice_client: Client) -> None:
    assert 'href="/operate/"' in operator.get("/").content.decode()
    assert 'href="/operate/"' in operator.get("/admin/").content.decode()
    assert 'href="/operate/"' not in alice_client.get("/").content.decode()
    assert alice_client.get("/operate/").status_code == 404
    assert Client().get("/operate/")["Location"].startswith("/account/login/")


def test_those_who_may_not_see_edits_get_no_links_to_them(db: None, image: Image, then: None) -> None:
    person = make_person("watcher")
    person.user_permissions.add(Permission.objects.get(codename="operate"))
    ended(image, NOW)
    count()
    page = page_of(client_of(User.objects.get(pk=person.pk)))
    assert "10:00–11:00: 1, done" in page
    assert "/admin/editor/generationjob/" not in page


def test_states_of_the_plot_are_all_in_which_an_edit_ends() -> None:
    assert set(ENDS) == FINAL
    assert JobState.SUCCEEDED in ENDS
