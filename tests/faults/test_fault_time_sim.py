"""Hosts that stand still and clocks that jump: rows 26, 27 and 98-104 of docs/faults.md."""

import pytest
from scenery import DELAY, DOWN_100, DOWN_200, Pair, Settings, entries, pair, states

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.names import Reason, State
from faults.strangers import spoofed

HOUR = seconds(3600)
AH: Settings = {"auth_type": 2, "password": b"secret"}


def test_fault_026_stalled_holder_is_replaced_and_reasserts_itself() -> None:
    """Given a settled pair, when the holder stands still for 8 s, then the other takes over in
    time; when the holder moves again, then it sends one advert and one round of announcements,
    and the other yields."""
    reasserts_itself(pair(), seconds(8), DOWN_100)


def test_fault_026_stalled_holder_reasserts_itself_once_at_any_interval() -> None:
    """Given intervals of 0.1 s, then it is the same: one advert, however many of the other waited
    meanwhile, each with its own time of arrival."""
    interval = milliseconds(100)
    down = 3 * interval + interval * 156 // 256
    reasserts_itself(pair(version=3, advert_interval=interval), milliseconds(900), down)


def reasserts_itself(p: Pair, duration: int, down: int) -> None:
    p.settle()
    p.a.stall(duration)
    stalled = p.world.now
    p.world.run_until(lambda: "b" in p.holders(), limit=down)
    p.world.run_until(stalled + duration)
    assert p.holders() == {"a", "b"}
    p.world.run_for(DELAY)
    assert p.holders() == {"a"}
    resumed = [e.what for e in p.world.timeline if e.node == "a" and e.at == stalled + duration]
    assert resumed.count("SEND") == 1
    assert resumed.count("ANNOUNCE") == 1


def test_fault_027_stalled_backup_does_not_take_over() -> None:
    """Given a settled pair, when the backup stands still for 8 s, then it reads the adverts that
    waited before it looks at its timer."""
    p = pair()
    p.settle()
    p.b.stall(seconds(8))
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]
    assert entries(p.world, "STALLED") == []


def test_fault_027_stalled_backup_that_lost_the_adverts_waits_one_more_interval() -> None:
    """Given the backup stands still for 8 s and its adverts are lost, when it moves again, then
    it waits one interval for a live holder instead of taking over."""
    p = pair()
    p.settle()
    p.b.stall(seconds(8), deaf=True)
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]
    assert len(entries(p.world, "STALLED", node="b")) == 1


def test_fault_027_stalled_backup_of_a_dead_holder_takes_over_one_interval_late() -> None:
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


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["+1h", "-1h"])
@pytest.mark.parametrize("who", ["a", "b"])
def test_fault_098_step_of_the_wall_clock_changes_nothing(who: str, step: int) -> None:
    """Given a settled pair, when the time of day of either is set by an hour, then nothing at all
    happens: no state, no advert more or less."""
    p = pair()
    p.settle()
    settled = len(p.world.timeline)
    p.world.nodes[who].step_wall_clock(step)
    p.world.run_for(seconds(60))
    assert [(e.node, e.what) for e in p.world.timeline[settled:]] == [("a", "SEND")] * 60


def test_fault_099_clock_of_the_backup_jumps_an_hour() -> None:
    """Given a settled pair, when the monotonic clock of the backup jumps, then it listens before it
    believes that the holder is dead."""
    p = pair()
    p.settle()
    p.b.jump_clock(HOUR)
    p.world.run_for(seconds(60))
    assert states(p.world, "b") == [State.BACKUP]


def test_fault_099_suspended_backup_listens_first() -> None:
    """Given the backup was suspended for an hour, when it resumes, then it stays BACKUP; it says
    for how long it slept."""
    p = pair()
    p.settle()
    p.b.suspend(HOUR)
    p.world.run_for(HOUR + seconds(60))
    assert states(p.world, "b") == [State.BACKUP]
    assert [e.value for e in entries(p.world, "RESUMED", node="b")] == [HOUR]


def test_fault_099_suspended_backup_of_a_dead_holder_waits_a_whole_interval() -> None:
    """Given the holder died while the backup was suspended, when it resumes, then it takes over
    after one whole Active_Down_Interval."""
    p = pair()
    p.settle()
    p.b.suspend(HOUR)
    p.a.crash()
    p.world.run_for(HOUR)
    resumed = p.world.now
    p.world.run_until(lambda: p.holders() == {"b"}, limit=DOWN_100)
    assert p.world.now == resumed + DOWN_100


def test_fault_100_clock_of_the_holder_jumps_an_hour() -> None:
    """Given a settled pair, when the monotonic clock of the holder jumps, then it sends one advert
    at once and stays; its rhythm does not try to catch up."""
    p = pair()
    p.settle()
    p.a.jump_clock(HOUR)
    jumped = p.world.now
    assert len(entries(p.world, "SEND", node="a", since=jumped)) == 1
    p.world.run_for(seconds(60))
    assert 60 <= len(entries(p.world, "SEND", node="a", since=jumped)) <= 62
    assert p.holders() == {"a"}
    assert states(p.world, "b") == [State.BACKUP]


def test_fault_100_suspended_holder_lets_go_and_listens() -> None:
    """Given the holder was suspended for an hour and the other took over, when it resumes, then it
    withdraws in the same instant, without priority 0, and takes the addresses back in order."""
    p = pair()
    p.settle()
    p.a.suspend(HOUR)
    p.world.run_for(HOUR)
    resumed = p.world.now
    assert p.holders() == {"b"}
    assert entries(p.world, "SEND", node="a", since=resumed) == []
    p.world.run_until(lambda: p.holders() == {"a"}, limit=DOWN_200 + DELAY)
    assert p.overlap(resumed) == DELAY
    assert [e.detail for e in entries(p.world, "STATE", node="a", since=resumed)] == [
        Reason.RESUME,
        Reason.PREEMPTION,
    ]


def test_fault_100_suspended_owner_sends_at_once_and_stays() -> None:
    """Given the address owner was suspended for an hour, when it resumes, then one advert in the
    same instant makes the other yield."""
    p = pair(a={"priority": 255, "start_active": True})
    p.settle()
    p.a.suspend(HOUR)
    p.world.run_for(HOUR)
    resumed = p.world.now
    assert len(entries(p.world, "SEND", node="a", since=resumed)) == 1
    p.world.run_for(DELAY)
    assert p.holders() == {"a"}
    assert states(p.world, "a", since=resumed) == []


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
def test_fault_101_nothing_happens_when_a_counter_of_time_would_wrap(wrap: int) -> None:
    """Given clocks that pass 2^31 or 2^32 of any unit in the middle of an election, a failover
    and a return, then everything happens as it does at any other time."""
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


def test_fault_103_ah_sequence_numbers_end() -> None:
    """Given AH counters that are almost used up, when they end, then the holder becomes BACKUP
    without priority 0, the other takes over in its Active_Down_Interval at the latest, and the
    better one after its own, both with counters that begin anew; that is all."""
    p = pair(**AH)
    p.settle()
    raise_ah_counters(p, 0xFFFFEFE8)
    p.world.run_until(lambda: p.holders() != {"a"}, limit=seconds(30))
    ended = p.world.now
    p.world.run_until(lambda: p.holders() == {"b"}, limit=DOWN_100)
    p.world.run_until(ended + DOWN_200 + DELAY)
    assert p.holders() == {"a"}
    assert entries(p.world, "SEND", node="a", since=ended)[0].value == 200
    p.world.run_for(HOUR)
    assert [e.detail for e in entries(p.world, "STATE", node="a", since=ended)] == [
        Reason.SEQUENCE,
        Reason.PREEMPTION,
    ]
    assert len(entries(p.world, "SEQUENCE_END", node="a")) == 1
    for node in (p.a, p.b):
        assert node.counters()["rejected_auth_replay"] == 0


def raise_ah_counters(p: Pair, sequence: int) -> None:
    """A router's own counter follows the highest one heard."""
    p.lan.inject(spoofed(**AH, priority=1, ah_sequence=sequence))
    p.world.run_for(DELAY)


@pytest.mark.parametrize("clock_runs", [True, False], ids=["stopped", "paused-guest"])
@pytest.mark.parametrize("deaf", [False, True], ids=["queued", "lost"])
def test_fault_104_both_hosts_are_paused(*, clock_runs: bool, deaf: bool) -> None:
    """Given a settled pair, when both hosts stand still for 30 s, then the same router holds the
    addresses afterwards, and nobody else did meanwhile."""
    p = pair()
    p.settle()
    for node in (p.a, p.b):
        node.stall(seconds(30), clock_runs=clock_runs, deaf=deaf)
    p.world.run_for(seconds(90))
    assert p.holders() == {"a"}
    assert p.overlap(seconds(10)) == p.gap(seconds(10)) == 0


def test_fault_104_both_hosts_are_suspended() -> None:
    """Given a settled pair, when both hosts are suspended for an hour, then the better router holds
    the addresses again after its Active_Down_Interval, and never both."""
    p = pair()
    p.settle()
    p.a.suspend(HOUR)
    p.b.suspend(HOUR)
    p.world.run_for(HOUR)
    resumed = p.world.now
    p.world.run_until(lambda: p.holders() == {"a"}, limit=DOWN_200)
    p.world.run_for(seconds(60))
    assert p.holders() == {"a"}
    assert p.overlap(resumed) == 0
    assert states(p.world, "b") == [State.BACKUP]
