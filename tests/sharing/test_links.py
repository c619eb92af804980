"""Making, changing and revoking links, and what becomes of them when something else changes."""

import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.accounts.leaving import delete_account
from editor.images.moving import move
from editor.library.shelves import collect, new_collection
from editor.models import Image, Membership, Role, Share, User, Workspace
from tests.makers import make_image, make_job
from tests.people import client_of, make_person
from tests.sharing.guests import at, look, share_of, share_of_collection

pytestmark = pytest.mark.django_db


def make(client: Client, image: Image, **fields: Any) -> Any:
    sent = {"lasts": "week", "form_token": uuid4().hex} | fields
    return client.post(reverse("share_picture", args=[image.pk]), sent)


def test_link_says_what_was_asked_for(bob_client: Client, image: Image) -> None:
    before = timezone.now()
    make(bob_client, image, title="For you", lasts="day", password="secret!", watermark="DRAFT 1", may_download="on")
    share = Share.objects.get()
    assert (share.kind, share.image, share.title, share.watermark) == ("picture", image, "For you", "DRAFT 1")
    assert (share.may_download, share.shows_prompts, share.may_comment, share.may_decide) == (True, False, False, False)
    assert share.expires_at
    assert timedelta(hours=23) < share.expires_at - before < timedelta(hours=25)
    assert "secret!" not in share.password


def test_refused_form_loses_nothing_least_of_all_the_password(bob_client: Client, image: Image) -> None:
    said = {"title": "For you", "password": "only for Gina", "watermark": "猫", "may_download": "on"}
    page = make(bob_client, image, **said).content.decode()
    assert not Share.objects.exists()
    for kept in ('value="only for Gina"', 'value="For you"', 'name="may_download" checked'):
        assert kept in page
    share = share_of(image.made_by, image, password="only for Gina")
    assert "only for Gina" not in bob_client.get(reverse("share", args=[share.pk])).content.decode()


def test_link_without_a_title_is_called_like_its_picture_and_says_when_it_ends(
    bob: User, bob_client: Client, image: Image
) -> None:
    """To members alone, and no longer than they may know of it."""
    share = share_of(bob, image, expires_at=datetime(2031, 5, 4, 10, 7, tzinfo=UTC))
    one, all_ = reverse("share", args=[share.pk]), reverse("shares", args=[image.workspace_id])
    for address in (one, all_):
        page = bob_client.get(address).content.decode()
        assert image.name in page
        assert "4 May 2031, 10:07 UTC" in page
    Image.objects.update(withheld_at=timezone.now())
    for address in (one, all_):
        assert image.name not in bob_client.get(address).content.decode()


def test_typographic_signs_of_a_watermark_become_plain_ones(bob_client: Client, image: Image) -> None:
    make(bob_client, image, watermark="DRAFT – “Studio” …")
    assert Share.objects.get().watermark == 'DRAFT - "Studio" ...'


def test_double_click_makes_one_link(bob_client: Client, image: Image) -> None:
    first, second = (make(bob_client, image, form_token="the same") for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Share.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"lasts": "date"}, "Choose the day."),
        ({"lasts": "date", "date": "2020-01-01"}, "This day is over."),
        ({"lasts": "date", "date": "9999-12-31"}, "Choose an earlier day."),
        ({"lasts": "date", "date": "soon"}, "A day like"),
        ({"lasts": "ever"}, "Choose one of the list."),
        ({"password": "short"}, "At least 6 characters"),
        ({"watermark": "Entwürfe"}, "drawn: ü. There are only plain Latin letters"),
        ({"title": "x" * 121}, "At most 120 characters"),
    ],
)
def test_form_says_what_is_wrong(said: dict[str, str], sentence: str, bob_client: Client, image: Image) -> None:
    response = make(bob_client, image, **said)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Share.objects.exists()


def test_before_and_after_is_offered_where_the_source_is_there(bob: User, bob_client: Client, image: Image) -> None:
    result = make_image(bob, workspace=image.workspace, kind="generated", job=make_job(bob, image), root=image)
    address = reverse("share_picture", args=[result.pk])
    assert "Before and after" in bob_client.get(address).content.decode()
    make(bob_client, result, what="before-after")
    assert Share.objects.get().before == image
    image.trash()
    assert "Before and after" not in bob_client.get(address).content.decode()
    make(bob_client, result, what="before-after")
    assert Share.objects.get(before=None).kind == "picture"


def test_change_keeps_the_password_unless_another_one_or_none_is_asked_for(bob_client: Client, image: Image) -> None:
    make(bob_client, image, password="secret!")
    share = Share.objects.get()
    address = reverse("share", args=[share.pk])
    bob_client.post(address, {"lasts": "never", "may_comment": "on"})
    changed = Share.objects.get()
    assert (changed.password, changed.expires_at, changed.may_comment) == (share.password, None, True)
    bob_client.post(address, {"lasts": "never", "password": "another"})
    assert Share.objects.get().password not in {"", share.password}
    bob_client.post(address, {"lasts": "never", "no_password": "on"})
    assert Share.objects.get().password == ""


def test_saving_a_link_again_does_not_make_it_live_longer(bob_client: Client, image: Image) -> None:
    make(bob_client, image, lasts="day")
    share = Share.objects.get()
    assert share.expires_at
    day = timezone.localdate(share.expires_at)
    bob_client.post(reverse("share", args=[share.pk]), {"lasts": "date", "date": day.isoformat(), "title": "Other"})
    assert Share.objects.get().expires_at == share.expires_at


def test_revoked_link_can_not_be_changed_back(bob_client: Client, bob: User, image: Image) -> None:
    share = share_of(bob, image, revoked_at=timezone.now())
    bob_client.post(reverse("share", args=[share.pk]), {"lasts": "never", "title": "Other"})
    assert Share.objects.get().title == ""


def test_owner_revokes_all_in_the_archive_as_well(alice_client: Client, bob: User, image: Image) -> None:
    shares = [share_of(bob, image) for _ in range(3)]
    image.workspace.archive()
    look(shares[0])
    alice_client.post(reverse("share_revoke_all", args=[image.workspace_id]))
    for share in shares:
        assert Client().get(at("shared", share)).status_code == 404


def test_list_shows_links_page_by_page_in_few_queries(
    bob_client: Client, bob: User, image: Image, django_assert_max_num_queries: Any
) -> None:
    for number in range(52):
        share_of(bob, image, title=f"Link {number:02}", created_at=timezone.now() - timedelta(minutes=number))
    address = reverse("shares", args=[image.workspace_id])
    with django_assert_max_num_queries(9):
        page = bob_client.get(address).content.decode()
    assert "Link 49" in page
    assert "Link 50" not in page
    older = page.split('rel="next" href="')[1].split('"')[0]
    page = bob_client.get(address + older).content.decode()
    assert [f"Link {number}" in page for number in (49, 50, 51)] == [False, True, True]


def test_moved_picture_loses_its_links(alice: User, bob: User, image: Image) -> None:
    share, before = share_of(bob, image), make_image(bob, workspace=image.workspace)
    with_it = share_of(bob, before, kind="before-after", before=image)
    move(bob, [image], Workspace.objects.personal_of(bob))
    assert Share.objects.filter(revoked_at=None).count() == 0
    assert {share.pk, with_it.pk} == set(Share.objects.values_list("pk", flat=True))


def test_deleted_account_leaves_no_open_link(bob: User, image: Image) -> None:
    share = share_of(bob, image)
    delete_account(bob)
    assert Share.objects.get().revoked_at
    assert Client().get(at("shared", share)).status_code == 404


def test_export_tells_of_links_but_not_what_opens_them(bob_client: Client, bob: User, image: Image) -> None:
    share = share_of(bob, image, title="For you", password="hashed-word")
    with zipfile.ZipFile(io.BytesIO(b"".join(list(bob_client.get(reverse("account_export")))))) as archive:
        text = archive.read("links.json").decode()
    assert json.loads(text)[0]["picture"] == str(image.pk)
    assert "For you" in text
    assert share.token not in text
    assert "hashed-word" not in text


def test_viewers_see_no_links_and_editors_those_of_others_without_a_button(
    alice: User, bob: User, bob_client: Client, team: Workspace, image: Image
) -> None:
    viewer = make_person("viewer")
    Membership.objects.create(workspace=team, user=viewer, role=Role.VIEWER)
    share = share_of(alice, image)
    page = client_of(viewer).get(reverse("picture", args=[image.pk])).content.decode()
    assert str(share.pk) not in page
    assert reverse("share_picture", args=[image.pk]) not in page
    page = bob_client.get(reverse("shares", args=[team.pk])).content.decode()
    assert str(share.pk) in page
    assert reverse("share_revoke", args=[share.pk]) not in page


def test_views_are_counted_once_an_hour_for_each_browser_outside(
    bob: User, bob_client: Client, charlie_client: Client, image: Image
) -> None:
    share, guest = share_of(bob, image), Client()
    for client in (guest, guest, bob_client, Client(HTTP_USER_AGENT="Slackbot-LinkExpanding 1.0")):
        client.get(at("shared", share))
    Client().head(at("shared", share))
    Client(HTTP_SEC_PURPOSE="prefetch;prerender").get(at("shared", share))
    assert Share.objects.get().views == 1
    charlie_client.get(at("shared", share))
    share.refresh_from_db()
    assert share.views == 2
    assert share.viewed_at


def test_view_counts_again_after_an_hour_and_at_another_link(
    bob: User, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    share, other, guest = share_of(bob, image), share_of(bob, image), Client()
    guest.get(at("shared", share))
    guest.cookies["seen"]["path"] = "/"
    guest.get(at("shared", other))
    assert [each.views for each in Share.objects.all()] == [1, 1]
    later = time.time() + 3601
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    for _ in range(2):
        guest.get(at("shared", other))  # the test's browser keeps cookies for ever
    assert Share.objects.get(pk=other.pk).views == 2


def test_nobody_is_counted_who_only_sees_the_question_for_a_password(bob: User, image: Image) -> None:
    share = share_of(bob, image, password="!")
    look(share)
    assert Share.objects.get().views == 0


def test_collection_is_shown_page_by_page(bob: User, team: Workspace) -> None:
    shelf = new_collection(bob, team, "Shelf")
    images = [make_image(bob, workspace=team, created_at=timezone.now() - timedelta(minutes=n)) for n in range(50)]
    collect(bob, shelf, images)
    share = share_of_collection(bob, shelf)
    page = look(share)
    assert [str(image.pk) in page for image in (images[0], images[47], images[48])] == [True, True, False]
    older = page.split('rel="next" href="')[1].split('"')[0]
    page = Client().get(at("shared", share) + older).content.decode()
    assert [str(image.pk) in page for image in (images[47], images[48], images[49])] == [False, True, True]
    large = Client().get(at("shared_picture", share, images[20].pk)).content.decode()
    assert at("shared_picture", share, images[19].pk) in large
    assert at("shared_picture", share, images[21].pk) in large


def test_sensitive_picture_is_behind_a_veil_until_it_is_asked_for(bob: User, image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(sensitive=True)
    share = share_of(bob, image, may_download=True)
    bytes_at = at("shared_rendition", share, image.pk, 1280)
    assert bytes_at not in look(share)
    assert bytes_at in Client().get(at("shared", share) + "?show=1").content.decode()


def test_counting_needs_no_session_of_a_guest(bob: User, image: Image) -> None:
    guest = Client()
    guest.get(at("shared", share_of(bob, image)))
    assert set(guest.cookies) == {"seen"}
