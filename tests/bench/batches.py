"""A batch of a thousand beside a thousand bare rows, and its page beside that of twenty."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from editor.jobs.batches import BATCH_MAX, create_batch
from editor.jobs.creation import EditSpec, draw_seed
from editor.models import Batch, BatchItem, GenerationJob, Image, User, Workspace
from editor.models.chosen import chosen
from tests.bench.pages import Load, loader, measured, queries
from tests.bench.stage import Stage, alternately
from tests.bench.table import Row, median, milliseconds
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions

STEPS = [EditSpec("remove the background"), EditSpec("make the cup {colour}"), EditSpec("add a soft shadow")]
FEW, ROUNDS = 20, 5
SLOWER, PAGE_SLOWER, QUERIES = 2.0, 1.3, 9


def measure(stage: Stage) -> list[Row]:
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal, without_limits():
        return [*creation(), *page(portal)]


@contextmanager
def without_limits() -> Iterator[None]:
    chosen.suppose({"EDITS_PER_DAY": 10**6, "WAITING_PER_USER": 10**6, "WAITING_PER_WORKSPACE": 10**6})
    try:
        yield
    finally:
        chosen.forget()


def creation() -> list[Row]:
    user = make_user(f"{uuid4().hex}@example.com")
    images = fill(user, BATCH_MAX)
    found = alternately(
        ROUNDS,
        {
            "batch": lambda: batch(user, images),
            "rows": lambda: bare(user, images),
            "bulk": lambda: at_once(user, images),
        },
    )
    made, rows, bulk = (median(found[name]) for name in ("batch", "rows", "bulk"))
    return [
        Row(
            f"a batch of {BATCH_MAX:,}, three steps, its words from a table",
            milliseconds(made),
            f"{milliseconds(rows)} for as many bare rows",
            f"< {SLOWER:g} ×",
            made < SLOWER * rows,
        ),
        Row("  the same rows in one bulk, no sources, ledger or search", milliseconds(bulk)),
    ]


def fill(user: User, number: int) -> list[Image]:
    first = make_image(user)
    copied = {field.attname: getattr(first, field.attname) for field in Image._meta.concrete_fields}
    rows = [Image(**{**copied, "id": uuid4(), "name": f"cup {place}.jpg"}) for place in range(number)]
    return Image.objects.bulk_create(rows, batch_size=500)


def batch(user: User, images: list[Image]) -> float:
    began = time.perf_counter()
    create_batch(user, images, STEPS, uuid4().hex, values=[{"colour": "red"}] * len(images), gate=True)
    return time.perf_counter() - began


def bare(user: User, images: list[Image]) -> float:
    """One statement each, all in one transaction: nothing is checked, and nothing is written besides."""
    rows = [row(user, image) for image in images]
    began = time.perf_counter()
    with transaction.atomic():
        for each in rows:
            each.save(force_insert=True)
    return spent(began, rows)


def at_once(user: User, images: list[Image]) -> float:
    rows = [row(user, image) for image in images]
    began = time.perf_counter()
    GenerationJob.objects.bulk_create(rows)
    return spent(began, rows)


def spent(began: float, rows: list[GenerationJob]) -> float:
    """Seconds; the rows are gone again."""
    seconds = time.perf_counter() - began
    GenerationJob.objects.filter(pk__in=[each.pk for each in rows]).delete()
    return seconds


def row(user: User, image: Image) -> GenerationJob:
    return GenerationJob(
        workspace_id=image.workspace_id,
        made_by=user,
        form_token=uuid4().hex,
        prompt="remove the background",
        seed=draw_seed(),
        interactive=False,
        due_at=timezone.now(),
    )


def page(portal: Portal) -> list[Row]:
    user = make_user(f"{uuid4().hex}@example.com")
    many, few = (shown(user, number) for number in (BATCH_MAX, FEW))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    addresses = {"many": f"/batches/{many.pk}/", "few": f"/batches/{few.pk}/", "last": f"/batches/{many.pk}/?after=975"}
    loads: dict[str, Load] = {name: loader(portal, user, address) for name, address in addresses.items()}
    found = measured(loads, rounds=15)
    asked = len(queries(user, addresses["many"]))
    control = f"{milliseconds(found['few'])} with {FEW}"
    return [
        Row(
            f"the page of a batch of {BATCH_MAX:,}",
            milliseconds(found["many"]),
            f"{control}; {asked} queries",
            f"≤ {PAGE_SLOWER:g} ×, ≤ {QUERIES}",
            found["many"] <= PAGE_SLOWER * found["few"] and asked <= QUERIES,
        ),
        Row(
            "  its last page",
            milliseconds(found["last"]),
            control,
            f"≤ {PAGE_SLOWER:g} ×",
            found["last"] <= PAGE_SLOWER * found["few"],
        ),
    ]


def shown(user: User, number: int) -> Batch:
    """A batch that is through its first step, and waits for a look."""
    made = create_batch(user, fill(user, number), STEPS, uuid4().hex, gate=True)
    done = {"state": "succeeded", "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    made.jobs.update(**done)
    BatchItem.objects.filter(batch=made).update(state="looking")
    workspace = Workspace.objects.personal_of(user)
    results = [
        Image(
            workspace=workspace, made_by=user, kind="generated", job=job, state="ready", width=320, height=240,
            master_ext="jpg", content_type="image/jpeg", rendition_widths=[320], ready_at=timezone.now(),
        )
        for job in made.jobs.all()
    ]  # fmt: skip
    Image.objects.bulk_create(results, batch_size=500)
    return made
