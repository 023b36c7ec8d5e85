"""Interfaces and source addresses that are tracked: what the kernel tells, and what follows."""

from collections.abc import Iterator

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VIP = "10.9.0.100"


def config(body: str = "", *, before: str = "", priority: int = 150, interval: str = "0.1") -> str:
    return f"""
{before}
vrrp_instance VI_1 {{
    interface eth0
    version 3
    virtual_router_id 51
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{
        {VIP}/24
    }}
    {body}
}}
"""


TRACKED = "track_interface {{ other {} }}"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host("r1", "10.9.0.1/24")


def add_other(host: Host) -> None:
    """Give `host` a second interface that is up."""
    host.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "far")
    host.run("sh", "-c", "ip link set other up; ip link set far up")


def started(lab: Lab, host: Host, text: str) -> Router:
    """Start a router that becomes active."""
    router = Router(host, text, program="fastvrrpd")
    begin = lab.now()
    router.start()
    lab.first(
        AddressAdded, lambda e: e.address == VIP and e.host == host.name, after=begin, timeout=8
    )
    return router


def logged(lab: Lab, text: str, after: int, timeout: float = 5) -> LogLine:
    return lab.first(LogLine, lambda e: text in e.text, after=after, timeout=timeout)


def never_logged(lab: Lab, text: str) -> bool:
    return not lab.events(LogLine, lambda e: text in e.text)


@pytest.mark.parametrize(("weight", "lowered"), [("weight -20", 130), ("weight 20", 150)])
def test_a_weight_makes_the_better_router_take_over(
    lab: Lab, host: Host, weight: str, lowered: int
) -> None:
    """Given a router that tracks an interface with a weight, and a peer between its two priorities,
    when the interface goes down then the peer takes over, and when it is back this one does."""
    add_other(host)
    full = lowered + 20
    started(lab, host, config(TRACKED.format(weight)))
    peer = lab.host("r2", "10.9.0.2/24")
    Router(peer, config(priority=lowered + 10), program="fastvrrpd").start()
    lab.first(LogLine, lambda e: e.host == "r2" and "Entering BACKUP STATE" in e.text, timeout=5)
    cut = lab.now()
    host.run("ip", "link", "set", "other", "down")
    logged(lab, f"(VI_1) Changing effective priority from {full} to {lowered}", cut)
    lab.first(Advert, lambda e: e.source == "10.9.0.2", after=cut, timeout=5)
    lab.first(AddressRemoved, lambda e: e.host == "r1", after=cut, timeout=5)
    back = lab.now()
    host.run("ip", "link", "set", "other", "up")
    lab.first(AddressAdded, lambda e: e.host == "r1", after=back, timeout=5)
    assert never_logged(lab, "FAULT")


def test_without_a_weight_a_link_that_is_down_is_a_fault(lab: Lab, host: Host) -> None:
    add_other(host)
    started(lab, host, config(TRACKED.format("")))
    cut = lab.now()
    host.run("ip", "link", "set", "other", "down")
    logged(lab, "(VI_1): entering FAULT state (interface other down)", cut)
    logged(lab, "(VI_1) Entering FAULT STATE", cut)
    lab.first(AddressRemoved, after=cut, timeout=2)
    back = lab.now()
    host.run("ip", "link", "set", "other", "up")
    logged(lab, "(VI_1) Entering BACKUP STATE", back)


def test_an_interface_that_is_not_there_is_down(lab: Lab, host: Host) -> None:
    """Given a tracked interface that does not exist at start, then the router is in FAULT until it
    is made."""
    begin = lab.now()
    Router(host, config(TRACKED.format("")), program="fastvrrpd").start()
    logged(lab, "(VI_1): entering FAULT state (interface other down)", begin)
    add_other(host)
    lab.first(AddressAdded, lambda e: e.address == VIP, after=begin, timeout=5)
    gone = lab.now()
    host.run("ip", "link", "del", "other")
    logged(lab, "Interface other deleted", gone)
    logged(lab, "(VI_1): entering FAULT state (interface other down)", gone)


def test_a_short_loss_of_the_link_is_no_transition(lab: Lab, host: Host) -> None:
    """Given a delay of 1.5 s, when the link is away for less then nothing happens, and when it is
    away for longer then that is a fault 1.5 s after the loss."""
    delays = "interface_up_down_delays {\n eth0 1.5\n}"
    started(lab, host, config(before=delays, interval="1"))
    cut = lab.now()
    host.cut()
    logged(lab, "eth0: Adding flags change", cut)
    host.heal()
    logged(lab, "Delay timer for eth0 cancelled", cut)
    lab.first(Advert, lambda e: e.source == "10.9.0.1", after=lab.now(), timeout=3)
    assert host.holds(VIP)
    assert never_logged(lab, "FAULT")
    again = lab.now()
    host.cut()
    fault = logged(lab, "(VI_1): entering FAULT state (interface eth0 down)", again)
    assert fault.at - again >= 1_500_000_000
    back = lab.now()
    host.heal()
    logged(lab, "(VI_1) Entering BACKUP STATE", back)


def test_a_return_may_have_its_own_delay(lab: Lab, host: Host) -> None:
    delays = "interface_up_down_delays {\n eth0 0 1.2\n}"
    started(lab, host, config(before=delays, interval="1"))
    cut = lab.now()
    host.cut()
    logged(lab, "(VI_1) Entering FAULT STATE", cut)
    healed = lab.now()
    host.heal()
    back = logged(lab, "(VI_1) Entering BACKUP STATE", healed)
    assert back.at - healed >= 1_200_000_000


def test_a_delay_beyond_the_patience_of_others_is_limited(lab: Lab, host: Host) -> None:
    begin = lab.now()
    started(lab, host, config(before="interface_up_down_delays {\n eth0 60\n}"))
    logged(lab, "delays of interface eth0 are limited to 0.199609 s", begin)
    cut = lab.now()
    host.cut()
    logged(lab, "(VI_1): entering FAULT state (interface eth0 down)", cut)


def test_the_own_link_makes_no_difference_with_dont_track_primary(lab: Lab, host: Host) -> None:
    """Given dont_track_primary, when the link is lost then the router stays active; that the
    interface is deleted is a fault even so."""
    started(lab, host, config("dont_track_primary"))
    cut = lab.now()
    host.cut()
    logged(lab, "Netlink reports eth0 down", cut)
    host.heal()
    logged(lab, "Netlink reports eth0 up", cut)
    lab.first(Advert, after=lab.now(), timeout=2)
    assert host.holds(VIP)
    assert never_logged(lab, "FAULT")
    gone = lab.now()
    host.run("ip", "link", "del", "eth0")
    logged(lab, "(VI_1): entering FAULT state (interface eth0 does not exist)", gone)


def test_a_configured_source_that_is_missing_is_a_fault_with_track_src_ip(
    lab: Lab, host: Host
) -> None:
    host.run("ip", "address", "add", "10.9.0.7/24", "dev", "eth0")
    started(lab, host, config("mcast_src_ip 10.9.0.7\n    track_src_ip"))
    lost = lab.now()
    host.run("ip", "address", "del", "10.9.0.7/24", "dev", "eth0")
    logged(lab, "(VI_1): entering FAULT state (src address not configured)", lost)
    lab.first(AddressRemoved, lambda e: e.address == VIP, after=lost, timeout=2)
    back = lab.now()
    host.run("ip", "address", "add", "10.9.0.7/24", "dev", "eth0")
    lab.first(Advert, lambda e: e.source == "10.9.0.7", after=back, timeout=3)


def test_a_configured_source_that_is_missing_is_no_fault_otherwise(lab: Lab, host: Host) -> None:
    host.run("ip", "address", "add", "10.9.0.7/24", "dev", "eth0")
    started(lab, host, config("mcast_src_ip 10.9.0.7"))
    host.run("ip", "address", "del", "10.9.0.7/24", "dev", "eth0")
    for _ in range(3):
        lab.first(Advert, lambda e: e.source == "10.9.0.7", after=lab.now(), timeout=2)
    assert host.holds(VIP)
    assert never_logged(lab, "FAULT")


@pytest.mark.parametrize("method", ["", "MII", "ETHTOOL", "IOCTL"])
def test_links_that_are_asked_answer_in_a_second(lab: Lab, host: Host, method: str) -> None:
    """Given an interface whose link is asked for its state, then its loss is a fault as ever; a
    method that the driver does not know (MII of a veth) is replaced and named."""
    begin = lab.now()
    started(lab, host, config(before=f"linkbeat_interfaces {{\n eth0 {method}\n}}"))
    logged(lab, "Linkbeat reports eth0 up", begin)
    replaced = not never_logged(lab, "linkbeat: eth0 does not answer MII; ETHTOOL is used")
    assert replaced is (method == "MII")
    cut = lab.now()
    host.cut()
    logged(lab, "Linkbeat reports eth0 down", cut)
    logged(lab, "(VI_1): entering FAULT state (interface eth0 down)", cut)
    healed = lab.now()
    host.heal()
    lab.first(Advert, after=healed, timeout=5)
