"""What the daemon holds besides virtual addresses stays: static entries are there before anything
else, put back, and gone at the end; virtual routes survive their interface."""

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

CONFIG = """
global_defs {
    default_interface eth0
    iproute_etc_dir /run/names
}
static_ipaddress {
    10.9.0.7/24
    10.7.0.1/32 dev eth0
}
static_routes {
    192.168.77.0/24 via 10.9.0.9 dev eth0
}
static_rules {
    from 192.168.77.0/24 table ours priority 555
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
    host.run("mkdir", "/run/names")
    host.write("/run/names/rt_tables", "77 ours\n")
    router = Router(host, CONFIG, program="fastvrrpd")
    begin = lab.now()
    router.start()
    lab.first(Advert, lambda e: e.source == "10.9.0.7", after=begin, timeout=15)
    lab.first(AddressAdded, lambda e: e.address == "10.9.0.100", after=begin, timeout=15)
    lab.first(LogLine, lambda e: "MASTER STATE" in e.text, after=begin, timeout=15)
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


ROUTES = """
vrrp_instance VI_1 {
    interface eth0
    version 3
    virtual_router_id 51
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        10.9.0.100/24
    }
    virtual_routes {
        192.168.77.0/24 via 10.8.0.9 dev v0 no_track
    }
}
"""


def test_a_virtual_route_comes_back_with_its_interface(lab: Lab) -> None:
    """Given an active router with a route over an interface that is no fault of it, when that goes
    down, with which the kernel drops the route without a word, and up, then the route is there."""
    host = lab.host("r1", "10.9.0.1/24")
    host.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    host.run("ip", "address", "add", "10.8.0.1/24", "dev", "v0")
    host.run("sh", "-c", "ip link set v0 up; ip link set v1 up")
    begin = lab.now()
    Router(host, ROUTES, program="fastvrrpd").start()
    lab.first(LogLine, lambda e: "MASTER STATE" in e.text, after=begin, timeout=15)
    lab.wait_for(lambda: route(host), timeout=3)
    host.run("ip", "link", "set", "v0", "down")
    assert not route(host)
    back = lab.now()
    host.run("ip", "link", "set", "v0", "up")
    lab.wait_for(lambda: route(host), timeout=5)  # asked again with each advert
    host.run("ip", "-batch", "-", stdin="link set v0 down\nlink set v0 up\n")  # before it looks
    lab.wait_for(lambda: route(host), timeout=5)
    assert not lab.events(LogLine, lambda e: e.at > back and "Entering" in e.text)


def route(host: Host) -> str:
    """Return the virtual route, if it is there."""
    return host.run("ip", "route", "show", "192.168.77.0/24").strip()


def test_a_track_group_waits_for_the_interfaces_of_static_entries(lab: Lab) -> None:
    """Given an instance in the track_group of a static address, when the interface of that is
    absent, then the instance is in FAULT; when it comes, then the instance takes its address."""
    host = lab.host("r1", "10.9.0.1/24")
    statics = "track_group T {\n group { VI_1 }\n}\n"
    statics += "static_ipaddress {\n 10.7.0.1/24 dev late track_group T\n}\n"
    Router(host, statics + CONFIG[CONFIG.index("vrrp_instance") :], program="fastvrrpd").start()
    text = "interface late does not exist"
    lab.first(LogLine, lambda e: text in e.text, timeout=5)
    begin = lab.now()
    host.run("ip", "link", "add", "late", "up", "type", "veth", "peer", "late-peer")
    host.run("ip", "link", "set", "late-peer", "up")
    lab.first(AddressAdded, lambda e: e.address == "10.7.0.1", after=begin, timeout=5)
    lab.first(AddressAdded, lambda e: e.address == "10.9.0.100", after=begin, timeout=5)
