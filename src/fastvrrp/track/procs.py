"""Which processes run, for all that track them: scanned once, then followed by events.

Where the kernel gives no events, processes are scanned once a second. A scan goes in slices, so
that ten thousand processes hold nothing up, and reads of a process only what a pattern compares. A
child is like its parent until it executes a program, so that forks cost no look at all.
"""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, monotonic_ns
from fastvrrp.config.model import ParamMatch
from fastvrrp.track.proc_events import EventKind, ProcessEvent, ProcessEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastvrrp.reactor import Handle, Loop

__all__ = ["MAX_NAME", "Pattern", "ProcessWatcher"]

log = logging.getLogger("fastvrrp.track")

MAX_NAME = 15
"""Bytes that the kernel keeps of the name of a process."""

_SLICE = 64  # processes looked at in one turn of the loop
_SCAN_EVERY_S = 1.0
_SHARE = 20  # without events, at most one part in so many of the time goes into scans
_GONE = (errno.ENOENT, errno.ESRCH)
_HIDDEN = (errno.EACCES, errno.EPERM)  # those of other users, if /proc is mounted with hidepid


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Which processes count: by name, or (`full_command`) by command line.

    `command` is the program and its parameters. INITIAL: a process may have more of them; PARTIAL:
    the last one may go on as well.
    """

    command: tuple[str, ...]
    full_command: bool = False
    match: ParamMatch = ParamMatch.EXACT

    def matches_name(self, name: bytes) -> bool:
        """Tell if the name of a process is the one."""
        return name == os.fsencode(self.command[0])[:MAX_NAME]

    def matches_line(self, line: bytes) -> bool:
        """Tell if a command line, whose words end with NUL as in /proc/PID/cmdline, is the one."""
        words = self._words
        if self.match is ParamMatch.PARTIAL:
            return line.startswith(words)
        if self.match is ParamMatch.INITIAL and line.startswith(words + b"\0"):
            return True
        return line in (words, words + b"\0")

    @property
    def _words(self) -> bytes:
        return b"\0".join(map(os.fsencode, self.command))

    @property
    def room(self) -> int:
        """How many bytes of a command line tell if it matches."""
        return len(self._words) + 2


class _Watch:
    """A pattern, who is told the number, and the processes that match it."""

    def __init__(self, pattern: Pattern, on_count: Callable[[int], object]) -> None:
        self.pattern = pattern
        self.on_count = on_count
        self.pids: set[int] = set()
        self.told: int | None = None


class ProcessWatcher:
    """Counts the processes that match patterns.

    It begins with the first `watch` and ends with the last `unwatch`. `root`: where /proc is;
    `open_events`: returns the kernel's events, or raises OSError.
    """

    def __init__(
        self,
        *,
        loop: Loop,
        root: str = "/proc",
        open_events: Callable[[], ProcessEvents] = ProcessEvents,
    ) -> None:
        self._loop = loop
        self._root = root
        self._open_events = open_events
        self._watches: list[_Watch] = []
        self._events: ProcessEvents | None = None
        self._is_open = False
        self._timer: Handle | None = None
        self._scan: Iterator[int] | None = None
        self._born: list[int] = []
        self._began = 0
        self._has_failed = False

    def watch(self, pattern: Pattern, on_count: Callable[[int], object]) -> None:
        """Call `on_count(n)` on a later turn of the loop, and whenever the number of processes
        that match changes."""
        self._watches.append(_Watch(pattern, on_count))
        self._scan_in(0.0)

    def unwatch(self, on_count: Callable[[int], object]) -> None:
        """Forget what was told to `on_count`; harmless if there is nothing."""
        self._watches = [one for one in self._watches if one.on_count != on_count]
        if not self._watches:
            self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._events is not None:
            self._loop.remove_reader(self._events.fileno())
            self._events.close()
            self._events = None
        self._scan = None
        self._is_open = False

    def _open(self) -> None:
        self._is_open = True
        try:
            self._events = self._open_events()
        except OSError as error:
            log.info(
                "no process events from the kernel (%s); processes are looked at once a second",
                error.strerror,
            )
        else:
            self._loop.add_reader(self._events.fileno(), self._on_events)

    # ---- scans ----

    def _scan_in(self, delay: float) -> None:
        """Begin a scan after so many seconds, in place of the one that is under way."""
        if self._timer is not None:
            self._timer.cancel()
        self._scan = None
        self._timer = self._loop.call_later(delay, self._begin_scan)

    def _begin_scan(self) -> None:
        if not self._is_open:
            self._open()  # before the scan, so that nothing is missed
        self._began = monotonic_ns()
        self._born.clear()
        for watch in self._watches:
            watch.pids = set()
        self._scan = self._processes()
        self._go_on()

    def _processes(self) -> Iterator[int]:
        """Yield the number of each process, and of those that are born meanwhile."""
        with os.scandir(self._root) as found:
            for entry in found:
                if entry.name.isdecimal():
                    yield int(entry.name)
        while self._born:
            yield self._born.pop()

    def _go_on(self) -> None:
        """Look at the next slice of processes."""
        scan = self._scan
        assert scan is not None, "the timer of a scan is cancelled with it"
        try:
            is_done = self._look_at_next(scan)
        except OSError as error:
            self._fail(error)
            return
        if is_done:
            self._end_scan()
        else:
            self._timer = self._loop.call_later(0, self._go_on)

    def _look_at_next(self, scan: Iterator[int]) -> bool:
        """Look at so many processes and tell if that were all; raises OSError."""
        for _ in range(_SLICE):
            pid = next(scan, None)
            if pid is None:
                return True
            self._look_at(pid)
        return False

    def _fail(self, error: OSError) -> None:
        """Tell nobody what is only half known, and scan a little later."""
        if not self._has_failed:
            log.warning(
                "processes cannot be looked at: %s; their numbers stay as they are until it works",
                error.strerror,
            )
        self._has_failed = True
        self._scan_in(_SCAN_EVERY_S)

    def _end_scan(self) -> None:
        self._has_failed = False
        self._scan = self._timer = None
        if self._events is None:
            took = (monotonic_ns() - self._began) / NS_PER_SECOND
            delay = max(_SCAN_EVERY_S, _SHARE * took)
            self._timer = self._loop.call_later(delay, self._begin_scan)
        self._tell()

    def _look_at(self, pid: int) -> None:
        """Compare a process with all patterns."""
        name = line = None
        for watch in self._watches:
            if watch.pattern.full_command:
                if line is None:
                    room = max(w.pattern.room for w in self._watches if w.pattern.full_command)
                    line = self._read(pid, "cmdline", room)  # that of a dead process is empty
                matches = watch.pattern.matches_line(line)
            else:
                if name is None:
                    name = self._read(pid, "comm", 64).removesuffix(b"\n")
                matches = watch.pattern.matches_name(name) and not self._is_dead(pid)
            (watch.pids.add if matches else watch.pids.discard)(pid)

    def _is_dead(self, pid: int) -> bool:
        """Tell if a process has ended and only its parent does not know. Its name, which stands
        before the state, may hold anything, `) ` as well."""
        state = self._read(pid, "stat", 256).rpartition(b") ")[2][:1]
        return state in (b"", b"Z", b"X")

    def _read(self, pid: int, what: str, room: int) -> bytes:
        """Return the beginning of a file of a process, nothing if the process is gone or hidden.

        Raises OSError if it is not known (EMFILE).
        """
        try:
            fd = os.open(f"{self._root}/{pid}/{what}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.read(fd, room)
            finally:
                os.close(fd)
        except OSError as error:
            if error.errno not in (*_GONE, *_HIDDEN):
                raise
            return b""

    # ---- events ----

    def _on_events(self) -> None:
        assert self._events is not None, "the reader is removed with them"
        try:
            for event in self._events.read():
                self._take(event)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            log.info("process events were lost; all processes are looked at again")
            self._scan_in(0.0)
            return
        if self._scan is None and self._timer is None:
            self._tell()

    def _take(self, event: ProcessEvent) -> None:
        pid = event.pid
        if event.kind is EventKind.FORK:
            if self._scan is not None:
                self._born.append(pid)  # its parent may not have been looked at
            for watch in self._watches:
                (watch.pids.add if event.parent in watch.pids else watch.pids.discard)(pid)
        elif event.kind is EventKind.EXIT:
            for watch in self._watches:
                watch.pids.discard(pid)
        elif event.kind is EventKind.EXEC:
            self._look_at_changed(pid)
        else:
            for watch in self._watches:
                if not watch.pattern.full_command:
                    matches = watch.pattern.matches_name(event.name)
                    (watch.pids.add if matches else watch.pids.discard)(pid)

    def _look_at_changed(self, pid: int) -> None:
        try:
            self._look_at(pid)
        except OSError as error:
            self._fail(error)

    def _tell(self) -> None:
        """Tell the numbers that changed."""
        for watch in tuple(self._watches):
            number = len(watch.pids)
            if number != watch.told and watch in self._watches:
                watch.told = number
                watch.on_count(number)
