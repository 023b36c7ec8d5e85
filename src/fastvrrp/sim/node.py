"""One router: a real core and real adverts on simulated interfaces."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Protocol

from fastvrrp.clock import seconds
from fastvrrp.core.acts import Act, Note, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, NoteKind, State
from fastvrrp.sim.clock import Rank, VirtualClock
from fastvrrp.sim.instance import AUTH_AH, Instance
from fastvrrp.sim.lan import Datagram, Interface
from fastvrrp.sim.reload import Reload, Wanted

__all__ = ["Observer", "VirtualRouterNode"]

CHECKSUM_GROUP = 2
TTL = 255
BACKLOG = 256
"""Packets that the socket of a node that stands still can hold."""
OLDEST_STAMP = 1_000_000_000
"""ns: a kernel's time of arrival that the loop believes (docs/adr/0016)."""

AH_SLACK, HMAC_SLACK = 16, 2 << 32
"""What may have been sent since the marks were written, as the daemon reckons."""

ORDER = {"SEND": 0, "WITHDRAW": 1, "INSTALL": 2, "ANNOUNCE": 3}
"""The order in which the loop performs the acts of one turn."""


class Observer(Protocol):
    """Who is told what a node does; `World` is one."""

    def record(self, node: str, instance: str, what: str, value: int, detail: int) -> None:
        """Write one line of the timeline."""

    def hold(self, interface: Interface, params: RouterParams, *, held: bool) -> None:
        """The node has put the virtual addresses on its interface, or removed them."""


class VirtualRouterNode:
    """One machine that runs virtual routers. It starts stopped; get one from `World.router` or
    `World.node`.

    `instance` may be left out wherever the node has only one.
    """

    def __init__(self, name: str, clock: VirtualClock, observer: Observer) -> None:
        self.name = name
        self._clock = clock
        self._observer = observer
        self._interfaces: dict[str, Interface] = {}
        self._instances: dict[int, Instance] = {}
        self._core: Core | None = None
        self._ports = 0
        self._life = 0
        self._armed: int | None = None
        self._stalled = False
        self._deaf = False
        self._lag = 0
        self._slept = 0
        self._wall_offset = 0
        self._keeps_marks = False
        self._backlog: deque[tuple[Interface, Datagram, int]] = deque()

    # ---- construction ----

    def add_interface(self, interface: Interface) -> None:
        """Connect the node to a LAN."""
        self._interfaces[interface.name] = interface
        interface.lan.attach(interface)

    def add_instance(self, name: str, interface: str, params: RouterParams) -> None:
        """Add a virtual router; `params.port` is found here."""
        self._instances[len(self._instances)] = self._make(Wanted(name, interface, params))

    def _make(self, wanted: Wanted) -> Instance:
        where = self._interfaces[wanted.interface]
        key = (wanted.params.family, wanted.params.auth_type == AUTH_AH)
        if key not in where.ports:
            where.ports[key] = self._ports
            self._ports += 1
        return Instance(wanted.name, where, replace(wanted.params, port=where.ports[key]))

    def interface(self, name: str | None = None) -> Interface:
        """Return the interface called `name`, or the only one."""
        if name is not None:
            return self._interfaces[name]
        (only,) = self._interfaces.values()
        return only

    def interface_with(self, address: bytes) -> Interface:
        """Return the interface that has `address`; raises ValueError."""
        for interface in self._interfaces.values():
            if address in interface.addresses:
                return interface
        raise ValueError(f"no interface of {self.name} has {ip_address(address)}")

    def _index(self, instance: str | None) -> int:
        if instance is None:
            if len(self._instances) != 1:
                raise ValueError(f"{self.name} has several instances: say which one")
            return next(iter(self._instances))
        for index, candidate in self._instances.items():
            if candidate.name == instance:
                return index
        raise KeyError(f"{self.name} has no instance {instance!r}")

    # ---- life ----

    @property
    def running(self) -> bool:
        """True between `start` and `stop` or `crash`."""
        return self._core is not None

    @property
    def stalled(self) -> bool:
        """True while the node stands still."""
        return self._stalled

    def start(self) -> None:
        """Start the process: a new core that remembers nothing."""
        if self._core is not None:
            raise ValueError(f"{self.name} runs already")
        self._instances = dict(enumerate(self._instances.values()))
        groups = 1 + max((i.params.group for i in self._instances.values()), default=-1)
        core = self._core = Core(max(len(self._instances), 1), max(self._ports, 1), groups)
        self._life += 1
        self._tell("", "START")
        for instance in self._instances.values():
            instance.forget_peers()
            core.add(instance.effective)
        core.set_clock(self._wall_offset)
        for index, instance in self._instances.items():
            if instance.remembered is not None:
                marks, (ah, hmac) = instance.remembered
                core.restore_marks(index, marks, (ah + AH_SLACK, hmac + HMAC_SLACK), self._now())
            core.startup(index, self._now())
        self._settle()
        if self._keeps_marks:
            self._keep_marks(self._life)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The virtual routers as they are configured now."""
        return tuple(Wanted(i.name, i.interface.name, i.params) for i in self._instances.values())

    def apply(self, wanted: Sequence[Wanted]) -> None:
        """Run these virtual routers from now on. One of the same VRID, family, interface and kind
        goes on; while the node does not run, this is what it starts with."""
        reload = Reload(self._instances, [self._make(each) for each in wanted])
        if self._core is not None:
            if self._stalled:
                raise ValueError(f"{self.name} stands still: it cannot read a configuration")
            self._tell("", "RELOAD")
            self._carry_out(self._core, reload)
        self._instances = reload.instances
        if self._core is not None:
            for slot in reload.begun:
                self._core.startup(slot, self._now())
            self._settle()

    def _carry_out(self, core: Core, reload: Reload) -> None:
        for slot in reload.ended:
            core.retire(slot, self._now())
        self._perform(core)
        core.grow(1 + max(reload.instances, default=0), self._ports, len(reload.revision.groups))
        core.revise(reload.revision, self._now())

    def stop(self) -> None:
        """Stop in order: active routers resign (priority 0) and remove their addresses."""
        core = self._running()
        if self._stalled:
            raise ValueError(f"{self.name} stands still: it cannot stop in order, only crash")
        for index in self._instances:
            core.shutdown(index, self._now())
        self._settle()
        if self._keeps_marks:
            self.remember()
        self._end("STOP")

    def crash(self) -> None:
        """Lose power: no priority 0, and the addresses are gone."""
        self._running()
        for instance in self._instances.values():
            self._hold(instance, held=False)
        self._end("CRASH")

    def _end(self, what: str) -> None:
        self._core = None
        self._life += 1
        self._armed = None
        self._stalled = self._deaf = False
        self._slept = 0
        self._backlog.clear()
        self._tell("", what)

    def remember(self) -> None:
        """Write down what protects from replayed adverts, as the daemon does now and then: the
        next start reads it. No time counts in which nothing runs."""
        core = self._running()
        for index, instance in self._instances.items():
            instance.remembered = (core.marks(index), core.sequence(index))

    def keep_marks(self) -> None:
        """From its next start on, the node remembers every second and when it stops: a crash loses
        up to a second."""
        self._keeps_marks = True

    def _keep_marks(self, life: int) -> None:
        if life != self._life:
            return
        if not self._stalled:
            self.remember()
        self._clock.after(seconds(1), self._keep_marks, life)

    def stall(self, duration: int, *, clock_runs: bool = True, deaf: bool = False) -> None:
        """Stand still for `duration` ns (SIGSTOP, a starved or paused machine). Packets wait in
        the socket.

        `clock_runs` False: the machine's own clock stands still too, as in a guest that was
        paused. `deaf`: packets are lost instead of queued.
        """
        self._running()
        if self._stalled:
            raise ValueError(f"{self.name} stands still already")
        self._stalled = True
        self._deaf = deaf
        self._tell("", "STALL", duration)
        self._clock.after(duration, self._resume, self._life, 0 if clock_runs else duration)

    def suspend(self, duration: int) -> None:
        """Sleep for `duration` ns: the network goes on, the monotonic clock does not, and the
        machine knows for how long it slept."""
        self.stall(duration, clock_runs=False, deaf=True)
        self._slept = duration

    def _resume(self, life: int, lag: int) -> None:
        if life != self._life:
            return
        self._lag += lag
        self._stalled = self._deaf = False
        self._armed = None
        if self._slept:
            self._running().resume(self._slept, self._now())
            self._slept = 0
        self._turn()
        for index, instance in self._instances.items():
            self._set(index, instance.priority, instance.faults)

    def jump_clock(self, by: int) -> None:
        """Move the machine's own clock forward by `by` ns at once, as after a suspend."""
        self._running()
        self._lag -= by
        self._armed = None
        if not self._stalled:
            self._turn()

    def step_wall_clock(self, by: int) -> None:
        """Set the machine's time of day forward by `by` ns, or back."""
        self._wall_offset += by
        if self._core is not None:
            self._core.set_clock(self._wall_offset)
            self._settle()

    # ---- what the machine around the routers says ----

    def set_priority(self, priority: int, instance: str | None = None) -> None:
        """Set the effective priority, 1..255."""
        index = self._index(instance)
        self._set(index, priority, self._instances[index].faults)

    def set_faults(self, faults: int, instance: str | None = None) -> None:
        """Replace the set of faults (names.Fault)."""
        index = self._index(instance)
        self._set(index, self._instances[index].priority, faults)

    def _set(self, index: int, priority: int, faults: int) -> None:
        """Remember, and tell the core unless it stands still: `_resume` catches up."""
        self._instances[index].priority = priority
        self._instances[index].faults = faults
        if self._core is not None and not self._stalled:
            self._core.set_priority(index, priority, self._now())
            self._core.set_faults(index, faults, self._now())
            self._settle()

    def unplug(self, interface: str | None = None) -> None:
        """Pull the cable: carrier is lost, and the routers of the interface know it."""
        self._set_plugged(self.interface(interface), plugged=False)

    def plug(self, interface: str | None = None) -> None:
        """Put the cable back."""
        self._set_plugged(self.interface(interface), plugged=True)

    def _set_plugged(self, interface: Interface, *, plugged: bool) -> None:
        interface.plugged = plugged
        for index, instance in self._instances.items():
            if instance.interface is interface:
                without = instance.faults & ~Fault.LINK
                self.set_faults(without if plugged else without | Fault.LINK, instance.name)
                self._link_changed(index)

    def fail_sends(self, error: int, interface: str | None = None) -> None:
        """Let nothing be sent on the interface, for `error` (errno); 0: it can be again."""
        self.interface(interface).send_error = error

    def _link_changed(self, index: int) -> None:
        if self._core is not None and not self._stalled:
            self._core.clear_send_fault(index, self._now())
            self._settle()

    # ---- what can be seen ----

    def state(self, instance: str | None = None) -> State:
        """Return the state of a virtual router; Initialize while the node does not run."""
        index = self._index(instance)
        return State.INIT if self._core is None else self._core.state(index)

    def holds(self, instance: str | None = None) -> bool:
        """Return whether the virtual addresses are on the interface."""
        return self._instances[self._index(instance)].held

    def status(self, instance: str | None = None) -> dict[str, Any]:
        """Return `Core.status` of a virtual router of a running node, in the node's own time."""
        return self._running().status(self._index(instance))

    def counters(self, instance: str | None = None) -> dict[str, int]:
        """Return `Core.counters` of a virtual router of a running node."""
        return self._running().counters(self._index(instance))

    def _running(self) -> Core:
        if self._core is None:
            raise ValueError(f"{self.name} does not run")
        return self._core

    # ---- the loop ----

    def _now(self) -> int:
        return self._clock.now - self._lag

    def arrive(self, interface: Interface, datagram: Datagram) -> None:
        """Take a frame off the LAN."""
        if self._core is None or self._deaf or not interface.plugged:
            return
        if self._stalled:
            if len(self._backlog) < BACKLOG:
                self._backlog.append((interface, datagram, self._now()))
            return
        self._receive(self._core, interface, datagram, self._now())
        self._settle()

    def _receive(self, core: Core, interface: Interface, datagram: Datagram, at: int) -> None:
        # As in the loop, a multicast port hears the other kind of authentication, too.
        kinds = (datagram.is_ah, not datagram.is_ah) if datagram.is_multicast else (datagram.is_ah,)
        keys = ((datagram.family, is_ah) for is_ah in kinds)
        port = next((interface.ports[key] for key in keys if key in interface.ports), None)
        if port is None:
            return
        now = self._now()
        core.receive(
            datagram.data,
            family=datagram.family,
            src=datagram.src,
            dst=datagram.dst,
            ttl=TTL,
            now=at if 0 <= now - at <= OLDEST_STAMP else now,
            port=port,
        )

    def _turn(self) -> None:
        """Drain the sockets, then fire deadlines: the real loop's order."""
        core = self._running()
        while self._backlog:
            self._receive(core, *self._backlog.popleft())
        self._perform(core)
        core.advance(self._now())
        self._settle()

    def _settle(self) -> None:
        """Perform what the core asks for, unless the node stands still, and set the timer."""
        core = self._core
        if core is None or self._stalled:
            return
        self._perform(core)
        due = core.deadline()
        if due is None:
            return
        due += self._lag
        if self._armed is None or due < self._armed:
            self._armed = due
            self._clock.at(due, self._on_timer, due, self._life, rank=Rank.TIMER)

    def _on_timer(self, due: int, life: int) -> None:
        if life != self._life or due != self._armed or self._stalled:
            return
        self._armed = None
        self._turn()

    def _perform(self, core: Core) -> None:
        while acts := core.drain():  # again: adverts that fail have consequences
            if len(acts) > 1:
                acts.sort(key=lambda act: ORDER[act.kind])
            for act in acts:
                _PERFORMERS[act.kind](self, core, act)
        for note in core.drain_notes():
            if note.kind is NoteKind.CHECKSUM_STYLE and note.a == CHECKSUM_GROUP:
                self._instances[note.vr].hear_old_checksum()
            self._tell_note(note)

    def _send(self, core: Core, act: Act) -> None:
        if (act.a == 0) == (core.state(act.vr) is State.ACTIVE) and not act.c:
            return  # what it would say is true no longer
        instance = self._instances[act.vr]
        interface = instance.interface
        self._tell(instance.name, "SEND", act.a)
        for datagram in instance.datagrams(act.a, act.b):
            if interface.send_error:
                core.send_failed(act.vr, interface.send_error, self._now())
            else:
                interface.lan.transmit(interface, datagram)
                core.sent(act.vr)

    def _withdraw(self, core: Core, act: Act) -> None:
        if core.state(act.vr) is not State.ACTIVE:
            self._hold(self._instances[act.vr], held=False)

    def _install(self, core: Core, act: Act) -> None:
        if core.state(act.vr) is State.ACTIVE:
            self._hold(self._instances[act.vr], held=True)

    def _announce(self, core: Core, act: Act) -> None:
        if core.state(act.vr) is State.ACTIVE:
            self._tell(self._instances[act.vr].name, "ANNOUNCE", act.a)

    def _hold(self, instance: Instance, *, held: bool) -> None:
        if instance.held == held:
            return
        instance.held = held
        self._tell(instance.name, "INSTALL" if held else "WITHDRAW")
        self._observer.hold(instance.interface, instance.params, held=held)

    def _tell_note(self, note: Note) -> None:
        detail = note.b if note.kind is NoteKind.STATE else 0
        self._tell(self._instances[note.vr].name, note.kind.name, note.a, detail)

    def _tell(self, instance: str, what: str, value: int = 0, detail: int = 0) -> None:
        self._observer.record(self.name, instance, what, value, detail)


_PERFORMERS: dict[str, Callable[[VirtualRouterNode, Core, Act], None]] = {
    "SEND": VirtualRouterNode._send,
    "WITHDRAW": VirtualRouterNode._withdraw,
    "INSTALL": VirtualRouterNode._install,
    "ANNOUNCE": VirtualRouterNode._announce,
}
