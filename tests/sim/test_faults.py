"""Networks that break and hosts that stand still. Numbers in brackets are those of the fault
matrix."""

import pytest
from scenery import DELAY, DOWN_100, DOWN_200, VRID, Pair, Settings, entries, pair, states

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.names import Fault, State
from fastvrrp.sim import World

HOUR = seconds(3600)


# ---- the network ----


def test_partition_makes_two_holders_and_healing_one() -> None:
    """Given a settled pair, when the LAN falls apart, then both hold the addresses; when it
    heals, then the better one alone within one advert, and it announces itself again to every
    switch and host (5)."""
    p = pair()
    p.settle()
    p.lan.partition({"a"}, {"b"})
    p.world.run_for(seconds(60))
    assert p.holders() == {"a", "b"}
    p.lan.heal()
    healed = p.world.now
    p.world.run_until(lambda: p.holders() == {"a"}, limit=seconds(1) + 2 * DELAY)
    p.world.run_for(seconds(60))
    assert p.holders() == {"a"}
    assert p.gap(healed) == 0
    assert len(entries(p.world, "ANNOUNCE", node="a", since=healed)) <= 1


def test_healing_is_announced_when_the_holder_hears_the_loser_first() -> None:
    """Given both hold the addresses, when the better one hears the other before it is heard, then
    it answers at once and announces the addresses again."""
    p = pair(b={"advert_interval": seconds(1)})
    p.settle()
    p.lan.partition({"a"}, {"b"})
    p.world.run_for(seconds(10))
    p.lan.heal()
    p.lan.cut("a", "b")
    healed = p.world.now
    p.world.run_for(seconds(3))
    assert len(entries(p.world, "ANNOUNCE", node="a", since=healed)) >= 1
    p.lan.heal()
    p.world.run_for(seconds(1))
    assert p.holders() == {"a"}


def test_one_way_cut_towards_the_backup() -> None:
    """Given the backup no longer hears the holder, then both hold the addresses, the holder knows
    it, and its answers stay at the pace of the other's adverts."""
    p = pair()
    p.settle()
    p.lan.cut("a", "b")
    cut = p.world.now
    p.world.run_for(seconds(60))
    assert p.holders() == {"a", "b"}
    assert len(entries(p.world, "SEND", node="a", since=cut)) <= 2 * 60
    assert entries(p.world, "LOWER_PRIORITY", node="a", since=cut)
    p.lan.heal()
    p.world.run_for(seconds(1))
    assert p.holders() == {"a"}


def test_one_way_cut_towards_the_holder_changes_nothing() -> None:
    """Given the holder no longer hears the backup, then nothing happens: a backup is silent
    anyway."""
    p = pair()
    p.settle()
    p.lan.cut("b", "a")
    p.world.run_for(seconds(600))
    assert states(p.world, "b") == [State.BACKUP]


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


@pytest.mark.parametrize("loss", [0.2, 0.4, 0.6])
def test_lossy_network(loss: float) -> None:
    """Given a settled pair, when every frame is lost with a probability of 20, 40 or 60 % for
    three hours, then the addresses are never without a holder, the better router never lets go of
    them, the false takeovers of the other stay within what three lost adverts in a row explain,
    and each ends with the next advert that gets through; after the loss there is one holder
    within an interval."""
    p = pair(seed=40)
    p.settle()
    began = p.world.now
    intervals = 3 * 3600
    p.lan.set_all(loss=loss)
    p.world.run_for(seconds(intervals))
    assert p.gap(began) == 0
    assert states(p.world, "a", began) == []
    assert states(p.world, "b", began).count(State.ACTIVE) <= intervals * loss**3
    assert p.overlap(began) <= seconds(intervals * loss**3 / (1 - loss))
    p.lan.set_all(loss=0)
    p.world.run_for(seconds(1) + 2 * DELAY)
    assert p.holders() == {"a"}


def test_duplicated_and_reordered_adverts_change_nothing() -> None:
    """Given every frame arrives twice, each copy up to 900 ms late, then a settled pair stays as
    it is."""
    p = pair()
    p.settle()
    p.lan.set_all(duplication=1.0, jitter=milliseconds(900))
    p.world.run_for(HOUR)
    assert p.holders() == {"a"}
    assert states(p.world, "b") == [State.BACKUP]


def test_duplicated_ah_adverts_are_refused_once_and_harmless() -> None:
    """Given AH and every frame arrives twice, then each second copy is a replay, and nothing else
    happens."""
    p = pair(auth_type=2, password=b"secret")
    p.settle()
    p.lan.set_all(duplication=1.0)
    p.world.run_for(seconds(100))
    assert p.b.counters()["rejected_auth_replay"] == 100
    assert states(p.world, "b") == [State.BACKUP]


# ---- hosts that stand still ----


def test_stalled_holder_is_replaced_and_reasserts_itself() -> None:
    """Given a settled pair, when the holder stands still for 8 s, then the other takes over in
    time; when the holder moves again, then it sends one advert and one round of announcements,
    and the other yields (26)."""
    p = pair()
    p.settle()
    p.a.stall(seconds(8))
    stalled = p.world.now
    p.world.run_until(lambda: "b" in p.holders(), limit=DOWN_100)
    p.world.run_until(stalled + seconds(8))
    assert p.holders() == {"a", "b"}
    p.world.run_for(DELAY)
    assert p.holders() == {"a"}
    resumed = [e.what for e in p.world.timeline if e.node == "a" and e.at == stalled + seconds(8)]
    assert resumed.count("SEND") == 1
    assert resumed.count("ANNOUNCE") == 1


def test_stalled_backup_does_not_take_over() -> None:
    """Given a settled pair, when the backup stands still for 8 s with the adverts waiting in its
    socket, then it reads them before it looks at its timer (27)."""
    p = pair()
    p.settle()
    p.b.stall(seconds(8))
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]
    assert entries(p.world, "STALLED") == []


def test_stalled_backup_that_lost_the_adverts_waits_one_more_interval() -> None:
    """Given the backup stands still for 8 s and its adverts are lost, when it moves again, then
    it waits one interval for a live holder instead of taking over."""
    p = pair()
    p.settle()
    p.b.stall(seconds(8), deaf=True)
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]
    assert len(entries(p.world, "STALLED", node="b")) == 1


def test_stalled_backup_of_a_dead_holder_takes_over_one_interval_late() -> None:
    """Given the holder dies while the backup stands still, when the backup moves again, then it
    takes over after one more interval: the price of not taking over from a live one."""
    p = pair()
    p.settle()
    p.b.stall(seconds(8), deaf=True)
    p.a.crash()
    p.world.run_for(seconds(8))
    resumed = p.world.now
    p.world.run_until(lambda: p.holders() == {"b"}, limit=seconds(1))
    assert p.world.now == resumed + seconds(1)


def test_clock_of_the_backup_jumps_an_hour() -> None:
    """Given a settled pair, when the backup resumes from a suspend and its clock jumps, then it
    listens before it believes that the holder is dead (99)."""
    p = pair()
    p.settle()
    p.b.jump_clock(HOUR)
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]


def test_clock_of_the_holder_jumps_an_hour() -> None:
    """Given a settled pair, when the holder's clock jumps, then it sends one advert at once and
    stays; its rhythm does not try to catch up (100)."""
    p = pair()
    p.settle()
    p.a.jump_clock(HOUR)
    jumped = p.world.now
    assert len(entries(p.world, "SEND", node="a", since=jumped)) == 1
    p.world.run_for(seconds(60))
    assert 60 <= len(entries(p.world, "SEND", node="a", since=jumped)) <= 62
    assert p.holders() == {"a"}
    assert states(p.world, "b") == [State.BACKUP]


@pytest.mark.parametrize("clock_runs", [True, False], ids=["stopped", "paused-guest"])
@pytest.mark.parametrize("deaf", [False, True], ids=["queued", "lost"])
def test_both_hosts_are_paused(*, clock_runs: bool, deaf: bool) -> None:
    """Given a settled pair, when both hosts stand still for 30 s, then the same router holds the
    addresses afterwards, and nobody else did meanwhile (104)."""
    p = pair()
    p.settle()
    for node in (p.a, p.b):
        node.stall(seconds(30), clock_runs=clock_runs, deaf=deaf)
    p.world.run_for(seconds(90))
    assert p.holders() == {"a"}
    assert p.overlap(seconds(10)) == p.gap(seconds(10)) == 0


@pytest.mark.parametrize(
    "wrap",
    [
        2**31 * 1_000_000,
        2**32 * 1_000_000,
        2**31 * 1_000,
        2**32 * 1_000,
        2**31 * seconds(1),
        2**62,
    ],
    ids=["2^31ms", "2^32ms-49days", "2^31us", "2^32us", "2^31s", "2^62ns"],
)
def test_nothing_happens_when_a_counter_of_time_would_wrap(wrap: int) -> None:
    """Given clocks that pass 2^31 or 2^32 of any unit in the middle of an election, a failover
    and a return, then everything happens as it does at any other time (101)."""
    assert life_of_a_pair(wrap - seconds(7)) == life_of_a_pair(0)


def life_of_a_pair(start: int) -> list[tuple[int, str, str, int]]:
    p = pair(start=start, garp=Garp())
    p.settle()
    p.a.crash()
    p.world.run_for(seconds(5))
    p.a.start()
    p.world.run_for(seconds(30))
    return [(e.at - start, e.node, e.what, e.value) for e in p.world.timeline]


class Garp:
    delay = seconds(2)
    repeat = 5
    refresh = seconds(3)
    refresh_repeat = 1
    lower_prio_delay = seconds(5)
    lower_prio_repeat = 5


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
