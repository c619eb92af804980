"""Recipes go out as files and come in again; what comes in is not believed."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from editor.forms.recipe_files import FILE_MAX
from editor.jobs import recipes
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft
from editor.models import Recipe, User, Workspace

pytestmark = pytest.mark.django_db

STEPS = [
    EditSpec("mal die {farbe} Wand\nan 🧡", "Text", "3:2", 4, 0.35, 2**32 - 1),
    EditSpec("=cmd()|'{{ x }}' <b>"),
]
GOOD: dict[str, Any] = {"format": "retake-recipe", "version": 1, "name": "Wand", "steps": [{"prompt": "blue"}]}


def sent(client: Client, data: bytes | object, **fields: Any) -> Any:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    body = {"file": ContentFile(raw, "recipe.json"), "form_token": uuid4().hex, **fields}
    return client.post(reverse("recipe_import"), body)


def test_what_goes_out_comes_in_again(alice: User, alice_client: Client, own: Workspace) -> None:
    recipe = recipes.save(alice, own, Draft("Große “Wand”/..", STEPS), "form")
    response = alice_client.get(reverse("recipe_export", args=[recipe.pk]))
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="groe-wand.json"'
    text = response.content.decode()
    assert set(json.loads(text)) == {"format", "version", "name", "steps"}
    for told in (alice.email, str(recipe.pk), str(own.pk)):
        assert told not in text
    again = sent(alice_client, response.content, workspace=own.pk)
    made = Recipe.objects.exclude(pk=recipe.pk).get()
    assert again["Location"] == reverse("recipe", args=[made.pk])
    assert (made.name, made.shared, made.made_by) == ("Große “Wand”/..", False, alice)
    assert recipes.steps_of(made) == STEPS


def test_the_same_form_imports_once(alice_client: Client, own: Workspace) -> None:
    for _ in range(2):
        assert sent(alice_client, GOOD, workspace=own.pk, form_token="once").status_code == 302
    assert Recipe.objects.count() == 1


def step(**fields: Any) -> dict[str, Any]:
    return GOOD | {"steps": [{"prompt": "blue"} | fields]}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"not json", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"a":' * 50_000, "it is not JSON"),
        (b"9" * 10_000, "it is not JSON"),
        (b'{"format": NaN}', "it is not JSON"),
        (b'{"format": "retake-recipe", "format": "x"}', "says something twice"),
        (b" " * (FILE_MAX + 1), "too large"),
        ([GOOD], "its “format” is not"),
        (GOOD | {"format": "other"}, "its “format” is not"),
        (GOOD | {"version": 2}, "another version than 1"),
        (GOOD | {"version": True}, "another version than 1"),
        (GOOD | {"workspace": "x", "id": "y"}, "has a field “workspace”"),
        (GOOD | {"name": 5}, "“name” has to be text"),
        (GOOD | {"name": " "}, "Name: Give it a name."),
        (GOOD | {"name": "x" * 81}, "Name: At most 80"),
        (GOOD | {"steps": []}, "a list of one to 8 steps"),
        (GOOD | {"steps": [{"prompt": "x"}] * 9}, "a list of one to 8 steps"),
        (GOOD | {"steps": {"0": {}}}, "a list of one to 8 steps"),
        (GOOD | {"steps": ["blue"]}, "Step 1: it has to be an object"),
        (GOOD | {"steps": [{}]}, "Step 1: “prompt”: Say what should change"),
        (step(user=1, cost=0), "Step 1: it has a field “cost”"),
        (step(prompt=["x"]), "“prompt” has to be text"),
        (step(prompt="x" * 4001), "At most 4000 characters"),
        (step(prompt="a\0b"), "characters that are no text"),
        (step(prompt="\ud800"), "characters that are no text"),
        (step(negative_prompt=None), "“negative_prompt” has to be text"),
        (step(strength=True), "“strength” has to be a number"),
        (step(strength="0.5"), "“strength” has to be a number"),
        (step(strength=1.5), "A number from 0 to 1"),
        (step(strength=10**400), "A number from 0 to 1"),
        (step(strength=-(10**4000)), "A number from 0 to 1"),
        (step(samples=2.0), "“samples” has to be a whole number"),
        (step(samples=5), "One to four pictures"),
        (step(seed=-1), "A whole number from 0"),
        (step(seed=10**30), "A whole number from 0"),
        (step(ratio="9:1"), "Choose one of the shapes"),
        (step(prompt=" ".join(f"{{{letter}}}" for letter in "abcdefghijklm")), "at most 12 placeholders"),
    ],
    ids=str,
)
def test_what_is_no_recipe_is_told_why(
    data: bytes | object, sentence: str, alice_client: Client, own: Workspace
) -> None:
    response = sent(alice_client, data, workspace=own.pk)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Recipe.objects.exists()


def test_number_beyond_all_numbers_is_no_recipe(alice_client: Client, own: Workspace) -> None:
    text = json.dumps(step(strength=0.125)).replace("0.125", "1e309")
    assert "A number from 0 to 1" in sent(alice_client, text.encode(), workspace=own.pk).content.decode()


def test_many_mistakes_are_not_all_listed(alice_client: Client, own: Workspace) -> None:
    page = sent(alice_client, GOOD | {f"x{number}": 1 for number in range(5000)}, workspace=own.pk).content.decode()
    assert page.count("has a field") == 8
    assert "And 4992 more" in page


def test_file_has_to_be_chosen(alice_client: Client, own: Workspace) -> None:
    response = alice_client.post(reverse("recipe_import"), {"workspace": own.pk, "form_token": "x"})
    assert response.status_code == 422
    assert "Choose a file" in response.content.decode()
