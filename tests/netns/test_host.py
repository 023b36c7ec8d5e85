"""What the host does to a router, and what a router leaves on it: the real kernel's side."""

from collections.abc import Callable, Iterator

import pytest

from lab import (
    AddressAdded,
    AddressRemoved,
    Advert,
    Arp,
    Exited,
    Host,
    Lab,
    LogLine,
    NeighbourAdvert,
    Router,
)

pytestmark = pytest.mark.netns

CONFIG = """
vrrp_instance VI_1 {
    interface eth0
    version 3
    virtual_router_id 51
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        10.9.0.100/24 label eth0:vip
        10.9.0.101
    }
    virtual_ipaddress_excluded {
        fd09::100/64
    }
}
"""
VIP = "10.9.0.100"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host("r1", "10.9.0.1/24")


def started(lab: Lab, host: Host, config: str = CONFIG) -> Router:
    router = Router(host, config, program="fastvrrpd")
    begin = lab.now()
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP, after=begin, timeout=15)
    return router


def by_address(address: str) -> Callable[[AddressAdded | AddressRemoved], bool]:
    return lambda event: event.address == address


def logged(lab: Lab, text: str, after: int) -> LogLine:
    return lab.first(LogLine, lambda e: text in e.text, after=after, timeout=15)


def test_addresses_are_set_as_written_and_announced(lab: Lab, host: Host) -> None:
    started(lab, host)
    lab.first(NeighbourAdvert, lambda e: e.target == "fd09::100", timeout=5)
    shown = host.run("ip", "-o", "address", "show", "dev", "eth0")
    assert "10.9.0.100/24 scope global secondary eth0:vip" in shown
    assert "10.9.0.101/32 scope global eth0" in shown
    assert "fd09::100/64 scope global nodad" in shown


def test_an_address_that_the_kernel_refuses_is_named_and_stops_no_other(
    lab: Lab, host: Host
) -> None:
    """Given an interface without IPv6, when the router takes over, then it has its IPv4 addresses,
    and the log names the other with its line."""
    host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6")
    begin = lab.now()
    started(lab, host)
    assert host.holds("10.9.0.101")
    logged(lab, "cannot set address fd09::100/64 dev eth0: Permission denied", begin)


def test_leftovers_of_a_killed_daemon_are_removed_at_start(lab: Lab, host: Host) -> None:
    """Given a daemon that was killed with its address set, when it is started again, then the
    address goes at once and comes back through an election only."""
    router = started(lab, host)
    host.kill_everything()
    assert VIP in host.run("ip", "address", "show", "dev", "eth0")
    again = lab.now()
    router.start()
    logged(lab, f"undone, left by an earlier run: address {VIP}/24 dev eth0", again)
    removed = lab.first(AddressRemoved, lambda e: e.address == VIP, after=again, timeout=5)
    lab.first(AddressAdded, lambda e: e.address == VIP, after=removed.at, timeout=5)


def test_an_address_of_the_operator_is_left_alone(lab: Lab, host: Host) -> None:
    host.run("ip", "address", "add", "10.9.0.101/32", "dev", "eth0")
    begin = lab.now()
    Router(host, CONFIG, program="fastvrrpd").start()
    logged(lab, "10.9.0.101/32 dev eth0 is there already and was not set by us", begin)
    assert not lab.events(AddressRemoved, lambda e: e.address == "10.9.0.101")


def test_a_child_that_dies_leaves_no_address(lab: Lab, host: Host) -> None:
    """Given a master whose VRRP process is killed, when its configuration is wrong meanwhile, then
    the parent removes the addresses at once, and starts it again with the one that ran."""
    router = started(lab, host)
    lab.first(AddressAdded, lambda e: e.address == "fd09::100", timeout=5)
    host.write(router.path, CONFIG.replace("51", "510"))
    killed = lab.now()
    host.run("sh", "-c", "kill -9 $(cat /run/router-vrrp.pid)")
    for address in (VIP, "10.9.0.101", "fd09::100"):
        gone = lab.first(AddressRemoved, by_address(address), after=killed, timeout=5)
        assert gone.at - killed < 500_000_000
    lab.first(AddressAdded, by_address(VIP), after=gone.at, timeout=15)


def test_an_address_that_somebody_removes_comes_back(lab: Lab, host: Host) -> None:
    """Given a master, when its address is removed by hand, then it is back and announced without a
    change of state."""
    started(lab, host)
    removed = lab.now()
    host.run("ip", "address", "del", f"{VIP}/24", "dev", "eth0")
    lab.first(Arp, lambda e: e.sender == VIP, after=removed, timeout=5)
    logged(lab, f"{VIP}/24 dev eth0 was removed", removed)
    assert not lab.events(Advert, lambda e: e.priority == 0)


def test_secondaries_that_go_with_their_primary_come_back(lab: Lab, host: Host) -> None:
    host.run("ip", "address", "add", "10.8.0.1/24", "dev", "eth0")
    started(lab, host)
    removed = lab.now()
    host.run("ip", "address", "del", "10.9.0.1/24", "dev", "eth0")
    lab.first(AddressAdded, by_address(VIP), after=removed, timeout=5)


def test_the_interface_of_an_address_is_watched_too(lab: Lab, host: Host) -> None:
    """Given an address on another interface, when that one goes down, then the router is in FAULT
    and names it."""
    host.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "far")
    host.run("sh", "-c", "ip link set other up; ip link set far up")
    started(lab, host, CONFIG.replace("10.9.0.101", "10.9.0.101 dev other"))
    cut = lab.now()
    host.run("ip", "link", "set", "other", "down")
    logged(lab, "entering FAULT state (interface other down)", cut)
    lab.first(AddressRemoved, by_address(VIP), after=cut, timeout=5)


def test_the_interface_of_an_untracked_address_makes_no_difference(lab: Lab, host: Host) -> None:
    """Given an address with no_track on another interface, when that one goes down and then the own
    one, then only the second is a fault."""
    host.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "far")
    host.run("sh", "-c", "ip link set other up; ip link set far up")
    started(lab, host, CONFIG.replace("10.9.0.101", "10.9.0.101 dev other no_track"))
    cut = lab.now()
    host.run("ip", "link", "set", "other", "down")
    host.run("ip", "link", "set", "eth0", "down")
    logged(lab, "entering FAULT state (interface eth0 down)", cut)
    assert not lab.events(LogLine, lambda e: "interface other" in e.text)


def test_a_renamed_interface_is_a_fault(lab: Lab, host: Host) -> None:
    started(lab, host)
    renamed = lab.now()
    host.run("ip", "link", "set", "eth0", "name", "lan0")
    logged(lab, "interface eth0 does not exist", renamed)
    host.run("ip", "link", "set", "lan0", "name", "eth0")
    logged(lab, "Entering MASTER STATE", lab.now())


def test_membership_is_renewed_when_an_interface_comes_back_as_it_was(lab: Lab, host: Host) -> None:
    """Given an interface that is moved to another namespace and back, name and index the same, then
    the router listens to the group again."""
    started(lab, host)
    away = lab.now()
    host.run("sh", "-c", "ip netns add away && ip link set eth0 netns away")
    logged(lab, "interface eth0 does not exist", away)
    back = lab.now()
    host.run("sh", "-c", "ip netns exec away ip link set eth0 netns 1")
    host.run("sh", "-c", "ip addr add 10.9.0.1/24 dev eth0; ip link set eth0 up")
    lab.first(Advert, after=back, timeout=4)
    assert "120000E0" in host.run("cat", "/proc/net/igmp")


def test_carrier_loss_is_a_fault_and_its_return_ends_it(lab: Lab, host: Host) -> None:
    started(lab, host)
    cut = lab.now()
    host.cut()
    logged(lab, "entering FAULT state (interface eth0 down)", cut)
    lab.first(AddressRemoved, lambda e: e.address == VIP, after=cut, timeout=5)
    healed = lab.now()
    host.heal()
    logged(lab, "Entering BACKUP STATE", healed)
    lab.first(AddressAdded, lambda e: e.address == VIP, after=healed, timeout=5)


def test_a_lost_source_address_is_a_fault_and_its_return_ends_it(lab: Lab, host: Host) -> None:
    started(lab, host, CONFIG.replace("10.9.0.100/24 label eth0:vip", "10.9.0.100"))
    lost = lab.now()
    host.run("ip", "address", "del", "10.9.0.1/24", "dev", "eth0")
    logged(lab, "no IPv4 address for interface", lost)
    lab.first(AddressRemoved, lambda e: e.address == VIP, after=lost, timeout=5)
    back = lab.now()
    host.run("ip", "address", "add", "10.9.0.7/24", "dev", "eth0")
    lab.first(Advert, lambda e: e.source == "10.9.0.7", after=back, timeout=5)
    lab.wait_for(lambda: host.holds(VIP), timeout=5)


def test_an_interface_that_is_made_anew_is_used_again(lab: Lab, host: Host) -> None:
    """Given a router, when its interface is deleted and made again with another index, then it is
    back without a restart."""
    started(lab, host)
    gone = lab.now()
    host.run("ip", "link", "del", "eth0")
    logged(lab, "interface eth0 does not exist", gone)
    back = lab.now()
    host.plug_in()
    lab.first(Advert, after=back, timeout=5)
    lab.first(AddressAdded, lambda e: e.address == VIP, after=back, timeout=5)


def test_a_missing_interface_ends_the_daemon_with_one_clear_line(lab: Lab, host: Host) -> None:
    begin = lab.now()
    Router(host, CONFIG.replace("eth0\n", "eth7\n"), program="fastvrrpd").start()
    logged(lab, "VI_1 (/run/router.conf:2:1): there is no interface eth7", begin)
    assert lab.first(Exited, after=begin, timeout=15).status == 2
    assert not lab.events(LogLine, lambda e: e.at > begin and "Traceback" in e.text)


def test_stop_resigns_and_leaves_nothing(lab: Lab, host: Host) -> None:
    router = started(lab, host)
    stop = lab.now()
    router.stop()
    lab.first(Advert, lambda e: e.priority == 0, after=stop, timeout=5)
    assert lab.first(Exited, after=stop, timeout=5).status == 0
    # Not the events: the kernel announces an IPv6 address late, and none that is gone by then.
    shown = host.run("ip", "-o", "address", "show", "dev", "eth0")
    assert not any(address in shown for address in (VIP, "10.9.0.101", "fd09::100"))
    assert not host.run("sh", "-c", "ls /run/*.pid 2>/dev/null || true")
