"""Processes that are ended, in order or not: rows 28 to 31 of docs/faults.md."""

import pytest

from faults.pair import AT_ONCE_S, SCHEDULING_S, SKEW_100_S, TIMEOUT_S, VIP, Pair
from lab import Advert, Exited, Host, Lab

pytestmark = pytest.mark.netns


def farewell(pair: Pair, after: int) -> Advert:
    """Wait for the farewell of `a`, for the end of its address, and for `b`, which takes over
    Skew_Time later."""
    last = pair.lab.first(
        Advert, lambda e: e.host == "a" and e.priority == 0, after=after, timeout=TIMEOUT_S
    )
    assert last.at - after <= AT_ONCE_S * 1e9
    gone = pair.removed("a", after)
    assert gone.at - last.at <= SCHEDULING_S * 1e9
    taken = pair.added("b", after)
    assert taken.at - last.at <= (SKEW_100_S + SCHEDULING_S) * 1e9
    assert pair.both_hold(after) == 0
    return last


def running(host: Host) -> bool:
    """Tell whether any process of the daemon is left."""
    return "fastvrrpd" in host.run("sh", "-c", "cat /proc/[0-9]*/comm")


def test_fault_029_parent_is_killed(lab: Lab) -> None:
    """Given a pair, when the master's parent process is killed, then the one that runs the protocol
    says farewell, removes the address and ends; the backup takes over after its Skew_Time."""
    pair = Pair(lab)
    killed = lab.now()
    pair.a.host.run("sh", "-c", "kill -9 $(cat /run/router.pid)")
    farewell(pair, killed)
    lab.wait_for(lambda: not running(pair.a.host), TIMEOUT_S)
    assert not pair.a.host.holds(VIP)


def test_fault_031_master_is_stopped_in_order(lab: Lab) -> None:
    """Given a pair, when the master's daemon is told to stop, then it says farewell before it
    removes the address, ends within a second, and leaves nothing; the backup takes over after its
    Skew_Time."""
    pair = Pair(lab)
    told = lab.now()
    pair.a.stop()
    farewell(pair, told)
    ended = lab.first(Exited, lambda e: e.host == "a", after=told, timeout=TIMEOUT_S)
    assert ended.status == 0
    assert ended.at - told <= (1 + SCHEDULING_S) * 1e9
    assert VIP not in pair.a.host.run("ip", "-o", "addr", "show", "dev", "eth0")
