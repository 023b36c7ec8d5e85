"""What can be observed in the lab. Every event has a time (CLOCK_MONOTONIC, ns) and a host."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: `at` in ns of CLOCK_MONOTONIC, on or sent by `host`."""

    at: int
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAdded(Event):
    """The kernel of the host announced a new address (time of reading)."""

    address: str
    prefix: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRemoved(Event):
    """The kernel of the host announced that an address is gone (time of reading)."""

    address: str
    prefix: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert(Event):
    """A VRRP advertisement on the switch (kernel time of arrival); fields are unchecked."""

    source: str
    destination: str
    ttl: int
    version: int
    vrid: int
    priority: int
    interval_ms: int
    auth: str  # "none", "pass" or "ah"
    addresses: tuple[str, ...]
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Arp(Event):
    """An ARP packet on the switch (kernel time of arrival)."""

    operation: int
    sender: str
    sender_mac: str
    target: str

    @property
    def gratuitous(self) -> bool:
        """True when the packet announces the sender's own address."""
        return self.sender == self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourAdvert(Event):
    """An IPv6 neighbour advertisement on the switch (kernel time of arrival)."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine(Event):
    """A line that a program wrote (time of reading)."""

    process: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited(Event):
    """A program ended; a negative status is the number of the signal that ended it."""

    process: str
    status: int
