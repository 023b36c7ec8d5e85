"""The time of a simulation: an integer that jumps to the next event."""

import heapq
from collections.abc import Callable
from enum import IntEnum

__all__ = ["Rank", "VirtualClock"]


class Rank(IntEnum):
    """Who comes first among the events of one instant."""

    SCRIPT = 0
    """What the author of the simulation asked for."""
    ARRIVAL = 1
    """A packet: sockets are drained before deadlines fire, as in the real loop."""
    TIMER = 2


class VirtualClock:
    """An instant in ns, `now`, and the events that lie ahead of it."""

    def __init__(self, start: int = 0) -> None:
        self.now = start
        self._count = 0
        self._events: list[tuple[int, int, int, Callable[..., object], tuple[object, ...]]] = []

    def at(
        self,
        when: int,
        action: Callable[..., object],
        *arguments: object,
        rank: Rank = Rank.SCRIPT,
    ) -> None:
        """Call `action(*arguments)` at the instant `when`, or now if that has passed."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), rank, self._count, action, arguments))

    def after(self, delay: int, action: Callable[..., object], *arguments: object) -> None:
        """Call `action(*arguments)` in `delay` ns."""
        self.at(self.now + delay, action, *arguments)

    def next(self) -> int | None:
        """Return the instant of the next event, None when nothing lies ahead."""
        return self._events[0][0] if self._events else None

    def step(self) -> None:
        """Jump to the next event and let it happen; raises IndexError when nothing lies ahead."""
        when, _, _, action, arguments = heapq.heappop(self._events)
        self.now = when
        action(*arguments)
