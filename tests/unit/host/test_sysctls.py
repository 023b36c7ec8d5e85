"""Kernel parameters come back to what they were, and stay what somebody else made of them."""

import logging
from pathlib import Path

import pytest

from fastvrrp.host.sysctls import Sysctls
from fastvrrp.journal import SysctlUndo

NAME = "net/ipv4/conf/eth0.5/arp_ignore"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.write_text("0\n")
    return path


def test_the_last_user_brings_the_old_value_back(tmp_path: Path, file: Path) -> None:
    """Given two users of one parameter, then it is restored after both are done."""
    sysctls = Sysctls(tmp_path)
    assert sysctls.set(NAME, "1")
    assert sysctls.set(NAME, "1")
    assert sysctls.undos == (SysctlUndo(name=NAME, was="0", ours="1"),)
    sysctls.restore(NAME)
    assert file.read_text() == "1"
    sysctls.restore(NAME)
    assert file.read_text() == "0"
    assert not sysctls.undos
    sysctls.restore(NAME)
    assert file.read_text() == "0"


def test_what_somebody_else_has_set_stays(tmp_path: Path, file: Path) -> None:
    """Given a parameter of ours, when an operator sets it to 2, then it is not restored to 0."""
    sysctls = Sysctls(tmp_path)
    sysctls.set(NAME, "1")
    file.write_text("2")
    sysctls.restore(NAME)
    assert file.read_text() == "2"


def test_a_value_that_was_there_needs_no_undo(tmp_path: Path, file: Path) -> None:
    """Given a parameter that has the value already, then there is nothing to undo."""
    file.write_text("1")
    sysctls = Sysctls(tmp_path)
    assert sysctls.set(NAME, "1")
    assert not sysctls.undos
    sysctls.restore(NAME)
    assert file.read_text() == "1"


def test_a_new_interface_of_the_same_name_is_set_again(tmp_path: Path, file: Path) -> None:
    """Given one user, when the interface is replaced and a second user comes, then the parameter of
    the new one is set, and restored to what that had."""
    sysctls = Sysctls(tmp_path)
    sysctls.set(NAME, "1")
    file.write_text("8")
    sysctls.set(NAME, "1")
    assert file.read_text() == "1"
    sysctls.restore(NAME)
    sysctls.restore(NAME)
    assert file.read_text() == "8"


def test_close_restores_everything_at_once(tmp_path: Path, file: Path) -> None:
    """Given several users, when it is closed, then all is as it was, however often."""
    sysctls = Sysctls(tmp_path)
    for _ in range(3):
        sysctls.set(NAME, "1")
    sysctls.close()
    sysctls.close()
    assert file.read_text() == "0"


def test_an_absent_parameter_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Given a kernel without IPv6, when a parameter of IPv6 is set, then that fails with a line."""
    sysctls = Sysctls(tmp_path)
    with caplog.at_level(logging.ERROR):
        assert not sysctls.set("net/ipv6/conf/eth0/disable_ipv6", "1")
    assert caplog.messages == ["there is no kernel parameter net/ipv6/conf/eth0/disable_ipv6"]
    assert not sysctls.undos


@pytest.mark.parametrize("refusal", [OSError(13, "no"), None])
def test_a_parameter_that_does_not_hold_is_told(
    tmp_path: Path,
    file: Path,
    refusal: OSError | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a kernel that refuses or ignores a value, then `set` says so, and there is no undo."""

    def write_text(_: Path, text: str) -> int:
        if refusal is not None:
            raise refusal
        return len(text)

    monkeypatch.setattr(Path, "write_text", write_text)
    sysctls = Sysctls(tmp_path)
    assert not sysctls.set(NAME, "1")
    assert not sysctls.undos
    assert len(caplog.messages) == 1
    assert NAME in caplog.messages[0]
    assert file.read_text() == "0\n"
