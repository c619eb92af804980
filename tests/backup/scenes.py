"""A portal with something in nearly every table, emptying it, and what is in it, read without the code under test."""

from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.management import call_command
from django.utils import timezone

from editor.accounts.roles import OPERATOR
from editor.accounts.second_factor import SecondFactorAdapter
from editor.images import bucket, keys, quarantine
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft, save
from editor.library.shelves import add_tags, collect, new_collection
from editor.library.words import index_words
from editor.models import (
    About,
    Cause,
    Favourite,
    Image,
    ImageState,
    MailedSubject,
    PromptRule,
    SavedFilter,
    ToldBy,
    User,
    WebhookEvent,
    Workspace,
)
from editor.moderation import audit
from editor.moderation.cases import open_case
from editor.notifications import tell
from project.embedded import s3
from tests.conftest import Bucket
from tests.makers import jpeg, make_attempt, make_change, make_image, make_job
from tests.people import make_person
from tests.staff.roles import give_role

DONE = {"state": "succeeded", "allowance": "taken", "due_at": None}


def make_portal() -> User:
    """Returns alice, to whom most of it belongs."""
    alice, operator = make_person("alice"), give_role(make_person("olga"), OPERATOR)
    team = Workspace.objects.found(alice, "Größe & Co")
    upload = make_image(alice, workspace=team, stored=True, name="Käse 🧀.jpg", init_crop=[0, 8, 320, 248])
    job = make_job(alice, upload, prompt="make it\n“bright”", finished_at=timezone.now(), **DONE)
    result = make_image(alice, workspace=team, stored=True, kind="generated", job=job, root=upload)
    make_change(result)
    attempt = make_attempt(job, answer={"b": [1, 2.5, None], "a": "ü", "long": 1}, state="ended")
    WebhookEvent.objects.create(attempt=attempt, status="success", body={"id": 1})
    make_job(alice, upload, result)
    Workspace.objects.filter(pk=team.pk).update(cover=result, money_per_month="12.50")
    User.objects.filter(pk=alice.pk).update(last_workspace=team)
    index_words(upload, result)
    add_tags(team, [upload], ["spring"])
    collect(alice, new_collection(alice, team, "Best"), [result])
    Favourite.objects.create(user=alice, image=result, image_created_at=result.created_at)
    SavedFilter.objects.create(user=alice, name="cats", query="?q=cat")
    save(alice, team, Draft("Größer", [EditSpec("make it {colour} “bright”", strength=0.35)], True, result), "form")
    PromptRule.objects.create(name="Weapons", text="gun")
    Authenticator.objects.create(
        user=operator, type="totp", data={"secret": SecondFactorAdapter().encrypt("JBSWY3DPEHPK3PXP")}
    )
    open_case(Cause.REPORT, alice, image=upload)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=operator, content_type=kind, object_id="1", action_flag=CHANGE, change_message="[]")
    for number in range(3):
        audit.record(operator, "limits.changed", upload, "Worte", number=number)
    make_told(alice, operator, upload)
    make_removed(alice)
    make_image(alice, stored=True, trashed_at=timezone.now() - timedelta(days=3))
    make_image(alice, purged_at=timezone.now(), trashed_at=timezone.now())
    make_waiting(alice)
    return alice


def make_told(person: User, by: User, image: Image) -> None:
    """By somebody who commented, once mailed and with a choice."""
    about = {"by": by, "workspace": image.workspace, "image": image}
    tell(person, About.MENTION, f"image:{image.pk}", "Olga mentioned you on “Käse 🧀.jpg”", **about)
    MailedSubject.objects.create(person=person, subject=f"image:{image.pk}", at=timezone.now())
    ToldBy.objects.create(person=person, about=About.COMMENT, by_mail=False)


def make_removed(user: User) -> Image:
    """A picture whose bytes lie in quarantine."""
    image = make_image(user, stored=True, trashed_at=timezone.now(), removed_at=timezone.now())
    make_change(image)
    assert quarantine.settle(image)
    return image


def make_waiting(user: User) -> Image:
    """An upload that no worker has looked at yet."""
    image = make_image(user, state=ImageState.RECEIVED, due_at=timezone.now())
    bucket.put(keys.raw_key(image.pk), jpeg(), "application/octet-stream")
    return image


def empty(bucket: Bucket) -> None:
    """A portal that was migrated and has seen nobody, and an empty bucket."""
    call_command("flush", interactive=False, verbosity=0)
    s3.empty_bucket(bucket.client, bucket.name)


def rows_there() -> dict[str, list[Any]]:
    """All rows of all tables but sessions, as Django itself shows them."""
    return {
        model._meta.label: list(serializers.serialize("python", model._base_manager.order_by("pk")))
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.label != "sessions.Session"
    }


def objects_there(bucket: Bucket) -> dict[str, tuple[bytes, str]]:
    """All objects: their bytes and types."""
    found = {}
    for key in bucket.keys():  # noqa: SIM118  no dictionary
        answer = bucket.client.get_object(Bucket=bucket.name, Key=key)
        with closing(answer["Body"]) as body:
            found[key] = body.read(), answer["ContentType"]
    return found


def make_first_administrator() -> User:
    """As a first start does."""
    user = User.objects.create_superuser(f"admin{uuid4().hex}@example.com", "a password of the first start")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    Workspace.objects.personal_of(user)
    return user
