"""Elections of two and three routers on a good network. Times are exact: nothing here waits or
guesses."""

import pytest
from scenery import (
    DELAY,
    DOWN_100,
    DOWN_200,
    ROUND_TRIP,
    SKEW_100,
    VRID,
    Pair,
    Settings,
    entries,
    pair,
    states,
)

from fastvrrp.clock import centiseconds, milliseconds, seconds
from fastvrrp.names import Fault, Reason, State
from fastvrrp.sim import World


def test_higher_priority_becomes_active_after_its_down_interval() -> None:
    """Given two routers that start together, when the Active_Down_Interval of the better one has
    passed, then it is active and the other has never been."""
    p = pair()
    p.start()
    p.world.run_until(DOWN_200 - 1)
    assert p.holders() == frozenset()
    p.world.run_until(DOWN_200)
    assert p.holders() == {"a"}
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]
    assert list(p.world.spans(VRID)) == [
        (0, DOWN_200, frozenset()),
        (DOWN_200, p.world.now, {"a"}),
    ]


def test_takeover_sends_installs_announces_and_tells_in_that_order() -> None:
    """Given a backup, when it takes over, then the advert leaves before the addresses are
    touched, the announcement follows them, and people come last."""
    p = pair()
    p.start()
    p.world.run_until(DOWN_200)
    assert [e.what for e in p.world.timeline if e.at == DOWN_200] == [
        "SEND",
        "INSTALL",
        "ANNOUNCE",
        "STATE",
    ]


def test_adverts_keep_their_rhythm() -> None:
    """Given an active router, when it runs for an hour, then its adverts are exactly one interval
    apart."""
    p = pair()
    p.start()
    p.world.run_for(seconds(3600))
    sent = [e.at for e in entries(p.world, "SEND", node="a")]
    assert sent == [DOWN_200 + seconds(i) for i in range(len(sent))]
    assert len(sent) == 3600 - 3


def test_backup_takes_over_when_the_holder_dies() -> None:
    """Given a settled pair, when the holder loses power half an interval after an advert, then
    the backup holds the addresses one Active_Down_Interval after that advert arrived."""
    p = pair()
    p.settle()
    last = entries(p.world, "SEND", node="a")[-1].at + seconds(1)
    p.world.run_until(last + milliseconds(500))
    p.a.crash()
    died = p.world.now
    p.world.run_until(lambda: p.holders() == {"b"}, limit=seconds(4))
    assert p.world.now == last + DELAY + DOWN_100
    assert p.gap(died) == DOWN_100 + DELAY - milliseconds(500)


def test_returning_holder_takes_the_addresses_back_without_a_gap() -> None:
    """Given a backup that took over, when the better router comes back, then it listens for its
    whole Active_Down_Interval, takes over, and the other withdraws as soon as it hears that."""
    p = pair()
    p.settle()
    p.a.crash()
    p.world.run_for(seconds(10))
    p.a.start()
    back = p.world.now
    p.world.run_until(lambda: p.holders() == {"a"}, limit=seconds(4))
    assert p.world.now == back + DOWN_200 + DELAY
    assert p.gap(back) == 0
    assert p.overlap(back) == DELAY
    assert states(p.world, "b", back) == [State.BACKUP]
    assert entries(p.world, "STATE", node="b", since=back)[0].detail == Reason.HIGHER_PRIORITY


def test_nopreempt_router_leaves_a_working_one_alone() -> None:
    """Given preemption is off at the better router, when it comes back, then the other stays
    active for as long as it lives, and the better one takes over after it died."""
    p = pair(a={"preempt": False})
    p.settle()
    p.a.crash()
    p.world.run_for(seconds(10))
    p.a.start()
    p.world.run_for(seconds(600))
    assert p.holders() == {"b"}
    p.b.crash()
    p.world.run_until(lambda: p.holders() == {"a"}, limit=DOWN_200 + DELAY)


def test_nopreempt_does_not_protect_the_active_router_from_a_better_one() -> None:
    """Given preemption is off at the active router, when a better one becomes active, then it
    yields."""
    p = pair(b={"preempt": False})
    p.b.start()
    p.world.run_for(seconds(10))
    assert p.holders() == {"b"}
    p.a.start()
    p.world.run_for(seconds(10))
    assert p.holders() == {"a"}


def test_preempt_delay_counts_from_the_first_lower_advert() -> None:
    """Given preempt_delay of 10 s, when the better router returns beside a working one, then it
    takes over at the first expiry of its Active_Down_Timer after 10 s have passed since the first
    advert that it heard."""
    p = pair(a={"preempt_delay": seconds(10)})
    p.settle()
    p.a.crash()
    p.world.run_for(seconds(10))
    p.a.start()
    back = p.world.now
    p.world.run_until(lambda: "a" in p.holders(), limit=seconds(30))
    first = next(e.at for e in entries(p.world, "SEND", node="b", since=back)) + DELAY
    # The last advert that was still accepted came 9 s after the first.
    assert p.world.now == first + seconds(9) + DOWN_200
    assert p.gap(back) == 0


def test_preempt_delay_does_not_delay_an_election_without_adverts() -> None:
    """Given preempt_delay of 100 s, when nobody is active, then the router takes over at once all
    the same."""
    p = pair(a={"preempt_delay": seconds(100)})
    p.start()
    p.world.run_until(DOWN_200)
    assert p.holders() == {"a"}


def test_owner_is_active_at_once() -> None:
    """Given the owner of the addresses, when it starts, then it is active in the same instant."""
    p = pair(a={"priority": 255, "start_active": True})
    p.b.start()
    p.world.run_for(seconds(10))
    p.a.start()
    assert p.a.holds()
    p.world.run_for(DELAY)
    assert p.holders() == {"a"}
    assert entries(p.world, "STATE", node="a")[0].detail == Reason.OWNER


def test_owner_without_initial_active_waits_like_everyone() -> None:
    """Given priority 255 in a router that was told to start as backup, then it waits 3 s and its
    skew."""
    p = pair(a={"priority": 255})
    p.start()
    p.world.run_until(seconds(3) + seconds(1) // 256)
    assert p.holders() == {"a"}


def test_owner_preempts_even_when_preemption_is_off() -> None:
    """Given the owner of the addresses with preemption off and told to start as backup, when
    another router is active, then the owner takes over all the same (RFC 9568 §6.1)."""
    p = pair(a={"priority": 255, "preempt": False})
    p.b.start()
    p.world.run_for(seconds(10))
    p.a.start()
    p.world.run_for(seconds(4))
    assert p.holders() == {"a"}


def test_equal_priorities_are_decided_by_the_higher_address() -> None:
    """Given two routers of equal priority whose timers expire in the same instant, when their
    adverts cross, then only the one with the higher address keeps the addresses."""
    p = pair(priority=100)
    p.start()
    p.world.run_until(DOWN_100)
    assert p.holders() == {"a", "b"}
    p.world.run_for(DELAY)
    assert p.holders() == {"b"}
    p.world.run_for(seconds(600))
    assert p.holders() == {"b"}
    assert entries(p.world, "STATE", node="a")[-1].detail == Reason.HIGHER_ADDRESS


def test_equal_priority_does_not_preempt() -> None:
    """Given an active router, when one of equal priority and higher address starts, then nothing
    happens."""
    p = pair(priority=100)
    p.a.start()
    p.world.run_for(seconds(10))
    p.b.start()
    p.world.run_for(seconds(600))
    assert p.holders() == {"a"}


def test_resigning_router_is_followed_within_the_skew_time() -> None:
    """Given a settled pair, when the holder stops in order, then it says so before it withdraws,
    and the backup takes over after its Skew_Time instead of three intervals."""
    p = pair()
    p.settle()
    p.a.stop()
    stopped = p.world.now
    assert [e.what for e in p.world.timeline if e.at == stopped] == [
        "SEND",
        "WITHDRAW",
        "STATE",
        "STOP",
    ]
    p.world.run_until(lambda: p.holders() == {"b"}, limit=seconds(1))
    assert p.world.now == stopped + DELAY + SKEW_100
    assert entries(p.world, "STATE", node="b")[-1].detail == Reason.RESIGNED


def test_stopping_backup_says_nothing() -> None:
    """Given a settled pair, when the backup stops, then it sends no advert (RFC 9568 §6.4.2)."""
    p = pair()
    p.settle()
    p.b.stop()
    assert entries(p.world, "SEND", node="b") == []


def test_priority_change_moves_the_addresses() -> None:
    """Given a settled pair, when a tracker takes 150 off the holder, then the backup no longer
    accepts its adverts, takes over without a gap, and the former holder gets them back with its
    priority."""
    p = pair()
    p.settle()
    lowered = p.world.now
    p.a.set_priority(50)
    p.world.run_for(seconds(5))
    assert p.holders() == {"b"}
    p.a.set_priority(200)
    p.world.run_for(seconds(5))
    assert p.holders() == {"a"}
    assert p.gap(lowered) == 0
    assert p.overlap(lowered) == 2 * DELAY


def test_raised_priority_shortens_a_running_timer_and_never_looks_like_a_stall() -> None:
    """Given a backup whose timer is about to expire, when its priority rises, then it takes over
    at once."""
    p = pair(b={"priority": 1})
    p.b.start()
    p.world.run_until(seconds(3) + milliseconds(900))
    p.b.set_priority(254)
    p.world.run_for(0)
    assert p.holders() == {"b"}
    assert entries(p.world, "STALLED") == []


def test_fault_resigns_and_returns() -> None:
    """Given a settled pair, when a tracker of the holder fails, then the backup takes over after
    its Skew_Time; when it recovers, then the former holder gets the addresses back."""
    p = pair()
    p.settle()
    p.a.set_faults(Fault.TRACKER)
    failed = p.world.now
    assert p.a.state() is State.FAULT
    p.world.run_until(lambda: p.holders() == {"b"}, limit=SKEW_100 + DELAY)
    assert p.gap(failed) == SKEW_100 + DELAY
    p.world.run_for(seconds(5))
    p.a.set_faults(0)
    p.world.run_for(DOWN_200 + DELAY)
    assert p.holders() == {"a"}


def test_router_that_waits_for_its_trackers_is_silent() -> None:
    """Given a tracker that has not reported yet, when the router starts, then it takes no part
    and says nothing; when the tracker reports, then the election begins."""
    p = pair(a={"faults": Fault.PENDING})
    p.start()
    p.world.run_for(seconds(10))
    assert states(p.world, "a") == []
    assert p.holders() == {"b"}
    p.a.set_faults(0)
    p.world.run_for(seconds(4))
    assert p.holders() == {"a"}


def three(*priorities: int) -> World:
    world = World(seed=1)
    lan = world.lan(delay=DELAY)
    for number, priority in enumerate(priorities, 1):
        world.router(f"r{number}", lan, f"192.0.2.{number}", vrid=VRID, priority=priority).start()
    return world


def test_three_equal_routers_agree_within_a_round_trip() -> None:
    """Given three routers of equal priority that start together, when their timers expire, then
    the highest address has the addresses alone within a round trip, and keeps them."""
    world = three(100, 100, 100)
    world.run_until(DOWN_100 + ROUND_TRIP)
    assert world.holders(VRID) == {"r3"}
    world.run_for(seconds(600))
    assert [who for _, _, who in world.spans(VRID)] == [set(), {"r1", "r2", "r3"}, {"r3"}]


def test_of_three_routers_the_second_best_inherits() -> None:
    """Given priorities 200, 150 and 100, when the best dies, then the second takes over and the
    third never leaves BACKUP."""
    world = three(200, 150, 100)
    world.run_for(seconds(10))
    world.nodes["r1"].crash()
    world.run_for(seconds(10))
    assert world.holders(VRID) == {"r2"}
    assert states(world, "r3") == [State.BACKUP]


@pytest.mark.parametrize(("of_a", "of_b"), [(50, 200), (200, 50), (1, 4095), (4095, 1)])
def test_version_3_backup_learns_the_interval_of_the_active_router(of_a: int, of_b: int) -> None:
    """Given v3 routers with different intervals, when the active one dies, then the backup waits
    three of *its* intervals and a skew in proportion, and then sends at its own interval."""
    p = pair(
        version=3,
        a={"advert_interval": centiseconds(of_a)},
        b={"advert_interval": centiseconds(of_b)},
    )
    p.a.start()
    p.world.run_until(lambda: p.holders() == {"a"}, limit=centiseconds(of_a * 5))
    p.b.start()
    p.world.run_for(centiseconds(of_a) * 3)
    assert p.b.status()["active_adver_interval"] == centiseconds(of_a)
    last = entries(p.world, "SEND", node="a")[-1].at
    p.a.crash()
    down = 3 * centiseconds(of_a) + centiseconds(of_a) * 156 // 256
    p.world.run_until(lambda: p.holders() == {"b"}, limit=2 * down)
    assert p.world.now == last + DELAY + down
    took_over = p.world.now
    p.world.run_for(centiseconds(of_b) * 2)
    assert [e.at - took_over for e in entries(p.world, "SEND", node="b")] == [
        0,
        centiseconds(of_b),
        2 * centiseconds(of_b),
    ]


def test_version_2_routers_with_different_intervals_do_not_hear_each_other() -> None:
    """Given v2 routers with different intervals, then both become active, as RFC 3768 §7.1 wants
    it, and the operator is told why."""
    p = pair(b={"advert_interval": seconds(2)})
    p.start()
    p.world.run_for(seconds(60))
    assert p.holders() == {"a", "b"}
    assert p.a.counters()["rejected_interval"] > 20
    assert [len(entries(p.world, "RIVAL", node=n)) for n in "ab"] == [1, 1]


PAIRS: dict[str, Settings] = {
    "v2": {},
    "v2-pass": {"auth_type": 1, "password": b"secret"},
    "v2-ah": {"auth_type": 2, "password": b"secret"},
    "v3": {"version": 3},
    "v2-unicast": {"peers": ("192.0.2.1", "192.0.2.2")},
    "v2-ah-unicast": {
        "auth_type": 2,
        "password": b"secret",
        "peers": ("192.0.2.1", "192.0.2.2"),
    },
    "v3-unicast": {"version": 3, "peers": ("192.0.2.1", "192.0.2.2")},
}


@pytest.mark.parametrize("settings", PAIRS.values(), ids=PAIRS.keys())
def test_every_kind_of_advert_elects_and_fails_over(settings: Settings) -> None:
    """Given a pair that speaks any of the supported forms, then it elects, fails over in both
    ways, and never refuses an advert."""
    p = pair(**settings)
    elect_and_fail_over(p)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("peers", [(), ("fe80::1", "fe80::2")], ids=["multicast", "unicast"])
def test_ipv6_pair_elects_and_fails_over(version: int, peers: tuple[str, ...]) -> None:
    """Given a pair on IPv6, then it does the same."""
    world = World(seed=1)
    lan = world.lan(delay=DELAY)
    of_a: Settings = {"version": version, "peers": peers, "priority": 200}
    of_b: Settings = {"version": version, "peers": peers, "priority": 100}
    a = world.router("a", lan, "fe80::1", vrid=VRID, **of_a)
    b = world.router("b", lan, "fe80::2", vrid=VRID, **of_b)
    elect_and_fail_over(Pair(world, lan, a, b, family=6))


def elect_and_fail_over(p: Pair) -> None:
    p.settle()
    p.a.stop()
    p.world.run_for(seconds(5))
    assert p.holders() == {"b"}
    p.a.start()
    p.world.run_for(seconds(5))
    assert p.holders() == {"a"}
    for node in (p.a, p.b):
        assert sum(n for key, n in node.counters().items() if key.startswith("rejected")) == 0


@pytest.mark.parametrize(
    ("of_a", "of_b", "reject"),
    [
        ({"version": 3}, {"version": 2}, "rejected_version"),
        (
            {"auth_type": 1, "password": b"one"},
            {"auth_type": 1, "password": b"two"},
            "rejected_auth_pass",
        ),
        (
            {"auth_type": 2, "password": b"one"},
            {"auth_type": 2, "password": b"two"},
            "rejected_auth_icv",
        ),
        ({"auth_type": 1, "password": b"one"}, {}, "rejected_auth_mismatch"),
    ],
    ids=["version", "pass", "ah", "pass-and-none"],
)
def test_routers_that_refuse_each_other_say_so(of_a: Settings, of_b: Settings, reject: str) -> None:
    """Given a pair configured differently, then both are active, and each tells once in a minute
    that it hears a rival and why it does not listen."""
    p = pair(a=of_a, b=of_b)
    p.start()
    p.world.run_for(seconds(59))
    assert p.holders() == {"a", "b"}
    for node in (p.a, p.b):
        assert node.counters()[reject] > 50
        assert len(entries(p.world, "RIVAL", node=node.name)) == 1
