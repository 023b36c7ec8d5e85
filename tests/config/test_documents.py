"""What is generated from the rows is up to date, and usable."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fastvrrp import completion
from fastvrrp.config import jsonschema, manual, reference
from fastvrrp.config.row import Block, walk
from fastvrrp.config.schema import ROOT
from fastvrrp.daemon.options import OPTIONS, REFUSED
from fastvrrp.tools.cli import main

TOP = Path(__file__).parents[2]
COMPLETION = TOP / "completions" / "fastvrrp.bash"
NAMES = sorted({row.name for _, row in walk(ROOT)})


@pytest.mark.parametrize(
    ("path", "render"),
    [
        ("docs/keywords.md", reference.render),
        ("docs/config.schema.json", jsonschema.render),
        ("man/fastvrrp.conf.5", manual.render),
        ("completions/fastvrrp.bash", completion.render),
    ],
)
def test_what_is_generated_is_up_to_date(path: str, render: Callable[[], str]) -> None:
    assert (TOP / path).read_text() == render(), "run: make docs"


@pytest.mark.parametrize("name", NAMES)
def test_every_keyword_is_documented(name: str) -> None:
    assert f"| `{name}` |" in reference.render()
    assert f"\n\\fB{name.replace('-', chr(92) + '-')}\\fR" in manual.render()


def test_every_block_has_a_section_that_says_where_it_stands() -> None:
    sections = reference.render().split("\n## ")
    for outer, row in walk(ROOT):
        if not isinstance(row, Block) or not row.rows or row.alias:
            continue
        own = [one.lower() for one in sections if one.startswith(f"`{row.name}`\n")]
        place = f"in {outer.name.lower()}" if outer.name else "outside of all blocks"
        assert any(place in one for one in own)


def test_the_manual_has_no_warning_of_groff() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff, which formats manuals, is not installed")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z", TOP / "man" / "fastvrrp.conf.5"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


# --- completion


def completed(*words: str) -> list[str]:
    """Return what bash offers for the last word of a command line."""
    script = (
        f"source {COMPLETION}; COMP_WORDS=({' '.join(map(repr, words))}); "
        f"COMP_CWORD={len(words) - 1}; _{words[0]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, check=True, cwd=TOP
    )
    return done.stdout.split()


def test_commands_are_completed() -> None:
    assert completed("fastvrrp", "") == [
        "--help",
        "--version",
        "check",
        "clean",
        "decode",
        "keyword",
        "replay",
    ]
    assert completed("fastvrrp", "ke") == ["keyword"]


def test_names_of_keywords_are_completed() -> None:
    assert completed("fastvrrp", "keyword", "advert") == ["advert_int"]
    assert completed("fastvrrp", "keyword", "") == NAMES


def test_codes_are_completed() -> None:
    assert completed("fastvrrp", "check", "--explain", "FV20")[:2] == ["FV201", "FV202"]


def test_options_of_a_command_are_completed() -> None:
    assert completed("fastvrrp", "check", "--st") == ["--strict"]
    assert completed("fastvrrp", "check", "--color", "al") == ["always"]


def test_files_are_completed() -> None:
    assert completed("fastvrrp", "check", "pypro") == ["pyproject.toml"]
    assert completed("fastvrrpd", "--use-file", "pypro") == ["pyproject.toml"]
    assert completed("fastvrrpd", "-f", "pypro") == ["pyproject.toml"]


def test_the_daemon_offers_what_it_does_not_refuse() -> None:
    offered = completed("fastvrrpd", "--")
    assert offered == [f"--{option.long}" for option in OPTIONS if option.status != REFUSED]
    assert completed("fastvrrpd", "--log-facility", "da") == ["daemon"]


# --- fastvrrp keyword


def test_a_keyword_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keyword", "advert_int"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("advert_int in vrrp_instance\n")
    for part in ("value:   0.01 to 255 seconds", "default: 1", "status:  supported", "RFC 9568"):
        assert part in shown


def test_a_keyword_is_explained_wherever_it_can_stand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keyword", "weight"]) == 0
    shown = capsys.readouterr().out
    for place in ("vrrp_script", "track_file", "real_server"):
        assert f"in {place}" in shown


def test_a_refused_keyword_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keyword", "startup_script"]) == 0
    assert "status:  refused: What it prepares would be missing." in capsys.readouterr().out


def test_a_required_keyword_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keyword", "virtual_router_id"]) == 0
    shown = capsys.readouterr().out
    assert "example: virtual_router_id 51" in shown
    assert "default: must be given" in shown


def test_an_unknown_keyword_is_an_error_with_the_nearest_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["keyword", "prority"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == ("fastvrrp keyword: there is no keyword prority; did you mean priority?\n")


def test_without_a_name_all_keywords_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keyword"]) == 0
    assert capsys.readouterr().out.split() == NAMES
