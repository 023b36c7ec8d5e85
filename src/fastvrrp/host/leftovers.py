"""What an earlier run left on this host: addresses, routes and rules that the configuration names
and that carry our mark."""

import logging
from collections.abc import Iterator
from functools import cache

from fastvrrp.config.model import ORIGIN, Config, InstanceConfig
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.holding import Holding, HoldingError, Kind
from fastvrrp.host.iproute import Names
from fastvrrp.host.link_users import located
from fastvrrp.host.links import LinkTable
from fastvrrp.host.netlink import HEADER_SIZE, attributes
from fastvrrp.host.requests import Requests
from fastvrrp.undoing import marks_addresses

__all__ = ["carries_mark", "is_foreign", "origins", "remove_leftovers"]

log = logging.getLogger("fastvrrp.vrrp")

_PROTOCOL_AT = HEADER_SIZE + 5  # in struct rtmsg
_RULE_SIZE = HEADER_SIZE + 12  # with struct fib_rule_hdr
_FRA_PROTOCOL = 21


def origins(config: Config, names: Names) -> frozenset[int]:
    """Return the protocol numbers that routes and rules of `config` carry; a name that nobody knows
    is left out, as the route is."""
    routes = [*config.static_routes, *(one for i in config.instances for one in i.routes)]
    rules = [*config.static_rules, *(one for i in config.instances for one in i.rules)]
    found = {rule.protocol for rule in rules}
    for route in routes:
        try:
            found.add(names.protocol(route.protocol))
        except HoldingError:
            continue
    return frozenset(found)


_tells_ours = cache(marks_addresses)


def carries_mark(holding: Holding, table: LinkTable) -> bool:
    """Tell whether what the kernel has in place of `holding` carries our mark, so that it is ours:
    an address as `table` has it. Removing a route or rule takes none of another origin."""
    if holding.kind is Kind.ADDRESS:
        present = table.address(holding.key)
        return present is not None and present.protocol == ORIGIN
    if holding.kind is Kind.ROUTE:
        return holding.install[_PROTOCOL_AT] == ORIGIN
    return attributes(holding.install, _RULE_SIZE).get(_FRA_PROTOCOL) == bytes((ORIGIN,))


def is_foreign(holding: Holding, table: LinkTable) -> bool:
    """Tell whether somebody else has set the address `holding`, an operator for example whose
    router owns it: it is not ours to remove. Kernels before 5.18 do not tell."""
    return (
        holding.kind is Kind.ADDRESS
        and table.address(holding.key) is not None
        and _tells_ours()
        and not carries_mark(holding, table)
    )


def remove_leftovers(config: Config, table: LinkTable, requests: Requests, names: Names) -> int:
    """Remove what virtual routers of an earlier run left behind; returns how much.

    `table` follows the routes of `config`. Kernels before 5.18 do not mark addresses; there, as in
    keepalived, every address that the configuration names as a virtual one counts.
    """
    removed = 0
    for configured in config.instances:
        instance = located(configured, table)
        found = [one for one in _named(instance, table, names) if table.holds(one.key)]
        ours = [one for one in found if _is_ours(instance, one, table)]
        for one in ours:
            log.info("(%s) removing %s, left by an earlier run", instance.name, _words(one))
        for request in requests.removals(instance.name, ours, once=True):
            requests.send_now(request)
        removed += len(ours)
    return removed


def _named(instance: InstanceConfig, table: LinkTable, names: Names) -> Iterator[Holding]:
    """Yield what `instance` names, as far as it can be on this host."""
    from fastvrrp.host.routes import route_holding  # noqa: PLC0415 - slow to load
    from fastvrrp.host.rules import rule_holding  # noqa: PLC0415

    for vip in (*instance.addresses, *instance.excluded):
        link = table.link(vip.interface or instance.interface)
        if link is not None:
            yield address_holding(vip, link, announce=False)
    for route in instance.routes:
        try:
            yield route_holding(route, table, names)
        except HoldingError:
            continue
    for rule in instance.rules:
        try:
            yield rule_holding(rule, names)
        except HoldingError:
            continue


def _is_ours(instance: InstanceConfig, holding: Holding, table: LinkTable) -> bool:
    if is_foreign(holding, table):
        log.warning(
            "(%s) %s is there already and was not set by us; it is left alone, remove it by hand: "
            "ip address del %s",
            instance.name,
            holding.text,
            holding.text,
        )
        return False
    return holding.kind is Kind.ADDRESS or carries_mark(holding, table)


def _words(holding: Holding) -> str:
    return f"{holding.kind.value} {holding.text}"
