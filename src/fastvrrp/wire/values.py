"""The Python values that the wire modules take and give."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.names import RejectReason

__all__ = ["Decoded", "Layout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One advert, laid out to be sent: what the hot loop copies and then only touches up.

    IPv4: a whole packet for a socket with IP_HDRINCL, identification and header checksum 0 (the
    kernel fills the latter). IPv6: the VRRP message alone, its checksum done.
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
    """0: with pseudo-header, 1: message only (v3 over IPv4)."""
    src: bytes
    dst: bytes


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
    checksum_style: int | None = None
    """As in `Layout`, of an accepted packet."""
    src: IPv4Address | IPv6Address | None = None
    dst: IPv4Address | IPv6Address | None = None
    ttl: int | None = None

    @property
    def valid(self) -> bool:
        """True when a virtual router would use the advert."""
        return self.reason is RejectReason.ACCEPTED
