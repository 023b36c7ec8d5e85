"""The open sockets of one engine, shared by the virtual routers that hear and speak at one
place."""

import socket
from collections.abc import Iterable

from fastvrrp.errors import EngineError, KernelError
from fastvrrp.loop.loop import Loop as HotLoop
from fastvrrp.loop.ports import Port, PortKey, open_packet_socket

__all__ = ["Ports"]


class Ports:
    """The open ports of the hot loop, numbered 0 to `capacity` - 1. Thread: cold."""

    def __init__(self, hot: HotLoop, capacity: int) -> None:
        self._hot = hot
        self.capacity = capacity
        self._free = list(range(capacity - 1, -1, -1))
        self._open: dict[PortKey, tuple[int, Port]] = {}
        self._frames: socket.socket | None = None

    @property
    def keys(self) -> Iterable[PortKey]:
        """The keys of all that are open."""
        return self._open.keys()

    def grow(self, capacity: int) -> None:
        """Have numbers up to `capacity` - 1, which the hot loop knows by then."""
        self._free = [*range(capacity - 1, self.capacity - 1, -1), *self._free]
        self.capacity = max(capacity, self.capacity)

    def get(self, key: PortKey) -> tuple[int, Port]:
        """Return the number and the sockets of `key`, opened when it is new; raises
        KernelError."""
        if key not in self._open:
            # A socket of the interface's earlier life would take the membership of the new one with
            # it when it is closed.
            self._close(
                k
                for k in list(self._open)
                if k.ifindex == key.ifindex and k.generation != key.generation
            )
            if not self._free:
                raise EngineError("there are more sockets than routers: restart the program")
            port = Port(key)
            number = self._free.pop()
            self._open[key] = (number, port)
            other = port.other.fileno() if port.other is not None else -1
            try:
                self._hot.open_port(number, port.receiver.fileno(), key.family, other_fd=other)
            except KernelError:
                self._close([key])
                raise
        return self._open[key]

    def frame_sender(self) -> socket.socket:
        """Return the socket for adverts that are whole frames; raises KernelError."""
        if self._frames is None:
            self._frames = open_packet_socket("adverts from a virtual MAC address")
        return self._frames

    def close(self) -> None:
        """Close all sockets."""
        self.close_unused(set())
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def close_unused(self, used: set[PortKey]) -> None:
        """Close every port that no router uses."""
        self._close(k for k in list(self._open) if k not in used)

    def _close(self, keys: Iterable[PortKey]) -> None:
        for key in keys:
            number, port = self._open.pop(key)
            self._hot.close_port(number)
            port.close()
            self._free.append(number)
