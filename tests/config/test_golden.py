"""Mistakes that people make, and what they are told: each .conf has its .txt beside it."""

import os
from pathlib import Path

import pytest

from fastvrrp import config

GOLDEN = Path(__file__).with_name("golden")
CASES = sorted(GOLDEN.glob("*.conf"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_diagnostics_are_as_written_down(path: Path) -> None:
    """FASTVRRP_UPDATE=1 writes them anew."""
    text = path.read_text(encoding="utf-8")
    try:
        found = config.loads(text, filename=path.name).diagnostics
        verdict = "runs"
    except config.ConfigError as error:
        found, verdict = error.diagnostics, "is refused"
    told = "\n".join([f"{path.name} {verdict}", *map(str, found), ""])
    expected = path.with_suffix(".txt")
    if os.environ.get("FASTVRRP_UPDATE"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 150
