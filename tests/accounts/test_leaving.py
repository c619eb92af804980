"""Leaving the portal: what goes, what stays, what stands in the way, and the ZIP of all that is mine."""

import csv
import io
import json
import threading
import zipfile
from datetime import timedelta
from typing import Any, cast

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync
from django.contrib.auth import SESSION_KEY
from django.db import connections
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from editor.accounts.leaving import LastAdministrator, delete_account, only_owned_by
from editor.desk.appeals import appeal
from editor.images import bucket, keys
from editor.jobs import clock, ledger
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.models import (
    About,
    Action,
    Allowance,
    AllowanceEntry,
    AttemptState,
    Decision,
    Favourite,
    GenerationJob,
    Image,
    ImageKind,
    JobState,
    LastOwner,
    MailedSubject,
    Membership,
    ModerationCase,
    Notice,
    Notification,
    Report,
    ReportReason,
    Role,
    ToldBy,
    User,
    Workspace,
    WorkspaceInvitation,
)
from editor.moderation.reports import report
from editor.notifications import tell
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_attempt, make_image, make_job
from tests.people import PASSWORD, client_of, submit

DELETE = "/account/delete/"


def signed_in_just_now(user: User) -> Client:
    """A browser in which the password was just given."""
    client = client_of(user)
    submit(client, reverse("account_reauthenticate"), password=PASSWORD)
    return client


@pytest.fixture
def other_owner(alice: User, bob: User, team: Workspace) -> User:
    """bob, so that alice may go."""
    Membership.objects.filter(user=bob, workspace=team).update(role=Role.OWNER)
    return bob


def test_password_is_asked_for_first(alice: User) -> None:
    client = client_of(alice)
    for response in (client.get(DELETE), submit(client, DELETE, email=alice.email)):
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_reauthenticate"))
    alice.refresh_from_db()
    assert alice.is_active


def test_address_has_to_be_typed(alice: User) -> None:
    client = signed_in_just_now(alice)
    for typed in ("", "bob@example.com"):
        assert submit(client, DELETE, email=typed).status_code == 422
    alice.refresh_from_db()
    assert alice.is_active
    assert "can’t be undone" in client.get(DELETE).content.decode()


def test_person_becomes_a_number(alice: User) -> None:
    other_browser = client_of(alice)
    image = make_image(alice)
    Favourite.objects.create(user=alice, image=image, image_created_at=image.created_at)
    client = signed_in_just_now(alice)
    response = submit(client, DELETE, email=" Alice@Example.com ")
    assert response["Location"] == reverse("account_login")
    assert "Your account is deleted" in client.get(response["Location"]).content.decode()
    gone = User.objects.get(pk=alice.pk)
    assert gone.anonymised_at
    assert (gone.is_active, gone.name, gone.has_usable_password()) == (False, "", False)
    assert "@" not in gone.email
    assert gone.get_short_name() == "Deleted account"
    assert [EmailAddress.objects.count(), Favourite.objects.count(), gone.memberships.count()] == [0, 0, 0]
    for browser in (client, other_browser):
        assert browser.get("/history/").status_code == 302
    assert SESSION_KEY not in client.session
    assert submit(Client(), reverse("account_login"), login="alice@example.com", password=PASSWORD).status_code == 200


def test_address_may_be_used_for_a_new_account(alice: User) -> None:
    delete_account(alice)
    assert User.objects.create_user("alice@example.com").pk != alice.pk


def test_invitations_to_the_address_are_forgotten(alice: User, bob: User, team: Workspace, other_owner: User) -> None:
    WorkspaceInvitation.objects.create(
        workspace=team, invited_by=bob, role=Role.VIEWER, email="Alice@example.com", expires_at=timezone.now()
    )
    delete_account(alice)
    assert not WorkspaceInvitation.objects.exists()


def test_own_pictures_are_purged_at_the_next_go_and_the_ledger_stays(alice: User) -> None:
    image = make_image(alice, stored=True)
    job = create_job(alice, [image], EditSpec("my secret"), "token")
    delete_account(alice)
    clock.empty_trash()
    image.refresh_from_db()
    job.refresh_from_db()
    assert image.purged_at
    assert not bucket.exists(keys.master_key(image.pk, "jpg"))
    assert (job.state, job.allowance, job.prompt) == (JobState.CANCELED, Allowance.RELEASED, "")
    assert job.source_image == image
    assert AllowanceEntry.objects.filter(user=alice).count() == 2
    assert ledger.problems() == []


def test_what_was_made_in_teams_stays_there(alice: User, team: Workspace, other_owner: User) -> None:
    image = make_image(alice, workspace=team)
    delete_account(alice)
    page = client_of(other_owner).get(reverse("workspace", args=[team.pk])).content.decode()
    assert "Alice" not in page
    image.refresh_from_db()
    assert image.trashed_at is None
    assert image.made_by_id == alice.pk


def test_what_was_made_in_teams_goes_into_their_trash_if_wished(
    alice: User, bob: User, team: Workspace, other_owner: User
) -> None:
    mine, theirs = make_image(alice, workspace=team), make_image(bob, workspace=team)
    submit(signed_in_just_now(alice), DELETE, email=alice.email, made="trash")
    assert list(Image.objects.trashed_of(bob)) == [mine]
    theirs.refresh_from_db()
    assert theirs.trashed_at is None


def test_last_owner_hands_over_first(alice: User, bob: User, team: Workspace) -> None:
    client = signed_in_just_now(alice)
    page = client.get(DELETE).content.decode()
    assert "these teams have no other owner" in page
    assert "Delete my account for good" not in page
    assert submit(client, DELETE, email=alice.email).status_code == 422
    with pytest.raises(LastOwner):
        delete_account(alice)
    assert User.objects.get(pk=alice.pk).is_active
    team.hand_over(Membership.objects.get(user=alice, workspace=team), Membership.objects.get(user=bob, workspace=team))
    assert not only_owned_by(alice).exists()
    assert submit(client, DELETE, email=alice.email).status_code == 302


def test_last_administrator_stays(admin: User, alice: User) -> None:
    client = signed_in_just_now(admin)
    assert "the portal’s only administrator" in client.get(DELETE).content.decode()
    assert submit(client, DELETE, email=admin.email).status_code == 422
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    assert submit(client, DELETE, email=admin.email).status_code == 302
    with pytest.raises(LastAdministrator):
        delete_account(User.objects.get(pk=alice.pk))


@pytest.mark.django_db(transaction=True)
def test_two_owners_can_not_leave_at_once(alice: User, bob: User, team: Workspace, other_owner: User) -> None:
    start, stayed = threading.Barrier(2), list[User]()

    def leave(user: User) -> None:
        try:
            start.wait(10)
            delete_account(user)
        except LastOwner:
            stayed.append(user)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=leave, args=[user]) for user in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(stayed) == 1
    assert team.memberships.get().user == stayed[0]


def test_nothing_is_handed_over_to_somebody_who_is_gone(alice: User, bob: User, team: Workspace) -> None:
    mine, theirs = (Membership.objects.get(user=user, workspace=team) for user in (alice, bob))
    delete_account(bob)
    with pytest.raises(LastOwner):
        team.hand_over(mine, theirs)
    mine.refresh_from_db()
    assert mine.role == Role.OWNER


def test_team_in_the_trash_stands_in_nobodys_way(alice: User, team: Workspace) -> None:
    team.trash()
    delete_account(alice)
    assert User.objects.get(pk=alice.pk).anonymised_at


def test_edits_under_way_are_canceled_wherever_they_are(
    alice: User, bob: User, team: Workspace, other_owner: User
) -> None:
    image = make_image(alice, workspace=team)
    waiting = create_job(alice, [image], EditSpec("blue"), "one")
    leaving = make_job(alice, image, state=JobState.SUBMITTING)
    working = make_job(alice, image, state=JobState.PROCESSING)
    attempt = make_attempt(working)
    bobs = make_job(bob, image)
    delete_account(alice)
    for job in (waiting, leaving, working, bobs):
        job.refresh_from_db()
    assert (waiting.state, waiting.allowance) == (JobState.CANCELED, Allowance.RELEASED)
    assert (working.state, working.allowance) == (JobState.CANCELED, Allowance.TAKEN)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DISCARDED
    assert leaving.cancel_requested_at  # only its answer will tell what there is to cancel
    assert bobs.state == JobState.QUEUED


def test_clock_cancels_what_a_process_that_died_left(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(alice)
    monkeypatch.setattr("editor.accounts.leaving.cancel_of", lambda user: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        delete_account(alice)
    clock.empty_trash()
    job.refresh_from_db()
    assert job.state == JobState.CANCELED


def test_nothing_is_begun_after_the_end(alice: User, team: Workspace, other_owner: User) -> None:
    image = make_image(alice, workspace=team)
    delete_account(alice)
    with pytest.raises(NotAllowed):
        create_job(alice, [image], EditSpec("blue"), "token")


# The export


def exported(client: Client) -> zipfile.ZipFile:
    response = cast(Any, client.get("/account/export/"))
    assert isinstance(response, StreamingHttpResponse)

    async def read() -> bytes:
        return b"".join([piece async for piece in response])

    return zipfile.ZipFile(io.BytesIO(async_to_sync(read)()))


def test_export_holds_all_that_is_mine_and_nothing_else(
    alice: User, bob: User, alice_client: Client, team: Workspace
) -> None:
    mine = make_image(alice, stored=True, name="coffee.jpg")
    same_name = make_image(alice, workspace=team, stored=True, name="coffee.jpg")
    in_trash = make_image(alice, stored=True, name="old.jpg", trashed_at=timezone.now())
    make_image(bob, workspace=team, stored=True, name="bobs.jpg")
    job = create_job(alice, [mine], EditSpec("make it blue", seed=77), "token")
    make_job(bob, make_image(bob, workspace=team), prompt="bobs words")
    with exported(alice_client) as archive:
        assert archive.testzip() is None
        text = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist() if "/" not in name}
        pictures = json.loads(text["pictures.json"])
        by_id = {each["id"]: each for each in pictures}
        assert set(by_id) == {str(image.pk) for image in (mine, same_name, in_trash)}
        assert by_id[str(in_trash.pk)]["in_the_trash"] is True
        assert len({each["file"] for each in pictures}) == 3
        for each in pictures:
            assert archive.read(each["file"]) == bucket.get(keys.master_key(each["id"], "jpg"))
    (edit,) = json.loads(text["edits.json"])
    assert (edit["id"], edit["prompt"], edit["seed"], edit["sources"]) == (
        str(job.pk),
        "make it blue",
        77,
        [str(mine.pk)],
    )
    assert json.loads(text["profile.json"])["email"] == "alice@example.com"
    (head, line) = csv.reader(io.StringIO(text["ledger.csv"]))
    assert head[0] == "month"
    assert line[2:5] == [str(job.pk), "held", "1"]
    assert "bobs" not in "".join(text.values())


def test_export_has_what_i_was_told_as_far_as_i_may_see_it(
    alice: User, bob: User, bob_client: Client, team: Workspace
) -> None:
    for name in ("open", "withheld"):
        image = make_image(alice, workspace=team, name=name)
        told = {"by": alice, "workspace": team, "image": image}
        tell(bob, About.COMMENT, f"image:{image.pk}", f"Alice commented on {name}", **told)
    Image.objects.filter(name="withheld").update(withheld_at=timezone.now())
    with exported(bob_client) as archive:
        (row,) = json.loads(archive.read("notifications.json"))
        chosen = json.loads(archive.read("profile.json"))["told"]
    assert (row["words"], row["about"], row["workspace"]) == ("Alice commented on open", "comment", team.name)
    assert {"about": "batch", "in_portal": True, "by_mail": False} in chosen


def test_what_i_was_told_goes_with_me_and_my_name_from_what_others_were_told(
    alice: User, bob: User, team: Workspace
) -> None:
    image = make_image(alice, workspace=team, name="lamp.jpg")
    subject, told = f"image:{image.pk}", {"workspace": team, "image": image}
    tell(bob, About.COMMENT, subject, "Alice commented", by=alice, **told)
    tell(alice, About.COMMENT, subject, "Bob Bobson commented", by=bob, **told)
    MailedSubject.objects.create(person=bob, subject=subject, at=timezone.now())
    ToldBy.objects.create(person=bob, about=About.COMMENT, by_mail=False)
    delete_account(bob)
    for model in (MailedSubject, ToldBy):
        assert not model._default_manager.exists()
    (row,) = Notification.objects.all()
    assert (row.person, row.words) == (alice, "")
    page = client_of(alice).get(reverse("notifications")).content.decode()
    assert "Deleted account commented on lamp.jpg" in page
    assert "Bobson" not in page


def test_export_of_nothing_is_whole(alice_client: Client) -> None:
    with exported(alice_client) as archive:
        assert json.loads(archive.read("edits.json")) == []
        assert json.loads(archive.read("pictures.json")) == []


def test_export_shows_nothing_of_a_team_that_was_left(alice: User, bob: User, team: Workspace) -> None:
    make_image(bob, workspace=team, stored=True)
    create_job(bob, [make_image(bob, workspace=team)], EditSpec("secret of the team"), "token")
    team.remove(Membership.objects.get(user=bob, workspace=team))
    with exported(client_of(bob)) as archive:
        assert json.loads(archive.read("pictures.json")) == []
        assert json.loads(archive.read("edits.json")) == []
        assert len(archive.read("ledger.csv").splitlines()) == 2


def test_picture_that_is_not_there_is_named(alice: User, alice_client: Client) -> None:
    make_image(alice, name="lost.jpg")
    make_image(alice, name="here.jpg", stored=True)
    with exported(alice_client) as archive:
        assert "lost.jpg" in archive.read("missing.txt").decode()
        assert "pictures/here.jpg" in archive.namelist()


def test_more_than_a_batch_is_exported(alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editor.accounts.exporting.BATCH", 2)
    image = make_image(alice)
    job = make_job(alice, image)
    for position in range(4):
        when = timezone.now() - timedelta(days=position)
        make_image(alice, kind=ImageKind.GENERATED, job=job, position=position, created_at=when)
        make_job(alice, image)
    with exported(alice_client) as archive:
        assert len(json.loads(archive.read("pictures.json"))) == 5
        assert len(json.loads(archive.read("edits.json"))) == GenerationJob.objects.count() == 5


def test_export_tells_what_moderators_had_to_do_with_me(alice: User, bob: User, alice_client: Client) -> None:
    moderator = make_moderator("moderator")
    theirs = make_image(bob)
    report(alice, theirs, ReportReason.HATE, "Look at the sign.")
    removed = make_image(alice, stored=True)
    decision = decide(moderator, case_about(removed), Action.REMOVE, reason="Stolen.", note="A hidden note.")
    appeal(alice, decision, "It is my own.")
    with exported(alice_client) as archive:
        text = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".json")}
        assert not [name for name in archive.namelist() if name.startswith("pictures/")]
    (reported,) = json.loads(text["reports.json"])
    assert (reported["picture"], reported["reason"], reported["words"], reported["decided"]) == (
        str(theirs.pk),
        "hate",
        "Look at the sign.",
        False,
    )
    (told,) = json.loads(text["notices.json"])
    assert "Stolen." in told["words"]
    (decided,) = json.loads(text["decisions.json"])
    assert (decided["id"], decided["actions"], decided["reason"]) == (str(decision.pk), ["Remove"], "Stolen.")
    assert decided["appeal"]["words"] == "It is my own."
    assert "hidden note" not in "".join(text.values())
    assert "moderator" not in "".join(text.values()).lower()


def test_words_to_moderators_go_when_they_are_answered_and_decisions_stay(alice: User, bob: User) -> None:
    moderator = make_moderator("moderator")
    answered, waiting = make_image(bob), make_image(bob)
    for picture in (answered, waiting):
        report(alice, picture, ReportReason.HATE, "My own words.")
    decide(moderator, answered.cases.get(), Action.FINE)
    decision = decide(moderator, case_about(make_image(alice)), Action.WARN)
    pleading = appeal(alice, decision, "My own words.")
    Membership.objects.filter(user=alice, workspace__personal_for=None).delete()

    delete_account(alice)
    assert Report.objects.get(case__image=answered).words == ""
    assert Report.objects.get(case__image=waiting).words == "My own words."
    assert not Notice.objects.filter(person=alice).exists()
    assert Decision.objects.get(pk=decision.pk).person == alice

    decide(moderator, waiting.cases.get(), Action.REMOVE)
    decide(moderator, pleading, Action.FINE)
    left = Report.objects.get(case__image=waiting)
    assert (left.words, left.reason) == ("", "hate")
    assert ModerationCase.objects.get(pk=pleading.pk).details["words"] == ""
    assert not Notice.objects.filter(person=alice).exists()


def test_stranger_signs_in_first() -> None:
    response = async_to_sync(AsyncClient().get)("/account/export/")
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/?next=/account/export/")
