"""What may be said about a picture, who is told, and who reads it."""

import json
from datetime import timedelta

import pytest
from django.http import Http404
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from editor.access import comment_for
from editor.accounts.leaving import delete_account
from editor.jobs.purging import purge_workspaces
from editor.library.shelves import NotPossible
from editor.models import (
    About,
    Comment,
    CommentVersion,
    Image,
    Membership,
    Mention,
    Notification,
    Role,
    Share,
    User,
    Workspace,
)
from editor.models.chosen import chosen
from editor.review import comments
from editor.review.comments import ANSWERS_MAX, SAID_MAX, threads_of
from editor.review.mentions import MENTIONS_MAX, suggested
from editor.review.threads import ANSWERS_LEAST, ANSWERS_SHOWN, ANSWERS_TOGETHER, THREADS_SHOWN
from tests.accounts.test_leaving import exported
from tests.makers import make_image, make_user
from tests.people import alice, bob, client_of, make_person, quick_passwords, team

__all__ = ["alice", "bob", "quick_passwords", "team"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(bob: User, team: Workspace) -> Image:
    return make_image(bob, workspace=team, name="Harbour")


@pytest.fixture
def carol(alice: User, team: Workspace) -> User:
    """Looks on in the team."""
    return joined(make_person("carol"), team)


def joined(user: User, team: Workspace, name: str = "") -> User:
    if name:
        User.objects.filter(pk=user.pk).update(name=name)
        user.refresh_from_db()
    Membership.objects.create(workspace=team, user=user, role=Role.VIEWER)
    return user


def shared(image: Image, by: User) -> Share:
    return Share.objects.create(workspace=image.workspace, made_by=by, kind="picture", image=image, may_comment=True)


def told(person: User) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(person=person).order_by("pk")
    return [(row.about, row.words) for row in rows]


def said_in(image: Image, reader: User, **asked: object) -> list[tuple[str, list[str]]]:
    found = threads_of(image, reader=reader, **asked)  # type: ignore[arg-type]
    return [(each.first.comment.text, [said.comment.text for said in each.answers]) for each in found.shown]


# Saying ----------------------------------------------------------------------------------------------------------


def test_threads_are_read_with_their_answers_newest_first(image: Image, alice: User, bob: User) -> None:
    first = comments.add(image, "Too dark", made_by=alice, point=(0.25, 0.75))
    comments.add(image, "Better now?", made_by=bob, thread=first)
    answer = comments.add(image, "Yes", made_by=alice, thread=first)
    comments.add(image, "Nice", made_by=bob)
    comments.add(image, "Thanks", made_by=alice, thread=answer)  # answers to an answer stand in its thread
    assert said_in(image, alice) == [("Nice", []), ("Too dark", ["Better now?", "Yes", "Thanks"])]
    thread = threads_of(image, reader=bob).shown[1]
    assert (thread.first.comment.x, thread.first.comment.y, thread.first.comment.number) == (0.25, 0.75, 1)
    assert [said.own for said in thread.answers] == [True, False, False]


def test_pins_are_counted_up_and_no_number_comes_twice(image: Image, alice: User) -> None:
    first, second = (comments.add(image, words, made_by=alice, point=(0.5, 0.5)) for words in "ab")
    comments.delete(second)
    comments.resolve(first, alice, resolved=True)
    third = comments.add(image, "c", made_by=alice, point=(0, 1))
    plain = comments.add(image, "d", made_by=alice)
    assert (first.number, third.number, plain.number) == (1, 3, None)


def test_form_that_is_sent_twice_makes_one_comment(image: Image, alice: User, bob: User) -> None:
    made = [comments.add(image, "Too dark", made_by=alice, form_token="token") for _ in range(2)]
    assert made[0] == made[1]
    comments.add(image, "Too bright", made_by=alice, form_token="token")
    comments.add(image, "Too dark", made_by=bob, form_token="token")
    assert Comment.objects.count() == 3
    assert len(told(bob)) == 2


def test_answer_opens_a_settled_thread_again(image: Image, alice: User, bob: User) -> None:
    first = comments.add(image, "Too dark", made_by=alice)
    assert comments.resolve(first, bob, resolved=True)
    assert not comments.resolve(first, alice, resolved=True)
    assert (said_in(image, alice), said_in(image, alice, resolved=True)) == ([], [("Too dark", [])])
    assert threads_of(image, reader=alice, resolved=True).shown[0].resolved_by == "Bob"
    comments.add(image, "Still", made_by=alice, thread=first)
    assert (said_in(image, alice), said_in(image, alice, resolved=True)) == ([("Too dark", ["Still"])], [])


def test_change_keeps_what_was_said(image: Image, alice: User) -> None:
    made = comments.add(image, "one", made_by=alice)
    assert comments.change(made, "two")
    assert not comments.change(made, "two")
    assert comments.change(made, "three")
    made.refresh_from_db()
    assert (made.text, [version.text for version in made.versions.all()]) == ("three", ["one", "two"])
    assert made.edited_at is not None


def test_deleted_comment_leaves_a_line_only_if_others_answered(image: Image, alice: User, bob: User) -> None:
    first = comments.add(image, "one @Bob", made_by=alice)
    answer = comments.add(image, "answer", made_by=bob, thread=first)
    comments.change(first, "two @Bob")
    comments.delete(first)
    comments.delete(first)
    assert said_in(image, alice) == [("", ["answer"])]
    assert threads_of(image, reader=alice).shown[0].first.is_deleted
    assert not CommentVersion.objects.exists()
    assert not Mention.objects.exists()
    with pytest.raises(NotPossible):
        comments.change(first, "back")
    comments.add(image, "more", made_by=alice, thread=first)
    for comment in Comment.objects.filter(thread=first):
        comments.delete(comment)
    assert said_in(image, alice) == []
    with pytest.raises(NotPossible, match="not there any more"):
        comments.add(image, "late", made_by=bob, thread=answer)


def test_pace_and_length_have_limits(image: Image, alice: User, bob: User) -> None:
    first = comments.add(image, "first", made_by=bob)
    rows = [Comment(image=image, workspace=image.workspace, made_by=alice, text="a") for _ in range(SAID_MAX - 1)]
    Comment.objects.bulk_create(rows)
    comments.change(rows[0], "b")
    with pytest.raises(NotPossible, match="Wait a few minutes"):
        comments.add(image, "too much", made_by=alice)
    with pytest.raises(NotPossible, match="Wait a few minutes"):
        comments.change(rows[0], "c")
    long_ago = timezone.now() - timedelta(hours=1)
    Comment.objects.filter(made_by=alice).update(created_at=long_ago)
    comments.add(image, "go on", made_by=alice)
    answers = [
        Comment(image=image, workspace=image.workspace, made_by=bob, text="a", thread=first, created_at=long_ago)
        for _ in range(ANSWERS_MAX)
    ]
    Comment.objects.bulk_create(answers)
    with pytest.raises(NotPossible, match="Begin a new one"):
        comments.add(image, "one more", made_by=alice, thread=first)


def test_nothing_is_said_where_the_picture_is_no_more(image: Image, alice: User, bob: User, team: Workspace) -> None:
    seen = Image.objects.select_related("workspace").get(pk=image.pk)
    Image.objects.filter(pk=image.pk).update(workspace=Workspace.objects.personal_of(bob))
    with pytest.raises(NotPossible, match="moved"):
        comments.add(seen, "late", made_by=alice)
    assert not Comment.objects.exists()


def test_what_was_said_stays_in_the_workspace_that_a_picture_left(image: Image, alice: User, bob: User) -> None:
    said = comments.add(image, "Too dark", made_by=bob, point=(0.5, 0.5))
    assert comment_for(bob, said.pk) == said
    Image.objects.filter(pk=image.pk).update(workspace=Workspace.objects.personal_of(bob))
    image.refresh_from_db()
    assert said_in(image, bob) == []
    with pytest.raises(Http404):
        comment_for(bob, said.pk)
    assert comments.add(image, "Brighter", made_by=bob, point=(0.5, 0.5)).number == 2


# Calling others --------------------------------------------------------------------------------------------------


def test_members_are_called_by_names_with_spaces_and_by_no_address(image: Image, alice: User, team: Workspace) -> None:
    ada = joined(make_user("ada@example.com"), team, "Ada Lovelace")
    joined(make_user("second@example.com"), team, "Ada")
    stranger = make_user("grace@example.com", name="Grace")
    words = "@ada lovelace, see x@Ada and @Grace: @Adam @[0]"
    made = comments.add(image, words, made_by=alice)
    assert made.text == f"@[{ada.pk}], see x@Ada and @Grace: @Adam @[0]"
    assert [mention.user for mention in made.mentions.all()] == [ada]
    assert comments.spelled(made) == "@Ada Lovelace, see x@Ada and @Grace: @Adam @[0]"
    User.objects.filter(pk=ada.pk).update(name="Ada King")
    assert comments.spelled(made) == "@Ada King, see x@Ada and @Grace: @Adam @[0]"
    assert told(stranger) == []


def test_of_namesakes_the_chosen_one_is_called(image: Image, alice: User, team: Workspace) -> None:
    one, two = (joined(make_user(), team, "Sam") for _ in range(2))
    nobody = comments.add(image, "@Sam", made_by=alice)
    chosen = comments.add(image, "@Sam?", made_by=alice, called=[two.pk])
    both = comments.add(image, "@Sam and @sam", made_by=alice, called=[two.pk, one.pk])
    assert (nobody.text, chosen.text, both.text) == ("@Sam", f"@[{two.pk}]?", f"@[{two.pk}] and @[{one.pk}]")
    assert (len(told(one)), len(told(two))) == (1, 2)


def test_each_person_is_told_once_for_the_best_reason(image: Image, alice: User, bob: User, carol: User) -> None:
    first = comments.add(image, "What is this, @Carol?", made_by=alice)
    comments.add(image, "A harbour. @Bob took it, @Carol", made_by=alice, thread=first)
    comments.add(image, "Thanks", made_by=carol, thread=first)
    assert told(carol) == [(About.MENTION, "Alice mentions you in a comment on “Harbour”.")] * 2
    assert told(bob) == [
        (About.COMMENT, "Alice comments on “Harbour”."),
        (About.MENTION, "Alice mentions you in a comment on “Harbour”."),
        (About.COMMENT, "Carol comments on “Harbour”."),
    ]
    assert told(alice) == [(About.COMMENT, "Carol answers in a thread about “Harbour”.")]


def test_change_tells_only_who_is_newly_called(image: Image, alice: User, bob: User, carol: User) -> None:
    made = comments.add(image, "@Carol, look", made_by=alice)
    comments.change(made, "look")
    comments.change(made, "@Carol and @Bob, look")
    assert [about for about, _ in told(carol)] == [About.MENTION]
    assert [about for about, _ in told(bob)] == [About.COMMENT, About.MENTION]


def test_nobody_is_told_of_what_they_may_not_see(image: Image, alice: User, bob: User, carol: User) -> None:
    Image.objects.filter(pk=image.pk).update(withheld_at=timezone.now())
    comments.add(image, "@Carol", made_by=bob)
    assert told(carol) == []
    Image.objects.filter(pk=image.pk).update(withheld_at=None)
    Membership.objects.filter(user=bob).delete()
    comments.add(image, "@Bob", made_by=carol)
    assert told(bob) == []


def test_who_left_is_still_called_in_older_words(image: Image, alice: User, carol: User) -> None:
    made = comments.add(image, "@Carol, look", made_by=alice)
    Membership.objects.filter(user=carol).delete()
    assert comments.change(made, "@Carol, please look")
    made.refresh_from_db()
    assert made.text == f"@[{carol.pk}], please look"
    assert len(told(carol)) == 1
    assert comments.add(image, "@Carol", made_by=alice).text == "@Carol"


def test_too_many_people_are_refused(image: Image, alice: User, team: Workspace) -> None:
    people = [joined(make_user(), team, f"Number {n}") for n in range(MENTIONS_MAX + 1)]
    with pytest.raises(NotPossible, match="At most"):
        comments.add(image, ", ".join(f"@{user.name}" for user in people), made_by=alice)


def test_suggestions_are_members_that_can_sign_in(team: Workspace, alice: User, carol: User) -> None:
    gone = joined(make_user(is_active=False), team, "Carl")
    make_user(name="Carla")
    assert [user.name for user in suggested(team.pk, "CA")] == ["Carol"]
    assert [user.name for user in suggested(team.pk, "l")] == ["Alice", "Carol"]
    assert gone not in suggested(team.pk, "")


def test_deleted_account_keeps_its_words_and_is_called_no_more(image: Image, alice: User, carol: User) -> None:
    comments.add(image, "Mine", made_by=carol)
    made = comments.add(image, "@Carol, look", made_by=alice)
    comments.change(made, "@Carol, look again")
    delete_account(carol)
    made.refresh_from_db()
    assert made.text == "@Deleted account, look again"
    assert made.versions.get().text == "@Deleted account, look"
    assert not Mention.objects.filter(user=carol).exists()
    names = [thread.first.name for thread in threads_of(image, reader=alice).shown]
    assert names == ["Alice", "Deleted account"]


def test_export_holds_what_the_person_said_with_names(image: Image, alice: User, bob: User) -> None:
    made = comments.add(image, "Too dark, @Alice", made_by=bob, point=(0.25, 0.5))
    comments.change(made, "Far too dark, @Alice")
    comments.delete(comments.add(image, "Never mind", made_by=bob))
    comments.add(image, "Words of others", made_by=alice, thread=made)
    with exported(client_of(bob)) as archive:
        (said,) = json.loads(archive.read("comments.json"))
    assert (said["text"], said["point"]) == ("Far too dark, @Alice", [0.25, 0.5])
    assert (said["picture"], [each["text"] for each in said["earlier"]]) == (str(image.pk), ["Too dark, @Alice"])


def test_comments_go_with_their_workspace(image: Image, alice: User, bob: User, team: Workspace) -> None:
    made = comments.add(image, "Too dark, @Alice", made_by=bob)
    comments.add(image, "Yes", made_by=alice, thread=made)
    kept = comments.add(make_image(bob), "Mine", made_by=bob)
    Workspace.objects.filter(pk=team.pk).update(trashed_at=timezone.now() - timedelta(days=chosen.TRASH_DAYS))
    purge_workspaces()
    assert list(Comment.objects.all()) == [kept]


# Guests ----------------------------------------------------------------------------------------------------------


def test_guests_read_their_links_threads_and_no_address(image: Image, alice: User, bob: User, team: Workspace) -> None:
    share, other = shared(image, alice), shared(image, alice)
    nameless = joined(make_user("secret.name@example.com"), team)
    comments.add(image, "Among us", made_by=alice)
    comments.add(image, "Through another link", share=other, guest_name="Eve")
    first = comments.add(image, "Lovely @Alice", share=share, guest_name="Gus", point=(0.1, 0.2))
    comments.add(image, "Thanks, says @secret.name", made_by=nameless, thread=first)
    threads = threads_of(image, share=share).shown
    assert [(each.first.name, each.first.by_guest, each.first.comment.text) for each in threads] == [
        ("Gus", True, "Lovely @Alice")
    ]
    assert [(said.name, list(said.names.values())) for said in threads[0].answers] == [("A member", ["A member"])]
    by_guests = ["Eve (guest) comments on “Harbour”.", "Gus (guest) comments on “Harbour”."]
    assert told(alice) == [(About.GUEST, words) for words in by_guests]
    assert (About.COMMENT, "Gus (guest) comments on “Harbour”.") in told(bob)
    with pytest.raises(ValueError):
        threads_of(image)


def test_guests_answer_only_in_threads_of_their_link(image: Image, alice: User) -> None:
    share, other = shared(image, alice), shared(image, alice)
    inside = comments.add(image, "Among us", made_by=alice)
    theirs = comments.add(image, "Hello", share=other, guest_name="Eve")
    for thread in (inside, theirs):
        with pytest.raises(NotPossible):
            comments.add(image, "Hm", share=share, guest_name="Gus", thread=thread)
    mine = comments.add(image, "Hello", share=share, guest_name="Gus")
    comments.add(image, "And you?", share=share, guest_name="Gus", thread=mine)
    assert Comment.objects.filter(share=share).count() == 2


# Many ------------------------------------------------------------------------------------------------------------


def test_many_threads_come_in_pages_and_many_answers_are_cut(
    image: Image, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    count = THREADS_SHOWN + 3
    rows = [
        Comment(
            image=image, workspace=image.workspace, made_by=alice, text=str(n), created_at=now - timedelta(hours=n // 2)
        )
        for n in range(count)
    ]
    Comment.objects.bulk_create(rows)
    Comment.objects.bulk_create(
        Comment(image=image, workspace=image.workspace, made_by=alice, text=str(n), thread=rows[0], created_at=now)
        for n in range(ANSWERS_SHOWN + 1)
    )
    with django_assert_max_num_queries(5):
        page = threads_of(image, reader=alice)
    rest = threads_of(image, reader=alice, before=page.older)
    shown = [thread.pk for thread in (*page.shown, *rest.shown)]
    assert (len(page.shown), sorted(shown), rest.older) == (THREADS_SHOWN, sorted(row.pk for row in rows), None)
    (whole,) = threads_of(image, reader=alice, only=rows[0].pk).shown
    (cut,) = (thread for thread in page.shown if thread.pk == rows[0].pk)
    assert (len(cut.answers), cut.cut, len(whole.answers), whole.cut) == (ANSWERS_SHOWN, True, ANSWERS_SHOWN + 1, False)


def test_of_many_long_threads_a_member_reads_the_newest_at_length_and_the_others_in_short(
    image: Image, alice: User
) -> None:
    link = Share.objects.create(workspace=image.workspace, made_by=alice, kind="picture", image=image)
    now, here = timezone.now(), {"image": image, "workspace": image.workspace}
    rows = [
        Comment(**here, share=link, guest_name="Eve", text=str(n), created_at=now - timedelta(hours=n))
        for n in range(THREADS_SHOWN)
    ]
    Comment.objects.bulk_create(rows)
    Comment.objects.bulk_create(
        Comment(**here, made_by=alice, text=str(n), thread=row, created_at=now)
        for row in rows
        for n in range(ANSWERS_SHOWN + 1)
    )
    counts = [len(thread.answers) for thread in threads_of(image, reader=alice).shown]
    long = ANSWERS_TOGETHER // ANSWERS_SHOWN
    assert counts == [ANSWERS_SHOWN] * long + [ANSWERS_LEAST] * (THREADS_SHOWN - long)
    assert all(thread.cut for thread in threads_of(image, reader=alice).shown)
    assert {len(thread.answers) for thread in threads_of(image, share=link).shown} == {ANSWERS_SHOWN}
    (whole,) = threads_of(image, reader=alice, only=rows[-1].pk).shown
    assert len(whole.answers) == ANSWERS_SHOWN + 1
