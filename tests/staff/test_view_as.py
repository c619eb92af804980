"""Looking at the portal as another person: to look, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.core import serializers
from django.db import models
from django.http import HttpRequest
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from editor.accounts import view_as
from editor.accounts.roles import MODERATOR
from editor.models import About, AuditEntry, Image, Notification, User, Workspace
from editor.notifications import tell
from tests.makers import make_image
from tests.people import client_of, make_person, submit
from tests.staff.roles import give_role

LEFT_OUT = {"editor.AuditEntry", "editor.AuditHead", "sessions.Session"}


def begin(client: Client, person: User) -> int:
    return submit(client, f"/admin/editor/user/{person.pk}/view-as/").status_code


@pytest.fixture
def looking(administrator: User, alice: User) -> Client:
    """The administrator's browser, who looks at the portal as alice."""
    client = client_of(administrator)
    assert begin(client, alice) == 302
    return client


def rows() -> dict[str, str]:
    """The whole database, but for the log and sessions."""
    return {
        model._meta.label: serializers.serialize("json", model._base_manager.order_by("pk"))
        for model in apps.get_models()
        if model._meta.label not in LEFT_OUT and model._meta.managed and issubclass(model, models.Model)
    }


def test_pages_are_the_persons_with_a_banner_on_each(looking: Client, alice: User) -> None:
    picture = make_image(alice)
    for address in ("/", "/library/", "/history/", "/trash/", "/workspaces/", f"/pictures/{picture.pk}/"):
        response = looking.get(address, follow=True)
        assert response.status_code == 200
        page = response.content.decode()
        assert "You look at the portal as <strong>alice@example.com</strong>" in page
        assert reverse("view_as_stop") in page
        assert response["Cache-Control"] == "private, no-store"


def test_looking_changes_nothing(looking: Client, alice: User, administrator: User) -> None:
    team = Workspace.objects.found(alice, "Team")
    image = make_image(alice, workspace=team)
    tell(alice, About.COMMENT, "image", "Eve commented", guest_name="Eve", workspace=team, image=image)
    told = f"/notifications/{Notification.objects.get().pk}/"
    before, session = rows(), dict(looking.session)
    own = f"/workspaces/{team.pk}"
    for address in ("/", "/library/", "/history/", "/notices/", f"{own}/library/", f"{own}/activity/"):
        assert looking.get(address).status_code == 200
    for address in ("/notifications/", "/notifications/panel/", told):  # where the number is set right, and one is seen
        assert looking.get(address, follow=True).status_code == 200
    assert rows() == before
    assert dict(looking.session) == session
    assert looking.session["_auth_user_id"] == str(administrator.pk)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_everything_but_looking_is_refused(looking: Client, alice: User, method: str) -> None:
    picture = make_image(alice)
    for address in (reverse("image_trash", args=[picture.pk]), "/edits/", "/workspaces/", "/account/logout/"):
        response = getattr(looking, method)(address)
        assert response.status_code == 403
        assert "nothing can be changed" in response.content.decode()
    assert Image.objects.filter(pk=picture.pk, trashed_at=None).exists()


@pytest.mark.parametrize(
    "address", ["/account/email/", "/account/export/", "/account/second-factor/", "/admin/", "/desk/", "/operate/"]
)
def test_what_is_the_persons_alone_and_what_is_not_theirs_stays_shut(looking: Client, address: str) -> None:
    assert looking.get(address).status_code == 403


def test_stop_leads_back_to_the_person_and_both_ends_are_in_the_log(
    looking: Client, alice: User, administrator: User
) -> None:
    page = f"/admin/editor/user/{alice.pk}/change/"
    assert looking.post(reverse("view_as_stop"))["Location"] == page
    assert looking.get(page).status_code == 200
    told = AuditEntry.objects.filter(action__startswith="view_as").order_by("number")
    assert [(each.actor, each.action, each.about) for each in told] == [
        (administrator, "view_as.began", f"user:{alice.pk}"),
        (administrator, "view_as.ended", f"user:{alice.pk}"),
    ]


def test_it_ends_after_half_an_hour_and_the_log_says_so(looking: Client, alice: User) -> None:
    with patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(minutes=29)):
        assert looking.get("/").status_code == 200
    with patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(minutes=31)):
        assert (
            looking.post("/workspaces/", {"name": "Not mine"})["Location"] == f"/admin/editor/user/{alice.pk}/change/"
        )
    assert not Workspace.objects.filter(name="Not mine").exists()
    assert "alice@example.com</strong>" not in looking.get("/").content.decode()
    last = AuditEntry.objects.last()
    assert last is not None
    assert (last.action, last.words) == ("view_as.ended", "Half an hour was over.")


@pytest.mark.parametrize("loses", ["right", "alice becomes staff"])
def test_it_ends_when_it_is_not_allowed_any_more(looking: Client, alice: User, administrator: User, loses: str) -> None:
    if loses == "right":
        administrator.groups.clear()
    else:
        give_role(alice, MODERATOR)
    assert looking.get("/").status_code == 302
    assert view_as.KEY not in looking.session


@pytest.mark.parametrize("who", ["superuser", "staff", "with a role alone", "oneself", "gone"])
def test_nobody_of_the_staff_is_looked_at(administrator: User, who: str) -> None:
    person = administrator if who == "oneself" else make_person("dora", superuser=who == "superuser")
    if who in {"staff", "with a role alone"}:
        give_role(person, MODERATOR)
        User.objects.filter(pk=person.pk).update(is_staff=who == "staff")
    if who == "gone":
        User.objects.filter(pk=person.pk).update(anonymised_at=timezone.now())
    client = client_of(administrator)
    assert begin(client, person) == 403
    assert view_as.KEY not in client.session


def test_moderators_and_operators_do_not_look(moderator: User, operator: User, alice: User) -> None:
    assert [begin(client_of(user), alice) for user in (moderator, operator)] == [403, 403]


@pytest.mark.django_db(transaction=True)
def test_page_that_would_write_is_stopped(looking: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(request: HttpRequest) -> None:
        User.objects.filter(pk=alice.pk).update(name="Changed by a look")

    written: Callable[..., object] = careless
    monkeypatch.setattr("editor.views.frame.workspaces_of", written)
    assert looking.get("/library/").status_code == 403
    alice.refresh_from_db()
    assert alice.name == "Alice"


@pytest.mark.django_db(transaction=True)
def test_it_holds_on_the_asynchronous_way_too(alice: User) -> None:
    administrator = make_person("boss", superuser=True)
    picture = make_image(alice, stored=True)
    client = AsyncClient()
    client.force_login(administrator)

    async def look() -> list[int]:
        rendition = reverse("image_rendition", args=[picture.pk, 320])
        answers = [await client.get(rendition)]
        answers.append(await client.post(f"/admin/editor/user/{alice.pk}/view-as/"))
        answers.append(await client.get(rendition))
        answers.append(await client.post(reverse("image_trash", args=[picture.pk])))
        answers.append(await client.get("/account/export/"))
        return [answer.status_code for answer in answers]

    assert async_to_sync(look)() == [404, 302, 200, 403, 403]
