"""Every address of the administration, the desk and the operation × everybody who may come, from the URL configuration.

A new address without an answer here turns the test red. The roles are compared with `docs/staff.md`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from editor.accounts.roles import ADMINISTRATOR, MODERATOR, OPERATOR, ROLES, keep_roles
from editor.jobs.server_orders import begin
from editor.models import (
    Action,
    AllowanceEntry,
    Decision,
    FluxServer,
    Invitation,
    PromptRule,
    RetentionRule,
    ServerOrder,
    Setting,
    User,
    WebhookEvent,
)
from editor.models.moderation import Cause
from editor.models.server_orders import OrderKind
from editor.moderation import audit
from editor.moderation.cases import open_case
from tests.makers import make_attempt, make_image, make_job
from tests.people import client_of, make_person, quick_passwords
from tests.staff.roles import give_role

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db

PEOPLE = ("anonymous", "person", "moderator", "operator", "administrator", "superuser")
IN, OUT, NO, GONE = "ok", "sign in", "403", "404"
STAFF = PEOPLE[2:]

# What staff may do with rows in the administration: v(iew), a(dd), c(hange), d(elete). Superusers are told of apart,
# since some rows are changed by nobody.
MODELS: dict[str, tuple[str, dict[str, str]]] = {
    "editor.allowanceentry": ("v", {"administrator": "v"}),
    "editor.attempt": ("v", {"operator": "v"}),
    "editor.auditentry": ("v", {"administrator": "v"}),
    "editor.decision": ("v", {"moderator": "v"}),
    "editor.fluxserver": ("vc", {"operator": "vc"}),
    "editor.generationjob": ("v", {"moderator": "v", "operator": "v"}),
    "editor.image": ("v", {"moderator": "v"}),
    "editor.invitation": ("vacd", {"administrator": "vacd"}),
    "editor.moderationcase": ("v", {"moderator": "v"}),
    "editor.promptrule": ("vacd", {"moderator": "vac", "administrator": "vac"}),
    "editor.setting": ("vc", {"administrator": "vc"}),
    "editor.user": ("vac", {"administrator": "vac"}),
    "editor.webhookevent": ("v", {"operator": "v"}),
    "editor.workspace": ("vac", {"administrator": "vc"}),
    "auth.group": ("vacd", {}),
}
OPERATORS = ("operator", "superuser")
QUEUE_PAGES = "admin/django_rq/"
AREAS = ("admin/", "desk/", "operate/")


@dataclass
class Scene:
    people: dict[str, User]
    rows: dict[str, Any]

    def pk(self, model: str) -> Any:
        return self.rows[model].pk


@pytest.fixture
def scene(quick_passwords: None) -> Scene:
    people = {"person": make_person("person"), "superuser": make_person("superuser", superuser=True)}
    for name in (MODERATOR, OPERATOR, ADMINISTRATOR):
        people[name.lower()] = give_role(make_person(name.lower()), name)
    maker = make_person("maker")
    image = make_image(maker, stored=True)
    job = make_job(maker, image, due_at=None)
    case = open_case(Cause.REPORT, maker, image=image)
    # At the desk a case that somebody decided about already.
    decided = open_case(Cause.FLAGGED, maker, image=image)
    decision = Decision.objects.create(
        case=decided, moderator=people["superuser"], cause=decided.cause, person=maker, actions=[Action.FINE.value]
    )
    attempt = make_attempt(job)
    rows = {
        "editor.allowanceentry": AllowanceEntry.objects.create(
            job=job, workspace=job.workspace, user=maker, kind="held", month=date(2026, 1, 1), pictures=1, money=0
        ),
        "editor.attempt": attempt,
        "editor.auditentry": audit.record(None, "limits.changed"),
        "editor.decision": decision,
        "editor.fluxserver": FluxServer.objects.current(),
        "editor.generationjob": job,
        "editor.image": image,
        "editor.invitation": Invitation.objects.create(email="dora@example.com", invited_by=people["superuser"]),
        "editor.moderationcase": case,
        "editor.promptrule": PromptRule.objects.create(name="Weapons", text="gun"),
        "editor.retentionrule": RetentionRule.objects.create(
            what="results", days=90, made_by=maker, tried_at=timezone.now()
        ),
        "editor.setting": Setting.objects.create(name="EDITS_PER_DAY"),
        "editor.user": maker,
        "editor.webhookevent": WebhookEvent.objects.create(attempt=attempt, status="success", body={}),
        "editor.workspace": image.workspace,
        "auth.group": Group.objects.create(name="Friends"),
    }
    return Scene(people, rows)


@dataclass
class Address:
    """Who gets in; what the rest of the staff gets, and what everybody else."""

    to: tuple[str, ...]
    method: str = "get"
    args: Callable[[Scene], list[Any]] = lambda scene: []
    query: str = ""
    staff: str = NO
    person: str = NO
    anonymous: str = OUT
    allowed: set[int] = field(default_factory=lambda: {200, 302})


def of(model: str) -> Callable[[Scene], list[Any]]:
    return lambda scene: [scene.pk(model)]


def who(model: str, letter: str) -> tuple[str, ...]:
    superuser, others = MODELS[model]
    return tuple(name for name in STAFF if letter in (superuser if name == "superuser" else others.get(name, "")))


def rows_of_models() -> Iterator[tuple[str, Address]]:
    for model in MODELS:
        name = "admin:" + model.replace(".", "_")
        yield f"{name}_changelist", Address(who(model, "v"))
        yield f"{name}_add", Address(who(model, "a"))
        for page, letter in (("change", "v"), ("history", "v"), ("delete", "d")):
            yield f"{name}_{page}", Address(who(model, letter), args=of(model))


PEOPLES = ("administrator", "superuser")
PERSON = of("editor.user")
DESK = ("moderator", "superuser")


def desk(method: str = "get", args: Callable[[Scene], list[Any]] = lambda scene: []) -> Address:
    """It is not there for those who don't decide."""
    return Address(DESK, method, args, staff=GONE, person=GONE, allowed={200, 204, 302, 409, 422})


def operation(method: str = "get", args: Callable[[Scene], list[Any]] = lambda scene: []) -> Address:
    """It is not there for those who don't run the portal."""
    return Address(OPERATORS, method, args, staff=GONE, person=GONE, allowed={200, 302, 409, 422})


CASE = of("editor.moderationcase")
RULE = of("editor.retentionrule")


def order(scene: Scene) -> list[Any]:
    """One to the flux server that goes on; at most one does."""
    going_on = ServerOrder.objects.going_on().first()
    return [(going_on or begin(scene.people["superuser"], OrderKind.RESTART, "of the matrix", "Slow.")).pk]


ADDRESSES: dict[str, Address] = {
    **dict(rows_of_models()),
    "admin:index": Address(STAFF),
    "admin:login": Address(STAFF),
    "admin:logout": Address(PEOPLE, "post"),
    "admin:password_change": Address(PEOPLE),
    "admin:password_change_done": Address(STAFF),
    "admin:autocomplete": Address(
        PEOPLES, query="?app_label=editor&model_name=membership&field_name=user&term=a"
    ),
    "admin:jsi18n": Address(STAFF),
    "admin:view_on_site": Address((), args=lambda scene: [0, 1], staff=GONE, person=GONE, anonymous=GONE),
    "admin:app_list": Address(STAFF, args=lambda scene: ["editor"]),
    "admin:editor_auditentry_export": Address(PEOPLES, "post", lambda scene: ["csv"]),
    "admin:editor_promptrule_try": Address(("moderator", "administrator", "superuser")),
    "admin:editor_user_view_as": Address(PEOPLES, "post", PERSON),
    "admin:editor_user_sign_out": Address(PEOPLES, "post", PERSON),
    "admin:editor_user_suspend": Address(PEOPLES, "post", PERSON),
    "admin:editor_user_reinstate": Address(PEOPLES, "post", PERSON),
    "admin_image": Address(
        ("moderator", "superuser"), args=lambda scene: [scene.pk("editor.image"), 320], staff=GONE, person=GONE,
        anonymous=GONE,
    ),
    "admin_sensitive_image": Address(
        ("moderator", "superuser"), args=of("editor.image"), staff=GONE, person=GONE, anonymous=GONE
    ),
    "desk": desk(),
    "desk_next": desk("post"),
    "desk_done": desk(),
    "desk_bulk": desk("post"),
    "desk_case": desk(args=CASE),
    "desk_decide": desk("post", CASE),
    "desk_skip": desk("post", CASE),
    "desk_picture": Address(
        DESK,
        args=lambda scene: [scene.pk("editor.moderationcase"), scene.pk("editor.image"), 320],
        staff=GONE,
        person=GONE,
        anonymous=GONE,
    ),
    "desk_decisions": desk(),
    "desk_decision": desk(args=of("editor.decision")),
    "desk_person": desk(args=PERSON),
    "operate": operation(),
    "operate_flux": operation(),
    "operate_flux_state": operation(),
    "operate_flux_details": operation(),
    "operate_flux_pause": operation("post"),
    "operate_flux_resume": operation("post"),
    "operate_flux_ask": operation("post"),
    "operate_flux_limits": operation("post"),
    "operate_flux_order": operation("post", lambda scene: ["restart_server"]),
    "operate_flux_withdraw": operation("post", order),
    "operate_flux_hurry": operation("post", order),
    "operate_flux_inbox": operation("post"),
    "operate_flux_inbox_reset": operation(),
    "operate_flux_inbox_contents": operation(),
    "operate_storage": operation(),
    "operate_storage_look": operation("post"),
    "operate_strays": operation(),
    "operate_rule_new": operation(),
    "operate_rule": operation(args=RULE),
    "operate_rule_try": operation("post", RULE),
    "operate_rule_list": operation(args=RULE),
    "operate_rule_csv": operation(args=RULE),
    "operate_rule_switch": operation("post", RULE),
}  # fmt: skip


def addresses(patterns: list[Any], prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str]]:
    """All addresses: their names, with namespaces, and how they look."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = f"{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, path, inside)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name or ''}", path


def ours() -> dict[str, str]:
    """Those of the staff, but for the queues, whose names RQ gives, and the doors before them."""
    return {
        name: path
        for name, path in addresses(get_resolver().url_patterns)
        if name not in {"", "admin:"} and path.startswith(AREAS) and not path.startswith(QUEUE_PAGES)
    }


def test_every_address_has_an_answer() -> None:
    assert set(ours()) == set(ADDRESSES)


def test_every_registered_model_has_an_answer() -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered - {"django_rq.dashboard"} == set(MODELS)


def client_for(scene: Scene, name: str) -> Client:
    return Client() if name == "anonymous" else client_of(scene.people[name])


@pytest.mark.parametrize("visitor", PEOPLE)
def test_matrix(visitor: str, scene: Scene) -> None:
    """One scene for all addresses: what one of them changes is taken back before the next."""
    client = client_for(scene, visitor)
    answers = {}
    for name, address in ADDRESSES.items():
        path = reverse(name, args=address.args(scene)) + address.query
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        with transaction.atomic():
            response = getattr(client, address.method)(path, follow=name == "admin:login")
            if response.streaming:  # to its end: closing it would take the connection, and this transaction, along
                list(response)
            transaction.set_rollback(True)
        client.cookies = SimpleCookie(cookies)
        answers[name] = answer_of(response, address)
    assert answers == {name: expected(address, visitor) for name, address in ADDRESSES.items()}


def expected(address: Address, visitor: str) -> str:
    if visitor in address.to:
        return IN
    return {"anonymous": address.anonymous, "person": address.person}.get(visitor, address.staff)


def answer_of(response: HttpResponseBase, address: Address) -> str:
    """A person who is no staff is led to the door of the administration, which says no."""
    leads = response.headers.get("Location", "")
    asks = [url for url, _ in getattr(response, "redirect_chain", [])] + [leads]
    if any(url.startswith("/account/login/") for url in asks) and address.to != PEOPLE:
        return OUT
    if leads.startswith("/admin/login/"):
        return OUT if not response.wsgi_request.user.is_authenticated else NO  # type: ignore[attr-defined]
    if response.status_code in {403, 404}:
        return str(response.status_code)
    assert response.status_code in address.allowed, response.status_code
    return IN


@pytest.mark.parametrize("visitor", PEOPLE)
def test_queues_are_for_operators_and_superusers(visitor: str, scene: Scene) -> None:
    names = {path for name, path in addresses(get_resolver().url_patterns) if path.startswith(QUEUE_PAGES)}
    assert len(names) > 10
    for address in ("/admin/django_rq/dashboard/", reverse("admin:django_rq_home")):
        response = client_for(scene, visitor).get(address)
        if visitor in OPERATORS:
            assert response.status_code in {200, 302}
        elif visitor in STAFF:
            assert response.status_code in {403, 404}
        else:
            assert response.status_code == 404 or response["Location"].startswith("/admin/login/")


def test_roles_are_made_and_kept() -> None:
    role = Group.objects.get(name=MODERATOR)
    role.permissions.set(Permission.objects.all()[:50])
    Group.objects.get(name=OPERATOR).delete()
    keep_roles(apps.get_app_config("editor"))
    kept = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.filter(name__in=ROLES)
    }
    assert kept == ROLES


def test_document_says_the_same_as_the_code() -> None:
    text = (settings.BASE_DIR / "docs/staff.md").read_text()
    rows = re.findall(r"^\| .+? \| ((?:`\w+`(?:, )?)+) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    said: dict[str, set[str]] = {name: set() for name in ROLES}
    for codenames, *marks in rows:
        for name, mark in zip(ROLES, marks, strict=True):
            said[name] |= set(re.findall(r"`(\w+)`", codenames)) if mark.strip() == "yes" else set()
    assert said == ROLES
