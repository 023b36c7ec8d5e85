"""Cables, restarts and long times. Numbers in brackets are those of the fault catalogue; more of
it is in tests/faults."""

import pytest
from scenery import DELAY, DOWN_100, DOWN_200, VRID, Pair, Settings, pair, states

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.names import Fault, State
from fastvrrp.sim import World

HOUR = seconds(3600)


# ---- the network ----


def test_pulled_cable() -> None:
    """Given a settled pair, when the holder loses its carrier, then it withdraws in the same
    instant, the other takes over within its Active_Down_Interval, and gives back within that of
    the returned one (1)."""
    p = pair()
    p.settle()
    p.a.unplug()
    pulled = p.world.now
    assert p.holders() == frozenset()
    p.world.run_until(lambda: p.holders() == {"b"}, limit=DOWN_100)
    p.world.run_for(seconds(10))
    p.a.plug()
    p.world.run_until(lambda: p.holders() == {"a"}, limit=DOWN_200 + DELAY)
    assert p.overlap(pulled) == DELAY


def test_flapping_carrier_makes_one_takeover() -> None:
    """Given a settled pair, when the holder's carrier flaps 20 times at 5 Hz, then the other
    takes over at most once, and in the end the better one holds the addresses (4)."""
    p = pair()
    p.settle()
    for flap in range(20):
        p.world.clock.after(milliseconds(200) * flap, p.a.unplug)
        p.world.clock.after(milliseconds(200) * flap + milliseconds(100), p.a.plug)
    p.world.run_for(seconds(20))
    assert p.holders() == {"a"}
    assert states(p.world, "b").count(State.ACTIVE) <= 1


# ---- AH counters across restarts ----


@pytest.mark.parametrize("orderly", [True, False], ids=["stop", "crash"])
@pytest.mark.parametrize("who", ["a", "b"])
@pytest.mark.parametrize("pause", [0, seconds(1), seconds(60)], ids=["at-once", "1s", "60s"])
def test_ah_counter_after_a_restart(who: str, pause: int, *, orderly: bool) -> None:
    """Given a settled pair with AH that has run for an hour, when either side restarts and its
    sequence starts again, then the pair settles as it was, and in the end no advert is refused."""
    p = pair(auth_type=2, password=b"secret")
    p.settle()
    p.world.run_for(HOUR)
    restart(p, who, pause, orderly=orderly)
    p.world.run_for(seconds(15))
    assert p.holders() == {"a"}
    refused = p.b.counters()["rejected_auth_replay"]
    p.world.run_for(seconds(60))
    assert p.b.counters()["rejected_auth_replay"] == refused
    assert p.holders() == {"a"}


def test_ah_counter_of_an_owner_that_restarts_at_once() -> None:
    """Given the owner of the addresses with AH, when it restarts faster than the others notice,
    then its new counter is refused until they take over, and it is back in order within a second
    after that."""
    p = pair(auth_type=2, password=b"secret", a={"priority": 255, "start_active": True})
    p.start()
    p.world.run_for(HOUR)
    p.a.crash()
    p.a.start()
    restarted = p.world.now
    p.world.run_for(DOWN_100 + seconds(1))
    p.world.run_for(seconds(60))
    assert p.holders() == {"a"}
    assert p.overlap(restarted) <= seconds(1)


def restart(p: Pair, who: str, pause: int, *, orderly: bool) -> None:
    node = p.world.nodes[who]
    if orderly:
        node.stop()
    else:
        node.crash()
    p.world.run_for(pause)
    node.start()


# ---- long times ----


@pytest.mark.parametrize("settings", [{}, {"version": 3}, {"auth_type": 2, "password": b"secret"}])
def test_a_pair_is_quiet_for_a_day(settings: Settings) -> None:
    """Given a settled pair, when a day goes by, then nothing at all has changed."""
    world = World(seed=1, record_adverts=False)
    lan = world.lan()
    for name, priority in (("a", 200), ("b", 100)):
        address = f"192.0.2.{ord(name) - 96}"
        of_this: Settings = {"priority": priority, **settings}
        world.router(name, lan, address, vrid=VRID, **of_this).start()
    world.run_for(seconds(10))
    settled = len(world.timeline)
    world.run_for(seconds(86_400))
    assert len(world.timeline) == settled
    assert world.holders(VRID) == {"a"}
    assert world.nodes["b"].counters()["adverts_received"] == lan.frames


@pytest.mark.slow
def test_a_million_seconds() -> None:
    """Given a LAN that loses one frame in 50 and delays all, when a million seconds go by, then
    the better router has held the addresses all the time."""
    world = World(seed=7, record_adverts=False)
    lan = world.lan(loss=0.02, jitter=milliseconds(200))
    a = world.router("a", lan, "192.0.2.1", vrid=VRID, priority=200)
    b = world.router("b", lan, "192.0.2.2", vrid=VRID, priority=100)
    a.start()
    b.start()
    world.run_for(seconds(1_000_000))
    assert all("a" in who for begin, _, who in world.spans(VRID) if begin >= DOWN_200)
    assert a.counters()["released_active"] == 0
    assert Fault(b.status()["faults"]) == 0
