"""The figures of the dashboard: today by the hour, this week by the day, each beside a week before. Days are UTC's."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Max, Sum
from django.db.models.functions import TruncDay

from editor.models import Figure, Measure
from editor.models.figures import HOUR, SAMPLED, hour_of

DAY, WEEK = timedelta(days=1), timedelta(days=7)
SUMMED = (Measure.MONEY, Measure.PICTURES, Measure.UPLOADS, Measure.PEOPLE)
HOURLY = (Measure.ENDED, Measure.FAILED, Measure.P50, Measure.P95, Measure.WAITING, *SUMMED)
DAILY = (*SUMMED, Measure.STORED, Measure.PURGED, Measure.CASES)
Found = dict[tuple[str, str], dict[datetime, Decimal]]


@dataclass(frozen=True)
class Weeks:
    """Three queries, whatever is shown."""

    now: datetime

    @property
    def today(self) -> datetime:
        return self.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def hours(self) -> list[datetime]:
        """Those of today, in the future, too."""
        return [self.today + number * HOUR for number in range(24)]

    @property
    def days(self) -> list[datetime]:
        """The last seven, today's the last."""
        return [self.today - number * DAY for number in reversed(range(7))]

    @cached_property
    def _by_hour(self) -> Found:
        """Of today and of the same day a week before."""
        found: Found = defaultdict(dict)
        hours = [*self.hours, *(hour - WEEK for hour in self.hours)]
        rows = Figure.objects.filter(measure__in=HOURLY, hour__in=hours)
        for measure, label, hour, value in rows.values_list("measure", "label", "hour", "value"):
            found[measure, label][hour] = value
        return found

    @cached_property
    def _by_day(self) -> Found:
        """Of these seven days and the seven before."""
        found: Found = defaultdict(dict)
        rows = Figure.objects.within(self.days[0] - WEEK, self.today + DAY).filter(measure__in=DAILY)
        sums = rows.annotate(day=TruncDay("hour", tzinfo=UTC)).values_list("measure", "label", "day")
        for measure, label, day, all_of, most in sums.annotate(Sum("value"), Max("value")):
            found[measure, label][day] = most if measure in SAMPLED else all_of
        return found

    @cached_property
    def _before(self) -> dict[tuple[str, str], Decimal]:
        """Bytes that came and went before all days that are shown."""
        rows = Figure.objects.filter(measure__in=[Measure.STORED, Measure.PURGED], hour__lt=self.days[0] - WEEK)
        return {
            (measure, label): value
            for measure, label, value in rows.values_list("measure", "label").annotate(Sum("value"))
        }

    def labels(self, measure: Measure) -> list[str]:
        """What there is of a measure today or a week before, the most of today first."""
        found = [label for known, label in self._by_hour if known == measure]
        return sorted(found, key=lambda label: (-self.of_today(measure, label), label))

    def at(self, measure: Measure, label: str, hour: datetime) -> Decimal | None:
        """0 where nothing was; None for an hour that has not begun."""
        if hour > self.now:
            return None
        return self._by_hour.get((measure, label), {}).get(hour, Decimal(0))

    def on(self, measure: Measure, label: str, day: datetime) -> Decimal:
        return self._by_day.get((measure, label), {}).get(day, Decimal(0))

    def of_today(self, measure: Measure, label: str) -> Decimal:
        return sum((self.at(measure, label, hour) or Decimal(0) for hour in self.hours), Decimal(0))

    def a_week_ago(self, measure: Measure, label: str) -> Decimal:
        """As far as that day had come at this time; of the hour that is under way its part."""
        part = Decimal((self.now - hour_of(self.now)) / HOUR)
        over = sum((self.before(measure, label, hour) for hour in self.hours if hour + HOUR <= self.now), Decimal(0))
        return over + part * self.before(measure, label, hour_of(self.now))

    def before(self, measure: Measure, label: str, hour: datetime) -> Decimal:
        return self._by_hour.get((measure, label), {}).get(hour - WEEK, Decimal(0))

    def stock(self, kind: str, day: datetime) -> Decimal:
        """Bytes that lay in the bucket at the end of a day, or lie there now."""
        came, went = (self._until(measure, kind, day) for measure in (Measure.STORED, Measure.PURGED))
        return max(came - went, Decimal(0))

    def _until(self, measure: Measure, label: str, day: datetime) -> Decimal:
        known = self._by_day.get((measure, label), {})
        return self._before.get((measure, label), Decimal(0)) + sum(
            (value for each, value in known.items() if each <= day), Decimal(0)
        )
