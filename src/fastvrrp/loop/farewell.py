"""Farewell: the resignation of an active virtual router, for whoever outlives this process."""

from dataclasses import dataclass

__all__ = ["Address", "Farewell"]

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[str, int, int, int, bytes]
"""A destination of IPv4; of IPv6, with flow label and interface; of a packet socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """The adverts of priority 0 of router `slot` (RFC 9568 §6.4.3), to be sent if its process dies.

    `fd` is the socket that sends them, with `flags` of sendmsg(2). `messages` are the datagram, the
    content of its IPV6_PKTINFO (b"" in IPv4) and the destination of each. `ages`: they are
    protected from being replayed, and good for a second, see `Loop.farewell`.
    """

    slot: int
    fd: int
    flags: int
    messages: tuple[tuple[bytes, bytes, Address], ...]
    ages: bool = False
