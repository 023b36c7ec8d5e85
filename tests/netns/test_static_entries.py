"""Static entries of the daemon: there before anything else, put back, and gone at the end."""

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Exited, Lab, LogLine, Router

pytestmark = pytest.mark.netns

CONFIG = """
static_ipaddress {
    10.9.0.7/24 dev eth0
    10.7.0.1/32 dev eth0
}
static_routes {
    192.168.77.0/24 via 10.9.0.9 dev eth0
}
static_rules {
    from 192.168.77.0/24 table 77 priority 555
}
vrrp_instance VI_1 {
    interface eth0
    version 3
    virtual_router_id 51
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        10.9.0.100/24
    }
}
"""


def test_a_router_lives_on_a_static_address(lab: Lab) -> None:
    """Given a host without an address of its own, when the daemon starts, then it sends from the
    static one; when somebody removes another static address, then that is back at once, without a
    change of state; when it is stopped, then nothing of it is left."""
    host = lab.host("r1")
    router = Router(host, CONFIG, program="fastvrrpd")
    begin = lab.now()
    router.start()
    lab.first(Advert, lambda e: e.source == "10.9.0.7", after=begin, timeout=5)
    lab.first(AddressAdded, lambda e: e.address == "10.9.0.100", after=begin, timeout=5)
    lab.first(LogLine, lambda e: "MASTER STATE" in e.text, after=begin, timeout=5)
    assert "via 10.9.0.9" in host.run("ip", "route", "show", "proto", "18")
    assert "lookup 77" in host.run("ip", "rule", "show", "priority", "555")

    removed = lab.now()
    host.run("ip", "address", "del", "10.7.0.1/32", "dev", "eth0")
    gone = lab.first(AddressRemoved, lambda e: e.address == "10.7.0.1", after=removed, timeout=2)
    back = lab.first(AddressAdded, lambda e: e.address == "10.7.0.1", after=gone.at, timeout=2)
    assert back.at - gone.at < 500_000_000
    text = "Restoring deleted static address 10.7.0.1/32 dev eth0"
    lab.first(LogLine, lambda e: text in e.text, after=removed, timeout=2)
    assert not lab.events(LogLine, lambda e: e.at > removed and "Entering" in e.text)

    stopped = lab.now()
    router.stop()
    assert lab.first(Exited, after=stopped, timeout=3).status == 0
    assert "10." not in host.run("ip", "-o", "address", "show", "dev", "eth0")
    assert host.run("ip", "route", "show", "table", "all", "proto", "18") == ""
    assert "555:" not in host.run("ip", "rule")
