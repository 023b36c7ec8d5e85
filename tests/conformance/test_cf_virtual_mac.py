"""What `use_vmac` adds, on a real kernel. The table is docs/conformance.md.

An active router, its backup and a client are up before the first test of each family; no test
changes their states."""

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_address

import pytest

from lab import Arp, Lab, LabUnavailableError
from netns.test_vmac import MARK, SLACK_S, VIP4, VIP6, Cable, Scene, cable, datagram, from_mac

pytestmark = pytest.mark.netns

ICMPV6, SOLICITATION, ADVERTISEMENT = 58, 135, 136
MACS = {VIP4: "00:00:5e:00:01:33", VIP6: "00:00:5e:00:02:33"}
OUTSIDE = {VIP4: ("10.9.0.50", "10.9.0.77"), VIP6: ("fd09::50", "fd09::77")}


class Watched(Scene):
    """A scene whose two routers forward, and whose cables are watched; there is a further host."""

    def __init__(self, lab: Lab, vip: str, stack: ExitStack) -> None:
        super().__init__(lab, vip=vip)
        lab.host("target", "10.9.0.77/24", "fd09::77/64")
        self.of_a, self.of_b = (
            stack.enter_context(cable(lab, router.host)) for router in (self.a, self.b)
        )
        for router in (self.a, self.b):
            for family in ("ipv4", "ipv6"):
                router.host.write(f"/proc/sys/net/{family}/conf/all/forwarding", "1")

    def deliver(self, of: Cable) -> None:
        """Let the switch send a packet for the further host to a router, by the virtual MAC."""
        of.deliver(datagram(self.mac, *OUTSIDE[self.vip]))


@pytest.fixture(scope="module", params=[VIP4, VIP6])
def scene(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with ExitStack() as stack:
        try:
            lab = stack.enter_context(Lab())
        except LabUnavailableError as error:
            pytest.skip(str(error))
        yield Watched(lab, request.param, stack)


def test_cf_021_adverts_come_from_the_virtual_mac(scene: Watched) -> None:
    (advert,) = scene.adverts("a", scene.lab.now())
    assert advert.frame[6:12].hex(":") == scene.mac


def test_cf_057_a_backup_discards_frames_to_the_virtual_mac(scene: Watched) -> None:
    scene.of_b.sent()
    scene.deliver(scene.of_b)
    scene.adverts("a", scene.lab.now(), 3)
    assert not any(MARK in frame for frame in scene.of_b.sent())


def test_cf_064_arp_is_answered_with_the_virtual_mac(scene: Watched) -> None:
    """And solicitations of IPv6, see 066."""
    scene.client.run("ip", "neigh", "flush", "dev", "eth0")
    assert scene.neighbour() == scene.mac


def test_cf_066_solicitations_are_answered_with_the_virtual_mac_as_a_router(
    scene: Watched,
) -> None:
    """IPv4 has no flag for routers."""
    scene.client.run("ip", "neigh", "flush", "dev", "eth0")
    assert scene.neighbour() == scene.mac
    entry = scene.client.run("ip", "neigh", "show", scene.vip).split()
    assert ("router" in entry) == (":" in scene.vip)


def test_cf_068_the_active_router_forwards_frames_to_the_virtual_mac(scene: Watched) -> None:
    scene.of_a.sent()
    scene.deliver(scene.of_a)
    scene.lab.wait_for(lambda: any(MARK in frame for frame in scene.of_a.sent()), timeout=SLACK_S)


def test_cf_080_the_virtual_mac_is_made_of_family_and_vrid(scene: Watched) -> None:
    lines = scene.a.host.run("ip", "-br", "link").splitlines()
    (made,) = (line.split()[2] for line in lines if line.startswith("vrrp"))
    assert made == MACS[scene.vip]


def test_cf_081_no_identifier_is_made_of_the_virtual_mac(scene: Watched) -> None:
    """Given both routers, then neither has an address that nobody has configured."""
    for router in (scene.a, scene.b):
        shown = router.host.run("ip", "-o", "-6", "address", "show")
        assert "5eff:fe00:" not in shown


def test_cf_083_arp_names_the_virtual_mac_only(scene: Watched) -> None:
    """Given a client that was answered, then no ARP packet has named another MAC address for the
    virtual one, requests of the router for its clients among them."""
    scene.client.run("ip", "neigh", "flush", "dev", "eth0")
    scene.neighbour()
    named = {e.sender_mac for e in scene.lab.events(Arp, lambda e: e.sender == VIP4)}
    assert named == ({scene.mac} if scene.vip == VIP4 else set())


def test_cf_086_neighbour_discovery_names_the_virtual_mac_only(scene: Watched) -> None:
    """Given a client that was answered, then what names the virtual address in neighbour discovery
    came from the virtual MAC address and names no other; the backup has said nothing of it."""
    for of in (scene.of_a, scene.of_b):
        of.sent()
    scene.client.run("ip", "neigh", "flush", "dev", "eth0")
    scene.neighbour()
    said = [one for one in scene.of_a.sent() if _discovers(one, scene.vip)]
    assert {one[6:12].hex(":") for one in said} == ({scene.mac} if scene.vip == VIP6 else set())
    assert all(one[-6:].hex(":") == scene.mac for one in said)
    assert from_mac(scene.of_b.sent(), scene.mac) == []


def _discovers(frame: bytes, address: str) -> bool:
    """Tell if a frame is an answer about `address`, or a question in its name."""
    if frame[12:14] != b"\x86\xdd" or frame[20] != ICMPV6 or ":" not in address:
        return False
    packed = ip_address(address).packed
    asks = frame[54] == SOLICITATION and frame[22:38] == packed
    return asks or (frame[54] == ADVERTISEMENT and frame[62:78] == packed)


def test_cf_120_version_2_comes_from_the_virtual_mac_too(lab: Lab) -> None:
    scene = Scene(lab, version=2)
    (advert,) = scene.adverts("a", lab.now())
    assert (advert.version, advert.frame[6:12].hex(":")) == (2, scene.mac)
