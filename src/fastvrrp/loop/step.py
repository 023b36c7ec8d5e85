"""Step: what one new configuration changes in the hot loop, applied as a whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastvrrp.core.acts import Revision, RouterChange
from fastvrrp.loop.prepared import Batch, Prepared
from fastvrrp.names import State

__all__ = ["Change", "Step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(RouterChange):
    """One virtual router. `prepared` replaces what its transitions send (None: nothing).

    One that was active and ends or begins anew resigns with `farewell`, which withdraws what
    nobody else holds (None: with what was prepared for it). One that stays active sends `withdraw`
    and `install` at once.
    """

    prepared: Prepared | None = None
    farewell: Prepared | None = None
    withdraw: tuple[bytes, ...] = ()
    install: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Revision):
    """All that changes. `expected` is the state of each running router that it was made for: when
    one is another meanwhile, nothing is done. `routers` and `ports` are the capacities that are
    needed."""

    expected: Mapping[int, State]
    routers: int
    ports: int
    changes: tuple[Change, ...] = ()
