"""Links that lose their carrier, come and go, and change: rows 1 to 13 of docs/faults.md."""

import re

import pytest

from faults.pair import (
    AT_ONCE_S,
    DOWN_100_S,
    DOWN_200_S,
    FAST,
    INTERVAL_S,
    SCHEDULING_S,
    TIMEOUT_S,
    VIP,
    Pair,
    ip,
)
from lab import Advert, Arp, Host, Lab

pytestmark = pytest.mark.netns

GROUP = "120000E0"
"""224.0.0.18 as /proc/net/igmp has it."""
WORKER_SOCKETS = "ls -l /proc/$(cat /run/router-vrrp.pid)/fd | grep -c socket:"


def member(host: Host) -> bool:
    """Tell whether eth0 takes what is sent to the group."""
    entries = re.split(r"^\d+\s+", host.run("cat", "/proc/net/igmp"), flags=re.MULTILINE)
    return any(entry.startswith("eth0") and GROUP in entry for entry in entries)


def preempted(pair: Pair, after: int) -> None:
    """Wait until `a` is back, in its Active_Down_Interval from `after` on, and `b` has let go."""
    back = pair.added("a", after)
    assert back.at - after <= (DOWN_200_S + SCHEDULING_S) * 1e9
    pair.removed("b", back.at - int(SCHEDULING_S * 1e9))
    assert pair.both_hold(after) <= SCHEDULING_S


def taken_over(pair: Pair, after: int) -> None:
    """Wait until `a` has let go at once, and `b` taken over in its Active_Down_Interval."""
    pair.logged("a", "entering FAULT state (interface eth0 down)", after=after)
    gone = pair.removed("a", after)
    assert gone.at - after <= AT_ONCE_S * 1e9
    taken = pair.added("b", after)
    assert taken.at - after <= (DOWN_100_S + SCHEDULING_S) * 1e9
    assert pair.both_hold(after) == 0


def test_fault_001_master_loses_its_carrier(pair: Pair) -> None:
    """Given a pair, when the master's cable is pulled, then it lets go at once, and the backup
    takes over in its Active_Down_Interval; when the cable is back, then the master is, in its
    own."""
    cut = pair.lab.now()
    pair.a.host.cut()
    taken_over(pair, cut)
    healed = pair.lab.now()
    pair.a.host.heal()
    preempted(pair, healed)


def test_fault_002_interface_of_the_master_is_set_down(pair: Pair) -> None:
    """Given a pair, when the master's interface is set down, then the same happens; when it is set
    up, then the master is back, and hears the group."""
    down = pair.lab.now()
    ip(pair.a.host, "link set eth0 down")
    taken_over(pair, down)
    up = pair.lab.now()
    ip(pair.a.host, "link set eth0 up")
    preempted(pair, up)
    assert member(pair.a.host)


def test_fault_003_interface_of_the_backup_is_down_for_a_while(pair: Pair) -> None:
    """Given a pair, when the backup's interface is down for a while, then the backup is in FAULT
    meanwhile, and in BACKUP afterwards: it hears the group, and nobody takes over."""
    began = pair.lab.now()
    ip(pair.b.host, "link set eth0 down")
    pair.logged("b", "entering FAULT state (interface eth0 down)", after=began)
    pair.adverts(5)
    ip(pair.b.host, "link set eth0 up")
    pair.logged("b", "Entering BACKUP STATE", after=began)
    pair.adverts(6)
    assert pair.changes(began) == ["b: Entering FAULT STATE", "b: Entering BACKUP STATE"]
    assert pair.sent("b", began) == []
    assert member(pair.b.host)


def test_fault_004_carrier_flaps(pair: Pair) -> None:
    """Given a pair, when the master's carrier comes and goes twenty times, faster than its
    Active_Down_Interval, then the backup takes over once, and the master is back once; the log has
    a few lines for each time."""
    flaps = 20
    began = pair.lab.now()
    port = pair.a.host.name
    one = f"ip link set dev {port} down; ip link set dev {port} up"
    pair.lab.switch.run("sh", "-c", f"for i in $(seq {flaps}); do {one}; done")
    ended = pair.lab.now()
    preempted(pair, ended)
    pair.logged("a", "Entering MASTER STATE", after=began)
    changes = pair.changes(began)
    assert changes.count("b: Entering MASTER STATE") <= 1
    assert changes.count("a: Entering MASTER STATE") == 1
    assert len(pair.lines("a", began)) <= 6 * flaps + 10


def black_hole(pair: Pair) -> int:
    """Let the switch drop everything from and to `a` until `b` has taken over; return when that
    ended."""
    cut = pair.lab.now()
    pair.a.host.isolate()
    pair.added("b", cut)
    assert pair.a.host.holds(VIP)
    healed = pair.lab.now()
    pair.a.host.heal()
    first = pair.lab.first(Advert, lambda e: e.host == "a", after=healed, timeout=TIMEOUT_S)
    assert first.at - healed <= (INTERVAL_S + SCHEDULING_S) * 1e9
    yielded = pair.removed("b", healed)
    assert yielded.at - first.at <= (0.02 + SCHEDULING_S) * 1e9
    return healed


def test_fault_005_bridge_port_of_the_master_is_a_black_hole(pair: Pair) -> None:
    """Given a pair, when the switch drops everything from and to the master while its carrier
    stays, then both hold the address; when that is over, then the backup yields to the master's
    first advert."""
    healed = black_hole(pair)
    pair.adverts(3)
    assert not [line for line in pair.changes(healed) if line.startswith("a")]


def test_fault_005_master_that_hears_of_the_other_one_announces_itself(lab: Lab) -> None:
    """Given a pair whose routers say so before they yield, when the black hole ends, then the
    master hears that there was another holder, and announces the address again."""
    healed = black_hole(Pair(lab, f"{FAST}\n higher_prio_send_advert true"))
    lab.first(
        Arp, lambda e: e.host == "a" and e.gratuitous and e.sender == VIP, after=healed, timeout=1
    )


def sockets(host: Host) -> int:
    """Return how many sockets the worker has open."""
    return int(host.run("sh", "-c", WORKER_SOCKETS))


def test_fault_006_interface_is_deleted(pair: Pair) -> None:
    """Given a pair, when the master's interface is deleted, then the master is in FAULT at once,
    its sockets there are closed, and it goes on; the backup takes over. When the interface is made
    anew, then so are the sockets."""
    before = sockets(pair.a.host)
    deleted = pair.lab.now()
    ip(pair.a.host, "link del eth0")
    gone = pair.removed("a", deleted)
    assert gone.at - deleted <= AT_ONCE_S * 1e9
    pair.logged("a", "entering FAULT state (interface eth0 does not exist", after=deleted)
    pair.lab.wait_for(lambda: sockets(pair.a.host) == before - 3, TIMEOUT_S)
    assert pair.added("b", deleted).at - deleted <= (DOWN_100_S + SCHEDULING_S) * 1e9
    assert not [line for line in pair.lines("a", deleted) if "Traceback" in line]
    made = pair.lab.now()
    pair.a.host.plug_in()
    pair.added("a", made)
    assert sockets(pair.a.host) == before


def test_fault_007_interface_is_made_anew(pair: Pair) -> None:
    """Given a pair, when the interface of either is deleted and made again with another index, then
    the router is back in its Active_Down_Interval, and hears the group, without a reload."""
    for router in (pair.b, pair.a):
        deleted = pair.lab.now()
        ip(router.host, "link del eth0")
        pair.logged(router.host.name, "Entering FAULT STATE", after=deleted)
        if router is pair.a:
            pair.added("b", deleted)
        made = pair.lab.now()
        router.host.plug_in()
        pair.logged(router.host.name, "Entering BACKUP STATE", after=made)
        assert member(router.host)
    preempted(pair, made)
    pair.adverts(6)
    assert [line for line in pair.changes(made) if line.startswith("b")][-1].endswith(
        "BACKUP STATE"
    )


@pytest.mark.parametrize("how", ["changed", "made anew"])
def test_fault_008_interface_gets_another_mac(pair: Pair, how: str) -> None:
    """Given a pair, when the master's interface gets another MAC address, or is made anew with
    another, then the address is announced with that one."""
    host, other = pair.a.host, f"02:00:00:00:aa:{len(how):02x}"
    pair.lab.name(other, "a")
    changed = pair.lab.now()
    if how == "made anew":
        ip(host, "link del eth0")
        pair.logged("a", "Entering FAULT STATE", after=changed)
        host.plug_in()
    ip(host, f"link set eth0 address {other}")
    pair.lab.first(
        Arp,
        lambda e: (e.sender, e.sender_mac) == (VIP, other) and e.gratuitous,
        after=changed,
        timeout=TIMEOUT_S,
    )
    ip(host, f"link set eth0 address {host.mac}")


MANY = "\n".join(f"10.9.0.{number}/24" for number in range(100, 120))


def test_fault_010_mtu_is_less_than_an_advert(lab: Lab) -> None:
    """Given adverts of 20 addresses, when the master's MTU is less than they need, then it lets go
    after three that could not be sent, and the backup takes over; when the MTU is as before, then
    the master is back at once."""
    pair = Pair(lab, addresses=MANY)
    lowered = lab.now()
    ip(pair.a.host, "link set eth0 mtu 100")
    gone = pair.removed("a", lowered)
    assert gone.at - lowered <= (3 * INTERVAL_S + SCHEDULING_S) * 1e9
    pair.logged("a", "adverts cannot be sent (Message too long)", after=lowered)
    pair.added("b", lowered)
    raised = lab.now()
    ip(pair.a.host, "link set eth0 mtu 1500")
    preempted(pair, raised)
