"""What the scenarios have in common: a pair as operators know it, and readings of the timeline."""

from dataclasses import dataclass
from typing import TypedDict, Unpack

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.acts import GarpParams, HmacParams
from fastvrrp.names import State
from fastvrrp.sim import Entry, Lan, VirtualRouterNode, World

VRID = 51
DELAY = 100_000
"""ns: how long a frame takes where nothing else is said."""
SKEW_200 = seconds(1) * 56 // 256
SKEW_100 = seconds(1) * 156 // 256
DOWN_200 = seconds(3) + SKEW_200
DOWN_100 = seconds(3) + SKEW_100
ROUND_TRIP = milliseconds(1)


class Settings(TypedDict, total=False):
    """What can be said about a router, as `World.router` takes it; the VRID is always the same."""

    version: int
    priority: int
    start_active: bool
    preempt: bool
    preempt_delay: int
    advert_interval: int
    peers: tuple[str, ...]
    auth_type: int
    password: bytes
    garp: GarpParams
    faults: int
    down_timer_adverts: int
    hmac: HmacParams
    allowed_peers: tuple[bytes, ...]


@dataclass
class Pair:
    """Router `a` of priority 200 and router `b` of priority 100 on one LAN."""

    world: World
    lan: Lan
    a: VirtualRouterNode
    b: VirtualRouterNode
    family: int = 4

    def start(self) -> None:
        self.a.start()
        self.b.start()

    def settle(self) -> None:
        """Start both, and let the first election pass."""
        self.start()
        self.world.run_for(seconds(10))
        assert self.holders() == {"a"}

    def holders(self) -> frozenset[str]:
        return self.world.holders(VRID, family=self.family)

    def gap(self, since: int) -> int:
        """Return how long nobody held the addresses since then, ns."""
        spans = self.world.spans(VRID, since=since, family=self.family)
        return sum(to - begin for begin, to, who in spans if not who)

    def overlap(self, since: int) -> int:
        """Return how long several did, ns."""
        spans = self.world.spans(VRID, since=since, family=self.family)
        return sum(to - begin for begin, to, who in spans if len(who) > 1)


def pair(
    *,
    seed: int = 1,
    start: int = 0,
    a: Settings | None = None,
    b: Settings | None = None,
    **both: Unpack[Settings],
) -> Pair:
    """Return a pair with the settings `both`, and those of one side in `a` and `b`."""
    print(f"seed {seed}")
    world = World(seed, start=start)
    lan = world.lan(delay=DELAY)
    of_a: Settings = {"priority": 200, **both, **(a or {})}
    of_b: Settings = {"priority": 100, **both, **(b or {})}
    return Pair(
        world,
        lan,
        world.router("a", lan, "192.0.2.1", vrid=VRID, **of_a),
        world.router("b", lan, "192.0.2.2", vrid=VRID, **of_b),
    )


def entries(world: World, *what: str, node: str | None = None, since: int = 0) -> list[Entry]:
    """Return the lines of the timeline of these kinds."""
    return [
        e
        for e in world.timeline
        if e.what in what and e.at >= since and (node is None or e.node == node)
    ]


def states(world: World, node: str, since: int = 0) -> list[State]:
    """Return the states that `node` went through."""
    return [State(e.value) for e in entries(world, "STATE", node=node, since=since)]
