"""Which announcements keep an interval: `garp_group`, `vrrp_garp_interval`, `vrrp_gna_interval`."""

from collections.abc import Iterable
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
    `interfaces` are the physical ones that may announce; one with a virtual MAC address counts as
    the one below it.
    """

    def __init__(self, config: Config, interfaces: Iterable[str]) -> None:
        groups = config.garp_groups
        paces = [Pace(arp=g.garp_interval or _NONE, na=g.gna_interval or _NONE) for g in groups]
        numbers = {name: i for i, group in enumerate(groups) for name in group.interfaces}
        common = Pace(
            arp=config.global_defs.vrrp_garp_interval, na=config.global_defs.vrrp_gna_interval
        )
        if common.arp or common.na:
            for name in sorted(set(interfaces) - numbers.keys()):
                numbers[name] = len(paces)
                paces.append(common)
        self.paces = tuple(paces)
        """By the number of the group, see `Loop.set_pace`."""
        self._numbers = numbers

    def number(self, interface: str) -> int:
        """Return the number of the group of `interface`, -1 if its announcements need not wait."""
        return self._numbers.get(interface, -1)
