"""Engine: the virtual routers of one configuration, in the caller's process.

It wires configuration, core, hot loop, host, trackers and hooks; it starts no process but scripts,
installs no signal handler and keeps no global state: two engines are two objects. The cold side
runs on any `reactor.Loop`: asyncio's, the caller's, or the engine's own `Reactor`.

Threads: every method belongs to the thread of the cold loop. With `threaded=True` a second, hot
thread runs the protocol without the GIL; nothing that Python does can then hold up an advert.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from types import TracebackType
from typing import Self

from fastvrrp.clock import NS_PER_SECOND, monotonic_ns, seconds
from fastvrrp.config.model import Config, InstanceConfig
from fastvrrp.core.acts import Note
from fastvrrp.core.core import Core
from fastvrrp.errors import ConfigError, EngineError
from fastvrrp.host.links import Key
from fastvrrp.host.memberships import Memberships
from fastvrrp.host.side import HostSide
from fastvrrp.journal import Journal, Undo
from fastvrrp.loop.farewell import Farewell
from fastvrrp.loop.loop import Loop as HotLoop
from fastvrrp.loop.threads import LoopThreads
from fastvrrp.marks import MarkKeeper
from fastvrrp.names import NoteKind, Reason, State
from fastvrrp.reactor import Handle, Loop, Reactor
from fastvrrp.record.writer import Recording, Target
from fastvrrp.report.audience import AddressManager, Audience
from fastvrrp.report.change import StateChange
from fastvrrp.report.snapshot import Snapshot
from fastvrrp.routers.fleet import Draft, Fleet
from fastvrrp.routers.placement import Shared
from fastvrrp.routers.roster import roster, start_delay
from fastvrrp.routers.sockets import Ports
from fastvrrp.routers.virtual_router import VirtualRouter
from fastvrrp.track.base import Tracker
from fastvrrp.track.registry import Trackers

__all__ = ["AddressManager", "Engine", "StateChange"]

log = logging.getLogger("fastvrrp.engine")

_STOP_LIMIT = seconds(2)  # for scripts and stop hooks, which have limits of their own


class Engine:
    """Runs `config`.

    `threaded`: a hot thread of its own, with the real-time class if `realtime` and the kernel
    allows it. `host`: see `AddressManager`; None: addresses are set through netlink and announced.
    `loop`: where the cold side runs; None: the running asyncio loop in `async with`, else a
    `Reactor` of the engine's own, driven by `process()` whenever `fileno()` is readable.
    `record`: path of a new file, or a binary file, for a recording of all that happens to the
    protocol (docs/record.md).

    `marks`: the file, in a directory of ours, that keeps replay marks over a restart; None: they
    are forgotten.

    A configuration that was built in Python is checked and completed first, see `Config.checked`.

    Raises ConfigError for what cannot run, and for what the engine cannot do yet and must not run
    without; KernelError from `start()` when the kernel refuses what is needed (raw sockets need
    CAP_NET_RAW, addresses CAP_NET_ADMIN), RecordError when the file of `record` exists, EngineError
    when it is used in a way that it does not allow.
    """

    def __init__(
        self,
        config: Config,
        *,
        threaded: bool = False,
        realtime: bool = False,
        host: AddressManager | None = None,
        loop: Loop | None = None,
        marks: str | None = None,
        journal: str | None = None,
        record: Target | None = None,
    ) -> None:
        self.config = _checked(config)
        self.generation = 0
        self._threaded = threaded
        self._realtime = realtime
        self._audience = Audience(host)
        self._loop = loop
        self._marks = marks
        self._keeper: MarkKeeper | None = None
        self._journal = journal
        self._record = record
        self._recording: Recording | None = None
        self._delayed: Handle | None = None
        self._closers: list[Callable[[], object]] = []
        self._threads: LoopThreads | None = None
        self._children_left = 0
        self._running = False
        self._is_applying = False
        self._lost_notes = 0
        self._errors = 0

    # ---- life ----

    def start(self) -> None:
        """Open sockets, remove what an earlier run left behind, and take part. Undone whole on
        failure."""
        if self._running or self._closers:
            raise EngineError("an engine is started once; make a new one to start again")
        if self._loop is None:
            self._loop = Reactor()
            self._closers.append(self._loop.close)
        try:
            self._build(self._loop)
            self._run_hot(self._loop)
            self._running = True
            self._begin(self._loop)
        except BaseException:
            self._begin_stop()
            self._close()
            raise

    def _begin(self, loop: Loop) -> None:
        if self._keeper is not None:
            self._keeper.start()
        self._trackers.start()
        delay = start_delay(self.config.global_defs)
        if delay > 0:
            log.info("Delaying startup for %.3f seconds", delay / NS_PER_SECOND)
            self._delayed = loop.call_later(delay / NS_PER_SECOND, self._end_delay)
        else:
            self._take_part()

    def _end_delay(self) -> None:
        log.info("Delayed start completed")
        self._delayed = None
        self._take_part()

    def _take_part(self) -> None:
        for router in self._fleet.routers:
            self._hot.startup(router.slot)

    def stop(self) -> None:
        """Resign, remove the addresses and run the stop hooks (at most 1 s). May be repeated.

        On a loop that is no `Reactor` they go on after this has returned; `async with` waits.
        """
        try:
            self._begin_stop()
            if isinstance(self._loop, Reactor):
                deadline = monotonic_ns() + _STOP_LIMIT
                while self._children_left > 0 and (left := deadline - monotonic_ns()) > 0:
                    self._loop.run_once(left / NS_PER_SECOND)
        finally:
            self._close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        import asyncio  # noqa: PLC0415 - 11 MB that a daemon on a Reactor does not need

        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import asyncio  # noqa: PLC0415

        try:
            self._begin_stop()
            deadline = monotonic_ns() + _STOP_LIMIT
            while self._children_left > 0 and monotonic_ns() < deadline:
                await asyncio.sleep(0.01)
        finally:
            self._close()

    # ---- use ----

    def fileno(self) -> int:
        """Return a descriptor that is readable when `process()` has something to do; only for
        an engine on a `Reactor`."""
        return self._reactor().fileno()

    def process(self) -> None:
        """Do what is ready, without waiting."""
        self._reactor().run_once(0)

    def subscribe(self, callback: Callable[[StateChange], object]) -> Callable[[], None]:
        """Call `callback` with each StateChange, in order; returns a function that ends it."""
        return self._audience.subscribe(callback)

    def changes(self) -> AsyncIterator[StateChange]:
        """Yield each StateChange from now on; for asyncio."""
        return self._audience.changes()

    @property
    def errors(self) -> int:
        """How often subscribers, hosts, and what the engine did at a change or its end raised."""
        return self._errors + self._audience.errors

    def set_priority(self, instance: str, priority: int) -> None:
        """Replace the configured priority of `instance`, 1..255; weights of trackers come on
        top."""
        if not 1 <= priority <= 255:
            raise EngineError(f"priority {priority} is outside 1..255")
        self._router(instance).set_base_priority(priority)

    def apply(self, config: Config) -> None:
        """Run `config` from now on. What it does not change keeps its state, timers, counters,
        sockets and addresses, and nothing of it is sent; all that changes does so in one step.

        A virtual router goes on if VRID, family, interface and kind are the same, whatever its
        name; one that only its name connects with an old one begins anew. Raises ConfigError,
        EngineError, KernelError: then everything runs on as it was.
        """
        if not self._running:
            raise EngineError("the engine is not running; call start() first")
        if self._is_applying:
            raise EngineError("a configuration is being applied: apply the next one later")
        self._is_applying = True
        try:
            self._take_notes()
            self._carry_out(_checked(config))
        finally:
            self._is_applying = False
        if self._delayed is None:
            self._take_part()

    def undos(self) -> tuple[Undo, ...]:
        """Return how all that was or may be done to this host is undone: for a watchdog, should
        the engine die with its process."""
        held = (one for router in self._fleet.routers for one in router.placement.removable)
        return self._host.undos(held)

    def farewells(self) -> tuple[Farewell, ...]:
        """Return the resignation of each router that is active, for the same watchdog."""
        found = (self._hot.farewell(router.slot) for router in self._fleet.routers)
        return tuple(one for one in found if one is not None)

    def snapshot(self) -> Snapshot:
        """Return what is known now."""
        if not self._running:
            raise EngineError("the engine is not running; call start() first")
        if self._threads is not None and not self._threads.alive:
            raise EngineError("the protocol thread has ended")
        return Snapshot(
            instances=tuple(router.snapshot() for router in self._fleet.routers),
            loop=self._hot.stats(),
        )

    # ---- building ----

    def _build(self, loop: Loop) -> None:
        config = self.config
        manages = self._audience.manager is None
        self._host = HostSide(
            config,
            loop=loop,
            sets_addresses=manages,
            journal=Journal(self._journal) if self._journal is not None and manages else None,
            on_change=self._refresh,
            on_lost=self._on_lost,
            on_overrun=self._on_overrun,
            on_undos=self._changed,
        )
        self._closers.append(self._host.close)
        core = Core(len(config.instances), 2 * len(config.instances), len(config.groups))
        core.tells_unknown_vrids = config.global_defs.log_unknown_vrids  # a recording begins so
        if self._record is not None:
            self._recording = Recording(self._record, core)
        requests = self._host.requests
        self._hot = HotLoop(
            core,
            netlink_fd=requests.fileno() if requests is not None else -1,
            frame_fd=self._host.frame_fd,
            threaded=self._threaded,
            recorder=None if self._recording is None else self._recording.recorder,
        )
        self._closers.append(self._hot.close)
        ports = Ports(self._hot, 2 * len(config.instances))
        self._closers.append(ports.close)
        self._fleet = Fleet(
            Shared(
                loop=loop,
                hot=self._hot,
                ports=ports,
                table=self._host.table,
                made=self._host.made,
                states=self._host.states,
                requests=requests,
            )
        )
        self._memberships = Memberships(loop, self._host.table, lambda: ports.keys, self._refresh)
        self._closers.append(self._memberships.close)
        self._trackers = Trackers(
            config, loop=loop, is_up=self._host.states.up, on_change=self._on_tracker_change
        )
        if self._recording is not None:
            self._recording.start(self._hot, loop, ())
            self._closers.append(self._recording.close)
        if self._marks is not None:
            self._keeper = MarkKeeper(self._marks, (), loop)
        self._carry_out(config)

    def _carry_out(self, config: Config) -> None:
        """Let everything go by `config`; raises what `apply()` does, with nothing changed."""
        draft = self._draft(config)
        held = [one for router in self._fleet.routers for one in router.placement.removable]
        self._host.keep(self._host.undos((*held, *draft.holdings)))
        try:
            self._host.take(config)
            self._trackers.update(config)
            self._set_paces()
            notes = draft.carry_out(self._trackers)
        except BaseException:
            self._give_up(draft)
            raise
        self.config = config
        self._hot.owner.tells_unknown_vrids = config.global_defs.log_unknown_vrids
        for note in notes:
            self._take(note, draft.before)
        for router, before in draft.ended:
            if router.state is State.ACTIVE:
                self._audience.tell(self._end_of(router, before), before)
        for router, before in draft.kept:
            if router.state is State.ACTIVE:
                self._audience.tell_addresses(before, router.config)
        draft.tell()
        self._host.drop_only(config)
        if self._keeper is not None:
            self._keeper.update([one for one in self._fleet.routers if one.has_marks])
        self._fleet.close_unused()
        self._host.settle()
        self._changed()

    def _end_of(self, router: VirtualRouter, before: InstanceConfig) -> StateChange:
        """Return the change of a router that is another one from now on, or none any more."""
        return StateChange(
            instance=before.name,
            old=router.state,
            new=State.INIT,
            reason=Reason.SHUTDOWN,
            at=monotonic_ns(),
            priority=router.effective_priority,
            text="a new configuration ends it",
        )

    def _set_paces(self) -> None:
        """Let announcements keep the intervals of the fleet."""
        for number, pace in enumerate(self._fleet.shared.pacing.paces):
            self._hot.set_pace(number, pace.arp, pace.na)

    def _draft(self, config: Config) -> Draft:
        """Make what `config` needs before its routers can be placed; takes it back on failure."""
        self._host.make_links(config)
        try:
            self._host.drop(self.config, config)
            return self._fleet.draft(roster(config, self._host.table), config)
        except BaseException:
            self._take_back()
            raise

    def _give_up(self, draft: Draft) -> None:
        """Let everything go by the configuration until now."""
        steps: tuple[Callable[[], object], ...] = (
            lambda: self._host.take(self.config),
            lambda: self._trackers.update(self.config),
            draft.give_up,
            lambda: self._fleet.track(self._trackers),
            self._set_paces,
            self._take_back,
        )
        for restore in steps:
            try:
                restore()
            except Exception:
                log.exception("while a change was taken back; the rest of it is")

    def _take_back(self) -> None:
        self._host.make_links(self.config)
        self._host.settle()
        self._host.drop_only(self.config)

    def _changed(self) -> None:
        """Something that hangs on the interfaces or the states of routers is another one now."""
        self.generation += 1
        self._host.keep(self.undos())

    # ---- running ----

    def _run_hot(self, loop: Loop) -> None:
        if not self._threaded:
            loop.add_reader(self._hot.fileno(), self._turn)
            self._closers.append(lambda: loop.remove_reader(self._hot.fileno()))
            return
        loop.add_reader(self._hot.note_fileno(), self._take_notes)
        self._closers.append(lambda: loop.remove_reader(self._hot.note_fileno()))
        self._threads = LoopThreads(self._hot, realtime=self._realtime)
        self._threads.start()

    def _turn(self) -> None:
        self._hot.process()
        self._take_notes()

    def _take_notes(self) -> None:
        for note in chain(self._hot.notes(), self._missed()):
            self._take(note, self._fleet.at)
        if self._recording is not None:
            self._recording.flush()

    def _missed(self) -> Iterator[Note]:
        """Yield the changes of state that were lost, if notes were: the states are looked up."""
        lost = self._hot.owner.lost_notes
        if lost == self._lost_notes:
            return
        self._lost_notes = lost
        for router in self._fleet.routers:
            state = self._hot.status(router.slot)["state"]
            if state is not router.state:
                yield router.missed(state)

    def _take(self, note: Note, at: Callable[[int], VirtualRouter]) -> None:
        """Handle a note of the router that `at` finds by its slot."""
        try:
            self._handle(note, at)
        except Exception:
            self._errors += 1
            log.exception("%s could not be handled; the others are", note)

    def _handle(self, note: Note, at: Callable[[int], VirtualRouter]) -> None:
        router = at(note.vr)
        if note.kind is NoteKind.STATE and note.a == router.state:
            return  # it was looked up meanwhile
        if note.kind is NoteKind.GROUP_WAITS:
            router.tell_group_waits(at(note.a))
        else:
            router.on_note(note)
        if note.kind is NoteKind.STATE:
            self.generation += 1
            self._publish(router, note)

    def _publish(self, router: VirtualRouter, note: Note) -> None:
        change = StateChange(
            instance=router.config.name,
            old=State(note.c),
            new=State(note.a),
            reason=Reason(note.b),
            at=note.at,
            priority=router.effective_priority,
            text=router.why(Reason(note.b)),
        )
        self._audience.tell(change, router.config)

    def _refresh(self) -> None:
        """Let everybody look at the links again."""
        self._trackers.look_at_links()
        self._memberships.renew()
        if self._fleet.refresh():
            self._changed()

    def _on_lost(self, key: Key, port_id: int) -> None:
        if self._running and self._audience.manager is None:
            self._fleet.on_lost(key, port_id)

    def _on_overrun(self) -> None:
        self._fleet.on_overrun()

    def _on_tracker_change(self, tracker: Tracker) -> None:
        for router in self._fleet.routers:
            if router.tracks(tracker):
                router.judge()

    # ---- stopping ----

    def _begin_stop(self) -> None:
        if not self._running:
            return
        self._running = False
        if self._delayed is not None:
            self._delayed.cancel()
        routers, groups = self._fleet.routers, self._fleet.groups
        self._children_left = len(self._trackers) + len(routers) + len(groups)
        if not self._hot.shutdown():
            log.error("the kernel does not answer; addresses may be removed late")
        self._hot.stop()
        if self._threads is not None:
            self._threads.join()
        self._take_notes()
        for router in routers:
            router.tell_stop()
        for group in groups:
            group.tell_stop()
        if self._keeper is not None:
            self._keeper.stop()
        self._trackers.stop(self._on_child_done)
        for router in routers:
            router.hooks.close(self._on_child_done)
        for group in groups:
            group.hooks.close(self._on_child_done)

    def _on_child_done(self) -> None:
        self._children_left -= 1

    def _close(self) -> None:
        """Release everything, in reverse order of its making."""
        while self._closers:
            try:
                self._closers.pop()()
            except Exception:
                self._errors += 1
                log.exception("while closing")

    def _router(self, name: str) -> VirtualRouter:
        router = self._fleet.named(name) if self._running else None
        if router is None:
            raise EngineError(f"there is no instance {name}")
        return router

    def _reactor(self) -> Reactor:
        if not isinstance(self._loop, Reactor):
            raise EngineError("this engine runs on the caller's loop, which drives it")
        return self._loop


def _checked(config: Config) -> Config:
    """Return `config` complete; raises ConfigError, EngineError."""
    complete = config.checked()
    if not config.is_checked:
        for found in complete.diagnostics:
            log.warning("%s", found)
    if complete.unsupported:
        raise ConfigError(complete.unsupported)
    if not complete.instances:
        raise EngineError("the configuration has no vrrp_instance to run")
    return complete
