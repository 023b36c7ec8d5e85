"""Audience: the caller's code that an engine tells what its virtual routers do.

None of it can hold up the rest by raising: that is logged and counted.
"""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from fastvrrp.config.model import InstanceConfig
from fastvrrp.names import State
from fastvrrp.report.change import StateChange

__all__ = ["AddressManager", "Audience"]

log = logging.getLogger("fastvrrp.engine")

T = TypeVar("T")


class AddressManager(Protocol):
    """Takes over the host side: the engine then neither sets addresses nor announces them."""

    def install(self, instance: InstanceConfig) -> None:
        """Called when `instance` has become ACTIVE; and when a new configuration gives it more
        addresses while it is, with those alone."""

    def withdraw(self, instance: InstanceConfig) -> None:
        """Called when `instance` is ACTIVE no longer; and when a new configuration takes addresses
        from it while it is, with those alone."""


class Audience:
    """Subscribers, and `manager`, if the caller manages the addresses.

    `errors` counts how often one of them raised.
    """

    def __init__(self, manager: AddressManager | None) -> None:
        self.manager = manager
        self.errors = 0
        self._subscribers: list[Callable[[StateChange], object]] = []

    def subscribe(self, callback: Callable[[StateChange], object]) -> Callable[[], None]:
        """Call `callback` with each StateChange, in order; returns a function that ends it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def changes(self) -> AsyncIterator[StateChange]:
        """Yield each StateChange from now on; for asyncio."""
        import asyncio  # noqa: PLC0415 - 11 MB that a daemon on a Reactor does not need

        queue: asyncio.Queue[StateChange] = asyncio.Queue()
        end = self.subscribe(queue.put_nowait)
        try:
            while True:
                yield await queue.get()
        finally:
            end()

    def tell(self, change: StateChange, config: InstanceConfig) -> None:
        """Tell `change` of the instance `config`; the manager is the first to know."""
        if self.manager is not None:
            if change.new is State.ACTIVE:
                self._call(self.manager.install, config)
            elif change.old is State.ACTIVE:
                self._call(self.manager.withdraw, config)
        for callback in tuple(self._subscribers):
            self._call(callback, change)

    def tell_addresses(self, before: InstanceConfig, now: InstanceConfig) -> None:
        """Let the manager change the addresses of an active instance."""
        if self.manager is None:
            return
        for one, other, tell in (
            (before, now, self.manager.withdraw),
            (now, before, self.manager.install),
        ):
            addresses = tuple(vip for vip in one.addresses if vip not in other.addresses)
            excluded = tuple(vip for vip in one.excluded if vip not in other.excluded)
            if addresses or excluded:
                self._call(tell, replace(one, addresses=addresses, excluded=excluded))

    def _call(self, callback: Callable[[T], object], what: T) -> None:
        try:
            callback(what)
        except Exception:
            self.errors += 1
            log.exception("%r failed at %s; everything else goes on", callback, what)
