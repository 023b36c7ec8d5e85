"""What is put back, and how often: `Restorer` counts what somebody else removes, before others
shall hold it; `Footings` notices what the kernel drops without a word."""

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum

from fastvrrp.clock import monotonic_ns, seconds
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.links import Footing, LinkTable

__all__ = ["Footings", "Restorer", "Verdict"]


class Verdict(Enum):
    """What to do about something that was removed. GIVE_UP: it is a fault from now on, and tried
    again after `Restorer.pause`."""

    RESTORE = "restore"
    GIVE_UP = "give up"
    IGNORE = "ignore"


class Restorer:
    """Counts for one owner: each thing is put back `limit` times within `window` ns.

    Each for itself: who flushes a hundred addresses has done it once. One that is not tracked is
    put back as often, and its loss is never a fault. Times are `now()`, monotonic ns.
    """

    def __init__(
        self,
        *,
        limit: int = 5,
        window: int = seconds(60),
        now: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._limit = limit
        self._window = window
        self._now = now
        self._times: dict[tuple[object, ...], deque[int]] = {}
        self.restored = 0
        """How often something was put back."""
        self.reason: str | None = None
        """Why it has given up, in words; None: it has not."""

    @property
    def pause(self) -> int:
        """For how long it gives up, ns; `reset()` ends it."""
        return self._window

    def lost(self, holding: Holding, culprit: Callable[[], str | None] = lambda: None) -> Verdict:
        """Return what to do about `holding`, which `culprit()`, where that is known, has removed;
        it is asked, which takes a while, only when that matters."""
        if self.reason is not None:
            return Verdict.IGNORE
        now = self._now()
        times = self._times.setdefault(holding.key, deque(maxlen=self._limit))
        if len(times) == self._limit and now - times[0] < self._window:
            if not holding.track:
                return Verdict.IGNORE
            self.reason = f"{culprit() or 'something on this host'} keeps removing {holding.text}"
            return Verdict.GIVE_UP
        times.append(now)
        self.restored += 1
        return Verdict.RESTORE

    def reset(self) -> None:
        """Begin anew: whoever removed it may be gone."""
        self._times.clear()
        self.reason = None


class Footings:
    """What the routes of one owner stand on, see `LinkTable.footing`."""

    def __init__(self, table: LinkTable) -> None:
        self._table = table
        self._known: dict[tuple[object, ...], Footing | None] = {}

    def shaken(self, holdings: Iterable[Holding]) -> list[Holding]:
        """Return those of `holdings` that stand on something else than when this was called last,
        and on something: the kernel may have dropped them, and setting them again is harmless. A
        new one is not among them."""
        found = {
            one.key: (one, self._table.footing(one)) for one in holdings if one.kind is Kind.ROUTE
        }
        known, self._known = self._known, {key: footing for key, (_, footing) in found.items()}
        return [
            one
            for key, (one, footing) in found.items()
            if footing is not None and key in known and known[key] != footing
        ]
