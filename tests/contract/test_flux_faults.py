"""Every quirk and fault that the sandbox can play, met by a real edit: what the job did, its owner read, and it cost.

What is seen is compared with docs/flux-faults.md; `UPDATE_DOCS=1` writes it there.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial

import pytest

from editor.flux.sandbox.faults import CATALOGUE
from editor.models import Allowance, Attempt, JobState
from tests.contract.documents import DOCS, part, parts, table, updating, write_part
from tests.contract.doors import at_details, at_fetch, at_file_store
from tests.contract.scenes import HEADS, Outcome, Scene, scenes_of, stories
from tests.contract.world import World

PAGE = DOCS / "flux-faults.md"
HEADINGS = list(dict.fromkeys(CATALOGUE.values()))
FETCH = "At the door of `fetch`, where an edit asks how it is doing (free)"
DETAILS = "At the door of `system_details`, which is asked before a pause ends (free)"
FILE_STORE = "At the door of the file store, where sources go if the flux server can't reach the portal (free)"
STORIES = "People, crashes and silence"
SECTIONS: dict[str, Callable[[], Iterable[Scene]]] = {
    **{heading.rstrip(":"): partial(scenes_of, heading) for heading in HEADINGS},
    STORIES: stories,
}
IN_TURN = {FETCH: at_fetch, DETAILS: at_details, FILE_STORE: at_file_store}
ORDER = [*SECTIONS, *IN_TURN]
WITHOUT_PICTURES = {JobState.FAILED, JobState.BLOCKED, JobState.CANCELED}
REMEDY = re.compile(
    r"(?i)\b(?:run it again|try once more|try again|change|say it in another way|may pass|can find out)\b"
)
GOES_ON = ("It goes on by itself.", "we keep trying.")


def named(title: str) -> str:
    """Short, for the test's name."""
    return " ".join(re.findall(r"\w+", title)[:6])


@pytest.mark.parametrize("title", SECTIONS, ids=named)
def test_faults_do_what_the_document_says(
    world: World, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests, title: str
) -> None:
    outcomes: list[Outcome] = []
    waiting = list(SECTIONS[title]())
    while waiting:
        scene = waiting.pop(0)
        outcome = scene.play(world, monkeypatch)
        outcomes.append(outcome)
        waiting[:0] = scene.unheard(outcome)
        with subtests.test(scene.name):
            nothing_was_paid_twice(world, outcome)
            job_came_to_an_end(outcome)
            owner_was_told(outcome)
    observed(title, [outcome.row for outcome in outcomes])


@pytest.mark.parametrize("title", IN_TURN, ids=named)
def test_edit_waits_while_questions_that_cost_nothing_fail(
    world: World, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    observed(title, IN_TURN[title](world, monkeypatch))


def test_the_document_has_a_part_for_each_kind_of_fault_and_no_other() -> None:
    assert parts(PAGE) == ORDER


def observed(title: str, rows: list[list[str]]) -> None:
    """Compare with the document, or write it there."""
    text = f"## {title}\n\n{table(HEADS, rows)}"
    if updating():
        write_part(PAGE, title, text, ORDER)
    assert part(PAGE, title) == text, "Run it with UPDATE_DOCS=1 and look at what changed."


def nothing_was_paid_twice(world: World, outcome: Outcome) -> None:
    """The sandbox took it once, unless its owner asked for more; and each time is written down here."""
    entries = world.accepted(outcome.job)
    assert len(entries) <= 1 + outcome.scene.asked_again
    for entry in entries:
        attempt = Attempt.objects.get(pk=entry["track_id"])
        assert attempt.job_id == outcome.job.pk
        told = {None, str(entry["id"]), f"flx-{entry['prefix']}"}
        assert attempt.vendor_id in told or "webhook-other-id" in entry["faults"]


def job_came_to_an_end(outcome: Outcome) -> None:
    """Whatever happened, it is over, and who got no picture got the allowance back (but for what was canceled late)."""
    job = outcome.job
    assert job.is_final, outcome.story
    if job.state in WITHOUT_PICTURES:
        kept = job.state == JobState.CANCELED and outcome.accepted
        assert job.allowance == (Allowance.TAKEN if kept else Allowance.RELEASED)
    else:
        assert job.results.filter(state="ready").exists()


def owner_was_told(outcome: Outcome) -> None:
    """In whole sentences, which say what to do or that nothing needs doing."""
    for state, words in outcome.read:
        said = re.sub(r"\[[^\]]+\]", "", words).strip()
        assert re.match(r"[A-Z].*[.]$", said), words
        if state == JobState.UNCONFIRMED:
            assert words.endswith("[Send it again] [Let it go]")
        elif state in {JobState.FAILED, JobState.BLOCKED}:
            assert REMEDY.search(said), words
            assert words.endswith(("[Run it again]", "[Change it]")), words
            # Where the flux server may have counted it, all that is certain is that its owner does not pay.
            unsure = outcome.job.failure_code in {"unconfirmed", "timed_out", "result_lost", "server_restarted"}
            assert ("It does not count for you." if unsure else "Nothing was charged.") in words, words
        elif state not in {JobState.SUCCEEDED, JobState.CANCELED}:
            assert any(sentence in said for sentence in GOES_ON), words
    assert outcome.read[-1].state == outcome.job.state
