"""What the measurements stand on: parts of their own, the tables, and portals of real processes."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests import parts

if TYPE_CHECKING:
    from project.embedded.process import Program
    from tests.portal import Portal, SandboxOptions


class Stage:
    """The parts of one bench, and a Django that works on them."""

    def __init__(self, database: str) -> None:
        """`database` is `postgres` or `sqlite`. Raises StartError where the first can't be had."""
        self._ends = ExitStack()
        os.environ["TEST_DATABASE"] = database
        os.environ["LOG_LEVEL"] = "WARNING"
        try:
            self.parts = parts.start(self._at_end)
            _set_up_django()
        except BaseException:
            self.close()
            raise
        self._number = 0

    def close(self) -> None:
        """End the parts."""
        self._ends.close()

    def _at_end(self, end: Callable[[], None]) -> None:
        self._ends.callback(end)

    @contextmanager
    def portal(
        self, options: "SandboxOptions", *, only: tuple[str, ...] = (), extra: Mapping[str, str] | None = None
    ) -> Iterator["Portal"]:
        """A portal, or only some of its processes, with further settings; ended behind the block."""
        from project.embedded.process import Keeper
        from tests.portal import Portal

        self._number += 1
        scratch = Path(os.environ["VAR_DIR"]) / f"portal{self._number}"
        scratch.mkdir(parents=True)
        keeper = Keeper()
        portal = Portal(keeper, scratch, sandbox=options, extra={"LOG_LEVEL": "ERROR", **(extra or {})})
        try:
            portal.run("collectstatic", "--noinput", "--verbosity=0")
            portal.start(*only)
            with portal.adopted():
                yield portal
        finally:
            portal.stop()
            keeper.close()


def _set_up_django() -> None:
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    from django.conf import settings

    # The manifest is for the portal's processes; pages that we render ourselves are measured for their queries alone.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)


def plain_worker(portal: "Portal", module: str, queue: str) -> "Program":
    """A control's worker, a module of the bench. It answers when it stands in Redis as one that listens."""
    from project.embedded import programs
    from project.embedded.process import Program

    return Program(
        name=queue,
        args=[sys.executable, "-m", f"tests.bench.{module}"],
        env=portal.environ,
        cwd=programs.ROOT,
        answers=lambda: programs.listens(portal.redis_url, queue),
    )


def alternately(rounds: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Take each measure once per round, in turn, so that whatever else the machine does strikes all of them."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return found
