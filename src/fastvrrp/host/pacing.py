"""Which announcements keep an interval: `garp_group`, `vrrp_garp_interval`, `vrrp_gna_interval`."""

from dataclasses import dataclass

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.model import Config

__all__ = ["Pace", "Pacing"]

_NONE = Nanoseconds(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The least time between two gratuitous ARPs, and between two unsolicited neighbour
    advertisements, of one group of interfaces; 0: none."""

    arp: Nanoseconds
    na: Nanoseconds


class Pacing:
    """The groups of a configuration, and the interfaces that are in them.

    An interface that no `garp_group` names has the intervals of `global_defs` for itself.
    """

    def __init__(self, config: Config) -> None:
        groups, common = config.garp_groups, config.global_defs
        paces = [Pace(arp=g.garp_interval or _NONE, na=g.gna_interval or _NONE) for g in groups]
        numbers = {name: i for i, group in enumerate(groups) for name in group.interfaces}
        own = Pace(arp=common.vrrp_garp_interval, na=common.vrrp_gna_interval)
        if own.arp or own.na:
            for name in sorted(_announcing(config) - numbers.keys()):
                numbers[name] = len(paces)
                paces.append(own)
        self.paces = tuple(paces)
        """By the number of the group, see `Loop.set_pace`."""
        self._numbers = numbers

    def number(self, interface: str) -> int:
        """Return the number of the group of the physical `interface`, -1 if its announcements need
        not wait. One with a virtual MAC address counts as the interface below it."""
        return self._numbers.get(interface, -1)


def _announcing(config: Config) -> set[str]:
    """Return the interfaces that addresses are announced on."""
    found = {instance.interface for instance in config.instances}
    for instance in config.instances:
        vips = (*instance.addresses, *instance.excluded)
        found |= {vip.interface for vip in vips if vip.interface is not None}
    return found
