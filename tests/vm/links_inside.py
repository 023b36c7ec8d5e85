"""Failovers on VLANs, bonds, VRFs, interfaces of our own over them, and a line that loses packets;
see `test_vm_links.py`."""

from collections.abc import Callable, Iterator

import pytest

from lab import AddressAdded, Advert, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VIP = "10.9.0.100"
PATIENCE_S = 60
"""An emulated machine is slow; what must not happen at all is asserted without a clock."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def config(priority: int, interface: str, *lines: str) -> str:
    more = "\n".join(lines)
    return f"""
vrrp_instance VI_1 {{
    interface {interface}
    version 3
    virtual_router_id 51
    priority {priority}
    advert_int 0.5
    {more}
    virtual_ipaddress {{
        {VIP}/24
    }}
}}
"""


def start(lab: Lab, interface: str, *lines: str) -> tuple[Host, Host]:
    """Start both routers of the lab, {n} in lines being 1 or 2; returns the hosts, the active one
    first."""
    hosts = lab.hosts["r1"], lab.hosts["r2"]
    for host, priority in zip(hosts, (150, 100), strict=True):
        begin = lab.now()
        own = [line.replace("{n}", host.name[-1]) for line in lines]
        router = Router(host, config(priority, interface, *own), program="fastvrrpd")
        router.start()
        if priority == 150:
            taken(lab, host, begin)
        else:
            lab.first(
                LogLine,
                lambda e: e.host == "r2" and "Entering BACKUP STATE" in e.text,
                after=begin,
                timeout=PATIENCE_S,
            )
    return hosts


def has_it(host: Host) -> Callable[[AddressAdded], bool]:
    """Tell if `host` has got the address."""
    return lambda e: (e.host, e.address) == (host.name, VIP)


def taken(lab: Lab, host: Host, after: int) -> None:
    """Wait until `host` has the address."""
    lab.first(AddressAdded, has_it(host), after=after, timeout=PATIENCE_S)


def adverts(lab: Lab, host: Host, count: int) -> None:
    """Wait for so many further adverts of `host`."""
    for _ in range(count):
        lab.first(Advert, lambda e: e.host == host.name, after=lab.now(), timeout=PATIENCE_S)


def pair(lab: Lab, *commands: str) -> None:
    """Make two hosts, and run commands of ip(8) on both; {n} is 1 or 2."""
    for n in (1, 2):
        host = lab.host(f"r{n}")
        host.run("ip", "-batch", "-", stdin="\n".join(commands).replace("{n}", str(n)))


def fails_over(lab: Lab, active: Host, other: Host) -> None:
    """The other one takes over when the active one has lost its power, and never before."""
    assert not lab.events(AddressAdded, has_it(other))
    begin = lab.now()
    active.power_off()
    taken(lab, other, begin)


def test_vlan(lab: Lab) -> None:
    pair(
        lab,
        "link add link eth0 name eth0.5 type vlan id 5",
        "link set eth0.5 up",
        "address add 10.9.0.{n}/24 dev eth0.5",
    )
    fails_over(lab, *start(lab, "eth0.5"))


def test_interface_of_a_vrf(lab: Lab) -> None:
    pair(
        lab,
        "link add red type vrf table 1009",
        "link set red up",
        "link set eth0 master red",
        "address add 10.9.0.{n}/24 dev eth0",
    )
    route = "192.0.2.0/24 via 10.9.0.254"
    active, other = start(lab, "eth0", f"virtual_routes {{\n{route} vrf red\n}}")
    assert VIP in active.run("ip", "route", "show", "table", "1009", "type", "local")
    fails_over(lab, active, other)
    lab.wait_for(lambda: route in other.run("ip", "route", "show", "table", "1009"), PATIENCE_S)
    assert route not in other.run("ip", "route")


def test_bond_whose_active_line_breaks(lab: Lab) -> None:
    """Given routers on bonds of two lines, when the line in use of the active one breaks, then
    nothing changes; when the other one breaks, too, then the other router takes over."""
    for n in (1, 2):
        host = lab.host(f"r{n}")
        host.plug("eth1", "br0")
        host.run(
            "ip",
            "-batch",
            "-",
            stdin="link add bond0 type bond mode active-backup miimon 100\n"
            "link set eth0 down\nlink set eth1 down\n"
            "link set eth0 master bond0\nlink set eth1 master bond0\n"
            f"link set bond0 up\naddress add 10.9.0.{n}/24 dev bond0\n",
        )
    active, other = start(lab, "bond0")
    begin = lab.now()
    active.cut("eth0")
    adverts(lab, active, 8)
    assert not lab.events(AddressAdded, has_it(other))
    assert not lab.events(LogLine, lambda e: e.at > begin and "FAULT" in e.text)
    begin = lab.now()
    active.cut("eth1")
    taken(lab, other, begin)
    lab.wait_for(lambda: VIP not in active.monitor.addresses, timeout=PATIENCE_S)


def test_ipvlan(lab: Lab) -> None:
    """Given `use_ipvlan`, then adverts come from its address, the virtual one goes to it, the other
    router takes over, and nothing is left at the end."""
    pair(lab, "address add 10.9.0.{n}/24 dev eth0")
    active, other = start(lab, "eth0", "use_ipvlan ip0 10.9.0.2{n}/24 private")
    heard = lab.first(Advert, lambda e: e.host == active.name, after=lab.now(), timeout=PATIENCE_S)
    assert heard.source == "10.9.0.21"
    shown = active.run("ip", "-d", "address", "show", "dev", "ip0")
    for part in ("ipvlan  mode l2 private", "10.9.0.21/24", f"{VIP}/24"):
        assert part in shown
    fails_over(lab, active, other)
    stopped = lab.now()
    other.run("sh", "-c", "kill $(cat /run/router.pid)")
    lab.first(Exited, lambda e: e.host == other.name, after=stopped, timeout=PATIENCE_S)
    assert "ip0" not in other.run("ip", "link", "show")


def test_virtual_mac_on_a_vlan(lab: Lab) -> None:
    """Given `use_vmac` on a VLAN, then adverts reach the backup on it, and the address is on the
    interface with the virtual MAC address when it takes over."""
    pair(
        lab,
        "link add link eth0 name eth0.5 type vlan id 5",
        "link set eth0.5 up",
        "address add 10.9.0.{n}/24 dev eth0.5",
    )
    active, other = start(lab, "eth0.5", "use_vmac")
    lab.wait_for(
        lambda: len(lab.events(LogLine, lambda e: "master set to" in e.text)) > 0,
        timeout=PATIENCE_S,
    )
    fails_over(lab, active, other)
    assert f"{VIP}/24" in other.run("ip", "-o", "address", "show", "dev", "vrrp.51")


def test_line_that_loses_and_delays_packets(lab: Lab) -> None:
    """Given a line to the backup that loses one packet in five and delays the others by up to
    100 ms, when ten lost adverts in a row count as the end of the active router, then the backup
    stays what it is for 60 adverts."""
    pair(lab, "address add 10.9.0.{n}/24 dev eth0")
    active, other = start(lab, "eth0", "down_timer_adverts 10")
    lossy = "qdisc add dev r2 root netem loss 20% delay 50ms 50ms"
    lab.switch.run("tc", *lossy.split())
    adverts(lab, active, 60)
    assert "dropped 0" not in lab.switch.run("tc", "-s", "qdisc", "show", "dev", "r2")
    assert not lab.events(AddressAdded, has_it(other))
    lab.switch.run("tc", "qdisc", "del", "dev", "r2", "root")
    fails_over(lab, active, other)
