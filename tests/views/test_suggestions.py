"""What is suggested while somebody writes: their own words, and recipes; nothing of anybody else."""

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.library.edits import index_edits
from editor.library.filters import SEARCHED, TEXT_MAX
from editor.library.suggestions import EARLIER_MAX
from editor.models import (
    GenerationJob,
    Image,
    ImageKind,
    JobState,
    Membership,
    Recipe,
    RecipeVersion,
    Role,
    User,
    Workspace,
)
from tests.makers import make_image, make_job
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db

ENDED = {"finished_at": timezone.now(), "due_at": None}
DONE = ENDED | {"state": JobState.SUCCEEDED, "allowance": "taken"}


def asked(user: User, prompt: str, workspace: Workspace | None = None, **fields: Any) -> GenerationJob:
    image = make_image(user, workspace=workspace or Workspace.objects.personal_of(user))
    job = make_job(user, image, prompt=prompt, **fields)
    index_edits(job)
    if job.state == JobState.SUCCEEDED:
        make_image(user, workspace=job.workspace, kind=ImageKind.GENERATED, job=job, root=image)
    return job


def recipe(user: User, workspace: Workspace, name: str, *prompts: str, **fields: Any) -> Recipe:
    made = Recipe.objects.create(workspace=workspace, made_by=user, name=name, **fields)
    add_version(made, *prompts)
    return made


def add_version(made: Recipe, *prompts: str) -> None:
    steps = to_rows(EditSpec(prompt) for prompt in prompts)
    RecipeVersion.objects.create(recipe=made, number=made.versions.count() + 1, steps=steps, made_by=made.made_by)


def answer(client: Client, q: str, workspace: Workspace | None = None) -> str:
    query = {"q": q} | ({"workspace": str(workspace.pk)} if workspace else {})
    response = client.get("/studio/suggestions/", query)
    assert response.status_code == 200
    return response.content.decode()


def suggested(client: Client, q: str, workspace: Workspace | None = None) -> list[str]:
    return [html.unescape(words) for words in re.findall(r'data-words="([^"]*)"', answer(client, q, workspace))]


@pytest.mark.parametrize("typed", ["red chair", "CHAIR rèd", "chaîr, re", "the ch", "chair r"])
def test_own_words_are_found_in_any_order_and_spelling(typed: str, alice: User, alice_client: Client) -> None:
    asked(alice, "Make the réd chair blue")
    asked(alice, "make the sky blue")
    assert suggested(alice_client, typed) == ["Make the réd chair blue"]


def test_each_is_suggested_once_the_newest_first_and_not_many(alice: User, alice_client: Client) -> None:
    for number in range(EARLIER_MAX):
        asked(alice, f"Blue sky {number}")
    asked(alice, "blue  SKY 0")
    assert suggested(alice_client, "blue") == ["blue  SKY 0", "Blue sky 3", "Blue sky 2", "Blue sky 1"]


def test_what_stands_there_already_is_not_suggested(alice: User, alice_client: Client) -> None:
    asked(alice, "Blue sky")
    assert suggested(alice_client, "blue sky ") == []


MANY = " ".join(f"word{number}" for number in range(SEARCHED))


@pytest.mark.parametrize("typed", ["", "wo", "  w ", "...", f"{MANY} more", "word0" + " " * TEXT_MAX + "word1"])
def test_too_little_and_too_much_ask_for_nothing(typed: str, alice: User, alice_client: Client) -> None:
    asked(alice, f"{MANY}, that is all")
    assert suggested(alice_client, typed) == []
    assert len(suggested(alice_client, MANY)) == 1


def test_nothing_of_others_is_suggested(alice: User, charlie: User, team: Workspace, alice_client: Client) -> None:
    """Not even of those who share a workspace."""
    bob = make_person("bob")
    Membership.objects.create(workspace=team, user=bob, role=Role.EDITOR)
    asked(charlie, "blue, a stranger's")
    asked(bob, "blue, a colleague's", team)
    asked(alice, "blue, my own", team)
    assert suggested(alice_client, "blue", team) == ["blue, my own"]


def test_words_stay_behind_in_a_workspace_that_was_left_or_thrown_away(alice: User, team: Workspace) -> None:
    bob = make_person("bob")
    membership = Membership.objects.create(workspace=team, user=bob, role=Role.EDITOR)
    asked(bob, "blue sky", team)
    assert suggested(client_of(bob), "blue") == ["blue sky"]
    team.trash()
    assert suggested(client_of(bob), "blue") == []
    team.restore()
    team.remove(membership)
    assert suggested(client_of(bob), "blue") == []


@pytest.mark.parametrize(
    ("fields", "result", "there"),
    [
        (DONE, {}, True),
        ({}, {}, True),
        (DONE, {"withheld_at": timezone.now()}, True),  # from others alone
        (DONE, {"trashed_at": timezone.now()}, False),
        (DONE, {"trashed_at": timezone.now(), "removed_at": timezone.now()}, False),
        (ENDED | {"state": JobState.BLOCKED, "allowance": "released"}, {}, False),
        (ENDED | {"state": JobState.FAILED, "failure_code": "refused", "allowance": "released"}, {}, False),
        (ENDED | {"state": JobState.FAILED, "failure_code": "vendor", "allowance": "released"}, {}, True),
        (
            ENDED | {"state": JobState.CANCELED, "allowance": "released", "put_away_at": timezone.now()},
            {},
            False,
        ),
    ],
)
def test_words_of_what_was_kept_back_or_thrown_away_do_not_come_back(
    fields: dict[str, Any], result: dict[str, Any], there: bool, alice: User, alice_client: Client
) -> None:
    job = asked(alice, "blue sky", **fields)
    Image.objects.filter(job=job).update(**result)
    assert (suggested(alice_client, "blue") == ["blue sky"]) is there


def test_suspended_person_is_suggested_nothing(alice: User, alice_client: Client) -> None:
    asked(alice, "blue sky")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert alice_client.get("/studio/suggestions/", {"q": "blue"}).status_code == 302


def test_recipes_are_found_by_name_and_bring_their_latest_first_step(
    alice: User, team: Workspace, alice_client: Client
) -> None:
    made = recipe(alice, team, "Café look", "old words")
    add_version(made, "Give it the colours of a {time} in a café", "and a frame")
    asked(alice, "cafe au lait")
    assert suggested(alice_client, "cafe", team) == ["Give it the colours of a {time} in a café", "cafe au lait"]
    assert "first of 2 steps" in answer(alice_client, "look ca", team)
    assert suggested(alice_client, "cafe") == ["cafe au lait"]
    assert suggested(alice_client, "afé look", team) == []


def test_recipes_of_others_stay_with_them(alice: User, team: Workspace, own: Workspace) -> None:
    bob = make_person("bob")
    Membership.objects.create(workspace=team, user=bob, role=Role.EDITOR)
    recipe(alice, team, "Look one", "alice's own")
    recipe(alice, team, "Look two", "shared", shared=True)
    recipe(alice, team, "Look three", "put away", shared=True, put_away_at=timezone.now())
    recipe(alice, own, "Look four", "elsewhere", shared=True)
    assert suggested(client_of(bob), "look", team) == ["shared"]
    assert sorted(suggested(client_of(alice), "look", team)) == ["alice's own", "shared"]


NOTHING = ["%%%", "___", "_lue", "bl%ue", "\ud83d" * 3, "b" * 10_000, "');--", "\ufffd" * 9, "blue\x00none"]
SOMETHING = ["bl%", "%blue", "blue\x00yks", "\u202eblue\u202c", "<b>blue", "blue\r\n\r\n", "BLUE'--"]


@pytest.mark.parametrize(("typed", "found"), [(q, False) for q in NOTHING] + [(q, True) for q in SOMETHING], ids=ascii)
def test_hostile_words_ask_for_nothing_but_words(
    typed: str, found: bool, alice: User, team: Workspace, alice_client: Client
) -> None:
    asked(alice, "<b>blue</b> \u202eyks")
    recipe(alice, team, "Blue 100% \u202eyks", "<script>alert(1)</script>")
    query = f"q={_quoted(typed)}&workspace={team.pk}"
    words = alice_client.get("/studio/suggestions/", QUERY_STRING=query).content.decode()
    assert "<b>blue" not in words
    assert "<script>" not in words
    assert words.count("yks") == (3 if found else 0)  # of the recipe its name, of the words also what is put in


def test_workspace_that_is_none_is_not_found(charlie: User, alice_client: Client) -> None:
    theirs = Workspace.objects.personal_of(charlie)
    recipe(charlie, theirs, "Blue look", "Hidden words", shared=True)
    for workspace in (str(theirs.pk), "x", f"{{{theirs.pk}}}"):
        assert alice_client.get("/studio/suggestions/", {"q": "blue", "workspace": workspace}).status_code == 404


def test_two_queries_find_earlier_words_and_two_more_recipes(
    alice: User,
    team: Workspace,
    alice_client: Client,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    for number in range(9):
        asked(alice, f"blue sky {number}", team)
        recipe(alice, team, f"Blue {number}", f"recipe {number}")
    with django_assert_max_num_queries(2 + 1 + 2 + 2):  # session and person, workspaces
        assert len(suggested(alice_client, "sky blu", team)) == EARLIER_MAX
    with django_assert_max_num_queries(2):
        assert suggested(alice_client, "a", None) == []


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode(errors="surrogatepass"))
