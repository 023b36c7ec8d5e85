"""Two nodes of real cores, beside the model, whose world is a list of possible next events.

What two routers, or two sync groups of two, can meet: the oldest advert of each direction arrives,
is lost or arrives twice; a timer fires, a little before or after the other node's; priorities
change, faults come and go, a node sleeps, stops and starts. States that differ in nothing but the
time of day are explored once. A core cannot be copied, so a state is the path that leads to it, and
is reached by walking that path again.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rfc9568 import SECOND, Advert, Group, Router, Settings, advance

from fastvrrp.core.acts import Act, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, State

Event = tuple[Any, ...]
Flight = tuple[Advert, bool]
"""An advert under way, and whether it has arrived once already."""

IN_FLIGHT = 2
"""So many adverts of one direction are under way at most; the oldest of more is lost."""
LONG = 20 * SECOND
QUIET = 5 * SECOND


@dataclass(frozen=True)
class Scene:
    """What is explored: the priority of each node, how many members each has, and settings."""

    name: str
    priorities: tuple[int, int] = (200, 100)
    members: int = 1
    preempt: bool = True
    owners: bool = False
    higher_prio_send_advert: bool = False
    version: int = 3

    def settings(self, node: int, member: int) -> Settings:
        """Return the settings of one member; no two have the same interval."""
        return Settings(
            version=self.version,
            interval=SECOND + 1000 * member,
            source=0x0A000001 + node,
            owner_at_start=self.owners,
            preempt=self.preempt,
            higher_prio_send_advert=self.higher_prio_send_advert,
        )


@dataclass
class Node:
    """One machine: the core and the model of its members, None while it is stopped."""

    number: int
    scene: Scene
    priority: int
    faults: int = 0
    core: Core | None = None
    models: list[Router] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    def start(self, now: int) -> None:
        group = Group()
        count = self.scene.members
        self.held = [False] * count
        self.core = Core(count, 1, 1)
        self.models = []
        for member in range(count):
            settings = self.scene.settings(self.number, member)
            faults = self.faults if member == 0 else 0
            self.models.append(Router(settings, self.priority, faults, group))
            self.core.add(
                RouterParams(
                    vrid=member + 1,
                    version=settings.version,
                    priority=self.priority,
                    start_active=settings.owner_at_start,
                    preempt=settings.preempt,
                    advert_interval=settings.interval,
                    source=settings.source.to_bytes(4, "big"),
                    higher_prio_send_advert=settings.higher_prio_send_advert,
                    faults=faults,
                    group=0 if count > 1 else -1,
                )
            )
        for member, model in enumerate(self.models):
            model.startup(now)
            self.core.startup(member, now)

    def stop(self, now: int) -> None:
        assert self.core is not None
        for member, model in enumerate(self.models):
            model.shutdown(now)
            self.core.shutdown(member, now)

    def is_active(self, member: int = 0) -> bool:
        return self.core is not None and self.core.state(member) is State.ACTIVE

    def digest(self, now: int) -> tuple[Any, ...]:
        """Return everything that matters for the future."""
        return (
            self.priority,
            self.faults,
            self.core is not None,
            tuple(digest(model, now) for model in self.models) if self.core is not None else (),
        )


def digest(m: Router, now: int) -> tuple[Any, ...]:
    """Return the state of a router with times relative to now; a limit that has passed is none."""
    timers = (m.active_down_timer, m.adver_timer)
    limits = (m.answer_not_before, m.lower_burst_not_before, m.resign_opens)
    rival = m.rival and (m.rival.since - now, m.rival.until - now, m.rival.source)
    return (
        m.state,
        m.priority,
        m.faults,
        *(t and t - now for t in timers),
        *(max(limit - now, 0) for limit in limits),
        rival,
        (m.resigned, m.discarded, m.granted, m.wants_active, m.reduced),
        (m.active_router, m.active_adver_interval, m.resigner if m.resign_opens > now else None),
        _group_snapshot(m.group, now),
    )


def _group_snapshot(group: Group, now: int) -> tuple[object, ...]:
    """Return what a group remembers, with times relative to now."""
    instants = (group.active_since, group.yielded_at, group.defers_until)
    return (group.meetings, group.defers_for, *(at and at - now for at in instants))


class System:
    """Both nodes, what is under way between them, and the time."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.now = SECOND
        self.nodes = [Node(n, scene, priority) for n, priority in enumerate(scene.priorities)]
        self.flights: dict[tuple[int, int], deque[Flight]] = {
            (node, member): deque() for node in (0, 1) for member in range(scene.members)
        }
        for node in self.nodes:
            node.start(self.now)
            self.perform(node)

    # ---- what can happen next ----

    def events(self) -> Iterator[Event]:
        for (node, member), flights in self.flights.items():
            if flights:
                yield ("deliver", node, member)
                yield ("lose", node, member)
                if not flights[0][1]:
                    yield ("duplicate", node, member)
        for node in (0, 1):
            if self.can_fire(node):
                yield ("timer", node)
            if self.nodes[node].core is None:
                yield ("start", node)
            else:
                yield ("stop", node)
                yield ("crash", node)
                yield ("fault", node)
                yield ("resume", node)
                if self.scene.priorities[node] != 255:
                    yield ("priority", node)

    def due(self, node: int) -> int | None:
        core = self.nodes[node].core
        return None if core is None else core.deadline()

    def can_fire(self, node: int) -> bool:
        """A node may be late by up to an interval, and no more."""
        mine, other = self.due(node), self.due(1 - node)
        return mine is not None and (other is None or max(mine, self.now) - other < SECOND)

    def do(self, event: Event) -> None:
        kind, node, *rest = event
        getattr(self, kind)(self.nodes[node], *rest)
        for either in self.nodes:
            self.perform(either)
            self.check(either)

    def deliver(self, sender: Node, member: int) -> None:
        advert, _ = self.flights[sender.number, member].popleft()
        self.hear(self.nodes[1 - sender.number], member, advert)

    def duplicate(self, sender: Node, member: int) -> None:
        flights = self.flights[sender.number, member]
        flights[0] = (flights[0][0], True)
        self.hear(self.nodes[1 - sender.number], member, flights[0][0])

    def lose(self, sender: Node, member: int) -> None:
        self.flights[sender.number, member].popleft()

    def timer(self, node: Node) -> None:
        due = self.due(node.number)
        assert node.core is not None
        assert due is not None
        self.now = max(self.now, due)
        advance(node.models, self.now)
        node.core.advance(self.now)

    def start(self, node: Node) -> None:
        node.start(self.now)

    def stop(self, node: Node) -> None:
        node.stop(self.now)
        self.perform(node)
        self.crash(node)

    def crash(self, node: Node) -> None:
        node.core = None
        node.held = [False] * self.scene.members

    def fault(self, node: Node) -> None:
        """Of the first member: it comes, or it goes."""
        assert node.core is not None
        node.faults = 0 if node.faults else int(Fault.LINK)
        node.models[0].set_faults(node.faults, self.now)
        node.core.set_faults(0, node.faults, self.now)

    def resume(self, node: Node) -> None:
        """After a sleep of two intervals, which its clock does not show."""
        assert node.core is not None
        for model in node.models:
            model.resume(2 * SECOND, self.now)
        node.core.resume(2 * SECOND, self.now)

    def priority(self, node: Node) -> None:
        """Below or above everybody else, and back."""
        assert node.core is not None
        usual = self.scene.priorities[node.number]
        node.priority = usual if node.priority != usual else 250 if usual == 100 else 50
        for member, model in enumerate(node.models):
            model.set_priority(node.priority, self.now)
            node.core.set_priority(member, node.priority, self.now)

    # ---- what follows ----

    def hear(self, node: Node, member: int, advert: Advert) -> None:
        if node.core is None:
            return
        node.models[member].advert(advert, self.now)
        node.core.hear(
            member,
            priority=advert.priority,
            interval=advert.interval,
            source=advert.source.to_bytes(4, "big"),
            now=self.now,
        )

    def perform(self, node: Node) -> None:
        """Do what the core asks for, and compare with the model."""
        if node.core is None:
            return
        acts = sorted(node.core.drain(), key=lambda act: act.kind != "SEND")
        for member, model in enumerate(node.models):
            asked = sorted((a.kind, a.a) for a in acts if a.vr == member)
            assert asked == sorted(model.acts), (node.number, member, asked, model.acts)
            model.acts, model.changes, model.notes = [], [], []
            assert node.core.state(member).name == model.state.replace("WAIT", "INIT")
            node.core.drain_notes()
        for act in acts:
            self.perform_one(node, act)

    def perform_one(self, node: Node, act: Act) -> None:
        if act.kind == "SEND":
            assert act.a == 0 or act.c or node.is_active(act.vr), act
            flights = self.flights[node.number, act.vr]
            settings = node.models[act.vr].settings
            flights.append((Advert(act.a, settings.interval, settings.source), False))
            if len(flights) > IN_FLIGHT:
                flights.popleft()
        elif act.kind == "INSTALL" and node.is_active(act.vr):
            node.held[act.vr] = True
        elif act.kind == "WITHDRAW" and not node.is_active(act.vr):
            node.held[act.vr] = False

    def check(self, node: Node) -> None:
        """After every step: who is active holds the addresses and nobody else does, and members
        of a group are active together."""
        for member, held in enumerate(node.held):
            assert held == node.is_active(member), (node.number, member)
        assert len(set(node.held)) <= 1, f"node {node.number} is torn: {node.held}"

    def digest(self) -> tuple[Any, ...]:
        return (
            tuple(node.digest(self.now) for node in self.nodes),
            tuple(tuple(flights) for flights in self.flights.values()),
        )

    # ---- and when nothing happens any more ----

    def settle(self) -> None:
        """Let everything arrive and every timer fire; in the end one node holds everything."""
        self.let_pass(LONG)
        holders = [node.held for node in self.nodes]
        able = [n for n in self.nodes if n.core is not None and not n.faults]
        active = [n for n in self.nodes if all(n.held) and n.held and n.core is not None]
        assert len(active) == min(len(able), 1), f"able {len(able)}, holders {holders}"
        if len({n.priority for n in able}) == 2 and self.scene.preempt:
            best = max(able, key=lambda n: n.priority)
            assert active == [best], f"node {best.number} ranks highest, holders {holders}"
        self.let_pass(QUIET)
        assert [node.held for node in self.nodes] == holders

    def let_pass(self, duration: int) -> None:
        end = self.now + duration
        while True:
            for (node, member), flights in self.flights.items():
                while flights:
                    self.do(("deliver", node, member))
            due = {n: at for n in (0, 1) if (at := self.due(n)) is not None}
            if any(self.flights.values()):
                continue
            if not due or min(due.values()) > end:
                self.now = max(self.now, end)
                return
            self.do(("timer", min(due, key=lambda n: due[n])))


@dataclass
class Exploration:
    """How far the search went."""

    states: int = 0
    steps: int = 0
    depth: int = 0


def walk(scene: Scene, path: tuple[Event, ...]) -> System:
    """Return the system after the events of `path`."""
    system = System(scene)
    for event in path:
        try:
            system.do(event)
        except AssertionError as problem:
            raise AssertionError(story(scene, path, problem)) from problem
    return system


def story(scene: Scene, path: tuple[Event, ...], problem: AssertionError) -> str:
    """Return what to read, and to replay with `walk`."""
    return "\n".join((str(problem), f"in {scene}", *(f"  {event}," for event in path)))


def explore(scene: Scene, depth: int, prefix: tuple[Event, ...] = ()) -> Exploration:
    """Search breadth-first from `prefix`, `depth` events deep."""
    found = Exploration(depth=depth)
    system = walk(scene, prefix)
    seen = {system.digest()}
    layer = [(prefix, tuple(system.events()))]
    for _ in range(depth):
        following = []
        for path, events in layer:
            for event in events:
                longer = (*path, event)
                system = walk(scene, longer)
                found.steps += 1
                state = system.digest()
                if state in seen:
                    continue
                seen.add(state)
                following.append((longer, tuple(system.events())))
                try:
                    system.settle()
                except AssertionError as problem:
                    raise AssertionError(story(scene, longer, problem)) from problem
        layer = following
    found.states = len(seen)
    return found
