"""102 real files: `fastvrrpd -t` has the exit status of keepalived 2.4.3 for each.

The statuses in INDEX.tsv are keepalived's own, on a machine that has what the files name; here,
`world` makes one.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import pytest

HERE = Path(__file__).parent
CORPUS = HERE.parent / "corpus"
FILES = sorted(CORPUS.glob("*.conf"))

EXPECTED_DIFFERENCES: dict[str, str] = {}
"""Files whose status differs from keepalived's, with the reason; docs/compat.md has them, too."""


class Result(TypedDict):
    """What checking one file gave."""

    status: int
    report: str


def keepalived() -> dict[str, int]:
    """Return keepalived 2.4.3's exit status for each file."""
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {row["file"]: int(row["keepalived_t_exit"]) for row in rows}


@pytest.fixture(scope="module")
def checked() -> dict[str, Result]:
    """Check all files on a machine that has what they name."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a machine with the accounts and programs of the files")
    program = [sys.executable, str(HERE / "world.py"), *map(str, FILES)]
    done = subprocess.run(
        ["unshare", "--net", "--mount", *program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Result] = json.loads(done.stdout)
    return results


@pytest.mark.netns
def test_every_file_has_the_exit_status_of_keepalived(checked: dict[str, Result]) -> None:
    expected = keepalived()
    assert len(FILES) == len(expected) == len(checked) == 102
    different = {
        name: (result["status"], expected[name], result["report"])
        for name, result in checked.items()
        if result["status"] != expected[name] and name not in EXPECTED_DIFFERENCES
    }
    assert different == {}


def compat_page() -> str:
    """Return docs/compat.md on one line."""
    page = (HERE.parents[1] / "docs" / "compat.md").read_text(encoding="utf-8")
    return " ".join(page.split())


def test_every_difference_is_documented() -> None:
    assert len(EXPECTED_DIFFERENCES) <= 5
    assert [name for name in EXPECTED_DIFFERENCES if name not in compat_page()] == []


@pytest.mark.netns
def test_how_many_files_keep_the_daemon_from_starting_is_documented(
    checked: dict[str, Result],
) -> None:
    refused = sum("fastvrrpd does not start" in result["report"] for result in checked.values())
    assert f"Of the {len(FILES)} files, {refused} hold such a keyword." in compat_page()


@pytest.mark.netns
def test_success_says_nothing_but_what_is_unsupported(checked: dict[str, Result]) -> None:
    for name, result in checked.items():
        if result["status"] == 0 and "unsupported[" not in result["report"]:
            assert result["report"] == "", name
