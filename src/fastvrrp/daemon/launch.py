"""Becoming a daemon: the command returns when the start is known to have succeeded or failed."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["StartReport", "daemonise"]

EXIT_FAILURE = 1


class StartReport:
    """Tells whoever started the daemon, once, how the start went.

    With a descriptor that is a waiting command, which gets one byte of exit status and a text;
    without one (in the foreground) it is the terminal, and a success says nothing.
    """

    def __init__(self, fd: int | None = None) -> None:
        self._fd = fd
        self._done = False

    def succeeded(self) -> None:
        """The daemon runs."""
        self._tell(0, "")

    def failed(self, status: int, reason: str) -> None:
        """The daemon does not run, and `status` is the command's exit status."""
        self._tell(status, reason)

    def abandon(self) -> None:
        """Leave it to another process to tell; the waiting command must not wait for this one."""
        self._done = True
        if self._fd is not None:
            os.close(self._fd)

    def _tell(self, status: int, text: str) -> None:
        if self._done:
            return
        if self._fd is None:
            sys.stderr.write(text and text + "\n")
        else:
            os.write(self._fd, bytes([status]) + text.encode(errors="replace")[:4000])
        self.abandon()


def daemonise(run: Callable[[StartReport], int]) -> int:
    """Call `run` in a detached process; returns the exit status of the start, in this one."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_fd)
        _detach(run, write_fd)
    os.close(write_fd)
    os.waitpid(pid, 0)
    with open(read_fd, "rb") as pipe:
        answer = pipe.read()
    if not answer:
        print("the daemon died at start; see the log", file=sys.stderr)
        return EXIT_FAILURE
    if len(answer) > 1:
        print(answer[1:].decode(errors="replace"), file=sys.stderr)
    return answer[0]


def _detach(run: Callable[[StartReport], int], write_fd: int) -> None:
    """Run the daemon in a grandchild, in a session without terminal; never returns."""
    status = EXIT_FAILURE
    try:
        os.setsid()
        if os.fork():  # not a session leader: can never get a terminal again
            status = 0
            return
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        if null > 2:
            os.close(null)
        status = run(StartReport(write_fd))
    finally:
        os._exit(status)
