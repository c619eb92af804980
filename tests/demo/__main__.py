"""`python -m tests.demo [--url URL]`: exit status 0 if the whole journey went as it should."""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.demo import journey
from tests.demo.browser import Browser, JourneyError

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = "make it look like a watercolour"
EVERYWHERE = ("0.0.0.0", "[::]")  # told apart, not listened on


@contextmanager
def step(what: str) -> Iterator[list[str]]:
    """Tell a step with its time; what is put into the list is told behind it."""
    began = time.monotonic()
    seen: list[str] = []
    try:
        yield seen
    except BaseException:
        print(f"  FAIL {time.monotonic() - began:6.2f} s  {what}", flush=True)
        raise
    print(f"  ok   {time.monotonic() - began:6.2f} s  {what}{': ' if seen else ''}{', '.join(seen)}", flush=True)


def find_portal(given: str | None) -> str:
    """The address of the portal: the given one, or that of the one which runs on VAR_DIR. Raises JourneyError."""
    url = given or address_on(Path(os.environ.get("VAR_DIR") or ROOT / "var"))
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"{url.rstrip('/')}/healthz/", timeout=5).raise_for_status()
    except requests.RequestException:
        raise JourneyError(f"No portal answers at {url}: start `make run` first.") from None
    return url


def address_on(var: Path) -> str:
    """Where the portal listens that was started last on this VAR_DIR. Raises JourneyError."""
    try:
        written = shlex.split((var / "env").read_text())
    except (OSError, ValueError):
        written = []
    bind = next((word.removeprefix("BIND=") for word in written if word.startswith("BIND=")), "")
    if not bind:
        raise JourneyError(f"No portal was ever started on {var}: start `make run` first.")
    host, _, port = bind.rpartition(":")
    return f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"


def drive(url: str) -> None:
    """The whole journey; raises JourneyError."""
    browser = Browser(url)
    with step("Sign up and confirm the address from the mailbox") as seen:
        seen.append(journey.sign_up(browser))
    pictures = upload_all(browser)
    jobs, results = edit_all(browser, pictures)
    with step("Find all of it in the history") as seen:
        journey.see_history(browser, jobs)
        seen.append(f"{len(jobs)} edits")
    with step("Somebody else signs up and gets 404 for every picture and page") as seen:
        stranger = Browser(url)
        journey.sign_up(stranger)
        seen.append(f"{journey.see_nothing_of(stranger, [*pictures, *results], jobs)} addresses")
    with step("Somebody who is not signed in gets no picture either"):
        status = Browser(url).status(f"/images/{results[0]}/master")
        journey.need(status == 404, f"Without signing in, a picture gives {status}.")


def upload_all(browser: Browser) -> list[str]:
    found = []
    for name in ("phone.jpg", "coffee.jpg"):
        with step(f"Upload {name} and wait until it is ready"):
            found.append(journey.upload(browser, name))
            journey.wait_until_ready(browser, found[-1])
        with step(f"Download the master of {name}: upright, no EXIF, no GPS") as seen:
            seen.append(journey.check_master(browser, found[-1], name))
    return found


def edit_all(browser: Browser, pictures: list[str]) -> tuple[list[str], list[str]]:
    """Edit, merge and run again; returns the edits and their results, oldest first."""
    phone, coffee = pictures
    with step(f'Edit phone.jpg: "{WORDS}"'):
        first = journey.edit(browser, phone, WORDS)
        journey.wait_for_edit(browser, first)
    with step("See the result beside its source") as seen:
        before = journey.see_result(browser, first, phone)
        seen.append(f"SHA-256 {before[:12]}…")
    with step('Merge both: "put the cup beside it"'):
        merged = journey.edit(browser, phone, "put the cup beside it", second=coffee)
        journey.wait_for_edit(browser, merged)
        journey.see_result(browser, merged, phone)
    with step("Run the first edit again with the same seed: the same bytes") as seen:
        again = journey.run_again(browser, first)
        journey.wait_for_edit(browser, again)
        after = journey.see_result(browser, again, phone)
        journey.need(after == before, f"The same seed gave other bytes: {before[:12]}… and {after[:12]}….")
        seen.append(f"SHA-256 {after[:12]}…")
    jobs = [first, merged, again]
    return jobs, [journey.result_of(browser, job) for job in jobs]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description="Drives the running portal as a browser would.")
    parser.add_argument("--url", help="address of the portal; without it, that of `make run`")
    began = time.monotonic()
    try:
        url = find_portal(parser.parse_args().url)
        print(f"The portal at {url}/\n", flush=True)
        drive(url)
    except JourneyError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except requests.RequestException as error:
        print(f"\nThe portal stopped answering: {type(error).__name__}.", file=sys.stderr)
        return 1
    print(f"\nAll of it as it should be, in {time.monotonic() - began:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
