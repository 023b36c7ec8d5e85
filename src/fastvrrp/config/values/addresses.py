"""Lines of `virtual_ipaddress` and its like, and addresses with a prefix length."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import FOREVER, Address, Interface, Network, VirtualAddress
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.names import SCOPES, numbered
from fastvrrp.config.values.network import MAX_INTERFACE_NAME, address, take_interface
from fastvrrp.config.values.numbers import in_range, stray_end

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = ["AddressLine", "apart_hint", "is_address", "network", "prefixed"]

_IPV6_ONLY = ("home", "mngtmpaddr", "-nodad")
"""Flags that the kernel does not know for IPv4 addresses."""

_IGNORED = {
    "home": "it is not set",
    "mngtmpaddr": "it is not set",
    "-nodad": "the address is used at once, without duplicate address detection",
}
"""Options that make no difference to who holds the address, and what is done instead."""

_FLAGS: dict[str, tuple[str, bool]] = {
    "home": ("home", True),
    "-nodad": ("dad", True),
    "mngtmpaddr": ("mngtmpaddr", True),
    "noprefixroute": ("prefix_route", False),
    "autojoin": ("autojoin", True),
    "no_track": ("track", False),
}
"""Options without a value: the field and what it becomes."""

_DONE = ("no_track",)
"""Flags that the engine does."""

_ELSEWHERE = {"track_group": "static_ipaddress", "use_vmac": "addresses of a vrrp_instance"}
"""Options that one kind of lines has, and where that is."""

_OPTIONS = ("dev", "brd", "label", "scope", "peer", "preferred_lft", *_FLAGS)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AddressLine:
    """One line of `virtual_ipaddress`: an address with options in any order.

    `static`: one of `static_ipaddress`, which no instance decides about.
    """

    static: bool = False

    def read(self, args: Args) -> VirtualAddress:
        """Return the address. An option without its value leaves the address out."""
        first = args.take("an address")
        try:
            line = self._read(args, first)
        except Rejected as rejected:
            raise rejected.leaving_out("line") from None
        return VirtualAddress(address=line.address, span=first.span, **line.fields)  # type: ignore[arg-type]  # see _Line

    def _read(self, args: Args, first: Word) -> _Line:
        if first.text in _OPTIONS:
            hint = "write the address first, and its options behind it"
            raise Rejected("FV103", "the line does not begin with an address", first.span, hint)
        line = _Line(args, prefixed(args, first), is_static=self.static)
        while args.peek() is not None:
            line.option(args.take(""))
        line.finish(first)
        return line

    def write(self, value: VirtualAddress) -> str | None:
        """Return the words."""
        if value.preferred is not None and value.preferred % NS_PER_SECOND:
            return None
        full = value.address.network.prefixlen == value.address.max_prefixlen
        options = {
            "dev": value.interface and quoted(value.interface),
            "peer": value.peer,
            "scope": _scope_text(value),
            "brd": value.broadcast,
            "label": value.label and quoted(value.label),
            "preferred_lft": _preferred_text(value),
            "track_group": value.track_group and quoted(value.track_group),
        }
        flags = [word for word, (name, said) in _FLAGS.items() if getattr(value, name) is said]
        words = [str(value.address.ip if full else value.address)]
        words += [f"{word} {said}" for word, said in options.items() if said is not None]
        return " ".join([*words, *flags, *(["use_vmac"] if value.vmac else [])])

    def describe(self) -> str:
        """Return the form."""
        last = "[track_group name]" if self.static else "[use_vmac]"
        return (
            "address[/prefix] [dev interface] [scope name] [brd address|+|-] [label text] "
            "[peer address] [preferred_lft seconds|forever] [home] [-nodad] [mngtmpaddr] "
            f"[noprefixroute] [autojoin] [no_track] {last}"
        )

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(VirtualAddress)


def _scope_text(value: VirtualAddress) -> str | None:
    return (SCOPES.get(value.scope) or str(value.scope)) if value.scope else None


def _preferred_text(value: VirtualAddress) -> str | None:
    if value.preferred is None:
        return None
    return "forever" if value.preferred == FOREVER else str(value.preferred // NS_PER_SECOND)


class _Line:
    """The options of one line as far as they are read; `fields` are those of the model."""

    def __init__(self, args: Args, found: Interface, *, is_static: bool) -> None:
        self.address = found
        self.fields: dict[str, object] = {}
        self._args = args
        self._is_static = is_static
        self._is_told = False
        self._brd: Word | None = None
        self._peer: Word | None = None
        self._readers: Mapping[str, Callable[[Word], None]] = {
            "dev": self._dev,
            "scope": self._scope,
            "brd": self._broadcast,
            "broadcast": self._broadcast,
            "label": self._label,
            "peer": self._peer_address,
            "preferred_lft": self._preferred,
        }

    def option(self, word: Word) -> None:
        """Read what a word begins."""
        reader = self._readers.get(word.text)
        if reader is not None:
            reader(word)
        elif word.text in _FLAGS:
            self._flag(word)
        elif word.text == "track_group" and self._is_static:
            self.fields["track_group"] = self._args.take("the name of a track_group").text
        elif word.text == "use_vmac" and not self._is_static:
            self.fields["vmac"] = True
            self._refuse(word)
        else:
            self._unknown(word)

    def finish(self, first: Word) -> None:
        """Settle what two options say together."""
        if self._peer is None:
            return
        if self.address.network.prefixlen != self.address.max_prefixlen:
            message = "an address with a peer has no prefix length; it is not used"
            self._args.warn("FV105", message, first.span, f"write {self.address.ip}")
            self.address = ip_interface(self.address.ip)
        if self.fields.pop("broadcast", None) is not None and self._brd is not None:
            message = "an address with a peer has no broadcast address; it is not used"
            self._args.warn("FV105", message, self._brd.span, "remove brd, or peer")

    # --- options with a value

    def _dev(self, word: Word) -> None:
        if "interface" in self.fields:
            message = "dev is given twice"
            raise Rejected("FV106", message, word.span, "keep one of them")
        try:
            self.fields["interface"] = take_interface(self._args)
        except Rejected as rejected:
            # An interface that cannot exist is one that does not; a missing word is something else.
            rejected.fatal = rejected.code != "FV102"
            raise

    def _scope(self, word: Word) -> None:
        value = self._args.take("a number or a name")
        if self.address.version == 6:
            message = "an IPv6 address has the scope that its bits say; this one is not used"
            self._args.warn("FV110", message, word.span, "remove scope")
            return
        scope = numbered(value.text, SCOPES, 255)
        if isinstance(scope, int):
            self.fields["scope"] = scope
            return
        message = f"scope must be a number of 0 to 255 or {', '.join(SCOPES.values())}"
        self._args.warn("FV103", f"{message}; it is not used", value.span)

    def _broadcast(self, word: Word) -> None:
        value = self._args.take("a broadcast address, + or -")
        if self.address.version == 6:
            message = "an IPv6 address has no broadcast address"
            raise Rejected("FV103", message, word.span, "remove brd")
        self._brd = word
        if value.text in ("+", "-"):
            self.fields["broadcast"] = self._computed_broadcast(value)
            return
        wanted = address(value)
        if not isinstance(wanted, IPv4Address):
            raise Rejected("FV103", "the broadcast address must be an IPv4 address", value.span)
        self.fields["broadcast"] = wanted

    def _computed_broadcast(self, word: Word) -> Address | None:
        net = self.address.network
        if net.prefixlen <= 30:
            return net.broadcast_address if word.text == "+" else net.network_address
        message = f"a /{net.prefixlen} has no broadcast address; none is set"
        hint = "write the prefix length behind the address"
        self._args.warn("FV104", message, word.span, hint)
        return None

    def _label(self, word: Word) -> None:
        value = self._args.take("a label")
        if self.address.version == 6:
            message = "an IPv6 address has no label; it is not used"
            self._args.warn("FV110", message, word.span, "remove label")
            return
        if not value.text or len(value.text.encode("utf-8", "replace")) > MAX_INTERFACE_NAME:
            message = f"a label has 1 to {MAX_INTERFACE_NAME} characters"
            raise Rejected("FV104", message, value.span)
        self.fields["label"] = value.text

    def _peer_address(self, word: Word) -> None:
        peer = address(self._args.take("the address of the peer"))
        if peer.version != self.address.version:
            message = f"{peer} is not of the same family as {self.address.ip}"
            raise Rejected("FV103", message, word.span)
        self._peer = word
        self.fields["peer"] = peer
        self._refuse(word)

    def _preferred(self, word: Word) -> None:
        value = self._args.take("a time in seconds or forever")
        is_forever = value.text == "forever"
        limit = 2**32 - 1
        seconds = limit if is_forever else in_range(value, 0, limit, "preferred_lft")
        if self.address.version == 4:
            message = "preferred_lft has no effect on an IPv4 address"
            self._note(message, word)
            return
        wanted = Nanoseconds(seconds * NS_PER_SECOND)
        is_host = self.address.network.prefixlen == self.address.max_prefixlen
        if wanted == (0 if is_host else FOREVER):
            self.fields.pop("preferred", None)
            return
        self.fields["preferred"] = wanted
        self._refuse(word)

    # --- options without

    def _flag(self, word: Word) -> None:
        name, value = _FLAGS[word.text]
        if name in self.fields:
            return
        if self.address.version == 4 and word.text in _IPV6_ONLY:
            self._note(f"{word.text} has no effect on an IPv4 address", word)
            return
        self.fields[name] = value
        if word.text in _IGNORED:
            self._note(f"{word.text} has no effect: {_IGNORED[word.text]}", word)
        elif word.text not in _DONE:
            self._refuse(word)

    def _note(self, message: str, word: Word) -> None:
        if not self._is_static:
            self._args.note("FV110", message, word.span)

    def _refuse(self, word: Word) -> None:
        """Report what changes the address that is installed, and is not done yet."""
        if not self._is_static:
            message = f"{word.text} of an address is not supported yet"
            hint = "remove it only if this router can do without"
            self._args.unsupported(message, word.span, hint)

    def _unknown(self, word: Word) -> None:
        """Report a word that is no option; of several on a line only the first."""
        if is_address(word.text):
            message = "there is a second address on this line; it is not used"
            self._args.warn("FV103", message, word.span, "write each address on a line of its own")
        elif not self._is_told:
            message = f"{word.text} is no option of an address here; it is not used"
            hint = apart_hint(word, str(self.address.ip)) or self._option_hint(word)
            self._args.warn("FV103", message, word.span, hint)
            self._is_told = True

    def _option_hint(self, word: Word) -> str:
        if word.text in (",", ";", "-"):
            return "write each address on a line of its own"
        if word.text in _ELSEWHERE:
            return f"it belongs in {_ELSEWHERE[word.text]}"
        options = (*_OPTIONS, "track_group" if self._is_static else "use_vmac")
        near = next((one for one in options if _letters(one) == _letters(word.text)), None)
        return f"did you mean {near}?" if near else f"options are: {', '.join(options)}"


def _letters(option: str) -> str:
    return option.lower().replace("-", "").replace("_", "")


def apart_hint(word: Word, host: str) -> str | None:
    """Return what to write if a word is a prefix length that stands apart from its address."""
    if not re.fullmatch(r"/[0-9.]+", word.text):
        return None
    return f"write {host}{_short(word.text)}, without a blank"


def is_address(text: str) -> bool:
    """Tell if a word is an address with or without a prefix length."""
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def network(args: Args, word: Word) -> Network:
    """Return the network that a word is: an address with its prefix length."""
    found = prefixed(args, word)
    if found.ip != found.network.network_address:
        message = f"{found} is an address, not a network; the kernel wants {found.network}"
        args.note("FV104", message, word.span, f"write {found.network}")
    return found.network


def prefixed(args: Args, word: Word) -> Interface:
    """Return an address with its prefix length; none means that of a single host.

    So does one that is malformed, which is reported.
    """
    host, slash, prefix = word.text.partition("/")
    if not is_address(host) or "%" in host:
        message = f"{word.text or 'an empty word'} is no IPv4 or IPv6 address"
        raise Rejected("FV103", message, word.span, _address_hint(word, host))
    alone = ip_interface(host)
    if not prefix:
        if slash:
            message = f"there is no prefix length behind the /; /{alone.max_prefixlen} is used"
            args.note("FV103", message, word.span, "write the number of bits, such as /24")
        return alone
    if prefix.isascii() and prefix.isdigit() and len(prefix) <= 3:
        if int(prefix) <= alone.max_prefixlen:
            return ip_interface(f"{host}/{int(prefix)}")
        message = f"prefix length {prefix} is outside 0 to {alone.max_prefixlen}"
        hint = "write the number of bits of the network"
        args.warn("FV104", f"{message}; /{alone.max_prefixlen} is used", word.span, hint)
        return alone
    what = "a netmask" if _bits(prefix) is not None else "no prefix length"
    message = f"{prefix} is {what}; /{alone.max_prefixlen} is used"
    hint = stray_end(word) or f"write the number of bits: {host}{_short('/' + prefix)}"
    args.warn("FV103", message, word.span, hint)
    return alone


def _bits(mask: str) -> int | None:
    """Return how many bits a netmask has; None if it is none."""
    try:
        return ip_network(f"0.0.0.0/{IPv4Address(mask)}").prefixlen
    except ValueError:
        return None


def _short(prefix: str) -> str:
    """Return what "/255.255.255.0" is better written as; an example if it means nothing."""
    text = prefix.removeprefix("/")
    if text.isdigit():
        return prefix
    bits = _bits(text)
    return "/24" if bits is None else f"/{bits}"


def _address_hint(word: Word, host: str) -> str:
    """Return what to write instead of a word that should have been an address."""
    example = "write one address a line, such as 192.0.2.1/24 dev eth0"
    if hint := stray_end(word):
        return hint
    if "," in host or re.fullmatch(r"[0-9.]+-[0-9.]+", host):
        return "lists and ranges are not known: write each address on a line of its own"
    address_part, percent, zone = host.partition("%")
    if percent and is_address(address_part):
        return f"write {address_part} dev {zone}"
    if re.fullmatch(r"[0-9.]+", host):
        return _dotted_hint(host)
    if re.fullmatch(r"[0-9A-Fa-f:]+", host) and ":" in host:
        return "an IPv6 address has eight groups of hex digits; :: stands for those of zeros, once"
    return f"names are not looked up; {example}" if re.search(r"[A-Za-z]", host) else example


def _dotted_hint(host: str) -> str:
    parts = host.split(".")
    if len(parts) != 4 or "" in parts:
        return "an IPv4 address has four numbers, such as 192.0.2.1"
    if any(len(part) > 3 or int(part) > 255 for part in parts):
        return "each of the four numbers is 0 to 255"
    return f"write it without leading zeros: {'.'.join(str(int(part)) for part in parts)}"
