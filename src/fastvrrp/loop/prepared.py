"""What one virtual router's transitions need, as bytes: made cold by `host.prepare`, sent hot
by `Loop`."""

from dataclasses import dataclass, field

from fastvrrp.wire.values import Layout

__all__ = ["MESSAGES_IN_ONE_SEND", "Batch", "Frame", "Prepared"]

MESSAGES_IN_ONE_SEND = 64
"""Rtnetlink requests of one send: the errors of all fit the receive buffer of the socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One Ethernet frame (gratuitous ARP or neighbour advertisement) for interface `ifindex`
    (0: where the socket is bound).

    `pace`: number of the group whose frames keep an interval, see `Loop.set_pace`; -1: none. It
    does not make another frame.
    """

    ifindex: int
    data: bytes
    pace: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rtnetlink requests that are handed to the kernel in one send, and the frames that announce
    what they set; at most MESSAGES_IN_ONE_SEND of each. Either may be empty."""

    requests: bytes
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The bytes of every transition of one virtual router.

    `fd` is the raw socket that sends `datagrams` (one for each destination) on interface
    `ifindex`; a packet socket for those with a `link` header. `withdraw` are rtnetlink requests,
    each handed to the kernel in one send (at most MESSAGES_IN_ONE_SEND messages). The frames of a
    batch of `install` leave as soon as its requests are in the kernel; an announcement sends the
    frames of all batches, in order.
    """

    fd: int
    ifindex: int
    datagrams: tuple[Layout, ...]
    install: tuple[Batch, ...] = ()
    withdraw: tuple[bytes, ...] = ()
