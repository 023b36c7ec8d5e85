"""The core does what the model does: the same acts in the same order, states, deadlines and
reasons."""

from collections import Counter
from itertools import groupby
from pathlib import Path

import lockstep_groups as groups
import pytest
from lockstep import Case, Pair, explain
from rfc9568 import Advert, Group, Router
from rfc9568_rows import TABLE, Row
from rfc9568_words import ACTIONS, CONDITIONS

BLOCK = 1000
BLOCKS = 5
GROUP_BLOCK = 700
SEEDS = Path(__file__).with_name("seeds.txt")
TRANSCRIPTS = sorted(Path(__file__).with_name("transcripts").glob("*.json"))


def kept_seeds() -> list[int]:
    lines = (line.partition("#")[0].strip() for line in SEEDS.read_text().splitlines())
    return [int(line) for line in lines if line]


def assert_same(seeds: range) -> None:
    for seed in seeds:
        difference = explain(Case(seed))
        assert not difference, difference


def assert_groups_same(seeds: range) -> None:
    for seed in seeds:
        difference = groups.explain(groups.random_case(seed))
        assert not difference, difference


# ---- what once differed ----


@pytest.mark.parametrize("seed", kept_seeds())
def test_seed_that_once_differed(seed: int) -> None:
    difference = explain(Case(seed))
    assert not difference, difference


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
def test_transcript_that_once_differed(path: Path) -> None:
    case = groups.GroupCase.from_json(path.read_text())
    assert case.operations
    difference = groups.run(case)
    assert not difference, f"{case.name}\n{difference}"


# ---- random sequences ----


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_sequences(block: int) -> None:
    assert_same(range(block * BLOCK, (block + 1) * BLOCK))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_sequences_of_groups(block: int) -> None:
    assert_groups_same(range(block * GROUP_BLOCK, (block + 1) * GROUP_BLOCK))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_more_random_sequences(block: int) -> None:
    assert_same(range(1_000_000 + block * 4000, 1_000_000 + (block + 1) * 4000))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(15))
def test_many_more_random_sequences_of_groups(block: int) -> None:
    assert_groups_same(range(1_000_000 + block * 4000, 1_000_000 + (block + 1) * 4000))


@pytest.mark.slow
def test_long_sequences() -> None:
    for seed in range(2_000_000, 2_000_020):
        case = Case(seed, length=20_000)
        difference = Pair(case).run(case.operations)
        assert not difference, f"seed {seed}: {difference}"


@pytest.mark.slow
def test_long_sequences_of_groups() -> None:
    for seed in range(2_000_000, 2_000_020):
        difference = groups.run(groups.random_case(seed, length=5000))
        assert not difference, f"seed {seed}: {difference}"


# ---- the comparison compares something ----


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Counter[Row]:
    """How often each row of the table was carried out."""
    counter: Counter[Row] = Counter()
    carry_out = Router._carry_out

    def counting(router: Router, row: Row, advert: Advert | None) -> None:
        counter[row] += 1
        carry_out(router, row, advert)

    monkeypatch.setattr(Router, "_carry_out", counting)
    return counter


def test_random_sequences_take_every_row_of_the_table(taken: Counter[Row]) -> None:
    """Given a block of random sequences of each kind, then no row of the table is taken less than
    ten times: what the comparison never reaches, it does not prove."""
    for seed in range(BLOCK):
        case = Case(seed)
        Pair(case).run(case.operations)
    for seed in range(2 * GROUP_BLOCK):
        groups.run(groups.random_case(seed))
    rare = [(taken[row], row) for row in TABLE if taken[row] < 10]
    assert not rare, rare


def test_difference_is_found_and_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a model that forgets one rule, then a random sequence tells, and what it prints is
    short and can be kept."""
    monkeypatch.setattr(Group, "owners", lambda self: False)
    told = next(t for seed in range(500) if (t := groups.explain(groups.random_case(seed))))
    kept = groups.GroupCase.from_json(told[told.index("{\n") :])
    assert len(kept.operations) < 20
    assert groups.run(kept)
    monkeypatch.undo()
    assert not groups.run(kept)


def test_transcript_is_read_as_it_was_written() -> None:
    case = groups.random_case(1)
    assert groups.GroupCase.from_json(case.to_json()) == case


# ---- the table ----


def test_table_knows_its_words() -> None:
    used = {action for row in TABLE for action in row.do}
    assert used == set(ACTIONS)
    assert {row.when for row in TABLE} == set(CONDITIONS)
    assert {row.then for row in TABLE} - {None} <= {row.state for row in TABLE}
    assert {row.group for row in TABLE} - {""} <= {row.event for row in TABLE}


def test_no_row_hides_behind_one_that_always_fits() -> None:
    for key, rows in groupby(TABLE, key=lambda row: (row.state, row.event)):
        conditions = [row.when for row in rows]
        assert "always" not in conditions[:-1], key
        assert len(set(conditions)) == len(conditions), key


def test_rows_of_one_state_and_event_stand_together() -> None:
    keys = [key for key, _ in groupby(TABLE, key=lambda row: (row.state, row.event))]
    assert len(set(keys)) == len(keys)
