"""The work on the host beside the protocol: addresses are right in the end, and no advert waits."""

import random
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Lab, Router

pytestmark = pytest.mark.netns

MILLISECOND = 1_000_000
CONTENTION = "while :; do ip link add a0 type veth peer b0; ip link del a0; done"
"""Each of these holds the kernel's lock for addresses for milliseconds."""

# Two threads and an impatient cold side; what is prepared last and the state decide.
SCRIPT = """
import random, socket, sys, threading
from ipaddress import IPv4Address
from pyroute2.netlink import NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.host.netlink import RouteSocket, encode
from fastvrrp.loop.loop import Loop
from fastvrrp.loop.prepared import Batch, Prepared
from fastvrrp.names import State

ROUTERS, EVENTS = 3, 600
chance = random.Random(int(sys.argv[1]))
index = socket.if_nametoindex("eth0")

def request(kind, address):
    message = ifaddrmsg()
    message["family"] = socket.AF_INET
    message["prefixlen"] = 32
    message["index"] = index
    message["attrs"] = [("IFA_LOCAL", address)]
    flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE
    return encode(message, kind=kind, flags=flags, sequence=1)

def prepared(addresses):
    adding = [request(RTM_NEWADDR, a) for a in addresses]
    removing = [request(RTM_DELADDR, a) for a in addresses]
    return Prepared(
        fd=-1, ifindex=0, datagrams=(),
        install=tuple(Batch(requests=b"".join(adding[i:i + 8])) for i in range(0, len(adding), 8)),
        withdraw=(b"".join(removing),),
    )

route = RouteSocket()
core = Core(ROUTERS)
for number in range(ROUTERS):
    core.add(RouterParams(vrid=number + 1, port=-1, priority=255, start_active=True,
                          source=bytes((10, 0, 0, 1))))
loop = Loop(core, netlink_fd=route.fileno(), threaded=True)
threads = [threading.Thread(target=run) for run in (loop.run, loop.run_worker)]
for thread in threads:
    thread.start()
choices = [
    [[str(IPv4Address("10.8.0.0") + number * 256 + n) for n in range(first, first + 40)]
     for first in (0, 20, 100)]
    for number in range(ROUTERS)
]
held = [chance.choice(choices[number]) for number in range(ROUTERS)]
for number in range(ROUTERS):
    loop.prepare(number, prepared(held[number]))
    loop.startup(number)
for _ in range(EVENTS):
    number = chance.randrange(ROUTERS)
    event = chance.randrange(6)
    if event <= 3:
        loop.set_faults(number, chance.randrange(2))
    elif event == 4:
        loop.reinstall(number)
    else:
        # As a reload does: what it has no more goes first.
        new = chance.choice(choices[number])
        gone = [request(RTM_DELADDR, a) for a in held[number] if a not in new]
        held[number] = new
        loop.prepare(number, prepared(new))
        loop.send_now(number, [b"".join(gone)] if gone else [], [])
if len(sys.argv) > 2:
    loop.shutdown()
loop.stop()
for thread in threads:
    thread.join()
for number in range(ROUTERS):
    if loop.status(number)["state"] is State.ACTIVE:
        print("\\n".join(held[number]))
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.mark.parametrize("ends", [False, True], ids=["running", "shut down"])
def test_addresses_are_those_of_the_last_state(lab: Lab, ends: bool) -> None:
    """Given states that change faster than the kernel follows, when all is done, then it has the
    addresses of those that are active, and none else."""
    seed = random.randrange(1 << 30)
    host = lab.host("r1", "10.9.0.1/24")
    host.popen("sh", "-c", CONTENTION)
    arguments = [str(seed), *(["end"] if ends else [])]
    expected = host.run(sys.executable, "-c", SCRIPT, *arguments, timeout=60).split()
    shown = host.run("ip", "-o", "-4", "address", "show", "dev", "eth0").splitlines()
    present = [line.split()[3].split("/")[0] for line in shown]
    assert sorted(present) == sorted([*expected, "10.9.0.1"]), f"seed {seed}"


VIPS = [f"10.7.{number // 250}.{number % 250 + 1}" for number in range(1000)]
CONFIG = f"""
vrrp_track_file switch {{
    file /run/switch
    weight 0
}}
vrrp_instance STEADY {{
    interface eth0
    version 3
    virtual_router_id 51
    advert_int 0.1
    virtual_ipaddress {{
        10.9.0.100
    }}
}}
vrrp_instance LARGE {{
    interface eth0
    version 3
    virtual_router_id 52
    advert_int 0.1
    virtual_ipaddress {{
        10.9.0.101
    }}
    virtual_ipaddress_excluded {{
        {chr(10).join(VIPS)}
    }}
    track_file {{
        switch
    }}
}}
"""


def test_no_advert_waits_for_a_thousand_addresses(lab: Lab) -> None:
    """Given a host whose lock for addresses is fought for, when a thousand are removed and set
    again, then the adverts of another instance go on all the while: no backup would take over."""
    host = lab.host("r1", "10.9.0.1/24")
    busy = lab.host("busy", "10.9.0.9/24")
    host.write("/run/switch", "0")
    Router(host, CONFIG, program="fastvrrpd").start()
    lab.first(AddressAdded, lambda e: e.address == VIPS[-1], timeout=10)
    for _ in range(2):
        busy.popen("sh", "-c", CONTENTION)
    begin = lab.now()
    host.write("/run/switch", "-254")
    gone = lab.first(AddressRemoved, lambda e: e.address == VIPS[0], after=begin, timeout=20)
    host.write("/run/switch", "0")
    back = lab.first(AddressAdded, lambda e: e.address == VIPS[-1], after=gone.at, timeout=20)
    lab.first(Advert, lambda e: e.vrid == 51, after=back.at, timeout=2)
    times = [e.at for e in lab.events(Advert, lambda e: e.vrid == 51) if e.at > begin]
    worst = max(later - earlier for earlier, later in pairwise(times))
    assert worst < 300 * MILLISECOND, "three intervals without an advert"
