"""`python -m tests.chaos [N=1000] [SEED=word] [CONTROL=1]`: so many random faults, or the control.

Ends with a table, and fails if anything was lost, repeated or left behind. A round is replayed by its own seed:
`SEED=word:7 N=1`.
"""

import argparse
import faulthandler
import os
import secrets
import signal
import sys
import time
from functools import partial
from pathlib import Path

from project.embedded.process import Keeper, StartError
from tests.bench.stage import Stage


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description="Random faults against a whole portal.")
    parser.add_argument("--faults", type=int, default=60, metavar="N", help="about so many")
    parser.add_argument("--seed", default="", help="of the first round; drawn and printed if not given")
    parser.add_argument("--only", default="", metavar="WORDS", help="only faults whose name holds these words")
    parser.add_argument("--control", action="store_true", help="the same faults to a plain task of RQ")
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="")
    return parser.parse_args()


def find_stage(wished: str) -> tuple[Stage, str]:
    if wished:
        return Stage(wished), wished
    try:
        return Stage("postgres"), "postgres"
    except StartError as error:
        print(f"On SQLite. {error}", flush=True)
        return Stage("sqlite"), "sqlite"


def main() -> int:
    asked = options()
    faulthandler.register(signal.SIGUSR1)  # where does it hang?
    stage, database = find_stage(asked.database)
    seed = asked.seed or secrets.token_hex(4)
    print(f"Chaos on {database}, SEED={seed}", flush=True)
    try:
        if asked.control:
            from tests.chaos import control

            return control.main(stage)
        return _play(stage, database, seed, asked)
    finally:
        stage.close()


def _play(stage: Stage, database: str, seed: str, asked: argparse.Namespace) -> int:
    from django.db import connection, connections

    from tests.chaos.faults import FAULTS
    from tests.chaos.portal import ChaosPortal
    from tests.chaos.round import Round, draw
    from tests.chaos.table import Sum, lines

    names = [name for name in FAULTS if asked.only in name and (database == "postgres" or name != "database restarted")]
    restart = None
    if database == "postgres" and stage.parts is not None:
        parts = stage.parts
        restart = partial(parts.restart, "postgres")
        # A process that is stopped while it holds a lock must not stop us, who are to let it go on.
        connection.settings_dict["OPTIONS"]["options"] = "-c lock_timeout=5s"
        connections.close_all()
    scratch = Path(os.environ["VAR_DIR"]) / "chaos"
    scratch.mkdir(parents=True)
    keeper = Keeper()
    portal = ChaosPortal(keeper, scratch)
    found = Sum()
    began = time.monotonic()
    try:
        portal.run("collectstatic", "--noinput", "--verbosity=0")
        portal.start()
        number = 0
        while found.faults < asked.faults:
            of_round = seed if number == 0 and ":" in seed else f"{seed.partition(':')[0]}:{number}"
            plan = draw(of_round, names)
            outcome = Round(portal, plan, restart).play()
            found.add(outcome)
            bad = "; ".join(outcome.complaints) or "well"
            print(
                f"{of_round}  {len(plan.names)} faults, {outcome.jobs} edits {dict(outcome.states)}, "
                f"{outcome.seconds:.1f} s: {bad}",
                flush=True,
            )
            number += 1
    finally:
        portal.stop()
        keeper.close()
    print("\n".join(lines(found)))
    print(f"\n{found.faults} faults in {number} rounds, SEED={seed}, {time.monotonic() - began:.0f} s.")
    return 1 if found.complaints or found.lost else 0


if __name__ == "__main__":
    sys.exit(main())
