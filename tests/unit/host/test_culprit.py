"""Whose netlink socket it is, from /proc: this machine's, and made-up ones."""

import os
import socket
from pathlib import Path

import pytest

from fastvrrp.host.culprit import name_of

HEADER = (
    "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
)


def process(proc: Path, pid: int, name: bytes, *descriptors: str) -> None:
    """Add a process that has `descriptors`."""
    directory = proc / str(pid) / "fd"
    directory.mkdir(parents=True)
    (proc / str(pid) / "comm").write_bytes(name + b"\n")
    for number, target in enumerate(descriptors):
        (directory / str(number)).symlink_to(target)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Sockets of NETLINK_ROUTE with the ports 77 and 4294966000, and another one with port 77."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "netlink").write_text(
        HEADER
        + "00000000 16  77  00000000 0 0 0 2 0 1111\n"
        + "00000000 0   77  00000000 0 0 0 2 0 2222\n"
        + "00000000 0   4294966000  00000000 0 0 0 2 0 3333\n"
        + "cut off 0\n"
    )
    return tmp_path


def test_a_socket_of_this_process() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as own:
        own.bind((0, 0))
        port = own.getsockname()[0]
        name = Path("/proc/self/comm").read_text().strip()
        assert name_of(port) == f"{name} (pid {os.getpid()})"
    assert name_of(port) is None


def test_the_process_that_has_the_socket(proc: Path) -> None:
    process(proc, 12, b"other", "socket:[1111]", "/dev/null")
    process(proc, 34, b"NetworkManager", "/dev/null", "socket:[3333]", "socket:[2222]")
    assert name_of(77, proc) == "NetworkManager (pid 34)"
    assert name_of(4294966000, proc) == "NetworkManager (pid 34)"


def test_nobody(proc: Path, tmp_path: Path) -> None:
    process(proc, 12, b"other", "socket:[1111]")
    (proc / "13").mkdir()  # ends just now
    assert name_of(77, proc) is None
    assert name_of(78, proc) is None
    assert name_of(0, proc) is None
    assert name_of(77, tmp_path / "absent") is None


def test_names_are_shown_without_what_does_not_print(proc: Path) -> None:
    process(proc, 12, b"\x1b[31mevil\n\xff", "socket:[2222]")
    assert name_of(77, proc) == "?[31mevil?\ufffd (pid 12)"
