"""Nodes whose members outrank each other crosswise, by priority or by address: no election can give
each member to its better router, and one node gets everything all the same, soon.

A failing seed is printed; `build(seed, ranks)` shows the same world again.
"""

from dataclasses import dataclass

import pytest
from scenery import entries

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.names import Reason
from fastvrrp.sim import Lan, VirtualRouterNode, World
from fastvrrp.sim.lan import Interface

WORLDS = 60
INTERVAL = seconds(1)
DOWN = 3 * INTERVAL + INTERVAL * 156 // 256
"""The Active_Down_Interval of priority 100, the lowest here."""
SETTLED = 3 * DOWN
"""How long two nodes need at most."""

Ranks = tuple[tuple[int, ...], ...]
"""For each node the priority of each member."""

RANKS: dict[str, Ranks] = {
    "crosswise priorities": ((200, 100), (100, 200)),
    "one is equal": ((200, 100), (100, 100)),
    "crosswise addresses": ((100, 100), (100, 100)),
    "three members": ((200, 100, 150), (100, 200, 150)),
    "three members, equal": ((100, 100, 100), (100, 100, 100)),
}


@dataclass
class Site:
    world: World
    lans: list[Lan]
    nodes: list[VirtualRouterNode]

    def partition(self) -> None:
        for lan in self.lans:
            lan.partition(*([node.name] for node in self.nodes))

    def heal(self) -> None:
        for lan in self.lans:
            lan.heal()

    def holders(self) -> list[frozenset[str]]:
        return [self.world.holders(i + 1, lan=lan.name) for i, lan in enumerate(self.lans)]


def build(seed: int, ranks: Ranks) -> Site:
    """Return nodes of one sync group each; addresses grow with the node on even LANs, and shrink
    on odd ones."""
    world = World(seed)
    jitter = world.random.choice((0, 0, 50_000, 1_000_000))
    lans = [world.lan(f"lan{i}", jitter=jitter) for i in range(len(ranks[0]))]
    site = Site(world, lans, [])
    for number, priorities in enumerate(ranks):
        node = VirtualRouterNode(f"n{number}", world.clock, world)
        site.nodes.append(node)
        for i, (lan, priority) in enumerate(zip(lans, priorities, strict=True)):
            host = 10 + number if i % 2 == 0 else 20 - number
            source = bytes((192, 0, 2 + i, host))
            node.add_interface(Interface(node, f"eth{i}", lan, (source,), {}))
            params = RouterParams(
                vrid=i + 1,
                group=0,
                priority=priority,
                advert_interval=INTERVAL,
                source=source,
                addresses=(bytes((198, 51, 100, 1 + i)),),
            )
            node.add_instance(f"VI_{i + 1}", f"eth{i}", params)
    return site


def assert_settled(site: Site, context: str) -> None:
    """One node holds everything, and for a minute nobody changes its state."""
    holders = site.holders()
    assert len(set(holders)) == 1, f"{context}: {holders}"
    assert len(holders[0]) == 1, f"{context}: {holders}"
    since = site.world.now + 1
    site.world.run_for(seconds(60))
    changes = entries(site.world, "STATE", since=since)
    assert not changes, f"{context}: no trouble, but {changes}"


@pytest.mark.parametrize("kind", RANKS)
def test_crosswise_groups_settle_after_a_partition(kind: str) -> None:
    """Given settled nodes, when the LANs fall apart, for a random time, and heal, then one node
    holds everything within three Active_Down_Intervals, and it stays so."""
    for seed in range(WORLDS):
        site = build(seed, RANKS[kind])
        for node in site.nodes:
            node.start()
        site.world.run_for(seconds(15))
        site.partition()
        site.world.run_for(seconds(10) + site.world.random.randrange(INTERVAL))
        assert all(len(who) == len(site.nodes) for who in site.holders())
        site.heal()
        site.world.run_for(SETTLED)
        assert_settled(site, f"seed {seed}")


@pytest.mark.parametrize("kind", RANKS)
@pytest.mark.parametrize("apart", [0, 1, 5_000_000_000], ids=["at once", "1 ns", "up to 5 s"])
def test_crosswise_groups_settle_after_they_start(kind: str, apart: int) -> None:
    """Given nodes that start at one instant, or a little apart, then one of them holds everything
    within three Active_Down_Intervals of its own last start, and it stays so."""
    for seed in range(WORLDS):
        site = build(seed, RANKS[kind])
        for node in site.nodes:
            node.start()
            site.world.run_for(site.world.random.randrange(apart + 1))
        site.world.run_for(SETTLED)
        assert_settled(site, f"seed {seed}")


@pytest.mark.parametrize("kind", RANKS)
def test_crosswise_groups_go_on_when_the_holder_dies(kind: str) -> None:
    """Given a settled world, when the holder dies, then another one holds everything within one
    Active_Down_Interval: nobody waits once more for somebody who is not there."""
    for seed in range(WORLDS):
        site = build(seed, RANKS[kind])
        for node in site.nodes:
            node.start()
        site.world.run_for(SETTLED + site.world.random.randrange(INTERVAL))
        ((holder,), *_) = site.holders()
        died, other = site.nodes if site.nodes[0].name == holder else reversed(site.nodes)
        died.crash()
        site.world.run_for(DOWN + milliseconds(2))
        assert set(site.holders()) == {frozenset({other.name})}, f"seed {seed}"


def test_nodes_that_yield_to_each_other_take_over_one_after_the_other() -> None:
    """Given two nodes that yield to each other in one instant, then one of them takes over, and the
    other one hears it and stays."""
    site = build(0, RANKS["crosswise addresses"])
    for lan in site.lans:
        lan.set_all(jitter=0)
    for node in site.nodes:
        node.start()
    site.world.run_for(seconds(15))
    changes = entries(site.world, "STATE")
    yielded = [e for e in changes if e.detail == Reason.HIGHER_ADDRESS]
    assert {e.node for e in yielded} == {"n0", "n1"}
    assert len({e.at for e in yielded}) == 1
    assert site.holders() in ([{"n0"}, {"n0"}], [{"n1"}, {"n1"}])
    assert len({e.node for e in changes if e.at > yielded[0].at}) == 1


THREE_OR_MORE: dict[str, tuple[tuple[int, ...], ...]] = {
    "each best at something": ((200, 100, 150), (150, 200, 100), (100, 150, 200)),
    "one of no account": ((200, 100), (100, 200), (50, 50)),
    "two and two": ((200, 100), (100, 200), (200, 100), (100, 200)),
    "five equal": ((100, 100),) * 5,
    "five equal of three members": ((100, 100, 100),) * 5,
}


@pytest.mark.parametrize("kind", THREE_OR_MORE)
def test_more_crosswise_groups_settle_too(kind: str) -> None:
    """Given three to five nodes that start at one instant, when they have settled, fall apart and
    find each other again, then one of them holds everything, after both."""
    for seed in range(8):
        site = build(seed, THREE_OR_MORE[kind])
        for node in site.nodes:
            node.start()
        site.world.run_for(4 * DOWN)
        assert_settled(site, f"seed {seed}, start")
        site.partition()
        site.world.run_for(seconds(10) + site.world.random.randrange(INTERVAL))
        site.heal()
        site.world.run_for(4 * DOWN)
        assert_settled(site, f"seed {seed}, partition")
