"""A picture takes another one's place wherever that is used, and goes back to where it was with one click."""

import pytest
from django.utils import timezone

from editor.library.shelves import NotPossible, add_tags, collect, new_collection
from editor.models import (
    ApprovalEvent,
    Collection,
    Image,
    Replacement,
    Share,
    ShareKind,
    Tag,
    Workspace,
)
from editor.review import rounds
from editor.review.replacing import current_of, put_in_place, replaceable_by, take_back
from tests.makers import make_job
from tests.review.team import Team


def edited(team: Team, *sources: Image) -> Image:
    """A result of an edit of these pictures."""
    job = make_job(team.edda, *sources, state="succeeded", allowance="taken", finished_at=timezone.now())
    return team.picture(kind="generated", job=job, root=sources[0].first_upload)


def lying_in(collection: Collection) -> set[Image]:
    return {item.image for item in collection.items.select_related("image")}


@pytest.fixture
def old(team: Team) -> Image:
    return team.picture(name="lamp.jpg")


@pytest.fixture
def new(team: Team, old: Image) -> Image:
    return edited(team, old)


def test_approved_proposal_is_used_wherever_the_old_one_was(team: Team, old: Image, new: Image) -> None:
    shelf = new_collection(team.edda, team.workspace, "Lamps")
    collect(team.edda, shelf, [old])
    add_tags(team.workspace, [old], ["lamp"])
    Workspace.objects.filter(pk=team.workspace.pk).update(cover=old)
    link = Share.objects.create(workspace=team.workspace, made_by=team.edda, kind=ShareKind.PICTURE, image=old)
    review = rounds.ask(new, team.edda, [team.vera], replaces=old)
    assert lying_in(shelf) == {old}
    rounds.answer(review, team.vera, True)
    assert lying_in(shelf) == {new}
    assert Workspace.objects.get(pk=team.workspace.pk).cover == new
    assert Share.objects.get(pk=link.pk).image == new
    assert list(Tag.objects.filter(image_tags__image=new).values_list("name", flat=True)) == ["lamp"]
    assert current_of(old) == new
    assert ApprovalEvent.objects.filter(image=old, kind="replaced", by=team.vera).exists()


def test_declined_proposal_changes_nothing(team: Team, old: Image, new: Image) -> None:
    shelf = new_collection(team.edda, team.workspace, "Lamps")
    collect(team.edda, shelf, [old])
    review = rounds.ask(new, team.edda, [team.vera], replaces=old)
    rounds.answer(review, team.vera, False, "Too dark")
    assert lying_in(shelf) == {old}
    assert not Replacement.objects.exists()
    again = rounds.ask(new, team.edda, [team.vera], replaces=old)
    rounds.answer(again, team.vera, True)
    assert lying_in(shelf) == {new}


def test_taking_back_touches_only_what_the_replacement_did(team: Team, old: Image, new: Image) -> None:
    both, one, left = (new_collection(team.edda, team.workspace, name) for name in ("Both", "One", "Left"))
    for shelf in (both, one, left):
        collect(team.edda, shelf, [old])
    collect(team.edda, both, [new])
    link = Share.objects.create(workspace=team.workspace, made_by=team.edda, kind=ShareKind.PICTURE, image=old)
    made = put_in_place(old, new, team.alice)
    assert made is not None
    assert lying_in(both) == {new}
    later = new_collection(team.edda, team.workspace, "Later")
    collect(team.edda, later, [new])
    left.items.all().delete()  # somebody took it out since
    assert take_back(made, team.alice)
    assert not take_back(made, team.alice)
    assert lying_in(both) == {old, new}
    assert lying_in(one) == {old}
    assert lying_in(left) == set()
    assert lying_in(later) == {new}
    assert Share.objects.get(pk=link.pk).image == old
    assert current_of(old) == old


def test_later_versions_follow_and_are_taken_back_one_after_the_other(team: Team, old: Image, new: Image) -> None:
    shelf = new_collection(team.edda, team.workspace, "Lamps")
    collect(team.edda, shelf, [old])
    newest = edited(team, new)
    first = put_in_place(old, new, team.alice)
    second = put_in_place(old, newest, team.alice)  # proposed for the one that was replaced already
    assert first is not None
    assert second is not None
    assert second.old == new
    assert current_of(old) == newest
    assert lying_in(shelf) == {newest}
    with pytest.raises(NotPossible, match="Take that back first"):
        take_back(first, team.alice)
    take_back(second, team.alice)
    take_back(first, team.alice)
    assert lying_in(shelf) == {old}


def test_old_one_may_come_back_as_a_new_version(team: Team, old: Image, new: Image) -> None:
    shelf = new_collection(team.edda, team.workspace, "Lamps")
    collect(team.edda, shelf, [old])
    put_in_place(old, new, team.alice)
    put_in_place(new, old, team.alice)
    assert lying_in(shelf) == {old}
    assert current_of(new) == current_of(old) == old
    assert put_in_place(new, old, team.alice) is None


def test_what_is_gone_replaces_nothing(team: Team, old: Image, new: Image) -> None:
    new.trash()
    with pytest.raises(NotPossible):
        put_in_place(old, new, team.alice)
    new.restore()
    Image.objects.filter(pk=new.pk).update(workspace=Workspace.objects.create(name="Elsewhere"))
    with pytest.raises(NotPossible):
        put_in_place(old, Image.objects.get(pk=new.pk), team.alice)
    assert not Replacement.objects.exists()


def test_sensitive_picture_becomes_no_cover(team: Team, old: Image, new: Image) -> None:
    Workspace.objects.filter(pk=team.workspace.pk).update(cover=old)
    Image.objects.filter(pk=new.pk).update(sensitive=True)
    put_in_place(old, new, team.alice)
    assert Workspace.objects.get(pk=team.workspace.pk).cover == old


def test_cover_that_somebody_chose_since_stays(team: Team, old: Image, new: Image) -> None:
    space, other = Workspace.objects.filter(pk=team.workspace.pk), team.picture(name="chair.jpg")
    space.update(cover=old)
    made = put_in_place(old, new, team.alice)
    assert made is not None
    assert take_back(made, team.alice)
    assert space.get().cover == old
    made = put_in_place(old, new, team.alice)
    assert made is not None
    space.update(cover=other)
    assert take_back(made, team.alice)
    assert space.get().cover == other


def test_may_replace_all_that_it_was_made_from_and_nothing_else(team: Team, old: Image, new: Image) -> None:
    second = team.picture(name="frame.jpg")
    stranger = team.picture()
    merged = edited(team, new, second)
    assert replaceable_by(merged, team.edda) == [old, new, second]
    assert stranger not in replaceable_by(merged, team.edda)
    assert replaceable_by(old, team.edda) == []
    put_in_place(old, new, team.alice)
    assert replaceable_by(merged, team.edda) == [new, second]
    second.trash()
    assert replaceable_by(merged, team.edda) == [new]
