"""What a `vrrp_probe` looks at. Names of hosts are not taken: to look one up can take seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from fastvrrp.config.model import (
    Address,
    FileProbe,
    HttpProbe,
    InterfaceProbe,
    ProcessProbe,
    TcpProbe,
    UnixProbe,
)
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.network import take_interface
from fastvrrp.config.values.numbers import Seconds, in_range, stray_end

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "FileTarget",
    "HttpTarget",
    "InterfaceTarget",
    "ProcessTarget",
    "TcpTarget",
    "UnixTarget",
]

_HOST = r"(?:\[(?P<inner>[^\]]*)\]|(?P<host>[^\[\]/:]+))"
_TCP = re.compile(rf"{_HOST}:(?P<port>\d+)\Z", re.ASCII)
_URL = re.compile(rf"http://{_HOST}(?::(?P<port>\d+))?(?P<path>/[!-~]*)?\Z", re.ASCII)
_MAX_PORT = 65535
_MAX_SOCKET_PATH = 107  # bytes, sun_path without its NUL
_LOCALHOST = IPv4Address("127.0.0.1")


def _address(match: re.Match[str], word: Word) -> Address:
    text = match["inner"] if match["host"] is None else match["host"]
    if text == "localhost":
        return _LOCALHOST
    try:
        found = ip_address(text)
    except ValueError:
        message = f"{text} is no IP address, and names are not looked up here"
        raise Rejected("FV103", message, word.span, "write its address, or localhost") from None
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        raise Rejected("FV103", f"{text} has a scope, which is not supported", word.span)
    return found


def _port(match: re.Match[str], word: Word) -> int:
    port = int(match["port"][:8])
    if not 1 <= port <= _MAX_PORT:
        raise Rejected("FV104", f"port {match['port']} is outside 1 to {_MAX_PORT}", word.span)
    return port


def _bracketed(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _path(args: Args, what: str) -> Word:
    word = args.take(f"the path of a {what}")
    if not word.text.startswith("/") or "\0" in word.text:
        raise Rejected("FV103", f"the path of a {what} begins with /", word.span)
    return word


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TcpTarget:
    """ADDRESS:PORT."""

    def read(self, args: Args) -> TcpProbe:
        """Return the port."""
        word = args.take("ADDRESS:PORT")
        match = _TCP.match(word.text)
        if match is None:
            message = f"{args.keyword} must be ADDRESS:PORT, not {word.text}"
            hint = stray_end(word) or "for example 192.0.2.1:80, [2001:db8::1]:80 or localhost:80"
            raise Rejected("FV103", message, word.span, hint)
        return TcpProbe(address=_address(match, word), port=_port(match, word))

    def write(self, value: TcpProbe) -> str | None:
        """Return the words."""
        return quoted(f"{_bracketed(value.address)}:{value.port}")

    def describe(self) -> str:
        """Return the form."""
        return "address:port or localhost:port"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(TcpProbe)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HttpTarget:
    """A URL, and the status that is wanted."""

    def read(self, args: Args) -> HttpProbe:
        """Return the page."""
        word = args.take("a URL")
        match = _URL.match(word.text)
        if match is None:
            message = f"{args.keyword} must be http://ADDRESS[:PORT][/PATH], not {word.text}"
            raise Rejected("FV103", message, word.span, _how_instead(word))
        status = None
        if args.peek() is not None:
            status = in_range(args.take(""), 100, 599, "the status")
        return HttpProbe(
            address=_address(match, word),
            port=80 if match["port"] is None else _port(match, word),
            path=match["path"] or "/",
            status=status,
        )

    def write(self, value: HttpProbe) -> str | None:
        """Return the words."""
        port = "" if value.port == 80 else f":{value.port}"
        url = quoted(f"http://{_bracketed(value.address)}{port}{value.path}")
        return url if value.status is None else f"{url} {value.status}"

    def describe(self) -> str:
        """Return the form."""
        return "http://address[:port][/path] [status]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(HttpProbe)


def _how_instead(word: Word) -> str | None:
    if word.text.startswith("https:"):
        return "there is no TLS here: probe the port with tcp, or run a vrrp_script with curl"
    return stray_end(word)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnixTarget:
    """The path of a Unix socket."""

    def read(self, args: Args) -> UnixProbe:
        """Return the socket."""
        word = _path(args, "socket")
        if len(word.text.encode("utf-8", "surrogateescape")) > _MAX_SOCKET_PATH:
            message = f"the path of a socket has at most {_MAX_SOCKET_PATH} bytes"
            raise Rejected("FV104", message, word.span)
        return UnixProbe(path=word.text)

    def write(self, value: UnixProbe) -> str | None:
        """Return the words."""
        return quoted(value.path)

    def describe(self) -> str:
        """Return the form."""
        return "path"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(UnixProbe)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProcessTarget:
    """The name of a process."""

    def read(self, args: Args) -> ProcessProbe:
        """Return the process."""
        word = args.take("the name of a process")
        if not word.text or "/" in word.text:
            hint = f"write {args.keyword} {word.text.rpartition('/')[2] or 'NAME'}"
            raise Rejected("FV103", "the name of a process has no path", word.span, hint)
        return ProcessProbe(process=word.text)

    def write(self, value: ProcessProbe) -> str | None:
        """Return the words."""
        return quoted(value.process)

    def describe(self) -> str:
        """Return the form."""
        return "name"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(ProcessProbe)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FileTarget:
    """The path of a file, and how old it may be."""

    age: Seconds

    def read(self, args: Args) -> FileProbe:
        """Return the file."""
        word = _path(args, "file")
        max_age = None if args.peek() is None else self.age.read(args)
        return FileProbe(path=word.text, max_age=max_age)

    def write(self, value: FileProbe) -> str | None:
        """Return the words."""
        path = quoted(value.path)
        return path if value.max_age is None else f"{path} {self.age.write(value.max_age)}"

    def describe(self) -> str:
        """Return the form."""
        return "path [seconds]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(FileProbe)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InterfaceTarget:
    """An interface, which the host should have."""

    def read(self, args: Args) -> InterfaceProbe:
        """Return the interface."""
        return InterfaceProbe(interface=take_interface(args))

    def write(self, value: InterfaceProbe) -> str | None:
        """Return the words."""
        return quoted(value.interface)

    def describe(self) -> str:
        """Return the form."""
        return "interface"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(InterfaceProbe)
