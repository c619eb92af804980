"""What is done with many pictures at once: tags, collections, favourites, the trash, other workspaces."""

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.images import bucket, keys
from editor.images.moving import move
from editor.library.shelves import RENAMED_MAX, NotPossible, add_tags, collect, new_collection, rename_tag
from editor.library.words import index_words, words_of
from editor.models import (
    CollectionItem,
    Favourite,
    Image,
    ImageKind,
    ImageState,
    ImageTag,
    ImageWord,
    JobState,
    Membership,
    Role,
    Tag,
    User,
    Workspace,
)
from editor.views.selection import CHOSEN_MAX, LARGEST
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db


def send(client: Client, action: str, workspace: Workspace, *images: Any, **fields: Any) -> HttpResponseBase:
    ids = [image.pk if isinstance(image, Image) else image for image in images]
    return client.post(reverse(f"selection_{action}", args=[workspace.pk]), {"picture": ids, **fields})


def told(client: Client) -> str:
    return client.get("/workspaces/").content.decode()


def words_with(word: str) -> set[Image]:
    return {row.image for row in ImageWord.objects.filter(word=word).select_related("image")}


# Who may, and which pictures.


@pytest.mark.parametrize("action", ["tag", "collect", "favourite", "trash", "move", "copy", "zip"])
def test_pictures_of_others_count_as_not_there(
    action: str, alice: User, charlie: User, charlie_client: Client, team: Workspace
) -> None:
    theirs = make_image(alice, workspace=team)
    own = Workspace.objects.personal_of(charlie)
    for workspace in (team, own):
        fields = {"tags": "red", "collection_name": "New", "to": own.pk}
        foreign = send(charlie_client, action, workspace, theirs, **fields)
        made_up = send(charlie_client, action, workspace, uuid4(), **fields)
        assert foreign.status_code == made_up.status_code == 404
    theirs.refresh_from_db()
    assert theirs.workspace == team
    assert theirs.trashed_at is None
    assert [rows.objects.exists() for rows in (ImageTag, CollectionItem, Favourite)] == [False] * 3
    assert Image.objects.count() == 1


def test_foreign_ids_among_own_ones_are_passed_over(alice: User, charlie: User, alice_client: Client) -> None:
    mine, theirs, own = make_image(alice), make_image(charlie), Workspace.objects.personal_of(alice)
    send(alice_client, "tag", own, mine, theirs, "nonsense", str(mine.pk).upper(), tags="red")
    assert list(ImageTag.objects.values_list("image", flat=True)) == [mine.pk]
    assert "1 picture tagged red." in told(alice_client)


@pytest.mark.parametrize("action", ["tag", "collect", "trash", "move", "copy"])
def test_viewer_changes_nothing(action: str, alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    Membership.objects.filter(user=bob, workspace=team).update(role=Role.VIEWER)
    image = make_image(alice, workspace=team)
    to = Workspace.objects.personal_of(bob)
    assert send(bob_client, action, team, image, tags="x", collection_name="x", to=to.pk).status_code == 404
    assert Image.objects.filter(workspace=team, trashed_at=None).count() == Image.objects.count() == 1


def test_500_at_once_and_no_more(alice: User, alice_client: Client, own: Workspace) -> None:
    image = make_image(alice)
    many = [uuid4() for _ in range(CHOSEN_MAX - 1)]
    assert send(alice_client, "favourite", own, image, *many).status_code == 302
    refused = send(alice_client, "favourite", own, image, *many, uuid4())
    assert refused.status_code == 400
    assert "At most 500" in getattr(refused, "content", b"").decode()


def test_batch_takes_as_many_as_a_collection_gives_it(alice: User, alice_client: Client) -> None:
    images = [make_image(alice) for _ in range(2)]
    many = [uuid4() for _ in range(LARGEST - len(images))]
    ids = {"picture": [*many, *(image.pk for image in images)]}
    page = alice_client.post(reverse("batch_new"), ids)
    assert "Edit 2 pictures at once" in page.content.decode()
    ids["picture"].append(uuid4())
    refused = alice_client.post(reverse("batch_new"), ids)
    assert (refused.status_code, "At most 1,000 pictures" in refused.content.decode()) == (400, True)


def test_nothing_chosen_is_said(alice_client: Client, own: Workspace) -> None:
    send(alice_client, "trash", own)
    assert "Choose pictures first." in told(alice_client)


def test_goes_back_to_pages_of_ours_alone(alice: User, alice_client: Client, own: Workspace) -> None:
    image = make_image(alice)
    back = send(alice_client, "favourite", own, image, next="/library/?q=x")
    assert back.headers["Location"] == "/library/?q=x"
    for foreign in ("//evil.example/", "logout", "a b", "?x", "é"):
        away = send(alice_client, "favourite", own, image, next=foreign)
        assert away.headers["Location"] == reverse("workspace_library", args=[own.pk])


# Tags.


def test_tags_are_typed_with_commas_and_found_at_once(alice: User, alice_client: Client, own: Workspace) -> None:
    one, two = make_image(alice), make_image(alice)
    send(alice_client, "tag", own, one, two, tags=" Red , deep  BLUE,red,, ")
    assert set(Tag.objects.values_list("name", flat=True)) == {"red", "deep blue"}
    assert words_with("blue") == {one, two}


def test_tag_that_no_picture_has_is_gone(alice: User, alice_client: Client, own: Workspace) -> None:
    one, two = make_image(alice), make_image(alice)
    add_tags(own, [one, two], ["red"])
    send(alice_client, "tag", own, one, tags="RED", remove="1")
    assert words_with("red") == {two}
    send(alice_client, "tag", own, two, tags="red", remove="1")
    assert not Tag.objects.exists()


def test_word_stays_while_the_name_has_it(alice: User, own: Workspace, alice_client: Client) -> None:
    image = make_image(alice, name="red")
    add_tags(own, [image], ["red"])
    send(alice_client, "tag", own, image, tags="red", remove="1")
    assert words_with("red") == {image}


def test_renamed_tag_is_found_by_its_new_name(alice: User, alice_client: Client, own: Workspace) -> None:
    image = make_image(alice)
    add_tags(own, [image], ["red"])
    alice_client.post(reverse("tag_rename", args=[own.pk]), {"old": "red", "new": "Crimson"})
    assert words_with("crimson") == {image}
    assert not words_with("red")


def test_tag_renamed_to_one_that_is_there_becomes_one_with_it(alice: User, own: Workspace) -> None:
    one, both = make_image(alice), make_image(alice)
    add_tags(own, [one, both], ["red"])
    add_tags(own, [both], ["crimson"])
    rename_tag(own, "red", "crimson")
    assert Tag.objects.get().name == "crimson"
    assert words_with("crimson") == {one, both}
    assert ImageTag.objects.count() == 2


def test_tag_on_too_many_pictures_is_not_renamed(alice: User, own: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editor.library.shelves.RENAMED_MAX", 1)
    add_tags(own, [make_image(alice), make_image(alice)], ["red"])
    with pytest.raises(NotPossible):
        rename_tag(own, "red", "blue")
    assert Tag.objects.get().name == "red"
    assert RENAMED_MAX > CHOSEN_MAX


def test_strangers_rename_no_tag(alice: User, own: Workspace, charlie_client: Client) -> None:
    add_tags(own, [make_image(alice)], ["red"])
    response = charlie_client.post(reverse("tag_rename", args=[own.pk]), {"old": "red", "new": "blue"})
    assert response.status_code == 404
    assert Tag.objects.get().name == "red"


# Collections, favourites, the trash.


def test_typed_collection_is_made_or_found(alice: User, alice_client: Client, own: Workspace) -> None:
    one, two = make_image(alice), make_image(alice)
    send(alice_client, "collect", own, one, collection_name="Spring 2027")
    send(alice_client, "collect", own, one, two, collection_name="SPRING 2027")
    collection = own.collections.get()
    assert collection.name == "Spring 2027"
    assert {item.image for item in collection.items.all()} == {one, two}


def test_favourites_come_and_go(alice: User, alice_client: Client, own: Workspace) -> None:
    image = make_image(alice)
    send(alice_client, "favourite", own, image)
    send(alice_client, "favourite", own, image)
    assert Favourite.objects.get().user == alice
    send(alice_client, "favourite", own, image, remove="1")
    assert not Favourite.objects.exists()


def test_undo_puts_all_back_and_nothing_else(alice: User, alice_client: Client, own: Workspace) -> None:
    chosen, before = [make_image(alice), make_image(alice)], make_image(alice, trashed_at=timezone.now())
    send(alice_client, "trash", own, *chosen)
    page = told(alice_client)
    assert "2 pictures in the trash for 30 days." in page
    undo = page.split(f'action="{reverse("selection_restore", args=[own.pk])}')[1].split('"')[0]
    alice_client.post(reverse("selection_restore", args=[own.pk]) + undo)
    assert set(Image.objects.filter(trashed_at=None)) == set(chosen)
    assert Image.objects.get(trashed_at__isnull=False) == before


@pytest.mark.parametrize("at", ["", "x", "-1", "99999999999999999", "²", "1e9"])
def test_undo_of_no_moment_puts_nothing_back(at: str, alice: User, alice_client: Client, own: Workspace) -> None:
    make_image(alice, trashed_at=timezone.now())
    assert alice_client.post(reverse("selection_restore", args=[own.pk]) + f"?at={at}").status_code == 302
    assert not Image.objects.filter(trashed_at=None).exists()


# Moving and copying.


def test_both_sides_must_be_ones_to_edit_in(
    alice: User, bob: User, bob_client: Client, charlie: User, team: Workspace
) -> None:
    image = make_image(alice, workspace=team)
    foreign = Workspace.objects.personal_of(charlie)
    looks_on = Workspace.objects.found(alice, "Looks on")
    Membership.objects.create(workspace=looks_on, user=bob, role=Role.VIEWER)
    archived = Workspace.objects.found(bob, "Archived")
    archived.archive()
    for to in (foreign.pk, looks_on.pk, archived.pk, uuid4(), "x"):
        for action in ("move", "copy"):
            status = 409 if to == archived.pk else 404
            assert send(bob_client, action, team, image, to=to).status_code == status
    assert Image.objects.get().workspace == team


def test_moved_picture_leaves_its_shelves_and_keeps_its_tags(
    alice: User, bob: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    image = make_image(alice, workspace=team, name="owl")
    index_words(image)
    add_tags(team, [image], ["night"])
    collect(alice, new_collection(alice, team, "Birds"), [image])
    Favourite.objects.create(user=alice, image=image, image_created_at=image.created_at)
    Favourite.objects.create(user=bob, image=image, image_created_at=image.created_at)
    send(alice_client, "move", team, image, to=own.pk)
    assert [shown.name for shown in alice_client.get("/library/?q=owl&tag=night").context["images"]] == ["owl"]
    assert not CollectionItem.objects.exists()
    assert Tag.objects.get().workspace == own
    assert Favourite.objects.get().user == alice
    assert set(ImageWord.objects.values_list("workspace", flat=True)) == {own.pk}


def finished(user: User, *sources: Image, **fields: Any) -> tuple[Any, Image]:
    """An edit that is done, and its result."""
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    job = make_job(user, *sources, **ended, **fields)
    first = sources[0]
    fields = {"workspace": first.workspace, "kind": ImageKind.GENERATED, "root": first.first_upload, "job": job}
    return job, make_image(user, name="result", **fields)


def test_upload_moves_with_its_versions_and_their_edits(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    upload = make_image(alice, workspace=team, name="upload")
    job, result = finished(alice, upload)
    later_job, later = finished(alice, result)
    send(alice_client, "move", team, upload, to=own.pk)
    for row in (upload, result, later, job, later_job):
        row.refresh_from_db()
        assert row.workspace == own
    assert (result.job, result.root, later.root) == (job, upload, upload)
    page = alice_client.get(reverse("picture", args=[upload.pk])).content.decode()
    assert str(result.pk) in page
    assert str(later.pk) in page


def test_result_that_moves_alone_begins_anew_and_shows_nothing_of_its_source(
    alice: User, bob: User, own: Workspace, team: Workspace, alice_client: Client
) -> None:
    upload = make_image(bob, workspace=team, name="confidential")
    job, result = finished(alice, upload, prompt="add an owl")
    _, later = finished(alice, result)
    send(alice_client, "move", team, result, later, to=own.pk)
    result.refresh_from_db()
    later.refresh_from_db()
    assert (result.kind, result.job, result.root) == (ImageKind.UPLOADED, None, None)
    assert result.description == "add an owl"
    assert later.root == result
    for name in ("picture", "studio_image"):
        page = alice_client.get(reverse(name, args=[result.pk])).content.decode()
        assert "confidential" not in page
        assert str(upload.pk) not in page
    assert job.results.count() == 0


def test_source_that_moves_leaves_a_tombstone_and_nothing_of_its_later_life(
    alice: User, bob_client: Client, own: Workspace, team: Workspace
) -> None:
    first, second = make_image(alice, workspace=team, name="first"), make_image(alice, workspace=team, name="second")
    job, merged = finished(alice, first, second)
    move(alice, [second], own)
    Image.objects.filter(pk=second.pk).update(name="renamed in private")
    assert job.sources.get(position=1).image.purged_at is not None
    merged.refresh_from_db()
    assert merged.workspace == team
    for address in (reverse("edit", args=[job.pk]), reverse("picture", args=[merged.pk])):
        page = bob_client.get(address).content.decode()
        assert "renamed in private" not in page
        assert str(second.pk) not in page


def test_what_an_open_edit_uses_stays_with_its_versions(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    upload, free = make_image(alice, workspace=team), make_image(alice, workspace=team)
    _, result = finished(alice, upload)
    make_job(alice, result)  # still queued
    send(alice_client, "move", team, upload, free, to=own.pk)
    assert "1 picture moved to Personal. 2 pictures stayed: an edit is at work with them." in told(alice_client)
    assert set(Image.objects.filter(workspace=team)) == {upload, result}
    assert Image.objects.get(workspace=own) == free


def test_too_many_versions_are_not_moved(
    alice: User, alice_client: Client, own: Workspace, team: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.images.moving.MOVED_MAX", 1)
    upload = make_image(alice, workspace=team)
    finished(alice, upload)
    send(alice_client, "move", team, upload, to=own.pk)
    assert not Image.objects.filter(workspace=own).exists()


def test_copy_is_an_upload_of_its_own_with_bytes_of_its_own(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    upload = make_image(alice, workspace=team)
    job = make_job(alice, upload, prompt="add an owl")
    original = make_image(
        alice,
        workspace=team,
        stored=True,
        name="made",
        kind=ImageKind.GENERATED,
        job=job,
        root=upload,
        licence="internal",
    )
    send(alice_client, "copy", team, original, to=own.pk)
    copied = Image.objects.get(workspace=own)
    assert (copied.state, copied.kind, copied.job, copied.root) == (ImageState.READY, ImageKind.UPLOADED, None, None)
    assert (copied.name, copied.description, copied.licence) == ("made", "add an owl", "internal")
    bucket.delete([keys.master_key(original.pk, "jpg")])
    assert bucket.get(keys.master_key(copied.pk, "jpg"))
    assert bucket.get(keys.init_key(copied.pk))
    assert bucket.get(keys.rendition_key(copied.pk, 320))
    assert words_with("owl") == {copied}


def test_copy_without_bytes_is_said_and_not_shown(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    send(alice_client, "copy", team, make_image(alice, workspace=team), to=own.pk)  # nothing in the bucket
    assert "1 picture could not be copied" in told(alice_client)
    assert alice_client.get("/library/").context["images"] == []


def test_words_are_letters_and_digits_without_accents() -> None:
    assert words_of("Ça va? ça_VA! L’Œuvre-2 ﬁn") == ["ca", "va", "l", "œuvre", "2", "fin"]
    assert words_of("x" * 50) == ["x" * 40]
    assert words_of("\x00\u202e‎ --") == []
