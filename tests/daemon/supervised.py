"""A daemon for the life-cycle tests: the real supervisor, and a child that behaves as told.

usage: supervised.py DIRECTORY BEHAVIOUR [STOP_NS]
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastvrrp.daemon.launch import StartReport
from fastvrrp.daemon.log import Console, Log
from fastvrrp.daemon.supervisor import FAILED, READY, Supervisor
from fastvrrp.daemon.systemd import Notifier
from fastvrrp.pidfile import PidFile

if TYPE_CHECKING:
    import socket

    from fastvrrp.daemon.signals import SignalInbox

DIRECTORY = Path(sys.argv[1])


def runs_on_a_full_disk(control: socket.socket, inbox: SignalInbox) -> int:
    """A good child whose pid could not be written."""
    return runs(control, inbox)


def runs(control: socket.socket, inbox: SignalInbox) -> int:
    """A good child: ready, then stops when told to."""
    control.send(READY)
    while signal.SIGTERM not in inbox.read():
        select.select([inbox], [], [])
    os.write(2, b"child: resigned\n")
    return 0


def crashes_once(control: socket.socket, inbox: SignalInbox) -> int:
    """Killed after it was ready, the first time."""
    crashed = DIRECTORY / "crashed"
    if crashed.exists():
        return runs(control, inbox)
    crashed.touch()
    control.send(READY)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def always_crashes(control: socket.socket, inbox: SignalInbox) -> int:
    """Never becomes ready."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def is_misconfigured(control: socket.socket, inbox: SignalInbox) -> int:
    """Says why, and exits with the permanent status CONFIG."""
    control.send(FAILED + b"priority 300 is outside 1-255")
    return 2


def hangs(control: socket.socket, inbox: SignalInbox) -> int:
    """Does not listen to any signal."""
    control.send(READY)
    while True:
        signal.pause()


def main() -> int:
    """Run the supervisor in the foreground."""
    stop_ns = int(sys.argv[3]) if len(sys.argv) > 3 else 5_000_000_000
    pid_file, child_pid_file = (PidFile(str(DIRECTORY / name)) for name in ("d.pid", "v.pid"))
    if sys.argv[2] == "runs_on_a_full_disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        return Supervisor(
            globals()[sys.argv[2]],
            log=Log("Keepalived", [Console(2)]),
            pid_file=pid_file,
            child_pid_file=child_pid_file,
            notifier=Notifier(os.environ),
            report=StartReport(),
            respawn="--no-respawn" not in sys.argv,
            stop_ns=stop_ns,
        ).run()
    finally:
        child_pid_file.remove()
        pid_file.remove()


if __name__ == "__main__":
    sys.exit(main())
