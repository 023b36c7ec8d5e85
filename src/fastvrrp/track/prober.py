"""When probes run: all of them on one timer and one epoll descriptor of the cold loop.

Probes of the same interval begin at different phases of it, so that they are spread, but on a
common grid, so that one wake-up serves several. Whatever answers at once, as this host's own
services do, needs no wake-up of its own.
"""

from __future__ import annotations

import logging
import os
import select
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Protocol

from fastvrrp.clock import NS_PER_SECOND, milliseconds, monotonic_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.reactor import Handle, Loop

__all__ = ["OK", "TIMED_OUT", "Check", "Prober", "reason"]

log = logging.getLogger("fastvrrp.track")

OK = ""
"""The result of a check that found nothing wrong; any other text says what is."""

TIMED_OUT = "timed out"

_GRID = milliseconds(20)  # to wake up costs as much as to probe five times
_TIMEOUT, _TICK = 0, 1  # what is due at the same instant happens in this order


def reason(code: int | None) -> str:
    """Return the result that an errno stands for."""
    text = os.strerror(code or 0)
    return text[:1].lower() + text[1:]


class Check(Protocol):
    """What is looked at, one time after the other. A run that raises has failed."""

    events: int
    """What `fileno()` is waited for: select.EPOLLIN or EPOLLOUT."""

    def begin(self) -> str | None:
        """Look. Return the result, or None: it comes later, or (no descriptor) not this time."""

    def proceed(self) -> str | None:
        """Go on, now that the descriptor is ready. Return the result, or None: not yet."""

    def fileno(self) -> int:
        """Return the descriptor that an answer is waited for on, -1 for none."""

    def abort(self) -> None:
        """Give up what is under way."""


class _Job:
    """A check, its times in ns, and how often it has begun."""

    def __init__(
        self, check: Check, interval: int, timeout: int, on_result: Callable[[str], object]
    ) -> None:
        self.check = check
        self.interval = interval
        self.timeout = timeout
        self.on_result = on_result
        self.run = 0
        self.waits_on = -1  # descriptor
        self.waits_for = 0
        self.is_told = False  # that it raises what it should not


class Prober:
    """Runs checks at multiples of their interval after the first time, at most one run of each at
    a time; what is missed is not made up for. It ends with the last check.
    """

    def __init__(self, *, loop: Loop) -> None:
        self._loop = loop
        self._jobs: dict[int, _Job] = {}
        self._numbers = count()
        self._due: list[tuple[int, int, int, int]] = []  # heap of (instant, what, number, run)
        self._timer: Handle | None = None
        self._timer_due = 0
        self._epoll: select.epoll | None = None
        self._waiting: dict[int, _Job] = {}
        self._phases: dict[int, int] = {}
        self._start = 0

    def add(
        self, check: Check, *, interval: int, timeout: int, on_result: Callable[[str], object]
    ) -> int:
        """Run `check` from now on; return the number that `remove` wants.

        `on_result(text)` is called for each run that came to a result, not before this returns.
        """
        if self._epoll is None:
            self._epoll = select.epoll()
            self._loop.add_reader(self._epoll.fileno(), self._on_ready)
            self._start = monotonic_ns()
        number = next(self._numbers)
        self._jobs[number] = _Job(check, interval, timeout, on_result)
        missed = max(0, monotonic_ns() - self._start) // interval
        due = self._start + missed * interval + self._phase(interval)
        heappush(self._due, (due, _TICK, number, 0))
        self._arm()
        return number

    def remove(self, number: int) -> None:
        """Forget a check; what it does is given up."""
        job = self._jobs.pop(number, None)
        if job is None:
            return
        self._give_up(job)
        if not self._jobs:
            self._close()

    def _phase(self, interval: int) -> int:
        """Return when in the interval the next probe begins: another time than the one before."""
        slots = max(1, interval // _GRID)
        number = self._phases.get(interval, 0)
        self._phases[interval] = number + 1
        return number % slots * _GRID

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()
        self._phases.clear()
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    # ---- time ----

    def _arm(self) -> None:
        """Let the timer follow the earliest instant."""
        due = self._due[0][0]
        if self._timer is not None:
            if self._timer_due <= due:
                return  # a wake-up too early is cheaper than a timer that is set anew
            self._timer.cancel()
        self._timer_due = due
        delay = max(0, due - monotonic_ns()) / NS_PER_SECOND
        self._timer = self._loop.call_later(delay, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = monotonic_ns()
        try:
            while self._due and self._due[0][0] <= now:
                self._run_due(now)
        finally:
            if self._due:
                self._arm()

    def _run_due(self, now: int) -> None:
        """Do what is due first."""
        due, what, number, run = heappop(self._due)
        job = self._jobs.get(number)
        if job is None:
            return
        if what == _TICK:
            self._tick(job, number, due, now)
        elif run == job.run and job.waits_on >= 0:
            self._give_up(job)
            self._tell(job, TIMED_OUT)

    def _tick(self, job: _Job, number: int, due: int, now: int) -> None:
        missed = (now - due) // job.interval
        heappush(self._due, (due + (missed + 1) * job.interval, _TICK, number, 0))
        if job.waits_on >= 0:
            return
        job.run += 1
        self._go_on(job, job.check.begin)
        if job.waits_on >= 0:
            # A run that began a little late has no longer than until the next one, which is due.
            deadline = max(due, now - job.timeout // 8) + job.timeout
            heappush(self._due, (deadline, _TIMEOUT, number, job.run))

    # ---- runs ----

    def _go_on(self, job: _Job, step: Callable[[], str | None]) -> None:
        """Do a step of a run, and wait for what comes or tell the result.

        What raises has failed: one probe without descriptors must not be the end of all.
        """
        try:
            result = step()
            if result is None and job.check.fileno() >= 0:
                self._wait(job)
        except OSError as error:
            self._give_up(job)
            result = reason(error.errno)
        except Exception as error:
            self._give_up(job)
            self._tell_bug(job, step)
            result = f"internal error: {error!r}"
        if result is not None:
            self._forget(job)
            self._tell(job, result)

    def _tell(self, job: _Job, result: str) -> None:
        try:
            job.on_result(result)
        except Exception:
            self._tell_bug(job, job.on_result)

    def _tell_bug(self, job: _Job, failed: object) -> None:
        """Log the exception, once for each check: it may be made a hundred times a second."""
        if not job.is_told:
            log.exception("%r failed; this is a bug, please report it", failed)
        job.is_told = True

    # ---- descriptors ----

    def _on_ready(self) -> None:
        assert self._epoll is not None, "the reader is removed with it"
        for fd, _ in self._epoll.poll(0):
            job = self._waiting.get(fd)
            if job is not None and self._epoll is not None:
                self._go_on(job, job.check.proceed)

    def _wait(self, job: _Job) -> None:
        """Wait for the descriptor of a check."""
        assert self._epoll is not None, "there are checks"
        fd, events = job.check.fileno(), job.check.events
        if job.waits_on < 0:
            self._epoll.register(fd, events)
            self._waiting[fd] = job
        elif job.waits_for != events:
            self._epoll.modify(fd, events)
        job.waits_on, job.waits_for = fd, events

    def _forget(self, job: _Job) -> None:
        """Wait no longer; the kernel has forgotten a descriptor that was closed."""
        self._waiting.pop(job.waits_on, None)
        job.waits_on = -1

    def _give_up(self, job: _Job) -> None:
        self._forget(job)
        job.check.abort()
