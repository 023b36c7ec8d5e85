"""Interfaces that come after the daemon: dynamic_interfaces."""

import pytest

from faults.pair import TIMEOUT_S, ip
from lab import AddressAdded, AddressRemoved, Advert, Exited, Lab, LogLine, Router

pytestmark = pytest.mark.netns

CONFIG = """
global_defs {{
 dynamic_interfaces
}}
vrrp_instance VI_1 {{
 interface {interface}
 version 3
 virtual_router_id 51
 priority 150
 advert_int 0.1
 virtual_ipaddress {{
  10.9.0.100/24
  10.8.0.100/24 dev {other}
 }}
}}
"""
VIP, OTHER = "10.9.0.100", "10.8.0.100"


def both_added(lab: Lab, after: int) -> None:
    lab.first(AddressAdded, lambda e: e.address == VIP, after=after, timeout=TIMEOUT_S)
    lab.first(AddressAdded, lambda e: e.address == OTHER, after=after, timeout=TIMEOUT_S)


def test_instance_waits_for_its_interface(lab: Lab) -> None:
    """Given a configuration whose interface is not there, and that it may come later, when the
    daemon starts, then the instance is in FAULT and says why; when the interface appears, then it
    takes part; when that goes, then it waits again."""
    host = lab.host("r1", "10.9.0.1/24")
    ip(host, "link del eth0")
    began = lab.now()
    router = Router(host, CONFIG.format(interface="eth0", other="eth0"), program="fastvrrpd")
    router.start()
    text = "(VI_1): entering FAULT state (interface eth0 does not exist"
    lab.first(LogLine, lambda e: text in e.text, after=began, timeout=TIMEOUT_S)
    lab.first(LogLine, lambda e: "Startup complete" in e.text, after=began, timeout=TIMEOUT_S)
    came = lab.now()
    host.plug_in()
    both_added(lab, came)
    lab.first(Advert, after=came, timeout=TIMEOUT_S)
    went = lab.now()
    ip(host, "link del eth0")
    lab.first(LogLine, lambda e: text in e.text, after=went, timeout=TIMEOUT_S)
    router.stop()
    assert lab.first(Exited, after=went, timeout=TIMEOUT_S).status == 0


def test_instance_waits_for_the_interface_of_an_address(lab: Lab) -> None:
    """Given an address on another interface, which is not there, when the daemon starts, then the
    instance is in FAULT; when that interface appears, as a bridge, then both addresses are set;
    when it comes back as a veth, then so they are."""
    host = lab.host("r1", "10.9.0.1/24")
    began = lab.now()
    Router(host, CONFIG.format(interface="eth0", other="late0"), program="fastvrrpd").start()
    text = "(VI_1): entering FAULT state (interface late0 does not exist"
    lab.first(LogLine, lambda e: text in e.text, after=began, timeout=TIMEOUT_S)
    for kind in ("bridge", "veth peer name late1"):
        came = lab.now()
        ip(host, "link add port type veth peer name far")
        ip(host, f"link add late0 type {kind}")
        if kind == "bridge":
            ip(host, "link set port master late0 up")
        else:
            ip(host, "link set late1 up")
        ip(host, "link set far up")
        ip(host, "link set late0 up")
        both_added(lab, came)
        ip(host, "link del port")
        ip(host, "link del late0")
        lab.first(AddressRemoved, lambda e: e.address == VIP, after=came, timeout=TIMEOUT_S)


def test_interface_must_be_there_otherwise(lab: Lab) -> None:
    """Given the same without dynamic_interfaces, when the daemon starts, then it ends, and says
    what would let it wait."""
    host = lab.host("r1", "10.9.0.1/24")
    began = lab.now()
    config = CONFIG.format(interface="eth0", other="late0").replace(" dynamic_interfaces\n", "")
    Router(host, config, program="fastvrrpd").start()
    told = lab.first(
        LogLine, lambda e: "no interface late0" in e.text, after=began, timeout=TIMEOUT_S
    )
    assert "dynamic_interfaces" in told.text
    assert lab.first(Exited, after=began, timeout=TIMEOUT_S).status == 2
