"""A portal without processes: the units of `editor.jobs` against a real sandbox, bucket and database, by a fake clock.

Nobody sleeps until a deadline. Where the portal would wait, all its rows are moved into the past instead, so that a
job meets its real time constants, 24 hours too, in a moment.
"""

import html
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db.models import DateTimeField, F, Model
from django.template.loader import render_to_string
from django.utils import timezone
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.jobs import checks, clock, lifecycle, vendor
from editor.jobs.creation import EditSpec, create_job
from editor.jobs.failures import NOTES
from editor.jobs.progress import progress
from editor.models import Attempt, AttemptState, FluxServer, GenerationJob, Image, JobState, User, WebhookEvent
from editor.models.leases import Leased
from project.embedded import s3
from tests.contract.post_office import PostOffice
from tests.makers import make_image, make_user

SOON = timedelta(seconds=30)
MOST_RESTS = 60
TIMED: tuple[type[Model], ...] = (GenerationJob, Attempt, FluxServer, WebhookEvent, Image)
UNFINISHED_STATES = {JobState.PROCESSING, JobState.COLLECTING, JobState.UNCONFIRMED}


def pass_time(length: timedelta) -> None:
    """Let the portal believe that so much time went by: every moment in its rows lies that much further back."""
    for model in TIMED:
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, DateTimeField)]
        model._default_manager.update(**{name: F(name) - length for name in names})


class Diary:
    """The states of jobs as they follow one another, and what else is worth telling."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waited = timedelta(0)

    def state(self, state: str, code: str = "") -> None:
        """A new state; where it took long to get there, how long."""
        if self.lines and self.lines[-1] in UNFINISHED_STATES and self.waited >= timedelta(minutes=1):
            self.note(rough(self.waited))
        self.waited = timedelta(0)
        self.lines.append(f"{state} ({code})" if code else state)

    def note(self, words: str) -> None:
        """What happened between two states."""
        self.lines.append(f"*{words}*")

    @property
    def story(self) -> str:
        """All in one line, with what repeats itself told once."""
        told = list(self.lines)
        place = 0
        while place + 4 <= len(told):
            if told[place : place + 2] == told[place + 2 : place + 4]:
                del told[place + 2 : place + 4]
                if told[place + 2 : place + 3] != ["…"]:
                    told.insert(place + 2, "…")
                # Look at the same pair again, past the sign.
                while told[place : place + 2] == told[place + 3 : place + 5]:
                    del told[place + 3 : place + 5]
            place += 1
        return " → ".join(told)


def rough(length: timedelta) -> str:
    """A duration that is the same in every run."""
    if length >= timedelta(hours=1):
        return f"{round(length / timedelta(hours=1))} h"
    return "30 min" if length >= timedelta(minutes=25) else "some minutes"


@contextmanager
def diary_of_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Diary]:
    """Writes every state down that any job takes: all of them go through one door."""
    diary = Diary()
    swap = Leased.swap

    def noted(row: Leased, states: set[str], **values: Any) -> bool:
        done = swap(row, states, **values)
        if done and isinstance(row, GenerationJob) and "state" in values:
            diary.state(str(values["state"]), values.get("failure_code", ""))
        return done

    with monkeypatch.context() as patches:
        patches.setattr(Leased, "swap", noted)
        yield diary


def start_sandbox(place: Path, seconds: float, bind: str = "127.0.0.1:0") -> Sandbox:
    """A sandbox that keeps its memory in this directory."""
    return Sandbox(
        seconds=seconds,
        slots=4,
        queue_limit=50,
        key=django_settings.FLUX_API_KEY,
        directory=place,
        bind=bind,
        restart_seconds=0.2,
    ).start()


class World:
    """One person with one picture, a sandbox, and the portal's units, called one after the other."""

    SECONDS = 0.1
    """Of the sandbox for a picture: so long that the answer to a request never overtakes its own generation."""

    def __init__(self, place: Path, office: PostOffice, settings: Settings) -> None:
        self.seconds = self.SECONDS
        self._since = time.time()
        self.sandbox = start_sandbox(place, self.seconds)
        self.office = office
        self.settings = settings
        self.user: User = make_user(f"{uuid4().hex}@example.com")
        self.picture = make_image(self.user, stored=True)
        self.connect()

    def connect(self, read_timeout: float = 30.0, *, reachable: bool = True) -> None:
        """Point the portal at the sandbox; unless it is reachable, pictures are uploaded and no webhook comes."""
        self.settings.FLUX_BASE_URL = self.sandbox.base_url
        self.settings.FLUX_UPLOAD_URL = self.sandbox.upload_url
        self.settings.FLUX_READ_TIMEOUT = read_timeout
        self.settings.FLUX_SEES_US_AT = self.office.origin if reachable else ""
        self.settings.S3_PUBLIC = False
        vendor.client_for.cache_clear()

    def open_inbox(self) -> None:
        """Register a bucket with the sandbox: results arrive there from now on, and are taken over by a copy."""
        keys = self.settings.S3_ACCESS_KEY_ID, self.settings.S3_SECRET_ACCESS_KEY
        name, store = f"{self.settings.S3_BUCKET}-inbox", self.settings.S3_ENDPOINT_URL
        s3.make_bucket(s3.make_client(store, self.settings.S3_REGION, *keys), name)
        self.settings.FLUX_INBOX = True
        self.settings.FLUX_INBOX_BUCKET = name
        self.settings.FLUX_INBOX_DIRECTORY = "results"
        self.settings.FLUX_INBOX_PUBLIC_URL = self.settings.FLUX_INBOX_ENDPOINT_URL = f"{store}/{name}"
        self.settings.FLUX_INBOX_ACCESS_KEY_ID, self.settings.FLUX_INBOX_SECRET_ACCESS_KEY = keys
        vendor.client().update_s3(vendor.registration())

    def clean(self) -> None:
        """Forget what the last example left behind: its place in the queue, its pauses, its letters, its faults."""
        self.sandbox.set_faults({})
        Attempt.objects.counting().update(state=AttemptState.LOST)
        FluxServer.objects.current().resume()
        self.office.at_once = False
        self.office.forget()

    def ask(self, prompt: str = "make it look like a watercolour", samples: int = 1) -> GenerationJob:
        """An edit, as its owner's click makes it."""
        return create_job(self.user, [self.picture], EditSpec(prompt, samples=samples, seed=7), uuid4().hex)

    def look(self, job: GenerationJob) -> None:
        """What clock and workers do as long as something is due."""
        clock.tick()
        lifecycle.look_at(job.pk)
        checks.check_discarded()
        job.refresh_from_db()

    def sandbox_rests(self, job: GenerationJob, seconds: float = 3.0) -> None:
        """Wait until the sandbox has made and announced what it will of this job: it is fast, so this takes no time."""
        secrets = {str(attempt.pk): attempt.secret for attempt in job.attempts.all()}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            entries = [entry for entry in self.sandbox.ledger()["accepted"] if entry["track_id"] in secrets]
            if not any(self._expected(entry, secrets[entry["track_id"]]) for entry in entries):
                break
            time.sleep(0.02)

    def _expected(self, entry: dict[str, Any], secret: str) -> bool:
        """Whether this generation is still being made, or its webhook is on its way."""
        if "never" in entry["faults"] or entry["accepted"] < self._since:
            return False
        if entry["status"] == "processing":
            return self.seconds <= self.SECONDS
        silent = {"webhook-lost", "webhook-late", "restart-underneath"}.intersection(entry["faults"])
        return bool(self.settings.FLUX_SEES_US_AT) and not silent and not self.office.knows(secret)

    def restart(self, seconds: float) -> None:
        """Another sandbox with the same memory at the same address; `seconds` a picture."""
        place, bind = self.sandbox.directory, f"127.0.0.1:{self.sandbox.port}"
        self.sandbox.stop()
        self._since = time.time()
        self.seconds = seconds
        self.sandbox = start_sandbox(place, seconds, bind)

    def jump(self, job: GenerationJob) -> timedelta:
        """Pass the time until something is due: the longer the wait, the longer the steps, but none past a deadline."""
        now = timezone.now()
        server = FluxServer.objects.current()
        moments = [moment for moment in (job.due_at, job.lease_until) if moment is not None]
        step = max([moment - now for moment in moments], default=SOON)
        if job.state == JobState.QUEUED and server.paused_until:
            step = max(step, server.paused_until - now)
        if job.state in {JobState.PROCESSING, JobState.COLLECTING} and job.deadline_at:
            step = max(step, SOON, 3 * (now - self._entered(job)))
            step = min(step, job.deadline_at - now)
        step = max(step, timedelta(0)) + timedelta(milliseconds=1)
        pass_time(step)
        job.refresh_from_db()
        return step

    def _entered(self, job: GenerationJob) -> datetime:
        entered = job.collecting_at if job.state == JobState.COLLECTING else job.processing_at
        return entered or job.created_at

    def accepted(self, job: GenerationJob) -> list[dict[str, Any]]:
        """What the sandbox took on behalf of this job."""
        ours = {str(pk) for pk in job.attempts.values_list("pk", flat=True)}
        return [entry for entry in self.sandbox.ledger()["accepted"] if entry["track_id"] in ours]


def words_for(job: GenerationJob) -> str:
    """What its owner reads on the tile of the edit, buttons in brackets."""
    job = GenerationJob.objects.get(pk=job.pk)
    if job.state == JobState.SUCCEEDED:
        return " ".join(filter(None, [_steady(progress(job).headline) + ".", NOTES.get(job.note, "")]))
    asked = {"job": job, "request": SimpleNamespace(user=job.made_by)}
    page: str = render_to_string("edits/status.html", asked)
    page = re.sub(r"<svg.*?</svg>|<input[^>]*>|<!--.*?-->", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?:button|a) [^>]*>(.*?)</(?:button|a)>", r" [\1]", page, flags=re.DOTALL)
    page = re.sub(r"</(?:h2|strong)>", ". ", page)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    return _steady(re.sub(r"([.!?])\s*\.(?=\s|$)", r"\1", text).replace(" .", "."))


def _steady(text: str) -> str:
    """Without the numbers that differ from run to run, and whether they are over."""
    return re.sub(r"\b\d+(\.\d+)? (?:s|min|h)\b", "…", text).replace("longer than it said", "about …")
