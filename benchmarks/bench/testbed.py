"""Two routers and an observer on one switch; what the observer's kernel stamps is the measurement.

Law: nothing of the measuring side runs between a fault and the first gratuitous ARP. The observer
sleeps until that ARP arrives; the adverts wait in its socket, stamped, until then.
"""

import random
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeGuard

from bench.contestants import VIP, Contestant, instance
from lab import Advert, Arp, Event, Host, Lab, Process
from lab.packets import ETHERTYPE_ARP, ETHERTYPE_IPV4, parse

PREFERRED, OTHER = 200, 100
"""Priorities of the router that holds the address and of the one that takes over."""

NS_PER_SECOND = 1_000_000_000
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_ROOM = 1 << 24
_START_LIMIT_S = 10.0


class MeasurementError(AssertionError):
    """The daemon under test did not do what was to be measured."""


class Observer:
    """A third host that hears everything. Times are the kernel's at arrival, CLOCK_REALTIME, ns."""

    def __init__(self, host: Host, names: dict[str, str]) -> None:
        self._names = names
        self._adverts = self._listen(host, ETHERTYPE_IPV4)
        self._arps = self._listen(host, ETHERTYPE_ARP)
        self.events: list[Event] = []

    @staticmethod
    def _listen(host: Host, ethertype: int) -> socket.socket:
        opened = host.socket(socket.AF_PACKET, socket.SOCK_RAW)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        opened.bind(("eth0", ethertype))
        return opened

    def close(self) -> None:
        """Stop listening."""
        self._adverts.close()
        self._arps.close()

    def wait_for_announcement(self, host: Host, *, after: int, timeout_s: float) -> Arp:
        """Return the first gratuitous ARP of `host` for the address later than `after`.

        Only ARP wakes the caller; the adverts so far are taken in afterwards.
        """
        deadline = time.monotonic() + timeout_s
        seen = len(self.events)
        while select.select([self._arps], [], [], max(0.0, deadline - time.monotonic()))[0]:
            self._take(self._arps)
            for event in self.events[seen:]:
                if event.host == host.name and event.at > after and _announces_vip(event):
                    self._take(self._adverts)
                    return event
            seen = len(self.events)
        self._take(self._adverts)
        raise MeasurementError(
            f"{host.name} did not announce {VIP} within {timeout_s:.3f} s\n"
            + "\n".join(str(event) for event in self.events[-8:])
        )

    def adverts(self, host: Host | None = None) -> list[Advert]:
        """Return the adverts so far, of `host` or of all, in the order of arrival."""
        self._take(self._adverts)
        return [
            event
            for event in self.events
            if isinstance(event, Advert) and (host is None or event.host == host.name)
        ]

    def forget(self) -> None:
        """Drop what was heard so far, but for the last advert."""
        self._take(self._arps)
        self.events = [*self.adverts()[-1:]]

    def _take(self, source: socket.socket) -> None:
        while True:
            try:
                frame, control, _, _ = source.recvmsg(2048, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack_from("qq", control[0][2])
            event = parse(frame, seconds * NS_PER_SECOND + nanoseconds, self._names)
            if event is not None:
                self.events.append(event)


def _announces_vip(event: Event) -> TypeGuard[Arp]:
    return isinstance(event, Arp) and event.gratuitous and event.sender == VIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """One change of holder: arrival times at the observer, ns.

    `last` is the last advert of the router that went (its priority-0 advert if it resigned),
    `first` the first one of its successor, `announced` the first gratuitous ARP.
    """

    last: int
    first: int
    announced: int


class TestBed:
    """One contestant on two hosts of a switch of its own. Use it as a context manager."""

    __test__ = False  # no test class

    def __init__(self, contestant: Contestant, chance: random.Random) -> None:
        self.contestant = contestant
        self._chance = chance
        self._lab = Lab()
        self._interval_s = 0.0
        self._running: dict[str, Process] = {}

    def __enter__(self) -> Self:
        self._lab.__enter__()
        try:
            self.preferred = self._lab.host("preferred", "10.0.0.1/24")
            self.other = self._lab.host("other", "10.0.0.2/24")
            third = self._lab.host("observer", "10.0.0.3/24")
            names = {host.mac: host.name for host in (self.preferred, self.other)}
            self.observer = Observer(third, names)
        except BaseException:
            self._lab.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.observer.close()
        self._lab.__exit__(kind, error, traceback)

    @property
    def lab(self) -> Lab:
        """Where it all happens; its log lines are there."""
        return self._lab

    @property
    def down_interval(self) -> int:
        """Master_Down_Interval of the router that takes over, ns (RFC 9568 §6.1)."""
        return 3 * self._interval_ns + self.skew_time

    @property
    def skew_time(self) -> int:
        """Skew_Time of the router that takes over, ns."""
        return (256 - OTHER) * self._interval_ns // 256

    @property
    def _interval_ns(self) -> int:
        return round(self._interval_s * NS_PER_SECOND)

    @contextmanager
    def session(self, interval_s: float) -> Iterator[Self]:
        """Run the daemon on both hosts, from when the preferred one holds the address."""
        self._interval_s = interval_s
        try:
            for host in (self.other, self.preferred):  # each is known to run before a fault
                began = time.time_ns()
                self._start(host)
                self._await_holder(host, began)
            self._settle()
            yield self
        finally:
            for host in (self.preferred, self.other):
                self.end(host)
            self._lab.pump(0)
            self.observer.forget()

    @contextmanager
    def alone(self, interval_s: float, more: str = "") -> Iterator[Self]:
        """Run the daemon on the preferred host only, from when it holds the address.

        `more` is further configuration.
        """
        self._interval_s = interval_s
        try:
            began = time.time_ns()
            self._start(self.preferred, more)
            self._await_holder(self.preferred, began)
            yield self
        finally:
            self.end(self.preferred)
            self._lab.pump(0)

    def crash(self) -> tuple[Takeover, Takeover]:
        """Kill -9 every process of the holder; return takeover and fall-back."""
        takeover = self._fail(self.preferred.kill_everything)
        return takeover, self._fall_back(lambda: self._start(self.preferred))

    def cut(self) -> tuple[Takeover, Takeover]:
        """Take the carrier of the holder's link away, and give it back."""
        takeover = self._fail(self.preferred.cut)
        return takeover, self._fall_back(self.preferred.heal)

    def resign(self) -> tuple[Takeover, Takeover]:
        """SIGTERM the holder, which resigns; start it again."""
        process = self._running[self.preferred.name]
        takeover = self._fail(process.terminate)
        self.end(self.preferred)
        return takeover, self._fall_back(lambda: self._start(self.preferred))

    def end(self, host: Host) -> None:
        """End every process of `host` at once and remove what the daemon left."""
        host.kill_everything()
        host.run("sh", "-c", f"ip address del {VIP}/24 dev eth0 2>/dev/null || :")

    def _fail(self, fault: Callable[[], object]) -> Takeover:
        began = time.time_ns()
        fault()
        return self._takeover(self.preferred, self.other, began)

    def _fall_back(self, remedy: Callable[[], object]) -> Takeover:
        began = time.time_ns()
        remedy()
        takeover = self._takeover(self.other, self.preferred, began)
        self._settle()
        return takeover

    def _takeover(self, old: Host, new: Host, began: int) -> Takeover:
        arp = self._await_holder(new, began)
        first = next(a for a in self.observer.adverts(new) if a.at > began and a.priority > 0)
        before = [a for a in self.observer.adverts(old) if a.at < first.at]
        resigned = [a for a in before if a.at > began and a.priority == 0]
        return Takeover(
            last=(resigned or before)[-1].at,
            first=first.at,
            announced=arp.at,
        )

    def _await_holder(self, host: Host, after: int) -> Arp:
        limit = _START_LIMIT_S + 5 * self._interval_s
        try:
            return self.observer.wait_for_announcement(host, after=after, timeout_s=limit)
        except MeasurementError as error:
            self._lab.pump(0)
            raise MeasurementError(f"{error}\nlast events:\n{self._lab.recent()}") from None

    def _settle(self) -> None:
        """Let an advert pass, and a random part of an interval: faults hit any phase of it."""
        time.sleep(self._interval_s * (1 + self._chance.random()))
        self._lab.pump(0)
        self._lab.history.clear()
        self.observer.forget()

    def _start(self, host: Host, more: str = "") -> None:
        priority = PREFERRED if host is self.preferred else OTHER
        config = instance(priority=priority, interval_s=self._interval_s) + more
        self._running[host.name] = self.contestant.start(host, config)
