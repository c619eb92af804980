"""Where the bars and numbers of the dashboard lead."""

from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from editor.jobs.periods import write_period
from editor.models import JobState, User


class Links:
    """Addresses for those who may open them; "" for the others."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def _sees_jobs(self) -> bool:
        return self.user.is_staff and self.user.has_perm("editor.view_generationjob")

    def jobs(self, **filters: str) -> str:
        """The administration's list of edits, narrowed."""
        address = reverse("admin:editor_generationjob_changelist")
        return f"{address}?{urlencode(filters)}" if self._sees_jobs else ""

    def ended(self, since: datetime, until: datetime, **filters: str) -> str:
        return self.jobs(ended=write_period(since, until), **filters)

    @property
    def waiting(self) -> str:
        return self.jobs(state__exact=JobState.QUEUED)

    @property
    def held(self) -> str:
        return self.jobs(state__exact=JobState.HELD)

    @property
    def unconfirmed(self) -> str:
        return self.jobs(state__exact=JobState.UNCONFIRMED)

    @property
    def desk(self) -> str:
        return reverse("desk") if self.user.has_perm("editor.moderate") else ""

    @property
    def flux(self) -> str:
        """The page of the flux server, or its row in the administration where there is none."""
        return _page("operate_flux") or reverse("admin:editor_fluxserver_changelist")

    @property
    def storage(self) -> str:
        return _page("operate_storage")


def _page(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
