"""What only a real kernel can show: two routers on a switch, and a client. The table is
docs/conformance.md.

All transitions happen before the first test: router `r2` starts alone and becomes active, then `r1`
with a higher priority takes over. The tests look at what was seen, or ask the settled pair."""

import socket
import struct
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

import pytest

from conformance.scene import ones_complement
from fastvrrp.wire.advert import internet_checksum
from lab import (
    AddressRemoved,
    Advert,
    Arp,
    Host,
    Lab,
    LabUnavailableError,
    NeighbourAdvert,
    Router,
)
from lab.events import Event

pytestmark = pytest.mark.netns

E = TypeVar("E", bound=Event)

CONFIG = """
vrrp_instance V4 {{
    interface eth0
    version 3
    virtual_router_id 51
    priority {priority}
    advert_int 0.1
    virtual_ipaddress {{
        10.9.0.100/24
    }}
}}
vrrp_instance V6 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.1
    virtual_ipaddress {{
        fe80::100/64
        fd09::100/64
    }}
}}
"""
VIP, VIP6 = "10.9.0.100", "fd09::100"
ADDRESSES = (VIP, "fe80::100", VIP6)
LINK_LOCAL = {"r1": "fe80::ff:fe00:1", "r2": "fe80::ff:fe00:2", "client": "fe80::ff:fe00:3"}
OWN = {"r1": "10.9.0.1", "r2": "10.9.0.2", "client": "10.9.0.9"}
PORT = 9000
TIMEOUT_S = 5
GRACE = 500_000_000
"""ns: what a busy machine may need for one turn of the loop."""
ETH_P_ALL = 3
ICMPV6, SOLICITATION, ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 58, 135, 133, 134


class Pair:
    """The settled pair: `r1` is active, `r2` is its backup."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.r1, self.r2, self.client = (
            lab.host(name, f"{OWN[name]}/24", f"fd09::{number}/64")
            for name, number in (("r1", 1), ("r2", 2), ("client", 9))
        )
        self.wire = lab.switch.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.wire.setblocking(False)
        self.wire.bind(("br0", ETH_P_ALL))
        self._start(self.r2, priority=100)
        self.takeover = lab.now()
        self._start(self.r1, priority=200)
        lab.wait_for(lambda: not any(map(self.r2.holds, ADDRESSES)), TIMEOUT_S)
        self.frames = self.drain()

    def _start(self, host: Host, *, priority: int) -> None:
        Router(host, CONFIG.format(priority=priority), program="fastvrrpd").start()
        self.lab.wait_for(lambda: all(map(host.holds, ADDRESSES)), TIMEOUT_S)

    def drain(self) -> list[bytes]:
        frames = []
        while True:
            try:
                frames.append(self.wire.recv(2048))
            except BlockingIOError:
                return frames

    def adverts(self, host: str, version: int, *, after: int = 0) -> list[Advert]:
        """All adverts of a host over IPv4 or IPv6."""
        self.lab.pump(0)
        return self.lab.events(
            Advert,
            lambda e: e.host == host and e.at > after and ip_address(e.source).version == version,
        )

    def answered(self, kind: type[E], where: Callable[[E], bool], asked: int) -> E:
        """Wait for an answer."""
        return self.lab.first(kind, where, after=asked, timeout=TIMEOUT_S)

    def inject(self, frame: bytes) -> None:
        """Put a frame of the client on the wire."""
        with self.client.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind(("eth0", 0))
            sender.send(frame)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    try:
        with Lab() as lab:
            settled = Pair(lab)
            yield settled
            settled.wire.close()
    except LabUnavailableError as error:
        pytest.skip(str(error))


def mac(host: Host) -> bytes:
    return bytes.fromhex(host.mac.replace(":", ""))


# ---- what the client asks ----


def arp_request(client: Host, target: str) -> bytes:
    head = b"\xff" * 6 + mac(client) + b"\x08\x06" + bytes.fromhex("0001080006040001")
    sender = mac(client) + IPv4Address(OWN["client"]).packed
    return head + sender + bytes(6) + IPv4Address(target).packed


def icmpv6(client: Host, target_mac: bytes, dst: str, body: bytes) -> bytes:
    """A message of the client's link-local address; `body` has its checksum field 0."""
    src, to = IPv6Address(LINK_LOCAL["client"]).packed, IPv6Address(dst).packed
    checksum = internet_checksum(body, src=src, dst=to, protocol=ICMPV6)
    body = body[:2] + checksum.to_bytes(2) + body[4:]
    header = b"\x60\0\0\0" + len(body).to_bytes(2) + bytes((ICMPV6, 255)) + src + to
    return target_mac + mac(client) + b"\x86\xdd" + header + body


def solicitation(client: Host, target: str) -> bytes:
    """A neighbour solicitation to the solicited-node group (RFC 4861 §4.3)."""
    wanted = IPv6Address(target).packed
    group = IPv6Address(IPv6Address("ff02::1:ff00:0").packed[:13] + wanted[13:])
    body = bytes((SOLICITATION, 0)) + bytes(6) + wanted + b"\x01\x01" + mac(client)
    return icmpv6(client, b"\x33\x33" + group.packed[12:], str(group), body)


def datagram(client: Host, target_mac: bytes, dst: str, payload: bytes) -> bytes:
    """A UDP datagram to the port of `Listener`, in a frame to whomever."""
    udp = struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    addresses = IPv4Address(OWN["client"]).packed + IPv4Address(dst).packed
    checksum = ones_complement(header + addresses).to_bytes(2)
    return target_mac + mac(client) + b"\x08\x00" + header[:10] + checksum + addresses + udp


def delivered(pair: Pair, host: Host, dst: str) -> bool:
    """Tell if a host takes a datagram to `dst`; one to its own address comes after it."""
    with host.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("0.0.0.0", PORT))
        listener.settimeout(TIMEOUT_S)
        pair.inject(datagram(pair.client, mac(host), dst, b"asked"))
        pair.inject(datagram(pair.client, mac(host), OWN[host.name], b"fence"))
        first = listener.recv(64)
    assert first in (b"asked", b"fence")
    return first == b"asked"


# ---- adverts on the wire ----


def test_cf_001_source_is_the_address_of_the_interface(pair: Pair) -> None:
    for name in ("r1", "r2"):
        seen = {advert.source for advert in pair.adverts(name, 4)}
        assert seen == {OWN[name]}


def test_cf_004_ttl_is_255_on_the_wire(pair: Pair) -> None:
    seen = {(e.ttl, e.destination) for name in OWN for e in pair.adverts(name, 4)}
    assert seen == {(255, "224.0.0.18")}


def test_cf_006_source_is_the_link_local_address_of_the_interface(pair: Pair) -> None:
    for name in ("r1", "r2"):
        seen = {advert.source for advert in pair.adverts(name, 6)}
        assert seen == {LINK_LOCAL[name]}


def test_cf_007_ipv6_adverts_reach_the_group(pair: Pair) -> None:
    seen = {advert.destination for name in OWN for advert in pair.adverts(name, 6)}
    assert seen == {"ff02::12"}


def test_cf_008_hop_limit_is_255(pair: Pair) -> None:
    seen = {advert.ttl for name in OWN for advert in pair.adverts(name, 6)}
    assert seen == {255}


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_cf_060_the_first_advert_precedes_every_announcement(pair: Pair, name: str) -> None:
    first = pair.adverts(name, 4)[0].at
    announced = pair.lab.events(Arp, lambda e: e.host == name and e.sender == VIP)
    assert announced != []
    assert min(arp.at for arp in announced) >= first


# ---- the backup ----


def test_cf_054_only_the_active_router_answers_arp(pair: Pair) -> None:
    asked = pair.lab.now()
    pair.inject(arp_request(pair.client, VIP))
    pair.inject(arp_request(pair.client, OWN["r2"]))
    pair.answered(Arp, lambda e: e.operation == 2 and e.sender == VIP, asked)
    pair.answered(Arp, lambda e: e.operation == 2 and e.sender == OWN["r2"], asked)
    replies = pair.lab.events(Arp, lambda e: e.at > asked and e.operation == 2)
    assert {(e.host, e.sender) for e in replies} == {("r1", VIP), ("r2", OWN["r2"])}


def test_cf_055_only_the_active_router_answers_neighbour_solicitations(pair: Pair) -> None:
    asked = pair.lab.now()
    pair.inject(solicitation(pair.client, VIP6))
    pair.inject(solicitation(pair.client, "fd09::2"))
    pair.answered(NeighbourAdvert, lambda e: e.target == VIP6, asked)
    pair.answered(NeighbourAdvert, lambda e: e.target == "fd09::2", asked)
    answers = pair.lab.events(NeighbourAdvert, lambda e: e.at > asked)
    assert {(e.host, e.target) for e in answers} == {("r1", VIP6), ("r2", "fd09::2")}


def test_cf_056_nobody_sends_router_advertisements(pair: Pair) -> None:
    """Given both transitions and a router solicitation, then there was none."""
    asked = pair.lab.now()
    body = bytes((ROUTER_SOLICITATION, 0)) + bytes(6)
    for host in (pair.r1, pair.r2):
        pair.inject(icmpv6(pair.client, mac(host), "ff02::1", body))
        pair.inject(icmpv6(pair.client, mac(host), "ff02::2", body))
    pair.inject(solicitation(pair.client, "fd09::2"))
    pair.answered(NeighbourAdvert, lambda e: e.target == "fd09::2", asked)
    frames = pair.frames + pair.drain()
    kinds = {f[54] for f in frames if f[12:14] == b"\x86\xdd" and f[20] == ICMPV6}
    assert ROUTER_SOLICITATION in kinds  # the test sees what it looks for
    assert ROUTER_ADVERTISEMENT not in kinds


def test_cf_058_backup_does_not_take_packets_to_the_address(pair: Pair) -> None:
    assert not delivered(pair, pair.r2, VIP)


def test_cf_069_active_router_takes_packets_to_the_address(pair: Pair) -> None:
    """Accept_Mode True."""
    assert delivered(pair, pair.r1, VIP)


WITHOUT_ACCEPT = """
vrrp_instance OFF {
    interface eth0
    version 3
    virtual_router_id 51
    advert_int 0.1
    no_accept
    virtual_ipaddress {
        10.9.0.100/24
        10.9.0.102/24
    }
}
vrrp_instance OWNER {
    interface eth0
    version 3
    virtual_router_id 52
    state MASTER
    priority 255
    no_accept
    virtual_ipaddress {
        10.9.0.101/24
    }
}
"""


def answers(client: Host, address: str, *, within: float) -> bool:
    """Tell if a closed port says so."""
    with client.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
        caller.settimeout(within)
        try:
            caller.connect((address, PORT))
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False
    raise AssertionError("somebody listens there")


def test_cf_069_without_accept_mode_only_the_owner_takes_packets(lab: Lab) -> None:
    """Given no_accept, then packets to the addresses are dropped, while ARP is answered; the owner
    of its address takes them, and the host's own address is as ever. After the stop the table is
    gone."""
    router, client = lab.host("r1", "10.9.0.1/24"), lab.host("client", "10.9.0.9/24")
    daemon = Router(router, WITHOUT_ACCEPT, program="fastvrrpd")
    process = daemon.start()
    held = ("10.9.0.100", "10.9.0.102", "10.9.0.101")
    lab.wait_for(lambda: all(map(router.holds, held)), TIMEOUT_S)
    assert not answers(client, "10.9.0.100", within=0.3)
    assert not answers(client, "10.9.0.102", within=0.3)
    assert "10.9.0.100 dev eth0 lladdr" in client.run("ip", "neigh", "show")
    assert answers(client, "10.9.0.101", within=TIMEOUT_S)
    assert answers(client, "10.9.0.1", within=TIMEOUT_S)
    daemon.stop()
    lab.wait_for(lambda: bool(process.exit.finished), TIMEOUT_S)
    assert router.run("nft", "list", "ruleset") == ""


# ---- the active router ----


def test_cf_065_only_the_active_router_is_in_the_solicited_node_groups(pair: Pair) -> None:
    group = "ff0200000000000000000001ff000100"
    assert group in pair.r1.run("cat", "/proc/net/igmp6")
    assert group not in pair.r2.run("cat", "/proc/net/igmp6")


@pytest.mark.parametrize("address", ADDRESSES)
def test_cf_075_the_one_that_yields_is_silent_and_holds_nothing(pair: Pair, address: str) -> None:
    """Given the first advert of a better router, when half a second has passed, then the other one
    has sent its last advert, and its addresses are gone."""
    version = ip_address(address).version
    first = pair.adverts("r1", version)[0].at
    gone = pair.lab.events(AddressRemoved, lambda e: e.host == "r2" and e.address == address)
    assert [e for e in gone if first <= e.at < first + GRACE] != []
    assert pair.adverts("r2", version, after=first + GRACE) == []


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_cf_083_each_holder_names_its_own_mac_only(pair: Pair, name: str) -> None:
    asked = pair.lab.now()
    pair.inject(arp_request(pair.client, VIP))
    pair.answered(Arp, lambda e: e.operation == 2 and e.sender == VIP, asked)
    seen = pair.lab.events(Arp, lambda e: e.host == name and e.sender == VIP)
    assert {arp.sender_mac for arp in seen} == {pair.lab.hosts[name].mac}


def test_cf_084_nobody_announces_before_it_is_active(pair: Pair) -> None:
    """Given a backup that starts beside an active router, when it takes over, then only then it
    announces; and the other one is silent from then on."""
    first = pair.adverts("r1", 4)[0].at
    announced = pair.lab.events(Arp, lambda e: e.gratuitous and e.sender == VIP)
    assert all(arp.at >= first for arp in announced if arp.host == "r1")
    assert all(arp.at <= first + GRACE for arp in announced if arp.host == "r2")
    assert {arp.host for arp in announced} == {"r1", "r2"}


@pytest.mark.parametrize("target", ["fe80::100", VIP6])
def test_cf_088_transition_sends_unsolicited_neighbour_advertisements(
    pair: Pair, target: str
) -> None:
    seen = pair.lab.events(NeighbourAdvert, lambda e: e.target == target)
    assert {"r1", "r2"} <= {advert.host for advert in seen}
