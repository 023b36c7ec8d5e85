"""Reads rtnetlink messages back into what was asked for, by the numbers of the kernel's headers
(linux/rtnetlink.h, fib_rules.h, lwtunnel.h); knows nothing of pyroute2."""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network
from typing import Any

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import (
    FOREVER,
    Encap,
    IlaEncap,
    Ip6Encap,
    IpEncap,
    MplsEncap,
    Network,
    Nexthop,
    Realms,
    Route,
    RouteMetrics,
    RouteOrder,
    RoutePreference,
    RouteType,
    Rule,
    RuleAction,
    VirtualAddress,
)
from fastvrrp.host.links import Link, LinkTable

__all__ = ["TABLE", "FakeTable", "address_of", "kind_and_flags", "link", "route_of", "rule_of"]

_INTERFACES = {"eth0": 7, "bond0.5": 8, "br-lan": 9}
_AF_INET = 2
_ORDERS = {
    (24, 0x401): RouteOrder.PREPEND,
    (24, 0x601): RouteOrder.ADD,
    (24, 0xC01): RouteOrder.APPEND,
    (25, 0x001): RouteOrder.PREPEND,  # a removal, which has none
}


class FakeTable(LinkTable):
    """Links that are there, by name."""

    def __init__(self, *links: Link) -> None:
        self._fake = {one.name: one for one in links}

    def link(self, name: str) -> Link | None:
        """Return the link of that name."""
        return self._fake.get(name)


def link(name: str, index: int, **fields: Any) -> Link:  # noqa: ANN401 - fields of a dataclass
    """Return an Ethernet interface that is up."""
    mac = bytes.fromhex("020000000001")
    common = {"generation": 1, "flags": 0x41, "mac": mac, "mtu": 1500}
    return Link(name=name, index=index, **{**common, **fields})


TABLE = FakeTable(*(link(name, index) for name, index in _INTERFACES.items()))


def kind_and_flags(message: bytes) -> tuple[int, int]:
    """Return type and flags of the one message that these bytes are."""
    size, kind, flags, sequence, port = struct.unpack_from("=IHHII", message)
    assert (size, sequence, port) == (len(message), 0, 0)
    return kind, flags


def address_of(message: bytes) -> tuple[VirtualAddress, int]:
    """Return the address, and the index of its interface."""
    _, length, old_flags, scope, ifindex = struct.unpack_from("=BBBBI", message, 16)
    found = dict(_attributes(message[24:]))
    assert old_flags == 0
    assert found[11] == b"\x12"
    assert set(found) <= {1, 2, 3, 4, 6, 8, 11}
    own, far = ip_address(found[2]), ip_address(found[1])
    flags = _u32(found.get(8)) or 0
    version6 = own.version == 6
    preferred = FOREVER if version6 else None
    if 6 in found:
        seconds, *others = struct.unpack("=IIII", found[6])
        assert others == [2**32 - 1, 0, 0]
        preferred = Nanoseconds(seconds * NS_PER_SECOND)
    return VirtualAddress(
        address=ip_interface((own, length)),
        peer=None if own == far else far,
        label=found[3].removesuffix(b"\0").decode() if 3 in found else None,
        broadcast=IPv4Address(found[4]) if 4 in found else None,
        scope=scope,
        preferred=preferred,
        home=bool(flags & 0x10),
        dad=version6 and not flags & 0x02,
        mngtmpaddr=bool(flags & 0x100),
        prefix_route=not flags & 0x200,
        autojoin=bool(flags & 0x400),
    ), ifindex


def route_of(message: bytes) -> Route:
    """Return the route; what is not said has the value that the kernel takes."""
    family, length, from_length, tos, table, protocol, scope, kind, flags = struct.unpack_from(
        "=BBBBBBBBI", message, 16
    )
    found = dict(_attributes(message[28:]))
    number = _u32(found.get(15))
    assert number is not None
    assert table == (number if number < 256 else 0)
    assert set(found) <= {1, 2, 4, 5, 6, 7, 8, 9, 11, 15, 20, 21, 22, 23, 26}
    is_from = family != _AF_INET and from_length
    expires = _u32(found.get(23))
    return Route(
        destination=_network(family, found.get(1), length),
        from_network=_network(family, found.get(2), from_length) if is_from else None,  # type: ignore[arg-type]  # is IPv6
        type=list(RouteType)[_TYPES.index(kind)],
        via=ip_address(found[5]) if 5 in found else None,
        interface=_name(_u32(found.get(4))),
        source=ip_address(found[7]) if 7 in found else None,
        table=number,
        metric=_u32(found.get(6)),
        scope=scope,
        protocol=protocol,
        tos=tos,
        onlink=bool(flags & 4),
        realms=_realms(found.get(11)),
        preference=_PREFERENCES[found[20][0]] if 20 in found else None,
        expires=None if expires is None else Nanoseconds(expires * NS_PER_SECOND),
        ttl_propagate=bool(found[26][0]) if 26 in found else None,
        metrics=_metrics(dict(_attributes(found.get(8, b"")))),
        encap=_encap(found),
        order=_ORDERS[kind_and_flags(message)],
        nexthops=tuple(_hops(found.get(9, b""))),
    )


_TYPES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
_PREFERENCES = {0: RoutePreference.MEDIUM, 1: RoutePreference.HIGH, 3: RoutePreference.LOW}
_METRICS = {
    2: "mtu",
    3: "window",
    4: "rtt",
    5: "rttvar",
    6: "ssthresh",
    7: "cwnd",
    8: "advmss",
    9: "reordering",
    10: "hoplimit",
    11: "initcwnd",
    13: "rto_min",
    14: "initrwnd",
    15: "quickack",
    17: "fastopen_no_cookie",
}
_UNITS = {"rtt": 125_000, "rttvar": 250_000, "rto_min": 1_000_000}


def _metrics(found: dict[int, bytes]) -> RouteMetrics:
    names = {**_METRICS, 16: "congctl"}
    locks = _u32(found.pop(1, None)) or 0
    features = _u32(found.pop(12, None)) or 0
    fields: dict[str, Any] = {"ecn": features == 1}
    if 16 in found:
        fields["congctl"] = found.pop(16).removesuffix(b"\0").decode()
    for kind, value in found.items():
        number = _u32(value)
        assert number is not None
        fields[_METRICS[kind]] = number * _UNITS.get(_METRICS[kind], 1)
    for name in ("quickack", "fastopen_no_cookie"):
        if name in fields:
            fields[name] = bool(fields[name])
    locked = {names[bit] for bit in range(1, 18) if locks & 1 << bit}
    order = [name for name in RouteMetrics.__dataclass_fields__ if name in locked]
    return RouteMetrics(locked=tuple(order), **fields)


def _encap(found: dict[int, bytes]) -> Encap | None:
    if 21 not in found:
        return None
    (kind,) = struct.unpack("=H", found[21])
    inner = dict(_attributes(found[22]))
    if kind == 1:
        words = [word for (word,) in struct.iter_unpack(">I", inner[1])]
        assert [word >> 8 & 1 for word in words] == [0] * (len(words) - 1) + [1]
        return MplsEncap(labels=tuple(word >> 12 for word in words))
    if kind == 3:
        return IlaEncap(locator=int.from_bytes(inner[1], "big"))
    fields = {
        "id": int.from_bytes(inner[1], "big") if 1 in inner else None,
        "flags": int.from_bytes(inner[6], "big") if 6 in inner else None,
    }
    address = IPv4Address if kind == 2 else IPv6Address
    ends = {
        name: address(inner[n]) for n, name in ((2, "destination"), (3, "source")) if n in inner
    }
    ttl, tos = (inner[n][0] if n in inner else None for n in (4, 5))
    if kind == 2:
        return IpEncap(ttl=ttl, tos=tos, **ends, **fields)  # type: ignore[arg-type]  # IPv4
    assert kind == 4
    return Ip6Encap(hop_limit=ttl, traffic_class=tos, **ends, **fields)  # type: ignore[arg-type]  # IPv6


def _hops(data: bytes) -> Iterator[Nexthop]:
    while data:
        size, flags, hops, ifindex = struct.unpack_from("=HBBi", data)
        found = dict(_attributes(data[8:size]))
        yield Nexthop(
            via=ip_address(found[5]) if 5 in found else None,
            interface=_name(ifindex or None),
            weight=hops + 1,
            onlink=bool(flags & 4),
            realms=_realms(found.get(11)),
            encap=_encap(found),
        )
        data = data[size:]


def rule_of(message: bytes) -> Rule:
    """Return the rule; a table of None where nothing is looked up."""
    family, to_length, from_length, tos, table, _, _, action, flags = struct.unpack_from(
        "=BBBBBBBBI", message, 16
    )
    found = dict(_attributes(message[28:]))
    number = _u32(found.get(15)) or 0
    assert table == (number if number < 256 else 0)
    assert flags & ~2 == 0
    is_l3mdev = 19 in found
    return Rule(
        version=4 if family == _AF_INET else 6,
        priority=_u32(found.get(6)),
        invert=bool(flags & 2),
        source=_network(family, found.get(2), from_length) if from_length else None,
        destination=_network(family, found.get(1), to_length) if to_length else None,
        iif=found[3].removesuffix(b"\0").decode() if 3 in found else None,
        oif=found[17].removesuffix(b"\0").decode() if 17 in found else None,
        fwmark=_u32(found.get(10)),
        fwmask=_u32(found.get(16)),
        tos=tos,
        tunnel_id=int.from_bytes(found[12], "big") if 12 in found else None,
        uids=_pair("=II", found.get(20)),
        ip_protocol=found[22][0] if 22 in found else None,
        source_ports=_pair("=HH", found.get(23)),
        destination_ports=_pair("=HH", found.get(24)),
        action=RuleAction.L3MDEV if is_l3mdev else _ACTIONS[action],
        table=number or None,
        goto=_u32(found.get(4)),
        realms=_realms(found.get(11)),
        suppress_prefixlength=_u32(found.get(14)),
        suppress_ifgroup=_u32(found.get(13)),
        protocol=found[21][0],
    )


_ACTIONS = {
    1: RuleAction.TABLE,
    2: RuleAction.GOTO,
    3: RuleAction.NOP,
    6: RuleAction.BLACKHOLE,
    7: RuleAction.UNREACHABLE,
    8: RuleAction.PROHIBIT,
}


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    seen = set()
    while data:
        size, kind = struct.unpack_from("=HH", data)
        assert kind not in seen, "an attribute is there twice"
        seen.add(kind)
        yield kind, data[4:size]
        data = data[size + -size % 4 :]


def _u32(value: bytes | None) -> int | None:
    return None if value is None else int(struct.unpack("=I", value)[0])


def _pair(form: str, value: bytes | None) -> tuple[int, int] | None:
    if value is None:
        return None
    low, high = struct.unpack(form, value)
    return low, high


def _network(family: int, value: bytes | None, length: int) -> Network:
    packed = bytes(4 if family == _AF_INET else 16) if value is None else value
    return ip_network((packed, length))


def _name(ifindex: int | None) -> str | None:
    return None if ifindex is None else {v: k for k, v in _INTERFACES.items()}[ifindex]


def _realms(value: bytes | None) -> Realms | None:
    flow = _u32(value)
    return None if flow is None else Realms(flow >> 16, flow & 0xFFFF)
