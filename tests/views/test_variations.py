"""Up to four variations of one edit, made at once and seen side by side."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.models import GenerationJob, JobState, PromptRule, RuleAction, User, Workspace
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db


def done(user: User, **fields: Any) -> GenerationJob:
    values = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now(), **fields}
    return make_job(user, make_image(user), **values)


def ask(client: Client, job: GenerationJob, what: str, *values: object, **fields: object) -> Any:
    sent = {f"{what}_{number}": value for number, value in enumerate(values)}
    return client.post(f"/edits/{job.pk}/variations/", {"what": what, "form_token": uuid4().hex, **sent, **fields})


@pytest.fixture
def job(alice: User) -> GenerationJob:
    return done(alice, strength=0.7, seed=7, samples=3, negative_prompt="text", ratio="4:3", prompt="a red car")


def made_of(job: GenerationJob) -> list[GenerationJob]:
    return list(GenerationJob.objects.filter(rerun_of=job).order_by("created_at", "id"))


def test_strengths_make_an_edit_each(job: GenerationJob, alice_client: Client) -> None:
    response = ask(alice_client, job, "strength", "0.2", "", "0.5", "1")
    made = made_of(job)
    assert [each.strength for each in made] == [0.2, 0.5, 1]
    assert response["Location"] == f"/edits/variations/{made[0].variation_set}/"
    assert len({each.variation_set for each in made}) == 1
    for each in made:
        assert (each.seed, each.prompt, each.samples, each.ratio) == (7, "a red car", 1, "4:3")
        assert (each.negative_prompt, each.source_images) == ("text", job.source_images)


def test_seeds_and_words_do_as_well(job: GenerationJob, alice_client: Client) -> None:
    ask(alice_client, job, "seed", "1", "0")
    assert [each.seed for each in made_of(job)] == [1, 0]
    ask(alice_client, job, "prompt", "a blue car", "a red car", "")  # the second one was left as it was
    assert [each.prompt for each in made_of(job)[2:]] == ["a blue car"]


def test_one_form_makes_exactly_those_edits_once(job: GenerationJob, alice_client: Client) -> None:
    asked = [
        ask(alice_client, job, "strength", "0.2", "0.5", form_token="once"),
        ask(alice_client, job, "strength", "0.2", "0.5", form_token="once"),
        ask(alice_client, job, "strength", "0.9", form_token="once"),  # back, changed, and sent again
    ]
    assert len({response["Location"] for response in asked}) == 1
    assert [each.strength for each in made_of(job)] == [0.2, 0.5]


@pytest.mark.parametrize(
    ("what", "values", "sentence"),
    [
        ("strength", ["0.2", "0.7"], "0.7 is what the edit had"),
        ("strength", ["0.2", "0.20"], "This one stands there twice"),
        ("strength", ["0.2", "nan"], "A number from 0 to 1"),
        ("strength", ["1.5"], "A number from 0 to 1"),
        ("strength", ["", "", "", ""], "Fill in one at least"),
        ("seed", ["4294967296"], "A whole number from 0"),
        ("seed", ["7"], "7 is what the edit had"),
        ("prompt", ["a red car"], "Change the words of one at least"),
        ("prompt", ["x" * 4001], "At most 4000 characters"),
        ("prompt", ["a\0b"], "characters that are no text"),
        ("colour", ["1"], "reload the page"),
    ],
)
def test_what_can_not_be_made_is_said_beside_its_field(
    what: str, values: list[str], sentence: str, job: GenerationJob, alice_client: Client
) -> None:
    response = ask(alice_client, job, what, *values)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert made_of(job) == []


def test_nothing_is_made_if_not_all_of_it_may_be(job: GenerationJob, alice_client: Client, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 3 + 2  # the edit itself made three
    response = ask(alice_client, job, "strength", "0.2", "0.4", "0.5")
    words = response.content.decode()
    assert response.status_code == 422
    assert "That would be 3 pictures, and none of them was made." in words
    assert "and 2 are left" in words
    assert 'value="0.4"' in words  # what was filled in is kept
    assert made_of(job) == []
    assert ask(alice_client, job, "strength", "0.2", "0.4").status_code == 302
    assert len(made_of(job)) == 2


def test_too_many_would_wait(job: GenerationJob, alice: User, alice_client: Client, settings: Settings) -> None:
    settings.WAITING_PER_USER = 3
    make_job(alice)
    words = ask(alice_client, job, "strength", "0.2", "0.4", "0.5").content.decode()
    assert "You have one edit waiting already, and nobody may have more than 3; you asked for 3 more." in words
    assert made_of(job) == []


def test_one_blocked_wording_stops_them_all(job: GenerationJob, alice_client: Client) -> None:
    PromptRule.objects.create(name="Guns", action=RuleAction.BLOCK, text="gun")
    words = ask(alice_client, job, "prompt", "a blue car", "a gun").content.decode()
    assert "not accepted here" in words
    assert made_of(job) == []


def test_source_in_the_trash_is_said(job: GenerationJob, alice_client: Client) -> None:
    job.source_image.trash()
    assert "in the trash or gone" in ask(alice_client, job, "seed", "1").content.decode()
    assert made_of(job) == []


def test_price_and_what_is_left_are_said_before(job: GenerationJob, alice_client: Client, settings: Settings) -> None:
    settings.EDITS_PER_DAY, settings.FLUX_PRICE = 50, 0.04
    words = alice_client.get(f"/edits/{job.pk}/variations/").content.decode()
    assert "47 of 50 pictures left today." in words
    assert "at 0.04 each" in words
    assert 'value="0.4"' in words  # strengths are offered,
    assert 'value="0.7"' not in words  # its own is not


def test_page_names_them_by_what_differs(
    job: GenerationJob, alice_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    address = ask(alice_client, job, "strength", "0.2", "0.5")["Location"]
    first = made_of(job)[0]
    result = make_image(first.made_by, kind="generated", job=first)
    page = alice_client.get(address).content.decode()
    assert "strength 0.2</h2>" in page
    assert "strength 0.5</h2>" in page
    assert f"/studio/{result.pk}/" in page  # go on with it
    assert f"/edits/compare/?a={job.pk}&amp;b={first.pk}" in page
    assert f"tile-{made_of(job)[1].pk}" in page  # the other is on its way


def test_base_in_a_workspace_of_others_is_not_told(
    job: GenerationJob, alice: User, bob_client: Client, alice_client: Client, team: Workspace
) -> None:
    """Its picture was moved into the team, where its variations are made then; the edit itself stays hers alone."""
    image = job.source_image
    image.workspace = team
    image.save()
    address = ask(alice_client, job, "prompt", "a car")["Location"]
    page = bob_client.get(address).content.decode()
    assert "variation 1</h2>" in page
    assert "red" not in page
    assert str(job.pk) not in page
    assert bob_client.get(f"/edits/{job.pk}/variations/").status_code == 404


def test_strangers_see_no_variations(job: GenerationJob, alice_client: Client, charlie_client: Client) -> None:
    address = ask(alice_client, job, "seed", "1")["Location"]
    assert charlie_client.get(address).status_code == 404
    assert charlie_client.get(f"/edits/variations/{uuid4()}/").status_code == 404
    assert ask(charlie_client, job, "seed", "1").status_code == 404
