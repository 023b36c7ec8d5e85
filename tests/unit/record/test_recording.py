"""The file of a recording: whose it is, what is never overwritten, and how it ends."""

import io
import json
import logging
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastvrrp.errors import KernelError, RecordError
from fastvrrp.loop.entries import Entry, EntryKind
from fastvrrp.loop.recorder import Recorder
from fastvrrp.record import writer
from fastvrrp.record.replay import replay
from fastvrrp.record.writer import Recording, Target
from recordings import ROUTERS, first_line, fresh_core, random_inputs


class Timer:
    """A loop with one callback that waits."""

    def __init__(self) -> None:
        self.waiting: Callable[[], object] | None = None
        self.delay = 0.0

    def call_later(self, delay: float, callback: Callable[[], object]) -> "Timer":
        self.delay = delay
        self.waiting = callback
        return self

    def cancel(self) -> None:
        self.waiting = None

    def fire(self) -> None:
        assert self.waiting is not None
        self.waiting()


def start(target: Target) -> tuple[Recording, Timer, Any]:
    core = fresh_core()
    recording = Recording(target, core)
    timer: Any = Timer()
    params = [(name, each) for name, each in ROUTERS]
    recording.start(recording.recorder, timer, params)
    return recording, timer, core


def feed(recording: Recording, steps: int = 100, seed: int = 1) -> None:
    for entry in random_inputs(random.Random(seed), steps):
        recording.recorder.feed(entry)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_recording_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    old = os.umask(0)
    try:
        recording, _, _ = start(path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    recording.close()


def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("precious")
    with pytest.raises(RecordError, match=r"r\.jsonl exists already, and is not overwritten"):
        start(path)
    assert path.read_text() == "precious"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "r.jsonl"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="exists already"):
        start(str(link))
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=r"create recording .*/none/r: No such file"):
        start(tmp_path / "none" / "r")


def test_lines_are_written_once_a_second_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    recording, timer, _ = start(path)
    header = lines(path)[0]
    assert header.keys() == first_line().keys()
    assert len(lines(path)) == 1
    feed(recording)
    assert len(lines(path)) == 1
    assert timer.delay == 1.0
    timer.fire()
    written = len(lines(path))
    assert written > 100
    recording.recorder.feed(Entry(kind=EntryKind.ADVANCE, at=1 << 50))
    recording.close()
    recording.close()
    assert timer.waiting is None
    assert lines(path)[-1]["end"] == "stop"
    assert len(lines(path)) > written + 1


def test_the_wall_clock_is_followed_for_auth_hmac_only(tmp_path: Path) -> None:
    recording, _, _ = start(tmp_path / "with")
    assert recording.recorder.follows_clock
    recording.close()
    plain = Recording(tmp_path / "without", fresh_core())
    timer: Any = Timer()
    plain.start(plain.recorder, timer, ROUTERS[:2])
    assert not plain.recorder.follows_clock
    plain.close()


def test_a_file_object_stays_the_callers(tmp_path: Path) -> None:
    memory = io.BytesIO()
    recording, _, _ = start(memory)
    feed(recording)
    recording.close()
    assert not memory.closed
    path = tmp_path / "r"
    path.write_bytes(memory.getvalue())
    assert [line.get("end") for line in lines(path)][-1] == "stop"


def test_a_ring_that_overflows_ends_the_recording_with_a_mark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a small ring that is not emptied in time, then the file says so in its last line, the
    log says so once, and the replay of what is there finds no difference."""
    monkeypatch.setattr(writer, "Recorder", lambda core: Recorder(core, size=65536))
    path = tmp_path / "r.jsonl"
    recording, timer, _ = start(path)
    feed(recording, 5000)
    timer.fire()
    feed(recording, 100)
    recording.flush()
    recording.close()
    assert timer.waiting is None
    assert lines(path)[-1]["end"] == "lost"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "packets came faster" in caplog.text


class Full(io.BytesIO):
    """A disk that is full from the second write on."""

    def write(self, data: object) -> int:
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


def test_a_disk_that_is_full_ends_the_recording_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recording, timer, _ = start(Full())
    feed(recording)
    timer.fire()
    feed(recording)
    recording.flush()
    recording.close()
    assert timer.waiting is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "No space left on device" in caplog.text


def test_a_written_recording_replays(tmp_path: Path) -> None:
    """Given routers that are placed on ports after they were added, as the engine does, when the
    recording is replayed, then there is no difference."""
    path = tmp_path / "r.jsonl"
    recording, timer, _ = start(path)
    recorder = recording.recorder
    for vr in range(3):
        address = bytes((192, 0, 2, 5)).ljust(16, b"\0")
        recorder.feed(Entry(kind=EntryKind.PLACE, at=1, vr=vr, a=vr, address=address))
    for seed in range(3):
        feed(recording, 300, seed)
        timer.fire()
    recording.close()
    assert replay(path).difference is None
