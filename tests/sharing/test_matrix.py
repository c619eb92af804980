"""Every address of a link × whatever can be the matter with it: a guest gets what they were meant to, or one page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from editor.images.moving import move
from editor.library.shelves import collect, new_collection
from editor.models import Collection, Image, Share, User, Workspace
from editor.urls import urlpatterns
from tests.makers import make_image, make_job
from tests.sharing.guests import share_of, share_of_collection

pytestmark = pytest.mark.django_db

EVERYTHING: dict[str, Any] = {"may_download": True, "may_comment": True, "may_decide": True, "shows_prompts": True}
SAID = {"guest_name": "Gus", "text": "Lovely.", "what": "approve", "password": "wrong"}

# The guests' addresses: how they are asked for, and what they answer when all is well, by kind of link.
ADDRESSES: dict[str, tuple[str, dict[str, int]]] = {
    "shared": ("get", {"picture": 200, "before-after": 200, "collection": 200}),
    "shared_unlock": ("post", {"picture": 302, "before-after": 302, "collection": 302}),
    "shared_state": ("get", {"picture": 200, "before-after": 200, "collection": 200}),
    "shared_picture": ("get", {"picture": 404, "before-after": 404, "collection": 200}),
    "shared_rendition": ("get", {"picture": 200, "before-after": 200, "collection": 200}),
    "shared_download": ("get", {"picture": 200, "before-after": 200, "collection": 200}),
    "shared_comment": ("post", {"picture": 302, "before-after": 302, "collection": 302}),
    "shared_decide": ("post", {"picture": 302, "before-after": 302, "collection": 302}),
}
KINDS = ("picture", "before-after", "collection")


def test_every_address_of_guests_is_tried() -> None:
    ours = {each.name for each in urlpatterns if isinstance(each, URLPattern) and str(each.pattern).startswith("s/")}
    assert ours == set(ADDRESSES)


def ask(name: str, token: str, image: Image, guest: Client | None = None) -> HttpResponseBase:
    method, _ = ADDRESSES[name]
    own = {"shared", "shared_unlock", "shared_state"}
    args = [token] if name in own else [token, image.pk] + ([640] if name == "shared_rendition" else [])
    response: HttpResponseBase = getattr(guest or Client(), method)(
        reverse(name, args=args), SAID if method == "post" else None
    )
    if response.streaming:
        list(response)
    return response


@pytest.fixture
def image(bob: User, team: Workspace) -> Image:
    source = make_image(bob, workspace=team, stored=True)
    job = make_job(bob, source, state="succeeded", allowance="taken", finished_at=timezone.now(), due_at=None)
    return make_image(bob, workspace=team, stored=True, kind="generated", job=job, root=source)


@pytest.fixture
def shelf(bob: User, team: Workspace, image: Image) -> Collection:
    made = new_collection(bob, team, "A telling name")
    collect(bob, made, [image])
    return made


def make(kind: str, user: User, image: Image, shelf: Collection) -> Share:
    if kind == "collection":
        return share_of_collection(user, shelf, **EVERYTHING)
    before = image.root if kind == "before-after" else None
    return share_of(user, image, kind=kind, before=before, **EVERYTHING)


def changed(rows: Callable[[Share, Image], Any], **values: Any) -> Callable[[Share, Image], None]:
    def do(share: Share, image: Image) -> None:
        assert rows(share, image).update(**values)

    return do


def of_share(share: Share, _: Image) -> Any:
    return Share.objects.filter(pk=share.pk)


def of_image(_: Share, image: Image) -> Any:
    return Image.objects.filter(pk=image.pk)


def of_space(share: Share, _: Image) -> Any:
    return Workspace.objects.filter(pk=share.workspace_id)


def of_maker(share: Share, _: Image) -> Any:
    return User.objects.filter(pk=share.made_by_id)


def moved_away(share: Share, image: Image) -> None:
    move(share.made_by, [image.root or image], Workspace.objects.personal_of(share.made_by))


def locked(share: Share, _: Image) -> None:
    Share.objects.filter(pk=share.pk).update(password=make_password("right"))


NOW = timezone.now()
GONE: dict[str, Callable[[Share, Image], None]] = {
    "revoked": changed(of_share, revoked_at=NOW),
    "expired": changed(of_share, expires_at=NOW - timedelta(seconds=1)),
    "workspace in the trash": changed(of_space, trashed_at=NOW),
    "maker suspended": changed(of_maker, suspended_at=NOW, is_active=False),
    "password not given": locked,
}
PICTURE_GONE: dict[str, Callable[[Share, Image], None]] = {
    "trashed": changed(of_image, trashed_at=NOW),
    "removed": changed(of_image, trashed_at=NOW, removed_at=NOW),
    "withheld": changed(of_image, withheld_at=NOW),
    "purged": changed(of_image, trashed_at=NOW, purged_at=NOW),
    "not approved": changed(of_space, shares_approved_only=True),
    "moved": moved_away,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_open_link_answers_and_nothing_is_kept(
    name: str, kind: str, bob: User, image: Image, shelf: Collection
) -> None:
    response = ask(name, make(kind, bob, image, shelf).token, image)
    assert response.status_code == ADDRESSES[name][1][kind]
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] in {"no-referrer", "same-origin"}


@pytest.mark.parametrize("why", [*GONE, *PICTURE_GONE])
@pytest.mark.parametrize("kind", KINDS)
def test_link_that_opens_nothing_answers_everywhere_as_one_that_never_was(
    kind: str, why: str, bob: User, image: Image, shelf: Collection
) -> None:
    share = make(kind, bob, image, shelf)
    (GONE | PICTURE_GONE)[why](share, image)
    if why == "moved" and kind == "collection":  # its link lives on, with the rest of the collection
        image.refresh_from_db()
    for name in ADDRESSES:
        if why in PICTURE_GONE and kind == "collection" and name in {"shared", "shared_unlock", "shared_state"}:
            assert str(image.pk) not in ask("shared", share.token, image).content.decode()  # type: ignore[attr-defined]
            continue
        if why == "password not given" and name in {"shared", "shared_unlock"}:
            response = ask(name, share.token, image)
            page = response.content.decode()  # type: ignore[attr-defined]
            assert "This link has a password" in page
            assert not [word for word in ("telling", str(image.pk), "Before", "coffee") if word in page]
            assert response.status_code == (200 if name == "shared" else 422)
            assert response["Cache-Control"] == "no-store"
            continue
        if why in PICTURE_GONE and name == "shared_unlock" and not share.password:
            continue  # it leads to the page, which shows nothing
        never = ask(name, "never-was-one", image)
        response = ask(name, share.token, image)
        assert (name, response.status_code) == (name, 404)
        assert response.content == never.content  # type: ignore[attr-defined]
        assert response.headers == never.headers


@pytest.mark.parametrize("kind", KINDS)
def test_other_pictures_of_the_workspace_are_not_there_under_a_token(
    kind: str, bob: User, image: Image, shelf: Collection
) -> None:
    share = make(kind, bob, image, shelf)
    other = make_image(bob, workspace=image.workspace, stored=True)
    for name in set(ADDRESSES) - {"shared", "shared_unlock", "shared_state"}:
        assert ask(name, share.token, other).status_code == 404
    asked = reverse("shared_state", args=[share.token])
    guest = Client()
    assert guest.get(asked, {"picture": str(other.pk)}).status_code == (404 if kind == "collection" else 200)
    assert guest.get(asked, {"picture": "nonsense"}).status_code == (404 if kind == "collection" else 200)


def test_what_a_link_does_not_say_is_not_there(bob: User, image: Image) -> None:
    share = share_of(bob, image)
    for name in ("shared_download", "shared_comment", "shared_decide"):
        assert ask(name, share.token, image).status_code == 404
    page = ask("shared", share.token, image).content.decode()  # type: ignore[attr-defined]
    assert not [word for word in ("Download", "watercolour", "Approve", "Comment") if word in page]


def test_nothing_is_said_about_what_was_before(bob: User, image: Image, shelf: Collection) -> None:
    share = make("before-after", bob, image, shelf)
    assert image.root
    for name in ("shared_comment", "shared_decide"):
        assert ask(name, share.token, image.root).status_code == 404
    assert ask("shared_rendition", share.token, image.root).status_code == 200


def test_archived_workspace_is_shown_and_nothing_is_said_there(
    bob: User, team: Workspace, image: Image, shelf: Collection
) -> None:
    share = make("picture", bob, image, shelf)
    team.archive()
    page = ask("shared", share.token, image)
    assert page.status_code == 200
    assert "<form" not in page.content.decode()  # type: ignore[attr-defined]
    assert ask("shared_rendition", share.token, image).status_code == 200
    for name in ("shared_comment", "shared_decide"):
        assert ask(name, share.token, image).status_code == 422
    assert not image.comments.exists()


def test_put_back_it_is_shown_again(bob: User, image: Image) -> None:
    share = share_of(bob, image)
    image.trash()
    assert ask("shared", share.token, image).status_code == 404
    image.restore()
    assert ask("shared", share.token, image).status_code == 200


def test_collection_that_is_deleted_ends_its_links_and_keeps_what_guests_said(
    bob: User, image: Image, shelf: Collection
) -> None:
    share = make("collection", bob, image, shelf)
    ask("shared_comment", share.token, image)
    shelf.delete()
    assert ask("shared", share.token, image).status_code == 404
    assert image.comments.get().share == share


def test_token_of_nobody_is_long_enough_to_guess_nothing() -> None:
    tokens = {Share().token for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 32 for token in tokens)
