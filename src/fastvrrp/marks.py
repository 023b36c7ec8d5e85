"""Replay marks in a file under the run directory: what protects adverts from being replayed, kept
over a restart (AH and auth_hmac; RFC 2402 §3.4.3).

Without it, a router that starts again would believe adverts that were recorded before, and its own
adverts would be taken for replays by routers that remember its earlier ones.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol

from fastvrrp import ownfile
from fastvrrp.clock import NS_PER_SECOND, seconds
from fastvrrp.reactor import Handle, Loop

__all__ = ["MarkKeeper", "MarkStore", "Marks"]

log = logging.getLogger("fastvrrp.engine")

_FORMAT = 1
_EVERY = seconds(1)
_UNREADABLE = (
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading the JSON of somebody else can end with."""

_MOST_ABSENT = 1024
"""Instances that are not there and whose marks are kept."""

_AH_SLACK = 32
_HMAC_SLACK = 2 << 32
"""What may have been sent since the file was written, a second before: adverts and replies, and a
farewell that is as far ahead (loop/resignation.pyx). An auth_hmac sequence counts seconds in its
upper half, and is the time wherever that is later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Marks of one virtual router, as `Core.marks` and `Core.sequence` tell them."""

    senders: list[tuple[bytes, int, int]]
    sequence: tuple[int, int]


class Protected(Protocol):
    """A virtual router whose adverts are protected from being replayed."""

    @property
    def name(self) -> str:
        """The name of the instance."""

    def marks(self) -> Marks:
        """Return what is to be kept."""

    def restore(self, marks: Marks) -> None:
        """Take what an earlier run knew."""


class MarkKeeper:
    """Keeps the marks of `routers` in the file `path`: read now, written every second on `loop` and
    at `stop()`. Those of instances that are not there (any more) are kept as well, for they may
    come back."""

    def __init__(self, path: str, routers: Sequence[Protected], loop: Loop) -> None:
        self._store = MarkStore(path)
        self._routers: tuple[Protected, ...] = ()
        self._loop = loop
        self._timer: Handle | None = None
        self._absent = self._store.load()
        self._saved: dict[str, Marks] = {}
        self.update(routers)

    def update(self, routers: Sequence[Protected]) -> None:
        """Keep the marks of `routers` from now on; one whose name is new takes what is known of
        it."""
        before = {router.name for router in self._routers}
        now = {router.name for router in routers}
        for name in sorted(before - now):
            if name in self._saved:
                self._absent[name] = _later(self._saved[name])
        for router in routers:
            known = self._absent.pop(router.name, None)
            if known is not None and router not in self._routers:
                router.restore(known)
        while len(self._absent) > _MOST_ABSENT:
            del self._absent[next(iter(self._absent))]
        self._routers = tuple(routers)

    def start(self) -> None:
        """Begin to write."""
        self._save()
        self._timer = self._loop.call_later(_EVERY / NS_PER_SECOND, self.start)

    def stop(self) -> None:
        """Write for the last time, if writing has begun; may be repeated."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._save()

    def _save(self) -> None:
        self._saved = {router.name: router.marks() for router in self._routers}
        if self._saved or self._absent:
            self._store.save(self._absent | self._saved)


class MarkStore:
    """The file `path`. It is written whole, 0600, and moved into place; one that is not ours, or
    not readable, counts as absent, which the log says."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._failed = False

    def load(self) -> dict[str, Marks]:
        """Return the marks of each instance by its name, as far as they may have come since."""
        try:
            text = ownfile.read(self.path)
            found = json.loads(text) if text is not None else None
            marks = {} if found is None else _from_json(found)
            return {name: _later(one) for name, one in marks.items()}
        except _UNREADABLE as error:
            log.warning("replay marks of the last run are lost: %s: %s", self.path, error)
            return {}

    def save(self, marks: Mapping[str, Marks]) -> None:
        """Replace the file by `marks`. A failure is told once: protection lasts until the end of
        the process all the same."""
        try:
            ownfile.write(self.path, json.dumps(_to_json(marks)).encode())
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("replay marks cannot be kept: %s: %s", self.path, error.strerror)
            self._failed = True


def _to_json(marks: Mapping[str, Marks]) -> dict[str, Any]:
    return {
        "fastvrrp-marks": _FORMAT,
        "instances": {
            name: {
                "sequence": one.sequence,
                "senders": [
                    [str(ip_address(source)), ah, hmac] for source, ah, hmac in one.senders
                ],
            }
            for name, one in marks.items()
        },
    }


def _from_json(found: dict[str, Any]) -> dict[str, Marks]:
    if found["fastvrrp-marks"] != _FORMAT:
        raise ValueError("it has another format")
    return {str(name): _marks(one) for name, one in found["instances"].items()}


def _marks(found: dict[str, Any]) -> Marks:
    ah, hmac = (int(number) for number in found["sequence"])
    return Marks(
        senders=[
            (ip_address(source).packed, _bits(ah, 32), _bits(hmac, 64))
            for source, ah, hmac in found["senders"]
        ],
        sequence=(_bits(ah, 32), _bits(hmac, 64)),
    )


def _later(marks: Marks) -> Marks:
    """Return `marks` with what may have been sent since they were saved."""
    ah, hmac = marks.sequence
    return Marks(
        senders=marks.senders,
        sequence=(
            min(ah + (_AH_SLACK if ah else 0), (1 << 32) - 1),
            min(hmac + (_HMAC_SLACK if hmac else 0), (1 << 64) - 1),
        ),
    )


def _bits(number: object, bits: int) -> int:
    if not isinstance(number, int) or not 0 <= number < 1 << bits:
        raise ValueError(f"{number} is no number of {bits} bits")
    return number
