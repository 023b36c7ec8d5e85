"""docs/faults.md has every row that the table covers, and says what the tests are."""

from itertools import chain
from pathlib import Path

import pytest

from faults.rows import PARTS, Row
from faults.table import render, shown

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
ROWS = [row for _, rows in PARTS for row in rows]
COVERED = (
    *range(1, 18),
    *range(19, 32),
    37,
    *range(40, 81),
    *range(98, 107),
)


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == render(), "run: make docs"


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.number for row in ROWS] == list(COVERED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_every_row_says_everything_and_has_a_test(row: Row) -> None:
    assert row.fault
    assert row.result
    assert row.bound
    assert not {"|", "\n"} & set(row.fault + row.result + row.bound)
    assert shown().get(row.number), "no test shows it"


def test_every_test_belongs_to_a_row() -> None:
    tests = shown()
    assert set(tests) <= set(COVERED)
    names = [test.name for test in chain.from_iterable(tests.values())]
    assert len(names) == len(set(names))
