"""Recipes and tables for many pictures, the gate, and orders for all of a batch."""

import unicodedata
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.forms import batch_rows
from editor.forms.batch_rows import ROWS_MAX, BadRows, read_rows, text_of
from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.library.shelves import collect, new_collection
from editor.models import (
    Batch,
    BatchItem,
    GenerationJob,
    Image,
    ImageKind,
    ItemState,
    JobState,
    Membership,
    Recipe,
    RecipeVersion,
    Role,
    User,
    Workspace,
)
from tests.makers import make_batch, make_change, make_image, make_job, make_user
from tests.people import client_of

pytestmark = pytest.mark.django_db

STEPS = [EditSpec("remove the background"), EditSpec("make it {colour}", samples=2)]
DONE: dict[str, Any] = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}


def make_recipe(user: User, steps: list[EditSpec] = STEPS, **fields: Any) -> Recipe:
    place = {"workspace": Workspace.objects.personal_of(user), "made_by": user, "name": "Catalogue"}
    made = Recipe.objects.create(**(place | fields))
    RecipeVersion.objects.create(recipe=made, number=1, steps=to_rows(steps), made_by=user)
    return made


def ask(client: Client, *images: Image, **fields: Any) -> Any:
    pictures = " ".join(str(image.pk) for image in images)
    return client.post(reverse("batch_new"), {"pictures": pictures, "form_token": uuid4().hex, **fields})


def with_recipe(client: Client, recipe: Recipe, *images: Image, **fields: Any) -> Any:
    return ask(client, *images, recipe=recipe.pk, shown=recipe.pk, version=1, **fields)


def cups(user: User, number: int = 2) -> list[Image]:
    return [make_image(user, name=f"cup {place}.jpg") for place in range(number)]


def values_of(batch: Batch) -> list[tuple[str, dict[str, str]]]:
    return [(item.image.name, item.values) for item in batch.items.order_by("number")]


# Recipes


def test_form_shows_the_steps_their_fields_and_what_they_cost(alice: User, alice_client: Client) -> None:
    recipe = make_recipe(alice)
    page = ask(alice_client, *cups(alice), recipe=recipe.pk, use="1").content.decode()
    assert "remove the background" in page
    assert 'name="value-colour"' in page
    assert "2 pictures × 2 steps: <strong>at most 6 of 200</strong>" in page
    assert not Batch.objects.exists()


def test_other_recipe_than_the_one_shown_is_shown_first(alice: User, alice_client: Client) -> None:
    recipe = make_recipe(alice)
    page = ask(alice_client, *cups(alice), recipe=recipe.pk, shown="", prompt="blue")
    assert page.status_code == 200
    assert not Batch.objects.exists()


def test_version_that_was_shown_is_the_one_that_runs(alice: User, alice_client: Client) -> None:
    recipe = make_recipe(alice)
    RecipeVersion.objects.create(recipe=recipe, number=2, steps=to_rows([EditSpec("other")]), made_by=alice)
    with_recipe(alice_client, recipe, *cups(alice), **{"value-0": "red", "gate": "1"})
    batch = Batch.objects.get()
    assert [step["prompt"] for step in batch.steps] == ["remove the background", "make it {colour}"]
    assert (batch.recipe, batch.prompt, batch.gate) == (recipe, "Catalogue", True)
    assert values_of(batch) == [("cup 0.jpg", {"colour": "red"}), ("cup 1.jpg", {"colour": "red"})]


def test_batch_outlives_its_recipe(alice: User, alice_client: Client) -> None:
    recipe = make_recipe(alice)
    answer = with_recipe(alice_client, recipe, *cups(alice), **{"value-0": "red"})
    recipe.delete()
    assert "remove the background" in alice_client.get(answer.url).content.decode()


def test_words_in_braces_are_asked_for_also_without_a_recipe(alice: User, alice_client: Client) -> None:
    answer = ask(alice_client, *cups(alice), prompt="make it {colour}")
    assert answer.status_code == 422
    assert "Say what to put for {colour}." in answer.content.decode()
    ask(alice_client, *cups(alice), prompt="make it {colour}", **{"value-0": "{colour}"})
    assert {job.prompt for job in GenerationJob.objects.all()} == {"make it {colour}"}


def test_recipes_of_others_are_not_there(alice: User, alice_client: Client, bob: User, team: Workspace) -> None:
    mine, shared = make_image(alice), make_recipe(bob, workspace=team, shared=True)
    for foreign in (make_recipe(make_user()), make_recipe(bob), make_recipe(bob, workspace=team)):
        assert with_recipe(alice_client, foreign, mine, **{"value-0": "red"}).status_code == 422
    put_away = make_recipe(alice, put_away_at=timezone.now())
    assert with_recipe(alice_client, put_away, mine, **{"value-0": "red"}).status_code == 422
    assert ask(alice_client, mine, recipe="no id").status_code == 422
    assert not Batch.objects.exists()
    assert with_recipe(alice_client, shared, mine, **{"value-0": "red"}).status_code == 302


def test_whole_collection_is_asked_for(alice: User, alice_client: Client) -> None:
    images = cups(alice, 3)
    shelf = new_collection(alice, images[0].workspace, "Cups")
    collect(alice, shelf, images)
    page = alice_client.post(reverse("batch_new"), {"collection": shelf.pk}).content.decode()
    assert "Edit 3 pictures at once" in page
    stranger = make_user()
    theirs = new_collection(stranger, Workspace.objects.personal_of(stranger), "Theirs")
    assert alice_client.post(reverse("batch_new"), {"collection": theirs.pk}).status_code == 404


def test_picture_of_a_colleague_that_is_kept_back_is_in_no_batch(
    alice: User, bob: User, alice_client: Client, team: Workspace
) -> None:
    withheld = make_image(bob, workspace=team, name="hidden cup", withheld_at=timezone.now())
    shelf = new_collection(bob, team, "Cups")
    collect(bob, shelf, [withheld])
    for chosen in ({"pictures": str(withheld.pk)}, {"collection": shelf.pk}):
        for name in ("batch_new", "batch_preview"):
            answer = alice_client.post(reverse(name), chosen | {"prompt": "make it blue", "form_token": uuid4().hex})
            assert answer.status_code in {302, 404}
            assert "hidden cup" not in answer.content.decode()
    assert not Batch.objects.exists()
    shown = make_image(alice, workspace=team)
    collect(bob, shelf, [shown])
    for chosen in ({"pictures": f"{withheld.pk} {shown.pk}"}, {"collection": shelf.pk}):
        ask(alice_client, **chosen, prompt="make it blue")
    assert list(BatchItem.objects.values_list("image", flat=True)) == [shown.pk] * 2


def test_pressing_twice_makes_one_batch(alice: User, alice_client: Client) -> None:
    recipe, images = make_recipe(alice), cups(alice)
    once, twice = (
        with_recipe(alice_client, recipe, *images, form_token="same", **{"value-0": "red"}).url for _ in range(2)
    )
    assert once == twice
    assert (BatchItem.objects.count(), GenerationJob.objects.count()) == (2, 2)


# Tables


@pytest.mark.parametrize(
    "table",
    [
        "picture,colour\ncup 1,red\ncup 0.JPG,\n",
        "\ufeffColour;Picture\r\nred;cup 1.jpg\r\n;cup 0\r\n\r\n",
        "picture\tcolour\tprice\ncup 1\tred\t3\ncup 0\t\t4",
    ],
)
def test_rows_find_their_pictures_by_name(alice: User, alice_client: Client, table: str) -> None:
    file = SimpleUploadedFile("table.csv", table.encode())
    with_recipe(alice_client, make_recipe(alice), *cups(alice), table=file, **{"value-0": "white"})
    assert values_of(Batch.objects.get()) == [("cup 1.jpg", {"colour": "red"}), ("cup 0.jpg", {"colour": "white"})]


@pytest.mark.parametrize("rows", ["deep red, glossy\nblue", 'colour\n"deep red, glossy"\nblue'])
def test_lines_go_in_the_order_of_the_pictures(alice: User, alice_client: Client, rows: str) -> None:
    with_recipe(alice_client, make_recipe(alice), *cups(alice), rows=rows)
    assert [values["colour"] for _, values in values_of(Batch.objects.get())] == ["deep red, glossy", "blue"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("picture,colour\ncup 0,red\ncup 9,blue", "Line 3: none of the chosen pictures is called “cup 9”."),
        ("picture,colour\ncup 0,red\n,blue", "Line 3: no picture is named."),
        ("picture,colour\ncup 0,", "Line 2: nothing for “colour”."),
        ("picture,colours\ncup 0,red\ncup 1,red", "No column is called “colour”: name one so"),
        ("picture,colour\ncup 0\ncup 1", "Line 2: nothing for “colour”. Line 3"),
        ("colour\nred\nblue\ngreen", "There are 3 rows for 2 pictures."),
        ("colour,colour\nred,red", "Two columns are called “colour”."),
        ('picture,colour\n"cup 0,red', "Line 2: this is no CSV"),
        ("picture,colour\ncup 0,red,x", "Line 2: there are 3 cells, and the first line names 2."),
        (f"colour\n{'x' * 301}\nred", "Line 2: a cell has 301 characters; at most 300, please."),
        ("picture,colour\n", "The table has no rows."),
    ],
)
def test_what_is_wrong_is_said_with_its_line(alice: User, alice_client: Client, rows: str, said: str) -> None:
    answer = with_recipe(alice_client, make_recipe(alice), *cups(alice), rows=rows)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Batch.objects.exists()


def test_missing_column_is_said_once_and_not_with_each_line(alice: User, alice_client: Client) -> None:
    rows = "picture,colours\ncup 0,red\ncup 9,red"
    told = with_recipe(alice_client, make_recipe(alice), *cups(alice), rows=rows).content.decode()
    assert "“colour”: name one so in the first line, or fill in its field. Line 3: none of the chosen" in told
    assert "nothing for" not in told


def test_names_are_the_same_however_their_letters_are_made(alice: User, alice_client: Client) -> None:
    names = [unicodedata.normalize("NFD", "café 1.jpg"), "café 2.jpg"]
    pictures = [make_image(alice, name=name) for name in names]
    table = unicodedata.normalize("NFD", "picture,tönung  a\ncafé 1,red\ncafé 2,blue")
    ask(alice_client, *pictures, prompt="make it {tönung  a}", rows=table)
    assert [values for _, values in values_of(Batch.objects.get())] == [{"tönung  a": "red"}, {"tönung  a": "blue"}]


@pytest.mark.parametrize("first", ["", "colour\n"])
def test_no_more_rows_are_read_than_a_batch_may_have(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(wraps=batch_rows._value)
    monkeypatch.setattr(batch_rows, "_value", read)
    with pytest.raises(BadRows, match="this table has more"):
        read_rows(first + "a\n" * 490_000, ["colour"])
    assert read.call_count == ROWS_MAX + 1


def test_name_of_two_pictures_is_no_name(alice: User, alice_client: Client) -> None:
    twins = [make_image(alice, name="cup.jpg"), make_image(alice, name="cup.png")]
    answer = with_recipe(alice_client, make_recipe(alice), *twins, rows="picture,colour\ncup,red")
    assert "2 of the chosen pictures are called “cup”." in answer.content.decode()


def test_one_picture_may_have_several_rows(alice: User, alice_client: Client) -> None:
    with_recipe(alice_client, make_recipe(alice), *cups(alice), rows="picture,colour\ncup 1,red\ncup 1,blue")
    assert [name for name, _ in values_of(Batch.objects.get())] == ["cup 1.jpg", "cup 1.jpg"]


def test_table_without_words_to_fill_in_is_a_mistake(alice: User, alice_client: Client) -> None:
    answer = ask(alice_client, *cups(alice), prompt="blue", rows="picture\ncup 1")
    assert "There is nothing to fill in" in answer.content.decode()


def test_cells_are_words_and_nothing_else(alice: User, alice_client: Client) -> None:
    rows = "colour\n'=SUM(A1)\n<b>{colour}</b>"
    answer = with_recipe(alice_client, make_recipe(alice), *cups(alice), rows=rows)
    assert [each["colour"] for _, each in values_of(Batch.objects.get())] == ["=SUM(A1)", "<b>{colour}</b>"]
    page = alice_client.get(answer.url).content.decode()
    assert "<b>{colour}" not in page
    assert "&lt;b&gt;{colour}" in page


def test_files_that_are_no_table_are_refused() -> None:
    for data, said in ((b"\xff\xfe\x00", "no UTF-8"), (b"x" * 1_000_001, "larger than 1 MB")):
        with pytest.raises(BadRows, match=said):
            text_of(data)
    with pytest.raises(BadRows, match="At most 1,000 rows"):
        read_rows("red\n" * (ROWS_MAX + 1), ["colour"])
    with pytest.raises(BadRows, match="no text"):
        read_rows("red\0", ["colour"])
    with pytest.raises(BadRows, match="must name the columns: picture, a, b"):
        read_rows("1,2\n3,4", ["a", "b"])


def test_prompt_that_grows_too_long_is_refused(alice: User, alice_client: Client) -> None:
    recipe = make_recipe(alice, [EditSpec("x" * 3990 + "{colour}")])
    answer = with_recipe(alice_client, recipe, *cups(alice, 1), **{"value-0": "a long word"})
    assert "a prompt has 4,001 characters" in answer.content.decode()


# The gate


def looking(user: User, number: int = 1, **fields: Any) -> Batch:
    """A batch of two steps whose first results wait for a look."""
    jobs = [make_job(user, **DONE) for _ in range(number)]
    for job in jobs:
        make_image(user, kind=ImageKind.GENERATED, job=job, root=job.source_image, workspace=job.workspace)
    batch = make_batch(user, *jobs, gate=True, steps=to_rows(STEPS), **fields)
    batch.items.update(state=ItemState.LOOKING, values={"colour": "red"})
    return batch


def decide(client: Client, batch: Batch, what: str, number: int = 0, **fields: Any) -> Any:
    seen = batch.items.get(number=number).stamp
    address = reverse("batch_decide", args=[batch.pk, number])
    return client.post(address, {"what": what, "seen": seen, "next": "look"} | fields)


def test_plain_form_decides_and_comes_back(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 2)
    address = reverse("batch_look", args=[batch.pk])
    assert alice_client.get(address).content.decode().count('data-item="looking"') == 2
    assert decide(alice_client, batch, "keep").url == f"{address}#item-0"
    decide(alice_client, batch, "drop", 1)
    states = list(batch.items.order_by("number").values_list("state", "step"))
    assert states == [(ItemState.WORKING, 1), (ItemState.DROPPED, 0)]


def test_script_gets_the_tile_and_how_far_all_is(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 2)
    address = reverse("batch_decide", args=[batch.pk, 0])
    headers = {"HX-Request": "true"}
    page = alice_client.post(address, {"what": "drop", "seen": "0.1"}, headers=headers).content.decode()
    assert 'data-item="dropped"' in page
    assert 'value="undo"' in page
    assert "1 to look at" in page
    page = alice_client.post(address, {"what": "undo"}, headers=headers).content.decode()
    assert "2 to look at" in page


def test_old_page_and_second_click_decide_nothing(alice: User, alice_client: Client) -> None:
    batch = looking(alice)
    decide(alice_client, batch, "again")
    item = batch.items.get()
    assert (item.state, item.due_at is not None) == (ItemState.WORKING, True)
    BatchItem.objects.update(state=ItemState.LOOKING, due_at=None, tries=2)  # its next result is there
    for what in ("keep", "drop", "again"):
        decide(alice_client, batch, what, seen="0.1")
        assert batch.items.get().state == ItemState.LOOKING
    assert decide(alice_client, batch, "burn").status_code == 404
    assert decide(alice_client, batch, "keep", image="no id").status_code == 404
    assert alice_client.post(reverse("batch_decide", args=[batch.pk, 7]), {"what": "keep"}).status_code == 404


def test_nothing_but_a_result_of_its_own_edit_is_kept(alice: User, bob: User, alice_client: Client) -> None:
    batch, another = looking(alice, 2), looking(alice)
    of_item = {each.number: Image.objects.get(job=each.job_id) for each in batch.items.all()}
    others = [make_image(bob), make_image(alice), of_item[1], Image.objects.get(job=another.items.get().job_id)]
    job = batch.items.get(number=0).job
    place: dict[str, Any] = {"kind": ImageKind.GENERATED, "job": job, "root": job.source_image}
    place["workspace"] = job.workspace
    trashed = make_image(alice, **place, position=1, trashed_at=timezone.now())
    for image in (*others, job.source_image, trashed):
        decide(alice_client, batch, "keep", image=image.pk)
        assert batch.items.get(number=0).state == ItemState.LOOKING
    decide(alice_client, batch, "keep", image=of_item[0].pk)
    assert batch.items.get(number=0).source == of_item[0]


def test_colleagues_decide_nothing(alice: User, bob_client: Client, team: Workspace) -> None:
    job = make_job(alice, make_image(alice, workspace=team), **DONE)
    batch = make_batch(alice, job, gate=True, steps=to_rows(STEPS))
    batch.items.update(state=ItemState.LOOKING)
    for what in ("keep", "drop", "again", "undo"):
        assert decide(bob_client, batch, what).status_code == 404
    assert bob_client.get(reverse("batch_look", args=[batch.pk])).status_code == 404
    assert bob_client.post(reverse("batch_order", args=[batch.pk]), {"what": "pause"}).status_code == 404


def test_who_may_only_look_by_now_decides_nothing(alice: User, alice_client: Client, team: Workspace) -> None:
    job = make_job(alice, make_image(alice, workspace=team), **DONE)
    batch = make_batch(alice, job, gate=True, steps=to_rows(STEPS))
    batch.items.update(state=ItemState.LOOKING)
    team.memberships.filter(user=alice).update(role=Role.VIEWER)
    assert decide(alice_client, batch, "keep").status_code == 404
    for address, what in (("batch_order", "keep"), ("batch_order", "from"), ("batch_again", "stopped")):
        answer = alice_client.post(reverse(address, args=[batch.pk]), {"what": what, "step": "0"})
        assert answer.status_code == 404, what
    assert batch.items.get().state == ItemState.LOOKING


def test_result_that_is_kept_back_is_shown_to_its_maker_alone(
    alice: User, alice_client: Client, bob_client: Client, team: Workspace
) -> None:
    job = make_job(alice, make_image(alice, workspace=team), **DONE)
    result = make_image(alice, workspace=team, kind=ImageKind.GENERATED, job=job, root=job.source_image)
    batch = make_batch(alice, job, gate=True, steps=to_rows(STEPS))
    batch.items.update(state=ItemState.LOOKING)
    look, *pages = (reverse(name, args=[batch.pk]) for name in ("batch_look", "batch", "batch_progress"))

    def shows(client: Client, address: str) -> bool:
        return str(result.pk) in client.get(f"{address}?item=0.old").content.decode()

    assert [shows(bob_client, page) for page in pages] == [True, True]
    Image.objects.filter(pk=result.pk).update(withheld_at=timezone.now())
    assert [shows(bob_client, page) for page in pages] == [False, False]
    assert [shows(alice_client, page) for page in (look, *pages)] == [True, True, True]
    now = timezone.now()
    Image.objects.filter(pk=result.pk).update(removed_at=now, trashed_at=now)
    assert [shows(alice_client, page) for page in (look, *pages)] == [False, False, False]
    decide(alice_client, batch, "keep", image=result.pk)
    assert batch.items.get().state == ItemState.LOOKING


# Orders


def order(client: Client, batch: Batch, what: str, **fields: Any) -> str:
    answer = client.post(reverse("batch_order", args=[batch.pk]), {"what": what, **fields}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_orders_say_what_they_did(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 2)
    assert "2 pictures kept" in order(alice_client, batch, "keep")
    assert "Paused: 0 edits wait" in order(alice_client, batch, "pause")
    assert "It goes on." in order(alice_client, batch, "resume")
    assert "Nothing waited for a look." in order(alice_client, batch, "keep")
    assert "Type the name of a collection" in order(alice_client, batch, "collect", collection_name=" ")
    BatchItem.objects.update(state=ItemState.KEPT, due_at=None)
    assert "2 pictures in Red ones" in order(alice_client, batch, "collect", collection_name="Red ones")
    assert "No picture can begin at that step again" in order(alice_client, batch, "from", step="1")
    assert "2 pictures run again from step 1" in order(alice_client, batch, "from", step="0")


@pytest.mark.parametrize("said", [{"what": "burn"}, {"what": "from", "step": "2"}, {"what": "from", "step": "-1"}])
def test_orders_that_there_are_not_are_not_found(alice: User, alice_client: Client, said: dict[str, str]) -> None:
    assert alice_client.post(reverse("batch_order", args=[looking(alice).pk]), said).status_code == 404


def test_one_kind_can_be_looked_at_alone(alice: User, alice_client: Client) -> None:
    batch = looking(alice, 3)
    batch.items.filter(number=1).update(state=ItemState.DROPPED)
    address = reverse("batch", args=[batch.pk])
    shown = alice_client.get(f"{address}?show=dropped").context["items"]
    assert [item.number for item in shown] == [1]
    assert len(alice_client.get(f"{address}?show=nonsense&after=x").context["items"]) == 3


# What changed


def test_pictures_of_a_batch_are_told_apart_by_how_much_changed(alice: User, alice_client: Client) -> None:
    jobs = [make_job(alice, image, **DONE) for image in cups(alice, 3)]
    for job, share in zip(jobs[:2], (0.5, 0.01), strict=True):
        result = make_image(alice, kind=ImageKind.GENERATED, job=job, position=0, root=job.source_image)
        make_change(result, share)
    address = reverse("batch", args=[make_batch(alice, *jobs).pk])
    page = alice_client.get(address).content.decode()
    assert "About 50 % changed" in page
    assert "Hardly changed" in page
    assert shown(alice_client, f"{address}?changed=much") == [0]
    assert shown(alice_client, f"{address}?changed=hardly&show=kept") == [1]
    assert shown(alice_client, f"{address}?changed=little") == []
    assert shown(alice_client, f"{address}?changed=whatever") == [0, 1, 2]


def shown(client: Client, address: str) -> list[int]:
    return [item.number for item in client.get(address).context["items"]]


def test_why_one_stopped_is_told_to_its_maker_alone(alice: User, alice_client: Client) -> None:
    team = Workspace.objects.found(alice, "Shoes")
    bob = make_user("bob@example.com")
    Membership.objects.create(workspace=team, user=bob, role=Role.EDITOR)
    batch = make_batch(bob, make_job(bob, make_image(bob, workspace=team), **DONE))
    batch.items.update(state=ItemState.STOPPED, said="The safety check kept back too many of your edits.")
    address = reverse("batch", args=[batch.pk])
    assert "safety check" in client_of(bob).get(address).content.decode()
    page = alice_client.get(address).content.decode()
    assert "safety check" not in page
    assert "It could not go on." in page
