"""The RQ entry points: all that a ring can ask for. Arguments are ids, nothing else."""

from uuid import UUID

from editor import rings
from editor.images import change_maps, ingest
from editor.images.quarantine import settle
from editor.jobs import chains, checks, lifecycle, server_orders
from editor.jobs.collection import ring_waiting
from editor.models import ChangeMap, Image


def look_at_job(job_id: str) -> None:
    rings.answered(rings.LOOK_AT_JOB, job_id)
    lifecycle.look_at(UUID(job_id))


def check_due() -> None:
    rings.answered(rings.CHECK_DUE)
    checks.check_due()
    lifecycle.ring_next()


def go_on_with_batch(batch_id: str) -> None:
    rings.answered(rings.GO_ON_WITH_BATCH, batch_id)
    chains.go_on(UUID(batch_id))


def look_at_order(order_id: str) -> None:
    rings.answered(rings.LOOK_AT_ORDER, order_id)
    server_orders.look_at(UUID(order_id))


def look_at_image(image_id: str) -> None:
    rings.answered(rings.LOOK_AT_IMAGE, image_id)
    image = Image.objects.filter(pk=UUID(image_id)).first()
    if image is None:
        return
    if ingest.take_in(image):
        ring_waiting([image])
    settle(image)


def look_at_changes(image_id: str) -> None:
    rings.answered(rings.LOOK_AT_CHANGES, image_id)
    wanted = ChangeMap.objects.filter(pk=UUID(image_id)).first()
    if wanted is not None:
        change_maps.make(wanted)
