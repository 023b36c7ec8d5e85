"""Undoes, one by one, what a process that is dead has done to this host.

Imports little: the daemon's parent needs it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import sys
from itertools import takewhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

__all__ = ["GONE", "Undoer", "marks_addresses"]

GONE = "it is not there any more"
"""The answer for what is undone already, or was never done."""

_NETLINK_NETFILTER = 12
_NLMSG_ERROR = 2
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_ASK_FOR_ADDRESSES = struct.pack("=IHHII4xI", 24, _GETADDR, 0x301, 0, 0, 0)  # a dump, of all
_IFA_LOCAL, _IFA_ADDRESS, _IFA_PROTO = 2, 1, 11
_MISSING = (
    errno.EADDRNOTAVAIL,
    errno.ENODEV,
    errno.ENOENT,
    errno.ESRCH,
    errno.EAFNOSUPPORT,  # IPv6 is switched off
)


class Undoer:
    """Its methods return "" for what is undone now, else why not: `GONE` or a reason in words.

    `sysctls` is where kernel parameters are.
    """

    def __init__(self, sysctls: str = "/proc/sys") -> None:
        self._sysctls = sysctls
        self._sockets: dict[int, socket.socket] = {}
        self._foreign: frozenset[_Address] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._sockets.values():
            each.close()

    def route(self, request: bytes, links: Iterable[tuple[str, int]]) -> str:
        """Send the rtnetlink `request`, if each of `links`, (name, ifindex), is what it was. An
        address that somebody else has set since stays."""
        if any(not _is_link(name, index) for name, index in links):
            return GONE
        if _kind(request) == _DELADDR and _address(request) in self._others():
            return GONE
        return self._ask(socket.NETLINK_ROUTE, request)

    def nft(self, batch: bytes) -> str:
        """Send the nfnetlink `batch`."""
        return self._ask(_NETLINK_NETFILTER, batch)

    def sysctl(self, name: str, was: str, ours: str) -> str:
        """Write `was` to the kernel parameter `name`, if it still has the value `ours`."""
        path = f"{self._sysctls}/{name}"
        try:
            with open(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b", 0) as file:
                if file.read(4096).strip() != ours.encode():
                    return GONE
                file.seek(0)
                file.write(was.encode() + b"\n")
        except OSError as error:
            return _why(error)
        return ""

    def _ask(self, protocol: int, request: bytes) -> str:
        """Send `request`, which the kernel carries out before that returns, and read what it says
        of it: nothing, or errors."""
        found: list[str] = []
        try:
            asked = self._socket(protocol)
            asked.send(request)
            while True:
                found += _errors(asked.recv(1 << 16))
        except BlockingIOError:  # it has no more to say
            return next((why for why in found if why != GONE), "".join(found[:1]))
        except OSError as error:
            return _why(error)

    def _others(self) -> frozenset[_Address]:
        """Return the addresses that do not carry our mark, as far as this kernel tells."""
        if self._foreign is None:
            self._foreign = frozenset()
            with contextlib.suppress(OSError):
                found = self._addresses() if marks_addresses() else ()
                self._foreign = frozenset(
                    _address(one) for one in found if _attributes(one).get(_IFA_PROTO) != _OURS
                )
        return self._foreign

    def _addresses(self) -> Iterator[bytes]:
        """Yield what the kernel says about each address; it has it ready when it is asked."""
        asked = self._socket(socket.NETLINK_ROUTE)
        asked.send(_ASK_FOR_ADDRESSES)
        while True:
            for message in _messages(asked.recv(1 << 16)):
                if _kind(message) != _NEWADDR:
                    return
                yield message

    def _socket(self, protocol: int) -> socket.socket:
        if protocol not in self._sockets:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            self._sockets[protocol] = socket.socket(socket.AF_NETLINK, kind, protocol)
        return self._sockets[protocol]


def _is_link(name: str, index: int) -> bool:
    try:
        return socket.if_nametoindex(name) == index
    except (OSError, ValueError):
        return False


def marks_addresses() -> bool:
    """Tell whether this kernel keeps IFA_PROTO: Linux 5.18 and later."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(takewhile(str.isdigit, minor)))) >= (5, 18)


_OURS = bytes((18,))
"""IFA_PROTO of our addresses (`host.addresses`)."""
_Address = tuple[int, int, bytes | None]
"""Interface, length of the prefix, and the address itself."""


def _address(message: bytes) -> _Address:
    prefix, index = struct.unpack_from("=17xB2xI", message) if len(message) >= 24 else (0, 0)
    said = _attributes(message)
    return index, prefix, said.get(_IFA_LOCAL, said.get(_IFA_ADDRESS))


def _attributes(message: bytes) -> dict[int, bytes]:
    """Return what is said about an address."""
    found, at = {}, 24
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        found[kind] = message[at + 4 : at + length]
        at += max(length + 3 & ~3, 4)
    return found


def _kind(message: bytes) -> int:
    return int.from_bytes(message[4:6], sys.byteorder)


def _messages(answer: bytes) -> Iterator[bytes]:
    while len(answer) >= 16:
        length = int.from_bytes(answer[:4], sys.byteorder)
        yield answer[:length]
        answer = answer[max(length + 3 & ~3, 16) :]


def _errors(answer: bytes) -> list[str]:
    """Return the errors in an answer of the kernel, in words."""
    found = []
    for message in _messages(answer):
        if _kind(message) == _NLMSG_ERROR and len(message) >= 20:
            (code,) = struct.unpack_from("=16xi", message)
            if code:
                found.append(_why(OSError(-code, os.strerror(-code))))
    return found


def _why(error: OSError) -> str:
    return GONE if error.errno in _MISSING else error.strerror or str(error)
