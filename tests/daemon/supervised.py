"""A daemon for the life-cycle tests: the real supervisor, and a child that behaves as told.

usage: supervised.py DIRECTORY BEHAVIOUR [STOP_NS]

Its configuration is the file DIRECTORY/conf; what is in there, the child logs when it runs with it.
`wrong`: the child refuses it. `dies`: reading it ends the reader. `hangs`: reading never ends.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastvrrp.daemon.control import (
    CONFIG,
    FAILED,
    READY,
    REFUSED,
    TAKEN,
    read_memory_file,
    receive,
    send,
)
from fastvrrp.daemon.launch import StartReport
from fastvrrp.daemon.log import Console, Log
from fastvrrp.daemon.supervisor import Supervisor
from fastvrrp.daemon.systemd import Notifier
from fastvrrp.daemon.testament import Testament
from fastvrrp.journal import RouteUndo
from fastvrrp.loop.farewell import Farewell
from fastvrrp.pidfile import PidFile
from fastvrrp.reactor import Reactor

if TYPE_CHECKING:
    from fastvrrp.daemon.signals import SignalInbox

DIRECTORY = Path(sys.argv[1])


def read(fd: int) -> bool:
    """Stand for the configuration reader."""
    path = DIRECTORY / "conf"
    text = path.read_text() if path.exists() else "first"
    if text == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "hangs":
        say("reader hangs")
        signal.pause()
    os.write(fd, text.encode())
    return text != "wrong"


def say(text: str) -> None:
    """Write a line to where the log goes."""
    os.write(2, f"child: {text}\n".encode())


def given(control: socket.socket) -> str | None:
    """Wait for a configuration and return it; None when there is none."""
    select.select([control], [], [])
    received = receive(control)
    assert received is not None
    message, fd = received
    if message != CONFIG or fd is None:
        say(f"no configuration: {message.decode()}")
        return None
    text = read_memory_file(fd).decode()
    os.close(fd)
    return text


def runs_on_a_full_disk(control: socket.socket, inbox: SignalInbox) -> int:
    """A good child whose pid could not be written."""
    return runs(control, inbox)


def runs(control: socket.socket, inbox: SignalInbox) -> int:
    """A good child: ready, takes what is not wrong, and stops when told to."""
    text = given(control)
    if text in (None, "wrong"):
        send(control, FAILED + b"it is wrong")
        return 2
    say(f"runs with {text}")
    send(control, READY)
    while signal.SIGTERM not in inbox.read():
        ready, _, _ = select.select([inbox.fileno(), control.fileno()], [], [])
        if control.fileno() in ready:
            _reload(control)
    say("resigned")
    return 0


def _reload(control: socket.socket) -> None:
    text = given(control)
    if text == "fatal":
        os.kill(os.getpid(), signal.SIGKILL)
    if text in (None, "wrong"):
        send(control, REFUSED)
        return
    say(f"runs with {text}")
    send(control, TAKEN)


class Engine:
    """What a child that is active tells of its end."""

    generation = 1

    def __init__(self, sender: socket.socket) -> None:
        self._sender = sender

    def undos(self) -> tuple[RouteUndo, ...]:
        """RTM_DELLINK that names no link."""
        request = b"\x20\0\0\0\x11\0\1\0" + bytes(24)
        return (RouteUndo(text="a link", request=request),)

    def farewells(self) -> tuple[Farewell, ...]:
        """A datagram, to an address that the test listens on."""
        messages = ((b"priority 0", b"", str(DIRECTORY / "peer")),)
        fd = self._sender.fileno()
        return (Farewell(slot=0, fd=fd, flags=0, messages=messages),)  # type: ignore[arg-type]


def has_an_estate(control: socket.socket, inbox: SignalInbox) -> int:
    """Active: its parent knows how."""
    given(control)
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    Testament(Engine(sender), control, Reactor()).update()
    send(control, READY)
    say("active")
    while signal.SIGTERM not in inbox.read():
        select.select([inbox.fileno()], [], [])
    say("resigned")
    return 0


def crashes_once(control: socket.socket, inbox: SignalInbox) -> int:
    """Killed after it was ready, the first time."""
    crashed = DIRECTORY / "crashed"
    if crashed.exists():
        return runs(control, inbox)
    crashed.touch()
    given(control)
    send(control, READY)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def always_crashes(control: socket.socket, inbox: SignalInbox) -> int:
    """Never becomes ready."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def is_misconfigured(control: socket.socket, inbox: SignalInbox) -> int:
    """Says why, and exits with the permanent status CONFIG."""
    send(control, FAILED + b"priority 300 is outside 1-255")
    return 2


def hangs(control: socket.socket, inbox: SignalInbox) -> int:
    """Does not listen to any signal."""
    send(control, READY)
    while True:
        signal.pause()


def main() -> int:
    """Run the supervisor in the foreground."""
    stop_ns = int(sys.argv[3]) if len(sys.argv) > 3 else 5_000_000_000
    pid_file, child_pid_file = (PidFile(str(DIRECTORY / name)) for name in ("d.pid", "v.pid"))
    if sys.argv[2] == "runs_on_a_full_disk":
        (DIRECTORY / "conf").touch()
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        return Supervisor(
            globals()[sys.argv[2]],
            read,
            log=Log("Keepalived", [Console(2)]),
            pid_file=pid_file,
            child_pid_file=child_pid_file,
            notifier=Notifier(os.environ),
            report=StartReport(),
            respawn="--no-respawn" not in sys.argv,
            stop_ns=stop_ns,
            read_limit_s=2,
        ).run()
    finally:
        child_pid_file.remove()
        pid_file.remove()


if __name__ == "__main__":
    sys.exit(main())
