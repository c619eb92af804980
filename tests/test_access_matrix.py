"""Every address of the product × everybody who may come. An address without an answer here turns the test red.

The rules are those of `docs/roles.md`, which is compared with `editor/access/` below.
"""

import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from editor.access import RIGHTS, Right
from editor.desk.appeals import token_for
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft, save
from editor.jobs.server_orders import begin
from editor.library.shelves import collect, new_collection
from editor.models import (
    About,
    Cause,
    Collection,
    Decision,
    DownloadPreset,
    GenerationJob,
    Image,
    Membership,
    ModerationCase,
    Notice,
    Notification,
    RetentionRule,
    Role,
    SavedFilter,
    ServerOrder,
    Share,
    User,
    Workspace,
    WorkspaceInvitation,
)
from editor.models.server_orders import OrderKind
from editor.moderation.cases import open_case
from editor.notifications import tell, unsubscribing
from editor.review import comments
from editor.review.culling import begin as begin_culling
from editor.review.replacing import put_in_place
from editor.review.rounds import ask, decide
from tests.makers import make_attempt, make_batch, make_change, make_image, make_job
from tests.people import client_of, make_person, quick_passwords

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db

PEOPLE = ("anonymous", "stranger", "former", "viewer", "editor", "admin", "owner")


@dataclass
class Scene:
    """A team with somebody in each role, somebody who left, and a stranger who owns a team of his own."""

    team: Workspace
    people: dict[str, User]
    image: Image
    trashed: Image
    job: GenerationJob  # the editor's
    waiting: GenerationJob  # the editor's, too
    invitation: WorkspaceInvitation
    secret: str
    collection: Collection
    shared: Workspace  # where everybody but a stranger may edit, too
    theirs: Image  # the stranger's
    foreign: Workspace  # where nobody but the stranger's friend is

    def member(self, name: str) -> Membership:
        return Membership.objects.get(workspace=self.team, user=self.people[name])


@pytest.fixture(scope="module")
def first_scene(made_once: Callable[[Callable[[], Scene]], Scene]) -> Scene:
    return made_once(make_scene)


@pytest.fixture
def scene(first_scene: Scene, db: None, quick_passwords: None) -> Scene:
    """One for all tests: what each of them changes is taken back."""
    return deepcopy(first_scene)


def make_scene() -> Scene:
    people = {name: make_person(name) for name in PEOPLE if name != "anonymous"}
    team = Workspace.objects.found(people["owner"], "Team")
    for role in ("viewer", "editor", "admin"):
        Membership.objects.create(workspace=team, user=people[role], role=role)
    Workspace.objects.found(people["stranger"], "Another team")
    former = Membership.objects.create(workspace=team, user=people["former"], role=Role.ADMIN)
    team.remove(former)
    # A second owner and a colleague, so that nobody is the last and everybody can be changed.
    Membership.objects.create(workspace=team, user=make_person("second"), role=Role.OWNER)
    Membership.objects.create(workspace=team, user=make_person("colleague"), role=Role.EDITOR)
    editor = people["editor"]
    image = make_image(editor, workspace=team, stored=True)
    done = {"state": "canceled", "allowance": "released", "finished_at": timezone.now(), "due_at": None}
    waiting = make_job(editor, make_image(editor, workspace=team), due_at=None)
    invitation = WorkspaceInvitation.objects.create(
        workspace=team,
        invited_by=people["owner"],
        role=Role.VIEWER,
        uses_max=5,
        expires_at=timezone.now() + timedelta(1),
    )
    return Scene(
        team=team,
        people=people,
        image=image,
        trashed=make_image(editor, workspace=team, trashed_at=timezone.now()),
        job=make_job(editor, image, **done),
        waiting=waiting,
        invitation=invitation,
        secret=make_attempt(waiting).secret,
        collection=filled_collection(people["owner"], team, image),
        shared=shared_by(people[role] for role in ("former", "viewer", "editor", "admin", "owner")),
        theirs=make_image(people["stranger"]),
        foreign=Workspace.objects.found(make_person("friend"), "A friend's"),
    )


def filled_collection(user: User, workspace: Workspace, image: Image) -> Collection:
    made = new_collection(user, workspace, "Hidden collection")
    collect(user, made, [image])
    return made


def shared_by(people: Iterable[User]) -> Workspace:
    space = Workspace.objects.create(name="Shared")
    Membership.objects.bulk_create(Membership(workspace=space, user=user, role=Role.OWNER) for user in people)
    return space


IN, OUT, GONE = "ok", "sign in", "404"
Rule = dict[str, str]


def from_role(least: str) -> Rule:
    """Members from this role on; strangers and former members learn nothing."""
    roles = PEOPLE[PEOPLE.index(least) :]
    return {name: IN if name in roles else GONE for name in PEOPLE} | {"anonymous": OUT}


SEE, EDIT, MANAGE, OWN = (from_role(role) for role in ("viewer", "editor", "admin", "owner"))
BYTES = SEE | {"anonymous": GONE}  # where a browser expects a picture, a page to sign in would be of no use
MAKER = dict.fromkeys(PEOPLE, GONE) | {"anonymous": OUT, "editor": IN}
SIGNED_IN = dict.fromkeys(PEOPLE, IN) | {"anonymous": OUT}
ANYONE = dict.fromkeys(PEOPLE, IN)
NOBODY = dict.fromkeys(PEOPLE, GONE)
NOT_THEIRS = NOBODY | {"anonymous": OUT}


@dataclass
class Address:
    rule: Rule
    method: str = "get"
    args: Callable[[Scene], list[Any]] = lambda scene: []
    query: Callable[[Scene], str] = lambda scene: ""
    body: Callable[[Scene], dict[str, Any]] = lambda scene: {}
    refused: dict[str, int] = field(default_factory=dict)  # people whom a sentence answers, with its code


def image(scene: Scene) -> list[Any]:
    return [scene.image.pk]


def rule(scene: Scene) -> list[Any]:
    made_by = scene.people["owner"]
    return [RetentionRule.objects.create(what="results", days=90, made_by=made_by, tried_at=timezone.now()).pk]


def compared(scene: Scene) -> list[Any]:
    """A result of the team's picture, of which it is known what changed."""
    made = {"kind": "generated", "job": scene.job, "root": scene.image, "workspace": scene.team}
    result = make_image(scene.people["editor"], stored=True, **made)
    make_change(result)
    return [result.pk]


RULE_SAYS = {"what": "results", "days": 90}


def job(scene: Scene) -> list[Any]:
    return [scene.job.pk]


def varied(scene: Scene) -> list[Any]:
    found = uuid4()
    make_job(scene.people["editor"], scene.image, rerun_of=scene.job, variation_set=found, due_at=None)
    return [found]


def team(scene: Scene) -> list[Any]:
    return [scene.team.pk]


def colleague(scene: Scene) -> list[Any]:
    return [scene.team.pk, Membership.objects.get(user__email="colleague@example.com", workspace=scene.team).pk]


def collection(scene: Scene) -> list[Any]:
    return [scene.collection.pk]


def chosen(scene: Scene) -> dict[str, Any]:
    """The team's picture, and somebody else's, which counts as not there; moved and copied to one's own."""
    return {
        "picture": [scene.image.pk, scene.theirs.pk],
        "tags": "red",
        "collection_name": "New",
        "to": scene.shared.pk,
    }


def one_chosen(scene: Scene) -> dict[str, Any]:
    return {"picture": [scene.image.pk]}


def batch(scene: Scene) -> list[Any]:
    """The editor's, with the edit that waits in it."""
    editor = scene.people["editor"]
    return [make_batch(editor, scene.waiting, prompt="Hidden words").pk]


def batch_item(scene: Scene) -> list[Any]:
    return [*batch(scene), 0]


def comment(scene: Scene) -> list[Any]:
    """The editor's, changed once."""
    made = comments.add(scene.image, "Hidden words", made_by=scene.people["editor"])
    comments.change(made, "Other words")
    return [made.pk]


def recipe(scene: Scene) -> list[Any]:
    """The editor's own, which nobody else sees."""
    return [made_recipe(scene, shared=False)]


def shared_recipe(scene: Scene) -> list[Any]:
    """The editor's, shared with the team."""
    return [made_recipe(scene, shared=True)]


def made_recipe(scene: Scene, *, shared: bool) -> Any:
    draft = Draft("Hidden recipe", [EditSpec("Hidden words")], shared)
    return save(scene.people["editor"], scene.team, draft, uuid4().hex).pk


def with_recipe(shared: bool) -> Callable[[Scene], str]:
    return lambda scene: f"?recipe={made_recipe(scene, shared=shared)}"


def recipe_says(scene: Scene) -> dict[str, Any]:
    return {
        "name": "Other",
        "form_token": uuid4().hex,
        "step-TOTAL_FORMS": 1,
        "step-INITIAL_FORMS": 0,
        "step-0-prompt": "blue",
    }


def recipe_file(scene: Scene) -> dict[str, Any]:
    text = b'{"format": "retake-recipe", "version": 1, "name": "New", "steps": [{"prompt": "blue"}]}'
    return {"file": ContentFile(text, "recipe.json"), "form_token": uuid4().hex}


def into_team(body: Callable[[Scene], dict[str, Any]]) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: body(scene) | {"workspace": scene.team.pk}


NOT_IN_TEAM = dict.fromkeys(("stranger", "former", "viewer"), 422)  # it is none of the workspaces to choose from
CHANGES_SHARED = MAKER | {"admin": IN, "owner": IN}


def chosen_edits(scene: Scene) -> dict[str, Any]:
    """Two of the team, and one that never was."""
    return {"edit": [scene.job.pk, scene.waiting.pk, uuid4()], "collection_name": "New"}


def download_preset(scene: Scene) -> DownloadPreset:
    """The team's, made by its editor."""
    made = {"made_by": scene.people["editor"], "options": {"size": "long", "side": 40}}
    return DownloadPreset.objects.create(workspace=scene.team, name="Hidden preset", **made)


def preset(scene: Scene) -> list[Any]:
    return [download_preset(scene).pk]


def with_preset(scene: Scene) -> str:
    return f"?preset={download_preset(scene).pk}"


PRESET_SAYS = {"name": "Other", "format": "jpeg", "quality": "80"}


def saved_filter(scene: Scene) -> list[Any]:
    """The editor's."""
    return [SavedFilter.objects.create(user=scene.people["editor"], name="Cats", query="?q=cat").pk]


def edit_of(scene: Scene) -> dict[str, Any]:
    return {"source": scene.image.pk, "prompt": "blue", "form_token": uuid4().hex}


def merge_with(scene: Scene) -> dict[str, Any]:
    """The second picture is the team's; the first is whatever the sender may edit, so it is the team's as well."""
    return edit_of(scene) | {"second": str(scene.image.pk), "source": scene.image.pk}


def notice(scene: Scene) -> Notice:
    """The editor was warned; they alone may read it and appeal."""
    person, moderator = scene.people["editor"], make_person("moderator")
    warned = open_case(Cause.STAFF, person)
    decided = Decision.objects.create(
        case=warned, moderator=moderator, cause=warned.cause, person=person, actions=["warn"], reason="Hidden reason."
    )
    return Notice.objects.create(person=person, decision=decided, headline="A warning", words="-", may_appeal=True)


def appeal_link(scene: Scene) -> list[Any]:
    decided = notice(scene).decision
    return [token_for(decided)] if decided else []


def case(scene: Scene) -> list[Any]:
    """What moderators alone may look at, the one whom it is about included."""
    return [open_case(Cause.CLASSIFIER, scene.people["editor"], image=scene.image).pk]


def decided(scene: Scene) -> list[Any]:
    found = ModerationCase.objects.get(pk=case(scene)[0])
    row = Decision(case=found, moderator=scene.people["owner"], cause=found.cause, person=found.person)
    row.actions = ["warn"]
    row.save()
    return [row.pk]


def decision(scene: Scene) -> dict[str, Any]:
    return {"case": case(scene), "actions": ["fine"]}


def restart(scene: Scene) -> list[Any]:
    return ["restart_server"]


def review(scene: Scene) -> list[Any]:
    """The editor asked the viewer."""
    return [ask(scene.image, scene.people["editor"], [scene.people["viewer"]]).pk]


ASKED = dict.fromkeys(PEOPLE, GONE) | {"anonymous": OUT, "viewer": IN}


def asks(scene: Scene) -> dict[str, Any]:
    return {"person": [Membership.objects.get(user__email="colleague@example.com", workspace=scene.team).user_id]}


def edited(scene: Scene) -> list[Any]:
    """A result of the team's picture."""
    return [made_from(scene).pk]


def made_from(scene: Scene) -> Image:
    editor = scene.people["editor"]
    job = make_job(editor, scene.image, state="succeeded", allowance="taken", finished_at=timezone.now())
    made = {"workspace": scene.team, "kind": "generated", "job": job, "root": scene.image}
    return make_image(editor, stored=True, **made)


def proposes(scene: Scene) -> dict[str, Any]:
    return asks(scene) | {"replaces": scene.image.pk}


def proposal(scene: Scene) -> list[Any]:
    asked = [scene.people["viewer"]]
    return [ask(made_from(scene), scene.people["editor"], asked, replaces=scene.image).pk]


def replacement(scene: Scene) -> list[Any]:
    """The editor decided it."""
    made = put_in_place(scene.image, made_from(scene), scene.people["editor"])
    assert made is not None
    return [made.pk]


def admins_replacement(scene: Scene) -> list[Any]:
    made = put_in_place(scene.image, made_from(scene), scene.people["admin"])
    assert made is not None
    return [made.pk]


def rejected(scene: Scene) -> list[Any]:
    decide(scene.image, by=scene.people["admin"], approves=False, why="Hidden words")
    return [scene.image.pk]


def culling(scene: Scene) -> list[Any]:
    """The editor goes through one picture."""
    return [begin_culling(scene.people["editor"], scene.team, "Hidden", [scene.image.pk]).pk]


def server_order(scene: Scene) -> list[Any]:
    """To the flux server, by somebody of the staff."""
    known = ServerOrder.objects.going_on().first()
    return [(known or begin(make_person("operator"), OrderKind.RESTART, uuid4().hex, "Hidden reason.")).pk]


def share(scene: Scene) -> list[Any]:
    """The editor's link to the team's picture, which lets nobody download, comment or decide."""
    return [made_share(scene, "editor").pk]


def owners_share(scene: Scene) -> list[Any]:
    return [made_share(scene, "owner").pk]


def token(scene: Scene) -> list[Any]:
    return [made_share(scene, "editor").token]


def shared(scene: Scene) -> list[Any]:
    return [*token(scene), scene.image.pk]


def made_share(scene: Scene, who: str) -> Share:
    made_by = scene.people[who]
    return Share.objects.create(workspace=scene.team, made_by=made_by, kind="picture", image=scene.image)


def told(scene: Scene) -> list[Any]:
    """The editor, of the team's picture."""
    told = {"workspace": scene.team, "image": scene.image, "by": scene.people["owner"]}
    tell(scene.people["editor"], About.COMMENT, f"image:{scene.image.pk}", "Hidden words", **told)
    return [Notification.objects.get(person=scene.people["editor"]).pk]


def ends_mails(scene: Scene) -> list[Any]:
    return [unsubscribing.address_for(scene.people["editor"], [About.COMMENT]).rstrip("/").rsplit("/", 1)[1]]


ADDRESSES: dict[str, list[Address]] = {
    "studio": [Address(ANYONE)],
    "studio_image": [
        Address(SEE, args=image),
        Address(SEE, args=image, query=lambda scene: f"?edit={scene.job.pk}"),
        Address(SEE, args=image, query=lambda scene: f"?reuse={scene.job.pk}"),
        Address(SEE, args=image, query=lambda scene: f"?second={scene.image.pk}"),
        Address(SEE, args=image, query=lambda scene: f"?reuse={scene.job.pk}&what=seed"),
        Address(SEE, args=image, query=lambda scene: f"?against={scene.image.pk}"),
        Address(SEE, args=image, query=with_recipe(shared=True)),
        Address(MAKER, args=image, query=with_recipe(shared=False)),
    ],
    "studio_recipes": [Address(SEE, args=image)],
    "studio_pick": [Address(SEE, args=image)],
    "studio_words": [Address(SIGNED_IN)],
    "studio_suggestions": [
        Address(SIGNED_IN, query=lambda scene: "?q=make+it"),
        Address(SEE, query=lambda scene: f"?q=make+it&workspace={scene.team.pk}"),
    ],
    "sample_use": [
        Address(SIGNED_IN, "post", args=lambda scene: ["cat"]),
        Address(
            EDIT,
            "post",
            lambda scene: ["cat"],
            body=lambda scene: {"workspace": scene.team.pk},
            refused={"viewer": 403},
        ),
    ],
    "image_upload": [
        Address(
            EDIT,
            "post",
            body=lambda scene: {
                "workspace": scene.team.pk,
                "file": (settings.BASE_DIR / "static/samples/cat.jpg").open("rb"),
            },
            refused={"viewer": 403},
        )
    ],
    "image_states": [Address(SIGNED_IN, query=lambda scene: f"?id={scene.image.pk}")],  # strangers get an empty answer
    "image_state": [Address(SEE, args=image)],
    "image_trash": [Address(EDIT, "post", image)],
    "image_restore": [Address(EDIT, "post", lambda scene: [scene.trashed.pk])],
    "image_rendition": [Address(BYTES, args=lambda scene: [scene.image.pk, 320])],
    "image_master": [Address(BYTES, args=image)],
    "image_change": [Address(BYTES, args=compared)],
    "image_change_ask": [Address(SEE, "post", compared)],
    "trash": [Address(SIGNED_IN)],
    "edit_create": [
        Address(EDIT, "post", body=edit_of),
        Address(EDIT, "post", body=merge_with, refused={"editor": 422, "admin": 422, "owner": 422}),
    ],
    "edit": [Address(SEE, args=job)],
    "edit_tile": [Address(SEE, args=job)],
    "edit_trash": [Address(EDIT, "post", job), Address(EDIT, "post", job, body=lambda scene: {"branch": "1"})],
    "edit_cancel": [Address(MAKER, "post", lambda scene: [scene.waiting.pk])],
    "edit_send_again": [Address(MAKER, "post", job)],
    "edit_let_go": [Address(MAKER, "post", job)],
    "edit_variations": [
        Address(EDIT, args=job),
        Address(EDIT, "post", job, body=lambda scene: {"what": "seed", "seed_0": "1", "form_token": uuid4().hex}),
    ],
    "variations": [Address(SEE, args=varied)],
    "edit_compare": [
        Address(SEE, query=lambda scene: f"?a={scene.job.pk}"),
        Address(SEE, query=lambda scene: f"?a={scene.job.pk}&b={scene.waiting.pk}"),
    ],
    "edit_run_again": [Address(EDIT, "post", job, body=lambda scene: {"form_token": uuid4().hex})],
    "edits_left": [Address(SIGNED_IN)],
    "live_pass": [Address(SIGNED_IN)],
    "library": [
        Address(SIGNED_IN),
        Address(SIGNED_IN, query=lambda scene: f"?collection={scene.collection.pk}&who={scene.people['owner'].pk}"),
    ],
    "workspace_library": [Address(SEE, args=team), Address(SEE, args=team, query=lambda scene: "?q=coffee&tag=red")],
    "library_filters": [Address(SEE, args=team)],
    "library_names": [Address(SEE, args=team)],
    "selection_tag": [
        Address(EDIT, "post", team, body=chosen),
        Address(EDIT, "post", team, body=lambda scene: chosen(scene) | {"remove": "1"}),
    ],
    "selection_collect": [Address(EDIT, "post", team, body=chosen)],
    "selection_favourite": [Address(SEE, "post", team, body=chosen)],
    "selection_trash": [Address(EDIT, "post", team, body=chosen)],
    "selection_restore": [Address(EDIT, "post", team, query=lambda scene: "?at=0")],
    "selection_move": [
        Address(EDIT, "post", team, body=chosen),
        Address(NOT_THEIRS, "post", team, body=lambda scene: chosen(scene) | {"to": scene.foreign.pk}),
    ],
    "selection_copy": [
        Address(EDIT, "post", team, body=chosen),
        Address(NOT_THEIRS, "post", team, body=lambda scene: chosen(scene) | {"to": scene.foreign.pk}),
    ],
    "selection_zip": [
        Address(BYTES, "post", team, body=chosen),
        Address(BYTES, "post", team, body=lambda scene: chosen(scene) | {"format": "webp"}),
    ],
    "selection_download": [Address(SEE, "post", team, body=chosen)],
    "collections": [Address(SEE, args=team), Address(EDIT, "post", team, body=lambda scene: {"name": "New"})],
    "collection": [Address(SEE, args=collection)],
    "collection_rename": [Address(EDIT, "post", collection, body=lambda scene: {"name": "Other"})],
    "collection_delete": [Address(EDIT, "post", collection)],
    "collection_take_out": [Address(EDIT, "post", collection, body=chosen)],
    "collection_zip": [
        Address(BYTES, args=collection),
        Address(BYTES, args=collection, query=with_preset),
    ],
    "collection_download": [Address(SEE, args=collection)],
    "tag_rename": [Address(EDIT, "post", team, body=lambda scene: {"old": "red", "new": "blue"})],
    "picture": [Address(SEE, args=image)],
    "picture_report": [Address(SEE, args=image), Address(SEE, "post", image, body=lambda scene: {"reason": "hate"})],
    "notices": [Address(SIGNED_IN), Address(SIGNED_IN, query=lambda scene: f"?before={notice(scene).pk}")],
    "notice_appeal": [
        Address(MAKER, args=lambda scene: [notice(scene).pk]),
        Address(MAKER, "post", lambda scene: [notice(scene).pk], body=lambda scene: {"words": "It was not me."}),
    ],
    "appeal_by_link": [
        Address(ANYONE, args=appeal_link),  # the link says who it is: it went to their address
        Address(NOBODY, args=lambda scene: ["no-such-token"]),
    ],
    "suspended": [Address(dict.fromkeys(PEOPLE, OUT))],
    "picture_download": [Address(SEE, args=image), Address(SEE, args=image, query=lambda scene: "?format=png")],
    "picture_export": [
        Address(BYTES, args=image),
        Address(BYTES, args=image, query=lambda scene: "?size=long&side=40&making=on"),
        Address(BYTES, args=image, query=with_preset),
    ],
    "preset_list": [Address(SEE, args=team), Address(EDIT, "post", team, body=lambda scene: PRESET_SAYS)],
    "preset": [Address(EDIT, args=preset), Address(EDIT, "post", preset, body=lambda scene: PRESET_SAYS)],
    "preset_delete": [Address(EDIT, "post", preset)],
    "preset_default": [Address(MANAGE, "post", preset), Address(MANAGE, "post", preset, body=lambda scene: {"off": 1})],
    "picture_words": [Address(EDIT, "post", image, body=lambda scene: {"name": "Other"})],
    "picture_comments": [
        Address(SEE, args=image),
        Address(SEE, "post", image, body=lambda scene: {"text": "Too dark"}),
        Address(SEE, "post", image, body=lambda scene: {"text": "Too dark", "thread": comment(scene)[0]}),
        Address(NOT_THEIRS, "post", image, body=lambda scene: {"text": "Too dark", "thread": uuid4()}),
    ],
    "comment_people": [Address(SEE, args=image, query=lambda scene: "?q=ed")],
    "comment": [Address(SEE, args=comment)],
    "comment_earlier": [Address(SEE, args=comment)],
    "comment_change": [Address(MAKER, "post", comment, body=lambda scene: {"text": "Too dark"})],
    "comment_delete": [Address(CHANGES_SHARED, "post", comment)],
    "comment_resolve": [Address(SEE, "post", comment, body=lambda scene: {"resolved": "1"})],
    "batch_list": [Address(SIGNED_IN)],
    "batch_new": [
        Address(SIGNED_IN),  # says where to choose
        Address(EDIT, "post", body=one_chosen),
        Address(EDIT, "post", body=lambda scene: one_chosen(scene) | {"prompt": "blue", "form_token": uuid4().hex}),
    ],
    "batch_preview": [Address(EDIT, "post", body=lambda scene: one_chosen(scene) | {"prompt": "{colour}"})],
    "batch": [Address(SEE, args=batch)],
    "batch_progress": [Address(SEE, args=batch, query=lambda scene: "?item=0.held")],
    "batch_cancel": [Address(MAKER, "post", batch)],
    "batch_again": [Address(MAKER, "post", batch)],
    "batch_look": [Address(MAKER, args=batch)],
    "batch_look_news": [Address(MAKER, args=batch, query=lambda scene: "?item=0.held")],
    "batch_decide": [Address(MAKER, "post", batch_item, body=lambda scene: {"what": "undo"})],
    "batch_order": [Address(MAKER, "post", batch, body=lambda scene: {"what": "pause"})],
    "batch_zip": [Address(BYTES, args=batch)],
    "batch_download": [Address(SEE, args=batch)],
    "recipe_list": [
        Address(SIGNED_IN),
        Address(SEE, query=lambda scene: f"?workspace={scene.team.pk}"),
        Address(SIGNED_IN, query=lambda scene: "?deleted=1&before=forged"),
    ],
    "recipe_new": [
        Address(SIGNED_IN),
        Address(EDIT, query=lambda scene: f"?edit={scene.job.pk}"),
        Address(EDIT, query=lambda scene: f"?edit={scene.job.pk}&path=1"),
        Address(SIGNED_IN, "post", body=into_team(recipe_says), refused=NOT_IN_TEAM),
    ],
    "recipe_import": [
        Address(SIGNED_IN),
        Address(SIGNED_IN, "post", body=into_team(recipe_file), refused=NOT_IN_TEAM),
    ],
    "recipe": [Address(MAKER, args=recipe), Address(SEE, args=shared_recipe)],
    "recipe_export": [Address(MAKER, args=recipe), Address(SEE, args=shared_recipe)],
    "recipe_change": [
        Address(MAKER, args=recipe),
        Address(CHANGES_SHARED, args=shared_recipe),
        Address(MAKER, "post", recipe, body=recipe_says),
        Address(CHANGES_SHARED, "post", shared_recipe, body=recipe_says),
    ],
    "recipe_duplicate": [Address(MAKER, "post", recipe), Address(SEE, "post", shared_recipe)],
    "recipe_share": [Address(MAKER, "post", recipe), Address(MAKER, "post", shared_recipe)],
    "recipe_delete": [Address(MAKER, "post", recipe), Address(CHANGES_SHARED, "post", shared_recipe)],
    "recipe_restore": [Address(MAKER, "post", recipe), Address(CHANGES_SHARED, "post", shared_recipe)],
    "recipe_take_back": [
        Address(MAKER, "post", lambda scene: [*recipe(scene), 1]),
        Address(CHANGES_SHARED, "post", lambda scene: [*shared_recipe(scene), 1]),
        Address(NOT_THEIRS, "post", lambda scene: [*recipe(scene), 2]),
    ],
    "history": [Address(SIGNED_IN)],
    "history_filters": [Address(SIGNED_IN)],
    "workspace_history_filters": [Address(SEE, args=team)],
    "saved_filter_new": [
        Address(SIGNED_IN, "post", body=lambda scene: {"name": "Cats", "query": "?q=cat"}),
        Address(SEE, "post", body=lambda scene: {"name": "Cats", "query": "?q=cat", "workspace": scene.team.pk}),
    ],
    "saved_filter_rename": [Address(MAKER, "post", saved_filter, body=lambda scene: {"name": "Dogs"})],
    "saved_filter_delete": [Address(MAKER, "post", saved_filter)],
    "edits_favourite": [Address(SEE, "post", body=chosen_edits)],
    "edits_collect": [Address(EDIT, "post", body=chosen_edits)],
    "edits_trash": [Address(EDIT, "post", body=chosen_edits)],
    "edits_restore": [Address(SIGNED_IN, "post", query=lambda scene: "?at=0")],  # only what is theirs is put back
    "edits_compare": [Address(SEE, "post", body=chosen_edits)],
    "edits_batch": [Address(EDIT, "post", body=chosen_edits)],
    "edits_download": [Address(SEE, "post", body=chosen_edits, refused=dict.fromkeys(PEOPLE[3:], 400))],
    "edits_zip": [Address(BYTES, "post", body=chosen_edits, refused=dict.fromkeys(PEOPLE[3:], 400))],  # no results
    "history_working": [Address(SIGNED_IN, query=lambda scene: f"?edit={scene.waiting.pk}.queued")],
    "library_upload": [
        Address(SIGNED_IN),
        Address(SIGNED_IN, query=lambda scene: f"?sent={scene.image.pk}"),  # strangers get a page that says nothing
        Address(SEE, query=lambda scene: f"?workspace={scene.team.pk}"),
    ],
    "picture_rights": [
        Address(EDIT, args=image),
        Address(EDIT, "post", image, body=lambda scene: {"licence": "own", "to_results": "on"}),
    ],
    "workspaces": [Address(SIGNED_IN), Address(SIGNED_IN, "post", body=lambda scene: {"name": "New"})],
    "workspace": [Address(SEE, args=team)],
    "workspace_open": [Address(SEE, "post", team)],
    "workspace_history": [Address(SEE, args=team), Address(SEE, args=team, query=lambda scene: "?before=forged")],
    "workspace_cover": [Address(MANAGE, "post", team, body=lambda scene: {"picture": scene.image.pk})],
    "workspace_rename": [Address(MANAGE, "post", team, body=lambda scene: {"name": "Other"})],
    "workspace_archive": [Address(OWN, "post", team)],
    "workspace_trash": [Address(OWN, "post", team)],
    "workspace_restore": [Address(NOBODY | {"anonymous": OUT}, "post", team)],  # it is not in the trash
    "workspace_leave": [Address(SEE, "post", team)],
    "member_role": [Address(MANAGE, "post", colleague, body=lambda scene: {"role": "viewer"})],
    "member_remove": [Address(MANAGE, "post", colleague)],
    "workspace_hand_over": [Address(OWN, "post", colleague)],
    "invitation_create": [
        Address(MANAGE, "post", team, body=lambda scene: {"role": "viewer", "days": 7, "uses_max": 1}),
        Address(MANAGE, "post", team, body=lambda scene: {"role": "viewer", "days": 7, "email": "x@example.com"}),
    ],
    "invitation_revoke": [Address(MANAGE, "post", lambda scene: [scene.team.pk, scene.invitation.pk])],
    "usage": [Address(SEE, args=team)],
    "usage_csv": [Address(SEE, args=team)],
    "member_limit": [Address(MANAGE, "post", colleague, body=lambda scene: {"pictures_per_month": 5})],
    "view_as_stop": [Address(SIGNED_IN, "post")],
    "mfa_index": [Address(SIGNED_IN)],
    # These ask for the password first, or are not there for somebody without a second factor.
    "mfa_authenticate": [Address(SIGNED_IN)],
    "mfa_reauthenticate": [Address(SIGNED_IN)],
    "mfa_activate_totp": [Address(SIGNED_IN), Address(SIGNED_IN, "post", body=lambda scene: {"code": "000000"})],
    "mfa_deactivate_totp": [Address(NOT_THEIRS)],
    "mfa_view_recovery_codes": [Address(NOT_THEIRS)],
    "mfa_generate_recovery_codes": [Address(SIGNED_IN)],
    "mfa_download_recovery_codes": [Address(NOT_THEIRS)],
    "account_export": [Address(SIGNED_IN)],
    "account_delete": [Address(SIGNED_IN), Address(SIGNED_IN, "post", body=lambda scene: {"email": "x"})],
    "join": [
        Address(ANYONE, args=lambda scene: [scene.invitation.token]),
        Address(NOBODY, args=lambda scene: ["no-such-invitation"]),
    ],
    "desk": [Address(NOT_THEIRS), Address(NOT_THEIRS, query=lambda scene: f"?person={scene.people['editor'].pk}")],
    "desk_next": [Address(NOT_THEIRS, "post")],
    "desk_done": [Address(NOT_THEIRS)],
    "desk_bulk": [Address(NOT_THEIRS, "post", body=decision)],
    "desk_case": [Address(NOT_THEIRS, args=case)],
    "desk_decide": [Address(NOT_THEIRS, "post", case, body=decision)],
    "desk_skip": [Address(NOT_THEIRS, "post", case)],
    "desk_picture": [Address(NOBODY, args=lambda scene: [*case(scene), scene.image.pk, 320])],
    "desk_decisions": [Address(NOT_THEIRS)],
    "desk_decision": [
        Address(NOT_THEIRS, args=decided),
        Address(NOT_THEIRS, "post", decided, body=decision),
    ],
    "desk_person": [Address(NOT_THEIRS, args=lambda scene: [scene.people["editor"].pk])],
    "operate": [Address(NOT_THEIRS)],
    "operate_flux": [Address(NOT_THEIRS)],
    "operate_flux_state": [Address(NOT_THEIRS)],
    "operate_flux_details": [Address(NOT_THEIRS)],
    "operate_flux_pause": [Address(NOT_THEIRS, "post", body=lambda scene: {"reason": "Mine."})],
    "operate_flux_resume": [Address(NOT_THEIRS, "post")],
    "operate_flux_ask": [Address(NOT_THEIRS, "post")],
    "operate_flux_limits": [Address(NOT_THEIRS, "post", body=lambda scene: {"outstanding": "1"})],
    "operate_flux_order": [
        Address(NOT_THEIRS, args=restart),
        Address(NOT_THEIRS, "post", restart, body=lambda scene: {"reason": "Mine.", "form_token": uuid4().hex}),
    ],
    "operate_flux_withdraw": [Address(NOT_THEIRS, "post", server_order)],
    "operate_flux_hurry": [Address(NOT_THEIRS, args=server_order), Address(NOT_THEIRS, "post", server_order)],
    "operate_flux_inbox": [Address(NOT_THEIRS), Address(NOT_THEIRS, "post", body=lambda scene: {"deploy_type": "a"})],
    "operate_flux_inbox_reset": [Address(NOT_THEIRS), Address(NOT_THEIRS, "post")],
    "operate_flux_inbox_contents": [Address(NOT_THEIRS)],
    "operate_storage": [Address(NOT_THEIRS)],
    "operate_storage_look": [Address(NOT_THEIRS, "post")],
    "operate_strays": [Address(NOT_THEIRS), Address(NOT_THEIRS, "post", body=lambda scene: {"round": 1})],
    "operate_rule_new": [Address(NOT_THEIRS), Address(NOT_THEIRS, "post", body=lambda scene: RULE_SAYS)],
    "operate_rule": [Address(NOT_THEIRS, args=rule), Address(NOT_THEIRS, "post", rule, body=lambda scene: RULE_SAYS)],
    "operate_rule_try": [Address(NOT_THEIRS, "post", rule)],
    "operate_rule_list": [Address(NOT_THEIRS, args=rule)],
    "operate_rule_csv": [Address(NOT_THEIRS, args=rule)],
    "operate_rule_switch": [Address(NOT_THEIRS, "post", rule, body=lambda scene: {"to": "remove"})],
    # Approval.
    # Proposals.
    "picture_propose": [
        Address(EDIT, args=edited),
        Address(EDIT, "post", edited, body=proposes),
        Address(MANAGE, "post", edited, body=lambda scene: proposes(scene) | {"at_once": "1"}),
    ],
    "review_change": [Address(BYTES, args=proposal)],
    "replacement_undo": [Address(CHANGES_SHARED, "post", replacement), Address(MANAGE, "post", admins_replacement)],
    "picture_approval": [Address(SEE, args=image)],
    "picture_review": [Address(EDIT, args=image), Address(EDIT, "post", image, body=asks)],
    "picture_decide": [
        Address(MANAGE, "post", image, body=lambda scene: {"what": "approve"}),
        Address(MANAGE, "post", image, body=lambda scene: {"what": "reject", "why": "Hidden words"}),
        Address(MANAGE, "post", image, body=lambda scene: {"what": "reopen"}),
        Address(EDIT, "post", rejected, body=lambda scene: {"what": "reopen"}),
    ],
    "picture_lock": [
        Address(MANAGE, "post", image),
        Address(MANAGE, "post", image, body=lambda scene: {"remove": "1"}),
    ],
    "reviews": [
        Address(SIGNED_IN),
        Address(SIGNED_IN, query=lambda scene: "?show=asked&before=forged"),
        Address(SEE, query=lambda scene: f"?show=open&workspace={scene.team.pk}"),
    ],
    "review": [Address(SEE, args=review)],
    "review_answer": [Address(ASKED, "post", review, body=lambda scene: {"what": "approve"})],
    "review_withdraw": [Address(CHANGES_SHARED, "post", review)],
    "cull": [
        Address(SEE, args=team),
        Address(SEE, "post", team, body=one_chosen),
        Address(SEE, "post", team, body=lambda scene: {"collection": scene.collection.pk}),
        Address(SEE, "post", team, body=lambda scene: {"from": "review"}),
    ],
    "culling": [Address(MAKER, args=culling)],
    "cull_decide": [
        Address(MAKER, "post", culling, body=lambda scene: {"what": "undo"}),
        Address(NOT_THEIRS, "post", culling, body=lambda scene: {"what": "approve"}),  # nobody asked the editor
    ],
    # Links for people outside: who makes and revokes them. What guests see stands in tests/sharing/test_matrix.py.
    "share_picture": [
        Address(EDIT, args=image),
        Address(EDIT, "post", image, body=lambda scene: {"lasts": "week", "form_token": uuid4().hex}),
    ],
    "share_collection": [
        Address(EDIT, args=collection),
        Address(EDIT, "post", collection, body=lambda scene: {"lasts": "never", "form_token": uuid4().hex}),
    ],
    "shares": [Address(EDIT, args=team), Address(EDIT, args=team, query=lambda scene: "?before=forged")],
    "share_revoke_all": [Address(MANAGE, "post", team)],
    "share_approved_only": [Address(MANAGE, "post", team, body=lambda scene: {"on": "on"})],
    "share": [
        Address(EDIT, args=share),
        Address(CHANGES_SHARED, "post", share, body=lambda scene: {"lasts": "day"}),
        Address(MANAGE, "post", owners_share, body=lambda scene: {"lasts": "day"}),
    ],
    "share_revoke": [Address(CHANGES_SHARED, "post", share), Address(MANAGE, "post", owners_share)],
    "shared": [Address(ANYONE, args=token), Address(NOBODY, args=lambda scene: ["no-such-link"])],
    "shared_unlock": [Address(ANYONE, "post", token), Address(NOBODY, "post", lambda scene: ["no-such-link"])],
    "shared_state": [Address(ANYONE, args=token)],
    "shared_picture": [Address(NOBODY, args=shared)],  # of a collection alone
    "shared_rendition": [Address(ANYONE, args=lambda scene: [*shared(scene), 320])],
    "shared_download": [Address(NOBODY, args=shared)],  # it does not say so
    "shared_comment": [Address(NOBODY, "post", shared)],
    "shared_decide": [Address(NOBODY, "post", shared)],
    "flux_webhook": [
        Address(NOBODY, "post", lambda scene: ["no-such-secret"], body=lambda scene: {"status": "success"}),
    ],
    "flux_source": [Address(NOBODY, args=lambda scene: ["no-such-token"])],
    "about": [Address(ANYONE)],
    "healthz": [Address(ANYONE)],
    "readyz": [Address(ANYONE)],
    "metrics": [Address(NOBODY)],  # there is no METRICS_TOKEN
}
# What people are told about the work of others.
ADDRESSES |= {
    "notifications": [Address(SIGNED_IN), Address(SIGNED_IN, query=lambda scene: f"?before={told(scene)[0]}")],
    "notifications_panel": [Address(SIGNED_IN)],
    "notifications_number": [Address(SIGNED_IN)],
    "notifications_read": [Address(SIGNED_IN, "post")],
    "notifications_choices": [
        Address(SIGNED_IN),
        Address(SIGNED_IN, "post", body=lambda scene: {"by_mail": ["mention"]}),
    ],
    "notifications_open": [Address(MAKER, args=told)],
    "unsubscribe": [
        Address(ANYONE, args=ends_mails),  # the link says who it is: it went to their address
        Address(ANYONE, "post", ends_mails),
        Address(NOBODY, "post", args=lambda scene: ["no-such-token"]),
    ],
    "activity": [Address(SEE, args=team), Address(SEE, args=team, query=lambda scene: "?before=forged")],
}
ROWS = [(name, number) for name, addresses in ADDRESSES.items() for number in range(len(addresses))]


def names_of(patterns: list[URLPattern | URLResolver]) -> set[str]:
    """The names of all addresses, but for those of the administration and of allauth, which have tests of their own."""
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace is None and not str(pattern.pattern).startswith("accounts"):
                found |= names_of(pattern.url_patterns)
        elif pattern.name:
            found.add(pattern.name)
    return found


def test_every_address_has_an_answer() -> None:
    ours = names_of(get_resolver("editor.urls").url_patterns) | names_of(get_resolver("allauth.mfa.urls").url_patterns)
    assert ours == set(ADDRESSES)


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("name", "number"), ROWS, ids=[f"{name}-{number}" for name, number in ROWS])
def test_matrix(name: str, number: int, who: str, scene: Scene) -> None:
    address = ADDRESSES[name][number]
    client = Client() if who == "anonymous" else client_of(scene.people[who])
    path = reverse(name, args=address.args(scene)) + address.query(scene)
    response = getattr(client, address.method)(path, address.body(scene) if address.method == "post" else None)
    if response.streaming:  # to its end: closing it would take the connection, and the scene, along
        list(response)
    assert answer_of(response, address.refused.get(who)) == (IN if who in address.refused else address.rule[who])


def answer_of(response: HttpResponseBase, sentence: int | None) -> str:
    if response.status_code == 302 and response["Location"].startswith(reverse("account_login")):
        return OUT
    if response.status_code == 404:
        return GONE
    assert response.status_code == sentence or (sentence is None and response.status_code in {200, 204, 302})
    return IN


@pytest.mark.parametrize("who", ["stranger", "former"])
def test_states_and_uploads_say_nothing_of_the_teams_pictures(who: str, scene: Scene) -> None:
    client = client_of(scene.people[who])
    assert client.get(reverse("image_states"), {"id": str(scene.image.pk)}).json() == {}
    assert scene.image.name not in client.get(reverse("library_upload"), {"sent": str(scene.image.pk)}).content.decode()


@pytest.mark.parametrize("who", ["stranger", "former"])
def test_lists_hold_nothing_of_the_team(who: str, scene: Scene) -> None:
    client = client_of(scene.people[who])
    for name in ("studio", "library", "history", "trash", "workspaces"):
        page = client.get(reverse(name)).content.decode()
        assert str(scene.image.pk) not in page
        assert str(scene.team.pk) not in page
        assert not re.search(r">\s*Team\s*<", page)


@pytest.mark.parametrize("who", ["stranger", "former"])
def test_second_picture_of_the_team_is_not_there_for_a_source_of_ones_own(who: str, scene: Scene) -> None:
    own = make_image(scene.people[who])
    body = edit_of(scene) | {"source": own.pk, "second": scene.image.pk}
    assert client_of(scene.people[who]).post(reverse("edit_create"), body).status_code == 404
    page = client_of(scene.people[who]).get(reverse("studio_image", args=[own.pk]) + f"?second={scene.image.pk}")
    assert f"/images/{scene.image.pk}/" not in page.content.decode()


def test_former_member_may_not_even_cancel_what_they_made(scene: Scene) -> None:
    scene.team.remove(scene.member("editor"))
    client = client_of(scene.people["editor"])
    assert client.post(reverse("edit_cancel", args=[scene.waiting.pk])).status_code == 404
    assert client.get(reverse("image_master", args=[scene.image.pk])).status_code == 404


@pytest.mark.parametrize("who", ["stranger", "former"])
def test_preset_of_the_team_is_not_there_for_a_picture_of_ones_own(who: str, scene: Scene) -> None:
    own = make_image(scene.people[who], stored=True)
    client = client_of(scene.people[who])
    assert client.get(reverse("picture_export", args=[own.pk]) + with_preset(scene)).status_code == 404
    page = client.get(reverse("picture_download", args=[own.pk]))
    assert "Hidden preset" not in page.content.decode()


def test_trashed_workspace_is_there_for_nobody(scene: Scene) -> None:
    scene.team.trash()
    for who in ("viewer", "editor", "owner"):
        client = client_of(scene.people[who])
        assert client.get(reverse("studio_image", args=[scene.image.pk])).status_code == 404
        assert client.get(reverse("image_master", args=[scene.image.pk])).status_code == 404
        assert client.get(reverse("edit", args=[scene.job.pk])).status_code == 404
        assert client.get(reverse("workspace", args=[scene.team.pk])).status_code == 404
    assert client_of(scene.people["admin"]).post(reverse("workspace_restore", args=[scene.team.pk])).status_code == 404
    assert client_of(scene.people["owner"]).post(reverse("workspace_restore", args=[scene.team.pk])).status_code == 302


def test_nothing_changes_in_an_archived_workspace(scene: Scene) -> None:
    scene.team.archive()
    client = client_of(scene.people["editor"])
    assert client.get(reverse("studio_image", args=[scene.image.pk])).status_code == 200
    assert client.post(reverse("edit_create"), edit_of(scene)).status_code == 409
    assert client.post(reverse("image_trash", args=[scene.image.pk])).status_code == 409
    assert client.post(reverse("sample_use", args=["cat"]), {"workspace": scene.team.pk}).status_code == 403
    assert not Image.objects.filter(pk=scene.image.pk, trashed_at__isnull=False).exists()


def test_document_says_the_same_as_the_code() -> None:
    text = (settings.BASE_DIR / "docs/roles.md").read_text()
    rows = re.findall(r"^\| .+? \| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    said = {
        role: {Right(right) for right, *marks in rows if marks[number].strip() == "yes"}
        for number, role in enumerate(Role)
    }
    assert said == RIGHTS
