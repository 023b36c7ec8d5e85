"""Peers that were configured otherwise: rows 66-74 of docs/faults.md."""

import pytest
from scenery import (
    DELAY,
    DOWN_100,
    ROUND_TRIP,
    VRID,
    Pair,
    Settings,
    entries,
    pair,
    states,
)

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.names import Condition, State
from fastvrrp.sim import VirtualRouterNode, World
from faults.strangers import spoofed, stream

OWNER: Settings = {"priority": 255, "start_active": True}
A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def three(*priorities: int) -> World:
    world = World(seed=1)
    lan = world.lan(delay=DELAY)
    for number, priority in enumerate(priorities, 1):
        world.router(f"r{number}", lan, f"192.0.2.{number}", vrid=VRID, priority=priority).start()
    return world


def shown(node: VirtualRouterNode) -> dict[Condition, bytes]:
    """Return what is wrong with whom."""
    return {kind: source for kind, (source, *_) in node.status()["conditions"].items()}


def test_fault_066_three_equal_routers_start_together() -> None:
    """Given three routers of equal priority that start together, when their timers expire, then the
    highest address has the addresses alone within a round trip, and keeps them."""
    world = three(100, 100, 100)
    world.run_until(DOWN_100 + ROUND_TRIP)
    assert world.holders(VRID) == {"r3"}
    world.run_for(seconds(600))
    assert [who for _, _, who in world.spans(VRID)] == [set(), {"r1", "r2", "r3"}, {"r3"}]


def test_fault_066_late_equal_router_changes_nothing() -> None:
    """Given two equal routers, when one with a higher address starts later, then it stays BACKUP:
    equal priority does not preempt."""
    world = World(seed=1)
    lan = world.lan(delay=DELAY)
    for number in (1, 2, 3):
        world.router(f"r{number}", lan, f"192.0.2.{number}", vrid=VRID, priority=100)
    world.nodes["r1"].start()
    world.run_for(seconds(10))
    world.nodes["r2"].start()
    world.nodes["r3"].start()
    world.run_for(seconds(600))
    assert world.holders(VRID) == {"r1"}
    assert states(world, "r3") == [State.BACKUP]


def test_fault_067_the_second_best_of_three_inherits() -> None:
    """Given priorities 200, 150 and 100, when the best dies, then the second takes over in its
    Active_Down_Interval and the third never leaves BACKUP."""
    world = three(200, 150, 100)
    world.run_for(seconds(10))
    world.nodes["r1"].crash()
    world.run_until(
        lambda: world.holders(VRID) == {"r2"}, limit=seconds(3) + seconds(1) * 106 // 256
    )
    world.run_for(seconds(60))
    assert states(world, "r3") == [State.BACKUP]


def test_fault_068_same_address_and_priority_is_told_and_shown() -> None:
    """Given two hosts with the same address and priority, then neither can tell the other's adverts
    from its own, both are active, and both say so: one line a minute, and a condition."""
    world = World(seed=1)
    lan = world.lan(delay=DELAY)
    nodes = [world.router(name, lan, "192.0.2.1", vrid=VRID) for name in "ab"]
    for node in nodes:
        node.start()
    world.run_for(seconds(60))
    assert world.holders(VRID) == {"a", "b"}
    for node in nodes:
        assert shown(node) == {Condition.SAME_ADDRESS: A}
        assert len(entries(world, "SAME_ADDRESS", node=node.name)) == 1


# ---- two owners ----


def test_fault_069_of_two_owners_the_higher_address_wins() -> None:
    """Given two address owners, when both start, then the one with the lower address yields within
    a round trip and stays BACKUP."""
    p = pair(a=OWNER, b=OWNER)
    p.start()
    p.world.run_for(ROUND_TRIP)
    assert p.holders() == {"b"}
    p.world.run_for(seconds(600))
    assert p.holders() == {"b"}


def test_fault_069_owner_whose_rival_does_not_yield_reduces_its_priority() -> None:
    """Given an owner, when another of a lower address goes on with priority 255 whatever it hears,
    then the owner complains at once, goes on with 254 after three intervals and a bit, and so
    yields: one holder at last. When the rival ends, it is the owner again."""
    p = pair(b=OWNER)
    p.b.start()
    p.world.run_for(seconds(10))
    began = p.world.now
    rival = spoofed(src=A)
    stream(p.world, p.lan, rival, every=seconds(1), count=60)
    p.world.run_until(lambda: p.holders() == frozenset(), limit=seconds(5))
    conflict, reduced = entries(p.world, "OWNER_CONFLICT", "OWNER_REDUCED", since=began)
    assert conflict.at - began == DELAY
    assert reduced.value == 254
    assert reduced.at - conflict.at <= seconds(4)
    p.world.run_until(began + seconds(59))
    assert p.holders() == frozenset()
    p.world.run_until(lambda: p.holders() == {"b"}, limit=seconds(4))
    assert p.b.status()["priority"] == 255


# ---- configured differently ----


def both_shown(p: Pair, kind: Condition) -> None:
    """Both are active, which the protocol cannot help; each shows what is wrong with whom."""
    p.start()
    p.world.run_for(seconds(59))
    assert p.holders() == {"a", "b"}
    assert shown(p.a) == {kind: B}
    assert shown(p.b) == {kind: A}
    for node in (p.a, p.b):
        assert len(entries(p.world, "RIVAL", node=node.name)) == 1


def test_fault_070_one_vrid_for_two_sets_of_addresses_starves_the_lower() -> None:
    """Given two virtual routers of the same VRID on a LAN that have nothing to do with each other,
    then the one of lower priority stays BACKUP; it counts, tells, and shows the collision."""
    world = World(seed=1)
    lan = world.lan(delay=DELAY)
    a = world.router("a", lan, "192.0.2.1", vrid=VRID, priority=200, addresses=["198.51.100.1"])
    b = world.router("b", lan, "192.0.2.2", vrid=VRID, addresses=["198.51.100.2", "198.51.100.3"])
    a.start()
    b.start()
    world.run_for(seconds(63))
    assert world.holders(VRID) == {"a"}
    assert shown(b) == {Condition.ADDRESSES: A}
    assert b.counters()["address_list_mismatch"] == b.counters()["adverts_received"] == 60
    assert len(entries(world, "ADDRESS_LIST", node="b")) == 1


def test_fault_071_version_2_intervals_must_agree() -> None:
    """Given routers of version 2 with intervals of 1 s and 2 s, then both are active (RFC 3768
    §7.1), and each shows why."""
    p = pair(a={"advert_interval": seconds(1)}, b={"advert_interval": seconds(2)})
    both_shown(p, Condition.INTERVAL)


def test_fault_072_version_3_interval_of_the_holder_counts() -> None:
    """Given a holder of version 3 with 0.5 s and a backup with 2 s, when the holder dies, then the
    backup takes over after 3 x 0.5 s and the skew in proportion, counted from the last advert."""
    p = pair(version=3, a={"advert_interval": milliseconds(500)}, b={"advert_interval": seconds(2)})
    p.settle()
    last = entries(p.world, "SEND", node="a")[-1].at
    p.a.crash()
    p.world.run_until(lambda: p.holders() == {"b"}, limit=seconds(2))
    half = milliseconds(500)
    assert p.world.now == last + DELAY + 3 * half + half * 156 // 256
    assert shown(p.b) == {Condition.INTERVAL: A}


def test_fault_073_versions_must_agree() -> None:
    """Given one router of version 2 and one of version 3, then both are active, and each shows
    why."""
    both_shown(pair(a={"version": 2}, b={"version": 3}), Condition.VERSION)


@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ({"auth_type": 1, "password": b"one"}, {"auth_type": 1, "password": b"two"}),
        ({"auth_type": 2, "password": b"one"}, {"auth_type": 2, "password": b"two"}),
        ({"auth_type": 1, "password": b"one"}, {}),
    ],
    ids=["pass", "ah", "pass-and-none"],
)
def test_fault_074_authentication_must_agree(of_a: Settings, of_b: Settings) -> None:
    """Given a pair with different authentication, then both are active, and each shows why."""
    both_shown(pair(a=of_a, b=of_b), Condition.AUTHENTICATION)


def test_fault_074_ah_and_none_hear_each_other() -> None:
    """Given one router with AH and one without, which are different IP protocols, then both are
    active, and each shows why."""
    both_shown(pair(a={"auth_type": 2, "password": b"one"}), Condition.AUTHENTICATION)
