"""`track_interface`: an interface besides those that an instance uses anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastvrrp.track.base import Contribution, Verdict, contribution_of, strength

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import TrackUse
    from fastvrrp.track.base import Tracker

__all__ = ["InterfaceTracker"]


class InterfaceTracker:
    """The interface `name` while it is tracked; an absent one is down.

    `is_up(name)` tells its state, all delays considered. Whoever follows links calls `look()` when
    one changed; `on_change(self)` is called if it was this one.
    """

    kind = "interface"

    def __init__(
        self,
        name: str,
        *,
        is_up: Callable[[str], bool],
        on_change: Callable[[InterfaceTracker], object],
    ) -> None:
        self.name = name
        self._is_up = is_up
        self._on_change = on_change
        self._active = True
        self.verdict = self._read()

    def start(self) -> None:
        """Begin to report changes; the verdict is there already."""
        self.look()

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None:
        """End: `on_stopped` is called before this returns."""
        self._active = False
        if on_stopped is not None:
            on_stopped()

    def become(self, fresh: Tracker) -> bool:
        """Go on: there is nothing but the name, see `Tracker.become`."""
        return isinstance(fresh, InterfaceTracker) and fresh.name == self.name

    def look(self, *, tells: bool = True) -> None:
        """See if the interface has changed, and tell of it."""
        before, self.verdict = self.verdict, self._read()
        if tells and self._active and self.verdict is not before:
            self._on_change(self)

    def contribution(self, use: TrackUse) -> Contribution:
        """Return what the interface does to a virtual router that uses it like this."""
        weight, reverse = strength(use)
        words = f"interface {self.name} {'up' if reverse else 'down'}"
        return contribution_of(weight, self.verdict, words, reverse=reverse)

    def _read(self) -> Verdict:
        return Verdict.UP if self._is_up(self.name) else Verdict.DOWN
