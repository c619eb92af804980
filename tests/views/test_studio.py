"""The studio: what lies on the stage, what the dock holds, and the tree of versions."""

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from editor.library.words import index_words
from editor.models import GenerationJob, Image, ImageKind, ImageState, JobState, User
from editor.views.dock import SENTENCES
from editor.views.versions import NODES_MAX, versions_of
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def finished(user: User, *sources: Image, results: int = 1, **fields: Any) -> GenerationJob:
    """A done edit with results that descend from its first source."""
    job = make_job(user, *sources, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now(), **fields)
    root = job.source_image.first_upload
    for position in range(results):
        make_image(user, kind=ImageKind.GENERATED, job=job, position=position, root=root, name=job.prompt[:100])
    return job


def test_visitor_is_welcomed_with_a_way_in() -> None:
    words = page(Client(), "/")
    assert "Create an account" in words
    assert "Sign in" in words


def test_empty_studio_teaches(alice_client: Client) -> None:
    words = page(alice_client, "/")
    assert "Drop a picture" in words
    assert words.count('action="/samples/') == 4 + len(SENTENCES)


def test_home_offers_recent_pictures_but_no_refused_ones(alice: User, alice_client: Client) -> None:
    good = make_image(alice)
    bad = make_image(alice, state=ImageState.REFUSED, refused_code="damaged")
    words = page(alice_client, "/")
    assert f"/studio/{good.pk}/" in words
    assert str(bad.pk) not in words


def test_picture_lies_on_the_stage_and_in_the_dock(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    words = page(alice_client, f"/studio/{image.pk}/")
    assert f"/images/{image.pk}/1280.webp" in words
    assert f'name="source" value="{image.pk}"' in words


def test_stranger_gets_404(alice: User, charlie_client: Client) -> None:
    page(charlie_client, f"/studio/{make_image(alice).pk}/", 404)


@pytest.mark.parametrize("spelling", [str.upper, lambda text: "{" + text + "}", lambda text: text.replace("-", "")])
def test_other_spellings_of_an_id_get_404(spelling: Callable[[str], str], alice: User, alice_client: Client) -> None:
    page(alice_client, f"/studio/{spelling(str(make_image(alice).pk))}/", 404)
    job = make_job(alice)
    page(alice_client, f"/studio/{job.source_image.pk}/?edit={spelling(str(job.pk))}", 404)


def test_strangers_edit_beside_an_own_picture_gets_404(alice: User, charlie: User, alice_client: Client) -> None:
    page(alice_client, f"/studio/{make_image(alice).pk}/?edit={make_job(charlie).pk}", 404)
    page(alice_client, f"/studio/{make_image(alice).pk}/?reuse={uuid4()}", 404)


def test_result_stands_beside_its_source(alice: User, alice_client: Client) -> None:
    job = finished(alice)
    words = page(alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}")
    assert "data-compare-range" in words
    assert f"/images/{job.results.get().pk}/1280.webp" in words


def test_second_of_two_results_can_be_chosen(alice: User, alice_client: Client) -> None:
    job = finished(alice, results=2, samples=2)
    second = job.results.get(position=1)
    assert f"/images/{second.pk}/1280.webp" in page(
        alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}&result=2"
    )


def test_generated_picture_is_compared_with_what_it_was_made_from(alice: User, alice_client: Client) -> None:
    job = finished(alice)
    words = page(alice_client, f"/studio/{job.results.get().pk}/")
    assert f"/images/{job.source_image.pk}/1280.webp" in words


def test_stage_waits_for_an_open_edit_and_says_how_far_it_is(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    words = page(alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}")
    assert f"edit-finished-{job.pk} from:body" in words
    assert "Queued, next in line" in words
    assert f"/edits/{job.pk}/cancel/" in words


def test_refused_picture_says_why(alice: User, alice_client: Client) -> None:
    image = make_image(alice, state=ImageState.REFUSED, refused_code="too-small")
    assert "too small to edit" in page(alice_client, f"/studio/{image.pk}/")


def test_received_picture_is_asked_about_until_it_is_settled(alice: User, alice_client: Client) -> None:
    image = make_image(alice, state=ImageState.RECEIVED)
    words = page(alice_client, f"/studio/{image.pk}/")
    assert f'hx-get="/images/{image.pk}/state/"' in words
    assert f"image-settled-{image.pk} from:body" in words


def test_size_of_the_result_is_said_before_the_click(alice: User, alice_client: Client) -> None:
    image = make_image(alice, width=4000, height=3000)
    words = page(alice_client, f"/studio/{image.pk}/")
    assert "1024 × 768" in words


def test_change_brings_back_words_and_seed(alice: User, alice_client: Client) -> None:
    job = finished(alice, prompt="like a woodcut", seed=1234567, negative_prompt="frames", ratio="1:1")
    words = page(alice_client, f"/studio/{job.source_image.pk}/?reuse={job.pk}")
    assert ">like a woodcut</textarea>" in words
    assert 'value="1234567"' in words
    assert ">frames</textarea>" in words


@pytest.mark.parametrize(
    ("what", "words", "seed", "size"),
    [
        ("all", True, True, True),
        ("prompt", True, False, False),
        ("seed", False, True, False),
        ("size", False, False, True),
    ],
)
def test_parts_of_an_edit_are_reused(
    what: str, words: bool, seed: bool, size: bool, alice: User, alice_client: Client
) -> None:
    """Also beside a picture that it was not made of."""
    job = finished(alice, prompt="like a woodcut", seed=1234567, negative_prompt="frames", ratio="1:1")
    found = page(alice_client, f"/studio/{make_image(alice).pk}/?reuse={job.pk}&what={what}")
    assert (">like a woodcut</textarea>" in found, ">frames</textarea>" in found) == (words, words)
    assert ('value="1234567"' in found) is seed
    assert bool(re.search(r'value="1:1"[^>]* checked', found)) is size


def test_all_of_a_merge_brings_its_second_picture_along(alice: User, alice_client: Client) -> None:
    cat, cup = make_image(alice), make_image(alice)
    job = finished(alice, cat, cup)
    assert f'name="second" value="{cup.pk}"' in page(alice_client, f"/studio/{cat.pk}/?reuse={job.pk}")
    assert f'name="second" value="{cup.pk}"' not in page(alice_client, f"/studio/{cat.pk}/?reuse={job.pk}&what=seed")


def test_strangers_edit_is_not_reused(alice: User, charlie: User, alice_client: Client) -> None:
    page(alice_client, f"/studio/{make_image(alice).pk}/?reuse={make_job(charlie).pk}", 404)
    page(alice_client, f"/studio/{make_image(alice).pk}/?against={make_image(charlie).pk}", 404)


def test_seed_that_is_locked_stays_for_the_next_edit(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    fields = {"source": image.pk, "prompt": "blue", "seed": "77", "keep_seed": "on", "form_token": "a"}
    there = page(alice_client, alice_client.post("/edits/", fields)["Location"])
    assert 'value="77"' in there
    assert re.search(r'name="keep_seed"[^>]* checked', there)
    again = page(alice_client, alice_client.post("/edits/", fields | {"keep_seed": "", "form_token": "b"})["Location"])
    assert 'value="77"' not in again


def test_any_two_pictures_are_compared_on_the_stage(alice: User, alice_client: Client) -> None:
    job, other = finished(alice), make_image(alice)
    words = page(alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}&against={other.pk}")
    assert f"/images/{other.pk}/1280.webp" in words
    assert "data-compare-range" in words


def test_earlier_words_come_newest_first_and_once(alice: User, charlie: User, alice_client: Client) -> None:
    for words in ("one", "two", "one"):
        make_job(alice, prompt=words)
    make_job(charlie, prompt="a stranger's")
    assert re.findall(r'data-earlier="([^"]+)"', page(alice_client, "/studio/words/")) == ["one", "two"]


def test_pictures_are_picked_by_their_words(alice: User, alice_client: Client) -> None:
    image, cup, hat = make_image(alice), make_image(alice, name="cup.jpg"), make_image(alice, name="hat.jpg")
    index_words(image, cup, hat)
    everything = page(alice_client, f"/studio/{image.pk}/pick/?slot=second")
    assert f'href="/studio/{image.pk}/?second={hat.pk}"' in everything
    assert f'data-picked="{image.pk}"' not in everything
    found = page(alice_client, f"/studio/{image.pk}/pick/?slot=source&second={image.pk}&q=cup")
    assert f'href="/studio/{cup.pk}/?second={image.pk}"' in found
    assert str(hat.pk) not in found


def test_sentence_to_try_fills_the_prompt(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    assert f">{SENTENCES[1]}</textarea>" in page(alice_client, f"/studio/{image.pk}/?try=1")
    assert "data-sentence" in page(alice_client, f"/studio/{image.pk}/?try=9")


def test_price_stands_on_the_button(alice: User, alice_client: Client, settings: Settings) -> None:
    settings.FLUX_PRICE = 0.04
    assert '<span data-price="0.04">0.04</span>' in page(alice_client, f"/studio/{make_image(alice).pk}/")


def test_shown_edit_leaves_the_words_to_the_next_one(alice: User, alice_client: Client) -> None:
    job = finished(alice, prompt="like a woodcut", seed=1234567)
    words = page(alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}")
    assert ">like a woodcut</textarea>" not in words
    assert 'value="1234567"' not in words


def test_words_of_a_prompt_are_never_markup(alice: User, alice_client: Client) -> None:
    job = make_job(alice, prompt="<script>alert(1)</script> {{ user.email }}")
    words = page(alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}")
    assert "<script>alert" not in words
    assert "{{ user.email }}" in words


def test_versions_say_what_was_made_from_what(alice: User) -> None:
    first = finished(alice)
    later = finished(alice, first.results.get())
    beside = finished(alice, first.source_image)
    nodes = versions_of(first.source_image, alice).nodes
    assert [(node.job, node.depth) for node in nodes] == [(beside, 0), (first, 0), (later, 1)]


def test_merge_stands_under_both_its_pictures(alice: User) -> None:
    cat, cup = make_image(alice), make_image(alice)
    merge = finished(alice, cat, cup)
    for image in (cat, cup):
        assert [node.job for node in versions_of(image, alice).nodes] == [merge]


def test_merge_of_two_versions_stands_under_both(alice: User) -> None:
    image = make_image(alice)
    one, other = finished(alice, image), finished(alice, image)
    merge = finished(alice, one.results.get(), other.results.get())
    later = finished(alice, merge.results.get())
    nodes = [(node.job, node.depth, node.again) for node in versions_of(image, alice).nodes]
    first, second = (other, 0, False), (one, 0, False)
    assert nodes == [first, (merge, 1, False), (later, 2, False), second, (merge, 1, True)]
    assert versions_of(image, alice).size == 5


def test_merge_with_the_original_stands_under_it_too(alice: User) -> None:
    image = make_image(alice)
    version = finished(alice, image)
    merge = finished(alice, image, version.results.get())
    nodes = [(node.job, node.depth, node.again) for node in versions_of(image, alice).nodes]
    assert nodes == [(merge, 0, False), (version, 0, False), (merge, 1, True)]


def test_old_edit_that_is_asked_for_stands_among_the_newest(alice: User) -> None:
    image = make_image(alice)
    old = finished(alice, image)
    for _ in range(NODES_MAX):
        make_job(alice, image)
    assert versions_of(image, alice, {old.pk}).nodes[-1].job == old


def test_pruned_version_leaves_the_tree_unless_something_was_made_of_it(alice: User) -> None:
    image = make_image(alice)
    first = finished(alice, image)
    later = finished(alice, first.results.get())
    first.results.get().trash()
    assert [node.job for node in versions_of(image, alice).nodes] == [first, later]
    later.results.get().trash()
    assert versions_of(image, alice).nodes == []


def test_branch_is_pruned_and_put_back_at_once(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    first = finished(alice, image, results=2)
    later = finished(alice, first.results.get(position=0))
    beside = finished(alice, image)
    words = page(alice_client, f"/studio/{image.pk}/?edit={first.pk}")
    assert "with 1 below" in words
    answer = alice_client.post(f"/edits/{first.pk}/trash/", {"branch": "1"}, follow=True)
    assert [node.job for node in versions_of(image, alice).nodes] == [beside]
    undo = re.search(r'action="(/workspaces/[^"]+/restore/[^"]+)"', answer.content.decode())
    assert undo
    back = alice_client.post(html.unescape(undo[1]))
    assert back["Location"] == f"/studio/{image.pk}/?edit={first.pk}"
    assert {node.job for node in versions_of(image, alice).nodes} == {first, later, beside}


def test_one_version_is_pruned_without_what_was_made_of_it(alice: User, alice_client: Client) -> None:
    first = finished(alice)
    later = finished(alice, first.results.get())
    alice_client.post(f"/edits/{first.pk}/trash/")
    assert first.results.get().trashed_at
    assert later.results.get().trashed_at is None


def test_versions_end_somewhere(alice: User) -> None:
    image = make_image(alice)
    newest = [make_job(alice, image) for _ in range(NODES_MAX + 1)][-1]
    versions = versions_of(image, alice)
    assert versions.cut
    assert len(versions.nodes) == NODES_MAX
    assert versions.nodes[0].job == newest


@pytest.mark.parametrize("asked", ["", "edit", "reuse"])
def test_studio_takes_five_queries_beyond_the_frame(
    asked: str,
    alice: User,
    alice_client: Client,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    image, cup = make_image(alice), make_image(alice)
    for _ in range(12):
        job = finished(alice, image, cup)
    address = f"/studio/{job.results.get().pk}/" if not asked else f"/studio/{image.pk}/?{asked}={job.pk}"
    with django_assert_max_num_queries(2 + 3 + 5):  # session and person; workspaces, what is left, and notices
        page(alice_client, address)


def test_what_is_left_can_be_asked_for_again(alice: User, alice_client: Client) -> None:
    before = page(alice_client, "/edits-left/")
    make_job(alice, samples=2)
    assert "<strong>200</strong>" in before
    assert "<strong>198</strong>" in page(alice_client, "/edits-left/")


def test_button_says_what_it_uses_and_what_is_left(alice: User, alice_client: Client) -> None:
    words = page(alice_client, f"/studio/{make_image(alice).pk}/")
    assert "uses <span data-cost>1</span>, <span data-left>200</span> left" in words


def test_refused_picture_can_not_be_edited(alice: User, alice_client: Client) -> None:
    image = make_image(alice, state=ImageState.REFUSED, refused_code="damaged")
    button = page(alice_client, f"/studio/{image.pk}/").split('class="run"')[1].split(">")[0]
    assert "disabled" in button


def test_result_can_be_used_as_second_picture(alice: User, alice_client: Client) -> None:
    job = finished(alice)
    source, result = job.source_image, job.results.get()
    address = f"/studio/{source.pk}/?second={result.pk}"
    assert f'href="{address}"' in page(alice_client, f"/studio/{source.pk}/?edit={job.pk}")
    assert f'name="second" value="{result.pk}"' in page(alice_client, address)


def test_strangers_picture_is_no_second(alice: User, charlie: User, alice_client: Client) -> None:
    address = f"/studio/{make_image(alice).pk}/?second="
    for second in (make_image(charlie).pk, "x"):
        assert 'class="slot slot-second"' in page(alice_client, f"{address}{second}")


def test_result_in_the_trash_is_said_and_offered_back(alice: User, alice_client: Client) -> None:
    job = finished(alice)
    job.results.get().trash()
    words = page(alice_client, f"/studio/{job.source_image.pk}/?edit={job.pk}")
    assert "The result is in the trash" in words
    assert f'action="/images/{job.results.get().pk}/restore/"' in words


def test_versions_with_the_same_words_say_what_differs(alice: User, alice_client: Client) -> None:
    first = finished(alice, prompt="in blue", seed=1, strength=0.7)
    finished(alice, first.source_image, prompt="in blue", seed=2, strength=0.7)
    finished(alice, first.source_image, prompt="in blue", seed=1, strength=0.5)
    finished(alice, first.source_image, prompt="in red", seed=9)
    words = page(alice_client, f"/studio/{first.source_image.pk}/")
    assert re.findall(r'class="differs">([^<]+)<', words) == ["strength 0.5", "seed 2", "seed 1"]


def test_picture_on_the_stage_is_not_its_own_second_one(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    assert 'name="second" value=""' in page(alice_client, f"/studio/{image.pk}/?second={image.pk}")


def test_second_picture_stays_after_a_run_and_another_one(alice: User, alice_client: Client) -> None:
    image, second = make_image(alice), make_image(alice)
    asked = {"source": image.pk, "second": second.pk, "prompt": "both", "form_token": "once"}
    response = alice_client.post("/edits/", asked)
    assert response["Location"].endswith(f"&second={second.pk}")
    job = GenerationJob.objects.get()
    again = {"mode": "new", "second": second.pk, "form_token": "again"}
    response = alice_client.post(f"/edits/{job.pk}/run-again/", again)
    assert response["Location"].endswith(f"&second={second.pk}")
    assert f'name="second" value="{second.pk}"' in page(alice_client, response["Location"])
