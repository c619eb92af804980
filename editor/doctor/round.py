"""The doctor's round: all checks in order; one that can't be made, or breaks, keeps none of the others from being."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from editor.doctor import accounts, addresses, choices, objects, parts, processes, reviews, settled, stuck, told
from editor.doctor.findings import Ask, Check, Finding, Level, problem, warning

log = logging.getLogger(__name__)

CHECKS = (
    Check("settings", parts.look_at_settings),
    Check("database", parts.look_at_database, needs=("settings",)),
    Check("chosen settings", choices.look_at_choices, needs=("database",)),
    Check("redis", parts.look_at_redis, needs=("settings",)),
    Check("bucket", parts.look_at_bucket, needs=("settings",)),
    Check("flux server", parts.look_at_flux_server, needs=("settings",)),
    Check("webhook", addresses.look_at_webhook, needs=("settings",)),
    Check("clock", processes.look_at_clock, needs=("database",)),
    Check("workers", processes.look_at_workers, needs=("redis",)),
    Check("stuck", stuck.look_at_edits, needs=("database",)),
    Check("attempts", settled.look_at_attempts, needs=("database",)),
    Check("ledger", accounts.look_at_ledger, needs=("database",)),
    Check("notifications", told.look_at_numbers, needs=("database",)),
    Check("reviews", reviews.look_at_reviews, needs=("database",)),
    Check("objects", objects.look_at_objects, needs=("database", "bucket")),
)


def make_round(ask: Ask, checks: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """What each check found, one at a time, so that a person sees the doctor at work."""
    failed: set[str] = set()
    for check in checks:
        for finding in _looked(check, ask, failed):
            if finding.level == Level.PROBLEM:
                failed.add(check.name)
            yield replace(finding, check=check.name)


def _looked(check: Check, ask: Ask, failed: set[str]) -> Iterator[Finding]:
    missing = [name for name in check.needs if name in failed]
    if missing:
        failed.add(check.name)  # nor can what needs this one
        yield warning(f"Not looked at, because of the {missing[0]}.", f"Mend the {missing[0]} first, then ask again.")
        return
    try:
        yield from check.look(ask)
    except Exception as error:
        log.exception("The check of %s broke.", check.name)
        yield problem(f"The check itself broke ({type(error).__name__}).", "The log has the details; please report it.")
