"""Many addresses, many instances: their configuration, and who sees when each address is announced.

Law: nothing of the measuring side runs while addresses are set and announced; packets wait in the
observer's sockets, stamped by the kernel.
"""

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Self

from bench.contestants import Contestant
from bench.testbed import MeasurementError
from lab import Host, Lab, Process
from lab.packets import ETHERTYPE_ARP, ETHERTYPE_IPV4

VRIDS = 255
"""Instances on one interface."""

PREFERRED, OTHER = 200, 100
NS_PER_SECOND = 1_000_000_000
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_ROOM = 1 << 26
_SHOWN = 20  # addresses in an advert; the others are excluded ones
_START_LIMIT_S = 30.0
_LOG = "/run/bench.log"
_FIRST_VIP = IPv4Address("10.1.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`instances` with `vips` addresses each."""

    instances: int = 1
    vips: int = 1
    interval_s: float = 1.0

    def __str__(self) -> str:
        if self.instances > 1:
            return f"{self.instances} instances"
        return f"{self.vips} VIPs"

    @property
    def interfaces(self) -> int:
        """How many interfaces they need."""
        return -(-self.instances // VRIDS)

    @property
    def addresses(self) -> frozenset[bytes]:
        """Every virtual address, packed."""
        return frozenset(
            (_FIRST_VIP + number).packed for number in range(self.instances * self.vips)
        )

    def configuration(self, priority: int) -> str:
        """Return the `vrrp_instance` blocks."""
        return "".join(self._instance(number, priority) for number in range(self.instances))

    def _instance(self, number: int, priority: int) -> str:
        vips = [f"{_FIRST_VIP + number * self.vips + n}/32" for n in range(self.vips)]
        shown, rest = vips[:_SHOWN], vips[_SHOWN:]
        excluded = f"virtual_ipaddress_excluded {{\n{_lines(rest)}}}\n" if rest else ""
        return f"""vrrp_instance I{number} {{
    state BACKUP
    interface eth{number // VRIDS}
    virtual_router_id {number % VRIDS + 1}
    version 3
    priority {priority}
    advert_int {self.interval_s:g}
    virtual_ipaddress {{
{_lines(shown)}    }}
    {excluded}
}}
"""


def _lines(addresses: list[str]) -> str:
    return "".join(f"        {address}\n" for address in addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """From the first advert of the new master to the first gratuitous ARP for the first and for
    the last of the addresses, ns."""

    first: int
    last: int


class Observer:
    """A host on every LAN. Times are the kernel's at arrival, CLOCK_REALTIME, ns."""

    def __init__(self, host: Host) -> None:
        self._adverts = self._listen(host, ETHERTYPE_IPV4)
        self._arps = self._listen(host, ETHERTYPE_ARP)

    @staticmethod
    def _listen(host: Host, ethertype: int) -> socket.socket:
        opened = host.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ethertype))
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        return opened

    def close(self) -> None:
        """Stop listening."""
        self._adverts.close()
        self._arps.close()

    def wait_for_arp(self, timeout_s: float) -> None:
        """Return when the first ARP has come."""
        if not select.select([self._arps], [], [], timeout_s)[0]:
            raise MeasurementError(f"no gratuitous ARP within {timeout_s:g} s")

    def adverts(self) -> list[int]:
        """Return when each advert came that was not asked for yet."""
        return [at for at, frame in _drain(self._adverts) if frame[23] == 112]

    def announcements(self) -> dict[bytes, int]:
        """Return when each address was announced first."""
        found: dict[bytes, int] = {}
        for at, frame in _drain(self._arps):
            if frame[28:32] == frame[38:42]:
                found.setdefault(frame[28:32], at)
        return found


def _drain(source: socket.socket) -> Iterator[tuple[int, bytes]]:
    while True:
        try:
            frame, control, _, _ = source.recvmsg(2048, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = struct.unpack_from("qq", control[0][2])
        yield seconds * NS_PER_SECOND + nanoseconds, frame


class ScaleBed:
    """Two hosts with as many interfaces as `size` needs, and an observer."""

    def __init__(self, lab: Lab, contestant: Contestant, size: Size) -> None:
        self.lab = lab
        self.size = size
        # Its log goes to a file: a pipe that nobody reads would hold it up.
        quiet = ("sh", "-c", f'exec "$@" > {_LOG} 2>&1', "sh", *contestant.command)
        self._contestant = replace(contestant, command=quiet)
        self.preferred = lab.host("preferred", "10.0.0.1/24")
        self.other = lab.host("other", "10.0.0.2/24")
        third = lab.host("observer", "10.0.0.3/24")
        for number in range(1, size.interfaces):
            lab.lan(f"br{number}")
            for last, host in enumerate((self.preferred, self.other, third), 1):
                host.plug(f"eth{number}", f"br{number}", f"10.0.{number}.{last}/24")
        self.observer = Observer(third)

    @classmethod
    @contextmanager
    def of(cls, contestant: Contestant, size: Size) -> Iterator[Self]:
        """Make one for a while."""
        with ExitStack() as stack:
            bed = cls(stack.enter_context(Lab()), contestant, size)
            stack.callback(bed.observer.close)
            yield bed

    def start(self, host: Host) -> Process:
        """Start the daemon."""
        priority = PREFERRED if host is self.preferred else OTHER
        return self._contestant.start(host, self.size.configuration(priority))

    def take_over(self, settle_s: float) -> Announced:
        """Start the daemon on the preferred host and return how it announced itself; all that is
        due within `settle_s` after its first ARP counts."""
        self.start(self.preferred)
        self.observer.wait_for_arp(_START_LIMIT_S)
        time.sleep(settle_s)
        announced = self.observer.announcements()
        missing = self.size.addresses - announced.keys()
        if missing:
            raise MeasurementError(f"{len(missing)} of {self.size} were not announced")
        first = min(self.observer.adverts())
        times = [announced[address] for address in self.size.addresses]
        return Announced(first=min(times) - first, last=max(times) - first)

    def await_backups(self, host: Host) -> None:
        """Return a second after every instance of `host` has become a backup."""
        count = f"grep -c 'Entering BACKUP STATE' {_LOG} || :"
        deadline = time.monotonic() + _START_LIMIT_S
        while int(host.run("sh", "-c", count)) < self.size.instances:
            if time.monotonic() > deadline:
                raise MeasurementError(f"not all of {self.size} are backups")
            time.sleep(0.2)
        time.sleep(1)


def cpu_ns(host: Host) -> int:
    """Return the CPU time, ns, of all threads that run on `host` besides its init."""
    script = (
        "for t in /proc/[0-9]*/task/*; do case $t in /proc/1/*|/proc/$$/*) ;; "
        "*) cat $t/schedstat 2>/dev/null;; esac; done; :"
    )
    return sum(int(line.split()[0]) for line in host.run("sh", "-c", script).splitlines())


def pss_kb(host: Host) -> int:
    """Return the proportional set size, KiB, of all processes of `host` besides its init."""
    script = (
        "for p in /proc/[0-9]*; do case $p in /proc/1|/proc/$$) ;; "
        "*) grep ^Pss: $p/smaps_rollup 2>/dev/null;; esac; done; :"
    )
    return sum(int(line.split()[1]) for line in host.run("sh", "-c", script).splitlines())
