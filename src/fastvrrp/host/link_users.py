"""Which interfaces matter to which instances, and what the configuration says about them."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import (
    Config,
    InstanceConfig,
    InterfaceDelay,
    LinkbeatMethod,
    Route,
    Rule,
)
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.host.vmac_plan import interface_of

__all__ = ["linkbeat_of", "located", "needed", "own_link", "settle_delays", "watched"]

log = logging.getLogger("fastvrrp.host")

_VRF = "vrf"  # IFLA_INFO_KIND


def own_link(instance: InstanceConfig, table: LinkTable) -> Link | None:
    """Return the interface of `instance`: the configured one, else the one that has its source
    address, in its VRF if it names one and in none otherwise. None: there is none now."""
    if instance.interface:
        return table.link(instance.interface)
    vrf = table.link(instance.vrf) if instance.vrf is not None else None
    if vrf is None and instance.vrf is not None:
        return None
    for link in sorted(table.links(), key=lambda one: one.index):
        if _vrf_of(link, table) != vrf:
            continue
        if any(present.ip == instance.source for present in table.addresses(link.index)):
            return link
    return None


def _vrf_of(link: Link, table: LinkTable) -> Link | None:
    above = link if link.kind == _VRF else table.by_index(link.master or 0)
    return above if above is not None and above.kind == _VRF else None


def located(instance: InstanceConfig, table: LinkTable) -> InstanceConfig:
    """Return `instance` with the interface that it has now, "" if there is none; see `own_link`."""
    link = own_link(instance, table)
    return replace(instance, interface=link.name) if link is not None else instance


def needed(config: Config) -> dict[str, tuple[str, ...]]:
    """Return, for each instance, the interfaces whose loss is a fault of it, each once: its own,
    those of its tracked addresses, routes and rules, and those of static entries with a
    `track_group` that it is in. Of interfaces that are made for it, it is that below which
    counts."""
    by_static = _static_interfaces(config)
    found = {}
    for instance in config.instances:
        vips = (*instance.addresses, *instance.excluded)
        names: list[str | None] = [instance.interface]
        names += [interface_of(instance, vip) for vip in vips if vip.track]
        for entry in chain[Route | Rule](instance.routes, instance.rules):
            names += _interfaces(entry) if entry.track else ()
        names += by_static.get(instance.name, ())
        found[instance.name] = tuple(name for name in dict.fromkeys(names) if name)
    return found


def watched(config: Config) -> dict[str, tuple[InstanceConfig, ...]]:
    """Return every interface whose state makes a difference, with the instances that it makes one
    to."""
    found: dict[str, dict[str, InstanceConfig]] = {}
    by_name = needed(config)
    for instance in config.instances:
        uses = list(instance.interfaces)
        for group in config.groups:
            if instance.name in group.members:
                uses += group.interfaces
        for name in (*by_name[instance.name], *(use.name for use in uses)):
            found.setdefault(name, {})[instance.name] = instance
    return {name: tuple(users.values()) for name, users in found.items()}


def settle_delays(config: Config) -> dict[str, InterfaceDelay]:
    """Return `interface_up_down_delays` by interface, limited to what the instances that depend on
    it can bear, and log where that is less than configured."""
    users = watched(config)
    found: dict[str, InterfaceDelay] = {}
    for delay in config.interface_delays:
        name = delay.interface
        if name not in users or name in found:
            continue
        limit = min(_longest(instance) for instance in users[name])
        found[name] = InterfaceDelay(
            interface=name, down=min(delay.down, limit), up=min(delay.up, limit)
        )
        if found[name] != delay:
            log.warning(
                "delays of interface %s are limited to %g s: by then others have taken over",
                name,
                limit / NS_PER_SECOND,
            )
    return found


def _longest(instance: InstanceConfig) -> Nanoseconds:
    """Return for how long `instance` may be cut off before the others notice; as keepalived has
    it, one interval is left for the advert that ends it."""
    adverts, interval = instance.down_timer_adverts, instance.advert_interval
    if adverts <= 1:
        return Nanoseconds(0)
    return Nanoseconds((adverts - 1) * interval - interval // 256)


def linkbeat_of(config: Config) -> dict[str, LinkbeatMethod | None]:
    """Return the interfaces whose link is asked for its state, and how; None: as it answers."""
    found: dict[str, LinkbeatMethod | None] = {}
    users = watched(config)
    if config.process.linkbeat_polling:
        found |= dict.fromkeys(users)
    for instance in config.instances:
        if instance.linkbeat_polling and instance.interface:
            found[instance.interface] = None
    for entry in config.linkbeat_interfaces:
        if entry.interface in users:
            found[entry.interface] = entry.method
    return found


def _static_interfaces(config: Config) -> dict[str, tuple[str, ...]]:
    """Return, for each instance of a `track_group`, the interfaces of the static addresses, routes
    and rules that name the group."""
    by_group: dict[str, list[str]] = {}
    for group, interface in _static_entries(config):
        if group is not None and interface is not None:
            by_group.setdefault(group, []).append(interface)
    found: dict[str, tuple[str, ...]] = {}
    for tracking in config.track_groups:
        for member in tracking.members:
            found[member] = (*found.get(member, ()), *by_group.get(tracking.name, ()))
    return found


def _static_entries(config: Config) -> Iterator[tuple[str | None, str | None]]:
    """Yield the track_group of each static entry with each of its interfaces."""
    for address in config.static_addresses:
        yield address.track_group, address.interface or config.global_defs.default_interface
    for entry in chain[Route | Rule](config.static_routes, config.static_rules):
        for interface in _interfaces(entry):
            yield entry.track_group, interface


def _interfaces(entry: Route | Rule) -> tuple[str | None, ...]:
    if isinstance(entry, Rule):
        return (entry.iif, entry.oif)
    return (entry.interface, *(hop.interface for hop in entry.nexthops))
