"""Any address, route and rule that a line can say, for property tests.

`names`: those of tables, realms and the like that only a host knows.
"""

from ipaddress import IPv4Address, ip_interface
from typing import Any, Literal

from hypothesis import strategies as st

from config.network_text import FLAGS, INTERFACES, NAMES, REALMS, U8, U16, U32, V4_NETS, V6_NETS
from fastvrrp.clock import Nanoseconds
from fastvrrp.config.model import (
    FOREVER,
    IlaEncap,
    Ip6Encap,
    IpEncap,
    MplsEncap,
    Nexthop,
    Route,
    RouteMetrics,
    RouteOrder,
    RoutePreference,
    RouteType,
    Rule,
    RuleAction,
    VirtualAddress,
)

__all__ = ["addresses", "routes", "rules"]

LABELS = st.text(alphabet="abcxyz09.:-_", min_size=1, max_size=15)
LIFETIMES = st.integers(0, 2**32 - 1).map(lambda value: Nanoseconds(value * 1_000_000_000))


@st.composite
def addresses(draw: st.DrawFn) -> VirtualAddress:
    """Any address that a line can say."""
    common: dict[str, Any] = {
        "interface": draw(
            st.none() | LABELS.filter(lambda name: ":" not in name and name not in (".", ".."))
        ),
        "prefix_route": draw(st.booleans()),
        "autojoin": draw(st.booleans()),
        "vmac": draw(st.booleans()),
        "track": draw(st.booleans()),
    }
    is_peer = draw(st.booleans())
    if draw(st.booleans()):
        prefix = 32 if is_peer else draw(st.integers(0, 32))
        return VirtualAddress(
            address=ip_interface((draw(st.ip_addresses(v=4)), prefix)),
            peer=draw(st.ip_addresses(v=4)) if is_peer else None,
            broadcast=None if is_peer else draw(st.none() | U32.map(IPv4Address)),
            scope=draw(st.integers(0, 255)),
            label=draw(st.none() | LABELS),
            **common,
        )
    prefix = 128 if is_peer else draw(st.integers(0, 128))
    default = 0 if prefix == 128 else FOREVER
    return VirtualAddress(
        address=ip_interface((draw(st.ip_addresses(v=6)), prefix)),
        peer=draw(st.ip_addresses(v=6)) if is_peer else None,
        preferred=draw(st.none() | LIFETIMES.filter(lambda value: value != default)),
        home=draw(st.booleans()),
        dad=draw(st.booleans()),
        mngtmpaddr=draw(st.booleans()),
        **common,
    )


def times(unit: int) -> st.SearchStrategy[Nanoseconds | None]:
    """Times between the limits that are whole units."""
    limits = st.integers(200_000_000 // unit, 120_000_000_000 // unit)
    return st.none() | limits.map(lambda value: Nanoseconds(value * unit))


ENCAPS = (
    st.none()
    | st.builds(
        MplsEncap, labels=st.lists(st.integers(0, 2**20 - 1), min_size=1, max_size=16).map(tuple)
    )
    | st.builds(IlaEncap, locator=st.integers(0, 2**64 - 1))
    | st.builds(
        IpEncap,
        id=st.integers(0, 2**64 - 1),
        destination=st.none() | st.ip_addresses(v=4),
        source=st.none() | st.ip_addresses(v=4),
        tos=st.none() | U8,
        ttl=st.none() | U8,
        flags=st.none() | U16,
    )
    | st.builds(
        Ip6Encap,
        destination=st.ip_addresses(v=6),
        source=st.none() | st.ip_addresses(v=6),
        traffic_class=st.none() | U8,
        hop_limit=st.none() | U8,
        flags=st.none() | U16,
    )
)
NUMBERS = ("mtu", "advmss", "reordering", "window", "cwnd", "ssthresh", "initcwnd", "initrwnd")


@st.composite
def metrics_of(draw: st.DrawFn) -> RouteMetrics:
    """Any metrics that a line can say."""
    fields: dict[str, Any] = {name: draw(st.none() | U32) for name in NUMBERS}
    fields["rtt"] = draw(times(125_000))
    fields["rttvar"] = draw(times(250_000))
    fields["rto_min"] = draw(times(1_000_000))
    fields["congctl"] = draw(st.none() | NAMES)
    given_ones = [name for name, value in fields.items() if value is not None]
    order = [name for name in RouteMetrics.__dataclass_fields__ if name in given_ones]
    locked = tuple(name for name in order if draw(FLAGS))
    fields["hoplimit"] = draw(st.none() | U8)
    fields["quickack"] = draw(st.none() | FLAGS)
    fields["fastopen_no_cookie"] = draw(st.none() | FLAGS)
    return RouteMetrics(ecn=draw(FLAGS), locked=locked, **fields)


@st.composite
def nexthops(draw: st.DrawFn, version: Literal[4, 6]) -> Nexthop:
    """Any next hop of a family."""
    return Nexthop(
        via=draw(st.none() | st.ip_addresses(v=version)),
        interface=draw(INTERFACES),
        weight=draw(st.integers(1, 256)),
        onlink=draw(FLAGS),
        realms=draw(REALMS),
        encap=draw(ENCAPS),
    )


@st.composite
def routes(draw: st.DrawFn, names: st.SearchStrategy[str] = NAMES) -> Route:
    """Any route that a line can say."""
    version: Literal[4, 6] = draw(st.sampled_from([4, 6]))
    is_tracked = draw(FLAGS)
    only: dict[str, Any] = {"realms": draw(REALMS)}
    if version == 6:
        only = {
            "from_network": draw(st.none() | V6_NETS),
            "preference": draw(st.none() | st.sampled_from(RoutePreference)),
            "expires": draw(st.none() | U32.map(lambda value: Nanoseconds(value * 10**9))),
        }
    return Route(
        destination=draw(V4_NETS if version == 4 else V6_NETS),
        type=draw(st.sampled_from(RouteType)),
        via=draw(st.none() | st.ip_addresses(v=version)),
        interface=draw(INTERFACES),
        source=draw(st.none() | st.ip_addresses(v=version)),
        table=draw(st.none() | names | U32),
        vrf=draw(INTERFACES),
        metric=draw(st.none() | U32),
        scope=draw(st.none() | names | U8),
        protocol=18 if is_tracked else draw(names | U8),
        tos=draw(U8),
        onlink=draw(FLAGS),
        ttl_propagate=draw(st.none() | FLAGS),
        metrics=draw(metrics_of()),
        encap=draw(ENCAPS),
        order=draw(st.sampled_from(RouteOrder)),
        nexthops=tuple(draw(st.lists(nexthops(version), max_size=2))),
        track=is_tracked,
        **only,
    )


@st.composite
def rules(draw: st.DrawFn, names: st.SearchStrategy[str] = NAMES) -> Rule:
    """Any rule that a line can say."""
    version = draw(st.sampled_from([4, 6]))
    nets = st.none() | (V4_NETS if version == 4 else V6_NETS)
    is_tracked = draw(FLAGS)
    action = draw(st.sampled_from(RuleAction))
    is_table, is_goto = action is RuleAction.TABLE, action is RuleAction.GOTO
    priority = draw(st.integers(0, 2**31))
    has_realms = version == 4 and action in (RuleAction.TABLE, RuleAction.L3MDEV)
    mark = draw(st.none() | U32)
    return Rule(
        version=version,
        priority=priority,
        invert=draw(FLAGS),
        source=draw(nets),
        destination=draw(nets),
        iif=draw(INTERFACES),
        oif=draw(INTERFACES),
        fwmark=mark,
        fwmask=None if mark is None else draw(st.none() | U32),
        tos=draw(U8),
        tunnel_id=draw(st.none() | st.integers(0, 2**64 - 1)),
        uids=draw(st.none() | st.tuples(U32, U32).map(lambda pair: (min(pair), max(pair)))),
        ip_protocol=draw(st.none() | U8 | names.map(lambda _: "sctp")),
        source_ports=draw(st.none() | U16.map(lambda port: (port, 65535))),
        destination_ports=draw(st.none() | U16.map(lambda port: (0, port))),
        action=action,
        table=draw(names | st.integers(1, 2**32 - 1)) if is_table else None,
        goto=draw(st.integers(priority + 1, 2**32 - 1)) if is_goto else None,
        realms=draw(REALMS) if has_realms else None,
        suppress_prefixlength=draw(st.none() | st.integers(0, 128)) if is_table else None,
        suppress_ifgroup=draw(st.none() | names | U32) if is_table else None,
        protocol=18 if is_tracked else draw(U8),
        track=is_tracked,
    )
