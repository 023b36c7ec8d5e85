"""Policies: the routes and rules of some origins that the kernel has, as `LinkTable` follows
them."""

from collections.abc import Iterable

from pyroute2.netlink.rtnl import RTM_DELROUTE, RTM_GETROUTE, RTM_GETRULE, RTM_NEWROUTE

from fastvrrp.host.netlink import Message, Raw, decode, dump, packed
from fastvrrp.host.routes import route_key
from fastvrrp.host.rules import rule_key

__all__ = ["GROUPS", "Policies"]

GROUPS = (7, 8, 11, 19)  # RTNLGRP_IPV4_ROUTE, IPV4_RULE, IPV6_ROUTE, IPV6_RULE

_FAMILIES = (2, 10)  # AF_INET, AF_INET6
_BODY_SIZE = 12  # struct rtmsg, struct fib_rule_hdr
_PROTOCOL_AT = 5  # in struct rtmsg
_CLONED = 0x200  # RTM_F_CLONED


class Policies:
    """Keys of the routes and rules that carry one of `protocols`: read when it is made, removals
    since. Raises KernelError."""

    def __init__(self, protocols: Iterable[int]) -> None:
        self.protocols = frozenset(protocols)
        self.keys: set[tuple[object, ...]] = set()
        self.read()

    def read(self) -> None:
        """Read everything anew."""
        self.keys = {key for raw in self._dumped() for key in _keys(raw, self.protocols)}

    def removed(self, raw: Raw) -> list[tuple[object, ...]]:
        """Return the keys that RTM_DELROUTE or RTM_DELRULE is about."""
        gone = _keys(raw, self.protocols)
        self.keys.difference_update(gone)
        return gone

    def _dumped(self) -> Iterable[Raw]:
        for family in _FAMILIES:
            yield from dump(packed(RTM_GETRULE, bytes((family,)).ljust(_BODY_SIZE, b"\0")))
            for protocol in self.protocols:  # the kernel passes over others, millions it may be
                body = bytearray(_BODY_SIZE)
                body[0], body[_PROTOCOL_AT] = family, protocol
                yield from dump(packed(RTM_GETROUTE, bytes(body)))


def _keys(raw: Raw, protocols: frozenset[int]) -> list[tuple[object, ...]]:
    """Return the keys of the route or rule of `raw`, if it carries one of `protocols`."""
    return [
        route_key(message) if _is_route(message) else rule_key(message)
        for message in decode(raw)
        if _origin(message) in protocols and not message["flags"] & _CLONED
    ]


def _is_route(message: Message) -> bool:
    return bool(message["header"]["type"] in (RTM_NEWROUTE, RTM_DELROUTE))


def _origin(message: Message) -> int | None:
    """Return who made the route or rule, as ip(8) shows it as its proto."""
    origin = message["proto"] if _is_route(message) else message.get_attr("FRA_PROTOCOL")
    return None if origin is None else int(origin)
