"""Rows of the outermost level about addresses, routes and links."""

from fastvrrp.config.model import GarpGroup
from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.values import InterfaceName, Seconds
from fastvrrp.config.values.addresses import AddressLine
from fastvrrp.config.values.links import DelayLine, LinkbeatLine
from fastvrrp.config.values.routes import RouteLine
from fastvrrp.config.values.rules import RuleLine

__all__ = ["NETWORK", "ROUTE_ROWS"]


_ANNOUNCEMENTS = Seconds("0", "2147.483647")

ROUTE_ROWS = (
    Block(
        "virtual_routes",
        doc="Routes that are there while the virtual router is active. One a line, as ip-route(8) "
        "writes it.",
        to="routes",
        entry=RouteLine(),
    ),
    Block(
        "virtual_rules",
        doc="Routing rules that are there while the virtual router is active. One a line, as "
        "ip-rule(8) writes it, with a priority.",
        to="rules",
        entry=RuleLine(),
    ),
)
"""Blocks of an instance."""

_GARP_GROUP = Block(
    "garp_group",
    doc="Interfaces on which announcements of addresses keep a distance in time from each other.",
    to="garp_groups",
    many=True,
    model=GarpGroup,
    rows=(
        Keyword(
            "garp_interval",
            _ANNOUNCEMENTS,
            "Least time between two gratuitous ARP packets.",
            to="garp_interval",
            default="no limit",
        ),
        Keyword(
            "gna_interval",
            _ANNOUNCEMENTS,
            "Least time between two unsolicited neighbour advertisements.",
            to="gna_interval",
            default="no limit",
        ),
        Keyword(
            "interface",
            InterfaceName(),
            "An interface of the group.",
            to="interfaces",
            many=True,
        ),
        Block(
            "interfaces",
            doc="Interfaces of the group, several on a line.",
            to="interfaces",
            entry=InterfaceName(),
            flat=True,
        ),
    ),
)

NETWORK: tuple[Block | Keyword, ...] = (
    Block(
        "static_ipaddress",
        doc="Addresses that are added at start, put back when they are deleted, and removed at the "
        "end, whoever is active. One a line.",
        to="static_addresses",
        entry=AddressLine(static=True),
    ),
    Block(
        "static_routes",
        doc="Routes that are there as long as the program runs. One a line, as ip-route(8) writes "
        "it.",
        to="static_routes",
        entry=RouteLine(static=True),
    ),
    Block(
        "static_rules",
        doc="Routing rules that are there as long as the program runs. One a line, as ip-rule(8) "
        "writes it, with a priority.",
        to="static_rules",
        entry=RuleLine(static=True),
    ),
    Block(
        "interface_up_down_delays",
        doc="How long an interface must have been down, and then up again, before that counts, in "
        "seconds; no longer than other routers wait for an advert. One interface a line.",
        to="interface_delays",
        entry=DelayLine(),
    ),
    Block(
        "linkbeat_interfaces",
        doc="Interfaces whose link is asked for its state once a second, for drivers that do not "
        "tell. One a line.",
        to="linkbeat_interfaces",
        entry=LinkbeatLine(),
    ),
    _GARP_GROUP,
)
"""Blocks of the outermost level: static addresses, routes and rules, link delays and the like."""
