"""Addresses that the hot thread sets wake nobody: the kernel itself drops that news for us."""

import sys

import pytest

from lab import Lab

pytestmark = pytest.mark.netns

# Two sockets add an address each, one is hidden; then both remove theirs.
SCRIPT = """
import socket
from pyroute2.netlink import NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from fastvrrp.host.netlink import RouteSocket, encode

def request(kind, address):
    message = ifaddrmsg()
    message["family"] = socket.AF_INET
    message["prefixlen"] = 32
    message["index"] = socket.if_nametoindex("eth0")
    message["attrs"] = [("IFA_LOCAL", address)]
    flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE
    return encode(message, kind=kind, flags=flags, sequence=1)

listener, own, other = RouteSocket(0x10), RouteSocket(), RouteSocket()
listener.hide(RTM_NEWADDR, own.port_id)
for kind in (RTM_NEWADDR, RTM_DELADDR):
    own.send(request(kind, "10.9.0.100"))
    other.send(request(kind, "10.9.0.200"))
for message in listener.read():
    print(message["event"], message.get_attr("IFA_LOCAL"))
"""


def test_only_additions_of_the_hidden_socket_are_dropped() -> None:
    with Lab() as lab:
        host = lab.host("r1", "10.9.0.1/24")
        heard = host.run(sys.executable, "-c", SCRIPT).splitlines()
    assert heard == [
        "RTM_NEWADDR 10.9.0.200",
        "RTM_DELADDR 10.9.0.100",
        "RTM_DELADDR 10.9.0.200",
    ]
