"""Which interfaces count as up: the one place where the kernel's flags, the answers to linkbeat and
`interface_up_down_delays` come together."""

import fcntl
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.config.model import InterfaceDelay, LinkbeatMethod
from fastvrrp.host.linkbeat import Ioctl, Linkbeat
from fastvrrp.host.links import IFF_UP, Link
from fastvrrp.reactor import Handle, Loop

__all__ = ["LinkStates"]

log = logging.getLogger("fastvrrp.host")


class Links(Protocol):
    """What is needed of a LinkTable."""

    def link(self, name: str) -> Link | None:
        """Return the interface `name`."""


@dataclass(slots=True)
class _Counted:
    """What counts of one interface; `timer` runs while the kernel says something else."""

    flags: int | None = None
    """None: there is no such interface."""
    up: bool = False
    was_up: bool = False
    timer: Handle | None = None


class LinkStates:
    """The state of the interfaces `names` that counts.

    An interface that goes down or comes back counts so only after its delay; a change back within
    it cancels that. There is no delay before it was up once, and none when it vanishes. `on_change`
    is called when a delay has ended or a `linkbeat` has another answer; after a change in `links`
    its owner calls `update()`.
    """

    def __init__(
        self,
        links: Links,
        *,
        loop: Loop,
        names: Iterable[str],
        delays: Mapping[str, InterfaceDelay],
        linkbeat: Mapping[str, LinkbeatMethod | None],
        on_change: Callable[[], object],
        ioctl: Ioctl = fcntl.ioctl,
    ) -> None:
        self._links = links
        self._loop = loop
        self._on_change = on_change
        self._ioctl = ioctl
        self._counted: dict[str, _Counted] = {}
        self._linkbeat: Linkbeat | None = None
        self._methods: Mapping[str, LinkbeatMethod | None] = {}
        self.configure(names=names, delays=delays, linkbeat=linkbeat)

    def configure(
        self,
        *,
        names: Iterable[str],
        delays: Mapping[str, InterfaceDelay],
        linkbeat: Mapping[str, LinkbeatMethod | None],
    ) -> None:
        """Tell the state of `names` from now on, and ask the links in `linkbeat`. What is known of
        an interface is kept, a delay that runs as well; a new one counts as it is. `on_change` is
        not called."""
        self._delays = dict(delays)
        before, self._counted = self._counted, {}
        self._ask(linkbeat)
        for name in names:
            if name in before:
                self._counted[name] = before.pop(name)
                self._look(name, self._counted[name])
            else:
                self._counted[name] = _Counted()
                self._count(name, self._counted[name])
        for counted in before.values():
            _cancel(counted)

    def _ask(self, methods: Mapping[str, LinkbeatMethod | None]) -> None:
        if methods == self._methods:
            return
        self._methods = dict(methods)
        if self._linkbeat is not None:
            self._linkbeat.close()
            self._linkbeat = None
        if methods:
            self._linkbeat = Linkbeat(
                methods, loop=self._loop, on_change=self._on_beat, ioctl=self._ioctl
            )

    def close(self) -> None:
        """Stop; may be repeated."""
        if self._linkbeat is not None:
            self._linkbeat.close()
        for counted in self._counted.values():
            _cancel(counted)

    def up(self, name: str) -> bool:
        """Tell if interface `name` counts as up; one that is not there is down. Of others than
        `names` the kernel's view counts."""
        if name in self._counted:
            return self._counted[name].up
        link = self._links.link(name)
        return link is not None and link.up

    def update(self) -> None:
        """Take over what has changed in `links`."""
        for name, counted in self._counted.items():
            self._look(name, counted)

    def _look(self, name: str, counted: _Counted) -> None:
        link = self._links.link(name)
        if link is None or counted.flags is None:
            self._replace(name, counted, link)
        elif self._is_up(link) == counted.up:
            if _cancel(counted):
                log.info("Delay timer for %s cancelled", name)
            counted.flags = link.flags
        elif counted.timer is None:
            self._change(name, counted, link)

    def _replace(self, name: str, counted: _Counted, link: Link | None) -> None:
        """Take over that the interface has vanished, or is there again."""
        if link is None:
            if counted.flags is not None:
                log.info("Interface %s deleted", name)
            _cancel(counted)
            counted.flags, counted.up = None, False
            return
        log.info("Interface %s added", name)
        counted.flags = 0
        self._look(name, counted)

    def _change(self, name: str, counted: _Counted, link: Link) -> None:
        """Let a change count, after its delay if it has one."""
        delay = self._delay(name, counted)
        if not delay:
            self._count(name, counted)
            return
        before = counted.flags or 0
        text = "%s: Adding flags change from 0x%x to 0x%x delay by %d"
        log.info(text, name, before, link.flags, delay // 1000)
        counted.timer = self._loop.call_later(delay / NS_PER_SECOND, self._ended, name, counted)

    def _delay(self, name: str, counted: _Counted) -> int:
        delay = self._delays.get(name)
        if delay is None:
            return 0
        if counted.up:
            return delay.down
        return delay.up if counted.was_up else 0

    def _ended(self, name: str, counted: _Counted) -> None:
        counted.timer = None
        self._count(name, counted)
        self._on_change()

    def _count(self, name: str, counted: _Counted) -> None:
        """Let what is now count."""
        link = self._links.link(name)
        before = counted.flags
        counted.flags = None if link is None else link.flags
        counted.up = link is not None and self._is_up(link)
        counted.was_up |= counted.up
        if before is not None:
            log.info("Netlink reports %s %s", name, "up" if counted.up else "down")

    def _is_up(self, link: Link) -> bool:
        running = self._linkbeat.running(link.name) if self._linkbeat is not None else None
        return link.up if running is None else running and bool(link.flags & IFF_UP)

    def _on_beat(self) -> None:
        self.update()
        self._on_change()


def _cancel(counted: _Counted) -> bool:
    """End the delay; tell if there was one."""
    if counted.timer is None:
        return False
    counted.timer.cancel()
    counted.timer = None
    return True
