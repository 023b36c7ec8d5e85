"""Log lines in keepalived's forms, to syslog and to the console; writing never blocks.

A target that does not take a line gets it later from a bounded queue; what does not fit there is
counted, and the count is told when the target takes lines again. Does not import `logging`, which
the parent has no use for (`records.py` connects the two for the VRRP process).
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEBUG", "ERR", "INFO", "NOTICE", "WARNING", "Console", "Log", "Syslog", "Target"]

# Severities of syslog(3).
ERR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7

MAX_LINE = 4096
"""Bytes; a pipe takes that much at once or not at all (PIPE_BUF)."""

QUEUE_LINES = 512

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {ord("\t"): "\t"}


class Target:
    """Where lines go: a queue in front of `_send`, which takes what it can without waiting."""

    def __init__(self) -> None:
        self._queue: deque[bytes] = deque()
        self._lost = 0

    @property
    def pending(self) -> bool:
        """Whether lines wait."""
        return bool(self._queue)

    def line(self, severity: int, ident: str, text: str) -> bytes:
        """Return `text` in the form of this target, at most MAX_LINE bytes."""
        raise NotImplementedError

    def write(self, severity: int, ident: str, text: str) -> None:
        """Send a line, or queue it, or count it as lost."""
        self.flush()
        if self._lost and not self._queue:
            notice = f"{self._lost} log lines were lost because the log was blocked"
            self._lost = 0
            self._queue.append(self.line(WARNING, ident, notice))
        if len(self._queue) >= QUEUE_LINES:
            self._lost += 1
            return
        self._queue.append(self.line(severity, ident, text))
        self.flush()

    def flush(self) -> None:
        """Send what the target takes now."""
        while self._queue:
            sent = self._send(self._queue[0])
            if sent < len(self._queue[0]):
                self._queue[0] = self._queue[0][sent:]
                return
            self._queue.popleft()

    def forget(self) -> None:
        """Drop what waits."""
        self._queue.clear()
        self._lost = 0

    def close(self) -> None:
        """Give up the target; queued lines are dropped."""

    def _send(self, data: bytes) -> int:
        """Return how many bytes of `data` were taken; must not wait."""
        raise NotImplementedError


class Syslog(Target):
    """The local syslog socket: one datagram a line, as syslog(3) writes them."""

    def __init__(self, *, facility: int = 3, path: str = "/dev/log") -> None:
        super().__init__()
        self._facility = facility
        self._path = path
        self._socket: socket.socket | None = None

    def line(self, severity: int, ident: str, text: str) -> bytes:
        """Return `<PRI>Mmm dd hh:mm:ss ident[pid]: text`."""
        now = time.strftime("%b %e %H:%M:%S")
        head = f"<{self._facility << 3 | severity}>{now} {ident}[{os.getpid()}]: "
        return (head + text).encode(errors="replace")[:MAX_LINE]

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, data: bytes) -> int:
        try:
            if self._socket is None:
                self._socket = self._connect()
            self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return len(data)  # would never fit
            self.close()  # the syslog daemon went away, perhaps to come back
            return 0
        return len(data)

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            sock.connect(self._path)
        except OSError:
            sock.close()
            raise
        return sock


class Console(Target):
    """A file descriptor, as a rule stderr; lines are `ctime: text`.

    The descriptor's own O_NONBLOCK flag is left alone where that can be: it belongs to everyone who
    shares the terminal or pipe.
    """

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._is_socket = stat.S_ISSOCK(os.fstat(fd).st_mode)
        self._fd = os.dup(fd) if self._is_socket else _reopen_nonblocking(fd)
        self._dead = False

    def line(self, severity: int, ident: str, text: str) -> bytes:
        """Return `Tue Nov 24 06:12:34 2026: text` and a newline."""
        head = time.strftime("%c")
        return f"{head}: {text}".encode(errors="replace")[: MAX_LINE - 1] + b"\n"

    def close(self) -> None:
        """Close our copy of the descriptor."""
        if not self._dead:
            self._dead = True
            os.close(self._fd)

    def _send(self, data: bytes) -> int:
        if self._dead:
            return len(data)
        try:
            return self._write(data)
        except BlockingIOError:
            return 0
        except OSError:  # its reader is gone for good
            self.close()
            return len(data)

    def _write(self, data: bytes) -> int:
        if not self._is_socket:
            return os.write(self._fd, data)
        with socket.socket(fileno=os.dup(self._fd)) as sock:
            return sock.send(data, socket.MSG_DONTWAIT)


def _reopen_nonblocking(fd: int) -> int:
    """Return a non-blocking descriptor for the file behind `fd`."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{fd}", flags)
    except OSError:  # no /proc, or a terminal of somebody else
        copy = os.dup(fd)
        os.set_blocking(copy, False)
        return copy


class Log:
    """One process's log: an ident, and the targets it writes to."""

    def __init__(self, ident: str, targets: Sequence[Target], *, detail: bool = False) -> None:
        self.ident = ident
        self.detail = detail
        self._targets = targets

    @property
    def pending(self) -> bool:
        """Whether lines wait for a target: `flush` should be called again soon."""
        return any(target.pending for target in self._targets)

    def write(self, severity: int, text: str) -> None:
        """Write `text`, one record per line; DEBUG only with `detail`."""
        if severity >= DEBUG and not self.detail:
            return
        for line in text.splitlines():
            clean = line.translate(_CONTROL)
            for target in self._targets:
                target.write(severity, self.ident, clean)

    def info(self, text: str) -> None:
        """Write `text` with keepalived's usual severity."""
        self.write(INFO, text)

    def after_fork(self, ident: str) -> None:
        """Become the log of a new process: without the lines that the parent still holds."""
        self.ident = ident
        for target in self._targets:
            target.forget()

    def flush(self) -> None:
        """Send what waits."""
        for target in self._targets:
            target.flush()

    def close(self) -> None:
        """Flush once, then give up the targets."""
        self.flush()
        for target in self._targets:
            target.close()
