"""Reloads in simulated networks: one that changes nothing is not noticed by anybody, others bring
about what they say and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_interface
from random import Random

import pytest
import test_random_group_worlds as groups
import test_random_worlds as single
from scenery import VRID, Pair, Settings, entries, pair, states

from fastvrrp.clock import centiseconds, milliseconds, seconds
from fastvrrp.config.model import Config, InstanceConfig, SyncGroup, Version, VirtualAddress
from fastvrrp.core.acts import RouterParams
from fastvrrp.names import State
from fastvrrp.sim import Entry, VirtualRouterNode, Wanted, World

EQUAL_WORLDS = 150
GROUP_WORLDS = 60
LONG = seconds(200)


def change(node: VirtualRouterNode, **fields: object) -> None:
    """Reload `node` with other parameters of its only instance."""
    (one,) = node.wanted
    params = replace(one.params, **fields)  # type: ignore[arg-type] # fields of RouterParams
    node.apply([one._replace(params=params)])


# ---- nothing changes ----


def reload_with_the_same(node: VirtualRouterNode) -> None:
    if node.running and not node.stalled:
        before = [known(node, one.name) for one in node.wanted]
        node.apply(node.wanted)
        assert [known(node, one.name) for one in node.wanted] == before


def known(node: VirtualRouterNode, name: str) -> object:
    return node.status(name), node.counters(name), node.holds(name)


def with_reloads(world: World, seed: int) -> World:
    """Let nodes reload what they have, some sixty times in the first minute."""
    chance = Random(~seed)
    for _ in range(60):
        node = chance.choice(list(world.nodes.values()))
        world.clock.at(chance.randrange(seconds(60)), reload_with_the_same, node)
    return world


def without_reloads(world: World) -> list[Entry]:
    return [entry for entry in world.timeline if entry.what != "RELOAD"]


@pytest.mark.parametrize("block", range(3))
def test_an_equal_configuration_is_not_noticed_by_anybody(block: int) -> None:
    """Given a random world with a minute of trouble, when nodes reload what they have again and
    again, then every line of the timeline is as in the same world without."""
    size = EQUAL_WORLDS // 3
    reloads = 0
    for seed in range(block * size, (block + 1) * size):
        plain, reloaded = single.build(seed), single.build(seed)
        with_reloads(reloaded.world, seed)
        for scene in (plain, reloaded):
            single.cause_trouble(scene)
            single.end_trouble(scene)
        assert without_reloads(reloaded.world) == plain.world.timeline, f"seed {seed}"
        reloads += len(entries(reloaded.world, "RELOAD"))
    assert reloads > 20 * size


def test_an_equal_configuration_of_groups_is_not_noticed_by_anybody() -> None:
    for seed in range(GROUP_WORLDS):
        plain, reloaded = groups.build(seed), groups.build(seed)
        with_reloads(reloaded.world, seed)
        for site in (plain, reloaded):
            groups.cause_trouble(site)
            groups.end_trouble(site)
        assert without_reloads(reloaded.world) == plain.world.timeline, f"seed {seed}"


# ---- something changes, and nothing else goes wrong ----


def another_priority(chance: Random, params: RouterParams) -> RouterParams:
    return replace(params, priority=chance.randint(1, 254))


def another_way_to_preempt(chance: Random, params: RouterParams) -> RouterParams:
    delay = chance.choice((0, seconds(3)))
    return replace(params, preempt=chance.random() < 0.5, preempt_delay=delay)


def another_patience(chance: Random, params: RouterParams) -> RouterParams:
    return replace(params, down_timer_adverts=chance.choice((2, 3, 3, 5)))


def another_interval(chance: Random, params: RouterParams) -> RouterParams:
    if params.version == 2:
        return params
    return replace(params, advert_interval=chance.choice((centiseconds(30), seconds(1))))


def other_addresses(chance: Random, params: RouterParams) -> RouterParams:
    count = chance.randint(1, 4)
    return replace(params, addresses=tuple(bytes((198, 51, 100, n)) for n in range(count)))


CHANGES: tuple[Callable[[Random, RouterParams], RouterParams], ...] = (
    another_priority,
    another_way_to_preempt,
    another_patience,
    another_interval,
    other_addresses,
)
LONGEST_DOWN: int = 6 * seconds(1)
"""ns: the longest Active_Down_Interval that `CHANGES` can make."""


def reload_at_random(nodes: list[VirtualRouterNode], configured: dict[str, Wanted]) -> None:
    """Reload one node: with other parameters, without its instance, or with it again. One node
    always has it."""
    node = nodes[0]
    chance = Random(f"{node.name} {len(node.wanted)} {configured[node.name]}")
    present = [one for one in nodes if one.wanted]
    if node.wanted and len(present) > 1 and chance.random() < 0.15:
        node.apply([])
        return
    one = configured[node.name]
    params = one.params
    for how in chance.sample(CHANGES, chance.randint(1, 3)):
        params = how(chance, params)
    configured[node.name] = one._replace(params=params)
    node.apply([configured[node.name]])


def reloading_world(seed: int) -> tuple[World, dict[str, Wanted]]:
    """Return a world whose nodes reload all the time on a network that loses nothing."""
    world = World(seed)
    random = world.random
    lan = world.lan(delay=random.randrange(milliseconds(1)))
    version = random.choice((2, 3))
    for number in range(1, random.randint(2, 4) + 1):
        priority = random.randint(1, 254)
        settings: Settings = {"version": version, "priority": priority}
        world.router(f"r{number}", lan, f"192.0.2.{number}", vrid=VRID, **settings).start()
    nodes = list(world.nodes.values())
    configured = {node.name: node.wanted[0] for node in nodes}
    at: int = seconds(10)
    while at < LONG:
        random.shuffle(nodes)
        world.clock.at(at, reload_at_random, list(nodes), configured)
        at += random.choice((1, milliseconds(10), seconds(1), seconds(9))) + random.randrange(1000)
    return world, configured


@pytest.mark.parametrize("block", range(4))
def test_reloads_leave_no_gap_and_one_holder(block: int) -> None:
    """Given nodes on a good network, when they reload again and again, with other priorities,
    intervals, addresses, without the instance and with it, then nobody waits for longer than an
    Active_Down_Interval for a holder, two are active for no longer than an interval or two, and in
    the end there is one, above whom nobody ranks who may preempt it."""
    for seed in range(block * 25, (block + 1) * 25):
        world, configured = reloading_world(seed)
        world.run_until(LONG)
        spans = list(world.spans(VRID, since=seconds(10)))
        gap = max((to - since for since, to, who in spans if not who), default=0)
        overlap = max((to - since for since, to, who in spans if len(who) > 1), default=0)
        assert gap <= LONGEST_DOWN, f"seed {seed}: nobody for {gap} ns"
        assert overlap <= 2 * seconds(1), f"seed {seed}: several for {overlap} ns"
        world.run_for(seconds(30))
        (holder,) = world.holders(VRID)
        rank = configured[holder].params.priority
        above = [
            node.name
            for node in world.nodes.values()
            if node.wanted and node.wanted[0].params.preempt
            if node.wanted[0].params.priority > rank
        ]
        assert not above, f"seed {seed}"
        since = world.now
        world.run_for(seconds(20))
        assert entries(world, "STATE", since=since + 1) == [], f"seed {seed}"


def test_reloading_worlds_do_change_something() -> None:
    kinds: dict[str, int] = {}
    for seed in range(25):
        world, _ = reloading_world(seed)
        world.run_until(LONG)
        for entry in world.timeline:
            kinds[entry.what] = kinds.get(entry.what, 0) + 1
    assert kinds["RELOAD"] > 1000
    assert kinds["INSTALL"] > 100
    assert kinds["PRIORITY"] > 100


# ---- one thing at a time ----


def test_a_reload_of_the_active_router_sends_no_packet_more() -> None:
    """Given a pair, when the active router reloads with another description, then its adverts
    leave at the instants at which they would have."""

    def adverts(reload: bool) -> list[int]:
        made = pair()
        made.settle()
        made.world.run_for(milliseconds(1700))
        if reload:
            change(made.a, preempt=False, garp=_Quiet())
        made.world.run_for(seconds(5))
        return [entry.at for entry in entries(made.world, "SEND", node="a")]

    assert adverts(True) == adverts(False)


class _Quiet:
    delay = 0
    repeat = 1
    refresh = 0
    refresh_repeat = 1
    lower_prio_delay = 0
    lower_prio_repeat = 0


def test_the_addresses_move_with_a_priority_that_a_reload_changes() -> None:
    made = pair()
    made.settle()
    since = made.world.now
    change(made.a, priority=50)
    made.world.run_for(seconds(10))
    assert made.holders() == {"b"}
    assert made.gap(since) == 0
    assert states(made.world, "a", since) == [State.BACKUP]


def test_an_instance_that_goes_hands_over_within_a_skew_time() -> None:
    made = pair()
    made.settle()
    since = made.world.now
    made.a.apply([])
    made.world.run_for(seconds(10))
    assert made.holders() == {"b"}
    assert made.gap(since) < seconds(1)
    assert [e.value for e in entries(made.world, "SEND", node="a", since=since)] == [0]
    assert states(made.world, "a", since) == []


def both(made: Pair, **fields: object) -> None:
    """Reload the active router, and 2.5 s later its backup, as an operator does with two hosts."""
    change(made.a, **fields)
    made.world.run_for(milliseconds(2500))
    change(made.b, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"advert_interval": seconds(2)},
        {"auth_type": 1, "password": b"new"},
        {"version": 3},
    ],
)
def test_a_change_of_both_sides_within_the_patience_of_the_backup_moves_nothing(
    fields: dict[str, object],
) -> None:
    """Given a pair of version 2, when both sides are given another interval, password or version
    within less than the backup's patience, then it hears the active router again in time."""
    made = pair()
    made.settle()
    since = made.world.now
    both(made, **fields)
    made.world.run_for(seconds(20))
    assert made.holders() == {"a"}
    assert (made.gap(since), made.overlap(since)) == (0, 0)
    assert states(made.world, "b", since) == []


# ---- from configurations ----


def configuration(*members: str, grouped: bool = True, priority: int = 100) -> Config:
    instances = tuple(
        InstanceConfig(
            name=f"VI_{member}",
            interface=f"eth{member}",
            vrid=int(member) + 1,
            version=Version.V3,
            priority=priority,
            addresses=(VirtualAddress(address=ip_interface(f"203.0.113.{int(member) + 1}/24")),),
        )
        for member in members
    )
    names = tuple(instance.name for instance in instances)
    return Config(instances=instances, groups=(SyncGroup(name="G", members=names),) * grouped)


def test_a_member_that_is_added_follows_its_active_group() -> None:
    world = World(1)
    attachments = {f"eth{n}": (world.lan(f"lan{n}"), f"192.0.{n}.1") for n in range(2)}
    node = world.node("a", configuration("0"), attachments)
    node.start()
    world.run_for(seconds(5))
    assert node.holds("VI_0")
    world.apply("a", configuration("0", "1"))
    assert node.state("VI_1") is State.BACKUP
    world.run_for(seconds(5))
    assert node.holds("VI_1")
    world.apply("a", configuration("1", priority=90))
    assert node.state("VI_1") is State.ACTIVE
    assert world.holders(1, lan="lan0") == frozenset()


def test_a_node_that_does_not_run_starts_with_what_it_was_given() -> None:
    world = World(1)
    node = world.node("a", configuration("0"), {"eth0": (world.lan(), "192.0.2.1")})
    world.apply("a", configuration("0", priority=7))
    node.start()
    assert node.status("VI_0")["priority"] == 7


def test_a_node_that_stands_still_reads_no_configuration() -> None:
    made = pair()
    made.settle()
    made.a.stall(seconds(1))
    with pytest.raises(ValueError, match="stands still"):
        made.a.apply([])
