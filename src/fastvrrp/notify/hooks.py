"""Notify scripts of one instance or sync group: in order, one at a time, and never in the way of
anything.

keepalived runs them side by side, so that a script of an earlier state may finish after that of the
present one and leave the machine set up for the wrong state.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.children.runner import Child, Exit, NotStarted, Runner
from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, milliseconds, monotonic_ns, seconds
from fastvrrp.config.model import InstanceConfig
from fastvrrp.names import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import Command, GlobalConfig, SyncGroup
    from fastvrrp.reactor import Handle, Loop

__all__ = ["STOP", "Hooks"]

log = logging.getLogger("fastvrrp.notify")

STOP = "STOP"
"""The word for the end of the daemon, which is no state."""

MAX_WAITING = 8  # runs of scripts; beyond that only those of the newest state are worth it
STOP_LIMIT = seconds(1)
SLOW = seconds(30)  # until a running script is named in the log
DEATH_LIMIT = milliseconds(100)  # for a killed script to disappear


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hook:
    """A configured script; `arguments`: whether INSTANCE|GROUP NAME STATE PRIO are appended."""

    keyword: str
    runner: Runner
    arguments: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One script to be run for one state change; `serial` counts the changes."""

    serial: int
    hook: _Hook
    state: str
    priority: int


class Hooks:
    """Runs the notify scripts of `owner`.

    For each change: the script of the state, then `notify` with `INSTANCE NAME STATE PRIO` added,
    for a sync group `GROUP NAME STATE 0`. Both find KEEPALIVED_INSTANCE (KEEPALIVED_GROUP),
    KEEPALIVED_STATE and KEEPALIVED_PRIORITY in their environment.
    A script may take as long as it wants: what comes later waits, and when too much does, all but
    the newest state is skipped. Thread: cold.
    """

    def __init__(
        self,
        owner: InstanceConfig | SyncGroup,
        global_defs: GlobalConfig,
        *,
        loop: Loop,
        stop_limit: Nanoseconds = STOP_LIMIT,
        slow: Nanoseconds = SLOW,
    ) -> None:
        self._name = owner.name
        self._scope = "INSTANCE" if isinstance(owner, InstanceConfig) else "GROUP"
        self._loop = loop
        self._stop_limit = stop_limit
        self._slow = slow

        def hook(keyword: str, command: Command | None, *, arguments: bool = False) -> list[_Hook]:
            if command is None:
                return []
            runner = Runner(command, global_defs, label=f"({owner.name}) {keyword}")
            if not runner.usable:  # the log says why; dropped for good, as keepalived does
                return []
            return [_Hook(keyword=keyword, runner=runner, arguments=arguments)]

        notify = owner.notify
        always = hook("notify", notify.always, arguments=True)
        self._hooks = {
            State.ACTIVE.keepalived: hook("notify_master", notify.master) + always,
            State.BACKUP.keepalived: hook("notify_backup", notify.backup) + always,
            State.FAULT.keepalived: hook("notify_fault", notify.fault) + always,
            STOP: hook("notify_stop", notify.stop) + always,
        }
        self._serial = 0
        self._queue: deque[_Run] = deque()
        self._running: tuple[_Run, Child] | None = None
        self._timer: Handle | None = None
        self._deadline: int | None = None
        self._on_done: Callable[[], object] | None = None

    def notify(self, state: str, priority: int) -> None:
        """Run the scripts for `state` (MASTER, BACKUP, FAULT or STOP) after those of earlier calls.

        `priority` is the effective one. Starts a script at once if none is running; never waits.
        """
        self._serial += 1
        self._queue.extend(
            _Run(serial=self._serial, hook=hook, state=state, priority=priority)
            for hook in self._hooks[state]
        )
        if len(self._queue) > MAX_WAITING:
            self._skip_to_newest()
        self._run_next()

    def close(self, on_done: Callable[[], object]) -> None:
        """End, after `notify(STOP, ...)`: of what waits only the scripts for STOP are still run.

        They, and a script that is running, share `stop_limit`: each is killed when its part is
        over. Then `on_done` is called, perhaps before this returns.
        """
        self._on_done = on_done
        self._deadline = monotonic_ns() + self._stop_limit
        self._queue = deque(run for run in self._queue if run.state == STOP)
        if self._running is not None:
            self._watch(*self._running)
        self._run_next()

    def _skip_to_newest(self) -> None:
        newest = self._queue[-1].serial
        kept = [run for run in self._queue if run.serial == newest or run.state == STOP]
        log.warning(
            "(%s) notify scripts are slower than the state changes: %d runs skipped, next is %s",
            self._name,
            len(self._queue) - len(kept),
            kept[0].state,
        )
        self._queue = deque(kept)

    def _run_next(self) -> None:
        while self._running is None and self._queue:
            self._start(self._queue.popleft())
        if self._running is None and self._on_done is not None:
            on_done, self._on_done = self._on_done, None
            on_done()

    def _start(self, run: _Run) -> None:
        tail = (self._scope, self._name, run.state, str(run.priority))
        try:
            child = run.hook.runner.start(
                self._loop,
                self._exited,
                arguments=tail if run.hook.arguments else (),
                env={
                    f"KEEPALIVED_{self._scope}": self._name,
                    "KEEPALIVED_STATE": run.state,
                    "KEEPALIVED_PRIORITY": str(run.priority),
                },
            )
        except NotStarted as error:
            log.warning("%s", error)
            return
        self._running = (run, child)
        self._watch(run, child)

    def _exited(self, how: Exit) -> None:
        if self._running is not None:
            run, child = self._running
            if not how.ok and not child.terminating:
                self._warn(run, f"failed ({how})")
        self._finish()

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._running = None
        self._run_next()

    def _watch(self, run: _Run, child: Child) -> None:
        """Set the time after which the running script is named or, when closing, killed."""
        if self._deadline is None:
            self._after(self._slow, self._tell_slow, run, child)
            return
        left = max(0, self._deadline - monotonic_ns())
        self._after(Nanoseconds(left // (1 + len(self._queue))), self._kill, run, child)

    def _tell_slow(self, run: _Run, child: Child) -> None:
        took = self._slow / NS_PER_SECOND
        self._warn(run, f"still runs after {took:g} s (process {child.pid}), later changes wait")

    def _kill(self, run: _Run, child: Child) -> None:
        self._warn(run, f"is killed, for it did not end in time (process {child.pid})")
        child.kill()
        self._after(DEATH_LIMIT, self._abandon, child)

    def _abandon(self, child: Child) -> None:
        """Go on without a script that waits in the kernel, where no signal reaches it."""
        child.abandon()
        self._finish()

    def _after(self, delay: Nanoseconds, callback: Callable[..., object], *args: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay / NS_PER_SECOND, callback, *args)

    def _warn(self, run: _Run, what: str) -> None:
        log.warning("(%s) %s for %s %s", self._name, run.hook.keyword, run.state, what)
