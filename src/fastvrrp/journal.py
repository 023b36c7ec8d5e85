"""What was done to this host, and how it is undone: kept in a file under the run directory, so that
nothing of ours stays behind when everything is killed.

Without pyroute2 and without the engine: what cleans up after a crash must be small.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NftUndo", "RouteUndo", "SysctlUndo", "Undo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteUndo:
    """An address, route, rule or link of ours: `request` (rtnetlink) removes it, as long as
    `links`, (name, ifindex) each, are what they were."""

    text: str
    request: bytes
    links: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NftUndo:
    """A firewall table of ours: `batch` (nfnetlink) removes it."""

    text: str
    batch: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SysctlUndo:
    """A kernel parameter, for example "net/ipv4/conf/eth0/arp_ignore": `was` comes back, if `ours`
    is still there."""

    name: str
    was: str
    ours: str


Undo = RouteUndo | NftUndo | SysctlUndo
