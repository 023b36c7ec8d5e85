"""What an engine knows at one instant, as values: for status pages, tests and dumps."""

from dataclasses import dataclass

from fastvrrp.names import Fault, State

__all__ = ["InstanceSnapshot", "Snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSnapshot:
    """One virtual router. `faults` says in words what holds it back; `counters` since the start.

    `priority` is configured, `effective_priority` what is advertised; `explanation` shows the sum.
    `active_router` is the router that was last heard as active, None while it is this one or
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
