"""The kinds of lines in value blocks: virtual addresses, unicast peers, tracked scripts."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import TYPE_CHECKING

from fastvrrp.config.model import Peer, ScriptUse, VirtualAddress
from fastvrrp.config.values import (
    MAX_INTERFACE_NAME,
    Args,
    Rejected,
    Weight,
    address,
    in_range,
    interface_name,
)

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = ["AddressLine", "PeerLine", "ScriptUseLine"]


@dataclass(frozen=True, slots=True)
class ScriptUseLine:
    """One line of `track_script`."""

    def read(self, args: Args) -> ScriptUse:
        """Return the use of a script."""
        name = args.take("the name of a vrrp_script")
        if args.peek() != "weight":
            return ScriptUse(name=name.text, span=name.span)
        args.take("")
        weight, reverse = Weight().read(args)
        return ScriptUse(name=name.text, weight=weight, reverse=reverse, span=name.span)

    def describe(self) -> str:
        """Return the form."""
        return "script [weight -253 to 253 [reverse]]"


@dataclass(frozen=True, slots=True)
class PeerLine:
    """One line of `unicast_peer`."""

    def read(self, args: Args) -> Peer:
        """Return the peer."""
        word = args.take("an address")
        found = address(word)
        if args.peek() in ("min_ttl", "max_ttl"):
            option = args.take("")
            raise Rejected("FV111", f"{option.text} is not supported yet", option.span)
        return Peer(address=found, span=word.span)

    def describe(self) -> str:
        """Return the form."""
        return "address"


SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
"""rtnetlink scopes by name."""

ADDRESS_OPTIONS_IGNORED = {
    "home": "it is not set",
    "mngtmpaddr": "it is not set",
    "-nodad": "the address is used at once, without duplicate address detection",
    "no_track": "a deleted address is put back in any case",
}
"""Options of an address line that make no difference to who holds the address."""

ADDRESS_OPTIONS_REFUSED = (
    "peer",
    "preferred_lft",
    "noprefixroute",
    "autojoin",
    "use_vmac",
    "track_group",
)
"""Options of an address line that change what is installed."""


@dataclass(frozen=True, slots=True)
class AddressLine:
    """One line of `virtual_ipaddress`: an address with options in any order."""

    def read(self, args: Args) -> VirtualAddress:
        """Return the address."""
        first = args.take("an address")
        options: dict[str, object] = {}
        found = _prefixed(first)
        while args.peek() is not None:
            self._option(args, found, options)
        return VirtualAddress(address=found, span=first.span, **options)  # type: ignore[arg-type]  # see _option

    def _option(
        self, args: Args, found: IPv4Interface | IPv6Interface, options: dict[str, object]
    ) -> None:
        option = args.take("")
        name = "broadcast" if option.text == "brd" else option.text
        if name == "dev":
            self._once(options, "interface", option)
            options["interface"] = interface_name(args.take("an interface"))
        elif name == "label":
            self._label(args, found, options)
        elif name == "scope":
            scope = _scope(args)
            if found.version == 6:
                args.warn("FV110", "scope has no effect on an IPv6 address", option.span)
            else:
                options["scope"] = scope
        elif name == "broadcast":
            options["broadcast"] = _broadcast(args, option, found)
        elif name in ADDRESS_OPTIONS_IGNORED:
            message = f"{name} has no effect: {ADDRESS_OPTIONS_IGNORED[name]}"
            args.warn("FV110", message, option.span)
        elif name in ADDRESS_OPTIONS_REFUSED:
            raise Rejected("FV111", f"{name} is not supported yet", option.span)
        else:
            raise _unknown_option(option)

    def _once(self, options: dict[str, object], key: str, option: Word) -> None:
        if key in options:
            raise Rejected("FV106", f"{option.text} is given twice", option.span)

    def _label(
        self, args: Args, found: IPv4Interface | IPv6Interface, options: dict[str, object]
    ) -> None:
        word = args.take("a label")
        if found.version == 6:
            args.warn("FV110", "label has no effect on an IPv6 address", word.span)
        elif not word.text or len(word.text.encode("utf-8", "replace")) > MAX_INTERFACE_NAME:
            message = f"a label has 1 to {MAX_INTERFACE_NAME} characters"
            raise Rejected("FV104", message, word.span)
        else:
            options["label"] = word.text

    def describe(self) -> str:
        """Return the form."""
        return "address[/prefix] [dev interface] [brd address|+|-] [label text] [scope name]"


def _unknown_option(option: Word) -> Rejected:
    """Return the refusal of a word that is no option of an address line."""
    try:
        ip_interface(option.text)
    except ValueError:
        message = f"{option.text} is no option of a virtual address"
        return Rejected("FV103", message, option.span, "dev, brd, label and scope are")
    return Rejected("FV103", "there is a second address on this line", option.span, "one per line")


def _prefixed(word: Word) -> IPv4Interface | IPv6Interface:
    """Return an address with its prefix length; none means that of a single host."""
    host, slash, prefix = word.text.partition("/")
    try:
        found = ip_interface(host) if "%" not in host else None
    except ValueError:
        found = None
    if found is None:
        message = f"{host} is no IPv4 or IPv6 address"
        hint = "write one address per line, such as 192.0.2.1/24 dev eth0"
        raise Rejected("FV103", message, word.span, hint)
    if not slash:
        return found
    if not (prefix.isascii() and prefix.isdigit()) or len(prefix) > 3:
        hint = "write the number of bits, such as /24"
        raise Rejected("FV103", f"{prefix} is no prefix length", word.span, hint)
    if not int(prefix) <= found.max_prefixlen:
        message = f"prefix length {prefix} is outside 0 to {found.max_prefixlen}"
        raise Rejected("FV104", message, word.span)
    return ip_interface(f"{host}/{prefix}")


def _scope(args: Args) -> int:
    word = args.take("a scope")
    if word.text in SCOPES:
        return SCOPES[word.text]
    if word.text.isascii() and word.text.isdigit() and len(word.text) <= 3:
        return in_range(word, 0, 255, "scope")
    raise Rejected("FV103", f"scope must be a number or {', '.join(SCOPES)}", word.span)


def _broadcast(
    args: Args, option: Word, found: IPv4Interface | IPv6Interface
) -> IPv4Address | None:
    word = args.take("a broadcast address, + or -")
    if isinstance(found, IPv6Interface):
        raise Rejected("FV103", "an IPv6 address has no broadcast address", option.span)
    if word.text in ("+", "-"):
        if found.network.prefixlen > 30:
            message = f"a /{found.network.prefixlen} has no broadcast address; none is set"
            args.warn("FV104", message, word.span, "write the prefix length behind the address")
            return None
        network = found.network
        return network.broadcast_address if word.text == "+" else network.network_address
    wanted = address(word)
    if isinstance(wanted, IPv6Address):
        raise Rejected("FV103", "the broadcast address must be an IPv4 address", word.span)
    return wanted
