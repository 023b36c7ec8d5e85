"""What the core asks for: its order, and that it cannot become too much."""

from typing import Unpack

from packets import PEER, VIP, Changes, advert, deliver, params

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.acts import Act
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, State


def active(count: int = 1, **changes: Unpack[Changes]) -> Core:
    """Return a core whose routers have just become active, with nothing left to ask for."""
    core = Core(count)
    for vrid in range(1, count + 1):
        each: Changes = {"vrid": vrid, **changes}
        core.add(params(**each))
        core.startup(vrid - 1, 0)
    core.advance(seconds(4))
    core.drain()
    core.drain_notes()
    return core


def kinds(acts: list[Act]) -> list[tuple[str, int]]:
    return [(act.kind, act.a) for act in acts]


def hear(core: Core, priority: int, now: int, vr: int = 0) -> None:
    core.hear(vr, priority=priority, interval=seconds(1), source=PEER, now=now, addresses=(VIP,))


def test_taking_over_is_send_install_announce() -> None:
    core = Core(1)
    core.add(params())
    core.startup(0, 0)
    core.advance(seconds(4))
    assert kinds(core.drain()) == [("SEND", 100), ("INSTALL", 0), ("ANNOUNCE", 1)]


def test_stopping_is_resign_withdraw() -> None:
    core = active()
    core.shutdown(0, seconds(5))
    assert kinds(core.drain()) == [("SEND", 0), ("WITHDRAW", 0)]
    assert core.deadline() is None


def test_fault_is_resign_withdraw() -> None:
    core = active()
    core.set_faults(0, Fault.LINK, seconds(5))
    assert kinds(core.drain()) == [("SEND", 0), ("WITHDRAW", 0)]


def test_yielding_does_not_resign() -> None:
    """Priority 0 would call the other backups to an election that is already decided."""
    core = active()
    deliver(core, advert(vrid=1, priority=200), seconds(5))
    assert kinds(core.drain()) == [("WITHDRAW", 0)]


def test_acts_carry_their_instant_and_router() -> None:
    core = active(3)
    core.shutdown(1, seconds(5))
    assert [(act.vr, act.at) for act in core.drain()] == [(1, seconds(5)), (1, seconds(5))]


def test_ah_sequence_grows_with_every_advert_and_follows_the_peers() -> None:
    """Given AH, then every advert has a number of its own, above all that were heard, priority 0
    too."""
    core = active(auth_type=2, password=b"secret")
    core.advance(seconds(5))
    assert [act.b for act in core.drain()] == [2]
    packet = advert(vrid=1, priority=1, ah_sequence=500, auth_type=2, password=b"secret")
    deliver(core, packet, seconds(6))
    core.shutdown(0, seconds(7))
    assert [(act.a, act.b) for act in core.drain() if act.kind == "SEND"] == [(100, 501), (0, 502)]


def test_fault_that_flips_a_thousand_times_in_one_turn_asks_for_a_handful() -> None:
    """Given 100 owners whose fault flips 1000 times before anybody performs an act, then each
    asks for at most four adverts and for each change of addresses once, and nothing is lost."""
    core = active(100, priority=255, start_active=True)
    for flip in range(1000):
        for vr in range(100):
            core.set_faults(vr, Fault.TRACKER if flip % 2 == 0 else 0, seconds(5))
        core.drain_notes()
    acts = core.drain()
    for vr in range(100):
        mine = [act.kind for act in acts if act.vr == vr]
        assert mine.count("SEND") <= 4
        assert sorted(set(mine)) == ["ANNOUNCE", "INSTALL", "SEND", "WITHDRAW"]
        assert len(mine) - mine.count("SEND") == 3
    assert core.drain() == []


def test_core_is_as_before_once_merged_acts_are_taken() -> None:
    """Given acts that were merged and taken, then the next change asks for everything again."""
    core = active(priority=255, start_active=True)
    for flip in range(100):
        core.set_faults(0, Fault.TRACKER if flip % 2 == 0 else 0, seconds(5))
    core.drain()
    core.set_faults(0, Fault.TRACKER, seconds(6))
    assert kinds(core.drain()) == [("SEND", 0), ("WITHDRAW", 0)]
    core.set_faults(0, 0, seconds(7))
    assert kinds(core.drain()) == [("SEND", 255), ("INSTALL", 0), ("ANNOUNCE", 1)]


def test_flood_of_lower_adverts_is_not_amplified() -> None:
    """Given an active router, when 10 000 lower adverts arrive within a second, then it answers
    ten times and announces its addresses once."""
    core = active()
    acts: list[Act] = []
    for i in range(10_000):
        hear(core, 1, seconds(5) + i * 100_000)
        acts += core.drain()
    assert [act.kind for act in acts].count("SEND") == 10
    assert [act.kind for act in acts].count("ANNOUNCE") == 1
    assert core.counters(0)["replies_suppressed"] == 9_990


def test_flood_of_resignations_is_not_amplified() -> None:
    core = active()
    for i in range(10_000):
        hear(core, 0, seconds(5) + i * 100_000)
        core.drain()
    assert core.counters(0)["adverts_sent"] == 1 + 10
    assert core.state(0) is State.ACTIVE


def test_an_answer_that_waits_to_be_sent_answers_for_all() -> None:
    """Given an active router that stood still, when adverts of many instants are judged at once,
    then one answer goes out."""
    core = active()
    for tenth in range(10):
        hear(core, 1, seconds(5) + milliseconds(100) * tenth)
    assert [act.kind for act in core.drain() if act.kind == "SEND"] == ["SEND"]
    assert core.counters(0)["replies_suppressed"] == 9


def test_answer_restarts_the_advert_timer_and_a_suppressed_one_does_not() -> None:
    core = active()
    hear(core, 1, seconds(5))
    assert core.deadline() == seconds(6)
    core.drain()
    hear(core, 1, seconds(5) + milliseconds(50))
    assert core.deadline() == seconds(6)
    hear(core, 1, seconds(5) + milliseconds(100))
    assert core.deadline() == seconds(6) + milliseconds(100)
