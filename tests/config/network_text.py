"""Reads single lines of blocks that stand at the outermost level or in an instance; makes up what
they hold."""

from ipaddress import ip_network

from hypothesis import strategies as st

from fastvrrp import config
from fastvrrp.config import Diagnostic
from fastvrrp.config.model import Config, Realms, Route, Rule, VirtualAddress

__all__ = [
    "FLAGS",
    "INTERFACES",
    "NAMES",
    "REALMS",
    "U8",
    "U16",
    "U32",
    "V4_NETS",
    "V6_NETS",
    "instance",
    "static",
    "static_address",
    "static_route",
    "static_rule",
]


def static(block: str, line: str) -> tuple[Config, list[Diagnostic]]:
    """Return what a block with one line says, and what is told about the line."""
    found = config.loads(f"{block} {{\n{line}\n}}\n")
    return found, [one for one in found.diagnostics if one.span.line > 1]


def instance(block: str, line: str) -> tuple[Config, list[Diagnostic]]:
    """Return what an instance with one line in a block says, and what is told about the line."""
    head = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n"
    found = config.loads(f"{head}{block} {{\n{line}\n}}\n}}\n")
    return found, [one for one in found.diagnostics if one.span.line == 5]


def static_address(line: str) -> VirtualAddress:
    """Return the address that a line is; nothing may be told about it."""
    found, told = static("static_ipaddress", line)
    assert not told
    return found.static_addresses[0]


def static_route(line: str) -> Route:
    """Return the route that a line is; nothing may be told about it."""
    found, told = static("static_routes", line)
    assert not told
    return found.static_routes[0]


def static_rule(line: str) -> Rule:
    """Return the rule that a line is; nothing may be told about it."""
    found, told = static("static_rules", line)
    assert not told
    return found.static_rules[0]


NAMES = st.from_regex(r"x-[a-z0-9_.-]{0,10}", fullmatch=True)  # no name that is a number here
V4_NETS = st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(
    lambda pair: ip_network(pair, strict=False)
)
V6_NETS = st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(
    lambda pair: ip_network(pair, strict=False)
)
U8, U16, U32 = st.integers(0, 255), st.integers(0, 65535), st.integers(0, 2**32 - 1)
INTERFACES = st.none() | st.sampled_from(["eth0", "bond0.5", "br-lan"])
FLAGS = st.booleans()
REALMS = st.none() | st.builds(Realms, U8, U8)
