"""What people set in the administration: `chosen.EDITS_PER_DAY` is what holds now, read like Django's settings.

A row says it, or else the environment, or else what is built in (`project/adjustable.py`). Each process asks the
database once in LIFE seconds at most, so that a change holds everywhere that soon and a page costs no query more.
"""

import logging
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, models, transaction
from django.db.models import F
from django.utils import timezone

if TYPE_CHECKING:
    from editor.models.users import User

LIFE = 3.0
log = logging.getLogger(__name__)


class ChangedMeanwhile(Exception):  # noqa: N818  it says what is the matter
    """Somebody else changed the setting after it was looked at."""


class SettingManager(models.Manager["Setting"]):
    def change(self, name: str, value: str | None, *, seen: int, by: "User") -> "Setting":
        """Set a value that was checked before, or with None leave it to the default. `seen`: the version looked at.

        Raises ChangedMeanwhile.
        """
        with transaction.atomic():
            self.get_or_create(name=name)
            rows = self.filter(name=name, version=seen)
            if not rows.update(value=value, version=F("version") + 1, changed_at=timezone.now(), changed_by=by):
                raise ChangedMeanwhile
            transaction.on_commit(chosen.forget)
        chosen.forget()
        return self.get(name=name)

    def of(self, name: str) -> "Setting":
        """The row, or one that is not saved and says nothing."""
        return self.filter(name=name).select_related("changed_by").first() or Setting(name=name)


class Setting(models.Model):
    """What was said about one setting. It stays when the default holds again, so that versions go on."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.TextField(null=True, blank=True)  # noqa: DJ001  None: the default holds; "" is a value
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = SettingManager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Chosen:
    """All settings of people, by name. For many threads; tests that set `settings.X` are heard where no row speaks."""

    EDITS_PER_DAY: int
    WAITING_PER_USER: int
    WAITING_PER_WORKSPACE: int
    BLOCKED_PER_DAY: int
    UPLOADS_PER_DAY: int
    UPLOADS_WAITING: int
    FLUX_PRICE: float
    WORKSPACE_PICTURES_PER_MONTH: int | None
    WORKSPACE_MONEY_PER_MONTH: float | None
    SIGNUP: str
    TRASH_DAYS: int
    QUARANTINE_DAYS: int
    PORTAL_RUN_BY: str
    PORTAL_CONTACT: str
    PORTAL_WELCOME: str
    PORTAL_NOTICE: str
    PORTAL_TERMS: str
    PORTAL_PRIVACY: str

    def __init__(self) -> None:
        self._said: dict[str, Any] | None = None  # by rows; None: never asked
        self._until = 0.0

    def __getattr__(self, name: str) -> Any:
        """Raises AttributeError for what is no setting of people; DatabaseError if it was never known."""
        if name not in settings.ADJUSTABLE:
            raise AttributeError(f"{name} is no setting of people.")
        said = self._now()
        return said[name] if name in said else getattr(settings, name)

    def forget(self) -> None:
        """Ask anew next time."""
        self._until = 0.0

    def suppose(self, said: dict[str, Any]) -> None:
        """Take this for what rows say, until `forget`. For tests that count queries or have no database."""
        self._said, self._until = said, float("inf")

    def _now(self) -> dict[str, Any]:
        if self._said is not None and time.monotonic() < self._until:
            return self._said
        try:
            rows = Setting.objects.exclude(value=None).values_list("name", "value")
            said = dict(valid(name, value) for name, value in rows if problem_of(name, value) is None)
        except (DatabaseError, SynchronousOnlyOperation):
            # What held a moment ago is better than the defaults, which might be without limits or open to all.
            if self._said is None:
                raise
            log.warning("The settings of people could not be read; those of before hold.", exc_info=True)
            said = self._said
        self._said, self._until = said, time.monotonic() + LIFE
        return said


def valid(name: str, value: str | None) -> tuple[str, Any]:
    return name, settings.ADJUSTABLE[name].parsed(value or "")


def problem_of(name: str, value: str | None) -> str | None:
    """Why what a row says can't hold, in a sentence."""
    if name not in settings.ADJUSTABLE:
        return "There is no such setting."
    try:
        valid(name, value)
    except ValueError as error:
        return str(error)
    return None


chosen = Chosen()
