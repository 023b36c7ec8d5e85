"""`fastvrrp check` from its command line to its output."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fastvrrp import preflight
from fastvrrp.config.diagnostics import Severity, Span
from fastvrrp.config.explain import codes
from fastvrrp.config.model import Config
from fastvrrp.config.source import Report
from fastvrrp.tools.cli import main

FINE = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.9.0.100
    }
}
"""
NOTED = FINE.replace("    interface", "    priority 1\n    priority 2\n    interface")
WARNED = FINE.replace("    interface", "    prority 100\n    interface")
UNSUPPORTED = FINE + "global_defs {\n    notify_fifo /run/f\n}\n"
WRONG = FINE.replace("    virtual_router_id 51\n", "")

RED, YELLOW, CYAN = "\x1b[31m", "\x1b[33m", "\x1b[36m"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Short names in messages, and a host whose only finding is told by its absence."""

    def advise(config: Config, report: Report) -> None:
        if config.instances and config.instances[0].interface == "eth9":
            report.warning("FV501", "there is no interface eth9 here", Span("k.conf", 2, 1))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preflight, "advise", advise)
    monkeypatch.delenv("NO_COLOR", raising=False)


def check(text: str, *words: str) -> int:
    """Return the exit status for a file with a text."""
    path = Path("k.conf")
    path.write_text(text)
    path.chmod(0o600)
    return main(["check", *words, str(path)])


@pytest.mark.parametrize(
    ("text", "status", "strict", "summary"),
    [
        (FINE, 0, 0, "runs; nothing to report"),
        (NOTED, 0, 1, "runs; 1 note"),
        (WARNED, 1, 1, "runs; 1 warning"),
        (UNSUPPORTED, 1, 1, "does not run; 1 not supported yet"),
        (WRONG, 1, 1, "does not run; 1 error"),
        (WRONG + WARNED, 1, 1, "does not run; 1 error, 1 warning"),
    ],
)
def test_status_and_summary(
    text: str, status: int, strict: int, summary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(text) == status
    output, errors = capsys.readouterr()
    assert errors == ""
    assert output.splitlines()[-1] == f"k.conf: {summary}"
    assert check(text, "--strict") == strict


def test_findings_are_shown_as_a_compiler_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(WARNED) == 1
    assert capsys.readouterr().out == (
        "k.conf:2:5: warning[FV101]: unknown keyword prority; it is skipped\n"
        "    2 |     prority 100\n"
        "      |     ^^^^^^^  in vrrp_instance VI_1 (line 1)\n"
        "   = hint: did you mean priority?\n"
        "k.conf: runs; 1 warning\n"
    )


def test_several_files_are_told_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.conf").write_text(WRONG)
    Path("b.conf").write_text(FINE)
    Path("b.conf").chmod(0o600)
    assert main(["check", "a.conf", "b.conf"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith(("a.conf: ", "b.conf: "))] == [
        "a.conf: does not run; 1 error",
        "b.conf: runs; nothing to report",
    ]
    assert main(["check", "b.conf", "b.conf"]) == 0


@pytest.mark.parametrize(
    ("name", "why"), [("absent.conf", "No such file or directory"), (".", "Is a directory")]
)
def test_file_that_cannot_be_read(name: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == 1
    assert capsys.readouterr().out == (
        f"{name}: error[FV001]: the configuration cannot be read: {why}\n"
        f"{name}: does not run; 1 error\n"
    )


def test_name_that_is_no_text_is_shown_escaped() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "check", "--no-host", os.fsdecode(b"\xff.conf")],
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (1, b"")
    assert run.stdout.endswith(b"\\udcff.conf: does not run; 1 error\n")


SCRIPT = "import sys; from fastvrrp.tools.cli import main; sys.exit(main())"


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_full_disk_is_told_without_a_traceback(words: list[str]) -> None:
    Path("k.conf").write_text(WARNED)
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, "check", "--no-host", *words, "k.conf"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (run.returncode, run.stderr) == (1, b"fastvrrp: cannot write: No space left on device\n")


def test_closed_output_is_told_without_a_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "check", "--explain", "FV101"],
        stderr=subprocess.PIPE,
        check=False,
        preexec_fn=lambda: os.close(1),
    )
    message = b"fastvrrp: cannot write: standard output is closed\n"
    assert (run.returncode, run.stderr) == (1, message)


# --- options


@pytest.mark.parametrize(("words", "status"), [([], 1), (["--no-host"], 0)])
def test_host_is_looked_at_unless_told_not_to(words: list[str], status: int) -> None:
    assert check(FINE.replace("eth0", "eth9"), *words) == status


@pytest.mark.parametrize(("words", "status"), [(["-i", "a"], 0), (["--config-id", "b"], 1)])
def test_config_id_chooses_lines(words: list[str], status: int) -> None:
    assert check(FINE.replace("    interface", "@b  prority 100\n    interface"), *words) == status


@pytest.mark.parametrize(("words", "status"), [([], 0), (["-e"], 1), (["--all-config"], 1)])
def test_all_config_makes_every_include_count(words: list[str], status: int) -> None:
    assert check("include absent.conf\n" + FINE, *words) == status


@pytest.mark.parametrize("words", [[], ["--strict"], ["--colour", "always", "k.conf"]])
def test_wrong_command_is_told_with_status_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main(["check", *words])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert capsys.readouterr().err


# --- colour


@pytest.mark.parametrize(
    ("words", "around", "colored"),
    [
        ([], (None, True), True),
        ([], ("", True), True),
        ([], ("1", True), False),
        ([], (None, False), False),
        (["--color=always"], ("1", False), True),
        (["--color=never"], (None, True), False),
        (["--color=auto"], (None, True), True),
    ],
)
def test_color_is_for_terminals(
    words: list[str],
    around: tuple[str | None, bool],
    colored: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    no_color, is_terminal = around
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    check(WARNED, *words)
    output = capsys.readouterr().out
    assert (YELLOW in output) is colored
    assert ("\x1b" in output) is colored


@pytest.mark.parametrize(("text", "color"), [(WRONG, RED), (WARNED, YELLOW), (NOTED, CYAN)])
def test_each_severity_has_its_color(
    text: str, color: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check(text, "--color", "always")
    head = capsys.readouterr().out.splitlines()[0]
    assert color in head
    assert head.count("\x1b") == head.count("\x1b[0m") + 2


# --- JSON

PLACE = {"file": str, "line": int, "column": int, "length": int}
REQUIRED = {"severity": str, "code": str, "title": str, "message": str, **PLACE}
OPTIONAL = {"hint": str, "context": str, "source": str, "related": list}


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, Any]]]:
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]  # asserted below


def assert_has_form(report: dict[str, list[dict[str, Any]]]) -> None:
    """Hold a report against what `--help` says of it."""
    assert report.keys() == {"files"}
    for file in report["files"]:
        assert {name: type(value) for name, value in file.items()} == {
            "file": str,
            "runs": bool,
            "diagnostics": list,
        }
        for one in file["diagnostics"]:
            types = {name: type(value) for name, value in one.items()}
            assert REQUIRED.items() <= types.items() <= (REQUIRED | OPTIONAL).items()
            assert list(one)[: len(REQUIRED)] == list(REQUIRED)
            assert one["severity"] in {severity.value for severity in Severity}
            assert one["code"] in codes()
            for place in one.get("related", []):
                types = {name: type(value) for name, value in place.items()}
                assert types == {"message": str, **PLACE}


def test_json_is_what_help_says(capsys: pytest.CaptureFixture[str]) -> None:
    for number, text in enumerate((FINE, NOTED, WARNED, UNSUPPORTED, WRONG, "$X=prority\n$X 1\n")):
        Path(f"{number}.conf").write_text(text)
        Path(f"{number}.conf").chmod(0o600)
    names = [f"{number}.conf" for number in range(6)] + ["absent.conf"]
    assert main(["check", "--json", *names]) == 1
    report = as_json(capsys)
    assert_has_form(report)
    assert [file["file"] for file in report["files"]] == names
    assert [file["runs"] for file in report["files"]] == [
        True, True, True, False, False, True, False,
    ]  # fmt: skip


def test_json_of_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(NOTED, "--json", "--strict") == 1
    assert as_json(capsys)["files"] == [
        {
            "file": "k.conf",
            "runs": True,
            "diagnostics": [
                {
                    "severity": "note",
                    "code": "FV106",
                    "title": "keyword given twice",
                    "message": "priority is given twice; the last one counts",
                    "file": "k.conf",
                    "line": 3,
                    "column": 5,
                    "length": 8,
                    "context": "vrrp_instance VI_1 (line 1)",
                    "source": "    priority 2",
                    "related": [
                        {
                            "message": "the other one is",
                            "file": "k.conf",
                            "line": 2,
                            "column": 5,
                            "length": 8,
                        }
                    ],
                }
            ],
        }
    ]


def test_json_tells_where_an_expanded_word_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    check("$X=prority\n" + FINE.replace("    interface", "    $X 1\n    interface"), "--json")
    (one,) = as_json(capsys)["files"][0]["diagnostics"]
    assert (one["line"], one["column"]) == (3, 5)
    (place,) = one["related"]
    assert (place["line"], place["column"], place["length"]) == (1, 4, 7)


def test_json_tells_of_the_whole_file_by_line_0(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--json", "absent.conf"])
    (one,) = as_json(capsys)["files"][0]["diagnostics"]
    assert one["line"] == 0
    assert "source" not in one


# --- explanations


@pytest.mark.parametrize("code", codes())
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", code.lower()]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    assert output.startswith(f"# {code}: ")
    assert output.endswith("\n")


@pytest.mark.parametrize("code", ["FV999", "FV", "", "../FV101", "priority"])
def test_unknown_code_is_answered_with_those_that_are_known(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--explain", code]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    first, *rest = errors.splitlines()
    assert first == f"fastvrrp check: there is no code {code}; known are:"
    assert [line.split()[0] for line in rest] == list(codes())


# --- secrets

PASSWORD = "Xq7vZ"
TELLING = re.compile(rf"{PASSWORD}|SECRET|auth|key")
SECRETS = f"""\
$SECRET={PASSWORD}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    authentication {{
        auth_type PASS
        auth_pass {PASSWORD}
    }}
    virtual_ipaddress {{
        10.9.0.100
    }}
}}
vrrp_instance VI_2 {{
    interface eth0
    virtual_router_id 52
    auth_hmac {{
        key 1 {PASSWORD}{"x" * 32}
        active_key 1
    }}
    authentication {{
        auth_type AH
        auth_pass $SECRET
    }}
    virtual_ipaddress {{
        10.9.0.101
    }}
}}
"""


@pytest.mark.parametrize("seed", range(60))
def test_secrets_are_shown_in_no_form(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Given mistakes at random places, but not in the secrets, nor in what tells that they are."""
    dice = random.Random(seed)
    text = SECRETS
    for _ in range(dice.randint(1, 4)):
        places = [
            at for at in range(len(text)) if not TELLING.search(text[max(0, at - 9) : at + 9])
        ]
        at = dice.choice(places)
        text = text[:at] + dice.choice(["", "{", "}", "\n", '"', " ", "$", "x"]) + text[at + 1 :]
    for words in ([], ["--json"], ["--color=always"]):
        check(text, *words)
        output, errors = capsys.readouterr()
        assert PASSWORD not in output + errors


@pytest.mark.parametrize(
    "text",
    [
        SECRETS.replace("        key 1", '        "ey 1'),
        SECRETS.replace("auth_pass $SECRET", "auth_pass$SECRET"),
        SECRETS.replace(f"auth_pass {PASSWORD}", f"auth_pas}} {PASSWORD}"),
        SECRETS.replace(f"auth_pass {PASSWORD}", f"auth_pass\n{PASSWORD} again"),
        SECRETS.replace("$SECRET=", '"SECRET='),
    ],
    ids=["quote", "glued", "brace", "next line", "definition"],
)
def test_words_that_are_taken_for_keywords_may_be_secrets(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(text) == 1
    output = capsys.readouterr().out
    assert "FV101" in output
    assert PASSWORD not in output
