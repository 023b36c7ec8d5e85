"""Keeps the parent able to act for a VRRP process that dies: see `estate`."""

from __future__ import annotations

import marshal
import os
from typing import TYPE_CHECKING, Protocol

from fastvrrp.daemon.control import (
    FAREWELLS,
    NO_SENDER,
    SENDER,
    UNDOS,
    memory_file,
    send,
)
from fastvrrp.journal import NftUndo, RouteUndo, SysctlUndo, Undo

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from fastvrrp.loop.farewell import Farewell
    from fastvrrp.reactor import Handle, Loop

__all__ = ["Mortal", "Testament"]

_RETRY_S = 0.1
_RENEW_S = 1.0
"""How long a farewell that ages is good."""


class Mortal(Protocol):
    """What the engine tells about its end. `generation` differs whenever the others may."""

    @property
    def generation(self) -> int:
        """See above."""

    def undos(self) -> tuple[Undo, ...]:
        """Return what was done to this host."""

    def farewells(self) -> tuple[Farewell, ...]:
        """Return what every active router would resign with."""


class Testament:
    """Tells the parent, through `control`, what is to be done should this process die."""

    def __init__(self, engine: Mortal, control: socket.socket, loop: Loop) -> None:
        self._engine = engine
        self._control = control
        self._loop = loop
        self._generation = -1
        self._again: Handle | None = None
        self._undos: tuple[Undo, ...] = ()
        self._farewells: Sequence[tuple[object, ...]] = ()
        self._senders: set[int] = set()

    def update(self) -> None:
        """Say what has changed since it was said last; cheap when nothing has."""
        if self._engine.generation != self._generation:
            self._renew()

    def _renew(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._generation = self._engine.generation
        farewells = self._engine.farewells()
        if not self._say(self._engine.undos(), farewells):
            self._again = self._loop.call_later(_RETRY_S, self._renew)
        elif any(one.ages for one in farewells):
            self._again = self._loop.call_later(_RENEW_S, self._renew)

    def _say(self, undos: tuple[Undo, ...], farewells: tuple[Farewell, ...]) -> bool:
        """Return whether the parent knows all now; what it was told is remembered."""
        senders = {os.fstat(one.fd).st_ino: one.fd for one in farewells}
        for number in senders.keys() - self._senders:
            if not send(self._control, SENDER + b"%d" % number, senders[number]):
                return False
            self._senders.add(number)
        if undos != self._undos:
            if not self._give(UNDOS, tuple(map(_as_tuple, undos))):
                return False
            self._undos = undos
        numbers = {fd: number for number, fd in senders.items()}
        said = tuple((numbers[one.fd], one.flags, one.messages) for one in farewells)
        if said != self._farewells:
            if not self._give(FAREWELLS, said):
                return False
            self._farewells = said
        for number in self._senders - senders.keys():
            if not send(self._control, NO_SENDER + b"%d" % number):
                return False
            self._senders.remove(number)
        return True

    def _give(self, message: bytes, content: Sequence[tuple[object, ...]]) -> bool:
        fd = memory_file("estate", marshal.dumps(content))  # type: ignore[arg-type]  # simple things in it
        try:
            return send(self._control, message, fd)
        finally:
            os.close(fd)


def _as_tuple(one: Undo) -> tuple[str, str, tuple[object, ...]]:
    """Return the method of `undoing.Undoer`, a text for the log, and its arguments."""
    match one:
        case RouteUndo():
            return "route", one.text, (one.request, one.links)
        case NftUndo():
            return "nft", one.text, (one.batch,)
        case SysctlUndo():
            return "sysctl", one.text, (one.name, one.was, one.ours)
