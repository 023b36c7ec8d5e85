"""systemd's notification protocol, sd_notify(3): `NAME=value` lines to a datagram socket."""

from __future__ import annotations

import os
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["Notifier"]


class Notifier:
    """Tells the service manager how the daemon is; does nothing where there is none.

    The environment variables are taken out of `environ`: scripts must not speak for the daemon.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "")
        interval_us = environ.pop("WATCHDOG_USEC", "")
        watched_pid = environ.pop("WATCHDOG_PID", str(os.getpid()))
        watched = interval_us.isdecimal() and watched_pid == str(os.getpid())
        self.watchdog_ns = int(interval_us) * 1000 if watched else 0
        """Within this time a `watchdog()` is expected, ns; 0: it is not."""

    def ready(self) -> None:
        """Start-up is complete; the main process is this one."""
        self._send(f"READY=1\nMAINPID={os.getpid()}")

    def reloading(self) -> None:
        """The daemon begins to reload; `ready()` ends it, whatever the outcome."""
        now_us = time.monotonic_ns() // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_us}\nSTATUS=reloading")

    def stopping(self) -> None:
        """The daemon begins to stop."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def watchdog(self) -> None:
        """The daemon is alive; nothing is sent where that is not expected."""
        if self.watchdog_ns:
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._address[:1] not in ("/", "@"):
            return
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            try:
                sock.sendto(message.encode(), address)
            except OSError:
                return  # the manager restarts or is busy: its own time limits decide
