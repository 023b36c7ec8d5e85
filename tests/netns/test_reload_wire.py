"""What a reload does not change is not seen on the wire: neither a packet more nor one less."""

import struct
from itertools import pairwise

import pytest

from lab import Advert, Arp, Lab, LogLine, Router

pytestmark = pytest.mark.netns

INTERVAL_S = 1  # that of VRRPv2 with AH is whole seconds
ETHERNET = 14
IP_ID = ETHERNET + 4
AH_SEQUENCE = ETHERNET + 20 + 8


def instance(name: str, vrid: int, body: str, *addresses: str) -> str:
    lines = "\n".join(addresses)
    return f"""
vrrp_instance {name} {{
 interface eth0
 virtual_router_id {vrid}
 state MASTER
 priority 255
 {body}
 virtual_ipaddress {{
 {lines}
 }}
}}
"""


AH = "advert_int 1\n authentication {\n auth_type AH\n auth_pass geheim\n }"
FAST = "version 3\n advert_int 0.1"
KEPT = instance("KEPT", 51, AH, "10.9.0.100/24") + instance("FAST", 52, FAST, "10.9.0.110/24")


def reload(lab: Lab, router: Router, config: str) -> int:
    """Let `router` run `config`; returns when that was done."""
    began = lab.now()
    router.host.write(router.path, config)
    router.host.run("sh", "-c", "kill -HUP $(cat /run/router.pid)")
    return lab.first(LogLine, lambda e: "Reload complete" in e.text, after=began, timeout=15).at


def numbers(adverts: list[Advert], at: int, form: str) -> list[int]:
    """Return a field of the packets, as the difference of each to the one before."""
    found = [struct.unpack_from(form, one.frame, at)[0] for one in adverts]
    return [second - first for first, second in pairwise(found)]


def test_neighbours_of_what_is_reloaded_go_on_as_if_nothing_had_happened() -> None:
    """Given three instances that hold addresses, when reloads change, remove and add the third,
    then each advert of the others is there, in its time and with the next number, none is sent in
    addition, and nobody announces their addresses."""
    with Lab() as lab:
        host = lab.host("r1", "10.9.0.1/24")
        config = KEPT + instance("OTHER", 53, FAST, "10.9.0.120/24")
        router = Router(host, config, program="fastvrrpd")
        router.start()
        lab.wait_for(lambda: {e.vrid for e in lab.events(Advert)} == {51, 52, 53}, timeout=15)
        lab.first(Arp, lambda e: e.sender == "10.9.0.120", timeout=5)
        began = lab.now()
        for other in (
            instance("OTHER", 53, FAST, "10.9.0.121/24"),
            "",
            instance("OTHER", 53, FAST, "10.9.0.120/24", "10.9.0.122/24"),
        ):
            done = reload(lab, router, KEPT + other)
        lab.first(Arp, lambda e: e.sender == "10.9.0.122", after=done - 10**9, timeout=5)
        end = lab.first(Advert, lambda e: e.vrid == 51, after=done, timeout=5).at

        def sent(vrid: int) -> list[Advert]:
            return lab.events(Advert, lambda e: e.vrid == vrid and began < e.at <= end)

        kept, fast = sent(51), sent(52)
        assert set(numbers(kept, AH_SEQUENCE, "!I")) <= {1}
        assert set(numbers(kept, IP_ID, "!H")) <= {1}
        assert set(numbers(fast, IP_ID, "!H")) == {1}
        gaps = [second.at - first.at for first, second in pairwise(fast)]
        assert min(gaps) > 10_000_000
        assert max(gaps) < 190_000_000
        assert not {one.priority for one in kept + fast} - {255}
        announced = {one.sender for one in lab.events(Arp, lambda e: began < e.at <= end)}
        assert announced == {"10.9.0.120", "10.9.0.121", "10.9.0.122"}
