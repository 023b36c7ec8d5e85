"""A broadcast domain, and what it does to the frames on it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, TypedDict, Unpack

from fastvrrp.sim.clock import Rank, VirtualClock

if TYPE_CHECKING:
    from fastvrrp.sim.node import VirtualRouterNode

__all__ = ["Datagram", "Interface", "Lan", "Link", "LinkFields"]

IPPROTO_AH = 51


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The way from one router to another. A copy of a frame arrives `delay` ns plus up to
    `jitter` ns later.

    `loss` and `duplication` are probabilities, 0..1; `up` False: nothing passes.
    """

    loss: float = 0.0
    duplication: float = 0.0
    delay: int = 100_000
    jitter: int = 0
    up: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.loss <= 1 and 0 <= self.duplication <= 1):
            raise ValueError("loss and duplication are probabilities, 0..1")
        if self.delay < 0 or self.jitter < 0:
            raise ValueError("delay and jitter are 0 or more ns")


class LinkFields(TypedDict, total=False):
    """The fields of `Link`, as keywords."""

    loss: float
    duplication: float
    delay: int
    jitter: int
    up: bool


@dataclass(frozen=True, slots=True)
class Datagram:
    """What a raw socket gives: an IPv4 packet, or the payload of an IPv6 one. Addresses are
    packed."""

    family: int
    data: bytes
    src: bytes
    dst: bytes

    @property
    def is_multicast(self) -> bool:
        """True when every station takes it."""
        return self.dst[0] >> 4 == 0xE if self.family == 4 else self.dst[0] == 0xFF

    @property
    def is_ah(self) -> bool:
        """True when it goes to the socket of IP protocol 51."""
        return self.family == 4 and self.data[9] == IPPROTO_AH


@dataclass(slots=True, eq=False)
class Interface:
    """Where a node touches a LAN; `addresses` are packed, `ports` are the core's by (family,
    is_ah)."""

    node: "VirtualRouterNode"
    name: str
    lan: "Lan"
    addresses: tuple[bytes, ...]
    ports: dict[tuple[int, bool], int]
    plugged: bool = True
    send_error: int = 0


class Lan:
    """One broadcast domain; `link` is the way between any two routers that have none of their
    own."""

    def __init__(self, name: str, clock: VirtualClock, random: Random, link: Link) -> None:
        self.name = name
        self.frames = 0
        """Frames handed to this LAN so far."""
        self.taps: list[Callable[[Datagram], object]] = []
        """Called with every frame that a station sends."""
        self._clock = clock
        self._random = random
        self._default = link
        self._links: dict[tuple[str, str], Link] = {}
        self._islands: dict[str, int] = {}
        self._interfaces: list[Interface] = []

    # ---- shape ----

    def set_all(self, **changes: Unpack[LinkFields]) -> None:
        """Change the way between all routers: the fields of `Link` by name."""
        self._default = replace(self._default, **changes)
        for pair, link in self._links.items():
            self._links[pair] = replace(link, **changes)

    def set_link(self, sender: str, receiver: str, **changes: Unpack[LinkFields]) -> None:
        """Change the way from `sender` to `receiver` (names of nodes), and not the way back."""
        self._links[sender, receiver] = replace(self.link(sender, receiver), **changes)

    def cut(self, sender: str, receiver: str) -> None:
        """Let nothing pass from `sender` to `receiver`; the way back stays."""
        self.set_link(sender, receiver, up=False)

    def partition(self, *groups: Iterable[str]) -> None:
        """Let only nodes of one group hear each other; nodes that are in no group are one more
        group."""
        self._islands = {name: i for i, group in enumerate(groups, 1) for name in group}

    def heal(self) -> None:
        """End every partition and every cut; loss and delay stay as they are."""
        self._islands = {}
        self.set_all(up=True)

    def link(self, sender: str, receiver: str) -> Link:
        """Return the way from `sender` to `receiver`, partitions aside."""
        return self._links.get((sender, receiver), self._default)

    # ---- traffic ----

    def attach(self, interface: Interface) -> None:
        """Connect a station."""
        self._interfaces.append(interface)

    def transmit(self, sender: Interface, datagram: Datagram) -> None:
        """Carry `datagram` to everyone it is for."""
        self.frames += 1
        if not sender.plugged:
            return
        for tap in self.taps:
            tap(datagram)
        for receiver in self._interfaces:
            if receiver is not sender and (
                datagram.is_multicast or datagram.dst in receiver.addresses
            ):
                self._carry(sender, receiver, datagram)

    def inject(self, datagram: Datagram, *, only: Collection[str] = ()) -> None:
        """Carry a frame of a stranger, whatever source it claims, to everyone it is for, or of
        these to the nodes named in `only`. Nothing stops it, and it takes `Link.delay`."""
        for receiver in self._interfaces:
            if only and receiver.node.name not in only:
                continue
            if datagram.is_multicast or datagram.dst in receiver.addresses:
                self._arrive(receiver, datagram, self._default.delay)

    def _carry(self, sender: Interface, receiver: Interface, datagram: Datagram) -> None:
        source, target = sender.node.name, receiver.node.name
        link = self._links.get((source, target), self._default) if self._links else self._default
        if not link.up or self._islands.get(source) != self._islands.get(target):
            return
        copies = 1
        if link.duplication and self._random.random() < link.duplication:
            copies = 2
        for _ in range(copies):
            if link.loss and self._random.random() < link.loss:
                continue
            delay = link.delay
            if link.jitter:
                delay += self._random.randrange(link.jitter + 1)
            self._arrive(receiver, datagram, delay)

    def _arrive(self, receiver: Interface, datagram: Datagram, delay: int) -> None:
        self._clock.at(
            self._clock.now + delay,
            receiver.node.arrive,
            receiver,
            datagram,
            rank=Rank.ARRIVAL,
        )
