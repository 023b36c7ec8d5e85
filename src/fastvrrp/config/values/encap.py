"""`encap` of routes: what packets are wrapped into."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from fastvrrp.config.model import Encap, IlaEncap, Ip6Encap, IpEncap, MplsEncap
from fastvrrp.config.values.base import Rejected
from fastvrrp.config.values.names import name_of
from fastvrrp.config.values.network import address

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word
    from fastvrrp.config.values.options import Options

__all__ = ["encap_text", "take_encap"]

_MAX_LABEL = 2**20 - 1
_MAX_LABELS = 16
_BYTE = 255

_IP4 = {
    "id": "id",
    "dst": "destination",
    "src": "source",
    "tos": "tos",
    "ttl": "ttl",
    "hoplimit": "ttl",
    "flags": "flags",
}
_IP6 = {
    "id": "id",
    "dst": "destination",
    "src": "source",
    "tc": "traffic_class",
    "hoplimit": "hop_limit",
    "flags": "flags",
}
"""Words of a tunnel, and the fields that they fill."""


def take_encap(options: Options) -> Encap:
    """Return what the words behind `encap` say."""
    word = options.value("mpls, ip, ip6 or ila")
    if word.text == "mpls":
        return _mpls(options)
    if word.text == "ila":
        return _ila(options)
    if word.text == "ip":
        return IpEncap(**_tunnel(options, word, _IP4, IPv4Address))  # type: ignore[arg-type]  # see _tunnel
    if word.text == "ip6":
        return Ip6Encap(**_tunnel(options, word, _IP6, IPv6Address))  # type: ignore[arg-type]  # see _tunnel
    message = f"encap must be mpls, ip, ip6 or ila, not {word.text}"
    raise Rejected("FV103", message, word.span)


def _mpls(options: Options) -> MplsEncap:
    word = options.value("MPLS labels")
    parts = word.text.split("/")
    is_good = len(parts) <= _MAX_LABELS and all(re.fullmatch(r"[0-9]{1,7}", one) for one in parts)
    labels = tuple(int(one) for one in parts) if is_good else ()
    if not labels or max(labels) > _MAX_LABEL:
        message = f"{word.text} is no stack of MPLS labels"
        hint = (
            f"write 1 to {_MAX_LABELS} numbers up to {_MAX_LABEL} with / between, such as 100/200"
        )
        raise Rejected("FV103", message, word.span, hint)
    return MplsEncap(labels=labels)


def _ila(options: Options) -> IlaEncap:
    word = options.value("a locator")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){3}", word.text):
        message = f"{word.text} is no locator"
        hint = "write four groups of hex digits, such as 2001:db8:0:1"
        raise Rejected("FV103", message, word.span, hint)
    locator = 0
    for group in word.text.split(":"):
        locator = locator << 16 | int(group, 16)
    return IlaEncap(locator=locator)


def _tunnel(
    options: Options, kind: Word, words: dict[str, str], family: type[IPv4Address | IPv6Address]
) -> dict[str, object]:
    found: dict[str, object] = {}
    while options.args.peek() in words:
        word = options.value("")
        found[words[word.text]] = _tunnel_value(options, word, family)
    if not found.keys() & {"id", "destination"}:
        message = f"encap {kind.text} has neither id nor dst"
        raise Rejected("FV103", message, kind.span, "write the far end: dst ADDRESS")
    return found


def _tunnel_value(options: Options, word: Word, family: type[IPv4Address | IPv6Address]) -> object:
    if word.text == "id":
        return options.number(word, 2**64 - 1)
    if word.text == "flags":
        return options.number(word, 2**16 - 1)
    if word.text in ("tos", "tc"):
        return options.named(word, {}, _BYTE)
    if word.text in ("ttl", "hoplimit"):
        return options.number(word, _BYTE)
    value = options.value("an address")
    found = address(value)
    if not isinstance(found, family):
        message = f"{word.text} of this tunnel must be an IPv{family(0).version} address"
        raise Rejected("FV103", message, value.span)
    return found


def encap_text(value: Encap) -> str:
    """Return the words that say it."""
    if isinstance(value, MplsEncap):
        return f"mpls {'/'.join(map(str, value.labels))}"
    if isinstance(value, IlaEncap):
        groups = (value.locator >> shift & 0xFFFF for shift in (48, 32, 16, 0))
        return f"ila {':'.join(f'{group:x}' for group in groups)}"
    kind, words = ("ip", _IP4) if isinstance(value, IpEncap) else ("ip6", _IP6)
    said = {name: getattr(value, name) for name in words.values()}
    firsts = {name: word for word, name in reversed(words.items())}
    parts = [
        f"{firsts[name]} {name_of(one, {}) if isinstance(one, int | str) else one}"
        for name, one in said.items()
        if one is not None
    ]
    return " ".join([kind, *parts])
