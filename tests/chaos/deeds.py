"""What people do in the middle of it all, and what strangers claim at the webhook's door."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import requests
from django.contrib.auth.models import Permission

from editor.accounts.leaving import delete_account
from editor.desk import decisions, suspension
from editor.jobs import control
from editor.models import Action, Attempt, Cause, GenerationJob, Image, JobState, User
from editor.models.jobs import WITH_VENDOR
from editor.moderation.cases import open_case
from tests.chaos.faults import Field, fault
from tests.people import make_person


def moderator() -> User:
    """Somebody who may decide; one is enough for all rounds."""
    known = User.objects.filter(email__startswith="chaos-moderator").first()
    user = known or make_person("chaos-moderator")
    user.user_permissions.add(Permission.objects.get(codename="moderate", content_type__app_label="editor"))
    return user


def unfinished(here: Field, *states: str) -> list[GenerationJob]:
    """The edits of this round that are under way, in these states."""
    jobs = GenerationJob.objects.unfinished().filter(made_by__in=here.crowd.people)
    return list(jobs.filter(state__in=states) if states else jobs)


def _canceled(states: tuple[str, ...], here: Field) -> Iterator[None]:
    jobs = unfinished(here, *states)
    if jobs:
        job = here.rng.choice(jobs)
        here.crowd.press(job.made_by, job.pk, "cancel")
    yield


for _state in (JobState.QUEUED, *sorted(WITH_VENDOR)):
    fault(f"canceled while {_state}")(partial(_canceled, (_state,)))
fault("canceled")(partial(_canceled, ()))


@fault("canceled by two at once")
def _canceled_twice(here: Field) -> Iterator[None]:
    jobs = unfinished(here)
    if jobs:
        job = here.rng.choice(jobs)
        for _ in range(3):
            here.crowd.press(job.made_by, job.pk, "cancel")
    yield


@fault("unconfirmed let go")
def _let_go(here: Field) -> Iterator[None]:
    for job in unfinished(here, JobState.UNCONFIRMED)[:1]:
        here.crowd.press(job.made_by, job.pk, "let-go")
    yield


@fault("double click")
def _double(here: Field) -> Iterator[None]:
    here.crowd.ask(here.crowd.ben, "a mosaic", clicks=3)
    yield


@fault("source put into the trash")
def _source_trashed(here: Field) -> Iterator[None]:
    here.crowd.pictures[here.crowd.cay.pk][0].trash()
    yield


@fault("source removed by moderation")
def _source_removed(here: Field) -> Iterator[None]:
    image = here.crowd.pictures[here.crowd.ben.pk][0]
    with suppress(decisions.NotDecided):
        case = open_case(Cause.STAFF, image.made_by, image=image)
        decisions.decide(moderator(), [case.pk], [Action.REMOVE], reason="Against the rules.")
    yield


@fault("result removed by moderation")
def _result_removed(here: Field) -> Iterator[None]:
    made = Image.objects.filter(job__made_by__in=here.crowd.people, removed_at=None).order_by("?").first()
    with suppress(decisions.NotDecided):
        if made is not None:
            case = open_case(Cause.STAFF, made.made_by, image=made)
            decisions.decide(moderator(), [case.pk], [Action.REMOVE], reason="Against the rules.")
    yield


@fault("owner suspended, and let in again", (0.5, 2.0))
def _suspended(here: Field) -> Iterator[None]:
    with suppress(suspension.NotAllowed):
        suspension.suspend(moderator(), here.crowd.ben, "Against the rules.")
    yield
    suspension.lift(moderator(), here.crowd.ben)


@fault("account deleted")
def _deleted(here: Field) -> Iterator[None]:
    delete_account(here.crowd.cay)
    yield


@fault("workspace put into the trash")
def _workspace(here: Field) -> Iterator[None]:
    here.crowd.team.trash()
    for job in unfinished(here, JobState.QUEUED, JobState.HELD):
        if job.workspace_id == here.crowd.team.pk and here.rng.random() < 0.5:
            control.cancel(job)
    yield


# At the webhook's door ----------------------------------------------------------------------------------------------


def call(url: str, secret: str, body: dict[str, Any]) -> int:
    """The status that a webhook gets; 0 where nobody answers."""
    try:
        return requests.post(f"{url}/hooks/flux/{secret}/", json=body, timeout=20).status_code
    except requests.RequestException:
        return 0


def claims(here: Field, attempt: Attempt) -> list[dict[str, Any]]:
    """Things that are not true of it."""
    return [
        {"status": "success", "id": attempt.vendor_id, "output": ["http://10.0.0.1/a.png"]},
        {"status": "failed", "id": attempt.vendor_id, "message": "Processing failed: no."},
        {"status": "success", "output": []},
        {"status": here.rng.choice(["failed", "success", "processing"])},
    ]


@fault("webhooks forged by whoever knows the address")
def _forged(here: Field) -> Iterator[None]:
    attempt = Attempt.objects.filter(job__in=unfinished(here)).exclude(vendor_id=None).order_by("?").first()
    if attempt is not None:
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(partial(call, here.portal.url, attempt.secret), claims(here, attempt)))
    yield


@fault("webhooks forged by guessing")
def _guessed(here: Field) -> Iterator[None]:
    with ThreadPoolExecutor(10) as pool:
        guesses = [uuid4().hex + uuid4().hex[:11] for _ in range(20)]
        list(pool.map(lambda secret: call(here.portal.url, secret, {"status": "success", "id": 1}), guesses))
    yield


@fault("ten webhooks at once")
def _ten(here: Field) -> Iterator[None]:
    attempt = Attempt.objects.filter(job__in=unfinished(here)).exclude(vendor_id=None).order_by("?").first()
    if attempt is not None:
        body: dict[str, Any] = {"status": "success", "id": attempt.vendor_id, "output": []}
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda _: call(here.portal.url, attempt.secret, body), range(10)))
    yield
