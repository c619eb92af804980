"""The plots of the dashboard, and where their bars lead."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from editor.jobs.figures import STEPS
from editor.models import Allowance, ImageKind, JobState, Measure
from editor.models.figures import HOUR
from editor.views.operate.links import Links
from editor.views.operate.plots import (
    Column,
    Number,
    Part,
    Plot,
    byte_unit,
    say_bytes,
    say_money,
    say_number,
    say_seconds,
    time_unit,
)
from editor.views.operate.weeks import DAY, WEEK, Weeks

ENDS = {
    JobState.SUCCEEDED: Part("done", "done"),
    JobState.BLOCKED: Part("ask", "kept back by the safety check"),
    JobState.CANCELED: Part("quiet", "canceled"),
    JobState.FAILED: Part("bad", "failed"),
}
STEP_WORDS = {
    "whole": ("All in all", "from the click to the stored result"),
    "waiting": ("Waiting for their turn", "from the click until it is sent"),
    "sending": ("Sending", "until the flux server says that it works on it"),
    "processing": ("With the flux server", "until the result is made"),
    "collecting": ("Storing", "until the pictures lie in the bucket"),
}
KINDS = {ImageKind.UPLOADED: Part("series-2", "uploads"), ImageKind.GENERATED: Part("series-1", "results")}
LABEL_EVERY = 6  # hours


@dataclass(frozen=True)
class Cause:
    """A bar of the failures by cause, and how wide it is of a hundred; `earlier_at`: where it ended a week before."""

    words: str
    number: int
    earlier: int
    width: float
    earlier_at: float
    link: str


@dataclass(frozen=True)
class Drawn:
    weeks: Weeks
    links: Links

    @property
    def ended(self) -> Plot:
        """Edits by the hour in which they ended, by how."""
        weeks = self.weeks
        columns = [
            Column(
                label=f"{hour:%H}",
                words=_hour_words(hour),
                values=[weeks.at(Measure.ENDED, state, hour) for state in ENDS],
                earlier=sum(weeks.before(Measure.ENDED, state, hour) for state in ENDS),
                links=[self.links.ended(hour, hour + HOUR, state__exact=state) for state in ENDS],
                labelled=hour.hour % LABEL_EVERY == 0,
            )
            for hour in weeks.hours
        ]
        today, earlier = (sum(of(Measure.ENDED, state) for state in ENDS) for of in (weeks.of_today, weeks.a_week_ago))
        return Plot(
            "ended",
            "Edits",
            list(ENDS.values()),
            columns,
            say_number,
            sum=f"{today:,.0f} today",
            compared=_compared(today, earlier, say_number),
        )

    @property
    def causes(self) -> list[Cause]:
        """Failures of today by cause, the most first."""
        weeks, since = self.weeks, self.weeks.today
        codes = weeks.labels(Measure.FAILED)
        both = {
            code: (int(weeks.of_today(Measure.FAILED, code)), round(weeks.a_week_ago(Measure.FAILED, code)))
            for code in codes
        }
        most = max((max(pair) for pair in both.values()), default=0) or 1
        return [
            Cause(
                code.replace("_", " ").capitalize(),
                now,
                then,
                round(100 * now / most, 1),
                round(100 * then / most, 1),
                self.links.ended(since, since + DAY, state__exact=JobState.FAILED, cause=code) if now else "",
            )
            for code, (now, then) in both.items()
            if now or then
        ]

    @property
    def waiting(self) -> Plot:
        weeks = self.weeks
        columns = [
            Column(
                f"{hour:%H}",
                _hour_words(hour),
                [weeks.at(Measure.WAITING, "", hour)],
                weeks.before(Measure.WAITING, "", hour),
                labelled=hour.hour % LABEL_EVERY == 0,
            )
            for hour in weeks.hours
        ]
        most = max(weeks.at(Measure.WAITING, "", hour) or 0 for hour in weeks.hours)
        earlier = max(weeks.before(Measure.WAITING, "", hour) for hour in weeks.hours if hour <= weeks.now)
        return Plot(
            "waiting",
            "Waiting for their turn",
            [Part("series-2", "the most at once")],
            columns,
            say_number,
            sum=f"{most:,.0f} at most today",
            compared=_compared(most, earlier, say_number),
            link=self.links.waiting,
            link_words="Those that wait now",
        )

    @property
    def cases(self) -> Plot:
        """Cases that nobody had decided, at their most of each day."""
        weeks = self.weeks
        days = [(day, weeks.on(Measure.CASES, "", day), weeks.on(Measure.CASES, "", day - WEEK)) for day in weeks.days]
        columns = [
            Column(f"{day:%a}", _day_words(day), [most], earlier, link=self.links.desk) for day, most, earlier in days
        ]
        _, most, earlier = days[-1]
        return Plot(
            "cases",
            "Moderation queue",
            [Part("series-2", "the most at once")],
            columns,
            say_number,
            sum=f"{most:,.0f} at most today",
            compared=_compared(most, earlier, say_number, "a week before, all day"),
            link=self.links.desk,
            link_words="To the desk",
        )

    @property
    def steps(self) -> list[Plot]:
        return [self._step(step) for step in sorted(STEPS, key=list(STEP_WORDS).index)]

    def _step(self, step: str) -> Plot:
        """Where half of the edits of an hour, and all but a twentieth, were through."""
        weeks = self.weeks
        title, hint = STEP_WORDS[step]
        columns = [
            Column(
                f"{hour:%H}",
                _hour_words(hour),
                [weeks.at(measure, step, hour) for measure in (Measure.P50, Measure.P95)],
                weeks.before(Measure.P95, step, hour),
                labelled=hour.hour % LABEL_EVERY == 0,
                link=self.links.ended(hour, hour + HOUR, state__exact=JobState.SUCCEEDED),
            )
            for hour in weeks.hours
        ]
        lately = next((hour for hour in reversed(weeks.hours) if weeks.at(Measure.P50, step, hour)), None)
        said = compared = ""
        if lately is not None:
            p50, p95 = (weeks.at(measure, step, lately) or 0 for measure in (Measure.P50, Measure.P95))
            said = f"p50 {say_seconds(p50)}, p95 {say_seconds(p95)}"
            earlier = [weeks.before(measure, step, lately) for measure in (Measure.P50, Measure.P95)]
            compared = f"{say_seconds(earlier[0])} and {say_seconds(earlier[1])} a week before" if all(earlier) else ""
        parts = [Part("series-2", "half took at most (p50)"), Part("series-2-soft", "19 of 20 took at most (p95)")]
        return Plot(
            f"step-{step}",
            title,
            parts,
            columns,
            say_seconds,
            sum=said,
            compared=compared,
            stacked=False,
            whole=False,
            unit=time_unit,
            hint=hint,
            earlier_name="p95 a week before",
        )

    @property
    def money(self) -> Plot:
        return self._daily(
            "money",
            "Spend",
            Measure.MONEY,
            Part("series-1", "spent"),
            say_money,
            whole=False,
            link=lambda day: self.links.ended(day, day + DAY, allowance__exact=Allowance.TAKEN),
        )

    @property
    def pictures(self) -> Plot:
        return self._daily(
            "pictures",
            "Pictures made",
            Measure.PICTURES,
            Part("done", "made"),
            say_number,
            link=lambda day: self.links.ended(day, day + DAY, allowance__exact=Allowance.TAKEN),
        )

    @property
    def uploads(self) -> Plot:
        return self._daily("uploads", "Uploads", Measure.UPLOADS, Part("series-2", "uploaded"), say_number)

    @property
    def people(self) -> Plot:
        return self._daily("people", "New people", Measure.PEOPLE, Part("series-3", "new"), say_number)

    def _daily(
        self,
        name: str,
        title: str,
        measure: Measure,
        part: Part,
        say: Callable[[Number], str],
        *,
        whole: bool = True,
        link: Callable[[datetime], str] = lambda day: "",
    ) -> Plot:
        weeks = self.weeks
        columns = [
            Column(
                f"{day:%a}",
                _day_words(day),
                [weeks.on(measure, "", day)],
                weeks.on(measure, "", day - WEEK),
                link=link(day),
            )
            for day in weeks.days
        ]
        today, earlier = weeks.of_today(measure, ""), weeks.a_week_ago(measure, "")
        return Plot(
            name,
            title,
            [part],
            columns,
            say,
            sum=f"{say(today)} today",
            compared=_compared(today, earlier, say),
            whole=whole,
        )

    @property
    def storage(self) -> Plot:
        """Masters in the bucket at the end of each day."""
        weeks = self.weeks
        columns = [
            Column(
                f"{day:%a}",
                _day_words(day),
                [weeks.stock(kind, day) for kind in KINDS],
                sum(weeks.stock(kind, day - WEEK) for kind in KINDS),
                link=self.links.storage,
            )
            for day in weeks.days
        ]
        now, earlier = (sum(weeks.stock(kind, day) for kind in KINDS) for day in (weeks.today, weeks.today - WEEK))
        return Plot(
            "storage",
            "Storage",
            list(KINDS.values()),
            columns,
            say_bytes,
            sum=f"{say_bytes(now)} now",
            compared=_compared(now, earlier, say_bytes, "a week before"),
            unit=byte_unit,
            whole=False,
            hint="Pictures as people download them; smaller copies of them come on top.",
            link=self.links.storage,
            link_words="By workspace and kind",
        )


def _hour_words(hour: datetime) -> str:
    return f"{hour:%H}:00–{hour + HOUR:%H}:00"


def _day_words(day: datetime) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _compared(
    now: Number, earlier: Number, say: Callable[[Number], str], when: str = "a week before by this time"
) -> str:
    """What it was, and by how much it differs where that means anything."""
    if not earlier:
        return f"none {when}" if now else ""
    change = round(100 * (float(now) / float(earlier) - 1))
    differs = f", {change:+d} %" if 0 < abs(change) < 1_000 else ""
    return f"{say(earlier)} {when}{differs}".replace("-", "−")
