"""Random configurations that a host of the lab can run, in pairs: the generator's, without what
needs a peer, a program or an interface that is not there.

A router of an odd VRID owns its addresses in every configuration, any other in none: so the states
of a configuration that was reloaded are those of a fresh start with it.
"""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_interface
from random import Random

from config.generate import random_config
from fastvrrp.clock import seconds
from fastvrrp.config.model import (
    Config,
    GlobalConfig,
    InstanceConfig,
    NotifyConfig,
    Route,
    Rule,
    SyncGroup,
    Version,
    VirtualAddress,
    Vmac,
)

__all__ = ["INTERFACES", "pair"]

INTERFACES = ("eth0", "eth1")
_POOLS = {
    name: tuple(
        ip_interface(text)
        for text in (
            *(f"10.{net}.0.{n}/24" for n in range(100, 108)),
            *(f"10.{net}.1.{n}/32" for n in range(1, 5)),
            *(f"fd0{net}::{n}/64" for n in range(100, 106)),
        )
    )
    for name, net in zip(INTERFACES, (9, 8), strict=True)
}
"""In the networks of the host itself: which address of a network was the first, that is, no
secondary one, hangs on the order in time."""
_VRIDS = 6


def pair(seed: int) -> tuple[Config, Config]:
    """Return two configurations; the second is the first with some changes, or another one."""
    rng = Random(seed)
    before = _world(rng)
    if rng.random() < 0.3:
        return before, _world(rng)
    return before, _changed(before, rng)


def _world(rng: Random) -> Config:
    made = random_config(rng, instances=5, with_services=False)
    return _runnable(made, rng)


def _changed(config: Config, rng: Random) -> Config:
    """Return `config` with some instances removed, renamed, changed or added, in another order."""
    fresh = {one.vrid: one for one in _world(rng).instances}
    kept = []
    for one in config.instances:
        what = rng.random()
        other = fresh.pop(one.vrid, None)
        if what < 0.4 or other is None:
            kept.append(one)
        elif what < 0.5:
            kept.append(replace(one, name=f"{one.name}_renamed"))
        elif what < 0.9:
            mixed = replace(one, **{name: getattr(other, name) for name in _some(rng)})
            kept.append(mixed)
    kept += [one for one in fresh.values() if rng.random() < 0.5]
    rng.shuffle(kept)
    return _finish(replace(config, instances=tuple(kept)), rng)


def _some(rng: Random) -> Sequence[str]:
    """Return the fields that a change takes over."""
    fields = (
        *("addresses", "excluded", "routes", "rules"),
        *("accept", "advert_interval", "garp", "interface"),
        *("vmac", "vmac_xmit_base", "promote_secondaries"),
    )
    return rng.sample(fields, rng.randint(1, 3))


def _runnable(made: Config, rng: Random) -> Config:
    vrids = rng.sample(range(1, _VRIDS + 1), k=rng.randint(1, 5))
    templates = made.instances or (InstanceConfig(name="V", vrid=1),)
    instances = tuple(
        _instance(templates[n % len(templates)], vrid, rng) for n, vrid in enumerate(vrids)
    )
    config = Config(global_defs=GlobalConfig(garp=made.global_defs.garp), instances=instances)
    return _finish(config, rng)


def _instance(template: InstanceConfig, vrid: int, rng: Random) -> InstanceConfig:
    owns = vrid % 2 == 1
    interface = rng.choice(INTERFACES)
    family = 6 if vrid == _VRIDS - 1 else 4
    return InstanceConfig(
        name=f"V{vrid}",
        interface=interface,
        vrid=vrid,
        version=Version.V3 if family == 6 else rng.choice((Version.V2, Version.V3)),
        priority=255 if owns else rng.choice((90, 100, 110)),
        initial_active=owns,
        advert_interval=seconds(rng.choice((1, 2))),
        accept=rng.random() < 0.6,
        garp=template.garp,
        track_primary=template.track_primary,
        vmac=Vmac(interface=rng.choice((None, f"lan{vrid}"))) if rng.random() < 0.3 else None,
        vmac_xmit_base=rng.random() < 0.3,
        promote_secondaries=rng.random() < 0.2,
        notify=NotifyConfig(),
        addresses=_addresses(rng, interface, family, rng.randint(1, 3)),
        excluded=_addresses(rng, interface, rng.choice((4, 6)), rng.randint(0, 2)),
        routes=_routes(template.routes, vrid) if family == 4 else (),
        rules=_rules(template.rules, vrid),
    )


def _addresses(rng: Random, interface: str, family: int, count: int) -> tuple[VirtualAddress, ...]:
    found = []
    for _ in range(count):
        where = rng.choice((None, None, *INTERFACES))
        pool = [one for one in _POOLS[where or interface] if one.version == family]
        scope = rng.choice((0, 0, 200)) if family == 4 else 0
        found.append(VirtualAddress(address=rng.choice(pool), interface=where, scope=scope))
    return tuple(found)


def _routes(routes: tuple[Route, ...], vrid: int) -> tuple[Route, ...]:
    """Return those that this host can have, in tables of their own."""
    return tuple(
        replace(one, interface="eth0", via=None, nexthops=(), table=100 + 10 * vrid + n)
        for n, one in enumerate(routes[:3])
    )


def _rules(rules: tuple[Rule, ...], vrid: int) -> tuple[Rule, ...]:
    return tuple(
        replace(one, priority=20000 + 10 * vrid + n, table=one.table and 100)
        for n, one in enumerate(rules[:3])
    )


def _finish(config: Config, rng: Random) -> Config:
    """Let no address be held twice on an interface, and the owners be a group now and then."""
    seen: set[tuple[object, str]] = set()
    instances = []
    for one in config.instances:
        addresses = _unseen(one.addresses, one.interface, seen)
        excluded = _unseen(one.excluded, one.interface, seen)
        if addresses:
            instances.append(replace(one, addresses=addresses, excluded=excluded))
    owners = tuple(one.name for one in instances if one.priority == 255)
    groups: tuple[SyncGroup, ...] = ()
    if len(owners) > 1 and rng.random() < 0.3:
        groups = (SyncGroup(name="G", members=owners),)
    return replace(config, instances=tuple(instances), groups=groups)


def _unseen(
    vips: tuple[VirtualAddress, ...], interface: str, seen: set[tuple[object, str]]
) -> tuple[VirtualAddress, ...]:
    """Return those that nobody holds on their interface yet."""
    kept = []
    for vip in vips:
        key = (vip.address.ip, vip.interface or interface)
        if key not in seen:
            seen.add(key)
            kept.append(vip)
    return tuple(kept)
