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
    config,
    ip,
)
from lab import AddressRemoved, Advert, Arp, Host, Lab, Router

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


def test_fault_009_interface_is_renamed(pair: Pair) -> None:
    """Given a pair, when the master's interface gets another name, then the master is in FAULT, and
    tells the new name; the address is gone, and the backup takes over. When the interface has its
    name again, then the master is back."""
    renamed = pair.lab.now()
    ip(pair.a.host, "link set eth0 name lan0")
    pair.logged("a", "interface eth0 does not exist", after=renamed)
    pair.logged("a", "Interface eth0 was renamed to lan0", after=renamed)
    pair.removed("a", renamed)
    pair.added("b", renamed)
    back = pair.lab.now()
    ip(pair.a.host, "link set lan0 name eth0")
    preempted(pair, back)


def test_fault_009_interface_of_an_untracked_address_is_renamed(lab: Lab) -> None:
    """Given an address on another interface, untracked, when that one is renamed while the router
    is the master, then the address is taken from it, and the router stays; when it has its name
    again, then it has the address again."""
    host = lab.host("a", "10.9.0.1/24")
    ip(host, "link add other type veth peer name far")
    ip(host, "link set other up")
    ip(host, "link set far up")
    addresses = f"{VIP}/24\n 10.8.0.100/24 dev other no_track"
    Router(host, config(200, FAST, addresses), program="fastvrrpd").start()
    lab.wait_for(lambda: host.holds("10.8.0.100") and host.holds(VIP), TIMEOUT_S)
    ip(host, "link set other name another")
    lab.wait_for(lambda: not host.holds("10.8.0.100"), TIMEOUT_S)
    ip(host, "link set another name other")
    lab.wait_for(lambda: host.holds("10.8.0.100"), TIMEOUT_S)
    lost = lab.events(AddressRemoved, lambda e: e.address == VIP)
    assert lost == []


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


def test_fault_011_mtu_changes_harmlessly(lab: Lab) -> None:
    """Given a pair, when the MTU changes to 9000 and 1400 and back, then nothing happens: adverts
    stay on time, and nothing is announced anew."""
    pair = Pair(lab, f"{FAST}\n garp_master_delay 0")
    began = lab.now()
    for mtu in (9000, 1400, 1500):
        for router in (pair.a, pair.b):
            ip(router.host, f"link set eth0 mtu {mtu}")
    sent = pair.adverts(5)
    assert sent[-1].at - sent[0].at <= (4 * INTERVAL_S + SCHEDULING_S) * 1e9
    assert pair.changes(began) == []
    assert lab.events(Arp, lambda e: e.at > began and e.gratuitous) == []


DELETE, MAKE = "ip link del eth0", None
MOVE = "ip netns add away && ip link set eth0 netns away"
MOVE_BACK = """
ip netns exec away ip link set eth0 netns 1
ip addr add 10.9.0.1/24 dev eth0 && ip link set eth0 up
"""


@pytest.mark.parametrize(
    ("leave", "come_back"), [(DELETE, MAKE), (MOVE, MOVE_BACK)], ids=["deleted", "moved"]
)
def test_fault_012_interface_below_a_virtual_mac_goes(
    lab: Lab, leave: str, come_back: str | None
) -> None:
    """Given a pair with a virtual MAC address, when the interface below that of the master is
    deleted, or moved to another network namespace, then the master is in FAULT, and its own
    interface is gone as well; the backup takes over. When the one below is there again, then so is
    the other, and the address on it."""
    pair = Pair(lab, f"{FAST}\n use_vmac")
    host = pair.a.host
    assert f"inet {VIP}/24" in host.run("ip", "addr", "show", "dev", "vrrp.51")
    left = lab.now()
    host.run("sh", "-c", leave)
    pair.logged("a", "entering FAULT state (interface eth0 does not exist", after=left)
    pair.removed("a", left)
    pair.added("b", left)
    lab.wait_for(lambda: "vrrp.51" not in host.run("ip", "link"), TIMEOUT_S)
    back = lab.now()
    if come_back is None:
        host.plug_in()
    else:
        host.run("sh", "-c", come_back)
    pair.added("a", back)
    pair.removed("b", back)
    assert f"inet {VIP}/24" in host.run("ip", "addr", "show", "dev", "vrrp.51")


IPV6 = "fe80::100/64\n fd09::100/64"
GROUP6 = "eth0            ff020000000000000000000000000012"


def test_fault_013_membership_of_the_group_is_lost(lab: Lab) -> None:
    """Given a pair over IPv6, when the kernel forgets that an interface is in the multicast group
    (an MTU below 1280 turns IPv6 off), and all is as before then, then the router joins it again,
    and hears the other one."""
    pair = Pair(lab, addresses=IPV6, vip="fd09::100")
    for router in (pair.b, pair.a):
        name, host = router.host.name, router.host
        lost = lab.now()
        ip(host, "link set eth0 mtu 1279")
        pair.logged(name, "entering FAULT state (no IPv6 address for interface", after=lost)
        ip(host, "link set eth0 mtu 1500")
        pair.logged(name, "ff02::12; joining again", after=lost)
        pair.settle()
        assert GROUP6 in host.run("cat", "/proc/net/igmp6")
        back = lab.now()
        pair.adverts(6)
        assert pair.changes(back) == []
