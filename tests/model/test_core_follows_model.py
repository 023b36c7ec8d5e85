"""The core does what the model does: the same acts in the same order, states, deadlines and
reasons."""

from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest
from lockstep import Case, Pair, explain
from rfc9568 import ACTIONS, CONDITIONS, TABLE, Advert, Router, Row

BLOCK = 1000
BLOCKS = 10
SEEDS = Path(__file__).with_name("seeds.txt")


def kept_seeds() -> list[int]:
    lines = (line.partition("#")[0].strip() for line in SEEDS.read_text().splitlines())
    return [int(line) for line in lines if line]


def assert_same(seeds: range) -> None:
    for seed in seeds:
        difference = explain(Case(seed))
        assert not difference, difference


@pytest.mark.parametrize("seed", kept_seeds())
def test_seed_that_once_differed(seed: int) -> None:
    difference = explain(Case(seed))
    assert not difference, difference


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_sequences(block: int) -> None:
    assert_same(range(block * BLOCK, (block + 1) * BLOCK))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_more_random_sequences(block: int) -> None:
    assert_same(range(1_000_000 + block * 20_000, 1_000_000 + (block + 1) * 20_000))


@pytest.mark.slow
def test_long_sequences() -> None:
    for seed in range(2_000_000, 2_000_020):
        case = Case(seed, length=20_000)
        difference = Pair(case).run(case.operations)
        assert not difference, f"seed {seed}: {difference}"


def test_random_sequences_take_every_row_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the random sequences of one block, then no row of the table is taken less than ten
    times: what the comparison never reaches, it does not prove."""
    taken: Counter[Row] = Counter()
    carry_out = Router._carry_out

    def counting(router: Router, row: Row, advert: Advert | None) -> None:
        taken[row] += 1
        carry_out(router, row, advert)

    monkeypatch.setattr(Router, "_carry_out", counting)
    for seed in range(BLOCK):
        case = Case(seed)
        Pair(case).run(case.operations)
    rare = [row for row in TABLE if taken[row] < 10]
    assert not rare, rare


def test_table_knows_its_words() -> None:
    used = {action for row in TABLE for action in row.do}
    assert used == set(ACTIONS)
    assert {row.when for row in TABLE} == set(CONDITIONS)
    assert {row.then for row in TABLE} - {None} <= {row.state for row in TABLE}


def test_no_row_hides_behind_one_that_always_fits() -> None:
    for key, rows in groupby(TABLE, key=lambda row: (row.state, row.event)):
        conditions = [row.when for row in rows]
        assert "always" not in conditions[:-1], key
        assert len(set(conditions)) == len(conditions), key


def test_rows_of_one_state_and_event_stand_together() -> None:
    keys = [key for key, _ in groupby(TABLE, key=lambda row: (row.state, row.event))]
    assert len(set(keys)) == len(keys)
