"""The form of a batch: fields, price and table follow what is typed, and what is wrong stands where it is mended."""

import re
from time import process_time
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.jobs.creation import EditSpec
from editor.models import Batch, GenerationJob, Image, User, Workspace
from tests.makers import make_image, make_user
from tests.views.test_batch_steps import ask, cups, make_recipe, values_of, with_recipe

pytestmark = pytest.mark.django_db


def preview(client: Client, *images: Image, **fields: Any) -> str:
    pictures = " ".join(str(image.pk) for image in images)
    answer = client.post(reverse("batch_preview"), {"pictures": pictures, **fields})
    assert answer.status_code == 200
    assert not Batch.objects.exists()
    return str(answer.content.decode())


def invalid(page: str) -> list[str]:
    """The names of the fields that are marked."""
    tags = re.findall(r"<(?:input|textarea|select)[^>]*aria-invalid[^>]*>", page)
    return [name[1] for tag in tags if (name := re.search(r' name="([^"]+)"', tag))]


def test_typed_placeholders_get_fields_that_keep_what_was_typed(alice: User, alice_client: Client) -> None:
    typed = {"prompt": "a {size} cup, {Colour}, {{plain}}", "value-colour": "red"}
    page = preview(alice_client, *cups(alice), **typed)
    assert re.findall(r'name="(value-[^"]+)".*?value="([^"]*)"', page) == [("value-size", ""), ("value-colour", "red")]
    assert "<code>picture,size,Colour</code>" in page
    assert 'class="batch-fields" role="group" aria-label="What to fill in" hidden' in preview(
        alice_client, *cups(alice), prompt="no words in braces"
    )


def test_price_and_button_follow_the_rows(alice: User, alice_client: Client, settings: Settings) -> None:
    settings.FLUX_PRICE, settings.EDITS_PER_DAY = 0.5, 10
    images = cups(alice, 3)
    typed = {"prompt": "make it {colour}", "samples": "2"}
    page = preview(alice_client, *images, **typed, rows="picture,colour\ncup 1,red\ncup 1,blue")
    assert "<span data-batch-uses>4</span> of 10" in page
    assert 'data-what="Make 2 edits"' in page
    assert "2 rows, so 2 edits. 2 pictures are left out." in page
    page = preview(alice_client, *images, **typed)
    assert ("<span data-batch-uses>6</span>" in page, 'data-what="Edit all 3"' in page) == (True, True)
    file = SimpleUploadedFile("table.csv", b"picture,colour\n" + b"cup 0,red\n" * 11)
    page = preview(alice_client, *images, prompt="make it {colour}", table=file)
    assert ("<span data-batch-uses>11</span> of 10" in page, 'data-short="yes"' in page) == (True, True)


def test_table_is_judged_while_it_is_typed(alice: User, alice_client: Client) -> None:
    typed = {"prompt": "make it {colour}", "rows": "picture,colour\ncup 7,red"}
    page = preview(alice_client, *cups(alice), **typed)
    assert '<p id="rows-error" class="field-error">Line 2: none of the chosen pictures is called “cup 7”.</p>' in page
    assert "<span data-batch-uses>2</span>" in page
    assert not GenerationJob.objects.exists()


def test_preview_shows_nothing_of_foreign_pictures(alice_client: Client) -> None:
    foreign = make_image(make_user("stranger@example.com"), name="cup 0.jpg")
    asked = {"pictures": str(foreign.pk), "prompt": "{a}", "rows": "picture,a\ncup 0,b"}
    assert alice_client.post(reverse("batch_preview"), asked).status_code == 404


def test_mistakes_stand_where_they_are_mended(alice: User, alice_client: Client) -> None:
    images, recipe = cups(alice), make_recipe(alice, [EditSpec("{size} and {colour}")])
    page = with_recipe(alice_client, recipe, *images, **{"value-size": "big"}).content.decode()
    assert invalid(page) == ["value-colour"]
    assert "Say what to put for {colour}. If the braces are meant as they stand, double them: {{colour}}." in page
    assert 'role="alert"' not in page
    rows = "picture,size,colour\ncup 0,big,"
    assert invalid(with_recipe(alice_client, recipe, *images, rows=rows).content.decode()) == ["rows"]
    file = SimpleUploadedFile("table.csv", rows.encode())
    page = with_recipe(alice_client, recipe, *images, table=file).content.decode()
    assert (invalid(page), "Choose the file once more" in page) == (["table"], True)
    assert invalid(ask(alice_client, *images, prompt="blue", samples="9").content.decode()) == ["samples"]


def test_doubled_braces_are_asked_as_single_ones(alice: User, alice_client: Client) -> None:
    ask(alice_client, *cups(alice, 1), prompt="write {{colour}} in {colour}", **{"value-colour": "{{red}}"})
    assert GenerationJob.objects.get().prompt == "write {colour} in {{red}}"
    ask(alice_client, *cups(alice, 1), prompt="write {{name}}")
    assert GenerationJob.objects.latest("created_at").prompt == "write {name}"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "picture;colour\ncup 0;red\ncup 1,red",
            "Line 3: its cells are parted by commas, those of the first line by semi",
        ),
        ("picture;colour,size\ncup 0,red,big", "The first line parts its columns by commas and by semicolons."),
        ("picture\tcolour,size\ncup 0\tred\tbig", "The first line parts its columns by commas and by tabs."),
    ],
)
def test_mixed_separators_are_named(alice: User, alice_client: Client, rows: str, said: str) -> None:
    names = ("size", "colour") if "size" in rows else ("colour",)
    recipe = make_recipe(alice, [EditSpec(" ".join(f"{{{name}}}" for name in names))])
    assert said in with_recipe(alice_client, recipe, *cups(alice), rows=rows).content.decode()


def test_comma_in_a_name_is_no_separator(alice: User, alice_client: Client) -> None:
    image = make_image(alice, name="cup, big.jpg")
    recipe = make_recipe(alice, [EditSpec("{colour}")])
    with_recipe(alice_client, recipe, image, rows="picture;colour\ncup, big", **{"value-colour": "red"})
    assert values_of(Batch.objects.get()) == [("cup, big.jpg", {"colour": "red"})]


def test_table_is_offered_where_something_is_filled_in(alice: User, alice_client: Client) -> None:
    images = cups(alice)
    for recipe, offered in ((make_recipe(alice, [EditSpec("blue")]), False), (make_recipe(alice), True)):
        page = ask(alice_client, *images, recipe=recipe.pk, use="1").content.decode()
        assert ("One row, one picture" in page) == offered
    assert "One row, one picture" in ask(alice_client, *images).content.decode()


def test_names_stand_below_the_pictures(alice: User, alice_client: Client) -> None:
    assert '<span dir="auto">cup 1.jpg</span>' in ask(alice_client, *cups(alice)).content.decode()


def test_recipes_of_one_name_are_told_apart(alice: User, bob: User, alice_client: Client, team: Workspace) -> None:
    image, mine = make_image(alice, workspace=team), make_recipe(alice, workspace=team)
    make_recipe(bob, workspace=team, name="catalogue", shared=True)
    make_recipe(alice, workspace=team, name="Another", shared=True)
    page = ask(alice_client, image, recipe=mine.pk, use="1").content.decode()
    options = re.findall(r"<option value=\"[0-9a-f-]{36}\".*?>(.*?)</option>", page)
    assert [each.partition(" · changed ")[0] for each in options] == [
        "Another",
        "Catalogue · “remove the background” · only you",
        "catalogue · “remove the background” · shared by Bob",
    ]
    assert "Team · only you · changed" in page.partition('class="batch-recipe"')[2]
    menu = alice_client.get(reverse("studio_recipes", args=[image.pk])).content.decode()
    assert ("Team · shared by Bob · changed" in menu, "Team · only you · changed" in menu) == (True, True)


def test_form_token_is_not_spent_by_looking(alice: User, alice_client: Client) -> None:
    images, token = cups(alice, 1), uuid4().hex
    preview(alice_client, *images, prompt="blue", form_token=token)
    ask(alice_client, *images, prompt="blue", form_token=token)
    assert Batch.objects.get().form_token == token


def test_tables_and_words_of_any_length_cost_little(alice: User, alice_client: Client) -> None:
    names = [f"a{number}" for number in range(10_000)]
    table = SimpleUploadedFile("table.csv", ",".join(["colour", *map(str, range(40_000))]).encode() + b"\nred")
    began = process_time()
    preview(alice_client, *cups(alice), prompt="make it {colour}", table=table)
    assert process_time() - began < 5
    page = preview(alice_client, *cups(alice), prompt="".join(f"{{{name}}}" for name in names))
    assert 500 < page.count('name="value-') < 1_000


def test_recipe_that_went_while_one_typed_costs_no_table(alice: User, bob: User, alice_client: Client) -> None:
    gone, foreign = make_recipe(alice, put_away_at=timezone.now()), make_recipe(bob)
    for recipe in (gone, foreign):
        answer = with_recipe(alice_client, recipe, *cups(alice), rows="picture;colour\ncup 0;dark green")
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "This recipe is not there for you any more." in page
        assert "cup 0;dark green" in page
        assert recipe.name not in page
    assert not Batch.objects.exists()
    assert ask(alice_client, *cups(alice), recipe=gone.pk, use="1").status_code == 404


def test_who_asks_for_the_price_all_the_time_gets_none_and_may_send_it(
    alice: User, alice_client: Client, bob: User, bob_client: Client, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"batch_preview": "2/m/user"}
    (image,), (other,) = cups(alice, 1), cups(bob, 1)
    for _ in range(2):
        preview(alice_client, image, prompt="make it blue")
    answer = alice_client.post(reverse("batch_preview"), {"pictures": str(image.pk), "prompt": "make it blue"})
    assert (answer.status_code, answer.content) == (429, b"")
    preview(bob_client, other, prompt="make it blue")
    assert ask(alice_client, image, prompt="make it blue").status_code == 302
    assert Batch.objects.get().made_by == alice
