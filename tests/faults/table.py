"""docs/faults.md: what was broken on purpose, and what came of it. `make docs` writes it."""

import ast
from dataclasses import dataclass
from pathlib import Path

from faults.rows import PARTS, Row

HERE = Path(__file__).parent
LATER = "(18, 32-36, 38, 39, 81-97)"

INTRO = f"""\
# Faults

What we break on purpose, what must come of it, and the tests that show it. The numbers are those
of the catalogue of faults that our tests follow; those that are missing here
{LATER} are not in this table
yet. `make test` runs every test that is named here; `pytest -k fault_041` runs those of one row.

*Simulated* tests run the daemon's own state machine and its own packets in a virtual time, in which
an hour takes no time and every instant is exact. Those in *namespaces* run the daemon itself, on
real sockets.

Where nothing else is said there are two routers, of priority 200 and 100, with an interval of 1 s;
in namespaces it is 0.1 s, and the bounds shrink with it. Active_Down_Interval is 3.61 s then, or
0.36 s.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A test and where it runs."""

    name: str
    where: str


def shown() -> dict[int, list[Shown]]:
    """Return the tests of each row, by their names: test_fault_026_..."""
    found: dict[int, list[Shown]] = {}
    for path in sorted(HERE.glob("test_fault_*.py")):
        where = "namespaces" if "_netns" in path.name else "simulated"
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_fault_"):
                number = int(node.name.split("_")[2])
                found.setdefault(number, []).append(Shown(name=node.name, where=where))
    return found


def render() -> str:
    """Return the text of docs/faults.md."""
    tests = shown()
    lines = [INTRO]
    for title, rows in PARTS:
        lines += [
            f"## {title}",
            "",
            "| row | fault | what must come of it | bound | shown |",
            "|---|---|---|---|---|",
            *(_line(row, tests.get(row.number, [])) for row in rows),
            "",
        ]
    return "\n".join(lines)


def _line(row: Row, tests: list[Shown]) -> str:
    places = []
    for where in ("simulated", "namespaces"):
        names = [f"`{test.name}`" for test in tests if test.where == where]
        if names:
            places.append("<br>".join([f"{where}:", *names]))
    cells = (str(row.number), row.fault, row.result, row.bound, "<br>".join(places))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(render(), end="")
