"""The Python values that the wire modules take and give."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.names import RejectReason

__all__ = ["Decoded", "Layout", "Trailer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One advert, laid out to be sent: what the hot loop copies and then only touches up.

    IPv4: a whole packet for a socket with IP_HDRINCL, its identification 0. IPv6: the VRRP
    message alone. Checksums are done.
    """

    data: bytes
    vrrp: int
    """Offset of the VRRP message."""
    ah: int
    """Offset of the authentication header, 0 without one."""
    family: int
    version: int
    unicast: bool
    checksum_style: int
    """v3 over IPv4: 0 with pseudo-header, 1 message only, 2 with one to `group`, not `dst`."""
    src: bytes
    dst: bytes
    group: bytes = b""
    """The multicast group, for `checksum_style` 2."""
    trailer: int = 0
    """Offset of the authentication trailer, 0 without one."""
    link: bytes = b""
    """What stands before `data` in a frame for a packet socket: the Ethernet header, and that of
    IPv6; empty for a raw socket, where the kernel writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """The authentication trailer (auth_hmac) of a packet: `key_id` 0..255, `sequence` 64 bits."""

    key_id: int
    sequence: int
    authentic: bool | None
    """Whether its digest is right; None: the receiver has no such key."""

    @property
    def time_ns(self) -> int:
        """The sender's clock, ns since 1970, as exact as the trailer tells it."""
        return (self.sequence >> 16) * 1_000_000_000 >> 16

    @property
    def counter(self) -> int:
        """Counts adverts within one tick of that clock, 0..65535."""
        return self.sequence & 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What the receive path makes of one packet.

    A field whose bytes are not there is None. A field of a rejected packet is what the packet says,
    and deserves no trust.
    """

    reason: RejectReason
    version: int | None = None
    vrid: int | None = None
    priority: int | None = None
    interval_ns: int | None = None
    addresses: tuple[IPv4Address | IPv6Address, ...] | None = None
    auth: str | None = None
    """"none", "pass", "ah", or "unknown"."""
    ah_sequence: int | None = None
    trailer: Trailer | None = None
    """What has the length of one and stands where one would, of a receiver without trailers too."""
    checksum_style: int | None = None
    """As in `Layout`, of an accepted packet."""
    src: IPv4Address | IPv6Address | None = None
    dst: IPv4Address | IPv6Address | None = None
    ttl: int | None = None

    @property
    def valid(self) -> bool:
        """True when a virtual router would use the advert."""
        return self.reason is RejectReason.ACCEPTED
