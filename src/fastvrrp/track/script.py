"""`vrrp_script`: a program that is run at intervals, and whose results become a verdict."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastvrrp.children.runner import PATIENCE, Child, Exit, NotStarted, Patience, Runner
from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, milliseconds, monotonic_ns
from fastvrrp.track.base import Contribution, RiseFall, Verdict, contribution_of, strength

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import GlobalConfig, ScriptConfig, TrackUse
    from fastvrrp.reactor import Handle, Loop
    from fastvrrp.track.base import Tracker

__all__ = ["ScriptTracker"]

log = logging.getLogger("fastvrrp.track")

NOT_EXECUTED = Exit(status=127)  # what a shell, and keepalived, make of it
STOP_GRACE = milliseconds(500)  # for a script that runs when tracking ends


class ScriptTracker:
    """One `vrrp_script` while it is tracked; `on_change(self)` is called when `verdict` changed or
    the first result came.

    With `init_fail` it is down until then. The first run begins at once, the others at multiples of
    the interval after it, however long a run takes; at most one is in flight. `usable` False: the
    command must not be run, which the log says; who uses it must then do as if it were not
    configured, like keepalived.
    """

    kind = "script"

    def __init__(
        self,
        config: ScriptConfig,
        global_defs: GlobalConfig,
        *,
        loop: Loop,
        on_change: Callable[[ScriptTracker], object],
        patience: Patience = PATIENCE,
    ) -> None:
        self.config = config
        self.name = config.name
        self._loop = loop
        self._on_change = on_change
        self._patience = patience
        self._runner = Runner(config.command, global_defs, label=f"vrrp_script {config.name}")
        self._results = RiseFall(config.rise, config.fall)
        self._last_status = 0
        self._refusal = ""
        self._due = Nanoseconds(0)
        self._tick_timer: Handle | None = None
        self._child: Child | None = None
        self._on_stopped: Callable[[], object] | None = None

    @property
    def verdict(self) -> Verdict:
        """Return the opinion that holds now."""
        found = self._results.verdict
        return Verdict.DOWN if found is Verdict.UNKNOWN and self.config.init_fail else found

    @property
    def usable(self) -> bool:
        """Tell whether the command may be run."""
        return self._runner.usable

    def start(self) -> None:
        """Begin to run the script, on the loop's next turn."""
        self._due = Nanoseconds(monotonic_ns())
        self._tick_timer = self._loop.call_later(0, self._tick)

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None:
        """End: no further run or verdict; a running script is terminated, and killed after 0.5 s.

        `on_stopped` is called when it is gone, perhaps before this returns.
        """
        if self._tick_timer is not None:
            self._tick_timer.cancel()
            self._tick_timer = None
        self._on_stopped = on_stopped
        if self._child is None:
            if on_stopped is not None:
                on_stopped()
        elif self._child.terminating:
            self._child.kill()
        else:
            self._child.terminate(STOP_GRACE)

    def become(self, fresh: Tracker) -> bool:
        """Go on if it is the same program with the same arguments and account, see
        `Tracker.become`. A run that is under way keeps its timeout."""
        if not isinstance(fresh, ScriptTracker) or not self._runner.runs_as(fresh._runner):
            return False
        before, self.config = self.config, fresh.config
        self._runner = fresh._runner
        self._results.adjust(self.config.rise, self.config.fall)
        if self._tick_timer is not None and self.config.interval != before.interval:
            self._tick_timer.cancel()
            last = self._due - before.interval
            now = monotonic_ns()
            self._due = Nanoseconds(max(last + self.config.interval, now))
            self._tick_timer = self._loop.call_later((self._due - now) / NS_PER_SECOND, self._tick)
        return True

    def contribution(self, use: TrackUse) -> Contribution:
        """Return what the script does to a virtual router that uses it like this."""
        weight, reverse = strength(use, self.config.weight, reverse=self.config.reverse)
        words = f"script {self.name} {'succeeded' if reverse else 'failed'}"
        return contribution_of(weight, self.verdict, words, reverse=reverse)

    def _tick(self) -> None:
        self._schedule()
        if self._child is None:
            self._run()
            return
        what = "is being timed out" if self._child.terminating else "is already running"
        log.info("Track script %s %s, expect idle - skipping run", self.config.name, what)

    def _schedule(self) -> None:
        """Set the next tick: due + interval, so that lateness never adds up; missed are lost."""
        now = monotonic_ns()
        missed = (now - self._due) // self.config.interval
        self._due = Nanoseconds(self._due + (missed + 1) * self.config.interval)
        self._tick_timer = self._loop.call_later((self._due - now) / NS_PER_SECOND, self._tick)

    def _run(self) -> None:
        timeout = self.config.timeout
        try:
            self._child = self._runner.start(
                self._loop,
                self._exited,
                timeout=self.config.interval if timeout is None else timeout,
                patience=self._patience,
            )
        except NotStarted as error:
            if str(error) != self._refusal:  # not at every interval
                log.warning("%s", error)
            self._refusal = str(error)
            self._judge(NOT_EXECUTED)
        else:
            self._refusal = ""

    def _exited(self, how: Exit) -> None:
        self._child = None
        if self._tick_timer is not None:
            self._judge(how)
        elif self._on_stopped is not None:
            self._on_stopped()

    def _judge(self, how: Exit) -> None:
        name = self.config.name
        if how.status is not None and how.status != self._last_status and not how.timed_out:
            self._last_status = how.status
            log.info("Script `%s` now returning %d", name, how.status)
        before = self._results.verdict
        if self._results.feed(ok=how.ok) is before:
            return
        if how.ok:
            log.info("VRRP_Script(%s) succeeded", name)
        elif how.timed_out:
            log.info("VRRP_Script(%s) timed_out", name)
        else:
            log.info("VRRP_Script(%s) failed (%s)", name, how)
        self._on_change(self)
