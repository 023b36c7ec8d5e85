"""What every tracker has in common: verdicts, their damping, and what they do to a priority."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastvrrp.config.model import ScriptConfig, TrackUse

__all__ = ["RiseFall", "Verdict", "contribution", "effective_priority", "explain"]

MIN_EFFECTIVE = 1
MAX_EFFECTIVE = 254
OWNER = 255


class Verdict(Enum):
    """A tracker's opinion; UNKNOWN until it has reported once."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class RiseFall:
    """Turns single results into a verdict: `rise` successes in a row mend, `fall` failures break.

    The very first result decides alone. `count` is keepalived's result counter, 0..rise+fall-1,
    up from `rise` on.
    """

    def __init__(self, rise: int, fall: int) -> None:
        self.verdict = Verdict.UNKNOWN
        self.count = 0
        self._rise = rise
        self._best = rise + fall - 1

    def feed(self, *, ok: bool) -> Verdict:
        """Take one result and return the verdict that now holds."""
        if self.verdict is Verdict.UNKNOWN:
            self.count = self._best if ok else 0
        elif ok:
            self.count = self.count + 1 if self.count < self._rise - 1 else self._best
        else:
            self.count = self.count - 1 if self.count > self._rise else 0
        self.verdict = Verdict.UP if self.count >= self._rise else Verdict.DOWN
        return self.verdict


def contribution(use: TrackUse, config: ScriptConfig, verdict: Verdict) -> tuple[int, bool, bool]:
    """Return (weight added to the priority, fault, pending) for one use of a script.

    A positive weight is added while up, a negative one while down; without weight, down is a fault
    and unknown is pending. `reverse` inverts the sign of a weight; without one, up is the fault.
    """
    weight, reverse = use.weight, use.reverse
    if weight is None:
        weight, reverse = config.weight, config.reverse
    if weight == 0:
        bad = Verdict.UP if reverse else Verdict.DOWN
        return 0, verdict is bad, verdict is Verdict.UNKNOWN
    if verdict is not (Verdict.UP if weight > 0 else Verdict.DOWN):
        return 0, False, False
    return -weight if reverse else weight, False, False


def effective_priority(base: int, contributions: Iterable[int]) -> int:
    """Return `base` with `contributions`, limited to 1..254; an owner's 255 never changes."""
    if base == OWNER:
        return OWNER
    return min(max(base + sum(contributions), MIN_EFFECTIVE), MAX_EFFECTIVE)


def explain(base: int, contributions: Iterable[tuple[str, int]]) -> str:
    """Return the sum behind an effective priority: `100 base + 4 chk_nginx = 104`."""
    if base == OWNER:
        return "255 base, weights do not apply to the address owner"
    given = [(name, weight) for name, weight in contributions if weight]
    total = base + sum(weight for _, weight in given)
    effective = effective_priority(base, (weight for _, weight in given))
    terms = "".join(f" {'+' if weight > 0 else '-'} {abs(weight)} {name}" for name, weight in given)
    limited = "" if effective == total else f", limited to {effective}"
    return f"{base} base{terms} = {total}{limited}"
