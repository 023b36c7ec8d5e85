"""Who has removed an address: the process behind a netlink socket, as far as /proc tells."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

__all__ = ["name_of"]

_MOST_DESCRIPTORS = 50_000
"""Looked at; 0.2 s. On a host with more, somebody stays unknown."""

_ROUTE = "0"  # NETLINK_ROUTE in /proc/net/netlink


def name_of(port_id: int, proc: Path = Path("/proc")) -> str | None:
    """Return who has the netlink socket `port_id`, for example "NetworkManager (pid 123)"; None: it
    is gone, as that of ip(8) is at once, or the kernel itself (0), or nobody that we may see.

    What is read may have changed meanwhile: it is a likely name, for a log. Takes milliseconds.
    """
    if port_id == 0:
        return None
    inode = _inode(port_id, proc)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    # The port of a program's first socket is its pid.
    descriptors = (link for pid in (str(port_id), *_pids(proc)) for link in _descriptors(pid, proc))
    for pid, target in islice(descriptors, _MOST_DESCRIPTORS):
        if target == wanted:
            return f"{_command(pid, proc)} (pid {pid})"
    return None


def _inode(port_id: int, proc: Path) -> str | None:
    """Return the inode of the socket, in decimal."""
    try:
        lines = (proc / "net" / "netlink").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    for line in lines[1:]:  # sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
        words = line.split()
        if len(words) >= 10 and words[1] == _ROUTE and words[2] == str(port_id):
            return words[9]
    return None


def _pids(proc: Path) -> list[str]:
    try:
        return [name for name in os.listdir(proc) if name.isdecimal()]
    except OSError:
        return []


def _descriptors(pid: str, proc: Path) -> Iterator[tuple[str, str]]:
    """Yield what the descriptors of a process are open on."""
    directory = proc / pid / "fd"
    try:
        names = os.listdir(directory)
    except OSError:
        return  # it has ended, or is none of our business
    for name in names:
        try:
            yield pid, os.readlink(directory / name)
        except OSError:
            continue


def _command(pid: str, proc: Path) -> str:
    """Return what a process is called: any bytes but NUL, of which those that print are shown."""
    try:
        name = (proc / pid / "comm").read_bytes().decode("utf-8", "replace").removesuffix("\n")
    except OSError:
        return "a process"
    return "".join(c if c.isprintable() else "?" for c in name) or "a process"
