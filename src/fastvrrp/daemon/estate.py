"""What a VRRP process that dies leaves to its parent: its resignation, and what it has done to the
host.

The parent keeps both as memory files that the VRRP process replaces as a whole, and looks into them
only when it has died. They are written by `write_undos` and `write_farewells` (in `testament`).
"""

from __future__ import annotations

import os
import socket

from fastvrrp.daemon.control import (
    FAREWELLS,
    NO_SENDER,
    SENDER,
    SETTLED,
    UNDOS,
    read_memory_file,
)
from fastvrrp.daemon.limits import allow_files
from fastvrrp.daemon.log import ERR
from fastvrrp.undoing import GONE, Undoer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvrrp.daemon.log import Log

__all__ = ["Estate"]

_IPV6_PKTINFO = 50


class Estate:
    """One for each VRRP process."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._undos = -1
        self._farewells = -1
        self._senders: dict[int, socket.socket] = {}

    def on_message(self, message: bytes, fd: int | None) -> bool:
        """Take a message, and its descriptor, if it is about the estate."""
        if message == UNDOS and fd is not None:
            _close(self._undos)
            self._undos = fd
        elif message == FAREWELLS and fd is not None:
            _close(self._farewells)
            self._farewells = fd
        elif message.startswith(SENDER) and fd is not None:
            self._senders[int(message.removeprefix(SENDER))] = socket.socket(fileno=fd)
            allow_files(len(self._senders))
        elif message.startswith(NO_SENDER):
            sender = self._senders.pop(int(message.removeprefix(NO_SENDER)), None)
            if sender is not None:
                sender.close()
        elif message == SETTLED:
            self.drop()
        else:
            return False
        return True

    def drop(self) -> None:
        """Forget everything."""
        _close(self._undos)
        _close(self._farewells)
        self._undos = self._farewells = -1
        for sender in self._senders.values():
            sender.close()
        self._senders.clear()

    def settle(self) -> None:
        """Resign in the name of the dead, then undo what it has done; at once, for another router
        takes over now."""
        self._say_farewell()
        self._undo()
        self.drop()

    def _say_farewell(self) -> None:
        said = 0
        for sender, flags, messages in _content(self._farewells):
            for datagram, pktinfo, address in messages:
                rights = [(socket.IPPROTO_IPV6, _IPV6_PKTINFO, pktinfo)] if pktinfo else []
                try:
                    self._senders[sender].sendmsg(
                        [datagram], rights, flags | socket.MSG_DONTWAIT, address
                    )
                except (KeyError, OSError) as error:
                    self._log.write(ERR, f"cannot resign for the dead VRRP process: {error}")
                    break
            else:
                said += 1
        if said:
            self._log.info(f"sent 0 priority for the dead VRRP process ({said} instances)")

    def _undo(self) -> None:
        """Undo the last thing first."""
        undos = _content(self._undos)
        if not undos:
            return
        self._log.info("removing what the dead VRRP process has left")
        with Undoer() as undoer:
            for kind, text, arguments in reversed(undos):
                why = getattr(undoer, kind)(*arguments)
                if why and why != GONE:
                    self._log.write(ERR, f"cannot undo {text}: {why}")


def _content(fd: int) -> list[tuple]:  # type: ignore[type-arg]  # see `testament`
    import marshal  # noqa: PLC0415

    return marshal.loads(read_memory_file(fd)) if fd >= 0 else []  # our own child's


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
