"""Any two edits compared, and the page of one edit with all that it came from and led to."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from editor.jobs.creation import EditSpec, create_job
from editor.models import GenerationJob, Image, JobState, User
from tests.makers import make_attempt, make_image, make_job
from tests.views.test_variations import ask

pytestmark = pytest.mark.django_db

FRAME = {"django_session", "editor_user", "editor_membership", "editor_notice", "editor_usage", "editor_workspace"}
"""What every page asks for."""


def done(user: User, *sources: Image, **fields: Any) -> GenerationJob:
    """An edit that has ended well, with one result."""
    values = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now(), **fields}
    job = make_job(user, *sources, **values)
    make_image(user, kind="generated", job=job, root=job.source_image.first_upload)
    return job


def read(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return str(response.content.decode())


@pytest.fixture
def image(alice: User) -> Image:
    return make_image(alice)


# Two edits


def test_both_pictures_and_only_what_differs(alice: User, alice_client: Client, image: Image) -> None:
    a = done(alice, image, prompt="a red car", strength=0.5)
    b = done(alice, image, prompt="a blue car", strength=0.7)
    page = read(alice_client, f"/edits/compare/?a={a.pk}&b={b.pk}")
    for job in (a, b):
        assert f"/images/{job.results.get().pk}/1280.webp" in page
    assert "data-compare-range" in page
    assert "<mark>" in page
    assert "red<span" in page
    assert "<dt>Strength</dt>" in page
    assert "<dt>Seed</dt>" not in page


def test_two_that_are_the_same_are_said_to_be(alice: User, alice_client: Client, image: Image) -> None:
    page = read(alice_client, f"/edits/compare/?edit={done(alice, image).pk}&edit={done(alice, image).pk}")
    assert "in exactly the same way" in page


def test_edit_without_a_picture_is_compared_by_its_words(alice: User, alice_client: Client, image: Image) -> None:
    page = read(alice_client, f"/edits/compare/?a={done(alice, image).pk}&b={make_job(alice, image, seed=9).pk}")
    assert "The second edit has no picture to show yet." in page
    assert "<dt>Seed</dt>" in page


def test_sensitive_pictures_stay_hidden_until_asked_for(alice: User, alice_client: Client, image: Image) -> None:
    a, b = done(alice, image), done(alice, image)
    b.results.update(sensitive=True)
    address = f"/edits/compare/?a={a.pk}&b={b.pk}"
    assert "1280.webp" not in read(alice_client, address)
    assert "1280.webp" in read(alice_client, f"{address}&show=1")


def test_one_alone_can_be_compared_with_edits_of_the_same_picture(
    alice: User, alice_client: Client, image: Image
) -> None:
    job = done(alice, image)
    later = done(alice, job.results.get())
    other = done(alice, make_image(alice))
    page = read(alice_client, f"/edits/compare/?a={job.pk}")
    assert f"a={job.pk}&amp;b={later.pk}" in page
    assert str(other.pk) not in page


def test_what_is_no_pair_of_ones_own_edits_is_404(
    alice: User, alice_client: Client, charlie_client: Client, image: Image
) -> None:
    a, b, c = (done(alice, image) for _ in range(3))
    assert charlie_client.get(f"/edits/compare/?a={a.pk}").status_code == 404
    queries = ["", f"a={a.pk}&b={uuid4()}", f"a={a.pk}&b=x", f"a={str(a.pk).upper()}"]
    for query in [*queries, f"edit={a.pk}&edit={b.pk}&edit={c.pk}"]:
        assert alice_client.get(f"/edits/compare/?{query}").status_code == 404, query


# The page of one


def test_page_of_an_edit_shows_what_it_came_from_and_led_to(alice: User, alice_client: Client, image: Image) -> None:
    first = done(alice, image, prompt="the first of all")
    job = done(alice, first.results.get(), prompt="the one in the middle")
    again = done(alice, first.results.get(), prompt="the one in the middle", seed=99, rerun_of=job)
    later = done(alice, job.results.get(), prompt="what came of it")
    ask(alice_client, job, "strength", "0.2", "0.9")
    page = read(alice_client, f"/edits/{job.pk}/")
    assert "Made from the result of" in page
    assert "the first of all" in page
    assert "seed 99" in page
    assert str(again.pk) in page
    assert "strength 0.2" in page
    assert "Its result was used in" in page
    assert "what came of it" in page
    variation = GenerationJob.objects.filter(rerun_of=job, strength=0.2).get()
    page = read(alice_client, f"/edits/{variation.pk}/")
    assert "One of these variations" in page
    assert "strength 0.9" in page
    assert f"/edits/variations/{variation.variation_set}/" in page
    assert "Made from the result of" in read(alice_client, f"/edits/{later.pk}/")


def test_edit_in_a_workspace_of_others_is_no_kin(
    alice: User, charlie: User, alice_client: Client, image: Image
) -> None:
    theirs = done(charlie, make_image(charlie), prompt="a secret of theirs")
    image.job, image.kind, image.position = theirs, "generated", 1
    image.save()
    page = read(alice_client, f"/edits/{done(alice, image, rerun_of=theirs).pk}/")
    assert "a secret of theirs" not in page
    assert str(theirs.pk) not in page


def test_page_says_what_it_cost_and_who_made_it(
    alice: User, alice_client: Client, image: Image, settings: Settings
) -> None:
    settings.FLUX_PRICE = 0.04
    job = create_job(alice, [image], EditSpec("a red car", samples=2), "token")
    page = read(alice_client, f"/edits/{job.pk}/")
    assert "Set aside until it ends: 2 pictures, at a cost of 0.08" in page
    assert f"<dd>{alice.get_short_name()}</dd>" in page


def test_parts_of_an_edit_can_be_reused_in_the_studio(alice: User, alice_client: Client, image: Image) -> None:
    job = done(alice, image)
    page = read(alice_client, f"/edits/{job.pk}/")
    for what in ("all", "prompt", "seed", "size"):
        assert f"/studio/{image.pk}/?reuse={job.pk}&amp;what={what}" in page


def test_page_of_an_edit_asks_five_times_at_most(alice: User, alice_client: Client, image: Image) -> None:
    first = done(alice, image)
    job = done(alice, first.results.get(), image, rerun_of=first)
    make_attempt(job, state="ended")
    for seed in range(20):
        done(alice, first.results.get(), image, rerun_of=job, seed=seed)
        done(alice, job.results.get())
    ask(alice_client, job, "strength", "0.2", "0.9")
    with CaptureQueriesContext(connection) as asked:
        page = read(alice_client, f"/edits/{job.pk}/")
    assert page.count("kin-link") >= 40
    tables = [re.findall(r'FROM "(\w+)"', query["sql"]) for query in asked if "SELECT" in query["sql"]]
    own = [table[-1] for table in tables if table and table[-1] not in FRAME]
    assert len(own) <= 5, own
