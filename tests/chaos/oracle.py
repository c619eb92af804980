"""What must be true after any round: nobody lost, nothing paid twice, and rows, objects and ledgers agree.

The witness is the flux server's own ledger of what it accepted; the bucket is asked directly, not through its door.
"""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from botocore.exceptions import ClientError
from django.conf import settings

from editor.images import keys, quarantine
from editor.jobs import ledger
from editor.models import (
    FINAL,
    Allowance,
    AllowanceEntry,
    Attempt,
    AttemptState,
    Batch,
    BatchItem,
    ChangeMap,
    ChangeState,
    GenerationJob,
    Image,
    ImageState,
    ItemState,
    JobState,
)
from project.embedded import s3
from tests.chaos.people import Crowd
from tests.chaos.portal import ChaosPortal

AWAITED: set[str] = {JobState.HELD, JobState.UNCONFIRMED}  # a person decides, and the portal says so
FOUND = 302  # the portal leads to what was made
NEVER_SENT = {"source", "source_removed", "expired", "refused"}


class Oracle:
    """Looks at one round. Each complaint is a sentence; none: all is as it was promised."""

    def __init__(self, portal: ChaosPortal, crowd: Crowd, second: dict[UUID, int]) -> None:
        """`second` says how often its owner sent an edit again."""
        self.portal, self.crowd, self.second = portal, crowd, second
        keys_ = settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY
        self.client = s3.make_client(settings.S3_ENDPOINT_URL, settings.S3_REGION, *keys_)
        self.jobs = list(GenerationJob.objects.filter(made_by__in=crowd.people).prefetch_related("attempts"))
        self.accepted: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        self.strays: list[str] = []
        self._read_ledger()

    def _read_ledger(self) -> None:
        attempts = {str(pk): job for pk, job in Attempt.objects.values_list("pk", "job")}
        for entry in self.portal.ledger():
            job = attempts.get(entry["track_id"])
            if job is None:
                self.strays.append(f"The flux server accepted {entry['id']} for a request that nobody wrote down.")
            else:
                self.accepted[job].append(entry)

    def complaints(self, *, over: bool) -> list[str]:
        """All of them. `over`: everybody has decided, so that each edit must have ended."""
        found = [*self.strays, *self._of_promises()]
        for job in self.jobs:
            found += [f"Edit {job.pk} ({job.state} {job.failure_code}): {words}" for words in self._of_job(job, over)]
        if over:
            found += [*self._of_chains(), *self._of_pictures(), *self._of_objects(), *ledger.problems()]
        return found

    # Edits -----------------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """Edits that were promised and neither ended nor wait for a person."""
        gone = sum(asked.promised and asked.job is None for asked in self.crowd.asked)
        return gone + sum(job.state not in FINAL | AWAITED for job in self.jobs)

    def _of_promises(self) -> Iterator[str]:
        tokens = {(job.made_by_id, job.form_token) for job in self.jobs}
        for asked in self.crowd.asked:
            if asked.promised and (asked.by.pk, asked.token) not in tokens:
                yield f"The portal said “queued” to {asked.by.pk}, and there is no such edit ({asked.marks})."

    def _of_job(self, job: GenerationJob, over: bool) -> Iterator[str]:
        entries = self.accepted[job.pk]
        if job.state not in FINAL and (over or job.state not in AWAITED):
            yield f"it neither ended nor waits for anybody. {_attempts(job)}"
        if len(entries) > 1 + self.second[job.pk]:
            yield f"accepted {len(entries)} times, and its owner said “again” {self.second[job.pk]} times."
        if len({entry["track_id"] for entry in entries}) < len(entries):
            yield "one request was accepted twice."
        for attempt in job.attempts.all():
            taken = any(entry["track_id"] == str(attempt.pk) for entry in entries)
            if taken and attempt.state == AttemptState.REFUSED:
                yield f"attempt {attempt.number} is called refused, and was accepted."
            if job.state in FINAL and attempt.state in {AttemptState.OPEN, AttemptState.UNKNOWN}:
                yield f"attempt {attempt.number} is still {attempt.state}."
        yield from self._of_end(job, entries)

    def _of_chains(self) -> Iterator[str]:
        """Each picture of a batch was done once per step, and either came through or says where it stands."""
        batches = {batch.form_token: batch for batch in Batch.objects.filter(made_by__in=self.crowd.people)}
        for token, answers in self.crowd.chains:
            if token not in batches and any(answer.result() == FOUND for answer in answers):
                yield f"The portal took batch {token}, and there is none."
        for item in BatchItem.objects.filter(batch__in=batches.values()).select_related("batch", "job"):
            edits = list(item.edits.order_by("batch_step").prefetch_related("sources__image"))
            if [edit.batch_step for edit in edits] != list(range(item.step + 1)):
                yield f"Picture {item} was made at steps {[edit.batch_step for edit in edits]}, and is at {item.step}."
            for before, edit in pairwise(edits):
                if edit.source_image.job_id != before.pk:
                    yield f"Step {edit.batch_step} of picture {item} is not made of what the step before made."
            stands = item.state == ItemState.WORKING and item.job.state == JobState.SUCCEEDED
            if stands or item.due_at is not None:
                yield f"Picture {item} stands at step {item.step}, and nothing is wrong with it."
            if item.state == ItemState.KEPT and item.step + 1 < len(item.batch.steps):
                yield f"Picture {item} is kept before its last step."

    def _of_end(self, job: GenerationJob, entries: list[dict[str, Any]]) -> Iterator[str]:
        ready = job.results.filter(state=ImageState.READY).count()
        kinds = sorted(AllowanceEntry.objects.filter(job=job).values_list("kind", flat=True))
        wanted = [Allowance.HELD] if job.state not in FINAL else sorted([Allowance.HELD, job.allowance])
        if kinds != wanted:
            yield f"its lines in the ledger are {kinds}, not {wanted}."
        if job.state == JobState.SUCCEEDED and not (entries and 0 < ready <= job.samples):
            yield f"it succeeded with {ready} pictures and {len(entries)} generations."
        if job.state in {JobState.FAILED, JobState.BLOCKED} and ready:
            yield f"it has {ready} pictures all the same."
        # What came of the requests before the last one was its owner's word.
        last = job.attempts.order_by("number").last()
        its_own = [entry for entry in entries if last is not None and entry["track_id"] == str(last.pk)]
        if its_own and job.failure_code in NEVER_SENT:
            yield "it was accepted, and says that it was never sent."
        if its_own and job.failure_code.startswith("refused"):
            yield "it was accepted, and says that it was refused."
        living = [entry for entry in its_own if entry["status"] != "failed"]
        if living and job.state == JobState.CANCELED and job.allowance == Allowance.RELEASED:
            yield "it was accepted, and its cancellation is free."

    # Pictures --------------------------------------------------------------------------------------------------------

    @cached_property
    def _images(self) -> list[Image]:
        return list(Image.objects.filter(made_by__in=self.crowd.people).select_related("job"))

    def _of_pictures(self) -> Iterator[str]:
        for image in self._images:
            if image.state == ImageState.READY and image.purged_at is None:
                yield from self._of_bytes(image)
            elif image.state == ImageState.RECEIVED and image.trashed_at is None:
                edit = f"of edit {image.job.pk}, {image.job.state}" if image.job is not None else "an upload"
                yield f"Picture {image.pk} ({edit}) was received, and nobody looked at it ({image.tries} tries)."
        for user, token, answer in self.crowd.uploads:
            if answer.result() == 302 and not any(image.made_by_id == user.pk for image in self._images):
                yield f"Upload {token} was taken, and there is no such picture."

    def _of_bytes(self, image: Image) -> Iterator[str]:
        open_key = keys.master_key(image.pk, image.master_ext)
        key = keys.quarantine_key(open_key) if image.quarantined_at else open_key
        data = self._bytes(key)
        if data is None:
            yield f"Picture {image.pk} is ready, and {key} is not there."
            return
        if not image.raw_sha256:  # a source that the round itself put there
            return
        if hashlib.sha256(data).hexdigest() != image.master_sha256:
            yield f"Picture {image.pk}: {key} holds other bytes than its row says."
        if image.job is not None and image.raw_sha256 not in self._made_for(image.job):
            yield f"Picture {image.pk} is not what the flux server made for edit {image.job_id}."

    def _bytes(self, key: str) -> bytes | None:
        try:
            return bytes(self.client.get_object(Bucket=settings.S3_BUCKET, Key=key)["Body"].read())
        except ClientError:
            return None

    def _made_for(self, job: GenerationJob) -> set[str]:
        """The sums of all that the flux server wrote for this edit."""
        paths = [self.portal.results / name for entry in self.accepted[job.pk] for name in entry["outputs"]]
        return {hashlib.sha256(_picture(path)).hexdigest() for path in paths if path.exists()}

    # Objects ---------------------------------------------------------------------------------------------------------

    def _of_objects(self) -> Iterator[str]:
        """No object without a row, none that its row doesn't want, and no row without its objects."""
        rows = {image.pk: image for image in self._images}
        wanted_before = {pk: wanted_of(image)[0] for pk, image in rows.items()}  # later ones may come
        there: dict[UUID, set[str]] = defaultdict(set)
        for folder in ("images/", "incoming/", "quarantine/"):
            for key in self._listed(folder):
                there[UUID(key.split("/")[1])].add(key)
        known = set(Image.objects.filter(pk__in=there.keys()).values_list("pk", flat=True))
        for pk in there.keys() - known:
            yield f"{sorted(there[pk])} belong to no picture."
        for pk, image in rows.items():
            must, may = wanted_of(image)
            if missing := (must & wanted_before[pk]) - there[pk]:
                yield f"Picture {pk} ({image.state}) has no {sorted(missing)}."
            if extra := there[pk] - must - may:
                yield f"Picture {pk} ({image.state} {image.refused_code}) has {sorted(extra)} too many."

    def _listed(self, folder: str) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=settings.S3_BUCKET, Prefix=folder)
        for page in pages:
            yield from (thing["Key"] for thing in page.get("Contents", []))


def wanted_of(image: Image) -> tuple[set[str], set[str]]:
    """The keys that must be there for a picture, and those that may be: what purging still owes."""
    if image.purged_at is not None:
        return set(), set()
    if image.state == ImageState.RECEIVED and image.trashed_at is not None:
        # Canceled while it was stored: it lies in the trash as it is, until that is emptied.
        widths = [keys.rendition_key(image.pk, width) for width in keys.RENDITION_WIDTHS]
        return set(), {*widths, keys.init_key(image.pk), keys.master_key(image.pk, "jpg"), keys.raw_key(image.pk),
                       keys.master_key(image.pk, "png"), keys.master_key(image.pk, "webp")}  # fmt: skip
    must = set(quarantine.keys_of(image)) - {keys.raw_key(image.pk)}
    if image.state != ImageState.READY:
        return set(), set()
    may = set[str]()
    # What changed: its row says when it is there; until then somebody may just be making it.
    change = ChangeMap.objects.filter(image=image).first()
    if change is not None and change.state != ChangeState.NONE:
        (must if change.is_made else may).add(keys.change_key(image.pk))
    if image.quarantined_at is not None:
        return {keys.quarantine_key(key) for key in must}, {keys.quarantine_key(key) for key in may}
    return must, may


def _picture(path: Path) -> bytes:
    data = path.read_bytes()
    return base64.b64decode(data.rpartition(b",")[2]) if path.suffix == ".base64" else data


def _attempts(job: GenerationJob) -> str:
    told = [f"{a.state} {a.verdict} {a.reason} {a.vendor_status} {a.vendor_id}" for a in job.attempts.all()]
    return f"Due {job.due_at}, lease {job.lease_until}, tries {job.tries}; attempts: {told or 'none'}."
