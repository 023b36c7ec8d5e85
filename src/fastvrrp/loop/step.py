"""Step: what one new configuration changes in the hot loop, applied as a whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastvrrp.core.acts import RouterParams
from fastvrrp.loop.prepared import Batch, Prepared
from fastvrrp.names import State

__all__ = ["Change", "Step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One virtual router, number `slot`.

    `params` None: it ends. `fresh`: it begins in Initialize and waits for its startup, a new one
    or one that is another virtual router now (whose counters go on); else it runs on with new
    parameters, of which `priority` is the effective one and `faults` the present set. `port` and
    `source` (4 or 16 bytes): where it listens; -1: nowhere. `prepared` replaces what its
    transitions send.

    One that was active and ends or begins anew resigns with `farewell`, which withdraws what
    nobody else holds (None: with what was prepared for it). One that stays active sends `withdraw`
    and `install` at once.
    """

    slot: int
    params: RouterParams | None
    fresh: bool = False
    port: int = -1
    source: bytes = b""
    prepared: Prepared | None = None
    farewell: Prepared | None = None
    withdraw: tuple[bytes, ...] = ()
    install: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """All that changes. `expected` is the state of each running router that it was made for: when
    one is another meanwhile, nothing is done. `routers` and `ports` are the capacities that are
    needed. `groups` are the slots of each sync group's members, in their order; `old_groups` says
    which group, by its number, one was before."""

    expected: Mapping[int, State]
    routers: int
    ports: int
    changes: tuple[Change, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    old_groups: Mapping[int, int] = field(default_factory=dict)
