"""What every tracker has in common: verdicts, their damping, and what they do to a priority."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastvrrp.config.model import TrackUse

__all__ = [
    "Contribution",
    "RiseFall",
    "Tracker",
    "Verdict",
    "contribution_of",
    "effective_priority",
    "explain",
    "strength",
]

MIN_EFFECTIVE = 1
MAX_EFFECTIVE = 254
OWNER = 255


class Verdict(Enum):
    """A tracker's opinion; UNKNOWN until it has reported once."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one use of a tracker does to one virtual router."""

    weight: int = 0
    """Added to the priority."""
    fault: str | None = None
    """Why it may not take part, in words ("script chk failed"); None: it may."""
    pending: bool = False
    """No verdict yet, and there is no weight: silent, at start only."""


class Tracker(Protocol):
    """One thing that is tracked; `on_change(self)` (given to the constructor) is called when what
    it contributes changed."""

    @property
    def kind(self) -> str:
        """What is tracked: "script", "interface", "file", "process" or "probe"."""

    @property
    def name(self) -> str:
        """Its name in the configuration; unique for a kind."""

    def start(self) -> None:
        """Begin to track."""

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None:
        """End: nothing is reported any more. `on_stopped` is called when all that it started is
        gone, perhaps before this returns."""

    def become(self, fresh: Tracker) -> bool:
        """Go on as `fresh`, which has this kind and name and was not started, with what was found
        out so far; return False, and do nothing, if it looks at another thing. `on_change` is not
        called: who asks looks at all contributions afterwards."""

    def contribution(self, use: TrackUse) -> Contribution:
        """Return what it does now to a virtual router that uses it like this."""


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

    def adjust(self, rise: int, fall: int) -> None:
        """Count from now on to other limits; the verdict stays."""
        self._rise, self._best = rise, rise + fall - 1
        least, most = (rise, self._best) if self.verdict is Verdict.UP else (0, rise - 1)
        self.count = min(max(self.count, least), most)

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


def strength(use: TrackUse, weight: int = 0, *, reverse: bool = False) -> tuple[int, bool]:
    """Return the weight that counts and if it is reversed: those of `use`, else of the tracker."""
    return (weight, reverse) if use.weight is None else (use.weight, use.reverse)


def contribution_of(weight: int, verdict: Verdict, words: str, *, reverse: bool) -> Contribution:
    """Return what a `verdict` means to a router that weighs it with `weight`; for all but files.

    A positive weight is added while up, a negative one while down; without weight, down is a fault
    (`words` name it) and unknown is pending. `reverse` inverts the sign of a weight; without one,
    up is the fault.
    """
    if weight == 0:
        bad = Verdict.UP if reverse else Verdict.DOWN
        fault = words if verdict is bad else None
        return Contribution(fault=fault, pending=verdict is Verdict.UNKNOWN)
    if verdict is not (Verdict.UP if weight > 0 else Verdict.DOWN):
        return Contribution()
    return Contribution(weight=-weight if reverse else weight)


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
