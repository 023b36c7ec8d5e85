"""Notify scripts of one instance or sync group: in order, one at a time, and never in the way of
anything.

keepalived runs them side by side, so that a script of an earlier state may finish after that of the
present one and leave the machine set up for the wrong state.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fastvrrp.children.runner import Child, Exit, NotStarted, Runner
from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, milliseconds, monotonic_ns, seconds
from fastvrrp.config.model import InstanceConfig, NotifyConfig
from fastvrrp.names import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastvrrp.config.model import Command, GlobalConfig, SyncGroup
    from fastvrrp.reactor import Handle, Loop

__all__ = ["DELETED", "STOP", "Hooks"]

log = logging.getLogger("fastvrrp.notify")

STOP = "STOP"
"""The word for the end of the daemon, which is no state."""

DELETED = "DELETED"
"""The word for the end of an instance that a reload removes and that has `notify_deleted`."""

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
        self._hooks = _hooks(owner, global_defs)
        self._made_of = (owner, global_defs)
        self._serial = 0
        self._last = 0  # the change that is the end of the owner
        self._queue: deque[_Run] = deque()
        self._running: tuple[_Run, Child] | None = None
        self._timer: Handle | None = None
        self._deadline: int | None = None
        self._on_done: Callable[[], object] | None = None

    def update(self, owner: InstanceConfig | SyncGroup, global_defs: GlobalConfig) -> None:
        """Run what `owner` says from now on; what waits is run as it says, or not at all if it
        says nothing any more. A script that is running goes on."""
        if self._made_of == (owner, global_defs):
            return
        self._name = owner.name
        self._hooks = _hooks(owner, global_defs)
        self._made_of = (owner, global_defs)
        waiting, self._queue = self._queue, deque()
        for run in waiting:
            same = (hook for hook in self._hooks[run.state] if hook.keyword == run.hook.keyword)
            self._queue.extend(replace(run, hook=hook) for hook in same)

    def tell_deleted(self, state: State, priority: int) -> None:
        """Run the scripts for the end of an instance in `state` that a reload removes: those for
        DELETED with `notify_deleted`, else those for FAULT, which it may be in already."""
        notify = self._made_of[0].notify
        if isinstance(notify, NotifyConfig) and notify.tells_deleted:
            self.notify(DELETED, priority)
        elif state is not State.FAULT:
            self._last = self._serial + 1
            self.notify(State.FAULT.keepalived, priority)

    def notify(self, state: str, priority: int) -> None:
        """Run the scripts for `state` (MASTER, BACKUP, FAULT, STOP or DELETED) after those of
        earlier calls.

        `priority` is the effective one. Starts a script at once if none is running; never waits.
        """
        self._serial += 1
        if state in (STOP, DELETED):
            self._last = self._serial
        self._queue.extend(
            _Run(serial=self._serial, hook=hook, state=state, priority=priority)
            for hook in self._hooks[state]
        )
        if len(self._queue) > MAX_WAITING:
            self._skip_to_newest()
        self._run_next()

    def close(self, on_done: Callable[[], object]) -> None:
        """End, after `notify(STOP, ...)` or `tell_deleted`: of what waits only their scripts are
        still run.

        They, and a script that is running, share `stop_limit`: each is killed when its part is
        over. Then `on_done` is called, perhaps before this returns.
        """
        self._on_done = on_done
        self._deadline = monotonic_ns() + self._stop_limit
        self._queue = deque(run for run in self._queue if run.serial == self._last)
        if self._running is not None:
            self._watch(*self._running)
        self._run_next()

    def _skip_to_newest(self) -> None:
        newest = self._queue[-1].serial
        kept = [run for run in self._queue if run.serial in (newest, self._last)]
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


def _hooks(
    owner: InstanceConfig | SyncGroup, global_defs: GlobalConfig
) -> dict[str, tuple[_Hook, ...]]:
    """Return what is run for each state, in order."""

    def hook(keyword: str, command: Command | None, *, arguments: bool = False) -> Iterator[_Hook]:
        if command is not None:
            runner = Runner(command, global_defs, label=f"({owner.name}) {keyword}")
            if runner.usable:  # else the log says why; dropped for good, as keepalived does
                yield _Hook(keyword=keyword, runner=runner, arguments=arguments)

    notify = owner.notify
    deleted = notify.deleted if isinstance(notify, NotifyConfig) else None
    always = tuple(hook("notify", notify.always, arguments=True))
    return {
        State.ACTIVE.keepalived: (*hook("notify_master", notify.master), *always),
        State.BACKUP.keepalived: (*hook("notify_backup", notify.backup), *always),
        State.FAULT.keepalived: (*hook("notify_fault", notify.fault), *always),
        STOP: (*hook("notify_stop", notify.stop), *always),
        DELETED: (*hook("notify_deleted", deleted), *always),
    }
