"""One small edit that an administrator pays for, to see whether results arrive as they should.

It is an edit like any other, in that person's own workspace: it waits for its turn, stays below the limits, and stands
in the ledger and the history.
"""

import io
import time
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone
from PIL import Image as Pillow

from editor.images import ingest
from editor.jobs import control, lifecycle
from editor.jobs.creation import EditSpec, create_job
from editor.models import GenerationJob, Image, JobState, User, Workspace

NAME = "direct-delivery-test.jpg"
PROMPT = "Make it a watercolour"
_SIDE = 256  # pixels: the smallest edit
_PAUSE = 0.2  # seconds between two looks


def source_for(user: User) -> Image:
    """A small picture of ours, taken in like an upload. Raises TooMany, BucketUnavailable."""
    out = io.BytesIO()
    shades = Pillow.radial_gradient("L").resize((_SIDE, _SIDE))
    dark, light = (Pillow.new("RGB", shades.size, colour) for colour in ((24, 60, 110), (240, 180, 60)))
    Pillow.composite(dark, light, shades).save(out, "JPEG", quality=90)
    out.seek(0)
    image = ingest.receive(user, Workspace.objects.personal_of(user), out, NAME)
    ingest.take_in(image)  # a worker may be doing it already: whoever is second does nothing
    return image


def begin(user: User, token: str = "") -> GenerationJob:
    """The same form token again: the edit that it made. Raises TooMany, NotAllowed, BucketUnavailable."""
    if token and (made := GenerationJob.objects.filter(made_by=user, form_token=token).first()):
        return made
    return create_job(user, [source_for(user)], EditSpec(PROMPT), token or uuid4().hex)


def follow(job: GenerationJob, patience: timedelta) -> bool:
    """Look at it as a worker would, beside the workers, until it is final; False if it takes longer than `patience`.

    An edit that has not left by then is canceled, so that nobody pays for it later.
    """
    until = timezone.now() + patience
    while True:
        lifecycle.look_at(job.pk)
        job.refresh_from_db()
        if job.is_final:
            return True
        if timezone.now() >= until:
            break
        time.sleep(_PAUSE)
    if job.state == JobState.QUEUED:
        control.cancel(job)
    return False
