"""Pages of a batch that goes on: what the gate tells by itself, what can be taken back, and numbers that are true."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.jobs import batches, gate
from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.models import (
    Batch,
    BatchItem,
    ChangeMap,
    GenerationJob,
    HeldFor,
    Image,
    ImageKind,
    ItemState,
    JobState,
    User,
)
from editor.views import batch_gate
from tests.makers import make_batch, make_change, make_image, make_job

pytestmark = pytest.mark.django_db

STEPS = to_rows([EditSpec("remove the background"), EditSpec("add a shadow")])
DONE: dict[str, Any] = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
FAILED: dict[str, Any] = {
    "state": JobState.FAILED, "failure_code": "vendor", "allowance": "released", "finished_at": timezone.now()
}  # fmt: skip
HELD: dict[str, Any] = {"state": JobState.HELD, "held_for": HeldFor.PAUSED}


def looking(user: User, number: int, steps: list[dict[str, Any]] = STEPS) -> Batch:
    jobs = [make_job(user, **DONE) for _ in range(number)]
    for job in jobs:
        make_image(user, kind=ImageKind.GENERATED, job=job, root=job.source_image)
    batch = make_batch(user, *jobs, gate=True, steps=steps)
    batch.items.update(state=ItemState.LOOKING)
    return batch


def result_of(batch: Batch, number: int = 0) -> Image:
    found = batch.items.get(number=number).job.results.first()
    assert found is not None
    return found


def keep(batch: Batch, job: dict[str, Any] | None = None) -> BatchItem:
    """The first one is kept; `job`: how the edit of its next step is by now."""
    assert gate.keep(batch.items.get(number=0))
    if job is not None:
        made = make_job(batch.made_by, result_of(batch), **job)
        item = batch.items.get(number=0)
        GenerationJob.objects.filter(pk=made.pk).update(batch=batch, batch_item=item, batch_step=1)
        batch.items.filter(number=0).update(job=made, tries=2, due_at=None)
    return batch.items.get(number=0)


def news(client: Client, batch: Batch, *shown: str) -> str:
    address = reverse("batch_look_news", args=[batch.pk])
    return client.get(address, {"item": list(shown)}).content.decode()


def mark(state: str = "looking", job: str = "succeeded") -> str:
    return f"{state}-0-1-{job}"


# The gate


def test_gate_tells_what_changed_and_what_came(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 4)
    gate.drop(batch.items.get(number=1))
    told = news(alice_client, batch, f"0.{mark()}", f"1.{mark()}", f"2.{mark()}")
    assert "3 to look at" in told
    assert re.findall(r'<li id="item-(\d)"( hx-swap-oob="true")?', told) == [("1", ' hx-swap-oob="true"'), ("3", "")]
    assert 'hx-swap-oob="beforeend:#look-grid"' in told


def test_gate_says_what_was_filled_in_as_one_picture_may_have_two_rows(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 2)
    for number, colour in enumerate(["red", "blue <b>"]):
        batch.items.filter(number=number).update(values={"colour": colour})
    page = alice_client.get(reverse("batch_look", args=[batch.pk])).content.decode()
    assert "colour: red" in page
    assert "colour: blue &lt;b&gt;" in page


def test_what_is_left_is_asked_for_when_pictures_went_on(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 2)
    item = batch.items.get(number=0)
    script, asked = {"HX-Request": "true"}, {"item": [f"0.{mark()}", f"1.{mark()}"]}
    again = {"what": "again", "seen": item.stamp}
    addresses = [reverse(name, args=[batch.pk]) for name in ("batch_look_news", "batch_progress")]
    assert not any("HX-Trigger" in alice_client.get(address, asked) for address in addresses)
    told = alice_client.post(reverse("batch_decide", args=[batch.pk, 0]), again, headers=script)
    assert told["HX-Trigger"] == "batch-changed"
    assert all(alice_client.get(address, asked)["HX-Trigger"] == "batch-changed" for address in addresses)
    assert "batch-changed from:body" in alice_client.get(reverse("batch", args=[batch.pk])).content.decode()


def test_gate_takes_no_more_than_a_page_and_says_that_there_are_others(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_gate, "PER_LOOK", 2)
    batch = looking(alice, 4)
    page = alice_client.get(reverse("batch_look", args=[batch.pk])).content.decode()
    assert page.count('data-item="looking"') == 2
    assert "Show others" in page
    assert "<li" not in news(alice_client, batch, f"0.{mark()}", f"1.{mark()}")
    gate.drop(batch.items.get(number=0))
    assert '<li id="item-2"' in news(alice_client, batch, f"0.{mark('dropped')}", f"1.{mark()}")
    gate.drop(batch.items.get(number=3))
    assert "Show others" not in news(alice_client, batch, f"0.{mark('dropped')}", f"1.{mark()}")


def test_decision_brings_the_next_ones_and_no_tile_twice(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 3)
    fields = {"what": "drop", "seen": "0.1", "item": [f"0.{mark()}", f"1.{mark()}"]}
    address = reverse("batch_decide", args=[batch.pk, 0])
    told = alice_client.post(address, fields, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'<li id="item-(\d)"', told) == ["0", "2"]
    assert 'href="#item-1" data-look-next' in told


def test_page_of_a_gate_costs_the_same_however_many(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    batch = looking(alice, 20)
    with django_assert_max_num_queries(10):
        alice_client.get(reverse("batch_look", args=[batch.pk]))


@pytest.mark.parametrize(
    ("job", "possible"),
    [
        (None, True),
        ({"state": JobState.QUEUED}, True),
        (HELD, True),
        ({"state": JobState.SUBMITTING}, False),
        ({"state": JobState.PROCESSING}, False),
        (FAILED, True),
    ],
)
def test_undo_is_offered_where_it_can_be_done(
    alice: User, alice_client: Client, job: dict[str, Any] | None, possible: bool
) -> None:
    batch = looking(alice, 1)
    keep(batch, job)
    assert ('value="undo"' in news(alice_client, batch, "0.old")) == possible
    assert gate.take_back(batch.items.get()) == possible


def test_nothing_is_taken_back_where_nothing_was_decided(alice: User, alice_client: Client) -> None:
    batch = make_batch(alice, make_job(alice), make_job(alice, **FAILED), gate=True, steps=STEPS)
    assert 'value="undo"' not in news(alice_client, batch, "0.old", "1.old")
    assert not any(gate.take_back(item) for item in batch.items.all())


@pytest.mark.parametrize("job", [None, {"state": JobState.PROCESSING}])
def test_tile_on_its_way_shows_what_it_is_made_of_and_no_result(
    alice: User, alice_client: Client, job: dict[str, Any] | None
) -> None:
    batch = looking(alice, 1)
    keep(batch, job)
    told = news(alice_client, batch, "0.old")
    assert f'<img class="entry-pale" src="/images/{result_of_first_step(batch).pk}/' in told
    assert "What step 1 made" in told
    assert told.count("<img") == 1
    assert ("On to step 2" in told) == (job is None)
    progress = alice_client.get(reverse("batch_progress", args=[batch.pk]), {"item": "0.old"}).content.decode()
    assert "entry-source" not in progress
    assert "entry-pale" in progress


def result_of_first_step(batch: Batch) -> Image:
    return Image.objects.get(job__batch=batch, job__batch_step=0)


# The page of the batch


def test_bar_shows_what_is_done_and_the_rest_apart(alice: User, alice_client: Client) -> None:
    kinds = [*[DONE] * 4, FAILED, {"state": JobState.QUEUED}]
    batch = make_batch(alice, *(make_job(alice, **fields) for fields in kinds), gate=True)
    batch.items.filter(number=1).update(state=ItemState.LOOKING)
    batch.items.filter(number=2).update(state=ItemState.DROPPED)
    page = alice_client.get(reverse("batch", args=[batch.pk]))
    assert page.context["bar"] == [("done", 0, 2), ("looking", 2, 1), ("bad", 3, 1), ("gone", 4, 1)]
    assert 'aria-valuemax="6" aria-valuenow="2" aria-valuetext="2 of 6"' in page.content.decode()
    assert page.context["standing"].by_step == [3]


def test_each_filter_says_how_many_it_shows(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 4)
    for number, share in enumerate((0.5, 0.5, 0.01)):
        make_change(result_of(batch, number), share)
    gate.drop(batch.items.get(number=0))
    address = reverse("batch", args=[batch.pk])
    context = alice_client.get(address, {"show": "looking"}).context
    assert {kind.word: kind.number for kind in context["extents"]} == {"much": 1, "little": 0, "hardly": 1}
    for kind in [*context["kinds"]]:
        assert len(alice_client.get(address, {"show": kind.word}).context["items"]) == kind.number
    for kind in context["extents"]:
        shown = alice_client.get(address, {"show": "looking", "changed": kind.word}).context["items"]
        assert len(shown) == kind.number
    told = alice_client.get(reverse("batch_progress", args=[batch.pk])).content.decode()
    assert '<span id="number-dropped" class="batch-number" hx-swap-oob="true">1</span>' in told
    assert '<span id="number-much" class="batch-number" hx-swap-oob="true">2</span>' in told


def may_pause(client: Client, batch: Batch) -> bool:
    return 'value="pause"' in client.get(reverse("batch", args=[batch.pk])).content.decode()


def test_pause_goes_when_nothing_can_be_paused(alice: User, alice_client: Client) -> None:
    jobs = [make_job(alice, state=JobState.PROCESSING), make_job(alice)]
    batch = make_batch(alice, *jobs)
    assert may_pause(alice_client, batch)
    assert batches.cancel_waiting(batch) == 1
    assert not may_pause(alice_client, batch)
    Batch.objects.filter(pk=batch.pk).update(steps=STEPS, canceled_at=None)
    assert may_pause(alice_client, batch)  # its next step
    Batch.objects.filter(pk=batch.pk).update(canceled_at=timezone.now())
    assert not may_pause(alice_client, batch)


def test_how_much_changed_comes_by_itself(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 1)
    image = result_of(batch)
    change = ChangeMap.objects.create(image=image)
    assert 'id="item-0"' not in news(alice_client, batch, f"0.{mark()}")
    page = alice_client.get(reverse("batch", args=[batch.pk])).content.decode()
    assert f"item=0.{mark()}" in page
    change.become_made(share=0.42, byte_size=1, method=1)
    assert "About 40 % changed" in news(alice_client, batch, f"0.{mark()}")
    address = reverse("batch_progress", args=[batch.pk])
    told = alice_client.get(address, {"item": f"0.{mark()}"}).content.decode()
    assert "About 40 % changed" in told
    assert "item=0." not in told
    assert 'id="item-0"' not in news(alice_client, batch, f"0.{mark()}-changed")


def test_whoever_is_asked_for_a_word_is_led_there(alice: User, alice_client: Client) -> None:
    asking = make_job(alice, state=JobState.UNCONFIRMED)
    batch = make_batch(alice, asking, make_job(alice))
    address = reverse("batch", args=[batch.pk])
    page = alice_client.get(address).content.decode()
    assert f'href="{address}?show=asking">1 needs your word</a>' in page
    assert 'id="number-asking" class="batch-number">1<' in page
    assert 'id="number-working" class="batch-number">1<' in page
    alone = alice_client.get(address, {"show": "asking"}).content.decode()
    assert ("item-0" in alone, "item-1" in alone) == (True, False)
    GenerationJob.objects.filter(pk=asking.pk).update(state=JobState.QUEUED)
    assert 'id="number-asking" class="batch-number"></span>' in alice_client.get(address).content.decode()


def test_list_says_of_each_batch_what_is_to_be_known_first(alice: User, alice_client: Client) -> None:
    def said(batch: Batch) -> str:
        page = alice_client.get(reverse("batch_list")).content.decode()
        tile = page.partition(reverse("batch", args=[batch.pk]))[2].partition("</li>")[0]
        found = re.search(r'<span class="state state-\w+">([^<]+)<', tile)
        return found[1] if found else ""

    job, other = make_job(alice, **DONE), make_job(alice)
    batch = make_batch(alice, job, other)
    batch.items.filter(job=job).update(state=ItemState.KEPT)
    assert said(batch) == "Under way"
    Batch.objects.filter(pk=batch.pk).update(paused_at=timezone.now())
    assert said(batch) == "Paused"
    GenerationJob.objects.filter(pk=other.pk).update(**FAILED)
    assert said(batch) == "Some went wrong"
    batch.items.filter(job=other).update(state=ItemState.LOOKING)
    assert said(batch) == "Waits for your look"
    batch.items.filter(job=other).update(state=ItemState.KEPT)
    assert said(batch) == ""
