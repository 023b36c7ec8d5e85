"""What the cold side runs on: `Loop`, which asyncio's event loop satisfies, and `Reactor`, our own.

`Reactor` exists because the daemon need not import asyncio (11 MB, 60 ms), and because its
`fileno()` nests in another epoll: readable when a reader is ready or a timer is due.

Laws: everything runs on one thread; readers run before timers, so that an event which is already
there wins over its own timeout; an exception in a callback is logged and counted, and ends nothing.
"""

import logging
import os
import select
from bisect import bisect_left, insort
from collections.abc import Callable
from itertools import count
from typing import Protocol

from fastvrrp import timerfd
from fastvrrp.clock import NS_PER_SECOND, monotonic_ns

__all__ = ["Handle", "Loop", "Reactor"]

log = logging.getLogger("fastvrrp.reactor")


class Handle(Protocol):
    """A callback that waits for its time."""

    def cancel(self) -> None:
        """Forget the callback; harmless when it ran already or was cancelled before."""


class Loop(Protocol):
    """The three things that scripts and hooks need; `asyncio.AbstractEventLoop` has them."""

    def add_reader(self, fd: int, callback: Callable[..., object], *args: object) -> None:
        """Call `callback(*args)` whenever `fd` is readable, instead of an earlier callback."""

    def remove_reader(self, fd: int) -> bool:
        """Stop watching `fd`, before it is closed; False when it was not watched."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Handle:
        """Call `callback(*args)` once, `delay` seconds from now."""


class _Timer:
    """The `Handle` of `Reactor.call_later`."""

    __slots__ = ("_reactor", "args", "callback", "key")

    def __init__(
        self,
        reactor: "Reactor",
        key: tuple[int, int],
        callback: Callable[..., object],
        args: tuple[object, ...],
    ) -> None:
        self._reactor = reactor
        self.key = key
        self.callback = callback
        self.args = args

    def cancel(self) -> None:
        self._reactor._forget(self)


def _key(timer: _Timer) -> tuple[int, int]:
    return timer.key


class Reactor:
    """A small event loop over epoll and one timerfd.

    `errors` counts the callbacks that raised.
    """

    def __init__(self) -> None:
        self.errors = 0
        self._readers: dict[int, tuple[Callable[..., object], tuple[object, ...]]] = {}
        # Sorted by (due, order of call). There are tens of timers, and most are cancelled (the
        # timeout of a script that ended in time); a heap would carry the dead to their due time.
        self._timers: list[_Timer] = []
        self._order = count()
        self._armed = 0
        self._epoll = select.epoll()
        self._timerfd = timerfd.create()
        self._epoll.register(self._timerfd, select.EPOLLIN)

    def fileno(self) -> int:
        """Return a descriptor that is readable when `run_once` has something to do."""
        return self._epoll.fileno()

    def add_reader(self, fd: int, callback: Callable[..., object], *args: object) -> None:
        """Call `callback(*args)` whenever `fd` is readable, hung up or in error."""
        if fd not in self._readers:
            self._epoll.register(fd, select.EPOLLIN)
        self._readers[fd] = (callback, args)

    def remove_reader(self, fd: int) -> bool:
        """Stop watching `fd`; False when it was not watched."""
        if self._readers.pop(fd, None) is None:
            return False
        self._epoll.unregister(fd)
        return True

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Handle:
        """Call `callback(*args)` once, `delay` seconds from now; a negative delay counts as 0."""
        due = monotonic_ns() + max(0, round(delay * NS_PER_SECOND))
        timer = _Timer(self, (due, next(self._order)), callback, args)
        insort(self._timers, timer, key=_key)
        self._arm()
        return timer

    def run_once(self, timeout: float | None) -> None:
        """Wait up to `timeout` seconds (None: for ever) for something; run all that is ready."""
        for fd, _ in self._epoll.poll(timeout):
            # Looked up now, not before: an earlier callback of this turn may have removed it.
            reader = self._readers.get(fd)
            if reader is not None:
                self._call(*reader)
        self._run_timers()

    def close(self) -> None:
        """Forget all readers and timers and close the descriptors; safe to repeat."""
        if self._epoll.closed:
            return
        self._readers.clear()
        self._timers.clear()
        self._epoll.close()
        os.close(self._timerfd)

    def _run_timers(self) -> None:
        now = monotonic_ns()
        while self._timers and self._timers[0].key[0] <= now:
            timer = self._timers.pop(0)
            self._call(timer.callback, timer.args)
        self._arm()

    def _call(self, callback: Callable[..., object], args: tuple[object, ...]) -> None:
        try:
            callback(*args)
        except Exception:
            self.errors += 1
            log.exception("%r failed; this is a bug, please report it", callback)

    def _forget(self, timer: _Timer) -> None:
        at = bisect_left(self._timers, timer.key, key=_key)
        if at < len(self._timers) and self._timers[at] is timer:
            del self._timers[at]
            self._arm()

    def _arm(self) -> None:
        """Let the timerfd follow the earliest timer."""
        earliest = self._timers[0].key[0] if self._timers else 0
        if earliest != self._armed:
            timerfd.arm(self._timerfd, earliest)
            self._armed = earliest
