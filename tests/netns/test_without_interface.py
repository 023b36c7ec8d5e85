"""A unicast instance without `interface`: it is where its source address is."""

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

CONFIG = """
vrrp_instance VI_1 {
    version 3
    virtual_router_id 51
    priority 150
    advert_int 0.1
    unicast_src_ip 10.9.0.1
    unicast_peer {
        10.9.0.2
    }
    virtual_ipaddress {
        10.9.0.100/24
    }
}
"""
VIP = "10.9.0.100"


def arrives(lab: Lab, host: Host, interface: str, after: int) -> None:
    """Wait until the virtual address is set, which is on that interface and nowhere else."""
    index = int(host.run("ip", "-o", "link", "show", "dev", interface).split(":")[0])
    lab.first(AddressAdded, lambda e: (e.address, e.index) == (VIP, index), after=after, timeout=10)


def move(host: Host, *steps: str) -> None:
    """Add ("+eth0") or remove ("-eth0") the source address."""
    for step in steps:
        verb = "add" if step[0] == "+" else "del"
        host.run("ip", "address", verb, "10.9.0.1/24", "dev", step[1:])


def test_it_follows_its_source_address(lab: Lab) -> None:
    """Given a router that holds its address, when its source address is on another interface, then
    its virtual one is there as well, and nowhere else; without source address it is in FAULT and
    says so, holds nothing, and takes over again when there is one."""
    lab.lan("br1")
    host = lab.host("r1", "10.9.0.1/24")
    lab.host("r2", "10.9.0.2/24")  # answers ARP
    host.plug("eth1", "br1")
    Router(host, CONFIG, program="fastvrrpd").start()
    arrives(lab, host, "eth0", after=0)
    lab.first(Advert, lambda e: e.source == "10.9.0.1", timeout=5)

    moved = lab.now()
    move(host, "+eth1", "-eth0")
    arrives(lab, host, "eth1", after=moved)
    lab.wait_for(lambda: VIP not in host.run("ip", "address", "show", "dev", "eth0"), timeout=5)

    lost = lab.now()
    move(host, "-eth1")
    said = "(VI_1): entering FAULT state (no interface has 10.9.0.1)"
    lab.first(LogLine, lambda e: said in e.text, after=lost, timeout=5)
    lab.first(AddressRemoved, lambda e: e.address == VIP, after=lost, timeout=5)
    assert VIP not in host.run("ip", "address")

    back = lab.now()
    move(host, "+eth0")
    arrives(lab, host, "eth0", after=back)
