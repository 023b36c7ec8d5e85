"""`vrrp_track_process`: up while as many processes of a kind run as shall."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.track.base import Contribution, Verdict, contribution_of, strength
from fastvrrp.track.procs import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import TrackProcess, TrackUse
    from fastvrrp.reactor import Handle, Loop
    from fastvrrp.track.base import Tracker
    from fastvrrp.track.procs import ProcessWatcher

__all__ = ["ProcessTracker"]

log = logging.getLogger("fastvrrp.track")


class ProcessTracker:
    """One `vrrp_track_process` while it is tracked; `on_change(self)` is called when `verdict`
    changed.

    The first count decides at once; later ones when they have lasted as long as the delays say.
    """

    kind = "process"

    def __init__(
        self,
        config: TrackProcess,
        *,
        loop: Loop,
        on_change: Callable[[ProcessTracker], object],
        watcher: ProcessWatcher,
    ) -> None:
        self.config = config
        self.verdict = Verdict.UNKNOWN
        self.count: int | None = None
        self._loop = loop
        self._on_change = on_change
        self._watcher = watcher
        self._timer: Handle | None = None

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.config.name

    def start(self) -> None:
        """Begin to count."""
        self._watcher.watch(self._pattern, self._on_count)

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None:
        """End; `on_stopped` is called at once. May be repeated."""
        self._watcher.unwatch(self._on_count)
        self._forget_delay()
        if on_stopped is not None:
            on_stopped()

    def become(self, fresh: Tracker) -> bool:
        """Go on if it counts the same processes, see `Tracker.become`. A new quorum counts at
        once."""
        if not isinstance(fresh, ProcessTracker) or fresh._pattern != self._pattern:
            return False
        before, self.config = self.config, fresh.config
        quorum = (self.config.quorum, self.config.quorum_max)
        if self.count is not None and quorum != (before.quorum, before.quorum_max):
            self._forget_delay()
            self.verdict = self._judge(self.count)
        return True

    def contribution(self, use: TrackUse) -> Contribution:
        """Return what it does now to a virtual router that uses it like this."""
        weight, reverse = strength(use, self.config.weight, reverse=self.config.reverse)
        what = "achieved" if self.verdict is Verdict.UP else "not achieved"
        words = f"tracked process {self.name} quorum {what}"
        return contribution_of(weight, self.verdict, words, reverse=reverse)

    def _on_count(self, count: int) -> None:
        self.count = count
        verdict = self._judge(count)
        if self.verdict is Verdict.UNKNOWN:
            self.verdict = verdict
            self._on_change(self)
        elif verdict is self.verdict:
            self._forget_delay()
        elif self._timer is None:
            delays = self.config.delays
            delay = delays.fork if verdict is Verdict.UP else delays.terminate
            if delay:
                self._timer = self._loop.call_later(delay / NS_PER_SECOND, self._settle, verdict)
            else:
                self._settle(verdict)

    @property
    def _pattern(self) -> Pattern:
        config = self.config
        return Pattern(
            command=config.command, full_command=config.full_command, match=config.param_match
        )

    def _judge(self, count: int) -> Verdict:
        most = self.config.quorum_max
        least = self.config.quorum if most != 0 else 0
        is_enough = count >= least and (most is None or count <= most)
        return Verdict.UP if is_enough else Verdict.DOWN

    def _settle(self, verdict: Verdict) -> None:
        self._timer = None
        self.verdict = verdict
        what = "gained" if verdict is Verdict.UP else "lost"
        log.info("Quorum %s for tracked process %s", what, self.name)
        self._on_change(self)

    def _forget_delay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
