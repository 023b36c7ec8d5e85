"""`fastvrrp clean`: what it says, and when it refuses. What it removes: tests/netns."""

import json
from pathlib import Path

import pytest

from fastvrrp.journal import Journal, RouteUndo, SysctlUndo
from fastvrrp.pidfile import PidFile
from fastvrrp.tools.cli import main

GONE = SysctlUndo(name="net/ipv4/conf/nosuchlink/arp_ignore", was="0", ours="1")
REFUSED = RouteUndo(text="a link", request=b"\x20\0\0\0\x11\0\1\0" + bytes(24))
"""RTM_DELLINK that names no link."""


@pytest.fixture
def pid_file(tmp_path: Path) -> str:
    return str(tmp_path / "vrrp.pid")


def test_without_a_journal_there_is_nothing_to_do(
    pid_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean", "-r", pid_file]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["clean", "-r", f"{pid_file}/no/directory"]) == 0


def test_what_is_gone_is_no_failure_and_nothing_is_left(pid_file: str) -> None:
    Journal(f"{pid_file}.journal").write((GONE,))
    assert main(["clean", "-r", pid_file]) == 0
    assert list(Path(pid_file).parent.iterdir()) == []


def test_a_running_daemon_is_left_alone(pid_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Journal(f"{pid_file}.journal").write((GONE,))
    daemon = PidFile(pid_file)
    assert main(["clean", "-r", pid_file]) == 1
    daemon.close()
    assert "already running" in capsys.readouterr().err
    assert Path(f"{pid_file}.journal").exists()


def test_what_cannot_be_undone_is_told_and_stays_in_the_journal(
    pid_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Journal(f"{pid_file}.journal").write((GONE, REFUSED))
    assert main(["clean", "--json", "-r", pid_file]) == 1
    report = json.loads(capsys.readouterr().out)
    (failed,) = report.pop("failed")
    assert failed["what"] == "a link"
    assert report == {"undone": [], "gone": [GONE.text], "error": None}
    assert Path(f"{pid_file}.journal").exists()


def test_a_journal_that_is_none_is_an_error(
    pid_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(f"{pid_file}.journal").write_text("{}")
    assert main(["clean", "-r", pid_file]) == 1
    assert "vrrp.pid.journal: " in capsys.readouterr().err
