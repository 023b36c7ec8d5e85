"""Signals as data: handlers do nothing, the loop reads the numbers from a descriptor."""

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

__all__ = ["DUMPS", "HANDLED", "SignalInbox", "reset_signals", "signals_blocked"]

DUMPS = {
    signal.SIGUSR1: "data dump",
    signal.SIGUSR2: "statistics",
    signal.SIGRTMIN + 2: "JSON dump",
    signal.SIGRTMAX - 1: "statistics with reset",
    signal.SIGRTMAX: "thread dump",
}
"""keepalived's signals that ask for a file; unhandled, each of them would end the process."""

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, *DUMPS)


def _arrived(_signum: int, _frame: FrameType | None) -> None:
    """Do nothing: Python has written the number to the wake-up descriptor."""


class SignalInbox:
    """Catches signals from when it is made; one for a process, main thread only.

    SIGPIPE is ignored, as Python does by itself, and `ignored` too.
    """

    def __init__(self, signals: Iterable[int] = HANDLED, *, ignored: Iterable[int] = ()) -> None:
        self._read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        for number in signals:
            signal.signal(number, _arrived)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    def fileno(self) -> int:
        """Readable when a signal has arrived."""
        return self._read_fd

    def read(self) -> list[int]:
        """Return the signals that arrived, oldest first."""
        try:
            return list(os.read(self._read_fd, 256))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Stop reporting signals; they stay caught, without effect."""
        signal.set_wakeup_fd(-1)
        os.close(self._read_fd)
        os.close(self._write_fd)


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Around a fork: the new process takes no signal for its parent."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def reset_signals() -> None:
    """Forget, in a process that was forked, what its parent does about signals."""
    signal.set_wakeup_fd(-1)
    for number in (*HANDLED, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
