"""Announcements that keep an interval, as switches with a limit want it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from lab import AddressAdded, Advert, Arp, Event, Lab, NeighbourAdvert, Router

pytestmark = pytest.mark.netns

IPV4 = [f"10.9.0.{n}" for n in range(100, 110)]
IPV6 = [f"fd09::{n}" for n in range(100, 105)]
LINES4 = "\n".join(f"{ip}/24" for ip in IPV4)
LINES6 = "\n".join(f"{ip}/64" for ip in IPV6)
INSTANCE = f"""
vrrp_instance VI_1 {{
    interface eth0
    version 3
    virtual_router_id 51
    priority 150
    advert_int 0.2
    garp_master_delay 0
    garp_master_repeat 2
    virtual_ipaddress {{
        {LINES4}
    }}
    virtual_ipaddress_excluded {{
        {LINES6}
    }}
}}
"""
INTERVALS = {
    "of all interfaces": """
global_defs {
    vrrp_garp_interval 0.02
    vrrp_gna_interval 0.03
}
""",
    "of a group": """
garp_group {
    garp_interval 0.02
    gna_interval 0.03
    interfaces {
        eth0
        eth1
    }
}
""",
}
MS = 1_000_000
WAIT_S = 8


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def gaps(events: Sequence[Event]) -> list[int]:
    """Return the times between events, ns."""
    times = [event.at for event in events]
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize("said", INTERVALS)
def test_announcements_keep_their_interval_and_adverts_do_not_wait(lab: Lab, said: str) -> None:
    """Given intervals, when a router takes over with 10 addresses of one family and 5 of the other,
    then each is announced twice, none sooner after another one of its family than it may, and
    adverts leave between them."""
    host = lab.host("r1", "10.9.0.1/24")
    Router(host, INTERVALS[said] + INSTANCE, program="fastvrrpd").start()
    lab.first(AddressAdded, lambda e: e.address == IPV4[-1], timeout=WAIT_S)
    lab.wait_for(
        lambda: len(announced(lab, Arp)) >= 20 and len(announced(lab, NeighbourAdvert)) >= 10,
        timeout=WAIT_S,
    )
    for kind, interval in ((Arp, 20 * MS), (NeighbourAdvert, 30 * MS)):
        # The capture may see one late and the next on time.
        assert min(gaps(announced(lab, kind))) > 0.8 * interval, kind
    found = announced(lab, Arp)
    adverts = [e for e in lab.events(Advert) if found[0].at < e.at < found[-1].at]
    assert adverts
    assert max(gaps(adverts), default=0) < 400 * MS, "twice their interval"


def announced(lab: Lab, kind: type[Arp | NeighbourAdvert]) -> list[Event]:
    """Return the announcements of one kind of virtual addresses."""
    names = {*IPV4, *IPV6}
    return [event for event in lab.events(kind) if event.target in names]
