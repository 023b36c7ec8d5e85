"""docs/conformance.md has an answer for every line of the list, and a test for every yes."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "conformance.md"

LIST = (
    (1, 23),  # RFC 9568, sending
    (30, 48),  # RFC 9568, receiving
    (50, 77),  # RFC 9568, timers and states
    (80, 91),  # RFC 9568, operation
    (100, 103),  # RFC 5798
    (110, 121),  # RFC 3768
    (130, 137),  # RFC 2338
    (140, 145),  # auth_hmac
)
"""The first and the last number of each part of the list."""
NUMBERS = [n for first, last in LIST for n in range(first, last + 1)]

VERDICT = re.compile(r"(yes|yes, as keepalived|no|kernel)(?:$|[;:] )")
NEEDS_NO_TEST = ("no", "kernel")
TEST = re.compile(r"test_cf_(\d{3})_\w+")
UNSURE = re.compile(r"mark\.(slow|vm|skip|skipif|xfail)\b|importorskip|allow_module_level")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    number: int
    asked: str
    answer: str
    tests: tuple[str, ...]

    @property
    def verdict(self) -> str:
        found = VERDICT.match(self.answer)
        return found[1] if found else ""


def read_rows() -> list[Row]:
    rows = []
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("| CF-"):
            ident, _, asked, answer, tests = (cell.strip() for cell in line.split("|")[1:-1])
            names = tuple(re.findall(r"`(\w+)`", tests))
            number = int(ident.removeprefix("CF-"))
            rows.append(Row(number=number, asked=asked, answer=answer, tests=names))
    return rows


ROWS = read_rows()
FILES = [path for path in sorted(HERE.glob("test_cf_*.py")) if path != Path(__file__)]
DEFINED = {
    node.name: path.name
    for path in FILES
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and TEST.fullmatch(node.name)
}


def test_every_number_of_the_list_has_one_line() -> None:
    assert [row.number for row in ROWS] == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"CF-{row.number:03}")
def test_a_line_has_an_answer_and_its_own_tests(row: Row) -> None:
    """A yes needs a test, everything else a reason."""
    assert row.asked
    assert row.verdict, f"{row.answer!r} begins with no answer"
    assert row.tests or row.verdict in NEEDS_NO_TEST
    assert row.verdict not in NEEDS_NO_TEST or len(row.answer) > len(row.verdict) + 10
    wrong = [name for name in row.tests if name[:11] != f"test_cf_{row.number:03}"]
    assert wrong == [], "belongs to another line"


def test_every_named_test_exists_and_every_test_is_named() -> None:
    named = Counter(chain.from_iterable(row.tests for row in ROWS))
    assert set(named) - set(DEFINED) == set(), "named, but there is no such test"
    assert set(DEFINED) - set(named) == set(), "a test that docs/conformance.md does not name"
    assert [name for name, times in named.items() if times > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_test_is_left_out_of_make_test(path: Path) -> None:
    """What CI deselects or expects to fail would prove nothing; a skip is a failure there."""
    assert UNSURE.findall(path.read_text()) == []
