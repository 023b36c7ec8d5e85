"""VirtualRouter: the running self of one `vrrp_instance`, on the cold side.

It knows what holds the router back (a set of faults, each with a reason in words), what its
trackers say, and keeps the hot loop supplied with bytes that fit the present interface. Everything
runs on the engine's cold loop.
"""

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from fastvrrp.clock import monotonic_ns, seconds
from fastvrrp.config.model import Address, Config, InstanceConfig, Interface
from fastvrrp.core.acts import Note
from fastvrrp.errors import EngineError, KernelError
from fastvrrp.host.addresses import VirtualAddresses
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.host.prepare import place, port_key, prepare, source_of
from fastvrrp.loop.loop import Loop as HotLoop
from fastvrrp.loop.ports import Port, PortKey
from fastvrrp.names import Fault, NoteKind, State
from fastvrrp.notify.hooks import Hooks
from fastvrrp.report.lines import lines
from fastvrrp.report.snapshot import InstanceSnapshot
from fastvrrp.track.base import contribution, effective_priority, explain
from fastvrrp.track.script import ScriptTracker

__all__ = ["Ports", "Shared", "VirtualRouter"]

log = logging.getLogger("fastvrrp.vrrp")

_MAX_RESTORED = 5
_RESTORED_IN = seconds(60)
"""Addresses that somebody else removes are restored so often in so much time."""


class Ports:
    """The open ports of the hot loop, shared by the routers that have the same key."""

    def __init__(self, hot: HotLoop, capacity: int) -> None:
        self._hot = hot
        self._free = list(range(capacity - 1, -1, -1))
        self._open: dict[PortKey, tuple[int, Port]] = {}

    def get(self, key: PortKey) -> tuple[int, Port]:
        """Return the number and the sockets of `key`, opened when it is new; raises
        KernelError."""
        if key not in self._open:
            # A socket of the interface's earlier life would take the membership of the new one with
            # it when it is closed.
            self._close(
                k
                for k in list(self._open)
                if k.ifindex == key.ifindex and k.generation != key.generation
            )
            port = Port(key)
            number = self._free.pop()
            self._hot.open_port(number, port.receiver.fileno(), key.family)
            self._open[key] = (number, port)
        return self._open[key]

    def close_unused(self, used: set[PortKey]) -> None:
        """Close every port that no router uses."""
        self._close(k for k in list(self._open) if k not in used)

    def _close(self, keys: Iterable[PortKey]) -> None:
        for key in keys:
            number, port = self._open.pop(key)
            self._hot.close_port(number)
            port.close()
            self._free.append(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all virtual routers of one engine have in common. `addresses` None: the caller
    manages them."""

    config: Config
    hot: HotLoop
    ports: Ports
    table: LinkTable
    addresses: VirtualAddresses | None
    virtual: frozenset[Address]


class VirtualRouter:
    """One instance, number `slot` of the core. `scripts` are the trackers of the whole engine
    by name."""

    def __init__(
        self,
        config: InstanceConfig,
        *,
        slot: int,
        shared: Shared,
        scripts: dict[str, ScriptTracker],
        hooks: Hooks,
    ) -> None:
        self.config = config
        self.slot = slot
        self.hooks = hooks
        self.state = State.INIT
        self.effective_priority = config.priority
        self.port: PortKey | None = None
        self.withdrawals: tuple[bytes, ...] = ()
        self.faults: dict[Fault, str] = {}
        self._shared = shared
        self._trackers = [(use, scripts[use.name]) for use in config.scripts if use.name in scripts]
        self._base = config.priority
        self._prepared_for: object = None
        self._given_faults: Fault | None = None
        self._told_faults: dict[Fault, str] = {}
        self._restored: deque[int] = deque(maxlen=_MAX_RESTORED)

    # ---- what holds it back ----

    def refresh(self, *, lenient: bool = True) -> None:
        """Look at the interfaces again and give the hot loop what follows; raises KernelError or
        EngineError at start (`lenient` False), turns it into a fault afterwards."""
        link = self._shared.table.link(self.config.interface)
        source = None
        if link is not None:
            source = source_of(self.config, link, self._shared.table, self._shared.virtual)
        self._judge_link(link, source)
        if link is not None and source is not None:
            try:
                self._supply(link, source)
                self._set(Fault.ADDRESS, None)
            except (KernelError, EngineError) as error:
                if not lenient:
                    raise
                self._set(Fault.ADDRESS, str(error))
        self.give_faults()
        if link is None and self.port is not None:
            self._shared.hot.prepare(self.slot, None)
            self.port = self._prepared_for = None

    def _judge_link(self, link: Link | None, source: Address | None) -> None:
        broken = [text for name in self.interfaces if (text := self._judge_one(name)) is not None]
        self._set(Fault.LINK, ", ".join(broken) or None)
        missing = link is not None and source is None
        family = self.config.family
        text = f"no IPv{family} address for interface" if missing else None
        self._set(Fault.SOURCE, text)

    def _judge_one(self, interface: str) -> str | None:
        link = self._shared.table.link(interface)
        if link is None:
            return f"interface {interface} does not exist"
        return None if link.up else f"interface {interface} down"

    def _set(self, fault: Fault, reason: str | None) -> None:
        if reason is None:
            self.faults.pop(fault, None)
        else:
            self.faults[fault] = reason

    def give_faults(self) -> None:
        """Tell the hot loop the present set of faults."""
        faults = Fault(0)
        for fault in self.faults:
            faults |= fault
        for fault, reason in self.faults.items():
            if fault is not Fault.PENDING and self._told_faults.get(fault) != reason:
                log.info("(%s) entering FAULT state (%s)", self.config.name, reason)
        self._told_faults = dict(self.faults)
        if faults == self._given_faults:
            return
        self._given_faults = faults
        self._shared.hot.set_faults(self.slot, int(faults))

    def _supply(self, link: Link, source: Address) -> None:
        """Prepare the transitions for the present interfaces and `source`, unless that was done."""
        shared = self._shared
        placed = place(self.config, link, shared.table)
        if self._prepared_for == (link, source, placed):
            return
        key = port_key(self.config, link, source)
        number, port = shared.ports.get(key)
        prepared = prepare(
            self.config,
            link=link,
            source=source,
            sender=port.sender,
            placed=placed,
            addresses=shared.addresses,
        )
        try:
            shared.hot.place(self.slot, number, source.packed)
        except ValueError as error:
            raise EngineError(
                f"instance {self.config.name}: virtual_router_id {self.config.vrid} is used by "
                f"another instance on {link.name} already; give each instance there its own"
            ) from error
        shared.hot.prepare(self.slot, prepared)
        self.port = key  # the old one may be closed from here on
        self.withdrawals = prepared.withdraw
        self._prepared_for = (link, source, placed)

    def on_address_lost(self, ifindex: int, address: Interface) -> None:
        """Somebody else removed `address` from interface `ifindex`: put it back and announce it, if
        it is ours and we hold it. Who does it again and again is stronger; then others shall,
        unless the address is not tracked."""
        vips = (*self.config.addresses, *self.config.excluded)
        holds = self.state is State.ACTIVE and not self.faults
        lost = next((vip for vip in vips if vip.address == address), None)
        if not holds or lost is None:
            return
        now = monotonic_ns()
        if len(self._restored) == _MAX_RESTORED and now - self._restored[0] < _RESTORED_IN:
            if not lost.track:
                return
            self._set(Fault.ADDRESS, f"something on this host keeps removing {address}")
            self.give_faults()
            return
        self._restored.append(now)
        log.warning("(%s) %s was removed by somebody else; restored", self.config.name, address)
        self._shared.hot.reinstall(self.slot)

    # ---- priority ----

    def judge_scripts(self) -> None:
        """Recompute priority and tracker faults from the verdicts of the scripts."""
        total: list[int] = []
        failed: list[str] = []
        pending = False
        for use, tracker in self._trackers:
            weight, fault, unknown = contribution(use, tracker.config, tracker.verdict)
            total.append(weight)
            pending = pending or unknown
            if fault:
                failed.append(f"script {use.name}")
        self._set(Fault.TRACKER, f"due to {', '.join(failed)}" if failed else None)
        self._set(Fault.PENDING, "waits for the first result of its scripts" if pending else None)
        self._set_effective(effective_priority(self._base, total))
        self.give_faults()

    def set_base_priority(self, priority: int) -> None:
        """Replace the configured priority, 1..255."""
        self._base = priority
        self.judge_scripts()

    def _set_effective(self, priority: int) -> None:
        if priority != self.effective_priority:
            self.effective_priority = priority
            self._shared.hot.set_priority(self.slot, priority)

    @property
    def interfaces(self) -> list[str]:
        """Names of the instance's interface and of those of its tracked addresses, each once."""
        vips = (*self.config.addresses, *self.config.excluded)
        others = (vip.interface for vip in vips if vip.interface is not None and vip.track)
        return list(dict.fromkeys((self.config.interface, *others)))

    @property
    def script_names(self) -> set[str]:
        """Names of the scripts that it tracks."""
        return {use.name for use, _ in self._trackers}

    # ---- what the core tells ----

    def on_note(self, note: Note) -> None:
        """Log `note`, and run the hooks when it is a change of state."""
        for level, text in lines(note, self.config.name, self.effective_priority):
            log.log(level, "%s", text)
        if note.kind is NoteKind.STATE:
            self.state = State(note.a)
            word = "STOP" if self.state is State.INIT else self.state.keepalived
            self.hooks.notify(word, self.effective_priority)

    def snapshot(self) -> InstanceSnapshot:
        """Return what is known now."""
        status = self._shared.hot.status(self.slot)
        source = status["active_source"]
        return InstanceSnapshot(
            name=self.config.name,
            interface=self.config.interface,
            vrid=self.config.vrid,
            state=status["state"],
            priority=self._base,
            effective_priority=status["priority"],
            explanation=self.explain(),
            faults=dict(self.faults),
            active_router=str(ip_address(source)) if any(source) else None,
            counters=self._shared.hot.counters(self.slot),
        )

    def explain(self) -> str:
        """Return how the effective priority comes about, for example "100 base + 4 chk_nginx =
        104"."""
        return explain(
            self._base,
            [(use.name, contribution(use, t.config, t.verdict)[0]) for use, t in self._trackers],
        )
