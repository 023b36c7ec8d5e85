"""Replay marks: whom they are kept for, and when they move."""

from packets import HMAC_ROUTER, PEER, STRANGER, WITH_AH, advert, deliver, params, signed

from fastvrrp.clock import seconds
from fastvrrp.core.core import Core
from fastvrrp.names import Fault


def test_adverts_that_were_heard_in_fault_are_replays_afterwards() -> None:
    """Given a router in FAULT, when authentic adverts arrive, and again when the fault is gone,
    then those are replays."""
    core = Core(1)
    core.add(HMAC_ROUTER)
    core.startup(0, 0)
    core.set_faults(0, Fault.LINK, seconds(1))
    for second in range(1, 6):
        deliver(core, signed(second=second), seconds(1))
    core.set_faults(0, 0, seconds(2))
    for second in range(1, 6):
        deliver(core, signed(second=second), seconds(3))
    assert core.counters(0)["rejected_inactive"] == 5
    assert core.counters(0)["rejected_hmac_replay"] == 5
    assert core.counters(0)["adverts_received"] == 0


def test_marks_of_former_peers_do_not_push_out_those_of_present_ones() -> None:
    core = Core(1)
    core.add(params(peers=(PEER,), **WITH_AH))
    former = [(bytes((192, 0, 2, host)), 5, 0) for host in range(100, 107)]
    core.restore_marks(0, [*former, (PEER, 7, 0)], (0, 0), seconds(1))
    assert core.marks(0) == [(PEER, 7, 0)]


def test_no_more_marks_are_taken_than_there_is_room_for() -> None:
    core = Core(1)
    core.add(params(**WITH_AH))
    many = [(bytes((192, 0, 2, host)), host, 0) for host in range(1, 20)]
    core.restore_marks(0, many, (0, 0), seconds(1))
    assert core.marks(0) == many[:8]


def test_a_restored_mark_makes_an_old_advert_a_replay_until_the_sender_was_silent() -> None:
    """Given a mark of the last run, when an advert with an older number comes, then it is a replay;
    once the sender has been silent for an Active_Down_Interval, it may have started again."""
    for instant, replays in ((seconds(3), 1), (seconds(6), 0)):
        core = Core(1)
        core.add(params(**WITH_AH))
        core.restore_marks(0, [(PEER, 100, 0), (STRANGER, 1, 0)], (40, 0), seconds(1))
        core.startup(0, seconds(1))
        deliver(core, advert(**WITH_AH, ah_sequence=50), instant)
        assert core.counters(0)["rejected_auth_replay"] == replays
        assert core.sequence(0)[0] >= 40
