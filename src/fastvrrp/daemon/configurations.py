"""The parent's side of configurations: reads one when asked to, in a process of its own, hands it
to the VRRP process, and keeps the one that runs.

A configuration is a file in memory, written by the reader and opened by the VRRP process; here
nobody looks into it. Exactly one is read or judged at a time; who asks meanwhile, however often, is
served once, after that.
"""

from __future__ import annotations

import os
import signal
import time

from fastvrrp.daemon.control import CONFIG, UNREAD, memory_file, send
from fastvrrp.daemon.process import set_parent_death_signal
from fastvrrp.daemon.signals import reset_signals, signals_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["READ_LIMIT_S", "Configurations"]

READ_LIMIT_S = 30
"""How long one reading may take."""


_SOUND, _DIED, _UNSOUND = 0, 1, 3
"""Exit statuses of a reader; what is not sound is handed on for the sake of its diagnostics."""


class _Offer:
    """What a reading has brought: a memory file `fd`, or why there is none. `is_sound`: by what it
    says, it runs."""

    def __init__(self, message: bytes, fd: int | None = None, *, is_sound: bool = False) -> None:
        self.message = message
        self.fd = fd
        self.is_sound = is_sound

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class Configurations:
    """`read(fd)` writes a configuration to a memory file, in a process of its own, and returns
    whether it is sound. `pid` is that process, 0: there is none.
    """

    def __init__(self, read: Callable[[int], bool], *, limit_s: float = READ_LIMIT_S) -> None:
        self.pid = 0
        self.due_ns: int | None = None
        """When the reader is killed."""
        self._read = read
        self._limit_s = limit_s
        self._wanted = False
        self._is_anew = False
        """The VRRP process has been given nothing yet."""
        self._fd = -1
        self._next: _Offer | None = None
        """Nobody has it yet."""
        self._given: _Offer | None = None
        """The VRRP process has it, and has not said what it makes of it."""
        self._running: _Offer | None = None
        """The last one that a VRRP process has run with."""

    @property
    def is_idle(self) -> bool:
        """Tell if nothing is read, and nothing waits for a verdict."""
        return not self.pid and self._next is None and self._given is None

    @property
    def is_wanted(self) -> bool:
        """Tell if a reading has been asked for, and has not begun."""
        return self._wanted

    def want(self) -> None:
        """Ask for a reading: it begins with `begin()`."""
        self._wanted = True

    def begin(self) -> None:
        """Begin to read."""
        self._wanted = False
        try:
            self._fd = memory_file("configuration")
            parent = os.getpid()
            with signals_blocked():
                self.pid = os.fork()
                if self.pid == 0:
                    self._become_reader(parent)
        except OSError as error:
            self._end_reading()
            self._refuse(f"the configuration reader cannot be started: {error.strerror}")
            return
        self.due_ns = time.monotonic_ns() + int(self._limit_s * 1e9)

    def _become_reader(self, parent: int) -> None:
        """Read in this new process; never returns."""
        status = _DIED
        try:
            set_parent_death_signal(signal.SIGKILL)
            reset_signals()
            if os.getppid() == parent:
                status = _SOUND if self._read(self._fd) else _UNSOUND
        finally:
            os._exit(status)

    def kill_if_late(self) -> None:
        """Kill a reader whose time is over."""
        if self.due_ns is not None and time.monotonic_ns() >= self.due_ns:
            self.due_ns = None
            os.kill(self.pid, signal.SIGKILL)

    def on_reader_exit(self, status: int) -> None:
        """Take what the reader leaves; `status` is its exit status, or minus the signal."""
        self.pid = 0
        was_killed = self.due_ns is None
        if status in (_SOUND, _UNSOUND):
            self._next = _Offer(CONFIG, self._fd, is_sound=status == _SOUND)
            self._fd = -1
        elif was_killed:
            self._refuse(f"reading the configuration took longer than {self._limit_s:g} seconds")
        elif status == -signal.SIGXCPU:
            self._refuse("reading the configuration takes too much time")
        else:
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            self._refuse(f"the configuration reader died {how}")
        self._end_reading()

    def _refuse(self, why: str) -> None:
        self._next = _Offer(UNREAD + why.encode())

    def _end_reading(self) -> None:
        self.due_ns = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # What becomes of it.

    def begin_anew(self) -> bool:
        """There is a new VRRP process; True: what ran before is for it, and not what was read."""
        self._is_anew = True
        return self._first() is self._running is not None

    def _first(self) -> _Offer | None:
        """What a new VRRP process gets: what is read anew only if it is sound, for somebody must
        hold the addresses."""
        is_sound = self._next is not None and self._next.is_sound
        return self._next if is_sound or self._running is None else self._running

    def give(self, control: socket.socket) -> None:
        """Hand the next one to the VRRP process, if there is one and it waits for none."""
        offer = self._first() if self._is_anew else self._next
        if offer is None or self._given is not None:
            return
        if send(control, offer.message, offer.fd):
            self._is_anew = False
            self._given = offer
            if offer is self._next:
                self._next = None

    def taken(self) -> bool:
        """What was given runs; returns whether that is another one than before."""
        taken, self._given = self._given, None
        if taken is None or taken is self._running:
            return False
        if self._running is not None:
            self._running.close()
        self._running = taken
        return True

    def refused(self) -> None:
        """What was given does not run; what ran before does."""
        if self._given is not None and self._given is not self._running:
            self._given.close()
        self._given = None

    def on_child_exit(self) -> bool:
        """The VRRP process has ended: what it was just given, and may have died of, is dropped for
        what ran before, which is returned; if nothing has, the next one gets it as well."""
        if self._given is None or self._given is self._running:
            self._given = None
            return False
        if self._running is None:
            self._next, self._given = self._given, None
            return False
        self.refused()
        return True

    def close(self) -> None:
        """Close all, in this process: the parent kills its reader, a child has none."""
        for offer in (self._next, self._given, self._running):
            if offer is not None:
                offer.close()
        self._end_reading()

    def stop(self) -> None:
        """End a reading that goes on."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
        self.close()
