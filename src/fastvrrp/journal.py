"""What was done to this host, and how it is undone: kept in a file under the run directory, so that
nothing of ours stays behind when everything is killed.

Without pyroute2 and without the engine: what cleans up after a crash must be small. What the file
says is checked as if somebody else had written it: it can remove addresses, routes, rules, links
and tables, and set kernel parameters of the network, and nothing else.
"""

import contextlib
import json
import logging
import os
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastvrrp import ownfile
from fastvrrp.undoing import GONE, Undoer

__all__ = [
    "Elsewhere",
    "Journal",
    "JournalError",
    "NftUndo",
    "RouteUndo",
    "SysctlUndo",
    "Undo",
    "here",
    "load",
    "undo",
]

log = logging.getLogger("fastvrrp.engine")

_FORMAT = 1
_MOST_BYTES = 64 << 10
"""Of one request."""

_NLM_F_REQUEST = 1
_REMOVALS = {17: "RTM_DELLINK", 21: "RTM_DELADDR", 25: "RTM_DELROUTE", 33: "RTM_DELRULE"}
_NFT_REMOVALS = {0x10: "BATCH_BEGIN", 0x11: "BATCH_END", 0xA00: "NEWTABLE", 0xA02: "DELTABLE"}
"""A table that may not be there is made before it is removed."""

_SYSCTL = re.compile(r"net(/(?!\.{1,2}(/|\Z))[^/\0\s]+){2,6}")
_VALUE = re.compile(r"[\x20-\x7e]{0,256}")


class JournalError(Exception):
    """The file cannot be believed; the text says why."""


class Elsewhere(JournalError):
    """What it tells of is in another network namespace."""


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

    @property
    def text(self) -> str:
        """What it is about."""
        return f"{self.name} = {self.was}"


Undo = RouteUndo | NftUndo | SysctlUndo


class Journal:
    """The journal of a run, in the file `path`, which is in a directory of ours."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._written: tuple[Undo, ...] = ()
        self._exists = False
        self._failed = False

    def undo_last_run(self) -> None:
        """Undo what a run that is dead has left, and remove the file; the log says what."""
        try:
            left = load(self.path)
        except JournalError as error:
            log.warning("what the last run has left is not known: %s: %s", self.path, error)
            return
        for item, why in undo(left):
            if why and why != GONE:
                log.warning("cannot undo what the last run has left: %s: %s", item.text, why)
            elif not why:
                log.info("undone, left by an earlier run: %s", item.text)
        self._unlink()

    def write(self, undos: Sequence[Undo]) -> None:
        """Replace the file, if `undos` (in the order of doing) are others than before; call it
        before they are done. A failure is told once: the next start will not know of them."""
        undos = tuple(undos)
        if undos == self._written and (self._exists or not undos):
            return
        try:
            ownfile.write(self.path, json.dumps(_to_json(undos)).encode())
            self._written, self._exists, self._failed = undos, True, False
        except OSError as error:
            if not self._failed:
                log.warning("the journal cannot be kept: %s: %s", self.path, error.strerror)
            self._failed = True

    def remove(self) -> None:
        """Nothing is left to be undone; may be repeated."""
        if self._exists:
            self._unlink()
            self._written, self._exists = (), False

    def _unlink(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.path)


def load(path: str) -> tuple[Undo, ...]:
    """Return what the file `path` says, () if there is none or the host was booted since; raises
    JournalError."""
    try:
        data = ownfile.read(path)
        if data is None:
            return ()
        found = json.loads(data)
        if found["fastvrrp-journal"] != _FORMAT:
            raise JournalError("it has another format")
        if found["boot"] != here()["boot"]:
            return ()
        if found["netns"] != here()["netns"]:
            raise Elsewhere("it was written in another network namespace")
        return tuple(_undo_from_json(one) for one in found["undos"])
    except (OSError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise JournalError(getattr(error, "strerror", None) or str(error)) from error


def undo(undos: Iterable[Undo], *, sysctls: str = "/proc/sys") -> tuple[tuple[Undo, str], ...]:
    """Undo `undos`, the last one first; returns each with "" or why it is not undone, see
    `Undoer`."""
    with Undoer(sysctls) as undoer:
        return tuple((one, _undo(one, undoer)) for one in reversed(tuple(undos)))


def _undo(one: Undo, undoer: Undoer) -> str:
    match one:
        case RouteUndo():
            return undoer.route(one.request, one.links)
        case NftUndo():
            return undoer.nft(one.batch)
        case SysctlUndo():
            return undoer.sysctl(one.name, one.was, one.ours)


def here() -> dict[str, str | int]:
    """Return what a journal is bound to: this boot of the host, and this network namespace."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return {"boot": boot, "netns": os.stat("/proc/self/ns/net").st_ino}


def _to_json(undos: tuple[Undo, ...]) -> dict[str, Any]:
    return {"fastvrrp-journal": _FORMAT, **here(), "undos": [_undo_to_json(one) for one in undos]}


def _undo_to_json(one: Undo) -> dict[str, Any]:
    match one:
        case RouteUndo():
            return {"text": one.text, "route": one.request.hex(), "links": one.links}
        case NftUndo():
            return {"text": one.text, "nft": one.batch.hex()}
        case SysctlUndo():
            return {"sysctl": one.name, "was": one.was, "ours": one.ours}


def _undo_from_json(found: dict[str, Any]) -> Undo:
    if "route" in found:
        links = tuple((_text(name), _index(index)) for name, index in found["links"])
        request = _requests(found["route"], _REMOVALS)
        return RouteUndo(text=_text(found["text"]), request=request, links=links)
    if "nft" in found:
        batch = _requests(found["nft"], _NFT_REMOVALS)
        return NftUndo(text=_text(found["text"]), batch=batch)
    name, was, ours = (found[key] for key in ("sysctl", "was", "ours"))
    if not _SYSCTL.fullmatch(name) or not _VALUE.fullmatch(was) or not _VALUE.fullmatch(ours):
        raise ValueError("it names no kernel parameter of the network")
    return SysctlUndo(name=name, was=was, ours=ours)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError("it has a name that is no text")
    return found[:1000]


def _index(found: object) -> int:
    if not isinstance(found, int) or not 0 < found < 1 << 31:
        raise ValueError("it has no number of an interface")
    return found


def _requests(text: str, allowed: dict[int, str]) -> bytes:
    """Return netlink messages, if they are whole and of `allowed` types."""
    data = bytes.fromhex(text)
    at = 0
    while at < len(data):
        head = data[at : at + 8] if at + 16 <= len(data) else bytes(8)
        length, kind, flags = struct.unpack("=IHH", head)
        if kind not in allowed or not flags & _NLM_F_REQUEST or not 16 <= length <= len(data) - at:
            raise ValueError("it has a request that removes nothing of ours")
        at += length + 3 & ~3
    if not data or len(data) > _MOST_BYTES:
        raise ValueError("it has no request, or too long a one")
    return data
