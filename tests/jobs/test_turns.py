"""Whose turn it is, by simulation: any backlog, any newcomers, and nobody waits longer than one round."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.jobs.turns import BATCH_EVERY, Flow, Line, Waiting

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLACES = [UUID(int=number) for number in range(1, 6)]

flows = st.builds(Flow, st.booleans(), st.sampled_from(PLACES), st.integers(1, 5))
quick_flows = st.builds(Flow, st.just(True), st.sampled_from(PLACES), st.integers(1, 5))
backlogs = st.dictionaries(flows, st.integers(1, 40), min_size=1)
served = st.dictionaries(st.tuples(st.sampled_from(PLACES), st.integers(1, 5)), st.integers(1, 500))


def line(backlog: dict[Flow, int], taken: dict[tuple[UUID, int], int] | None = None, passed: int = 0) -> Line:
    """The flows in the order of the dictionary, each a second younger than the one before."""
    waiting = [
        Waiting(flow, edits, NOON + timedelta(seconds=number)) for number, (flow, edits) in enumerate(backlog.items())
    ]
    return Line(waiting, taken or {}, max((taken or {}).values(), default=0), passed)


def flow(place: int, person: int = 1, *, interactive: bool = True) -> Flow:
    return Flow(interactive, PLACES[place], person)


@given(backlogs, served)
def test_every_edit_gets_its_turn_exactly_once(backlog: dict[Flow, int], taken: dict[tuple[UUID, int], int]) -> None:
    assert Counter(line(backlog, taken).in_turn(10_000)) == Counter(backlog)


@given(st.dictionaries(quick_flows, st.integers(1, 40), min_size=1), served)
def test_no_workspace_waits_longer_than_one_round(backlog: dict[Flow, int], taken: dict[tuple[UUID, int], int]) -> None:
    left = Counter(each.workspace for each, edits in backlog.items() for _ in range(edits))
    waited: Counter[UUID] = Counter()
    for turn in line(backlog, taken).in_turn(10_000):
        left[turn.workspace] -= 1
        waited[turn.workspace] = 0
        for workspace in (each for each, edits in left.items() if edits and each != turn.workspace):
            waited[workspace] += 1
            assert waited[workspace] < len(left)


@given(st.dictionaries(quick_flows, st.integers(1, 40), min_size=1), served)
def test_no_person_waits_longer_than_one_round_of_their_workspace(
    backlog: dict[Flow, int], taken: dict[tuple[UUID, int], int]
) -> None:
    left = Counter(backlog)
    waited: Counter[Flow] = Counter()
    for turn in line(backlog, taken).in_turn(10_000):
        left[turn] -= 1
        waited[turn] = 0
        colleagues = [each for each in backlog if each.workspace == turn.workspace]
        for each in (each for each in colleagues if left[each] and each != turn):
            waited[each] += 1
            assert waited[each] < len(colleagues)


@given(backlogs, served, st.lists(st.tuples(flows, st.integers(1, 5)), max_size=30))
def test_whoever_comes_meanwhile_goes_at_most_once_before_a_workspace_that_waits(
    backlog: dict[Flow, int], taken: dict[tuple[UUID, int], int], newcomers: list[tuple[Flow, int]]
) -> None:
    """Each turn is drawn anew from what waits then, as admission does it."""
    patient = next(iter(backlog))
    left, numbers, passed = Counter(backlog), dict(taken), 0
    turns = max(taken.values(), default=0)
    before: Counter[UUID] = Counter()
    while True:
        if newcomers:
            newcomer, edits = newcomers.pop()
            left[newcomer] += edits
        waiting = [Waiting(each, edits, NOON) for each, edits in left.items() if edits]
        now = Line(waiting, numbers, turns, passed)
        turn = now.first()
        assert turn is not None
        now.take(turn)
        turns, passed = now.turns, now.batch_passed
        numbers[turn.workspace, turn.person] = turns
        left[turn] -= 1
        if turn.workspace == patient.workspace:
            break
        if turn.interactive or not patient.interactive:
            before[turn.workspace] += 1
        if patient.interactive and turn.interactive:
            assert before[turn.workspace] == 1


def test_newcomer_does_not_wait_for_five_hundred_others() -> None:
    turns = list(line({flow(0): 500, flow(1): 1}, {(PLACES[0], 1): 77}).in_turn(3))
    assert turns == [flow(1), flow(0), flow(0)]


def test_colleagues_in_one_workspace_take_turns_too() -> None:
    turns = list(line({flow(0, 1): 500, flow(0, 2): 2}, {(PLACES[0], 1): 77}).in_turn(4))
    assert turns == [flow(0, 2), flow(0, 1), flow(0, 2), flow(0, 1)]


def test_workspace_of_many_people_gets_no_more_turns_than_one_of_a_single_person() -> None:
    backlog = {flow(0, person): 10 for person in range(1, 6)} | {flow(1): 10}
    assert Counter(turn.workspace for turn in line(backlog).in_turn(20)) == {PLACES[0]: 10, PLACES[1]: 10}


def test_those_who_never_had_a_turn_go_by_age() -> None:
    assert list(line({flow(2): 1, flow(0): 1, flow(1): 1}).in_turn(3)) == [flow(2), flow(0), flow(1)]


def test_interactive_goes_before_batch_but_the_batch_comes_to_its_end() -> None:
    batch = flow(1, interactive=False)
    turns = list(line({batch: 3, flow(0): 40}).in_turn(30))
    assert [number for number, turn in enumerate(turns, 1) if turn == batch] == [
        BATCH_EVERY, 2 * BATCH_EVERY, 3 * BATCH_EVERY
    ]  # fmt: skip


@given(backlogs, st.integers(0, 50))
def test_batch_never_waits_longer_than_ten_turns_for_one(backlog: dict[Flow, int], passed: int) -> None:
    left, since = Counter(backlog), 0
    for turn in line(backlog, passed=passed).in_turn(10_000):
        since = 0 if not turn.interactive else since + 1
        left[turn] -= 1
        assert since < BATCH_EVERY or not any(edits for each, edits in left.items() if not each.interactive)


def test_whoever_can_not_go_now_is_passed_over() -> None:
    now = line({flow(0): 5, flow(1): 1})
    first = now.first()
    assert first == flow(0)
    now.drop(first)
    assert list(now.in_turn(9)) == [flow(1)]


@pytest.mark.parametrize("many", [2_000])
def test_two_hundred_turns_of_thousands_who_wait_take_no_time(many: int) -> None:
    backlog = {Flow(True, UUID(int=number % 300), number): 5 for number in range(many)}
    begun = datetime.now(UTC)
    assert len(list(line(backlog).in_turn(200))) == 200
    assert datetime.now(UTC) - begun < timedelta(seconds=1)
