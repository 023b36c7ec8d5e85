"""Replay: gives a fresh core what a recorded one was given, and compares what both said."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastvrrp.core.acts import Revision
from fastvrrp.core.core import Core
from fastvrrp.errors import RecordError
from fastvrrp.loop.entries import Entry
from fastvrrp.loop.recorder import Recorder
from fastvrrp.record import header
from fastvrrp.record.lines import from_line, to_line

__all__ = ["Difference", "Outcome", "replay"]

Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first line that does not fit. `expected` is what the recording says there, `got` what
    the core said now; None: nothing. `after` is the input before, at `after_line`."""

    line: int
    expected: Line | None
    got: Line | None
    after_line: int
    after: Line | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a replay came to. `end` is "stop", "lost" (the recorder could not keep up), or "" for
    a recording that breaks off."""

    routers: tuple[str, ...]
    inputs: int
    outputs: int
    end: str
    difference: Difference | None


def replay(path: str | Path) -> Outcome:
    """Replay the recording at `path` up to the first difference.

    Raises RecordError, which names the line, for what is no recording or cannot have happened.
    """
    lines = _lines(path)
    try:
        number, first = next(lines)
    except StopIteration:
        raise RecordError(f"{path} is empty") from None
    with _at(path, number):
        player = _Player(header.from_line(first))
    for number, line in lines:
        with _at(path, number):
            player.take(number, line)
        if player.difference is not None:
            break
    return player.outcome()


@contextmanager
def _at(path: str | Path, number: int) -> Iterator[None]:
    """Say the place of what is wrong."""
    try:
        yield
    except RecordError as error:
        raise RecordError(f"{path}, line {number}: {error}") from error


def _lines(path: str | Path) -> Iterator[tuple[int, Line]]:
    """Yield every complete line with its number; a last one without its end was being written."""
    try:
        with open(path, "rb") as file:
            for number, text in enumerate(file, 1):
                if text.endswith(b"\n"):
                    yield number, _parse(path, number, text)
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from error


def _parse(path: str | Path, number: int, text: bytes) -> Line:
    try:
        line = json.loads(text)
    except ValueError:
        raise RecordError(f"{path}, line {number}: it is no JSON") from None
    if not isinstance(line, dict):
        raise RecordError(f"{path}, line {number}: it is no JSON object")
    return line


class _Player:
    """The fresh core, and how far it has come."""

    def __init__(self, start: header.Header) -> None:
        self.end = ""
        self.difference: Difference | None = None
        self._names = {vr: name for vr, (name, _) in enumerate(start.routers)}
        self._inputs = self._outputs = 0
        self._said: deque[Entry] = deque()
        self._after: tuple[int, Line | None] = (0, None)
        try:
            capacity = max(start.capacity, len(start.routers))
            core = Core(capacity, start.ports, start.groups)
            core.tells_unknown_vrids = start.tells_unknown_vrids
            for _, params in start.routers:
                core.add(params)
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            raise RecordError(f"there is no such core: {error}") from error
        self._recorder = Recorder(core)

    def take(self, number: int, line: Line) -> None:
        """Do or compare one line; raises RecordError."""
        if self.end:
            raise RecordError("something comes after the end")
        if "end" in line:
            self.end = str(line["end"])
            if self.end == "stop" and self._said:
                self._differ(number, None)
            return
        entry = from_line(line)
        if entry.kind.is_output:
            self._compare(number, entry)
        elif self._said:
            self._differ(number, None)
        else:
            self._feed(number, line, entry)

    def outcome(self) -> Outcome:
        """Return what came of it."""
        return Outcome(
            routers=tuple(self._names[vr] for vr in sorted(self._names)),
            inputs=self._inputs,
            outputs=self._outputs,
            end=self.end,
            difference=self.difference,
        )

    def _feed(self, number: int, line: Line, entry: Entry) -> None:
        self._after = (number, line)
        self._inputs += 1
        try:
            self._recorder.feed(entry)
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise RecordError(f"this cannot have happened: {error}") from error
        if entry.revision is not None:
            self._rename(entry.revision)
        self._said.extend(each for each in self._recorder.entries() if each.kind.is_output)

    def _rename(self, revision: Revision) -> None:
        for change in revision.changes:
            if change.params is None:
                self._names.pop(change.slot, None)
            else:
                self._names[change.slot] = change.name

    def _compare(self, number: int, expected: Entry) -> None:
        self._outputs += 1
        if not self._said or self._said[0] != expected:
            self._differ(number, expected)
        else:
            self._said.popleft()

    def _differ(self, number: int, expected: Entry | None) -> None:
        after_line, after = self._after
        self.difference = Difference(
            line=number,
            expected=None if expected is None else to_line(expected),
            got=to_line(self._said[0]) if self._said else None,
            after_line=after_line,
            after=after,
        )
