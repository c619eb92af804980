"""Edits of edits of edits: that it is said, and that all of them can be asked for at once."""

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from editor.forms import PROMPT_MAX
from editor.models import GenerationJob, Image, ImageKind, JobState, Membership, Role, User, Workspace
from editor.views.versions import NODES_MAX
from tests.makers import make_change, make_image, make_job
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db

OFFER = "Make this picture in one edit"


def made_of(*sources: Image, **fields: Any) -> Image:
    """The result of a done edit."""
    done = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
    job = make_job(sources[0].made_by, *sources, **(done | fields))
    root = sources[0].first_upload
    return make_image(job.made_by, workspace=job.workspace, kind=ImageKind.GENERATED, job=job, root=root, name="Result")


def in_a_row(upload: Image, *prompts: str) -> Image:
    for prompt in prompts:
        upload = made_of(upload, prompt=prompt)
    return upload


def studio(client: Client, image: Image, query: str = "") -> str:
    response = client.get(f"/studio/{image.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def dock(client: Client, image: Image, query: str = "") -> str:
    return studio(client, image, query).split('id="edit-form"')[1].split("</form>")[0]


def words_in(page: str) -> str:
    found = re.search(r'<textarea id="prompt".*?>(.*?)</textarea>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_third_edit_in_a_row_is_said_and_no_second_one(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    first = made_of(upload)
    second, fourth = made_of(first), in_a_row(first, "b", "c", "d")
    for quiet in (upload, first):
        assert "in a row" not in dock(alice_client, quiet)
    assert "This would be the 3rd edit in a row" in dock(alice_client, second)
    assert "This would be the 5th edit in a row" in dock(alice_client, fourth)


def test_result_on_the_stage_is_the_picture_that_the_offer_means(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    first = made_of(upload, prompt="blue")
    second = made_of(first, prompt="a hat")
    third = made_of(second, prompt="at night")
    there = dock(alice_client, second, f"?edit={third.job_id}")
    assert "This is the 3rd edit in a row" in there
    assert f'href="/studio/{upload.pk}/?joined={third.pk}"' in there
    assert "at night" in words_in(dock(alice_client, upload, f"?joined={third.pk}"))
    assert "in a row" not in dock(alice_client, first, f"?edit={second.job_id}")


def test_offer_fills_the_dock_of_the_original_with_all_that_was_asked(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    first = made_of(upload, prompt="Make it\nblue", negative_prompt="frames", strength=0.9, ratio="1:1")
    last = made_of(made_of(first, prompt="add a hat;", negative_prompt="text"), prompt="at night!", strength=0.5)
    offer = re.search(rf'href="([^"]+)" title=[^>]+>{OFFER}', dock(alice_client, last))
    assert offer
    assert offer[1] == f"/studio/{upload.pk}/?joined={last.pk}"
    filled = dock(alice_client, upload, f"?joined={last.pk}")
    assert words_in(filled) == "First: Make it blue. Then: add a hat. Then: at night!"
    assert ">frames, text</textarea>" in filled
    assert re.search(r'value="1:1"[^>]* checked', filled)
    assert 'name="strength" min="0" max="1" step="0.05" value="0.9"' in filled
    assert f'name="joined" value="{last.pk}"' in filled
    assert not GenerationJob.objects.exclude(state=JobState.SUCCEEDED).exists()  # nothing is asked for by looking


def test_both_are_compared_once_it_is_made(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    last = in_a_row(upload, "blue", "a hat")
    asked = {"source": upload.pk, "prompt": "other words", "form_token": "once", "joined": last.pk}
    answer = alice_client.post("/edits/", asked)
    job = GenerationJob.objects.get(form_token="once")
    assert (job.prompt, job.source_image) == ("other words", upload)
    assert answer["Location"] == f"/studio/{upload.pk}/?edit={job.pk}&joined={last.pk}"
    waiting = studio(alice_client, upload, f"?edit={job.pk}&joined={last.pk}")
    assert "data-compare-range" not in waiting
    assert 'name="joined"' not in waiting  # the next edit is one of its own
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
    GenerationJob.objects.filter(pk=job.pk).update(**ended)
    result = make_image(alice, kind=ImageKind.GENERATED, job=job, root=upload)
    there = studio(alice_client, upload, f"?edit={job.pk}&joined={last.pk}")
    assert f"/images/{result.pk}/1280.webp" in there
    assert f"/images/{last.pk}/1280.webp" in there
    assert "<figcaption>Step by step</figcaption>" in there
    assert f"/edits/compare/?a={last.job_id}&amp;b={job.pk}" in there


def test_what_changed_is_offered_beside_the_picture_made_in_steps(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    last, at_once = in_a_row(upload, "blue", "a hat"), made_of(upload, prompt="First: blue. Then: a hat.")
    both = f"?edit={at_once.job_id}&joined={last.pk}"
    assert 'data-key="w"' in studio(alice_client, upload, both)
    make_change(at_once, share=0.12)
    there = studio(alice_client, upload, both)
    assert f'<img class="changes-map" src="/images/{at_once.pk}/change' in there
    assert "At once, against the original:" in there


def test_refused_form_keeps_the_picture_that_it_will_be_compared_with(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    last = in_a_row(upload, "blue", "a hat")
    asked = {"source": upload.pk, "prompt": "", "form_token": "once", "joined": last.pk}
    answer = alice_client.post("/edits/", asked)
    assert answer.status_code == 422
    assert f'name="joined" value="{last.pk}"' in answer.content.decode()


def test_merge_on_the_way_is_explained(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    last = in_a_row(made_of(made_of(upload), make_image(alice)), "then blue")
    said = dock(alice_client, last)
    assert "4th edit in a row" in said
    assert "A second picture came in on the way" in said
    assert OFFER not in said
    assert words_in(dock(alice_client, upload, f"?joined={last.pk}")) == ""


def test_words_that_are_too_long_together_are_not_joined(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    last = in_a_row(upload, "a" * (PROMPT_MAX // 2), "b" * (PROMPT_MAX // 2))
    said = dock(alice_client, last)
    assert "too long to be joined" in said
    assert OFFER not in said
    assert words_in(dock(alice_client, upload, f"?joined={last.pk}")) == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"trashed_at": timezone.now()}, "The original is in the trash"),
        ({"trashed_at": timezone.now(), "purged_at": timezone.now()}, ""),
        ({"trashed_at": timezone.now(), "removed_at": timezone.now()}, ""),
        ({"usable_until": date(2020, 1, 1)}, ""),
    ],
)
def test_original_that_is_gone_is_not_offered(
    fields: dict[str, Any], words: str, alice: User, alice_client: Client
) -> None:
    upload = make_image(alice, name="Hidden name")
    last = in_a_row(upload, "blue", "a hat")
    Image.objects.filter(pk=upload.pk).update(**fields)
    said = dock(alice_client, last)
    assert "3rd edit in a row" in said
    assert words in said
    assert OFFER not in said
    assert "Hidden name" not in said


@pytest.mark.parametrize("which", ["original", "first result"])
def test_withheld_picture_is_neither_offered_nor_named(which: str, alice: User, team: Workspace) -> None:
    """Only its maker may see it until somebody looked at it."""
    upload = make_image(alice, workspace=team, name="Hidden name")
    first = made_of(upload, prompt="blue")
    last = made_of(first, prompt="a hat")
    hidden = upload if which == "original" else first
    Image.objects.filter(pk=hidden.pk).update(withheld_at=timezone.now(), name="Hidden name")
    bob = make_person("bob")
    Membership.objects.create(workspace=team, user=bob, role=Role.EDITOR)
    assert OFFER in dock(client_of(alice), last)
    said = dock(client_of(bob), last)
    assert "3rd edit in a row" in said
    assert OFFER not in said
    if which == "original":
        assert "Hidden name" not in said
        assert client_of(bob).get(f"/studio/{upload.pk}/?joined={last.pk}").status_code == 404
    else:
        assert words_in(dock(client_of(bob), upload, f"?joined={last.pk}")) == ""


def test_edits_in_another_workspace_are_neither_joined_nor_told(alice: User, charlie: User) -> None:
    """Pictures may have been moved away since; then nothing is known but that there were more."""
    upload = make_image(alice)
    first = made_of(upload, prompt="Hidden words")
    last = in_a_row(first, "blue", "a hat")
    theirs = Workspace.objects.personal_of(charlie)
    GenerationJob.objects.filter(results=first).update(workspace=theirs)
    said = dock(client_of(alice), last)
    assert "at least the 4th edit in a row" in said
    assert OFFER not in said
    assert "Hidden words" not in said


def test_edits_that_lie_elsewhere_are_not_joined_for_those_who_see_them(alice: User, team: Workspace) -> None:
    """What is made of the original has to lie beside it."""
    last = in_a_row(make_image(alice), "blue", "a hat")
    GenerationJob.objects.filter(results=last).update(workspace=team)
    assert "3rd edit in a row" in dock(client_of(alice), last)
    assert OFFER not in dock(client_of(alice), last)


def test_picture_that_is_none_of_theirs_fills_nothing(alice: User, charlie: User, alice_client: Client) -> None:
    upload, theirs = make_image(alice), in_a_row(make_image(charlie), "Hidden words", "more")
    own_elsewhere = in_a_row(make_image(alice), "elsewhere", "more")
    for joined in (theirs.pk, own_elsewhere.pk, uuid4()):
        filled = dock(alice_client, upload, f"?joined={joined}")
        assert words_in(filled) == ""
        assert 'name="joined"' not in filled
    assert alice_client.get(f"/studio/{upload.pk}/?joined=x").status_code == 404
    shown = made_of(upload)
    assert f"/images/{theirs.pk}/" not in studio(alice_client, upload, f"?edit={shown.job_id}&joined={theirs.pk}")
    asked = {"source": upload.pk, "prompt": "blue", "form_token": "a", "joined": "x"}
    assert alice_client.post("/edits/", asked).status_code == 404


def test_viewer_is_told_nothing_of_the_next_edit(alice: User, team: Workspace) -> None:
    viewer = make_person("viewer")
    Membership.objects.create(workspace=team, user=viewer, role=Role.VIEWER)
    last = in_a_row(make_image(alice, workspace=team), "blue", "a hat")
    assert "in a row" not in studio(client_of(viewer), last)


def test_row_is_found_in_a_large_family_and_within_five_queries(
    alice: User,
    alice_client: Client,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    """Its first edits are so old that the tree of versions leaves them out."""
    upload = make_image(alice)
    first = made_of(upload, prompt="blue")
    GenerationJob.objects.filter(results=first).update(created_at=F("created_at") - timedelta(days=9))
    last = in_a_row(first, "a hat", "at night")
    for _ in range(NODES_MAX):
        made_of(upload)
    with django_assert_max_num_queries(2 + 3 + 5):  # session and person; workspaces, what is left, and notices
        said = dock(alice_client, last)
    assert "This would be the 4th edit in a row" in said
    assert OFFER in said
    with django_assert_max_num_queries(2 + 3 + 5):
        filled = dock(alice_client, upload, f"?joined={last.pk}")
    assert words_in(filled) == "First: blue. Then: a hat. Then: at night."
