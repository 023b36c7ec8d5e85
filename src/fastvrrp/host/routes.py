"""Routes as rtnetlink messages: all that a line of `virtual_routes` can say (rtnetlink(7))."""

import socket
from dataclasses import fields, replace
from ipaddress import ip_network
from typing import ClassVar

from pyroute2.netlink import NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, nla, nlmsg
from pyroute2.netlink.rtnl import RTM_DELROUTE, RTM_NEWROUTE
from pyroute2.netlink.rtnl.marshal import MarshalRtnl
from pyroute2.netlink.rtnl.rtmsg import rtmsg_base

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.config.model import (
    Encap,
    IlaEncap,
    IpEncap,
    MplsEncap,
    Nexthop,
    Realms,
    Route,
    RouteMetrics,
    RouteOrder,
    RoutePreference,
    RouteType,
)
from fastvrrp.host.holding import Holding, HoldingError, Kind
from fastvrrp.host.iproute import Names, tos_as_ip
from fastvrrp.host.links import LinkTable
from fastvrrp.host.netlink import Message, encode

__all__ = ["route_holding", "route_key"]

Attributes = list[tuple[str, object]]

_TYPES = {
    RouteType.UNICAST: 1,
    RouteType.LOCAL: 2,
    RouteType.BROADCAST: 3,
    RouteType.ANYCAST: 4,
    RouteType.MULTICAST: 5,
    RouteType.BLACKHOLE: 6,
    RouteType.UNREACHABLE: 7,
    RouteType.PROHIBIT: 8,
    RouteType.THROW: 9,
    RouteType.NAT: 10,
}
_PREFERENCES = {RoutePreference.MEDIUM: 0, RoutePreference.HIGH: 1, RoutePreference.LOW: 3}
_ORDERS = {
    RouteOrder.ADD: NLM_F_CREATE | NLM_F_EXCL,
    RouteOrder.PREPEND: NLM_F_CREATE,
    RouteOrder.APPEND: NLM_F_CREATE | NLM_F_APPEND,
}
_UNIVERSE, _LINK, _HOST = 0, 253, 254
_MAIN = 254
_IPV6_METRIC = 1024
"""What the kernel takes where an IPv6 route has none."""

_DISCARDING = (RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.THROW)
_LOOPBACK = 1
"""Index of the interface that IPv6 routes of these types are on, whatever was asked for."""

_ONLINK = 4
_ECN = 1
_U32 = 2**32 - 1
_UNITS = {"rtt": 125_000, "rttvar": 250_000, "rto_min": 1_000_000}
"""Units of metrics that are times, in ns."""

_MPLS, _IP, _ILA, _IP6 = 1, 2, 3, 4


class _TunnelInfo(nla):  # type: ignore[misc]  # pyroute2 has no types
    """`encap ip` and `encap ip6`, whose attributes have the same numbers."""

    __slots__ = ()
    nla_map = (
        ("LWTUNNEL_IP_UNSPEC", "none"),
        ("LWTUNNEL_IP_ID", "be64"),
        ("LWTUNNEL_IP_DST", "ipaddr"),
        ("LWTUNNEL_IP_SRC", "ipaddr"),
        ("LWTUNNEL_IP_TTL", "uint8"),
        ("LWTUNNEL_IP_TOS", "uint8"),
        ("LWTUNNEL_IP_FLAGS", "be16"),
    )


class _IlaInfo(nla):  # type: ignore[misc]  # pyroute2 has no types
    """`encap ila`."""

    __slots__ = ()
    nla_map = (("ILA_ATTR_UNSPEC", "none"), ("ILA_ATTR_LOCATOR", "be64"))


class _RouteAttributes(rtmsg_base):  # type: ignore[misc]  # pyroute2 has no types
    """What pyroute2 knows of routes, and what it does not."""

    __slots__ = ()
    nla_map = (
        *rtmsg_base.nla_map[:-1],
        ("RTA_EXPIRES", "uint32"),
        ("RTA_PAD", "none"),
        ("RTA_UID", "uint32"),
        ("RTA_TTL_PROPAGATE", "uint8"),
    )
    encaps: ClassVar[dict[int, type]] = {
        **rtmsg_base.encaps,
        _IP: _TunnelInfo,
        _IP6: _TunnelInfo,
        _ILA: _IlaInfo,
    }

    class metrics(rtmsg_base.metrics):  # type: ignore[misc]  # pyroute2 has no types
        """What connections start with."""

        __slots__ = ()
        nla_map = (*rtmsg_base.metrics.nla_map, ("RTAX_FASTOPEN_NO_COOKIE", "uint32"))

    @staticmethod
    def get_nh(*_: object, **__: object) -> type:
        """Return the class of one of several next hops."""
        return _NextHop


class _RouteMessage(_RouteAttributes, nlmsg):  # type: ignore[misc]  # pyroute2 has no types
    """A route."""

    __slots__ = ()


class _NextHop(_RouteAttributes, nla):  # type: ignore[misc]  # pyroute2 has no types
    """One of several next hops (struct rtnexthop)."""

    __slots__ = ()
    is_nla = False
    cell_header = (("length", "H"),)
    fields = (("flags", "B"), ("hops", "B"), ("oif", "i"))


_METRICS = [name for name, _ in _RouteAttributes.metrics.nla_map]


def route_holding(route: Route, table: LinkTable, names: Names) -> Holding:
    """Return `route`; raises HoldingError where an interface is absent or a name unknown.

    Setting it again changes nothing (EEXIST), be it prepended or appended: only the same route with
    the same next hops and origin is refused, for IPv6 whatever its origin. The removal takes no
    route of another origin. Once some next hops of an IPv6 route with several are gone, the kernel
    refuses all of it (EEXIST).
    """
    try:
        return _Maker(route, table, names).holding()
    except HoldingError as error:
        raise HoldingError(f"route to {route.destination}: {error}") from None


def route_key(message: Message) -> tuple[object, ...]:
    """Return the key of the route that an RTM_NEWROUTE or RTM_DELROUTE is about.

    For IPv4, routes that differ in a next hop only are different ones; for IPv6 they are one route,
    of which the kernel tells as a whole or in parts as it likes.
    """
    is_ipv6 = message["family"] == socket.AF_INET6
    everything = "::" if is_ipv6 else "0.0.0.0"
    ends = [
        ip_network((message.get_attr(name) or everything, message[length]))
        for name, length in (("RTA_DST", "dst_len"), ("RTA_SRC", "src_len"))
    ]
    number = message.get_attr("RTA_TABLE") or message["table"]
    metric = message.get_attr("RTA_PRIORITY") or 0
    hops = frozenset[object]() if is_ipv6 else _hops(message)
    return ("route", *ends, number, message["tos"], metric, message["type"], hops)


def _hops(message: Message) -> frozenset[object]:
    """Return the next hops by their addresses, or the interface where there is no address."""
    several = message.get_attr("RTA_MULTIPATH")
    if several is None:
        one = message.get_attr("RTA_GATEWAY") or message.get_attr("RTA_OIF")
        return frozenset() if one is None else frozenset((one,))
    return frozenset(hop.get_attr("RTA_GATEWAY") or hop["oif"] for hop in several)


class _Maker:
    """Makes the messages of one route, and notes the interfaces that they name."""

    def __init__(self, route: Route, table: LinkTable, names: Names) -> None:
        self._route = route
        self._table = table
        self._names = names
        self._links: dict[str, int] = {}

    def holding(self) -> Holding:
        """Return the route."""
        route = self._route
        flags = NLM_F_REQUEST | _ORDERS[route.order]
        install = encode(self._message(), kind=RTM_NEWROUTE, flags=flags, sequence=0)
        remove = encode(
            self._message(identity_only=True), kind=RTM_DELROUTE, flags=NLM_F_REQUEST, sequence=0
        )
        (sent,) = MarshalRtnl().parse(install)
        return Holding(
            kind=Kind.ROUTE,
            key=route_key(sent),
            install=install,
            remove=remove,
            text=_text(route),
            links=tuple(self._links.items()),
            # One that expires goes without anybody having removed it.
            track=route.track and route.expires is None,
            span=route.span,
        )

    def _message(self, *, identity_only: bool = False) -> Message:
        route = self._route
        number = self._number_of_table()
        message = _RouteMessage()
        message["family"] = socket.AF_INET if route.destination.version == 4 else socket.AF_INET6
        message["dst_len"] = route.destination.prefixlen
        message["src_len"] = route.from_network.prefixlen if route.from_network else 0
        message["tos"] = self._names.tos(route.tos)
        message["table"] = number if number <= 255 else 0
        message["proto"] = self._names.protocol(route.protocol)
        message["scope"] = self._scope()
        message["type"] = _TYPES[route.type]
        message["flags"] = _ONLINK if route.onlink else 0
        message["attrs"] = self._identity(number)
        if identity_only and route.destination.version == 6 and route.type in _DISCARDING:
            message["attrs"].append(("RTA_OIF", _LOOPBACK))
            return message
        message["attrs"] += self._way(identity_only=identity_only)
        if not identity_only:
            message["attrs"] += self._further()
        return message

    def _identity(self, number: int) -> Attributes:
        """Return what a removal tells the route by, besides its way."""
        route = self._route
        found: Attributes = [("RTA_DST", str(route.destination.network_address))]
        if route.from_network is not None:
            found.append(("RTA_SRC", str(route.from_network.network_address)))
        found.append(("RTA_TABLE", number))
        if route.destination.version == 6:
            found.append(("RTA_PRIORITY", route.metric or _IPV6_METRIC))
        elif route.metric is not None:
            found.append(("RTA_PRIORITY", route.metric))
        if route.source is not None:
            found.append(("RTA_PREFSRC", str(route.source)))
        return found

    def _way(self, *, identity_only: bool) -> Attributes:
        """Return where packets leave."""
        route = self._route
        found: Attributes = []
        if route.interface is not None:
            found.append(("RTA_OIF", self._ifindex(route.interface)))
        if route.via is not None:
            found.append(("RTA_GATEWAY", str(route.via)))
        if route.nexthops:
            hops = [self._hop(one, identity_only=identity_only) for one in route.nexthops]
            found.append(("RTA_MULTIPATH", hops))
        return found

    def _further(self) -> Attributes:
        """Return what a new route has besides."""
        route = self._route
        found = self._realms(route.realms) + self._encap(route.encap)
        if metrics := _metrics(route.metrics):
            found.append(("RTA_METRICS", {"attrs": metrics}))
        if route.preference is not None:
            found.append(("RTA_PREF", _PREFERENCES[route.preference]))
        if route.expires is not None:
            found.append(("RTA_EXPIRES", min(route.expires // NS_PER_SECOND, _U32)))
        if route.ttl_propagate is not None:
            found.append(("RTA_TTL_PROPAGATE", int(route.ttl_propagate)))
        return found

    def _hop(self, hop: Nexthop, *, identity_only: bool) -> dict[str, object]:
        attributes: Attributes = [] if hop.via is None else [("RTA_GATEWAY", str(hop.via))]
        if not identity_only:
            attributes += self._realms(hop.realms) + self._encap(hop.encap)
        return {
            "flags": _ONLINK if hop.onlink else 0,
            "hops": hop.weight - 1,
            "oif": 0 if hop.interface is None else self._ifindex(hop.interface),
            "attrs": attributes,
        }

    def _number_of_table(self) -> int:
        route = self._route
        if route.table is not None:
            return self._names.table(route.table)
        if route.vrf is None:
            return _MAIN
        self._ifindex(route.vrf)
        link = self._table.link(route.vrf)
        if link is None or link.vrf_table is None:
            raise HoldingError(f"interface {route.vrf} is no VRF")
        return link.vrf_table

    def _scope(self) -> int:
        """Return the scope: where none is given the nearest that can be, as ip(8) chooses."""
        route = self._route
        if route.scope is not None:
            return self._names.scope(route.scope)
        if route.destination.version == 6:
            return _UNIVERSE
        if route.type in (RouteType.LOCAL, RouteType.NAT):
            return _HOST
        if route.type in (RouteType.BROADCAST, RouteType.MULTICAST, RouteType.ANYCAST):
            return _LINK
        is_direct = route.via is None and not route.nexthops
        return _LINK if route.type is RouteType.UNICAST and is_direct else _UNIVERSE

    def _realms(self, realms: Realms | None) -> Attributes:
        if realms is None:
            return []
        source, destination = map(self._names.realm, (realms.source, realms.destination))
        return [("RTA_FLOW", source << 16 | destination)]

    def _encap(self, encap: Encap | None) -> Attributes:
        if encap is None:
            return []
        kind, attributes = self._encap_info(encap)
        # The type goes first: pyroute2 reads there what the other is.
        return [("RTA_ENCAP_TYPE", kind), ("RTA_ENCAP", {"attrs": attributes})]

    def _encap_info(self, encap: Encap) -> tuple[int, Attributes]:
        if isinstance(encap, MplsEncap):
            last = len(encap.labels) - 1
            stack = [{"label": one, "bos": i == last} for i, one in enumerate(encap.labels)]
            return _MPLS, [("MPLS_IPTUNNEL_DST", stack)]
        if isinstance(encap, IlaEncap):
            return _ILA, [("ILA_ATTR_LOCATOR", encap.locator)]
        if isinstance(encap, IpEncap):
            kind, tos, ttl = _IP, encap.tos, encap.ttl
        else:
            kind, tos, ttl = _IP6, encap.traffic_class, encap.hop_limit
        said = {
            "ID": encap.id,
            "DST": encap.destination and str(encap.destination),
            "SRC": encap.source and str(encap.source),
            "TTL": ttl,
            "TOS": None if tos is None else self._names.tos(tos),
            "FLAGS": encap.flags,
        }
        attributes: Attributes = [
            (f"LWTUNNEL_IP_{name}", one) for name, one in said.items() if one is not None
        ]
        return kind, attributes

    def _ifindex(self, name: str) -> int:
        link = self._table.link(name)
        if link is None:
            raise HoldingError(f"interface {name} does not exist")
        self._links[name] = link.index
        return link.index


def _metrics(metrics: RouteMetrics) -> Attributes:
    found: Attributes = []
    # The kernel heeds rto_min only where it is locked; ip(8) does the same, keepalived does not.
    locked = {*metrics.locked, *(() if metrics.rto_min is None else ("rto_min",))}
    if locks := sum(1 << _METRICS.index(_metric_name(one)) for one in locked):
        found.append(("RTAX_LOCK", locks))
    for name in (one.name for one in fields(metrics)):
        said = getattr(metrics, name)
        if name in ("ecn", "locked") or said is None:
            continue
        value = said if name == "congctl" else int(said) // _UNITS.get(name, 1)
        found.append((_metric_name(name), value))
    if metrics.ecn:
        found.append(("RTAX_FEATURES", _ECN))
    return found


def _metric_name(field: str) -> str:
    return "RTAX_CC_ALGO" if field == "congctl" else f"RTAX_{field.upper()}"


def _text(route: Route) -> str:
    # Only who has routes has the memory for their words.
    from fastvrrp.config.values.routes import RouteLine  # noqa: PLC0415

    plain = replace(
        route, order=RouteOrder.PREPEND, track=True, track_group=None, tos=tos_as_ip(route.tos)
    )
    return RouteLine().write(plain) or str(route.destination)
