"""What an edit changed: one row per result that somebody wants to see that of."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from editor.models.images import Image, ImageState


class ChangeState(models.TextChoices):
    WANTED = "wanted"  # a worker is to make it
    MADE = "made"  # it lies in the bucket
    NONE = "none"  # there can't be one; the reason says why


class NoChangeMap(models.TextChoices):
    """Why there is none, in words for people."""

    SHAPE = "shape", "The result has another shape than its source, so nothing lies over anything."
    SMALL = "small", "The pictures are too small to be compared."
    SOURCE = "source", "The picture that it was made from is not there any more."
    GONE = "gone", "The picture is not there any more."
    FAILED = "failed", "It could not be worked out."


PASSING = [NoChangeMap.SOURCE, NoChangeMap.GONE, NoChangeMap.FAILED]
"""Reasons that may be over when somebody asks again."""


class Extent(models.TextChoices):
    """How much of a result changed, in steps that the test set can tell apart."""

    HARDLY = "hardly", "Hardly changed"
    LITTLE = "little", "Changed a little"
    MUCH = "much", "Changed much"

    @classmethod
    def of(cls, share: float) -> "Extent":
        return cls.HARDLY if share < LITTLE_FROM else cls.LITTLE if share < MUCH_FROM else cls.MUCH

    @property
    def bounds(self) -> tuple[float, float]:
        """From the first share on, and below the second one."""
        steps = [0.0, LITTLE_FROM, MUCH_FROM, 1.1]
        place = list(Extent).index(self)
        return steps[place], steps[place + 1]


LITTLE_FROM, MUCH_FROM = 0.02, 0.3  # of the area; below the first one it may be noise


class ChangeMapQuerySet(models.QuerySet["ChangeMap"]):
    def due(self, now: datetime) -> "ChangeMapQuerySet":
        """To be made now, those of the newest results first."""
        return self.filter(state=ChangeState.WANTED, due_at__lte=now).order_by("-created_at")

    def made_of(self, images: Iterable[UUID]) -> set[UUID]:
        """Of these pictures those that have a map in the bucket."""
        return set(self.filter(image__in=list(images), state=ChangeState.MADE).values_list("image_id", flat=True))

    def promise(self, images: Iterable[Image]) -> None:
        """One for each of these results; those that have one, or were found to have none, keep it."""
        self.bulk_create([ChangeMap(image=image) for image in images], ignore_conflicts=True)


class ChangeMap(models.Model):
    """The map of what an edit changed in one of its results, over the first of its sources.

    `wanted → made | none`; each is a compare-and-set on the state. The map is drawn from two pictures whose bytes never
    change, so whoever makes it, and however often, writes the same.
    """

    image = models.OneToOneField(Image, on_delete=models.CASCADE, primary_key=True, related_name="change_map")
    state = models.CharField(max_length=10, choices=ChangeState.choices, default=ChangeState.WANTED)
    reason = models.CharField(max_length=10, choices=NoChangeMap.choices, blank=True)
    share = models.FloatField(null=True, blank=True)  # of the area that changed, 0 to 1
    byte_size = models.PositiveIntegerField(default=0)  # of the object
    method = models.PositiveSmallIntegerField(default=0)  # of the comparison
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    made_at = models.DateTimeField(null=True, blank=True)

    objects = ChangeMapQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], name="change_map_wanted", condition=Q(state="wanted")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="made") | Q(share__gte=0, share__lte=1, made_at__isnull=False),
                name="change_map_made_is_whole",
            ),
            models.CheckConstraint(
                condition=(Q(state="none") & ~Q(reason="")) | (~Q(state="none") & Q(reason="")),
                name="change_map_none_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"what changed in {self.image_id}"

    @property
    def is_made(self) -> bool:
        return self.state == ChangeState.MADE

    @property
    def is_wanted(self) -> bool:
        return self.state == ChangeState.WANTED

    @property
    def extent(self) -> Extent | None:
        return Extent.of(self.share) if self.share is not None else None

    @property
    def percent(self) -> int | None:
        """Of the area, roughly: in steps of five, in ones below ten. None where it may be noise."""
        if self.share is None or self.share < LITTLE_FROM:
            return None
        whole = round(self.share * 100)
        return whole if whole < 10 else 5 * round(self.share * 20)

    @property
    def may_come(self) -> bool:
        """Whether it is worth asking again for one that is not there."""
        return self.reason in PASSING

    def claim(self, lease: timedelta) -> bool:
        """For the time of the lease nobody else makes it, unless somebody is told to. False if it is not due."""
        now = timezone.now()
        rows = ChangeMap.objects.filter(pk=self.pk, state=ChangeState.WANTED, due_at__lte=now)
        done = rows.update(due_at=now + lease, tries=F("tries") + 1)
        if done:
            self.refresh_from_db()
        return bool(done)

    def become_made(self, *, share: float, byte_size: int, method: int) -> bool:
        """wanted → made. False if it was decided meanwhile."""
        values = {"share": share, "byte_size": byte_size, "method": method, "made_at": timezone.now()}
        return self._settle(ChangeState.MADE, **values)

    def give_up(self, reason: NoChangeMap) -> bool:
        """wanted → none."""
        return self._settle(ChangeState.NONE, reason=reason)

    def _settle(self, state: ChangeState, **values: object) -> bool:
        rows = ChangeMap.objects.filter(pk=self.pk, state=ChangeState.WANTED)
        return bool(rows.update(state=state, **values))

    def look_later(self, at: datetime) -> None:
        ChangeMap.objects.filter(pk=self.pk, state=ChangeState.WANTED).update(due_at=at)


def can_have_one(image: Image) -> bool:
    """Whether it is the result of an edit, ready and there."""
    return image.job_id is not None and image.state == ImageState.READY and image.purged_at is None
