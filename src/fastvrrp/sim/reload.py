"""What a new configuration makes of the virtual routers of a node."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from fastvrrp.core.acts import Revision, RouterChange, RouterParams
from fastvrrp.sim.instance import Instance

__all__ = ["Reload", "Wanted"]


class Wanted(NamedTuple):
    """One virtual router as it is configured; `params.port` is not known yet."""

    name: str
    interface: str
    params: RouterParams


class Reload:
    """From the instances `old`, by their numbers in the core, to those of the list `new`.

    `instances` are all of them afterwards; `ended` and `begun` the numbers of those that do not go
    on, and of those that start.
    """

    def __init__(self, old: Mapping[int, Instance], new: Sequence[Instance]) -> None:
        left = dict(old)
        free = (slot for slot in count() if slot not in old)
        self.instances: dict[int, Instance] = {}
        for instance in new:
            slot = next((n for n, one in left.items() if _key(one) == _key(instance)), None)
            if slot is None:
                self.instances[next(free)] = instance
            else:
                instance.go_on_from(left.pop(slot))
                self.instances[slot] = instance
        self.ended = list(left)
        self.begun = [slot for slot in self.instances if slot not in old]
        self.revision = self._revision(old)

    def _revision(self, old: Mapping[int, Instance]) -> Revision:
        members: dict[int, list[int]] = {}
        old_groups: dict[int, int] = {}
        for slot, instance in self.instances.items():
            group = instance.params.group
            if group < 0:
                continue
            members.setdefault(group, []).append(slot)
            was = old[slot].params.group if slot in old else -1
            if was >= 0 and was not in old_groups.values():
                old_groups.setdefault(group, was)
        return Revision(
            changes=(
                *(RouterChange(slot=slot, params=None) for slot in self.ended),
                *(_change(slot, instance) for slot, instance in self.instances.items()),
            ),
            groups=tuple(tuple(members.get(n, ())) for n in range(1 + max(members, default=-1))),
            old_groups=old_groups,
        )


def _key(instance: Instance) -> Hashable:
    """What others know a virtual router by."""
    params = instance.params
    return params.vrid, params.family, instance.interface.name, bool(params.peers)


def _change(slot: int, instance: Instance) -> RouterChange:
    params = instance.effective
    return RouterChange(
        slot=slot, params=params, port=params.port, source=params.source, name=instance.name
    )
