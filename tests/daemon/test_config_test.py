"""The exit status of `-t`, and its report, with the real reader of configurations."""

from pathlib import Path

import pytest

from fastvrrp.config.diagnostics import Diagnostic, Severity, Span
from fastvrrp.config.expand import INCLUDE_ERRORS
from fastvrrp.daemon.config_test import exit_status, run
from fastvrrp.daemon.options import Options, parse

INSTANCE = """\
vrrp_instance VI {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress { 10.0.0.1 }
    %s
}
"""


@pytest.fixture(autouse=True)
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the host have lo and eth0."""
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "lo"), (2, "eth0")])


def finding(text: str) -> Diagnostic:
    """Return the finding that "error FV102" stands for."""
    severity, code = text.split()
    return Diagnostic(
        severity=Severity(severity), code=code, message="is wrong", span=Span("k.conf", 1, 1)
    )


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], 0),
        (["note FV303"], 0),
        (["unsupported FV111"], 0),
        (["warning FV112"], 5),
        (["error FV203"], 5),
        (["error FV001"], 4),
        (["warning FV502"], 4),
        (["warning FV502", "warning FV112"], 5),
        (["warning FV502", "note FV112"], 4),
        (["error FV102"], 2),
        (["warning FV102"], 5),
        (["error FV102", "warning FV506", "error FV203"], 2),
        (["warning FV506"], 6),
        (["note FV506"], 0),
        (["warning FV510"], 6),
        (["warning FV511"], 5),
        (["warning FV506", "error FV203"], 6),
        *(([f"error {code}"], 6) for code in sorted(INCLUDE_ERRORS)),
        *(([f"warning {code}"], 5) for code in sorted(INCLUDE_ERRORS)),
        *(([f"note {code}"], 0) for code in sorted(INCLUDE_ERRORS)),
    ],
)
def test_status_is_that_of_the_class_that_keepalived_counts_as_worst(
    findings: list[str], status: int
) -> None:
    assert exit_status(list(map(finding, findings))) == status
    assert exit_status(list(map(finding, reversed(findings)))) == status


def options(path: Path, *args: str) -> Options:
    return parse([f"-f{path}", "-t", *args])


def test_options_reach_the_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "k.conf"
    path.write_text("include absent\n" + INSTANCE % "\n@red nonsense\n")
    assert run(options(path)) == 0
    assert run(options(path, "-i", "red")) == 5
    assert "nonsense" in capsys.readouterr().err
    assert run(options(path, "-e")) == 6


@pytest.mark.parametrize(
    ("fifos", "things"),
    [
        ("notify_fifo /run/f", "1 thing is"),
        ("notify_fifo /run/f\nvrrp_notify_fifo /run/g", "2 things are"),
    ],
)
def test_what_is_not_supported_is_counted_and_no_failure(
    tmp_path: Path, fifos: str, things: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "k.conf"
    path.write_text(f"global_defs {{\n{fifos}\n}}\n" + INSTANCE % "")
    assert run(options(path)) == 0
    report = capsys.readouterr().err
    assert report.endswith(
        f"\nfastvrrpd does not start with this file: {things} not supported yet\n"
    )


def test_notes_are_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "k.conf"
    path.write_text(INSTANCE % "priority 1\npriority 2")
    assert run(options(path)) == 0
    assert capsys.readouterr().err == ""


def test_names_that_are_no_text_are_reported_escaped(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.conf"
    path.write_text("nonsense\n")
    report = tmp_path / "report"
    assert run(parse([f"-f{path}", f"-t{report}"])) == 5
    assert "\\udcff.conf:1:1: warning[FV101]" in report.read_text()
