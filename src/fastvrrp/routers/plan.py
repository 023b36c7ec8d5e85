"""Which running virtual router goes on as which one of a new configuration."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from fastvrrp.config.model import GlobalConfig, InstanceConfig

__all__ = ["Match", "Named", "identity", "pair"]


class Named(NamedTuple):
    """An instance by what others know it by, and by its name."""

    identity: Hashable
    name: str


class Match(NamedTuple):
    """What a new instance continues: the number of an old one, None: nothing. `same`: it is the
    same virtual router still, to others too."""

    old: int | None
    same: bool


def identity(instance: InstanceConfig, common: GlobalConfig) -> Named:
    """Return what makes `instance` the same virtual router to others; its name does not.

    keepalived: VRID, family, interface, and by unicast the source, by multicast the group and the
    virtual MAC.
    """
    key: tuple[Hashable, ...] = (instance.vrid, instance.family, instance.interface)
    if instance.peers:
        key += ("unicast", instance.source)
    else:
        group = instance.multicast_group(common)
        key += ("multicast", group, instance.vmac is not None, instance.vmac_addresses)
    return Named(key, instance.name)


def pair(old: Sequence[Named], new: Sequence[Named]) -> list[Match]:
    """Match by identity, as keepalived does (among several of one identity the name decides), and
    what is left over by name: that is another virtual router with the same history. Each old one is
    continued once."""
    found: dict[int, Match] = {}
    left = dict.fromkeys(range(len(old)))
    keys: tuple[Callable[[Named], Hashable], ...] = (tuple, _identity, _name)
    for key in keys:
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for number in left:
            waiting[key(old[number])].append(number)
        for number, one in enumerate(new):
            if number not in found and (same := waiting.get(key(one))):
                found[number] = Match(same.popleft(), key is not _name)
        for match in found.values():
            if match.old is not None:
                left.pop(match.old, None)
    return [found.get(number, Match(None, False)) for number in range(len(new))]


def _identity(one: Named) -> Hashable:
    return one.identity


def _name(one: Named) -> Hashable:
    return one.name
