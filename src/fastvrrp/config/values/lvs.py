"""Kinds of values of load balancing: services, forwarding methods, lines of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING, TypeVar

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import (
    Address,
    AddressService,
    Forwarding,
    ForwardingKind,
    FwmarkService,
    GroupAddresses,
    GroupEntry,
    GroupFwmark,
    GroupNetwork,
    GroupService,
    ServerAddress,
    Service,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.network import bare_address
from fastvrrp.config.values.numbers import SECONDS_SCHEMA, in_range, seconds_text, stray_end

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "EngineName",
    "ForwardingMethod",
    "GroupLine",
    "Persistence",
    "PersistenceGranularity",
    "Server",
    "ServiceName",
]

_T = TypeVar("_T")
_MAX_MARK = 2**32 - 1
_MAX_ENGINE = 16
_MAX_LENGTH_ONLY = 128


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Server:
    """Address and port of a server."""

    def read(self, args: Args) -> ServerAddress:
        """Return the address."""
        try:
            found = bare_address(args)
            return ServerAddress(address=found, port=_port(args))
        except Rejected as rejected:
            raise _skipping(rejected, args) from None

    def write(self, value: ServerAddress | None) -> str | None:
        """Return the words."""
        return None if value is None else str(value)

    def describe(self) -> str:
        """Return the form."""
        return "address [port]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(ServerAddress)


def _port(args: Args) -> int | None:
    """Return the port that follows, if one does; 0 is none."""
    if args.peek() is None:
        return None
    return in_range(args.take(""), 0, 65535, "port") or None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ServiceName:
    """What stands behind `virtual_server`: an address, `fwmark N` or `group NAME`."""

    def read(self, args: Args) -> Service:
        """Return the service."""
        try:
            return _service(args)
        except Rejected as rejected:
            raise _skipping(rejected, args) from None

    def write(self, value: Service) -> str | None:
        """Return the words."""
        return f"group {quoted(value.name)}" if isinstance(value, GroupService) else str(value)

    def describe(self) -> str:
        """Return the form."""
        return "address [port] or fwmark number or group name"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"anyOf": [schema_of(one) for one in (AddressService, FwmarkService, GroupService)]}


def _service(args: Args) -> Service:
    word = args.peek()
    if word == "fwmark":
        args.take("")
        mark = in_range(args.take("a firewall mark"), 1, _MAX_MARK, "fwmark")
        return FwmarkService(mark=mark)
    if word == "group":
        args.take("")
        return GroupService(name=_group_name(args))
    found = bare_address(args)
    return AddressService(address=found, port=_port(args))


def _skipping(rejected: Rejected, args: Args) -> Rejected:
    """Return the refusal with what comes of it; a missing word costs more."""
    if not rejected.fatal:
        rejected.message = f"{rejected.message}; this {args.keyword} is skipped"
    return rejected


def _group_name(args: Args) -> str:
    word = args.take("the name of a virtual_server_group")
    if not word.text or not word.text.isprintable():
        raise Rejected("FV103", "this is no usable name of a group", word.span)
    return word.text


_KINDS = {one.value: one for one in ForwardingKind}
_TYPES = {one.value: one for one in TunnelType}
_CHECKSUMS = {one.value: one for one in TunnelChecksum}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ForwardingMethod:
    """`lvs_method`: NAT, DR or TUN, the last with what it wraps packets in."""

    def read(self, args: Args) -> Forwarding:
        """Return the method."""
        word = args.take("NAT, DR or TUN")
        kind = _KINDS.get(word.text)
        if kind is None:
            hint = stray_end(word)
            if word.text.upper() in _KINDS:
                hint = f"write {word.text.upper()}: upper and lower case differ"
            message = f"{args.keyword} must be NAT, DR or TUN, not {word.text}"
            raise Rejected("FV103", message, word.span, hint)
        tunnel = _tunnel(args)
        return Forwarding(kind=kind, tunnel=tunnel if kind is ForwardingKind.TUN else None)

    def write(self, value: Forwarding | None) -> str | None:
        """Return the words."""
        if value is None:
            return None
        tunnel = value.tunnel or Tunnel()
        words = [value.kind.value]
        if tunnel.type is not TunnelType.IPIP:
            words += ["type", tunnel.type.value]
        if tunnel.port is not None:
            words += ["port", str(tunnel.port)]
        if tunnel.checksum is not TunnelChecksum.NONE:
            words.append(tunnel.checksum.value)
        return " ".join(words)

    def describe(self) -> str:
        """Return the form."""
        return "NAT or DR or TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(Forwarding)


def _tunnel(args: Args) -> Tunnel:
    """Return the options of a tunnel."""
    kind, port, checksum = TunnelType.IPIP, None, TunnelChecksum.NONE
    last = args.statement.words[-1]
    while args.peek() is not None:
        word = args.take("")
        if word.text == "type":
            kind = _one_of(args.take("ipip, gue or gre"), _TYPES, "tunnel type")
        elif word.text == "port":
            port = in_range(args.take("a port"), 1, 65535, "port")
        elif word.text in _CHECKSUMS:
            checksum = _CHECKSUMS[word.text]
        else:
            message = f"{word.text} is no option of a tunnel"
            hint = "type, port, nocsum, csum and remcsum are"
            raise Rejected("FV103", message, word.span, hint)
    if (kind is TunnelType.GUE) is (port is None):
        hint = "write: TUN type gue port 6080" if port is None else "remove port"
        message = "a gue tunnel needs a port, and no other has one"
        raise Rejected("FV410", message, last.span, hint)
    if (kind, checksum) in _NO_CHECKSUM:
        message = f"a tunnel of type {kind.value} has no {checksum.value}"
        raise Rejected("FV410", message, last.span, f"remove {checksum.value}")
    return Tunnel(type=kind, port=port, checksum=checksum)


_NO_CHECKSUM = {
    (TunnelType.IPIP, TunnelChecksum.NORMAL),
    (TunnelType.IPIP, TunnelChecksum.REMOTE),
    (TunnelType.GRE, TunnelChecksum.REMOTE),
}


def _one_of(word: Word, words: Mapping[str, _T], what: str) -> _T:
    if word.text not in words:
        message = f"{what} must be {' or '.join(words)}, not {word.text}"
        raise Rejected("FV103", message, word.span)
    return words[word.text]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Persistence:
    """`persistence_timeout`: whole seconds; no word means six minutes."""

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        if args.peek() is None:
            return Nanoseconds(360 * NS_PER_SECOND)
        value = in_range(args.take(""), 1, 2_678_400, args.keyword)
        return Nanoseconds(value * NS_PER_SECOND)

    def write(self, value: int | None) -> str | None:
        """Return the words."""
        return None if value is None else seconds_text(value)

    def describe(self) -> str:
        """Return the range."""
        return "1 to 2678400 whole seconds, nothing means 360"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {**SECONDS_SCHEMA, "minimum": NS_PER_SECOND, "maximum": 2_678_400 * NS_PER_SECOND}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PersistenceGranularity:
    """An IPv4 netmask, of any bits, or an IPv6 prefix length."""

    def read(self, args: Args) -> IPv4Address | int:
        """Return the mask or the length."""
        word = args.take("a netmask or a prefix length")
        if word.text.isascii() and word.text.isdigit():
            return in_range(word, 1, _MAX_LENGTH_ONLY, args.keyword)
        try:
            return IPv4Address(word.text)
        except ValueError:
            message = f"{word.text} is no netmask and no IPv6 prefix length"
            hint = stray_end(word) or "write 255.255.255.0, or 64 for IPv6"
            raise Rejected("FV103", message, word.span, hint) from None

    def write(self, value: IPv4Address | int | None) -> str | None:
        """Return the words."""
        return None if value is None else str(value)

    def describe(self) -> str:
        """Return the form."""
        return "IPv4 netmask or IPv6 prefix length, 1 to 128"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "integer"}]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EngineName:
    """`persistence_engine`: Linux knows one, `sip`; a longer name than 16 bytes is cut."""

    def read(self, args: Args) -> str:
        """Return the name."""
        word = args.take("the name of an engine")
        if not word.text.isascii() or not word.text:
            raise Rejected("FV103", "this is no usable name of an engine", word.span)
        name = word.text[:_MAX_ENGINE]
        if name != word.text:
            message = f"the name is cut to {_MAX_ENGINE} bytes"
            args.warn("FV104", message, word.span, "Linux knows one engine: sip")
        elif name != "sip":
            args.note("FV418", f"Linux has no engine {name}", word.span, "write sip")
        return name

    def write(self, value: str | None) -> str | None:
        """Return the words."""
        return None if value is None else quoted(value)

    def describe(self) -> str:
        """Return the word that is of use."""
        return "sip"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "maxLength": _MAX_ENGINE}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupLine:
    """One line of `virtual_server_group`: an address, a range, a network or a firewall mark."""

    def read(self, args: Args) -> GroupEntry:
        """Return the entry."""
        first = args.take("an address")
        entry = _mark_entry(first, args) if first.text == "fwmark" else _line(first, args)
        if args.rest():
            args.note("FV105", "the words from here on are not used", args.rest()[0].span)
            args.drop_rest()
        return entry

    def write(self, value: GroupEntry) -> str | None:
        """Return the words."""
        if isinstance(value, GroupFwmark):
            family = _FAMILY_WORDS.get(value.family)
            return f"fwmark {value.mark}{f' {family}' if family else ''}"
        port = f" {value.port}" if value.port else ""
        if isinstance(value, GroupNetwork):
            return f"{value.network}{port}"
        last = f"-{value.last}" if value.last != value.first else ""
        return f"{value.first}{last}{port}"

    def describe(self) -> str:
        """Return the form."""
        return "address[-last][/prefix] [port] or fwmark number [inet|inet6]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"anyOf": [schema_of(one) for one in (GroupAddresses, GroupNetwork, GroupFwmark)]}


_FAMILY_WORDS: dict[int | None, str] = {4: "inet", 6: "inet6"}


def _mark_entry(first: Word, args: Args) -> GroupFwmark:
    mark = in_range(args.take("a firewall mark"), 1, _MAX_MARK, "fwmark")
    if args.peek() is None:
        return GroupFwmark(mark=mark, span=first.span)
    family = _one_of(args.take(""), {"inet": 4, "inet6": 6}, "family of a firewall mark")
    return GroupFwmark(mark=mark, family=family, span=first.span)


def _line(word: Word, args: Args) -> GroupAddresses | GroupNetwork:
    port = _port(args)
    if "/" in word.text:
        return GroupNetwork(network=_network(word), port=port, span=word.span)
    start, dash, end = word.text.partition("-")
    first = _address(start, word)
    last = _end_of_range(first, end, word) if dash else first
    return GroupAddresses(first=first, last=last, port=port, span=word.span)


def _address(text: str, word: Word) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        message = f"{text} is no IPv4 or IPv6 address"
        hint = stray_end(word) or "write one address a line, such as 192.0.2.1 80"
        raise Rejected("FV103", message, word.span, hint) from None


def _network(word: Word) -> IPv4Network | IPv6Network:
    try:
        found = ip_network(word.text, strict=False)
    except ValueError:
        message = f"{word.text} is no address with a prefix length"
        hint = "for a range write 192.0.2.1-9; for a network 192.0.2.0/24"
        raise Rejected("FV103", message, word.span, hint) from None
    if found.prefixlen == 0:
        raise Rejected("FV104", "prefix length 0 is outside 1 to 128", word.span)
    host = word.text.partition("/")[0]
    if ip_address(host) != found.network_address:
        message = f"{host} is not the first address of its network"
        raise Rejected("FV413", message, word.span, f"write {found}")
    return found


def _end_of_range(first: Address, text: str, word: Word) -> Address:
    """Return the last address: written whole, or as its last byte (IPv6: two bytes, hex)."""
    if "." in text or ":" in text:
        last = _address(text, word)
        short = False
    else:
        last = _with_last_part(first, text, word)
        short = True
    if last.version != first.version:
        raise Rejected("FV413", "a range has addresses of one family", word.span)
    if int(last) < int(first) or (short and last == first):
        message = f"this range ends at {last}, which is not behind {first}"
        raise Rejected("FV413", message, word.span, "write the lower address first")
    return last


def _with_last_part(first: Address, text: str, word: Word) -> Address:
    base, largest = (10, 0xFF) if first.version == 4 else (16, 0xFFFF)
    try:
        part = int(text, base) if text.isalnum() else -1
    except ValueError:
        part = -1
    if not 0 <= part <= largest:
        what = "a number up to 255" if base == 10 else "a hexadecimal number up to ffff"
        message = f"the end of this range must be {what} or an address, not {text or 'nothing'}"
        raise Rejected("FV413", message, word.span, "write 192.0.2.1-9, or both addresses")
    whole = int(first) - (int(first) & largest) + part
    return IPv4Address(whole) if base == 10 else IPv6Address(whole)
