"""`python -m tests.bench [--database sqlite] [NAME …]`: measure all of it, or only what is named."""

import argparse
import os
import platform
import sys
import time
from importlib import import_module

from project.embedded.process import StartError
from tests.bench.stage import Stage
from tests.bench.table import Row, lines

NAMES = (
    "overhead", "pages", "library", "history", "moderation", "operate", "storage", "told", "changes", "batches",
    "streams", "turns", "flight", "recovery", "fleet",
)  # fmt: skip


def measure(name: str, stage: Stage) -> list[Row]:
    # Only now: these know Django's models, and those want their settings first.
    rows: list[Row] = import_module(f"tests.bench.{name}").measure(stage)
    return rows


def find_stage(wished: str) -> tuple[Stage, str]:
    """The stage on the wished database; on SQLite where nothing was wished and there is no PostgreSQL."""
    if wished:
        return Stage(wished), wished
    try:
        return Stage("postgres"), "postgres"
    except StartError as error:
        print(f"Measuring on SQLite. {error}", flush=True)
        return Stage("sqlite"), "sqlite"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures the portal. Never fails on time.")
    parser.add_argument("names", nargs="*", choices=NAMES, default=list(NAMES), help="only these")
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="")
    options = parser.parse_args()
    began = time.monotonic()
    stage, database = find_stage(options.database)
    rows: list[Row] = []
    try:
        for name in options.names:
            print(f"Measuring {name} …", flush=True)
            rows += measure(name, stage)
    finally:
        stage.close()
    print(f"\n{database}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; ")
    print("medians over all rounds unless they say otherwise; PostgreSQL of the tests does not flush to disk\n")
    print("\n".join(lines(rows)))
    print(f"\nMeasured in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
