"""The VRRP process, beside a parent that is played by the test."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

from fastvrrp.config.model import Config
from fastvrrp.daemon.child import _VrrpProcess
from fastvrrp.daemon.control import FAREWELLS, READY, SENDER, SETTLED, UNDOS, pair, receive
from fastvrrp.loop.farewell import Farewell
from fastvrrp.reactor import Reactor

if TYPE_CHECKING:
    from fastvrrp.journal import Undo

SENDERS = 400
"""More than can wait to be read."""
PATIENCE_S = 10


class Engine:
    """Active on many interfaces."""

    config = Config()
    generation = 1

    def __init__(self) -> None:
        self._sockets = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(SENDERS)]

    def start(self) -> None:
        """Be active."""

    def stop(self) -> None:
        """Be gone."""
        for each in self._sockets:
            each.close()

    def undos(self) -> tuple[Undo, ...]:
        """Nothing was done to this host."""
        return ()

    def farewells(self) -> tuple[Farewell, ...]:
        """One from each socket."""
        return tuple(
            Farewell(slot=i, fd=each.fileno(), flags=0, messages=((b"0", b"", ("10.9.0.2", 0)),))
            for i, each in enumerate(self._sockets)
        )


class Inbox:
    """Signals that the test sends."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()

    def fileno(self) -> int:
        """Readable when a signal has arrived."""
        return self._out

    def stop(self) -> None:
        """Ask to stop."""
        os.write(self._in, bytes((signal.SIGTERM,)))

    def read(self) -> list[int]:
        """Return the signals that arrived."""
        return list(os.read(self._out, 16))

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._out)
        os.close(self._in)


def test_a_parent_that_is_slow_to_listen_misses_nothing() -> None:
    """Given more senders to tell of than can wait to be read, when the parent reads at last, then
    it hears of all of them, of the farewells, and that the process is ready."""
    ours, theirs = pair()
    reactor, inbox, said = Reactor(), Inbox(), []

    def listen() -> None:
        while (received := receive(ours)) is not None:
            message, fd = received
            if fd is not None:
                os.close(fd)
            said.append(message)
        if READY in said and FAREWELLS in said:
            inbox.stop()
        else:
            reactor.call_later(0.01, listen)

    reactor.call_later(0, listen)
    reactor.call_later(PATIENCE_S, inbox.stop)
    process = _VrrpProcess(Engine(), reactor, theirs, inbox, 0)  # type: ignore[arg-type]
    process.run(Config())
    while (received := receive(ours)) is not None:
        said.append(received[0])
    senders = [one for one in said if one.startswith(SENDER)]
    assert len(senders) == len(set(senders)) == SENDERS
    assert said.count(READY) == said.count(FAREWELLS) == said.count(SETTLED) == 1
    assert UNDOS not in said
    for each in (ours, theirs, reactor, inbox):
        each.close()
