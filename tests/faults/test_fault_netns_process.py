"""Processes that are ended, in order or not: rows 28 to 31 of docs/faults.md."""

from pathlib import Path

import pytest

from faults.pair import (
    AT_ONCE_S,
    DOWN_100_S,
    SCHEDULING_S,
    SKEW_100_S,
    TIMEOUT_S,
    VIP,
    Pair,
    signal_worker,
)
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


def kill(pair: Pair, *files: str) -> int:
    """kill -9 the processes of `a` that these pid files name; return when."""
    killed = pair.lab.now()
    pair.a.host.run("sh", "-c", f"kill -9 $(cat {' '.join(files)})")
    return killed


def test_fault_028_worker_is_killed(lab: Lab) -> None:
    """Given a pair, when the master's process that runs the protocol is killed, then its parent
    says farewell in its name and removes the address, so that the backup takes over after its
    Skew_Time; it is started again, and is the master again."""
    pair = Pair(lab)
    killed = kill(pair, "/run/router-vrrp.pid")
    last = farewell(pair, killed)
    again = pair.logged("a", "Starting VRRP child process", after=last.at)
    pair.added("a", again.at)
    pair.settle()


def running(host: Host) -> bool:
    """Tell whether any process of the daemon is left."""
    return "fastvrrpd" in host.run("sh", "-c", "cat /proc/[0-9]*/comm")


def test_fault_029_parent_is_killed(lab: Lab) -> None:
    """Given a pair, when the master's parent process is killed, then the one that runs the protocol
    says farewell, removes the address and ends; the backup takes over after its Skew_Time."""
    pair = Pair(lab)
    killed = kill(pair, "/run/router.pid")
    farewell(pair, killed)
    lab.wait_for(lambda: not running(pair.a.host), TIMEOUT_S)
    assert not pair.a.host.holds(VIP)


@pytest.mark.parametrize("remedy", ["clean", "start"])
def test_fault_030_both_processes_are_killed(lab: Lab, remedy: str) -> None:
    """Given a pair, when both processes of the master are killed at once, then its address stays,
    and the backup takes over in its Active_Down_Interval; `fastvrrp clean`, which the unit's
    ExecStopPost runs, or the next start removes the address before anything else."""
    pair = Pair(lab)
    signal_worker(pair.a.host, "STOP")  # or it may hear of its parent's end before its own
    killed = kill(pair, "/run/router.pid", "/run/router-vrrp.pid")
    taken = pair.added("b", killed)
    assert taken.at - killed <= (DOWN_100_S + SCHEDULING_S) * 1e9
    assert pair.a.host.holds(VIP)
    began = lab.now()
    if remedy == "clean":
        program = str(Path(pair.a.program).with_name("fastvrrp"))
        pair.a.host.run(program, "clean", "-r", "/run/router-vrrp.pid")
    else:
        pair.a.start()
    gone = pair.removed("a", began)
    if remedy == "start":
        pair.added("a", gone.at)
        pair.settle()


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
