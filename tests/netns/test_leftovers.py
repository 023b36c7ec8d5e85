"""What an earlier run left is removed at start, if it carries our mark and the configuration names
it; on the real kernel."""

import pytest

from lab import Host, Lab
from netns.cold import run

pytestmark = pytest.mark.netns

SCRIPT = """
from fastvrrp.host.iproute import Names
from fastvrrp.host.leftovers import origins, remove_leftovers
from fastvrrp.host.requests import Requests

config = loads('''
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.9.0.100/24
        10.9.0.101/24
        10.9.0.102/24 dev absent0
    }
    virtual_routes {
        192.168.77.0/24 via 10.9.0.9 dev eth0
        192.168.78.0/24 dev eth0
        192.168.79.0/24 dev eth0 table no_such_table
    }
    virtual_rules {
        from 192.168.77.0/24 table 77 priority 555
    }
}
''')
first = LinkTable(reactor, lambda: None, lambda key, port: None)
requests = Requests(reactor)
from fastvrrp.host.addresses import address_holding
vips = [vip for one in config.instances for vip in one.addresses]
requests.send_now(address_holding(vips[0], first.link("eth0")).install)
first.close()
ip("address", "add", "10.9.0.101/24", "dev", "eth0")
batch([
    "route add 192.168.77.0/24 via 10.9.0.9 dev eth0 proto 18",
    "route add 192.168.78.0/24 dev eth0",
    "route add 192.168.70.0/24 dev eth0 proto 18",
    "rule add from 192.168.77.0/24 table 77 priority 555 proto 18",
    "rule add from 192.168.77.0/24 table 77 priority 556 proto 18",
])

table = LinkTable(reactor, lambda: None, lambda key, port: None)
table.ignore(requests.port_id)
names = Names()
table.watch_routes(origins(config, names))
count = remove_leftovers(config, table, requests, names)
settle()
again = remove_leftovers(config, table, requests, names)
result([
    count, again, requests.failures, said,
    [word for word in ip("-4", "-o", "address", "show", "eth0").split() if word.startswith("10.")],
    [line.split()[0] for line in ip("route").splitlines()],
    [line.split()[0] for line in ip("rule").splitlines() if line.startswith("55")],
])
"""


def test_only_what_is_named_and_carries_our_mark_is_removed(lab: Lab) -> None:
    host: Host = lab.host("r1", "10.9.0.1/24")
    count, again, failures, said, addresses, routes, rules = run(host, SCRIPT)
    assert (count, again, failures) == (3, 0, 0)
    assert addresses == ["10.9.0.1/24", "10.9.0.101/24"]
    assert routes == ["10.9.0.0/24", "192.168.70.0/24", "192.168.78.0/24"]
    assert rules == ["556:"]
    left_alone = (
        "(VI_1) 10.9.0.101/24 dev eth0 is there already and was not set by us; it is left alone,"
        " remove it by hand: ip address del 10.9.0.101/24 dev eth0"
    )
    assert said[:4] == [
        left_alone,
        "(VI_1) removing address 10.9.0.100/24 dev eth0, left by an earlier run",
        "(VI_1) removing route 192.168.77.0/24 via 10.9.0.9 dev eth0, left by an earlier run",
        "(VI_1) removing rule from 192.168.77.0/24 priority 555 table 77, left by an earlier run",
    ]
    assert said[4:] == [left_alone]


def test_an_address_of_the_operator_is_told_from_ours(lab: Lab) -> None:
    host: Host = lab.host("r1", "10.9.0.1/24")
    script = """
from fastvrrp.config.model import VirtualAddress
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.leftovers import is_foreign
from fastvrrp.host.netlink import RouteSocket
from ipaddress import ip_interface

table = LinkTable(reactor, lambda: None, lambda key, port: None)
own, ours, absent = (
    address_holding(VirtualAddress(address=ip_interface(text)), table.link("eth0"))
    for text in ("10.9.0.1/24", "10.9.0.100/24", "10.9.0.101/24")
)
RouteSocket().send(ours.install)
settle()
result([is_foreign(one, table) for one in (own, ours, absent)])
"""
    assert run(host, script) == [True, False, False]
