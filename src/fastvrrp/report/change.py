"""What subscribers are told: one virtual router changed its state."""

from dataclasses import dataclass

from fastvrrp.names import Reason, State

__all__ = ["StateChange"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A virtual router changed its state at `at` (CLOCK_MONOTONIC, ns).

    `priority` is the effective one. `text` says why, in words.
    """

    instance: str
    old: State
    new: State
    reason: Reason
    at: int
    priority: int
    text: str
