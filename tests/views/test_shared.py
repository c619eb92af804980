"""What people outside see and say who have a link, and how soon they don't any more."""

import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageChops
from pytest_django import Settings

from editor.images import bucket, keys
from editor.models import About, Approval, Comment, Image, Notification, Share, User, Workspace
from editor.review import comments
from editor.sharing import links
from editor.sharing.links import Terms
from tests.makers import make_image, make_job
from tests.people import client_of
from tests.sharing.guests import at, look, share_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(bob: User, team: Workspace) -> Image:
    return make_image(bob, workspace=team, stored=True)


def test_link_is_made_opened_by_a_guest_and_revoked(bob: User, image: Image) -> None:
    client, guest = client_of(bob), Client()
    sent = {"lasts": "week", "title": "For you", "form_token": "x"}
    made = client.post(reverse("share_picture", args=[image.pk]), sent)
    share = Share.objects.get()
    assert made["Location"] == reverse("share", args=[share.pk])
    assert f"/s/{share.token}/" in client.get(made["Location"]).content.decode()
    bytes_at = at("shared_rendition", share, image.pk, 1280)
    page = look(share, guest)
    assert "For you" in page
    assert bytes_at in page
    assert guest.get(bytes_at).status_code == 200
    client.post(reverse("share_revoke", args=[share.pk]))
    for address in (at("shared", share), bytes_at):
        assert guest.get(address).status_code == 404


def test_page_names_nothing_else_of_the_portal(bob: User, team: Workspace, image: Image) -> None:
    page = look(share_of(bob, image))
    here = [
        address for address in re.findall(r'(?:href|src|action)="([^"]+)"', page) if not address.startswith("/static/")
    ]
    assert all(address.startswith(("/s/", "#", "?")) for address in here), here
    for word in (team.name, str(team.pk), bob.email, "Bob", "alice", image.name, "Sign in"):
        assert word not in page


def test_bytes_never_come_by_a_link_of_the_bucket(bob: User, image: Image, settings: Settings) -> None:
    settings.S3_PUBLIC = True
    share = share_of(bob, image, may_download=True)
    assert settings.S3_ENDPOINT_URL not in look(share)
    for address in (at("shared_rendition", share, image.pk, 320), at("shared_download", share, image.pk)):
        response = Client().get(address)
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        assert b"".join(list(response))


def test_browser_that_kept_the_bytes_is_asked_anew_as_well(bob: User, image: Image) -> None:
    share = share_of(bob, image)
    address, guest = at("shared_rendition", share, image.pk, 320), Client()
    etag = guest.get(address)["ETag"]
    assert guest.get(address, HTTP_IF_NONE_MATCH=etag).status_code == 304
    links.revoke(share, bob)
    assert guest.get(address, HTTP_IF_NONE_MATCH=etag).status_code == 404


def opened(data: bytes) -> Pillow.Image:
    return Pillow.open(io.BytesIO(data)).convert("RGB")


def difference(one: Pillow.Image, other: Pillow.Image) -> int:
    """Of the pixels that differ most, from 0 to 255."""
    found = ImageChops.difference(one, other).convert("L").histogram()
    return max(value for value, pixels in enumerate(found) if pixels)


def test_watermark_is_in_the_bytes_of_every_size_and_of_the_download(bob: User, image: Image) -> None:
    share = share_of(bob, image, watermark="DRAFT", may_download=True)
    clean = opened(bucket.get(keys.rendition_key(image.pk, 320)))
    for width in (1, 320, 640, 1280, 99999):
        marked = opened(Client().get(at("shared_rendition", share, image.pk, width)).content)
        assert difference(clean, marked) > 40
    response = Client().get(at("shared_download", share, image.pk))
    assert "attachment" in response["Content-Disposition"]
    assert "coffee.webp" in response["Content-Disposition"]
    assert difference(clean, opened(response.content)) > 40
    links.change(share, Terms(may_download=True))
    plain = Client().get(at("shared_rendition", share, image.pk, 320))
    assert plain.getvalue() == bucket.get(keys.rendition_key(image.pk, 320))


def test_words_of_the_edit_are_shown_if_the_link_says_so(bob: User, image: Image) -> None:
    result = make_image(bob, workspace=image.workspace, kind="generated", job=make_job(bob, image), root=image)
    share = share_of(bob, result)
    assert "watercolour" not in look(share)
    links.change(share, Terms(shows_prompts=True))
    assert "watercolour" in look(share)


def test_only_approved_pictures_are_shown_where_the_workspace_says_so(
    alice_client: Client, bob_client: Client, bob: User, image: Image
) -> None:
    share, address = share_of(bob, image), reverse("share_approved_only", args=[image.workspace_id])
    bob_client.post(address, {"on": "on"})
    look(share)
    alice_client.post(address, {"on": "on"})
    assert Client().get(at("shared", share)).status_code == 404
    moment = {"at": timezone.now(), "image_created_at": image.created_at}
    Approval.objects.create(image=image, workspace=image.workspace, state="approved", **moment)
    look(share)
    alice_client.post(address)
    Approval.objects.update(state="rejected")
    look(share)


# What guests say


def say(share: Share, guest: Client, text: str, **fields: Any) -> Any:
    sent = {"guest_name": "Gus", "text": text, "form_token": text} | fields
    return guest.post(at("shared_comment", share, share.image_id), sent)


def test_guest_comments_under_a_name_and_whoever_shared_is_told(
    alice: User, bob: User, bob_client: Client, image: Image
) -> None:
    share, guest = share_of(alice, image, may_comment=True), Client()
    for _ in range(2):  # a double click
        assert say(share, guest, "The <b>sky</b> is too dark.", guest_name="Gus 李").status_code == 302
    said = Comment.objects.get()
    assert (said.share, said.guest_name, said.made_by) == (share, "Gus 李", None)
    page = look(share, guest)
    assert "The &lt;b&gt;sky&lt;/b&gt; is too dark." in page
    assert "As <bdi>Gus 李</bdi>" in page  # and is not asked for again
    assert Notification.objects.get(person=alice).about == About.GUEST
    assert "Gus 李" in bob_client.get(reverse("picture", args=[image.pk])).content.decode()


def test_guests_read_what_belongs_to_their_link_and_nobodys_address(alice: User, bob: User, image: Image) -> None:
    share, guest = share_of(bob, image, may_comment=True), Client()
    comments.add(image, "Among ourselves.", made_by=alice)
    User.objects.filter(pk=alice.pk).update(name="")
    say(share, guest, "Too dark?")
    thread = Comment.objects.get(share=share)
    alice.refresh_from_db()
    comments.add(image, "I think so, too.", made_by=alice, thread=thread)
    page = look(share, guest)
    assert "Too dark?" in page
    assert "I think so, too." in page
    assert "Among ourselves." not in page
    assert "alice" not in page
    assert "Too dark?" not in look(share_of(bob, image, may_comment=True))
    say(share, guest, "Good.", thread=str(thread.pk))
    assert Comment.objects.get(text="Good.").thread == thread
    ours = Comment.objects.get(text="Among ourselves.")
    assert say(share, guest, "Listening.", thread=str(ours.pk)).status_code == 422


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"guest_name": " "}, "Say who you are"),
        ({"guest_name": "x" * 61}, "At most 60 characters"),
        ({"text": " "}, "Write something first."),
        ({"text": "x" * 2001}, "At most 2000 characters"),
        ({"thread": "nonsense"}, ""),
    ],
)
def test_guest_is_told_what_is_wrong_and_keeps_their_words(
    sent: dict[str, str], sentence: str, bob: User, image: Image
) -> None:
    share = share_of(bob, image, may_comment=True)
    response = say(share, Client(), **({"text": "Kept words."} | sent))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert ("Kept words." in response.content.decode()) == ("text" not in sent)
    assert response["Cache-Control"] == "no-store"
    assert not Comment.objects.exists()


def decide(share: Share, guest: Client, what: str, **fields: str) -> Any:
    return guest.post(at("shared_decide", share, share.image_id), {"guest_name": "Gus", "what": what} | fields)


def test_guest_rejects_with_a_reason_then_approves_and_whoever_shared_is_told(
    alice: User, bob: User, image: Image
) -> None:
    share, guest = share_of(alice, image, may_decide=True), Client()
    refused = decide(share, guest, "reject")
    assert refused.status_code == 422
    assert "why not" in refused.content.decode()
    assert decide(share, guest, "reject", why="Too dark.").status_code == 302
    approval = Approval.objects.get()
    assert (approval.state, approval.guest_name, approval.why) == ("rejected", "Gus", "Too dark.")
    assert "You said no" in look(share, guest)
    assert "You said" not in look(share)  # to another guest
    assert decide(share, guest, "approve").status_code == 302
    assert Approval.objects.get().state == "approved"
    assert "Approved" in look(share, guest)
    assert Notification.objects.filter(person=alice, about=About.GUEST).count() == 2


def test_guest_who_rejects_what_is_locked_is_sent_to_whoever_shared_it(bob: User, image: Image) -> None:
    share, now = share_of(bob, image, may_decide=True), timezone.now()
    moments = {"at": now, "image_created_at": image.created_at, "locked_at": now, "locked_by": bob}
    Approval.objects.create(image=image, workspace=image.workspace, state="approved", **moments)
    refused = decide(share, Client(), "reject", why="Too dark.")
    assert refused.status_code == 422
    assert "Tell whoever gave you the link" in refused.content.decode()
    assert "admin" not in refused.content.decode()
    assert Approval.objects.get().state == "approved"


def test_two_guests_of_one_name_do_not_read_each_others_reasons(bob: User, image: Image) -> None:
    share, one, other = share_of(bob, image, may_decide=True, may_comment=True), Client(), Client()
    decide(share, one, "reject", why="Too dark.")
    say(share, other, "Hello.")
    page = look(share, other)
    assert "As <bdi>Gus</bdi>" in page
    assert "Too dark." not in page
    decide(share, other, "reject", why="Too bright.")
    say(share, one, "Hello.", guest_name="Gustav")
    assert "Too dark." in look(share, one)
    assert "Too bright." not in look(share, one)


def test_member_is_no_guest_of_their_own_link(bob: User, bob_client: Client, image: Image) -> None:
    """Whoever may not approve is not to do it by a link that they made themselves."""
    share = share_of(bob, image, may_decide=True)
    assert 'value="approve"' in look(share)
    page = look(share, bob_client)
    assert 'value="approve"' not in page
    assert reverse("picture", args=[image.pk]) in page
    refused = decide(share, bob_client, "approve")
    assert (refused.status_code, Approval.objects.exists()) == (422, False)
    assert "You are a member" in refused.content.decode()


def test_address_of_a_refused_form_leads_back_when_it_is_opened_again(bob: User, image: Image) -> None:
    """A phone loads a tab anew, or somebody passes on what stands in the bar."""
    share, guest = share_of(bob, image, may_decide=True, may_comment=True, password="!"), Client()
    assert guest.get(at("shared_unlock", share))["Location"] == at("shared", share)
    Share.objects.update(password="")
    for name in ("shared_decide", "shared_comment"):
        assert guest.get(at(name, share, image.pk))["Location"] == at("shared", share)
    links.revoke(share, bob)
    for address in (at("shared_unlock", share), at("shared_decide", share, image.pk)):
        assert guest.get(address).status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"guest_name": ""}, "name-decide"), ({}, "decide-why"), ({"guest_name": "", "why": "x"}, "name-decide")],
)
def test_what_was_refused_is_in_view_and_has_the_focus(
    sent: dict[str, str], field: str, bob: User, image: Image
) -> None:
    share = share_of(bob, image, may_decide=True, may_comment=True)
    page = decide(share, Client(), "reject", **sent).content.decode()
    assert re.findall(r'id="([^"]+)"[^>]* autofocus', page) == [field]


def test_guests_do_not_say_much_at_once(bob: User, image: Image) -> None:
    share, guest = share_of(bob, image, may_comment=True), Client(REMOTE_ADDR="10.0.0.1")
    answers = [say(share, guest, f"Words {number}").status_code for number in range(22)]
    assert answers == [302] * 20 + [422] * 2
    assert Comment.objects.count() == 20


def test_forms_of_guests_come_from_our_own_pages(bob: User, image: Image) -> None:
    share = share_of(bob, image, may_comment=True, may_decide=True, password="!")
    foreign = Client(enforce_csrf_checks=True)
    assert foreign.post(at("shared_unlock", share), {"password": "x"}).status_code == 403
    assert say(share, foreign, "Words").status_code == 403
    assert decide(share, foreign, "approve").status_code == 403
    Share.objects.update(password="")
    page = Client().get(at("shared", share))
    assert page["Referrer-Policy"] == "same-origin"  # without which browsers name no origin, and no form would pass


# What changes while somebody looks


def state_in(share: Share, guest: Client) -> str:
    found = re.search(r'data-shared="([^"]+)"', look(share, guest))
    assert found
    return found[1].replace("&amp;", "&")


def test_open_page_learns_what_changed(
    alice: User, bob: User, image: Image, django_assert_max_num_queries: Any
) -> None:
    share, guest = share_of(bob, image, may_comment=True, may_decide=True), Client()
    address = state_in(share, guest)
    with django_assert_max_num_queries(5):
        assert guest.get(address).json() == {"pictures": False, "talk": False}
    say(share, guest, "Too dark?")
    assert guest.get(address).json() == {"pictures": False, "talk": True}
    address = state_in(share, guest)
    comments.add(image, "Yes.", made_by=alice, thread=Comment.objects.get())
    assert guest.get(address).json()["talk"]
    address = state_in(share, guest)
    decide(share, Client(), "approve", guest_name="Another")
    assert guest.get(address).json()["talk"]
    address = state_in(share, guest)
    links.change(share, Terms(title="Other", may_comment=True, may_decide=True))
    assert guest.get(address).json() == {"pictures": True, "talk": False}
    links.revoke(share, bob)
    assert guest.get(address).status_code == 404


def test_answers_that_come_from_no_page_of_a_link_are_kept_nowhere_either(bob: User, image: Image) -> None:
    share, guest = share_of(bob, image), Client(enforce_csrf_checks=True)
    page = at("shared", share)
    answers = [
        guest.get(page.rstrip("/")),  # leads to the one with it
        guest.get(f"{page}nothing/"),
        guest.get(at("shared_unlock", share)),
        guest.post(at("shared_unlock", share), {"password": "x"}),
    ]
    assert [answer.status_code for answer in answers] == [301, 404, 302, 403]
    assert {(answer["Cache-Control"], answer["X-Robots-Tag"]) for answer in answers} == {
        ("no-store", "noindex, nofollow")
    }
    assert "X-Robots-Tag" not in guest.get("/nothing/")
