"""What happened in each hour, in numbers, so that plots of weeks are drawn without reading the rows behind them."""

from datetime import datetime, timedelta

from django.db import models

HOUR = timedelta(hours=1)


def hour_of(moment: datetime) -> datetime:
    """The full hour in which it lies."""
    return moment.replace(minute=0, second=0, microsecond=0)


class Measure(models.TextChoices):
    """What is counted; in brackets what its labels are. Everything belongs to the hour in which it happened."""

    ENDED = "ended"  # edits that ended (state)
    FAILED = "failed"  # those of them that failed (failure code)
    MONEY = "money"  # spent, in the currency of the bill
    PICTURES = "pictures"  # made and paid
    UPLOADS = "uploads"
    PEOPLE = "people"  # new ones
    STORED = "stored"  # bytes of masters that came (kind of picture)
    PURGED = "purged"  # bytes of masters that went for good (kind)
    P50 = "p50"  # seconds that half of the edits that succeeded took at most (step)
    P95 = "p95"  # and all but a twentieth
    WAITING = "waiting"  # edits that waited for their turn, the most at once that a clock saw
    CASES = "cases"  # moderation cases that nobody had decided, likewise


SAMPLED = {Measure.WAITING, Measure.CASES}
"""Seen at a moment and known from no row afterwards: these are never counted again."""


class FigureQuerySet(models.QuerySet["Figure"]):
    def within(self, since: datetime, until: datetime) -> "FigureQuerySet":
        """Of the hours from `since` until before `until`."""
        return self.filter(hour__gte=since, hour__lt=until)

    def raise_to(self, hour: datetime, measure: Measure, value: int) -> None:
        """Remember the highest value that was seen in an hour."""
        figure, made = self.get_or_create(hour=hour, measure=measure, label="", defaults={"value": value})
        if not made:
            self.filter(pk=figure.pk, value__lt=value).update(value=value)


class Figure(models.Model):
    """One number of one hour. What is 0 has no row."""

    hour = models.DateTimeField()
    measure = models.CharField(max_length=10, choices=Measure.choices)
    label = models.CharField(max_length=30, blank=True)
    value = models.DecimalField(max_digits=20, decimal_places=4)

    objects = FigureQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["measure", "hour", "label"], name="figure_once_an_hour")]
        indexes = [models.Index(fields=["hour"], name="figure_of_hour")]

    def __str__(self) -> str:
        return f"{self.measure} {self.label} {self.hour:%Y-%m-%d %H:00}: {self.value}"
