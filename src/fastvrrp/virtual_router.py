"""VirtualRouter: the running self of one `vrrp_instance`, on the cold side.

It knows what holds the router back (a set of faults, each with a reason in words), what its
trackers say, and keeps the hot loop supplied with bytes that fit the present interface. Everything
runs on the engine's cold loop.
"""

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from fastvrrp.clock import NS_PER_SECOND, monotonic_ns, seconds
from fastvrrp.config.model import Address, AuthType, Config, InstanceConfig
from fastvrrp.core.acts import Note
from fastvrrp.errors import EngineError, KernelError
from fastvrrp.host.addresses import VirtualAddresses
from fastvrrp.host.link_states import LinkStates
from fastvrrp.host.links import Key, Link, LinkTable
from fastvrrp.host.prepare import has_source, place, port_key, prepare, source_of
from fastvrrp.loop.loop import Loop as HotLoop
from fastvrrp.loop.ports import Port, PortKey
from fastvrrp.marks import Marks
from fastvrrp.names import Fault, NoteKind, Reason, State
from fastvrrp.notify.hooks import STOP, Hooks
from fastvrrp.notify.sync_group import SyncGroup
from fastvrrp.reactor import Handle, Loop
from fastvrrp.report.lines import lines
from fastvrrp.report.snapshot import InstanceSnapshot, describe
from fastvrrp.track.base import Contribution, Tracker, effective_priority, explain
from fastvrrp.track.registry import Tracked

__all__ = ["Ports", "Shared", "VirtualRouter"]

log = logging.getLogger("fastvrrp.vrrp")

_MAX_RESTORED = 5
_RESTORED_IN = seconds(60)
"""Addresses that somebody else removes are restored so often in so much time."""


_TOLD_ELSEWHERE = (Fault.PENDING, Fault.TRACKER)
"""Faults that the log does not tell as a whole: silent, and told for each tracker."""


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
            if not self._free:
                raise EngineError("there are more sockets than routers: restart the program")
            port = Port(key)
            number = self._free.pop()
            self._open[key] = (number, port)
            other = port.other.fileno() if port.other is not None else -1
            try:
                self._hot.open_port(number, port.receiver.fileno(), key.family, other_fd=other)
            except KernelError:
                self._close([key])
                raise
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
    manages them. `needed`: interfaces whose loss is a fault, by instance."""

    config: Config
    loop: Loop
    hot: HotLoop
    ports: Ports
    table: LinkTable
    states: LinkStates
    needed: dict[str, tuple[str, ...]]
    addresses: VirtualAddresses | None
    virtual: frozenset[Address]


class VirtualRouter:
    """One instance, number `slot` of the core. `tracked`: what it and its sync group track."""

    def __init__(
        self,
        config: InstanceConfig,
        *,
        slot: int,
        shared: Shared,
        tracked: Sequence[Tracked],
        hooks: Hooks,
        group: SyncGroup | None = None,
    ) -> None:
        self.config = config
        self.slot = slot
        self.hooks = hooks
        self.group = group
        self.state = State.INIT
        self.effective_priority = config.priority
        self.port: PortKey | None = None
        self.withdrawals: tuple[bytes, ...] = ()
        self.faults: dict[Fault, str] = {}
        self._shared = shared
        self._tracked = tuple(tracked)
        self._failed: dict[Tracker, str] = {}
        self._base = config.priority
        self._prepared_for: object = None
        self._given_faults: Fault | None = None
        self._has_notified = False
        self._stop_told = False
        self._contested: str | None = None
        self._contest: Handle | None = None
        self._last_link: Link | None = None
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
                self._set(Fault.ADDRESS, self._contested)
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
        alone = self.config.unicast_fault_no_peer and not self.config.peers
        self._set(Fault.CONFIG, "no unicast peer is configured" if alone else None)
        if link != self._last_link:
            self._last_link = link
            self._shared.hot.clear_send_fault(self.slot)
        self._set(Fault.SOURCE, self._judge_source(link, source))

    def _judge_one(self, interface: str) -> str | None:
        if self._shared.table.link(interface) is None:
            return f"interface {interface} does not exist"
        untracked = interface == self.config.interface and not self.config.track_primary
        is_fine = untracked or self._shared.states.up(interface)
        return None if is_fine else f"interface {interface} down"

    def _judge_source(self, link: Link | None, source: Address | None) -> str | None:
        if link is None:
            return None  # which is a fault already
        if source is None:
            return f"no IPv{self.config.family} address for interface"
        if self.config.track_source and not has_source(self.config, link, self._shared.table):
            return "src address not configured"
        return None

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
            if fault not in _TOLD_ELSEWHERE and self._told_faults.get(fault) != reason:
                # keepalived's punctuation
                mark = "" if fault is Fault.SOURCE and self.config.source is None else ":"
                log.info("(%s)%s entering FAULT state (%s)", self.config.name, mark, reason)
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
        common = shared.config.global_defs
        key = port_key(self.config, common, link, source)
        number, port = shared.ports.get(key)
        prepared = prepare(
            self.config,
            common,
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

    def let_go(self) -> None:
        """Stop using sockets of an interface that is another one now: they are closed when the
        first router gets new ones, whose descriptors may have the same numbers."""
        link = self._shared.table.link(self.config.interface)
        old = self.port
        if old is None or link is None:
            return
        if (old.ifindex, old.generation) != (link.index, link.generation):
            self._shared.hot.prepare(self.slot, None)
            self._prepared_for = None

    def on_lost(self, key: Key) -> None:
        """Somebody else removed the address that the kernel tells by `key`: put it back and
        announce it, if it is ours and we hold it. Who does it again and again is stronger; then
        others shall, unless the address is not tracked."""
        vips = (*self.config.addresses, *self.config.excluded)
        holds = self.state is State.ACTIVE and not self.faults
        address = key[-1]
        lost = next((vip for vip in vips if vip.address == address), None)
        if not holds or lost is None:
            return
        now = monotonic_ns()
        if len(self._restored) == _MAX_RESTORED and now - self._restored[0] < _RESTORED_IN:
            if not lost.track:
                return
            self._contested = f"something on this host keeps removing {address}"
            self._set(Fault.ADDRESS, self._contested)
            self.give_faults()
            again = _RESTORED_IN / NS_PER_SECOND
            self._contest = self._shared.loop.call_later(again, self._end_contest)
            return
        self._restored.append(now)
        log.warning("(%s) %s was removed by somebody else; restored", self.config.name, address)
        self._shared.hot.reinstall(self.slot)

    def _end_contest(self) -> None:
        """Try again: whoever removed an address may be gone."""
        self._contested = None
        self._restored.clear()
        self._set(Fault.ADDRESS, None)
        self.refresh()

    # ---- priority ----

    def judge(self) -> None:
        """Recompute priority and tracker faults from what all trackers say now."""
        given = self._contributions()
        failed = {t.tracker: what.fault for t, what in given if what.fault is not None}
        pending = [f"{t.tracker.kind} {t.tracker.name}" for t, what in given if what.pending]
        self._tell_failed(failed)
        self._set(Fault.TRACKER, ", ".join(failed.values()) or None)
        waiting = f"waits for the first result of {', '.join(pending)}" if pending else None
        self._set(Fault.PENDING, waiting)
        self._set_effective(effective_priority(self._base, (what.weight for _, what in given)))
        self.give_faults()

    def _contributions(self) -> list[tuple[Tracked, Contribution]]:
        return [(tracked, tracked.contribution()) for tracked in self._tracked]

    def _tell_failed(self, failed: dict[Tracker, str]) -> None:
        """Log, in keepalived's words, which trackers have become a reason for FAULT, and which
        files are none any more."""
        for tracker, words in failed.items():
            if tracker not in self._failed:
                self._tell_fault(tracker, words)
        for tracker in self._failed:
            if tracker not in failed and tracker.kind == "file":
                log.info(
                    "(%s): tracked file %s leaving FAULT state", self.config.name, tracker.name
                )
        self._failed = failed

    def _tell_fault(self, tracker: Tracker, words: str) -> None:
        name = self.config.name
        if tracker.kind == "script":
            log.info("(%s): entering FAULT state due to script %s", name, tracker.name)
        elif tracker.kind == "file" and self.state is not State.INIT:
            log.info("(%s): tracked file %s now FAULT state", name, tracker.name)
        else:
            mark = "" if tracker.kind == "process" else ":"
            log.info("(%s)%s entering FAULT state (%s)", name, mark, words)

    def set_base_priority(self, priority: int) -> None:
        """Replace the configured priority, 1..255."""
        self._base = priority
        self.judge()

    def _set_effective(self, priority: int) -> None:
        if priority != self.effective_priority:
            self.effective_priority = priority
            self._shared.hot.set_priority(self.slot, priority)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Names of the interfaces that it cannot do without, its own first, each once."""
        return self._shared.needed[self.config.name]

    def tracks(self, tracker: Tracker) -> bool:
        """Tell if `tracker` has a say."""
        return any(tracked.tracker is tracker for tracked in self._tracked)

    # ---- what the core tells ----

    def on_note(self, note: Note) -> None:
        """Log `note`, and run the hooks when it is a change of state."""
        for level, text in lines(note, self.config.name, self.effective_priority):
            log.log(level, "%s", text)
        if note.kind is NoteKind.STATE:
            self._on_state(State(note.a))

    def _on_state(self, state: State) -> None:
        self.state = state
        self._stop_told = state is State.INIT
        # keepalived: the group has told it already
        told = self._has_notified and self.group is not None and self.group.state is state
        if not told:
            self._has_notified = True
            word = STOP if state is State.INIT else state.keepalived
            self.hooks.notify(word, self.effective_priority)
        if self.group is not None:
            self.group.on_member_changed(state)

    def missed(self, state: State) -> Note:
        """Return the change to `state` as the core would have told it."""
        return Note(
            kind=NoteKind.STATE,
            vr=self.slot,
            at=monotonic_ns(),
            a=state,
            b=Reason.MISSED,
            c=self.state,
            source=bytes(4),
        )

    def why(self, reason: Reason) -> str:
        """Return in words why the state has changed."""
        if self.faults:
            return "; ".join(self.faults.values())
        held_by = self.group.held_by(self) if self.group is not None else None
        return held_by or reason.text

    def tell_stop(self) -> None:
        """Run the scripts for STOP, unless they were: a router that never took part ends, too."""
        if self._contest is not None:
            self._contest.cancel()
        if not self._stop_told:
            self._on_state(State.INIT)

    def tell_group_waits(self, blocker: "VirtualRouter") -> None:
        """Log that it would be active, were it not for `blocker` in its sync group."""
        group = self.group.config.name if self.group is not None else ""
        log.info(
            "(%s) waits for its sync group %s to become MASTER: %s hears an active router",
            self.name,
            group,
            blocker.name,
        )

    @property
    def has_marks(self) -> bool:
        """Tell if its adverts are protected from being replayed."""
        auth = self.config.auth
        return self.config.hmac is not None or (auth is not None and auth.type is AuthType.AH)

    def marks(self) -> Marks:
        """Return what is to be kept over a restart."""
        senders, sequence = self._shared.hot.marks(self.slot)
        return Marks(senders=senders, sequence=sequence)

    def restore(self, marks: Marks) -> None:
        """Take the marks of the last run; before it takes part."""
        try:
            self._shared.hot.restore_marks(self.slot, marks.senders, marks.sequence)
        except ValueError as error:
            log.warning("(%s) replay marks of the last run do not fit: %s", self.name, error)

    def snapshot(self) -> InstanceSnapshot:
        """Return what is known now."""
        status = self._shared.hot.status(self.slot)
        source = status["active_source"]
        conditions = describe(
            status["conditions"], status["active_adver_interval"], now=monotonic_ns()
        )
        return InstanceSnapshot(
            name=self.config.name,
            interface=self.config.interface,
            vrid=self.config.vrid,
            state=status["state"],
            priority=self._base,
            effective_priority=status["priority"],
            explanation=self.explain(),
            faults=self._all_faults(status["faults"]),
            conditions=conditions,
            group=self.group.config.name if self.group is not None else None,
            active_router=str(ip_address(source)) if any(source) else None,
            counters=self._shared.hot.counters(self.slot),
        )

    def _all_faults(self, inside: Fault) -> dict[Fault, str]:
        """Return what holds it back in words, with what only the core knows."""
        faults = dict(self.faults)
        held_by = self.group.held_by(self) if self.group is not None else None
        if held_by is not None and inside & Fault.GROUP:
            faults[Fault.GROUP] = held_by
        if inside & Fault.SEND:
            faults[Fault.SEND] = "adverts cannot be sent; tried again after a while"
        return faults

    @property
    def name(self) -> str:
        """The name of the instance."""
        return self.config.name

    def explain(self) -> str:
        """Return how the effective priority comes about, for example "100 base + 4 chk_nginx =
        104"."""
        return explain(
            self._base, [(t.tracker.name, what.weight) for t, what in self._contributions()]
        )
