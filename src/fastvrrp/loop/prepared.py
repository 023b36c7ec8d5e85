"""What one virtual router's transitions need, as bytes: made cold by `host.prepare`, sent hot
by `Loop`."""

from dataclasses import dataclass

from fastvrrp.wire.values import Layout

__all__ = ["Batch", "Frame", "Prepared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One Ethernet frame (gratuitous ARP or neighbour advertisement) for one interface."""

    ifindex: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rtnetlink requests that are handed to the kernel in one send, and the frames that announce
    what they set; at most 64 messages, so that a queue of errors fits the socket."""

    requests: bytes
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The bytes of every transition of one virtual router.

    `fd` is the raw socket that sends `datagrams` (one for each destination) on interface
    `ifindex`. `install` and `withdraw` are rtnetlink requests, each handed to the kernel in one
    send (at most 64 messages each, so that a queue of errors fits the socket). `frames` are sent
    once per announcement round, in order.
    """

    fd: int
    ifindex: int
    datagrams: tuple[Layout, ...]
    install: tuple[bytes, ...] = ()
    withdraw: tuple[bytes, ...] = ()
    frames: tuple[Frame, ...] = ()
