"""Replay marks in a file: what was written is read again, and nothing else is believed."""

import json
import logging
import os
from pathlib import Path

import pytest

from fastvrrp.clock import seconds
from fastvrrp.marks import MarkKeeper, Marks, MarkStore
from manualtime import ManualLoop

SOURCE = bytes((192, 0, 2, 1))
MARKS = Marks(senders=[(SOURCE, 7, 9 << 32)], sequence=(100, 3 << 32))


class Router:
    """What a keeper knows of a virtual router."""

    def __init__(self, name: str, marks: Marks = MARKS) -> None:
        self.name = name
        self.now = marks
        self.restored: Marks | None = None

    def marks(self) -> Marks:
        return self.now

    def restore(self, marks: Marks) -> None:
        self.restored = marks


@pytest.fixture
def store(tmp_path: Path) -> MarkStore:
    return MarkStore(str(tmp_path / "vrrp.replay"))


def test_marks_come_back_and_own_sequences_go_on(store: MarkStore) -> None:
    store.save({"VI_1": MARKS})
    found = store.load()["VI_1"]
    ((source, ah, hmac),) = found.senders
    assert (source, ah, hmac) == (SOURCE, 7, 9 << 32)
    assert found.sequence == (132, (3 << 32) + (2 << 32))  # what may have been sent is left out


def test_a_sequence_that_was_not_used_stays_unused(store: MarkStore) -> None:
    store.save({"VI_1": Marks(senders=[], sequence=(0, 0))})
    assert store.load()["VI_1"].sequence == (0, 0)


def test_the_file_is_ours_alone_and_nothing_else_is_left(store: MarkStore) -> None:
    store.save({"VI_1": MARKS})
    store.save({"VI_1": MARKS})
    path = Path(store.path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_without_a_file_nothing_is_known(
    store: MarkStore, caplog: pytest.LogCaptureFixture
) -> None:
    assert store.load() == {}
    assert caplog.records == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"fastvrrp-marks": 2, "instances": {}}',
        '{"fastvrrp-marks": 1, "instances": {"V": {}}}',
        '{"fastvrrp-marks": 1, "instances": {"V": {"sequence": [4294967296, 0], "senders": []}}}',
        '{"fastvrrp-marks": 1, "instances":'
        ' {"V": {"sequence": [1, 0], "senders": [["here", 1, 0]]}}}',
        " " * (16 << 20) + "{}",
    ],
    ids=["empty", "text", "list", "format", "fields", "range", "address", "size"],
)
def test_a_file_that_says_nothing_sensible_is_told_and_left_out(
    store: MarkStore, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    Path(store.path).write_text(text)
    os.chmod(store.path, 0o600)
    assert store.load() == {}
    assert "replay marks of the last run are lost" in caplog.text


def test_a_file_that_others_may_write_is_not_believed(
    store: MarkStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.save({"VI_1": MARKS})
    os.chmod(store.path, 0o666)
    assert store.load() == {}
    assert "others may write to it" in caplog.text


def test_a_link_is_not_followed(store: MarkStore, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    MarkStore(str(elsewhere)).save({"VI_1": MARKS})
    os.symlink(elsewhere, store.path)
    assert store.load() == {}
    store.save({"VI_1": MARKS})
    assert not Path(store.path).is_symlink()


def test_a_directory_that_is_gone_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = MarkStore(str(tmp_path / "absent" / "vrrp.replay"))
    store.save({"VI_1": MARKS})
    store.save({"VI_1": MARKS})
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_the_keeper_restores_at_once_and_writes_every_second(tmp_path: Path) -> None:
    path = tmp_path / "vrrp.replay"
    MarkStore(str(path)).save({"VI_1": MARKS})
    known, new = Router("VI_1"), Router("VI_2")
    loop = ManualLoop()
    keeper = MarkKeeper(str(path), [known, new], loop)
    assert known.restored is not None
    assert new.restored is None
    keeper.start()
    known.now = Marks(senders=[], sequence=(500, 0))
    loop.advance(seconds(1))
    assert json.loads(path.read_text())["instances"]["VI_1"]["sequence"] == [500, 0]
    known.now = Marks(senders=[], sequence=(600, 0))
    keeper.stop()
    assert json.loads(path.read_text())["instances"]["VI_1"]["sequence"] == [600, 0]
    path.unlink()
    loop.advance(seconds(5))
    assert not path.exists()


def test_marks_of_an_instance_that_comes_back_are_known(tmp_path: Path) -> None:
    """Given an instance that a reload removes, when another one brings it back, then it goes on
    beyond what it may have sent; the others are not touched, and the file has them all."""
    path = tmp_path / "vrrp.replay"
    stays, leaves = Router("VI_1"), Router("VI_2")
    keeper = MarkKeeper(str(path), [stays, leaves], ManualLoop())
    keeper.start()
    keeper.update([stays])
    keeper.stop()
    assert sorted(json.loads(path.read_text())["instances"]) == ["VI_1", "VI_2"]
    back = Router("VI_2")
    keeper.update([stays, back])
    assert stays.restored is None
    assert back.restored is not None
    assert back.restored.sequence == (132, (3 << 32) + (2 << 32))


def test_a_router_that_has_another_name_now_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "vrrp.replay"
    MarkStore(str(path)).save({"new": MARKS})
    router = Router("old")
    keeper = MarkKeeper(str(path), [router], ManualLoop())
    router.name = "new"
    keeper.update([router])
    assert router.restored is None


def test_without_anything_to_keep_no_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "vrrp.replay"
    keeper = MarkKeeper(str(path), [], ManualLoop())
    keeper.start()
    keeper.stop()
    assert not path.exists()
