"""Random pairs of configurations: a reload leaves the kernel as a fresh start would, and touches
nothing that both have."""

import json
import os
import sys
from pathlib import Path

import pytest

from lab import Exited, Host, Lab, LogLine

TESTS = Path(__file__).parents[1]
PAIRS = 30
MANY = 1000
pytestmark = pytest.mark.netns


def run(host: Host, first: int, count: int, timeout: float) -> list[dict[str, object]]:
    lab = host._lab
    path = f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    agent = host.popen(
        sys.executable, "-m", "reload.agent", str(first), str(count), env={"PYTHONPATH": path}
    )
    lab.first(Exited, timeout=timeout)
    lines = lab.events(LogLine, lambda e: e.text.startswith('{"seed"'))
    assert len(lines) == count, agent.output.lines[-20:]
    return [json.loads(line.text) for line in lines]


@pytest.mark.parametrize(
    "count", [PAIRS, pytest.param(MANY, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_a_reload_leaves_what_a_fresh_start_would(count: int) -> None:
    """Given a random configuration, when another is applied, then the kernel has what a start
    with that one gives it, and what both hold was not touched; after each stop nothing is left."""
    with Lab() as lab:
        lab.lan("br1")
        host = lab.host("r1", "10.9.0.1/24", "fd09::1/64")
        host.plug("eth1", "br1", "10.8.0.1/24")
        found = run(host, 1, count, timeout=count * 3)
    assert [one for one in found if one["wrong"]] == []
