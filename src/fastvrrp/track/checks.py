"""What probes look at: services, processes, files and interfaces. Nothing here waits or forks."""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import stat
import struct
import time
from typing import TYPE_CHECKING

from fastvrrp.config.model import (
    FileProbe,
    HttpProbe,
    InterfaceProbe,
    ProcessProbe,
    TcpProbe,
    UnixProbe,
)
from fastvrrp.track.connection import Connection
from fastvrrp.track.mounts import waits_on
from fastvrrp.track.prober import OK, reason
from fastvrrp.track.procs import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import Address, ProbeTarget
    from fastvrrp.track.prober import Check
    from fastvrrp.track.procs import ProcessWatcher

__all__ = [
    "FileCheck",
    "HttpCheck",
    "InterfaceCheck",
    "ProcessCheck",
    "RefusedCheck",
    "StreamCheck",
    "make_check",
]

_KIND = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_RESPONSE_ROOM = 1024  # bytes read of a response
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})(?:[ \r]|\Z)")
_GOOD_STATUS = range(200, 400)


def make_check(
    target: ProbeTarget, *, watcher: ProcessWatcher, is_up: Callable[[str], bool]
) -> Check:
    """Return what looks at `target`; `is_up` tells the state of an interface."""
    match target:
        case TcpProbe():
            return StreamCheck(_socket_address(target.address, target.port))
        case HttpProbe():
            return HttpCheck(target)
        case UnixProbe() | FileProbe():
            return _check_of_path(target)
        case ProcessProbe():
            return ProcessCheck(target.process, watcher)
        case InterfaceProbe():
            return InterfaceCheck(target.interface, is_up)


def _check_of_path(target: UnixProbe | FileProbe) -> Check:
    """Return what looks at a path; where that can take for ever, it fails without looking."""
    kind = waits_on(target.path)
    if kind is not None:
        return RefusedCheck(f"not looked at: it is on {kind}")
    if isinstance(target, FileProbe):
        return FileCheck(target)
    family = struct.pack("=H", socket.AF_UNIX)
    return StreamCheck(family + os.fsencode(target.path) + b"\0")


def _socket_address(address: Address, port: int) -> bytes:
    """Return a struct sockaddr_in or sockaddr_in6."""
    if address.version == 4:
        return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, address.packed)
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", port, 0, address.packed, 0)


class _Immediate:
    """A check that needs no waiting."""

    events = 0

    def proceed(self) -> str | None:
        return None

    def fileno(self) -> int:
        return -1

    def abort(self) -> None:
        """There is nothing under way."""


class RefusedCheck(_Immediate):
    """What must not be looked at, for a reason."""

    def __init__(self, why: str) -> None:
        self._why = why

    def begin(self) -> str | None:
        """Fail."""
        return self._why


class StreamCheck:
    """A connection that can be made, to a struct sockaddr; see `connection`."""

    events = select.EPOLLOUT

    def __init__(self, address: bytes) -> None:
        self._connection = Connection(address)

    def begin(self) -> str | None:
        """Connect."""
        code = self._connection.attempt()
        return OK if code == 0 else None if code < 0 else reason(code)

    def proceed(self) -> str | None:
        """Ask what has become of the connection."""
        code = self._connection.outcome()
        return OK if code == 0 else None if code < 0 else reason(code)

    def fileno(self) -> int:
        """Return the descriptor of a connection that is waited for."""
        return self._connection.fileno()

    def abort(self) -> None:
        """Close the connection."""
        self._connection.close()


class HttpCheck:
    """A response to GET, HTTP/1.0, whose status is the one that is wanted (else 200..399).

    Only the status line is read.
    """

    events: int = select.EPOLLOUT

    def __init__(self, target: HttpProbe) -> None:
        self._family = socket.AF_INET if target.address.version == 4 else socket.AF_INET6
        self._address = (str(target.address), target.port)
        self._wanted = _GOOD_STATUS if target.status is None else (target.status,)
        self._request = _request(target)
        self._socket: socket.socket | None = None
        self._is_asked = False
        self._response = b""

    def begin(self) -> str | None:
        """Connect."""
        self._is_asked = False
        self._response = b""
        self.events = select.EPOLLOUT
        try:
            self._socket = socket.socket(self._family, _KIND)
        except OSError as error:
            return reason(error.errno)
        return self._connect(self._socket)

    def proceed(self) -> str | None:
        """Go on with the connection, or take some of the response."""
        assert self._socket is not None, "it waits for a connection"
        return self._read(self._socket) if self._is_asked else self._connect(self._socket)

    def fileno(self) -> int:
        """Return the descriptor of the connection, -1 if there is none."""
        return -1 if self._socket is None else self._socket.fileno()

    def abort(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self, connecting: socket.socket) -> str | None:
        """Begin to connect, or see what has become of it, and ask for the page."""
        code = connecting.connect_ex(self._address)
        if code in (errno.EINPROGRESS, errno.EALREADY):
            return None
        if code not in (0, errno.EISCONN):
            return self._end(reason(code))
        try:
            sent = connecting.send(self._request)
        except OSError as error:
            return self._end(reason(error.errno))
        if sent < len(self._request):
            return self._end("request not taken")
        self._is_asked = True
        self.events = select.EPOLLIN
        return None

    def _read(self, connected: socket.socket) -> str | None:
        try:
            data = connected.recv(_RESPONSE_ROOM - len(self._response))
        except BlockingIOError:
            return None
        except OSError as error:
            return self._end(reason(error.errno))
        self._response += data
        if data and b"\n" not in self._response and len(self._response) < _RESPONSE_ROOM:
            return None
        return self._end(self._judge())

    def _judge(self) -> str:
        match = _STATUS_LINE.match(self._response.partition(b"\n")[0])
        if match is None:
            return "no HTTP response" if self._response else "connection closed"
        status = int(match[1])
        return OK if status in self._wanted else f"status {status}"

    def _end(self, result: str) -> str:
        self.abort()
        return result


def _request(target: HttpProbe) -> bytes:
    host = f"[{target.address}]" if target.address.version == 6 else str(target.address)
    port = "" if target.port == 80 else f":{target.port}"
    return (
        f"GET {target.path} HTTP/1.0\r\nHost: {host}{port}\r\n"
        "User-Agent: fastvrrp\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


class ProcessCheck(_Immediate):
    """A process of this name runs."""

    def __init__(self, name: str, watcher: ProcessWatcher) -> None:
        self._pattern = Pattern(command=(name,))
        self._watcher = watcher
        self._is_watching = False
        self._count: int | None = None

    def begin(self) -> str | None:
        """Tell if one runs; nothing as long as nobody has counted."""
        if not self._is_watching:
            self._is_watching = True
            self._watcher.watch(self._pattern, self._on_count)
        if self._count is None:
            return None
        return OK if self._count else "not running"

    def _on_count(self, count: int) -> None:
        self._count = count

    def abort(self) -> None:
        """Count no longer."""
        self._watcher.unwatch(self._on_count)
        self._is_watching = False
        self._count = None


class FileCheck(_Immediate):
    """A file exists, and was written not too long ago."""

    def __init__(self, target: FileProbe) -> None:
        self._target = target

    def begin(self) -> str | None:
        """Look at it, without opening it."""
        try:
            found = os.stat(self._target.path)
        except OSError as error:
            return reason(error.errno)
        if not stat.S_ISREG(found.st_mode):
            return "no regular file"
        most = self._target.max_age
        if most is None:
            return OK
        age = time.time_ns() - found.st_mtime_ns
        return OK if age <= most else f"{age // 1_000_000_000} s old"


class InterfaceCheck(_Immediate):
    """An interface is up."""

    def __init__(self, name: str, is_up: Callable[[str], bool]) -> None:
        self._name = name
        self._is_up = is_up

    def begin(self) -> str | None:
        """Tell if it is."""
        return OK if self._is_up(self._name) else "interface down"
