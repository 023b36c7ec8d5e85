"""Which multicast groups the kernel still has for our sockets.

It forgets them, and tells nobody, when an interface loses its IPv4 or IPv6 side as a whole: an MTU
below 1280 does that to IPv6. The sockets stay as they were, joining again is refused (EADDRINUSE),
and nothing arrives any more: a backup would take over beside a master that it cannot hear.
"""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from fastvrrp.host.links import LinkTable
from fastvrrp.loop.ports import PortKey
from fastvrrp.reactor import Handle, Loop

__all__ = ["Memberships"]

log = logging.getLogger("fastvrrp.host")

_NET = Path("/proc/thread-self/net")
_INTERVAL_S = 30.0

_Membership = tuple[int, IPv4Address | IPv6Address]
"""The index of an interface, and a group."""


class Memberships:
    """Compares what `ports` have joined with /proc/net/igmp and igmp6, in the directory `net`,
    every 30 s; `on_lost` is called when something is missing. Thread: cold."""

    def __init__(
        self,
        loop: Loop,
        table: LinkTable,
        ports: Callable[[], Iterable[PortKey]],
        on_lost: Callable[[], object],
        *,
        net: Path = _NET,
    ) -> None:
        self._loop = loop
        self._table = table
        self._ports = ports
        self._on_lost = on_lost
        self._net = net
        self._timer: Handle = loop.call_later(_INTERVAL_S, self._look)

    def close(self) -> None:
        """Stop looking; may be repeated."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(_INTERVAL_S, self._look)
        if self.renew():
            self._on_lost()

    def renew(self) -> bool:
        """Let the links on which a group is forgotten count as new ones, so that the sockets there
        are opened anew; tell if there are any."""
        wanted = {(key.ifindex, key.group): key for key in self._ports() if self._is_current(key)}
        if not wanted:
            return False
        joined = set(self._joined())
        families = {group.version for _, group in joined}  # a file that is not there says nothing
        lost = [one for one in wanted if one not in joined and one[1].version in families]
        for index, group in lost:
            name = wanted[index, group].interface
            log.warning(
                "the kernel has forgotten that %s is in group %s; joining again", name, group
            )
        for index in {index for index, _ in lost}:
            self._table.renew(index)
        return bool(lost)

    def _is_current(self, key: PortKey) -> bool:
        """Tell if `key` has joined a group on an interface that is there as it was then."""
        link = self._table.link(key.interface)
        return (
            key.source is None
            and link is not None
            and (link.index, link.generation) == (key.ifindex, key.generation)
        )

    def _joined(self) -> Iterator[_Membership]:
        yield from _read_igmp(self._lines("igmp"))
        yield from _read_igmp6(self._lines("igmp6"))

    def _lines(self, name: str) -> list[str]:
        try:
            return (self._net / name).read_text(errors="replace").splitlines()
        except OSError:  # no IPv6, or no /proc
            return []


def _read_igmp(lines: list[str]) -> Iterator[_Membership]:
    """A line for each interface, and below it, indented, one for each group, whose address is
    written as a number in the byte order of the machine."""
    index = 0
    for line in lines[1:]:
        words = line.split()
        if line[:1].isdigit():
            index = int(words[0])
        elif words:
            yield index, IPv4Address(int(words[0], 16).to_bytes(4, sys.byteorder))


def _read_igmp6(lines: list[str]) -> Iterator[_Membership]:
    """A line for each group: index, name and address, and more."""
    for line in lines:
        index, _, group, *_ = line.split()
        yield int(index), ip_address(bytes.fromhex(group))
