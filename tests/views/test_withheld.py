"""A picture that waits for a look, and one that moderation removed: every address that takes one × who asks."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from editor.images import bucket, keys
from editor.images.likeness import alike, same_bytes
from editor.jobs import vendor
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft, save
from editor.library.perceptual import phash_columns
from editor.library.shelves import add_favourites, collect, new_collection
from editor.models import (
    About,
    Collection,
    Comment,
    GenerationJob,
    Image,
    ImageKind,
    JobState,
    Membership,
    Recipe,
    Review,
    Role,
    Share,
    User,
    Workspace,
)
from editor.notifications import tell
from editor.review.rounds import ask as ask_for_review
from editor.urls import urlpatterns
from tests.makers import make_change, make_image, make_job
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db

NAME, BLUR = "a telling name", "AAAAtellingBlurAAAA"
LIKE: dict[str, Any] = phash_columns((1, 2, 3, 4))
WITHHELD, REMOVED = "withheld", "removed"
PEOPLE = ("maker", "member", "owner")


@dataclass
class Scene:
    """A team with a picture of its editor: an upload, and what was made of it, in which everybody has a hand."""

    team: Workspace
    shared: Workspace
    people: dict[str, User]
    image: Image  # the one that it is about
    root: Image  # it was made from this
    job: GenerationJob  # and by this
    use: GenerationJob  # the maker used it again
    twin: Image  # looks like it
    collection: Collection
    recipe: Recipe  # with it as picture
    review: Review  # the maker asked both others

    def client(self, who: str) -> Client:
        return client_of(self.people[who])


@pytest.fixture(scope="module")
def first_scene(made_once: Callable[[Callable[[], Scene]], Scene]) -> Scene:
    return made_once(make_scene)


@pytest.fixture
def scene(first_scene: Scene, db: None, quick_passwords: None) -> Scene:
    """One for all tests: what each of them changes is taken back."""
    return deepcopy(first_scene)


def make_scene() -> Scene:
    people = {who: make_person(who) for who in PEOPLE}
    team, shared = Workspace.objects.found(people["owner"], "Team"), Workspace.objects.create(name="Shared")
    for who in ("maker", "member"):
        Membership.objects.create(workspace=team, user=people[who], role=Role.EDITOR)
    for person in people.values():
        Membership.objects.create(workspace=shared, user=person, role=Role.OWNER)
    root = make_image(people["owner"], workspace=team, name="open")
    done = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
    job = make_job(people["maker"], root, prompt="some words", **done)
    image = make_image(
        people["maker"],
        workspace=team,
        name=NAME,
        thumbhash=BLUR,
        description=NAME,
        alt_text=NAME,
        kind=ImageKind.GENERATED,
        job=job,
        root=root,
        raw_sha256="a" * 64,
        stored=True,
        **LIKE,
    )
    make_change(image)
    use = make_job(people["maker"], image, prompt="other words", **done)
    collection = new_collection(people["owner"], team, "All")
    twin = make_image(people["owner"], workspace=team, name="twin", **LIKE)
    collect(people["owner"], collection, [image, twin])
    for person in people.values():
        add_favourites(person, [image])
    for person in people.values():
        told = {"workspace": team, "image": image, "guest_name": "Eve"}
        tell(person, About.GUEST, f"image:{image.pk}", f"Eve commented on {NAME}", **told)
    Workspace.objects.filter(pk=team.pk).update(cover=image)
    recipe = save(people["maker"], team, Draft("All", [EditSpec("some words")], shared=True, picture=image), "form")
    review = ask_for_review(image, people["maker"], [people["member"], people["owner"]])
    return Scene(team, shared, people, image, root, job, use, twin, collection, recipe, review)


def become(scene: Scene, what: str) -> None:
    now = timezone.now()
    values = {"withheld_at": now} if what == WITHHELD else {"removed_at": now, "trashed_at": now}
    Image.objects.filter(pk=scene.image.pk).update(**values)


def chosen(scene: Scene) -> dict[str, Any]:
    return {"picture": [scene.image.pk], "tags": "red", "collection_name": "New", "to": scene.shared.pk}


Args = Callable[[Scene], list[Any]]


def image(scene: Scene) -> list[Any]:
    return [scene.image.pk]


def team(scene: Scene) -> list[Any]:
    return [scene.team.pk]


def collection(scene: Scene) -> list[Any]:
    return [scene.collection.pk]


def comment(scene: Scene) -> list[Any]:
    """The maker's, on the picture."""
    made = Comment.objects.create(
        image=scene.image, workspace=scene.team, made_by=scene.people["maker"], text=f"{NAME} here"
    )
    return [made.pk]


def with_link(scene: Scene) -> list[Any]:
    """To the list of links, one of which leads to the picture."""
    Share.objects.create(workspace=scene.team, made_by=scene.people["maker"], kind="picture", image=scene.image)
    return team(scene)


@dataclass
class Address:
    method: str = "get"
    args: Args = image
    query: str = ""
    body: Callable[[Scene], dict[str, Any]] = lambda scene: {}
    whole: bool = True  # whether it is about this picture alone, so that without it there is nothing (404)


def edit_of(scene: Scene) -> dict[str, Any]:
    return {"source": scene.image.pk, "prompt": "blue", "form_token": uuid4().hex}


ADDRESSES: dict[str, list[Address]] = {
    "studio_image": [Address(), Address(args=lambda scene: [scene.root.pk], query="?second={image}", whole=False)],
    "studio_pick": [Address(), Address(args=lambda scene: [scene.root.pk], whole=False)],
    "studio_recipes": [Address(), Address(args=lambda scene: [scene.root.pk], whole=False)],
    "recipe_list": [Address(args=lambda scene: [], whole=False)],
    "recipe": [Address(args=lambda scene: [scene.recipe.pk], whole=False)],
    "recipe_new": [
        Address(args=lambda scene: [], query="?edit={job}", whole=False),
        Address(args=lambda scene: [], query="?edit={use}&path=1", whole=False),
    ],
    "image_state": [Address()],
    "image_trash": [Address("post")],
    "image_restore": [Address("post")],
    "image_rendition": [Address(args=lambda scene: [scene.image.pk, 320])],
    "image_master": [Address(), Address(query="?download=1")],
    "image_change": [Address()],
    "image_change_ask": [Address("post")],
    "picture_download": [Address()],
    "picture_export": [Address(), Address(query="?size=long&side=40"), Address(query="?format=png&making=on")],
    "picture": [Address()],
    "picture_comments": [Address(), Address("post", body=lambda scene: {"text": "Too dark"})],
    "comment_people": [Address()],
    "comment": [Address(args=comment)],
    "comment_earlier": [Address(args=comment)],
    "comment_change": [Address("post", args=comment, body=lambda scene: {"text": "Too dark"})],
    "comment_delete": [Address("post", args=comment)],
    "comment_resolve": [Address("post", args=comment, body=lambda scene: {"resolved": "1"})],
    "picture_words": [Address("post", body=lambda scene: {"name": "Other"})],
    "picture_rights": [Address(), Address("post", body=lambda scene: {"licence": "own"})],
    "picture_propose": [Address()],
    "picture_approval": [Address()],
    "picture_review": [Address()],
    "picture_decide": [],  # for admins: tests/views/test_approval.py
    "picture_lock": [],  # likewise
    "review": [Address(args=lambda scene: [scene.review.pk])],
    "reviews": [
        Address(args=lambda scene: [], whole=False),
        Address(args=lambda scene: [], query="?show=open&workspace={team}", whole=False),
    ],
    "picture_report": [Address()],
    "edit_create": [
        Address("post", lambda scene: [], body=edit_of),
        Address(
            "post",
            lambda scene: [],
            body=lambda scene: edit_of(scene) | {"source": scene.root.pk, "second": scene.image.pk},
        ),
    ],
    "selection_tag": [Address("post", team, body=chosen)],
    "selection_collect": [Address("post", team, body=chosen)],
    "selection_favourite": [Address("post", team, body=chosen)],
    "selection_trash": [Address("post", team, body=chosen)],
    "selection_move": [Address("post", team, body=chosen)],
    "selection_copy": [Address("post", team, body=chosen)],
    "selection_zip": [
        Address("post", team, body=chosen),
        Address("post", team, body=lambda scene: chosen(scene) | {"format": "png"}),
    ],
    "selection_download": [Address("post", team, body=chosen)],
    "collection_take_out": [Address("post", collection, body=chosen)],
    "image_states": [Address(args=lambda scene: [], query="?id={image}&id={twin}", whole=False)],
    "library_upload": [Address(args=lambda scene: [], query="?sent={image}", whole=False)],
    "library": [
        Address(args=lambda scene: [], whole=False),
        Address(args=lambda scene: [], query="?favourites=1", whole=False),
    ],
    "workspace_library": [
        Address(args=team, whole=False),
        Address(args=team, query="?q=telling", whole=False),
        Address(args=team, query="?sort=name", whole=False),
        Address(args=team, query="?collection={collection}&kind=generated", whole=False),
    ],
    "collection": [Address(args=collection, whole=False)],
    "collection_download": [Address(args=collection, whole=False)],
    "collections": [Address(args=team, whole=False)],
    "edit": [
        Address(args=lambda scene: [scene.job.pk], whole=False),
        Address(args=lambda scene: [scene.use.pk], whole=False),
    ],
    "edit_tile": [Address(args=lambda scene: [scene.job.pk], whole=False)],
    "edit_compare": [Address(args=lambda scene: [], query="?a={job}&b={use}", whole=False)],
    "history": [
        Address(args=lambda scene: [], whole=False),
        Address(args=lambda scene: [], query="?source={image}", whole=False),
    ],
    "workspace_history": [Address(args=team, whole=False)],
    "history_working": [
        Address(args=lambda scene: [], query="?everybody=1&edit={job}.queued&edit={use}.queued", whole=False)
    ],
    "share_picture": [Address(), Address("post", body=lambda scene: {"lasts": "week"})],
    "shares": [Address(args=with_link, whole=False)],
    # What guests see, in tests/sharing/test_matrix.py.
    **{f"shared_{name}": [] for name in ("picture", "rendition", "download", "comment", "decide")},
    "studio": [Address(args=lambda scene: [], whole=False)],
    "workspaces": [Address(args=lambda scene: [], whole=False)],
    "workspace": [Address(args=team, whole=False)],
    "trash": [Address(args=lambda scene: [], whole=False)],
    "account_export": [],  # tests/views/test_zips.py
    "collection_zip": [],  # likewise, and tests/views/test_download_zips.py
    "desk_picture": [],  # for moderators alone, with tests of its own
}
# What is told and shown of what others did.
ADDRESSES |= {
    "notifications": [Address(args=lambda scene: [], whole=False)],
    "notifications_panel": [Address(args=lambda scene: [], whole=False)],
    "activity": [Address(args=team, whole=False)],
}
ROWS = [(name, number) for name, rows in ADDRESSES.items() for number in range(len(rows))]


def test_every_address_of_a_picture_is_here() -> None:
    about = {
        str(pattern.name)
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern)
        and ("image_id" in str(pattern.pattern) or "selection" in str(pattern.pattern))
    }
    assert about - {"selection_restore"} <= set(ADDRESSES)


def ask(scene: Scene, who: str, name: str, number: int) -> HttpResponseBase:
    row = ADDRESSES[name][number]
    ids = {each: getattr(scene, each).pk for each in ("image", "twin", "job", "use", "collection", "team")}
    path = reverse(name, args=row.args(scene)) + row.query.format(**ids)
    client = scene.client(who)
    response: HttpResponseBase = client.post(path, row.body(scene)) if row.method == "post" else client.get(path)
    return to_its_end(response)


def to_its_end(response: HttpResponseBase) -> HttpResponseBase:
    """Closing what streams would take the connection to the database, and the scene, along."""
    if response.streaming:
        list(response)
    return response


@pytest.mark.parametrize("what", [WITHHELD, REMOVED])
@pytest.mark.parametrize(("name", "number"), ROWS, ids=[f"{name}-{number}" for name, number in ROWS])
def test_it_is_not_there(name: str, number: int, what: str, scene: Scene) -> None:
    become(scene, what)
    for who in ("member", "owner") if what == WITHHELD else PEOPLE:
        response = ask(scene, who, name, number)
        if ADDRESSES[name][number].whole:
            assert response.status_code == 404
        else:
            assert response.status_code == 200
            page = getattr(response, "content", b"").decode()
            for telling in (NAME, BLUR, f"{scene.image.pk}/"):
                assert telling not in page, (who, telling)


@pytest.mark.parametrize(("name", "number"), ROWS, ids=[f"{name}-{number}" for name, number in ROWS])
def test_its_maker_has_what_waits_for_a_look(name: str, number: int, scene: Scene) -> None:
    become(scene, WITHHELD)
    response = ask(scene, "maker", name, number)
    allowed = {200, 302} | ({404} if name == "picture_report" else set())  # nobody reports what is their own
    assert response.status_code in allowed


SHOWING = [("workspace_library", 0), ("history", 0), ("edit", 0), ("edit", 1), ("collection", 0), ("edit_tile", 0)]
SHOWING += [("recipe_list", 0), ("recipe", 0), ("studio_recipes", 1), ("notifications", 0), ("activity", 0)]


@pytest.mark.parametrize(("name", "number"), SHOWING)
def test_pages_show_it_to_its_maker(name: str, number: int, scene: Scene) -> None:
    become(scene, WITHHELD)
    assert str(scene.image.pk) in ask(scene, "maker", name, number).content.decode()  # type: ignore[attr-defined]


def test_tile_says_honestly_that_it_waits(scene: Scene) -> None:
    become(scene, WITHHELD)
    for who in PEOPLE:
        page = scene.client(who).get(reverse("edit_tile", args=[scene.job.pk])).content.decode()
        assert "Waits for a look" in page
    response = scene.client("member").get(reverse("studio_image", args=[scene.root.pk]) + f"?edit={scene.job.pk}")
    assert "Waits for a look by a moderator" in response.content.decode()


def test_edit_page_says_that_a_source_was_removed(scene: Scene) -> None:
    become(scene, REMOVED)
    page = scene.client("maker").get(reverse("edit", args=[scene.use.pk])).content.decode()
    assert "Removed by a moderator" in page
    assert "Put back" not in page


@pytest.mark.parametrize("who", PEOPLE)
def test_nobody_puts_a_removed_one_back(who: str, scene: Scene) -> None:
    become(scene, REMOVED)
    scene.image.refresh_from_db()
    moment = round(scene.image.trashed_at.timestamp() * 1_000_000)  # type: ignore[union-attr]
    client = scene.client(who)
    client.post(reverse("image_restore", args=[scene.image.pk]))
    client.post(reverse("selection_restore", args=[scene.team.pk]) + f"?at={moment}")
    assert not scene.image.restore()
    scene.image.refresh_from_db()
    assert scene.image.trashed_at is not None


@pytest.mark.parametrize("what", [WITHHELD, REMOVED])
def test_it_is_no_cover(what: str, scene: Scene) -> None:
    client = scene.client("owner")
    become(scene, what)
    assert client.post(reverse("workspace_cover", args=[scene.team.pk]), {"picture": scene.image.pk}).status_code == 404
    scene.team.refresh_from_db()
    assert scene.team.picture is None


@pytest.mark.parametrize("what", [WITHHELD, REMOVED])
def test_same_bytes_are_not_found_in_it(what: str, scene: Scene) -> None:
    become(scene, what)
    Image.objects.filter(pk=scene.image.pk).update(kind=ImageKind.UPLOADED, job=None)
    assert same_bytes(scene.people["owner"], scene.team, "a" * 64) is None
    assert alike(scene.people["owner"], [scene.twin]) == {scene.twin.pk: []}
    if what == WITHHELD:
        assert same_bytes(scene.people["maker"], scene.team, "a" * 64) == scene.image
        assert alike(scene.people["maker"], [scene.twin]) == {scene.twin.pk: [scene.image]}


def test_link_of_the_flux_server_ends_with_a_removal_at_once(scene: Scene, settings: Any) -> None:
    settings.FLUX_SEES_US_AT = "http://testserver"
    link = vendor.source_link(scene.image)
    client = Client()
    become(scene, WITHHELD)  # its maker may go on with it
    assert to_its_end(client.get(link)).status_code == 200
    become(scene, REMOVED)
    assert client.get(link).status_code == 404


def test_moving_the_family_leaves_what_the_mover_does_not_see(scene: Scene) -> None:
    become(scene, WITHHELD)
    body = {"picture": [scene.root.pk], "to": scene.shared.pk}
    scene.client("owner").post(reverse("selection_move", args=[scene.team.pk]), body)
    scene.root.refresh_from_db()
    scene.image.refresh_from_db()
    assert (scene.root.workspace, scene.image.workspace) == (scene.shared, scene.team)
    page = scene.client("maker").get(reverse("picture", args=[scene.image.pk]))
    assert page.status_code == 200


def test_tombstone_of_a_withheld_one_says_no_name(scene: Scene) -> None:
    become(scene, WITHHELD)
    body = {"picture": [scene.image.pk], "to": scene.shared.pk}
    scene.client("maker").post(reverse("selection_move", args=[scene.team.pk]), body)
    page = scene.client("member").get(reverse("edit", args=[scene.use.pk])).content.decode()
    assert NAME not in page


def test_bytes_are_where_the_test_believes(scene: Scene) -> None:
    """Without this the 404 of a picture's bytes would prove nothing."""
    assert bucket.exists(keys.master_key(scene.image.pk, "jpg"))
    for name in ("image_rendition", "image_master", "image_change", "picture_export"):
        args = [scene.image.pk, 320] if name == "image_rendition" else [scene.image.pk]
        response = to_its_end(scene.client("member").get(reverse(name, args=args)))
        assert response.status_code == 200
