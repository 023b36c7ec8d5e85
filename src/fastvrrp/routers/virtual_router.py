"""VirtualRouter: the running self of one `vrrp_instance`, on the cold side.

It knows what holds the router back (a set of faults, each with a reason in words) and what its
trackers say, runs its scripts and tells what people want to know of it. Its place on the host is a
`Placement`. Everything runs on the engine's cold loop.
"""

import logging
from collections.abc import Sequence
from functools import reduce
from ipaddress import ip_address
from operator import or_

from fastvrrp.clock import monotonic_ns
from fastvrrp.config.model import AuthType, InstanceConfig
from fastvrrp.core.acts import Note
from fastvrrp.marks import Marks
from fastvrrp.names import Fault, NoteKind, Reason, State
from fastvrrp.notify.hooks import STOP, Hooks
from fastvrrp.notify.sync_group import SyncGroup
from fastvrrp.report.lines import lines
from fastvrrp.report.snapshot import InstanceSnapshot, describe
from fastvrrp.routers.placement import Placement, Shared
from fastvrrp.track.base import Contribution, Tracker, effective_priority, explain
from fastvrrp.track.registry import Tracked

__all__ = ["VirtualRouter"]

log = logging.getLogger("fastvrrp.vrrp")

_TOLD_ELSEWHERE = (Fault.PENDING, Fault.TRACKER)
"""Faults that the log does not tell as a whole: silent, and told for each tracker."""


Setting = tuple[InstanceConfig, Sequence[Tracked], SyncGroup | None]
"""What a router goes by: its configuration, what it tracks, its sync group."""


class VirtualRouter:
    """One instance, in `slot` of the core. `tracked`: what it and its sync group track."""

    def __init__(self, config: InstanceConfig, *, slot: int, shared: Shared, hooks: Hooks) -> None:
        self.slot = slot
        self.hooks = hooks
        self.group: SyncGroup | None = None
        self.state = State.INIT
        self.effective_priority = config.priority
        self._shared = shared
        self._tracked: tuple[Tracked, ...] = ()
        self._failed: dict[Tracker, str] = {}
        self._own_faults: dict[Fault, str] = {}
        self._told_faults: dict[Fault, str] = {}
        self._given: tuple[int, Fault] | None = None
        self._has_notified = False
        self._stop_told = False
        self.config = config
        self._base = config.priority
        self.placement = Placement(
            config,
            slot=slot,
            shared=shared,
            on_change=self.refresh,
            is_active=lambda: self.state is State.ACTIVE,
        )

    def configure(
        self, config: InstanceConfig, tracked: Sequence[Tracked], group: SyncGroup | None = None
    ) -> Setting:
        """Go by these from now on; the hot loop is not told. Returns those until now."""
        before = (self.config, self._tracked, self.group)
        if config.priority != self.config.priority:
            self._base = config.priority
        self.config = config
        self.group = group
        self._tracked = tuple(tracked)
        return before

    # ---- what holds it back ----

    @property
    def faults(self) -> dict[Fault, str]:
        """All reasons, in words."""
        return self.placement.faults | self._own_faults

    def fault_set(self) -> Fault:
        """Return all reasons as the core knows them."""
        return reduce(or_, self.faults, Fault(0))

    def refresh(self) -> None:
        """Look at the interfaces again and give the hot loop what follows."""
        self.placement.refresh()
        self.give()

    def give(self) -> None:
        """Tell the hot loop priority and faults where it does not know them."""
        self.tell_faults()
        given, self._given = self._given, (self.effective_priority, self.fault_set())
        if given is None or given[0] != self.effective_priority:
            self._shared.hot.set_priority(self.slot, self.effective_priority)
        if given is None or given[1] != self._given[1]:
            self._shared.hot.set_faults(self.slot, int(self._given[1]))

    def gave(self) -> None:
        """Take note that the hot loop knows priority and faults as they are now."""
        self.tell_faults()
        self._given = (self.effective_priority, self.fault_set())

    def tell_faults(self) -> None:
        """Log, in keepalived's words, what is a reason for FAULT now and was none before."""
        faults = {
            fault: text for fault, text in self.faults.items() if fault not in _TOLD_ELSEWHERE
        }
        for fault, reason in faults.items():
            if self._told_faults.get(fault) != reason:
                # keepalived's punctuation
                mark = "" if fault is Fault.SOURCE and self.config.source is None else ":"
                log.info("(%s)%s entering FAULT state (%s)", self.config.name, mark, reason)
        if not faults.keys() <= self._told_faults.keys():
            until = ", and ".join(fault.until for fault in faults)
            log.info("(%s) does not take part until %s", self.config.name, until)
        self._told_faults = faults

    @property
    def is_holding(self) -> bool:
        """Tell if what it holds is to be on this host now."""
        return self.state is State.ACTIVE and not self.faults

    # ---- priority ----

    def judge(self) -> None:
        """Recompute priority and tracker faults from what all trackers say now, and give them to
        the hot loop."""
        self.assess()
        self.give()

    def assess(self) -> None:
        """Recompute priority and tracker faults; the hot loop is not told."""
        given = self._contributions()
        failed = {t.tracker: what.fault for t, what in given if what.fault is not None}
        pending = [f"{t.tracker.kind} {t.tracker.name}" for t, what in given if what.pending]
        self._tell_failed(failed)
        self._set(Fault.TRACKER, ", ".join(failed.values()) or None)
        waiting = f"waits for the first result of {', '.join(pending)}" if pending else None
        self._set(Fault.PENDING, waiting)
        self.effective_priority = effective_priority(self._base, (what.weight for _, what in given))

    def _set(self, fault: Fault, reason: str | None) -> None:
        if reason is None:
            self._own_faults.pop(fault, None)
        else:
            self._own_faults[fault] = reason

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

    def begin(self) -> None:
        """It is a new virtual router: what people were told of an earlier one is over."""
        self.state = State.INIT
        self._has_notified = self._stop_told = False

    def tell_deleted(self) -> None:
        """Run the scripts of a router that a new configuration does not have any more."""
        self.placement.close()
        self.hooks.tell_deleted(self.state, self.effective_priority)

    def tell_stop(self) -> None:
        """Run the scripts for STOP, unless they were: a router that never took part ends, too."""
        self.placement.close()
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
            interface=self.placement.interface,
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
        """Return what holds it back and until when, with what only the core knows, in words."""
        faults = dict(self.faults)
        held_by = self.group.held_by(self) if self.group is not None else None
        if held_by is not None and inside & Fault.GROUP:
            faults[Fault.GROUP] = held_by
        if inside & Fault.SEND:
            faults[Fault.SEND] = "adverts cannot be sent"
        return {fault: f"{text}, until {fault.until}" for fault, text in faults.items()}

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
