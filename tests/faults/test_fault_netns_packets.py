"""Packets that a router must not believe, through a real kernel: rows 52-55, 59, 60, 63 and 65 of
docs/faults.md.

One victim is active for several virtual routers. Each test sends something that is wrong in one
respect and would win if it were not, and waits for the victim's next advert: it is active still.
Then the same without the fault, which must win: else the test would show nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from conformance.scene import Sent, advert
from fastvrrp.clock import milliseconds, seconds
from fastvrrp.names import RejectReason
from faults.attacker import Attacker, ip_checksum
from lab import Advert, Exited, Lab, LabUnavailableError, LogLine, Router

pytestmark = pytest.mark.netns

VICTIM, ATTACKER, PEER = bytes((10, 9, 0, 1)), bytes((10, 9, 0, 66)), bytes((10, 9, 0, 2))
ATTACKER_6 = bytes.fromhex("fe800000000000000000000000000066")
FLAGS, VERSION_TYPE, AUTH_TYPE, CHECKSUM = 6, 0, 4, 6
SEED = 52

# VRID, and what the victim runs under it. Priority 250 keeps the way back short.
V3, V3_OLD, V6, UNICAST, V2, PASS, RANDOM_2, RANDOM_3 = 53, 54, 55, 56, 57, 58, 59, 60
BODIES = {
    V3: "version 3",
    V3_OLD: "version 3\n v3_checksum_as_v2",
    V6: "version 3",
    UNICAST: "version 3\n unicast_src_ip 10.9.0.1\n unicast_peer {\n 10.9.0.2\n }",
    V2: "version 2",
    PASS: "version 2\n authentication {\n auth_type PASS\n auth_pass right\n }",
    RANDOM_2: "version 2",
    RANDOM_3: "version 3",
}
VERSION_2 = (V2, PASS, RANDOM_2)


def config(vrid: int) -> str:
    interval = 1 if vrid in VERSION_2 else 0.1
    address = "fe80::9:55" if vrid == V6 else f"10.9.0.{vrid + 100}"
    return f"""
vrrp_instance R{vrid} {{
 state BACKUP
 interface eth0
 virtual_router_id {vrid}
 priority 250
 advert_int {interval:g}
 {BODIES[vrid]}
 virtual_ipaddress {{
 {address}
 }}
}}
"""


class Scene:
    """The victim, the attacker, and what can be asked of the victim."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.victim = lab.host("victim", "10.9.0.1/24", "fe80::1/64")
        self.attacker = Attacker(lab.host("attacker", "10.9.0.66/24", "fe80::66/64"))
        lab.host("peer", "10.9.0.2/24")
        router = Router(self.victim, "".join(map(config, BODIES)), program="fastvrrpd")
        router.start()
        for vrid in BODIES:
            self.said(vrid, "Entering MASTER STATE", after=0)

    def said(self, vrid: int, text: str, after: int) -> LogLine:
        return self.lab.first(
            LogLine, lambda e: text in e.text and f"(R{vrid})" in e.text, after=after, timeout=6
        )

    def send(self, sent: Sent) -> None:
        self.attacker.send(sent, to=self.victim if sent.dst == VICTIM else None)

    def stays_active(self, vrid: int, after: int) -> None:
        """Wait for the victim's next advert, and look whether it was active all the time."""
        self.lab.first(
            Advert, lambda e: (e.host, e.vrid) == ("victim", vrid), after=self.lab.now(), timeout=3
        )
        left = f"(R{vrid}) Entering BACKUP"
        assert self.lab.events(LogLine, lambda e: e.at > after and left in e.text) == []

    def ignores(self, vrid: int, *wrong: Sent, reason: RejectReason | None = None) -> None:
        """Send what is wrong; the victim tells the reason, and stays active."""
        began = self.lab.now()
        for each in wrong:
            self.send(each)
        if reason is not None:
            self.said(vrid, reason.text, after=began)
        self.stays_active(vrid, began)

    def yields(self, vrid: int, right: Sent, farewell: Sent) -> None:
        """Send what is right; the victim yields, and returns after the farewell."""
        began = self.lab.now()
        self.send(right)
        self.said(vrid, "Entering BACKUP STATE", after=began)
        self.send(farewell)
        self.said(vrid, "Entering MASTER STATE", after=began)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    try:
        with Lab() as lab:
            scene = Scene(lab)
            with scene.attacker:
                yield scene
    except LabUnavailableError as error:
        pytest.skip(str(error))


def better(vrid: int, **changes: object) -> Sent:
    """Return an advert that wins against the victim, unless something is wrong with it."""
    two = vrid in VERSION_2
    usual: dict[str, object] = {
        "vrid": vrid,
        "priority": 254,
        "src": ATTACKER,
        "version": 2 if two else 3,
        "interval_ns": seconds(1) if two else milliseconds(100),
        "addresses": (bytes((10, 9, 0, vrid + 100)),),
    }
    if vrid == V6:
        usual |= {"family": 6, "src": ATTACKER_6, "addresses": (bytes.fromhex(V6_ADDRESS),)}
    if vrid == UNICAST:
        usual |= {"src": PEER, "dst": VICTIM, "unicast": True}
    if vrid == PASS:
        usual |= {"auth_type": 1, "password": b"right"}
    return advert(**(usual | changes))


V6_ADDRESS = "fe800000000000000000000000090055"


@pytest.mark.parametrize("ttl", [1, 254])
def test_fault_053_ttl_is_not_255(scene: Scene, ttl: int) -> None:
    """Given a TTL below 255, which a packet from another network must have, then it is dropped."""
    vrid = V3 if ttl == 254 else V2
    scene.ignores(vrid, replace(better(vrid), ttl=ttl), reason=RejectReason.TTL)
    scene.yields(vrid, better(vrid), better(vrid, priority=0))


def test_fault_053_hop_limit_is_not_255(scene: Scene) -> None:
    """Given a hop limit of 64 or 254 over IPv6, then the advert is dropped."""
    wrong = [replace(better(V6), ttl=limit) for limit in (64, 254)]
    scene.ignores(V6, *wrong, reason=RejectReason.TTL)
    scene.yields(V6, better(V6), better(V6, priority=0))


@pytest.mark.parametrize("vrid", [V2, V3, V3_OLD, V6], ids=["v2", "v3", "v3-as-v2", "ipv6"])
def test_fault_054_checksum_is_wrong(scene: Scene, vrid: int) -> None:
    """Given a wrong checksum, then the advert is dropped, v3_checksum_as_v2 or not."""
    right = better(vrid)
    wrong = right.patched(CHECKSUM, bytes((right.message[6] ^ 0x55, right.message[7])), resum=False)
    scene.ignores(vrid, wrong, reason=RejectReason.CHECKSUM)
    scene.yields(vrid, right, better(vrid, priority=0))


@pytest.mark.parametrize("style", [0, 1], ids=["pseudo-header", "message-only"])
@pytest.mark.parametrize("vrid", [V3, V3_OLD], ids=["v3", "v3-as-v2"])
def test_fault_055_both_checksums_of_version_3_are_right(
    scene: Scene, vrid: int, style: int
) -> None:
    """Given an advert of version 3 over IPv4 with the checksum of either convention, then it is
    accepted, whichever the victim sends itself."""
    scene.yields(
        vrid,
        better(vrid, checksum_style=style),
        better(vrid, checksum_style=style, priority=0),
    )


@pytest.mark.parametrize("vrid", [V2, V3, V6], ids=["v2", "v3", "ipv6"])
def test_fault_059_type_or_version_is_unknown(scene: Scene, vrid: int) -> None:
    """Given an advert of another type or version, its checksum right, then it is dropped."""
    right = better(vrid)
    version = right.message[0] & 0xF0
    firsts = (version | 2, version, version | 15, 0x11, 0x41, 0x01, 0xF1)
    scene.ignores(vrid, *(right.patched(VERSION_TYPE, bytes((first,))) for first in firsts))
    scene.yields(vrid, right, better(vrid, priority=0))


def test_fault_060_password_is_wrong(scene: Scene) -> None:
    """Given PASS, then an advert with another password is dropped, also one that begins like
    ours or goes on after it, and one without the room for it."""
    wrong = [better(PASS, password=password) for password in (b"wrong", b"", b"righ", b"right1")]
    scene.ignores(PASS, *wrong, reason=RejectReason.AUTH_PASS)
    scene.ignores(PASS, better(PASS).with_length(12))
    scene.yields(PASS, better(PASS), better(PASS, priority=0))


def test_fault_060_authentication_types_differ(scene: Scene) -> None:
    """Given PASS, then an advert without authentication is dropped, and the other way round; so is
    one whose type is none that RFC 2338 knows."""
    none = better(PASS, auth_type=0)
    unknown = better(PASS).patched(AUTH_TYPE, bytes((3,)))
    scene.ignores(PASS, none, reason=RejectReason.AUTH_MISMATCH)
    scene.ignores(PASS, unknown, reason=RejectReason.AUTH_TYPE)
    scene.ignores(V2, better(V2, auth_type=1, password=b"right"), reason=RejectReason.AUTH_MISMATCH)
    scene.yields(V2, better(V2), better(V2, priority=0))


def test_fault_063_unicast_comes_from_no_peer(scene: Scene) -> None:
    """Given unicast peers, then an advert from another host is dropped, near or far (TTL 12)."""
    stranger = better(UNICAST, src=ATTACKER)
    scene.ignores(UNICAST, stranger, replace(stranger, ttl=12), reason=RejectReason.SOURCE)
    scene.yields(UNICAST, better(UNICAST), better(UNICAST, priority=0))


def test_fault_065_fragments_are_dropped(scene: Scene) -> None:
    """Given an advert that says that more fragments follow, or that it is one, then it is
    dropped."""
    whole = better(V3)
    first, later = bytearray(whole.data), bytearray(whole.data)
    first[FLAGS] = 0x20
    later[FLAGS + 1] = 1
    scene.ignores(V3, replace(whole, data=bytes(first)), replace(whole, data=bytes(later)))


def test_fault_065_options_are_skipped(scene: Scene) -> None:
    """Given an advert behind an IPv4 header with options, then it is accepted."""
    scene.yields(V3, with_options(better(V3)), with_options(better(V3, priority=0)))


def with_options(sent: Sent) -> Sent:
    """Return an advert with 4 and 40 bytes of IPv4 options, which do nothing."""
    data = bytearray(sent.data[:20] + b"\x01" * 40 + sent.data[20:])
    data[0] = 0x40 | 15
    data[2:4] = len(data).to_bytes(2)
    return replace(sent, data=bytes(data))


def test_fault_052_random_bytes(scene: Scene) -> None:
    """Given IPv4 packets of protocol 112 with random bytes, of every length up to 1500 and every
    IHL, when all of them are sent, then the daemon lives, is active for everything, and has told
    each reason once."""
    print(f"seed {SEED}")
    random = Random(SEED)
    scene.stays_active(RANDOM_3, after=scene.lab.now())
    began = scene.lab.now()
    scene.attacker.send_packets(random_packet(random, length) for length in range(1501))
    for vrid in BODIES:
        scene.stays_active(vrid, began)
    assert scene.lab.events(Exited) == []
    lines = [e.text for e in scene.lab.events(LogLine, lambda e: e.at > began)]
    assert [line for line in lines if "Entering" in line or "Traceback" in line] == []
    lines = [line for line in lines if "rejected" in line]
    assert len(lines) == len(set(lines)) <= 2 * len(BODIES), lines
    for vrid in (RANDOM_2, RANDOM_3):
        assert any(f"(R{vrid})" in line for line in lines), lines
        scene.yields(vrid, better(vrid), better(vrid, priority=0))


def random_packet(random: Random, length: int) -> bytes:
    """Return a packet of `length` bytes whose IPv4 header a kernel believes, if it has room for
    one; three out of four look like VRRP for a router of the victim."""
    data = bytearray(random.randbytes(length))
    size = 4 * random.randrange(5, 16)
    if length < size or random.random() < 0.1:
        return bytes(data)
    data[:12] = bytes((0x40 | size // 4, 0xC0)) + length.to_bytes(2) + bytes(4) + b"\xff\x70\0\0"
    data[12:16] = ATTACKER
    data[16:20] = bytes((224, 0, 0, 18))
    data[20:size] = b"\x01" * (size - 20)  # option "no operation"
    data[10:12] = ip_checksum(data[:size]).to_bytes(2)
    if length >= size + 2 and random.random() < 0.75:
        data[size : size + 2] = bytes(
            (random.choice((0x21, 0x31)), random.choice((RANDOM_2, RANDOM_3)))
        )
    return bytes(data)
