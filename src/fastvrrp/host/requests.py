"""Requests that set and remove holdings, as bytes for the hot side, and the kernel's answers to
them, which the cold side reads."""

import errno
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.netlink import Answer, RouteSocket, answer, numbered
from fastvrrp.loop.prepared import Batch
from fastvrrp.reactor import Loop

__all__ = ["HARMLESS", "Requests"]

log = logging.getLogger("fastvrrp.vrrp")

MAX_MESSAGES = 64
"""In one send."""
_FIRST_MESSAGES = 8
"""In the first send, so that the first addresses are announced soon; the next ones double it."""
_MOST_ONCE = 16_384
"""Requests of one time that are known: their answers come at once."""

HARMLESS = {
    True: frozenset({errno.EEXIST}),
    # Secondaries vanish with their primary, and everything with its interface.
    False: frozenset({errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESRCH}),
}
"""Errors, of setting (True) and of removing, that say that things are as they should be."""

Asked = tuple[str, Holding, bool]
"""Whose request it is, for what, and whether to set it."""


class Requests:
    """Numbers requests and reads the kernel's answers to them on `loop`; only what the kernel
    refuses is answered.

    `fileno()` is the socket that requests are sent on, from any thread. An owner is the name of an
    instance. `on_failure(owner, holding, installing, errno)` is called for what was refused, when
    that was logged. `failures` counts it. Thread: cold.
    """

    def __init__(
        self,
        loop: Loop,
        on_failure: Callable[[str, Holding, bool, int], object] | None = None,
    ) -> None:
        self._loop = loop
        self._on_failure = on_failure
        self._route = RouteSocket()
        self._sequence = count(1)
        self._asked: dict[int, Asked] = {}
        self._numbers: dict[str, tuple[list[int], list[int]]] = {}  # older and present ones
        self._once: deque[int] = deque()
        self._failed: dict[str, dict[tuple[object, ...], str]] = {}
        self.failures = 0
        loop.add_reader(self._route.fileno(), self._on_readable)

    def fileno(self) -> int:
        """Return the descriptor to send requests on."""
        return self._route.fileno()

    @property
    def port_id(self) -> int:
        """The sender of our requests, as the kernel's announcements name it."""
        return self._route.port_id

    def close(self) -> None:
        """Read the last answers and close; may be repeated."""
        if self._route.fileno() >= 0:
            self._on_readable()
            self._loop.remove_reader(self._route.fileno())
            self._route.close()

    # ---- making ----

    def batches(
        self, owner: str, holdings: Sequence[Holding], *, once: bool = False
    ) -> tuple[Batch, ...]:
        """Return what sets `holdings` in their order, with the frames that announce them. `once`:
        they are sent now, and not again."""
        return tuple(
            Batch(
                requests=b"".join(
                    self._number(owner, one, installing=True, once=once) for one in part
                ),
                frames=tuple(one.frame for one in part if one.frame is not None),
            )
            for part in _growing(holdings)
        )

    def removals(
        self, owner: str, holdings: Sequence[Holding], *, once: bool = False
    ) -> tuple[bytes, ...]:
        """Return what removes `holdings`, one send each: interfaces first, which end what is said
        with a virtual MAC address, then the last one first."""
        links = [one for one in holdings if one.kind is Kind.LINK]
        others = [one for one in reversed(holdings) if one.kind is not Kind.LINK]
        encoded = [
            self._number(owner, one, installing=False, once=once) for one in (*links, *others)
        ]
        return tuple(
            b"".join(encoded[i : i + MAX_MESSAGES]) for i in range(0, len(encoded), MAX_MESSAGES)
        )

    def forget(self, owner: str) -> None:
        """Drop what was made for `owner` before the last `forget`: what was made since may still be
        sent, or be answered."""
        older, present = self._numbers.pop(owner, ([], []))
        for number in older:
            del self._asked[number]
        if present:
            self._numbers[owner] = (present, [])

    def drop(self, owner: str) -> None:
        """Drop everything of `owner`, which has ended."""
        for numbers in self._numbers.pop(owner, ()):
            for number in numbers:
                del self._asked[number]
        self._failed.pop(owner, None)

    def _number(self, owner: str, holding: Holding, *, installing: bool, once: bool) -> bytes:
        number = next(self._sequence) & 0xFFFFFFFF
        self._asked[number] = (owner, holding, installing)
        if once:
            self._once.append(number)
            if len(self._once) > _MOST_ONCE:
                self._asked.pop(self._once.popleft(), None)
        else:
            self._numbers.setdefault(owner, ([], []))[1].append(number)
        if installing:
            self._failed.get(owner, {}).pop(holding.key, None)
        return numbered(holding.install if installing else holding.remove, number)

    # ---- the kernel's side ----

    def send_now(self, requests: bytes) -> None:
        """Send `requests` from the cold side, at most 64 messages; the answers are read later."""
        self._route.send(requests)

    def failed(self, owner: str) -> tuple[str, ...]:
        """Return what the kernel has refused to set for `owner`, with its reason, until that is
        asked for in another way, or removed."""
        return tuple(self._failed.get(owner, {}).values())

    def _on_readable(self) -> None:
        try:
            for raw in self._route.read():
                said = answer(raw)
                if said is not None and said.code:
                    self._on_error(said)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.failures += 1
            log.error("answers of the kernel to requests were lost")

    def _on_error(self, said: Answer) -> None:
        asked = self._asked.get(said.sequence)
        if asked is None:
            return
        owner, holding, installing = asked
        if said.code in HARMLESS[installing]:
            if not installing:
                self._failed.get(owner, {}).pop(holding.key, None)
            return
        self.failures += 1
        self._tell(owner, holding, installing=installing, said=said)
        if self._on_failure is not None:
            self._on_failure(owner, holding, installing, said.code)

    def _tell(self, owner: str, holding: Holding, *, installing: bool, said: Answer) -> None:
        """Log it, unless that is known."""
        reason = os.strerror(said.code) + (f": {said.text}" if said.text else "")
        text = f"{holding.kind.value} {holding.text}: {reason}"
        if installing:
            failed = self._failed.setdefault(owner, {})
            if failed.get(holding.key) == text:
                return
            failed[holding.key] = text
        log.error(
            "(%s) cannot %s %s%s",
            owner,
            "set" if installing else "remove",
            text,
            f" ({holding.span})" if holding.span is not None else "",
        )


def _growing(holdings: Sequence[Holding]) -> Iterator[Sequence[Holding]]:
    """Cut `holdings` into parts of 8, 16, 32, 64, 64 ..."""
    at, size = 0, _FIRST_MESSAGES
    while at < len(holdings):
        yield holdings[at : at + size]
        at, size = at + size, min(2 * size, MAX_MESSAGES)
