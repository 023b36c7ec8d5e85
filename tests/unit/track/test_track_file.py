"""`FileTracker`: what a number in a file does, and that every way to change the file is seen."""

import errno
import logging
import os
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from coldside import Until
from fastvrrp import inotify
from fastvrrp.config.model import TrackFile, TrackUse
from fastvrrp.reactor import Reactor
from fastvrrp.track.base import Contribution
from fastvrrp.track.file import FileTracker, create_file, number_in

USE = TrackUse(name="f")


class Fixture:
    """A tracked file, and the numbers that were told."""

    def __init__(self, reactor: Reactor, tmp_path: Path) -> None:
        self.reactor = reactor
        self.path = tmp_path / "watched" / "f"
        self.path.parent.mkdir()
        self.values: list[int | None] = []
        self.trackers: list[FileTracker] = []

    def track(
        self, path: Path | None = None, *, init: int | None = None, overwrite: bool = False
    ) -> FileTracker:
        config = TrackFile(name="f", path=str(path or self.path), init=init, overwrite=overwrite)
        tracker = FileTracker(config, loop=self.reactor, on_change=self.note)
        self.trackers.append(tracker)
        tracker.start()
        return tracker

    def note(self, tracker: FileTracker) -> None:
        self.values.append(tracker.value)

    def is_last(self, value: int) -> bool:
        return self.values[-1] == value

    def replace(self, text: str) -> None:
        new = self.path.with_name("new")
        new.write_text(text)
        new.rename(self.path)


@pytest.fixture
def file(reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fixture]:
    monkeypatch.setattr("fastvrrp.track.file._LOOK_AGAIN_S", 0.001)
    fixture = Fixture(reactor, tmp_path)
    yield fixture
    for tracker in fixture.trackers:
        tracker.stop()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0),
        ("5", 5),
        (" \t\n-7 and more", -7),
        ("+12abc", 12),
        ("0x1F", 31),
        ("-0XfF", -255),
        ("010", 8),
        ("08", 0),
        ("0x", 0),
        ("- 5", 0),
        ("garbage", 0),
        ("\0\0\0", 0),
        ("9" * 10_000, 2**31 - 1),
        ("-" + "9" * 10_000, -(2**31) + 1),
        (" " * 10_000 + "5", 0),  # no more than the beginning is read
    ],
)
def test_numbers_are_read_as_strtol_does(tmp_path: Path, text: str, value: int) -> None:
    path = tmp_path / "f"
    path.write_text(text)
    assert number_in(str(path)) == value


def contribution(value: int, weight: int, *, reverse: bool = False) -> Contribution:
    use = TrackUse(name="f", weight=weight, reverse=reverse)
    tracker = FileTracker(TrackFile(name="f", path="/f"), loop=Reactor(), on_change=lambda t: None)
    tracker.value = value
    return tracker.contribution(use)


@pytest.mark.parametrize(
    ("value", "weight", "reverse", "added"),
    [
        (5, 1, False, 5),
        (-150, 1, False, -150),
        (5, 3, False, 15),
        (5, -3, False, -15),
        (5, 3, True, -15),
        (5, -3, True, 15),
        (300, 1, False, 253),
        (2**31 - 1, 254, False, 253),
        (-253, 1, False, -253),
        (0, 254, False, 0),
    ],
)
def test_the_number_times_the_weight_is_added(
    value: int, weight: int, reverse: bool, added: int
) -> None:
    assert contribution(value, weight, reverse=reverse) == Contribution(weight=added)


@pytest.mark.parametrize(
    ("value", "weight", "reverse"),
    [(-254, 1, False), (-300, 1, False), (-127, 2, False), (254, 1, True), (254, -1, False)],
)
def test_what_would_take_off_254_is_a_fault(value: int, weight: int, reverse: bool) -> None:
    found = contribution(value, weight, reverse=reverse)
    assert found.fault == f"tracked file f has status {value}"


@pytest.mark.parametrize(
    ("value", "reverse", "is_fault"),
    [(0, False, False), (1, False, True), (-1, False, True), (0, True, True), (1, True, False)],
)
def test_without_weight_any_number_but_0_is_a_fault(
    value: int, reverse: bool, is_fault: bool
) -> None:
    words = f"tracked file f has status {value}" if is_fault else None
    assert contribution(value, 0, reverse=reverse) == Contribution(fault=words)


def test_the_weight_of_the_file_counts_unless_the_use_has_one() -> None:
    config = TrackFile(name="f", path="/f", weight=2, reverse=True)
    tracker = FileTracker(config, loop=Reactor(), on_change=lambda t: None)
    tracker.value = 5
    assert tracker.contribution(USE) == Contribution(weight=-10)
    assert tracker.contribution(TrackUse(name="f", weight=3)) == Contribution(weight=15)


def test_nothing_is_known_before_the_first_look() -> None:
    tracker = FileTracker(TrackFile(name="f", path="/f"), loop=Reactor(), on_change=lambda t: None)
    assert tracker.contribution(USE) == Contribution()
    assert tracker.contribution(TrackUse(name="f", weight=0)) == Contribution(pending=True)


def test_the_first_look_is_made_at_once_and_a_missing_file_is_0(file: Fixture) -> None:
    file.track()
    assert file.values == [0]
    file.path.write_text("5")
    file.track()
    assert file.values == [0, 5]


def test_every_way_to_change_the_file_is_seen(file: Fixture, until: Until) -> None:
    file.track()
    file.path.write_text("1\n")  # created and written
    until(lambda: file.values[-1] == 1)
    file.path.write_text("2\n")  # written in place
    until(lambda: file.values[-1] == 2)
    file.replace("3\n")  # another file takes its place
    until(lambda: file.values[-1] == 3)
    away = file.path.rename(file.path.with_name("away"))
    until(lambda: file.values[-1] == 0)
    away.rename(file.path)
    until(lambda: file.values[-1] == 3)
    file.path.unlink()
    until(lambda: file.values[-1] == 0)
    assert file.values == [0, 1, 2, 3, 0, 3, 0]


def test_half_a_write_is_not_seen(file: Fixture, until: Until) -> None:
    """
    given a file that is being written in place, and so is empty for a while
    when other files beside it change meanwhile
    then the number only changes when the writer is done.
    """
    file.path.write_text("50")
    file.track()
    with file.path.open("w") as writer:
        file.path.with_name("other").write_text("x")
        file.reactor.run_once(0)
        assert file.values == [50]
        writer.write("60")
    until(lambda: file.values[-1] == 60)
    assert file.values == [50, 60]


def test_a_directory_that_vanishes_and_comes_back_is_followed(file: Fixture, until: Until) -> None:
    file.path.write_text("1")
    file.track()
    file.path.unlink()
    file.path.parent.rmdir()
    until(lambda: file.values == [1, 0])
    file.path.parent.mkdir()
    file.path.write_text("2")
    until(lambda: file.values[-1] == 2)
    file.replace("3")
    until(lambda: file.values[-1] == 3)


def test_a_directory_that_is_moved_away_is_followed_no_longer(file: Fixture, until: Until) -> None:
    file.path.write_text("1")
    file.track()
    file.path.parent.rename(file.path.parent.with_name("old"))
    until(lambda: file.values[-1] == 0)
    file.path.parent.mkdir()
    file.path.write_text("2")
    until(lambda: file.values[-1] == 2)


def test_what_a_symbolic_link_leads_to_is_followed(
    file: Fixture, until: Until, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "n").write_text("1")
    (tmp_path / "b" / "n").write_text("2")
    (tmp_path / "data").symlink_to("a")
    file.path.symlink_to("../data/n")
    file.track()
    assert file.values == [1]
    (tmp_path / "a" / "n").write_text("3")
    until(lambda: file.values[-1] == 3)
    (tmp_path / "data2").symlink_to("b")
    (tmp_path / "data2").rename(tmp_path / "data")  # as Kubernetes updates a volume
    until(lambda: file.values[-1] == 2)
    (tmp_path / "b" / "n").write_text("4")
    until(lambda: file.values[-1] == 4)


def test_a_file_that_becomes_a_link_is_followed(
    file: Fixture, until: Until, tmp_path: Path
) -> None:
    """
    given a regular file that is tracked
    when a link takes its place, and another link that of the link (ln -sfn)
    then what the link leads to is followed, written in place as well.
    """
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = tmp_path / "a" / "n", tmp_path / "b" / "n"
    a.write_text("1")
    b.write_text("2")
    file.path.write_text("5")
    file.track()
    for number, target in ((1, a), (2, b)):
        new = file.path.with_name("new")
        new.symlink_to(target)
        new.rename(file.path)
        until(partial(file.is_last, number))
        target.write_text(f"{number}7")
        until(partial(file.is_last, 10 * number + 7))
    assert file.values == [5, 1, 17, 2, 27]


def test_a_file_that_is_created_as_a_link_is_followed(
    file: Fixture, until: Until, tmp_path: Path
) -> None:
    target = tmp_path / "n"
    target.write_text("1")
    file.track()
    file.path.symlink_to(target)
    until(lambda: file.values[-1] == 1)
    target.write_text("2")
    until(lambda: file.values == [0, 1, 2])


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_what_cannot_be_read_keeps_its_number_until_it_can(
    file: Fixture,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    """
    given a file with 5
    when it is written while it cannot be opened for a while
    then 5 counts, which is logged once, and soon after that what stands in it.
    """
    attempts: list[str] = []

    def refuse(path: str) -> int:
        attempts.append(path)
        raise OSError(code, os.strerror(code))

    file.path.write_text("5")
    file.track()
    with monkeypatch.context() as broken:
        broken.setattr("fastvrrp.track.file.number_in", refuse)
        file.path.write_text("6")
        until(lambda: len(attempts) == 3)
    assert file.values == [5]
    until(lambda: file.values[-1] == 6)
    file.reactor.run_once(0)
    assert file.reactor._timers == []
    assert caplog.text.count(f"{os.strerror(code)}; its last number counts") == 1


def test_what_cannot_be_read_at_first_counts_as_0(
    file: Fixture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: str) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("fastvrrp.track.file.number_in", refuse)
    file.path.write_text("5")
    file.track()
    assert file.values == [0]
    assert "Permission denied; it counts as 0 until it can be read" in caplog.text


def test_what_is_below_a_file_is_missing(
    file: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.write_text("5")
    file.track()
    parent = file.path.parent
    file.path.unlink()
    parent.rmdir()
    parent.write_text("no directory")
    until(lambda: file.values == [5, 0])
    assert caplog.messages == []


def test_two_troubles_are_logged_once_each(
    file: Fixture, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    given a directory that may neither be watched nor searched
    when it is looked at again and again
    then the log has one line for each.
    """
    attempts: list[str] = []

    def refuse(path: str) -> int:
        attempts.append(path)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def refuse_watch(fd: int, directory: bytes) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("fastvrrp.track.file.number_in", refuse)
    monkeypatch.setattr(inotify, "watch", refuse_watch)
    file.track()
    until(lambda: len(attempts) == 4)
    found = [one.partition("denied; ")[2] for one in caplog.messages]
    assert found == [
        "it is looked at once a second",
        "it counts as 0 until it can be read",
        "its last number counts until it can be read",
    ]


def test_a_relative_path_starts_at_the_root(file: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    file.path.write_text("5")
    monkeypatch.chdir(file.path.parent)
    file.track(Path("f"))
    file.track(file.path.relative_to("/"))
    assert file.values == [0, 5]


def test_what_can_keep_waiting_is_not_usable(
    file: Fixture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fastvrrp.track.file.waits_on", lambda path: "nfs4")
    config = TrackFile(name="f", path=str(file.path))
    tracker = FileTracker(config, loop=file.reactor, on_change=file.note)
    assert not tracker.usable
    assert f"{file.path}: it is not tracked: to look at it can take for ever on nfs4" in caplog.text


def test_without_inotify_it_is_looked_at_in_turns(
    file: Fixture, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(inotify, "create", refuse)
    file.track()
    file.path.write_text("4")
    until(lambda: file.values[-1] == 4)
    file.path.unlink()
    until(lambda: file.values[-1] == 0)
    assert caplog.text.count("Too many open files; it is looked at once a second") == 1


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [fifo, unix_socket, zeros, directory])
def test_what_is_no_file_is_not_opened(
    file: Fixture, make: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(make)
    make(file.path)
    tracker = file.track()
    assert file.values == [0]
    assert "it is no regular file; it counts as empty" in caplog.text
    tracker.stop()


def test_the_file_is_created_at_start_with_its_number(file: Fixture) -> None:
    file.track(init=-5)
    assert file.path.read_text() == "-5\n"
    assert file.values == [-5]


@pytest.mark.parametrize(("overwrite", "value"), [(False, 9), (True, 7)])
def test_a_file_that_exists_is_only_overwritten_if_told(
    file: Fixture, overwrite: bool, value: int
) -> None:
    file.path.write_text("9 is what stands here\n")
    file.track(init=7, overwrite=overwrite)
    assert file.values == [value]


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_written_through_a_link(
    file: Fixture, tmp_path: Path, exists: bool, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "passwd"
    if exists:
        target.write_text("root")
    file.path.symlink_to(target)
    file.track(init=7, overwrite=True)
    assert target.exists() is exists
    assert not exists or target.read_text() == "root"
    assert f"track_file f: {file.path}: it cannot be created: " in caplog.text


def test_a_fifo_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with pytest.raises(OSError, match=r"No such device|no regular file"):
        create_file(str(path), 7, overwrite=True)


def test_what_is_no_file_is_named_where_it_cannot_be_created(
    file: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(file.path)
    reader = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK)  # with it, a fifo can be opened
    file.track(init=7, overwrite=True)
    os.close(reader)
    assert (
        f"track_file f: {file.path}: it cannot be created: it is no regular file" in caplog.messages
    )


def test_nothing_is_told_after_stop(file: Fixture) -> None:
    tracker = file.track()
    done: list[bool] = []
    tracker.stop(lambda: done.append(True))
    tracker.stop()
    file.path.write_text("5")
    file.reactor.run_once(0)
    assert (file.values, done) == ([0], [True])


def test_many_events_at_once_are_taken_and_an_overflow_is_looked_after(
    file: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "fastvrrp")
    file.track()
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    others = [file.path.with_name(f"other{n}") for n in range(2)]
    for n in range(limit // 2 + 10):  # created or deleted by turns, which the kernel cannot merge
        for other in others:
            other.unlink() if n % 2 else other.touch()
    file.path.write_text("6")  # its event is lost
    until(lambda: file.values[-1] == 6)
