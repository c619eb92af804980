"""The processes by themselves: all that they need comes from the environment, and half of it is refused."""

import subprocess

import pytest
import requests

from editor.models import Image, JobState
from project.embedded.programs import ROOT
from tests.portal import Portal
from tests.processes.conftest import ask, wait_for


def test_portal_runs_on_its_environment_alone(portal: Portal, picture: Image) -> None:
    assert portal.environ["EMBEDDED"] == "0"
    wait_for(ask(picture), JobState.SUCCEEDED)
    assert requests.get(f"{portal.url}/mailbox/", timeout=10).status_code == 404


def test_separate_sandbox_is_reached_through_its_key_and_address_alone(portal: Portal, picture: Image) -> None:
    assert {name for name in portal.environ if name.startswith("FLUX_")} == {"FLUX_API_KEY", "FLUX_BASE_URL"}
    job = ask(picture, "pop art", seed=4711)
    wait_for(job, JobState.SUCCEEDED)
    assert [entry["seed"] for entry in portal.accepted_for(job)] == [4711]
    assert job.results.get().sandbox


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("web", ["DATABASE_URL", "S3_BUCKET"]),
        ("edits", ["REDIS_URL", "S3_SECRET_ACCESS_KEY"]),
        ("pictures", ["SECRET_KEY", "PUBLIC_URL"]),
        ("clock", ["FLUX_API_KEY", "S3_ACCESS_KEY_ID"]),
    ],
)
def test_process_refuses_to_start_on_half_an_environment(portal: Portal, name: str, missing: list[str]) -> None:
    environ = {key: value for key, value in portal.environ.items() if key not in missing}
    command = list(portal.children[name].program.args)
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode > 0
    assert [variable for variable in missing if f"{variable} is not set." in done.stderr] == missing
