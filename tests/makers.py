"""Rows for tests: each maker fills in what the test does not care about."""

import io
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from django.utils import timezone
from PIL import Image as Pillow

from editor.images import bucket, ingest, keys
from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.models import (
    Attempt,
    Batch,
    BatchItem,
    ChangeMap,
    ChangeState,
    FluxServer,
    GenerationJob,
    Image,
    ImageKind,
    ImageState,
    ItemState,
    JobSource,
    JobState,
    User,
    Workspace,
)

numbers = count(1)


def make_user(email: str = "", **fields: Any) -> User:
    user = User.objects.create_user(email or f"person{next(numbers)}@example.com", **fields)
    Workspace.objects.personal_of(user)
    return user


def jpeg(width: int = 320, height: int = 240, colour: tuple[int, int, int] = (200, 90, 30)) -> bytes:
    """A JPEG with something to see: a gradient over one colour."""
    picture = Pillow.linear_gradient("L").resize((width, height))
    plain = Pillow.new("RGB", (width, height), colour)
    out = io.BytesIO()
    Pillow.composite(plain, Pillow.new("RGB", (width, height), (20, 40, 90)), picture).save(out, "JPEG", quality=90)
    return out.getvalue()


def make_image(user: User, *, stored: bool = False, **fields: Any) -> Image:
    """A ready upload; with `stored`, its master, one rendition and init image lie in the bucket."""
    values: dict[str, Any] = {
        "workspace": Workspace.objects.personal_of(user),
        "made_by": user,
        "kind": ImageKind.UPLOADED,
        "state": ImageState.READY,
        "name": "coffee.jpg",
        "width": 320,
        "height": 240,
        "init_width": 320,
        "init_height": 256,
        "master_ext": "jpg",
        "content_type": "image/jpeg",
        "master_sha256": uuid4().hex,
        "byte_size": 1000,
        "rendition_widths": [320],
        "ready_at": timezone.now(),
    }
    if fields.get("state", ImageState.READY) != ImageState.READY:
        values |= {"ready_at": None, "width": None, "height": None, "master_ext": ""}
    image = Image.objects.create(**(values | fields))
    if stored:
        data = jpeg()
        for key in (keys.master_key(image.pk, "jpg"), keys.init_key(image.pk)):
            bucket.put(key, data, "image/jpeg")
        bucket.put(keys.rendition_key(image.pk, 320), data, "image/webp")
    return image


def make_change(image: Image, share: float = 0.1) -> ChangeMap:
    """What changed in a result, as if a worker had found it out; the map lies in the bucket."""
    out = io.BytesIO()
    Pillow.linear_gradient("L").resize((32, 24)).save(out, "PNG")
    bucket.put(keys.change_key(image.pk), out.getvalue(), "image/png")
    facts = {"state": ChangeState.MADE, "share": share, "byte_size": len(out.getvalue()), "method": 1}
    return ChangeMap.objects.create(image=image, made_at=timezone.now(), **facts)


def make_job(user: User, *sources: Image, **fields: Any) -> GenerationJob:
    """A queued edit that is due, of a new ready picture if no source is given."""
    images = list(sources) or [make_image(user)]
    values: dict[str, Any] = {
        "workspace": images[0].workspace,
        "made_by": user,
        "prompt": "make it look like a watercolour",
        "form_token": uuid4().hex,
        "seed": 7,
        "due_at": timezone.now(),
    }
    if fields.get("state", JobState.QUEUED) not in {JobState.QUEUED, JobState.HELD}:
        values |= {"width": 320, "height": 256}
    job = GenerationJob.objects.create(**(values | fields))
    JobSource.objects.bulk_create(JobSource(job=job, position=i, image=image) for i, image in enumerate(images))
    return job


def make_attempt(job: GenerationJob, **fields: Any) -> Attempt:
    """An open attempt of a job that is with the vendor."""
    values: dict[str, Any] = {
        "job": job,
        "server": FluxServer.objects.current(),
        "number": job.attempts.count() + 1,
        "fence": job.fence,
        "samples": job.samples,
        "deadline_at": timezone.now() + timedelta(minutes=30),
    }
    return Attempt.objects.create(**(values | fields))


def make_batch(user: User, *jobs: GenerationJob, **fields: Any) -> Batch:
    """A batch of one step, with an item for each of these edits, which join it."""
    values: dict[str, Any] = {
        "workspace": jobs[0].workspace if jobs else Workspace.objects.personal_of(user),
        "made_by": user,
        "form_token": uuid4().hex,
        "prompt": "make it blue",
        "steps": to_rows([EditSpec("make it blue")]),
    }
    batch = Batch.objects.create(**(values | fields))
    for number, job in enumerate(jobs):
        item = BatchItem.objects.create(
            batch=batch,
            number=number,
            image=job.source_image,
            job=job,
            tries=1,
            state=ItemState.KEPT if job.state == JobState.SUCCEEDED else ItemState.WORKING,
        )
        GenerationJob.objects.filter(pk=job.pk).update(batch=batch, batch_item=item, batch_step=0)
        job.refresh_from_db()
    return batch


def take_in_result(image: Image, raw: bytes) -> bool:
    """As a worker does with what the flux server made."""
    with TemporaryDirectory() as directory:
        return ingest.take_in_result(image, ingest.opened(raw, Path(directory)))
