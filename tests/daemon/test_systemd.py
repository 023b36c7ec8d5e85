import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastvrrp.daemon.systemd import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket and its value for NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        if request.param == "path":
            sock.bind(str(tmp_path / "notify"))
            yield sock, str(tmp_path / "notify")
        else:
            sock.bind("")  # the kernel chooses an abstract name
            yield sock, "@" + sock.getsockname()[1:].decode()


def test_ready_names_the_main_process(manager: tuple[socket.socket, str]) -> None:
    sock, address = manager
    Notifier({"NOTIFY_SOCKET": address}).ready()
    assert sock.recv(200) == b"READY=1\nMAINPID=%d" % os.getpid()


def test_stopping_status_and_watchdog(manager: tuple[socket.socket, str]) -> None:
    sock, address = manager
    notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10000000"})
    assert notifier.watchdog_ns == 10_000_000_000
    notifier.stopping()
    notifier.status("fine")
    notifier.watchdog()
    received = [sock.recv(200) for _ in range(3)]
    assert received == [b"STOPPING=1\nSTATUS=stopping", b"STATUS=fine", b"WATCHDOG=1"]


def test_watchdog_of_another_process_is_not_ours(manager: tuple[socket.socket, str]) -> None:
    sock, address = manager
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10", "WATCHDOG_PID": "1"}
    Notifier(environ).watchdog()
    with pytest.raises(BlockingIOError):
        sock.recv(200)


def test_environment_is_cleaned_so_that_scripts_cannot_speak_for_us() -> None:
    environ = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "2", "HOME": "/"}
    Notifier(environ)
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize("address", ["", "relative", "/nonexistent/socket"])
def test_unusable_manager_is_no_error(address: str) -> None:
    Notifier({"NOTIFY_SOCKET": address}).ready()
