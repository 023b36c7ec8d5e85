"""The journal: what was written is undone, and nothing that somebody else has put there."""

import json
import logging
import os
import struct
from pathlib import Path

import pytest

from fastvrrp.journal import (
    Elsewhere,
    Journal,
    JournalError,
    NftUndo,
    RouteUndo,
    SysctlUndo,
    here,
    load,
    undo,
)
from fastvrrp.undoing import GONE

ADDRESS = RouteUndo(
    text="10.9.0.100/24 dev nosuchlink",
    request=b"\x14\0\0\0\x15\0\1\0" + bytes(12),
    links=(("nosuchlink", 7),),
)
TABLE = NftUndo(text="table inet keepalived", batch=b"\x10\0\0\0\x02\x0a\1\0" + bytes(8))
SYSCTL = SysctlUndo(name="net/ipv4/conf/nosuchlink/arp_ignore", was="0", ours="1")
UNDOS = (ADDRESS, TABLE, SYSCTL)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(str(tmp_path / "vrrp.pid.journal"))


def forge(journal: Journal, **changes: object) -> None:
    """Write a journal with other fields than its own."""
    journal.write(UNDOS)
    found = json.loads(Path(journal.path).read_text())
    Path(journal.path).write_text(json.dumps(found | changes))


def test_what_was_written_is_read_and_the_file_is_ours_alone(journal: Journal) -> None:
    journal.write(UNDOS)
    assert load(journal.path) == UNDOS
    path = Path(journal.path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    journal.remove()
    assert not path.exists()
    journal.remove()


def test_without_a_file_there_is_nothing_to_undo(journal: Journal) -> None:
    assert load(journal.path) == ()
    journal.undo_last_run()
    journal.write(())
    assert not Path(journal.path).exists()


def test_the_file_is_written_only_when_it_would_say_something_else(journal: Journal) -> None:
    journal.write(UNDOS)
    inode = os.stat(journal.path).st_ino
    journal.write(list(UNDOS))
    assert os.stat(journal.path).st_ino == inode
    journal.write(UNDOS[:1])
    assert load(journal.path) == UNDOS[:1]
    journal.write(())
    assert load(journal.path) == ()


def test_what_is_gone_with_its_interface_is_no_failure(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    journal.write((ADDRESS, SYSCTL))
    journal.undo_last_run()
    assert caplog.records == []
    assert not Path(journal.path).exists()


def test_after_a_reboot_nothing_is_undone(journal: Journal) -> None:
    forge(journal, boot="another")
    assert load(journal.path) == ()
    journal.undo_last_run()
    assert not Path(journal.path).exists()


def test_another_network_namespace_is_left_alone(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    forge(journal, netns=int(here()["netns"]) + 1)
    with pytest.raises(Elsewhere):
        load(journal.path)
    journal.undo_last_run()
    assert "another network namespace" in caplog.text
    assert Path(journal.path).exists()


def route(request: bytes, links: object = ()) -> dict[str, object]:
    return {"text": "x", "route": request.hex(), "links": links}


def message(kind: int, *, length: int = 16, flags: int = 1) -> bytes:
    return struct.pack("=IHH", length, kind, flags) + bytes(8)


@pytest.mark.parametrize(
    "one",
    [
        route(message(16)),  # RTM_NEWLINK
        route(message(21) + message(20)),  # behind a removal, RTM_NEWADDR
        route(message(21, length=17)),
        route(message(21, length=4)),
        route(message(21, flags=0)),
        route(message(21)[:8]),
        route(b""),
        route(message(21) * 5000),
        route(message(21), [["eth0", -1]]),
        route(message(21), [["eth0"]]),
        route(message(21), [[7, 7]]),
        {"text": 7, "route": message(21).hex(), "links": []},
        {"text": "x", "nft": message(0xA06).hex()},  # NFT_MSG_NEWRULE
        {"text": "x", "nft": "no hex"},
        {"sysctl": "kernel/core_pattern", "was": "|/bin/x", "ours": "core"},
        {"sysctl": "net/../kernel/core_pattern", "was": "x", "ours": "core"},
        {"sysctl": "net/ipv4/..", "was": "x", "ours": "core"},
        {"sysctl": "/net/ipv4/ip_forward", "was": "1", "ours": "0"},
        {"sysctl": "net/ipv4/ip_forward", "was": "1\n2", "ours": "0"},
        {"sysctl": "net/ipv4/ip_forward", "was": 1, "ours": "0"},
        {"sysctl": "net/ipv4/ip_forward"},
        {},
        [],
        None,
    ],
)
def test_what_removes_nothing_of_ours_is_refused_whole(journal: Journal, one: object) -> None:
    forge(journal, undos=[one])
    with pytest.raises(JournalError):
        load(journal.path)


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", "[" * 100_000, '{"undos": 1e999}'])
def test_a_file_that_is_none_is_told_and_left_alone(
    journal: Journal, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    Path(journal.path).write_text(text)
    os.chmod(journal.path, 0o600)
    journal.undo_last_run()
    assert "what the last run has left is not known" in caplog.text
    assert Path(journal.path).exists()


def test_a_file_that_others_may_write_or_a_link_is_not_believed(
    journal: Journal, tmp_path: Path
) -> None:
    journal.write(UNDOS)
    os.chmod(journal.path, 0o620)
    with pytest.raises(JournalError, match="others may write to it"):
        load(journal.path)
    os.rename(journal.path, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", journal.path)
    with pytest.raises(JournalError):
        load(journal.path)


def test_a_directory_that_is_gone_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(str(tmp_path / "absent" / "vrrp.pid.journal"))
    journal.write(UNDOS)
    journal.write(UNDOS[:1])
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_kernel_parameter_comes_back_unless_it_has_another_value_now(tmp_path: Path) -> None:
    parameter = tmp_path / "net" / "ipv4" / "ip_forward"
    parameter.parent.mkdir(parents=True)
    mine = SysctlUndo(name="net/ipv4/ip_forward", was="0", ours="1")
    parameter.write_text("1\n")
    assert undo([mine], sysctls=str(tmp_path)) == ((mine, ""),)
    assert parameter.read_text() == "0\n"
    parameter.write_text("2\n")
    assert undo([mine], sysctls=str(tmp_path)) == ((mine, GONE),)
    assert parameter.read_text() == "2\n"


def test_the_last_thing_that_was_done_is_undone_first() -> None:
    assert [one for one, _ in undo((ADDRESS, SYSCTL))] == [SYSCTL, ADDRESS]
