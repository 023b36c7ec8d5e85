"""`vrrp_probe`: a check that this process does itself, as often as every 10 ms."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastvrrp.track.base import Contribution, RiseFall, Verdict, contribution_of, strength
from fastvrrp.track.checks import make_check
from fastvrrp.track.prober import OK

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import ProbeConfig, TrackUse
    from fastvrrp.track.base import Tracker
    from fastvrrp.track.prober import Prober
    from fastvrrp.track.procs import ProcessWatcher

__all__ = ["ProbeTracker"]

log = logging.getLogger("fastvrrp.track")


class ProbeTracker:
    """One `vrrp_probe` while it is tracked; `on_change(self)` is called when `verdict` changed.

    `is_up` tells the state of an interface. With `init_fail` it counts as failed until `rise`
    successes; else the first result decides.
    """

    kind = "probe"

    def __init__(
        self,
        config: ProbeConfig,
        *,
        on_change: Callable[[ProbeTracker], object],
        prober: Prober,
        watcher: ProcessWatcher,
        is_up: Callable[[str], bool],
    ) -> None:
        self.config = config
        self._on_change = on_change
        self._prober = prober
        self._check = make_check(config.target, watcher=watcher, is_up=is_up)
        self._results = RiseFall(config.rise, config.fall)
        self._number: int | None = None
        self._reason = ""
        if config.init_fail:
            self._results.feed(ok=False)
            self._reason = "no success yet"

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.config.name

    @property
    def verdict(self) -> Verdict:
        """Return the opinion that holds now."""
        return self._results.verdict

    def start(self) -> None:
        """Begin to probe."""
        timeout = self.config.timeout
        self._number = self._prober.add(
            self._check,
            interval=self.config.interval,
            timeout=self.config.interval if timeout is None else timeout,
            on_result=self._on_result,
        )

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None:
        """End; `on_stopped` is called at once. May be repeated."""
        if self._number is not None:
            self._prober.remove(self._number)
            self._number = None
        if on_stopped is not None:
            on_stopped()

    def become(self, fresh: Tracker) -> bool:
        """Go on if it looks at the same target, see `Tracker.become`."""
        if not isinstance(fresh, ProbeTracker) or fresh.config.target != self.config.target:
            return False
        before, self.config = self.config, fresh.config
        self._results.adjust(self.config.rise, self.config.fall)
        times = (self.config.interval, self.config.timeout)
        if self._number is not None and times != (before.interval, before.timeout):
            self._prober.remove(self._number)
            self.start()
        return True

    def contribution(self, use: TrackUse) -> Contribution:
        """Return what it does now to a virtual router that uses it like this."""
        weight, reverse = strength(use, self.config.weight, reverse=self.config.reverse)
        what = "succeeded" if self.verdict is Verdict.UP else f"failed ({self._reason})"
        words = f"probe {self.name} {what}"
        return contribution_of(weight, self.verdict, words, reverse=reverse)

    def _on_result(self, result: str) -> None:
        before = self.verdict
        if self._results.feed(ok=result == OK) is before:
            return
        if result == OK:
            log.info("VRRP_Probe(%s) succeeded", self.name)
        else:
            self._reason = result
            log.info("VRRP_Probe(%s) failed (%s)", self.name, result)
        self._on_change(self)
