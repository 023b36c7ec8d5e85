"""What the simulation promises to those who test their own configurations with it."""

from errno import ENETUNREACH
from ipaddress import ip_interface

import pytest
from scenery import DELAY, DOWN_200, VRID, entries, pair

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.config import loads
from fastvrrp.config.model import (
    Auth,
    AuthType,
    Config,
    InstanceConfig,
    SyncGroup,
    Version,
    VirtualAddress,
)
from fastvrrp.names import Fault, State
from fastvrrp.secret import Secret
from fastvrrp.sim import Link, VirtualClock, World
from fastvrrp.sim.clock import Rank


def instance(
    name: str,
    interface: str,
    vip: str,
    priority: int,
    *,
    version: Version = Version.V2,
    auth: Auth | None = None,
) -> InstanceConfig:
    return InstanceConfig(
        name=name,
        interface=interface,
        vrid=1,
        version=version,
        priority=priority,
        addresses=(VirtualAddress(address=ip_interface(vip)),),
        auth=auth,
    )


def two_sided(priority_1: int, priority_2: int) -> Config:
    """Return the configuration of a router between two LANs, with both families on the second."""
    auth = Auth(type=AuthType.AH, password=Secret(b"secret"))
    return Config(
        instances=(
            instance("WAN", "eth0", "192.0.2.100/24", priority_1, auth=auth),
            instance("LAN4", "eth1", "198.51.100.1/24", priority_2),
            instance("LAN6", "eth1", "fe80::100/64", priority_2, version=Version.V3),
        )
    )


def test_configurations_of_appliances_run_as_they_are() -> None:
    """Given two routers between two LANs that share the load, built from configurations, then
    each holds what it is better at; when one dies, then the other holds everything."""
    world = World(seed=1)
    wan, lan = world.lan("wan"), world.lan("lan")
    one = world.node(
        "one",
        two_sided(200, 100),
        {"eth0": (wan, "192.0.2.1"), "eth1": (lan, "198.51.100.2", "fe80::1")},
    )
    two = world.node(
        "two",
        two_sided(100, 200),
        {"eth0": (wan, "192.0.2.2"), "eth1": (lan, "198.51.100.3", "fe80::2")},
    )
    one.start()
    two.start()
    world.run_for(seconds(10))
    assert world.holders(1, lan="wan") == {"one"}
    assert world.holders(1, lan="lan") == world.holders(1, lan="lan", family=6) == {"two"}
    assert one.state("WAN") is State.ACTIVE
    assert one.state("LAN6") is State.BACKUP
    two.crash()
    world.run_for(seconds(10))
    assert world.holders(1, lan="wan") == world.holders(1, lan="lan", family=6) == {"one"}


def test_an_instance_without_interface_is_where_its_source_is() -> None:
    text = """
    vrrp_instance VI_1 {{
        virtual_router_id 51
        unicast_src_ip 192.0.2.{own}
        unicast_peer {{
            192.0.2.{other}
        }}
        virtual_ipaddress {{
            192.0.2.100
        }}
    }}
    """
    world = World()
    lan, elsewhere = world.lan(), world.lan("elsewhere")
    for own, other in ((1, 2), (2, 1)):
        config = loads(text.format(own=own, other=other))
        where = {"eth0": (elsewhere, f"198.51.100.{own}"), "eth1": (lan, f"192.0.2.{own}")}
        world.node(f"r{own}", config, where)
        world.nodes[f"r{own}"].start()
    world.run_for(seconds(10))
    assert world.holders(51, lan="lan") == {"r2"}  # of equal priorities, the higher address
    assert world.nodes["r1"].state("VI_1") is State.BACKUP
    with pytest.raises(ValueError, match=r"no interface of r3 has 192\.0\.2\.1"):
        world.node("r3", loads(text.format(own=1, other=2)), {"eth0": (lan, "192.0.2.3")})


def test_sync_groups_of_a_configuration_are_together() -> None:
    """Given two routers between two LANs whose instances are a group, when the better one loses one
    cable, then it gives both sides away; when the cable is back, then it takes both again."""
    world = World(seed=1)
    lans = world.lan("wan"), world.lan("lan")
    for number, priority in ((1, 200), (2, 100)):
        config = Config(
            instances=(
                instance("WAN", "eth0", "203.0.113.1/24", priority),
                instance("LAN", "eth1", "203.0.113.129/24", priority),
            ),
            groups=(SyncGroup(name="G", members=("WAN", "LAN")),),
        )
        where = {f"eth{i}": (lan, f"192.0.2.{10 * i + number}") for i, lan in enumerate(lans)}
        world.node(f"n{number}", config, where).start()
    world.run_for(seconds(10))
    assert [world.holders(1, lan=lan) for lan in ("wan", "lan")] == [{"n1"}, {"n1"}]
    world.nodes["n1"].unplug("eth0")
    assert [world.holders(1, lan=lan) for lan in ("wan", "lan")] == [frozenset(), frozenset()]
    assert world.nodes["n1"].status("LAN")["faults"] is Fault.GROUP
    world.run_for(seconds(10))
    assert [world.holders(1, lan=lan) for lan in ("wan", "lan")] == [{"n2"}, {"n2"}]
    world.nodes["n1"].plug("eth0")
    world.run_for(seconds(10))
    assert [world.holders(1, lan=lan) for lan in ("wan", "lan")] == [{"n1"}, {"n1"}]


def test_router_that_cannot_send_gives_the_addresses_away() -> None:
    """Given the holder's adverts can no longer be sent, then it lets go with the third of them, the
    other takes over, and the first comes back by itself some time after it can send again."""
    p = pair()
    p.settle()
    p.a.fail_sends(ENETUNREACH)
    failing = p.world.now
    p.world.run_until(lambda: p.a.state() is State.FAULT, limit=seconds(3))
    assert p.world.now > failing + seconds(2)
    assert p.a.status()["faults"] is Fault.SEND
    p.world.run_for(seconds(4))
    assert p.holders() == {"b"}
    p.a.fail_sends(0)
    p.world.run_for(seconds(20))
    assert p.holders() == {"a"}


def test_new_link_ends_a_send_fault_at_once() -> None:
    p = pair()
    p.settle()
    p.a.fail_sends(ENETUNREACH)
    p.world.run_until(lambda: p.a.state() is State.FAULT, limit=seconds(3))
    p.a.fail_sends(0)
    p.a.unplug()
    p.a.plug()
    assert p.a.state() is State.BACKUP


@pytest.mark.parametrize("kept", [True, False])
def test_marks_are_kept_over_a_crash(kept: bool) -> None:
    """Given the holder of a pair with AH keeps its replay marks, when it crashes and starts again
    at once, then the other believes its adverts; else the other takes them for replays at first,
    and both hold the addresses for a moment."""
    p = pair(auth_type=2, password=b"secret")
    if kept:
        p.a.keep_marks()
    p.settle()
    p.world.run_for(seconds(60) + milliseconds(300))
    p.a.crash()
    p.a.start()
    began = p.world.now
    p.world.run_for(seconds(30))
    assert p.holders() == {"a"}
    assert (p.b.counters()["rejected_auth_replay"] == 0) is kept
    assert (p.overlap(began) == 0) is kept


def test_instance_without_an_address_to_send_from_is_refused() -> None:
    world = World()
    lan = world.lan()
    with pytest.raises(ValueError, match="LAN6: eth1 of one needs an IPv6 address"):
        world.node(
            "one", two_sided(200, 100), {"eth0": (lan, "192.0.2.1"), "eth1": (lan, "198.51.100.2")}
        )


def test_holders_can_be_asked_of_the_past() -> None:
    """Given a holder that died, then the past still knows when it held the addresses."""
    p = pair()
    p.settle()
    p.a.crash()
    died = p.world.now
    p.world.run_for(seconds(10))
    assert p.world.holders(VRID, at=0) == frozenset()
    assert p.world.holders(VRID, at=DOWN_200 - 1) == frozenset()
    assert p.world.holders(VRID, at=DOWN_200) == {"a"}
    assert p.world.holders(VRID, at=died - 1) == {"a"}
    assert p.world.holders(VRID, at=died) == frozenset()
    assert p.world.holders(VRID) == {"b"}
    spans = list(p.world.spans(VRID))
    assert [who for _, _, who in spans] == [set(), {"a"}, set(), {"b"}]
    assert spans[0][0] == 0
    assert spans[-1][1] == p.world.now


def test_adverts_travel_as_the_daemon_writes_them() -> None:
    """Given a receiver that counts what it refuses, when a router sends for a minute, then every
    frame of it was accepted: checksum, TTL, version and all."""
    p = pair(version=3)
    p.settle()
    p.world.run_for(seconds(60))
    counters = p.b.counters()
    assert counters["adverts_received"] == p.lan.frames
    assert sum(n for key, n in counters.items() if key.startswith("rejected")) == 0


def test_link_of_one_direction() -> None:
    """Given a slow way from a to b only, then b hears a late, and a hears b as before."""
    p = pair()
    p.lan.set_link("a", "b", delay=milliseconds(300))
    p.settle()
    p.a.stop()
    stopped = p.world.now
    p.world.run_until(lambda: bool(entries(p.world, "RESIGNED_PEER")), limit=seconds(1))
    assert p.world.now == stopped + milliseconds(300)
    assert p.lan.link("b", "a").delay == DELAY


def test_loss_is_as_frequent_as_asked() -> None:
    p = pair()
    p.settle()
    p.lan.set_all(loss=0.25)
    before = p.b.counters()["adverts_received"]
    p.world.run_for(seconds(10_000))
    assert 7300 < p.b.counters()["adverts_received"] - before < 7700


def test_backlog_of_a_stalled_node_is_bounded_like_a_socket() -> None:
    """Given a node that stands still for an hour, when it moves again, then it finds 256 packets
    waiting."""
    p = pair()
    p.settle()
    before = p.b.counters()["adverts_received"]
    p.b.stall(seconds(3600))
    p.world.run_until(lambda: not p.b.stalled)
    assert p.b.counters()["adverts_received"] - before == 256


def test_stalled_node_learns_of_its_trackers_when_it_moves_again() -> None:
    p = pair()
    p.settle()
    p.a.stall(seconds(2))
    p.a.set_priority(50)
    assert p.a.status()["priority"] == 200
    p.world.run_for(seconds(2))
    assert p.a.status()["priority"] == 50


def test_misuse_is_told() -> None:
    p = pair()
    with pytest.raises(ValueError, match="a does not run"):
        p.a.stop()
    p.start()
    with pytest.raises(ValueError, match="runs already"):
        p.a.start()
    p.a.stall(seconds(1))
    with pytest.raises(ValueError, match="stands still already"):
        p.a.stall(seconds(1))
    with pytest.raises(ValueError, match="cannot stop in order"):
        p.a.stop()
    with pytest.raises(KeyError, match="no instance 'VI_9'"):
        p.a.state("VI_9")
    with pytest.raises(ValueError, match="a node 'a' already"):
        p.world.router("a", p.lan, "192.0.2.9", vrid=1)
    with pytest.raises(ValueError, match="a LAN 'lan' already"):
        p.world.lan()
    with pytest.raises(ValueError, match="probabilities"):
        Link(loss=2.0)
    p.world.run_for(seconds(1))
    with pytest.raises(ValueError, match="has passed"):
        p.world.run_until(0)


def test_predicate_that_does_not_come_true_is_told() -> None:
    p = pair()
    p.start()
    with pytest.raises(TimeoutError):
        p.world.run_until(lambda: False, limit=seconds(5))
    with pytest.raises(TimeoutError):
        World().run_until(lambda: False)


def test_unicast_reaches_only_its_address() -> None:
    """Given three routers of which two are each other's peers, then the third hears nothing."""
    world = World()
    lan = world.lan()
    peers = ("192.0.2.1", "192.0.2.2")
    for number in (1, 2, 3):
        priority = 100 if number == 1 else 50
        address = f"192.0.2.{number}"
        world.router(f"r{number}", lan, address, vrid=VRID, priority=priority, peers=peers).start()
    world.run_for(seconds(10))
    assert world.nodes["r3"].counters()["adverts_received"] == 0
    assert world.nodes["r2"].counters()["adverts_received"] > 0


def test_events_of_one_instant_happen_script_first_and_timers_last() -> None:
    clock = VirtualClock()
    seen: list[str] = []
    clock.at(5, seen.append, "timer", rank=Rank.TIMER)
    clock.at(5, seen.append, "arrival", rank=Rank.ARRIVAL)
    clock.at(5, seen.append, "first script")
    clock.after(5, seen.append, "second script")
    while clock.next() is not None:
        clock.step()
    assert seen == ["first script", "second script", "arrival", "timer"]
    assert clock.now == 5
