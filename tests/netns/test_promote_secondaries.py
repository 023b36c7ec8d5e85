"""`promote_secondaries`: an operator's address outlives the virtual one that came before it."""

import pytest

from lab import AddressAdded, AddressRemoved, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VIP, OWN = "10.8.0.100", "10.8.0.101"
PARAMETER = "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"
CONFIG = f"""
vrrp_instance VI_1 {{
 interface eth0
 virtual_router_id 51
 version 3
 advert_int 0.1
 promote_secondaries
 virtual_ipaddress {{
 {VIP}/24
 }}
}}
"""


def value(host: Host) -> str:
    return host.run("cat", PARAMETER).strip()


def test_an_address_after_a_virtual_one_stays(lab: Lab) -> None:
    """Given an address of an operator in the network of a virtual one, added later, when the router
    stops, then it stays, and the parameter is what it was; without the keyword it would go."""
    host = lab.host("a", "10.9.0.1/24")
    assert value(host) == "0"
    router = Router(host, CONFIG, program="fastvrrpd")
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP, timeout=5)
    assert value(host) == "1"
    host.run("ip", "address", "add", f"{OWN}/24", "dev", "eth0")
    lab.first(AddressAdded, lambda e: e.address == OWN, timeout=2)
    stopped = lab.now()
    router.stop()
    lab.first(AddressRemoved, lambda e: e.address == VIP, after=stopped, timeout=3)
    lab.first(Exited, after=stopped, timeout=5)
    assert f"{OWN}/24" in host.run("ip", "-o", "address", "show", "dev", "eth0")
    assert value(host) == "0"


def test_a_new_interface_of_the_name_has_it_too(lab: Lab) -> None:
    """When the interface is deleted and made again, then the parameter of the new one is set, and
    is what it was at the end."""
    host = lab.host("a", "10.9.0.1/24")
    router = Router(host, CONFIG, program="fastvrrpd")
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP, timeout=5)
    gone = lab.now()
    host.run("ip", "link", "del", "eth0")
    lab.first(LogLine, lambda e: "FAULT" in e.text, after=gone, timeout=3)
    back = lab.now()
    host.plug_in()
    lab.first(AddressAdded, lambda e: e.address == VIP, after=back, timeout=5)
    assert value(host) == "1"
    router.stop()
    lab.first(Exited, after=back, timeout=5)
    assert value(host) == "0"
