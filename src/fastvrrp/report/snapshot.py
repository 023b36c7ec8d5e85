"""What an engine knows at one instant, as values: for status pages, tests and dumps."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from fastvrrp.clock import seconds
from fastvrrp.names import Condition, Fault, State

__all__ = ["InstanceSnapshot", "Snapshot", "describe"]

_CONDITION_LASTS = seconds(10)
"""A condition is shown for so long, or for four intervals, after the last packet that shows it."""


def describe(
    conditions: Mapping[Condition, tuple[bytes, int, int]], interval: int, *, now: int
) -> dict[Condition, str]:
    """Return in words the `conditions` of `Core.status` that last at `now`; times in ns."""
    lasts = max(_CONDITION_LASTS, 4 * interval)
    return {
        condition: f"{ip_address(source)}: {condition.text}"
        for condition, (source, seen, _) in conditions.items()
        if now - seen <= lasts
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSnapshot:
    """One virtual router. `faults` says in words what holds it back; `counters` since the start.

    `priority` is configured, `effective_priority` what is advertised; `explanation` shows the sum.
    `conditions` are what is wrong between this router and others of its VRID. `group` is its sync
    group. `active_router` is the router that was last heard as active, None while it is this one or
    unknown.
    """

    name: str
    interface: str
    vrid: int
    state: State
    priority: int
    effective_priority: int
    explanation: str
    faults: dict[Fault, str]
    conditions: dict[Condition, str]
    group: str | None
    active_router: str | None
    counters: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All virtual routers, in the order of the configuration; `loop` are the totals of the hot
    loop."""

    instances: tuple[InstanceSnapshot, ...]
    loop: dict[str, int]

    def __getitem__(self, name: str) -> InstanceSnapshot:
        """Return the instance `name`; raises KeyError."""
        for instance in self.instances:
            if instance.name == name:
                return instance
        raise KeyError(name)
