"""Statics: the addresses, routes and rules of `static_ipaddress`, `static_routes` and
`static_rules`, which are there as long as we run."""

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from fastvrrp.clock import NS_PER_SECOND, monotonic_ns, seconds
from fastvrrp.config.model import Config, Route, Rule, VirtualAddress
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.culprit import name_of
from fastvrrp.host.holding import Holding, HoldingError, Kind
from fastvrrp.host.iproute import Names, names_of
from fastvrrp.host.leftovers import carries_mark
from fastvrrp.host.links import Footing, Key, LinkTable
from fastvrrp.host.netlink import RouteSocket
from fastvrrp.host.requests import HARMLESS
from fastvrrp.journal import RouteUndo
from fastvrrp.reactor import Handle, Loop

__all__ = ["Statics"]

log = logging.getLogger("fastvrrp.vrrp")

_RESTORED_EVERY = seconds(1)
"""The same thing is put back at once, and then as often as this."""
_LOOKED_EVERY = seconds(0.2)
"""The same for all of them, when interfaces change again and again."""

_NO_INTERFACE = (errno.ENODEV, errno.ENXIO, errno.ENETDOWN)
"""It is set when the interface is there and up."""

Written = VirtualAddress | Route | Rule


@dataclass(slots=True)
class _Entry:
    """One line of the configuration, and what has become of it."""

    written: Written
    interface: str
    """Where an address goes."""
    holding: Holding | None = None
    """None: it cannot be set as the host is now."""
    footing: Footing | None = None
    ours: bool = False
    """We have set it, or an earlier run of ours; else somebody else has, or nobody."""
    problem: str | None = None
    """Why it is not there, or not ours."""
    restored: int | None = None
    """When it was put back, monotonic ns."""
    timer: Handle | None = None


class Statics:
    """Sets static entries, puts back what others remove, and removes what it has set.

    One whose interface is absent waits for it. What was there before us and does not carry our mark
    is somebody else's: it stays when we end. Everything is asked of the kernel at once, on a socket
    of its own, whose additions `table` tells: a static address may be the source of adverts.
    `on_change` is called when `undos` have changed with the interfaces. Thread: cold.
    """

    def __init__(
        self, table: LinkTable, loop: Loop, on_change: Callable[[], object] = lambda: None
    ) -> None:
        self._table = table
        self._loop = loop
        self._on_change = on_change
        self._names = Names()
        self._entries: list[_Entry] = []
        self._by_key: dict[Key, _Entry] = {}
        self._looked: int | None = None
        self._later: Handle | None = None
        self.restored = 0
        """How often something was put back."""
        self._route = RouteSocket()
        table.ours.add(self._route.port_id)

    def close(self) -> None:
        """Remove what it has set, the last first; may be repeated."""
        if self._route.fileno() < 0:
            return
        self._replace([])
        if self._later is not None:
            self._later.cancel()
        self._table.ours.discard(self._route.port_id)
        self._route.close()

    # ---- the configuration ----

    def update(self, config: Config) -> None:
        """Go by `config`: what is in it no longer is removed, then what is new is set: addresses,
        then routes, then rules. What stays the same is not touched."""
        self._names = names_of(config.global_defs)
        self._replace(_entries(config))

    @property
    def undos(self) -> tuple[RouteUndo, ...]:
        """What removes all that it has set, in order."""
        return tuple(
            RouteUndo(text=_words(one), request=one.remove, links=one.links)
            for entry in reversed(self._entries)
            if (one := entry.holding) is not None and entry.ours
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not there, or somebody else's, and why."""
        return tuple(entry.problem for entry in self._entries if entry.problem is not None)

    def _replace(self, wanted: list[_Entry]) -> None:
        present = {one.holding: one for one in self._entries if one.holding is not None}
        kept: list[_Entry] = []
        keys: set[Key] = set()
        for entry in wanted:
            self._make(entry)
            if entry.holding is not None:
                if entry.holding.key in keys:
                    continue  # written twice
                keys.add(entry.holding.key)
            same = present.pop(entry.holding, None) if entry.holding is not None else None
            if same is not None:
                same.written = entry.written
            kept.append(entry if same is None else same)
        before, after = set(map(id, self._entries)), set(map(id, kept))
        for entry in reversed(self._entries):
            if id(entry) not in after:
                self._remove(entry)
        self._entries = kept
        self._index()
        for entry in kept:
            if id(entry) not in before:
                self._set(entry)

    def _index(self) -> None:
        self._by_key = {
            entry.holding.key: entry for entry in self._entries if entry.holding is not None
        }

    # ---- news ----

    def on_lost(self, key: Key, port_id: int) -> bool:
        """Put back what the socket `port_id` has removed; False: it is nothing of ours. With an
        address that we have removed ourselves its secondaries may have gone."""
        entry = self._by_key.get(key)
        if entry is None:
            return False
        is_own = port_id == self._route.port_id
        if not is_own or (entry.holding is not None and entry.holding.kind is Kind.ADDRESS):
            self._restore(entry, port_id)
        return True

    def on_links_changed(self) -> None:
        """Set what has waited for this, and what the kernel has dropped with an interface."""
        if self._later is not None:
            return
        wait = self._wait(self._looked, _LOOKED_EVERY)
        if wait > 0:
            self._later = self._loop.call_later(wait, self._look)
        else:
            self._look()

    def on_overrun(self) -> None:
        """Put back what is missing after news was lost."""
        for entry in self._entries:
            if (
                entry.ours
                and entry.holding is not None
                and not self._table.holds(entry.holding.key)
            ):
                self._restore(entry, 0)

    def _look(self) -> None:
        self._later = None
        self._looked = monotonic_ns()
        before = self.undos
        for entry in self._entries:
            self._look_at(entry)
        self._index()
        if self.undos != before:
            self._on_change()

    def _look_at(self, entry: _Entry) -> None:
        if entry.holding is None:
            self._make(entry)
            if entry.holding is not None:
                self._set(entry)
            return
        footing = self._table.footing(entry.holding)
        if footing is None:  # it went with its interface
            entry.ours = False
            self._make(entry)
            self._set(entry)
        elif footing != entry.footing and (entry.holding.kind is Kind.ROUTE or not entry.ours):
            self._set(entry)

    # ---- one entry ----

    def _make(self, entry: _Entry) -> None:
        """Make the messages of `entry` for the host as it is now."""
        try:
            entry.holding = self._made(entry)
        except HoldingError as error:
            entry.holding = None
            entry.ours = False
            self._tell(entry, f"waiting: {error}", logging.INFO)

    def _made(self, entry: _Entry) -> Holding:
        from fastvrrp.host.routes import route_holding  # noqa: PLC0415 - slow to load
        from fastvrrp.host.rules import rule_holding  # noqa: PLC0415

        written = entry.written
        if isinstance(written, Route):
            return route_holding(written, self._table, self._names)
        if isinstance(written, Rule):
            return rule_holding(written, self._names)
        link = self._table.link(entry.interface)
        if link is None:
            raise HoldingError(f"there is no interface {entry.interface}")
        return address_holding(written, link, announce=False)

    def _set(self, entry: _Entry) -> None:
        holding = entry.holding
        if holding is None:
            return
        entry.footing = self._table.footing(holding)
        (said,) = self._route.ask([holding.install])
        if said.code == 0:
            if entry.ours:
                log.info("the kernel has dropped static %s; it is set again", _words(holding))
            entry.ours, entry.problem = True, None
        elif said.code == errno.EEXIST:
            self._take_over(entry, holding)
        else:
            reason = os.strerror(said.code) + (f": {said.text}" if said.text else "")
            level = logging.INFO if said.code in _NO_INTERFACE else logging.ERROR
            entry.ours = False
            self._tell(entry, f"cannot set {_words(holding)}: {reason}", level)

    def _take_over(self, entry: _Entry, holding: Holding) -> None:
        """Something is there in its place: ours from before, or somebody else's."""
        if entry.ours or carries_mark(holding, self._table):
            entry.ours, entry.problem = True, None
            return
        text = f"{_words(holding)} is there already, and not set by us: it stays as it is"
        self._tell(entry, text, logging.WARNING)

    def _remove(self, entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        holding = entry.holding
        if holding is None or not entry.ours or self._table.footing(holding) is None:
            return
        entry.ours = False
        (said,) = self._route.ask([holding.remove])
        if said.code and said.code not in HARMLESS[False]:
            log.error("cannot remove static %s: %s", _words(holding), os.strerror(said.code))

    def _restore(self, entry: _Entry, port_id: int) -> None:
        if entry.timer is not None or entry.holding is None:
            return
        wait = self._wait(entry.restored, _RESTORED_EVERY)
        if wait > 0:
            entry.timer = self._loop.call_later(wait, self._restore_late, entry, port_id)
            return
        entry.ours = False
        entry.restored = monotonic_ns()
        self.restored += 1
        self._set(entry)
        # It takes longer than to put it back.
        culprit = None if port_id in self._table.ours else name_of(port_id)
        by = f", removed by {culprit}" if culprit is not None else ""
        log.warning("Restoring deleted static %s%s", _words(entry.holding), by)

    def _restore_late(self, entry: _Entry, port_id: int) -> None:
        entry.timer = None
        self._restore(entry, port_id)

    def _tell(self, entry: _Entry, problem: str, level: int) -> None:
        if entry.problem == problem:
            return
        entry.problem = problem
        span = entry.written.span
        log.log(level, "static entry: %s%s", problem, f" ({span})" if span is not None else "")

    @staticmethod
    def _wait(last: int | None, every: int) -> float:
        """Return the seconds until something may be done again."""
        return 0 if last is None else (last + every - monotonic_ns()) / NS_PER_SECOND


def _entries(config: Config) -> list[_Entry]:
    default = config.global_defs.default_interface
    return [
        *(_Entry(one, one.interface or default) for one in config.static_addresses),
        *(_Entry(one, "") for one in config.static_routes),
        *(_Entry(one, "") for one in config.static_rules),
    ]


def _words(holding: Holding) -> str:
    return f"{holding.kind.value} {holding.text}"
