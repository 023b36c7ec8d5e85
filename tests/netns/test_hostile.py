"""Streams of rejected packets at a master: its adverts stay on time and its log stays short.

The case that the field has: any packet for the VRID, valid or not, postponed the
master's next advert, so that three a second made its backup take over again and again.
"""

import re
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from typing import Self, TypedDict

import pytest

from fastvrrp.wire.advert import layout, reseal
from lab import Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VICTIM, ATTACKER, PEER = "10.9.0.1", "10.9.0.66", "10.9.0.2"
INTERVAL_S = 1.0
GROUP_MAC = bytes.fromhex("01005e000012")
FLOOD = Path(__file__).with_name("flood.py")
SO_ATTACH_FILTER, SO_TIMESTAMPNS, ETH_P_ALL = 26, 35, 3


class Wrong(TypedDict, total=False):
    """What is wrong with an advert, as `layout` takes it."""

    dst: bytes
    auth_type: int
    password: bytes
    ttl: int
    unicast: bool


@dataclass(frozen=True)
class Attack:
    """A class of rejected packets, and what the victim is configured for."""

    name: str
    reject: str
    body: str = ""
    advert: Wrong = field(default_factory=Wrong)
    spoil_checksum: bool = False


ATTACKS = (
    Attack("bad-checksum", "the checksum is wrong", spoil_checksum=True),
    Attack(
        "wrong-password",
        "the password is wrong",
        body="authentication {\n auth_type PASS\n auth_pass right\n }",
        advert={"auth_type": 1, "password": b"wrong"},
    ),
    Attack(
        "wrong-ah-key",
        "the AH check failed",
        body="authentication {\n auth_type AH\n auth_pass right\n }",
        advert={"auth_type": 2, "password": b"wrong"},
    ),
    Attack("wrong-ttl", "the TTL is not 255", advert={"ttl": 254}),
    Attack(
        "foreign-source",
        "no configured unicast peer",
        body=f"unicast_src_ip {VICTIM}\n unicast_peer {{\n {PEER}\n }}",
        advert={"unicast": True, "dst": IPv4Address(VICTIM).packed},
    ),
)


def config(attack: Attack) -> str:
    return f"""
vrrp_instance VI_1 {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority 100
 advert_int {INTERVAL_S:g}
 {attack.body}
 virtual_ipaddress {{
 10.9.0.100
 }}
}}
"""


def hostile_frames(attack: Attack, victim: Host, attacker: Host) -> list[bytes]:
    """Adverts of priority 254 that would win, if they were not wrong in one respect."""
    given: Wrong = {"dst": IPv4Address("224.0.0.18").packed, **attack.advert}
    laid_out = layout(
        family=4,
        version=2,
        vrid=51,
        priority=254,
        interval_ns=int(INTERVAL_S * 1e9),
        addresses=[IPv4Address("10.9.0.100").packed],
        src=IPv4Address(ATTACKER).packed,
        **given,
    )
    password = given.get("password", b"")
    frames = []
    for number in range(1, 65):
        packet = bytearray(
            reseal(laid_out, priority=254, ip_id=number, ah_sequence=number, password=password)
        )
        if attack.spoil_checksum:
            packet[laid_out.vrrp + 6] ^= 0x55
        packet[10:12] = struct.pack("!H", ip_checksum(packet[:20]))
        target = bytes.fromhex(victim.mac.replace(":", "")) if given.get("unicast") else GROUP_MAC
        source = bytes.fromhex(attacker.mac.replace(":", ""))
        frames.append(target + source + b"\x08\x00" + bytes(packet))
    return frames


def ip_checksum(header: bytes | bytearray) -> int:
    words = struct.unpack("!10H", header[:10] + b"\0\0" + header[12:20])
    total: int = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


class AdvertWatch:
    """Kernel arrival times of what `host` sends, undisturbed by what others send: the filter sees
    nothing but its source MAC and the protocols 112 and 51."""

    def __init__(self, lab: Lab, host: Host) -> None:
        mac = bytes.fromhex(host.mac.replace(":", ""))
        high, low = struct.unpack("!IH", mac)
        program = [
            (0x20, 0, 0, 6), (0x15, 0, 8, high),
            (0x28, 0, 0, 10), (0x15, 0, 6, low),
            (0x28, 0, 0, 12), (0x15, 0, 4, 0x0800),
            (0x30, 0, 0, 23), (0x15, 1, 0, 112), (0x15, 0, 1, 51),
            (0x06, 0, 0, 128), (0x06, 0, 0, 0),
        ]  # fmt: skip
        code = create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
        self.socket = lab.switch.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setblocking(False)
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), addressof(code))
        )
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((host.name, ETH_P_ALL))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def times(self, seconds: float) -> list[float]:
        """Arrival times (s) of the adverts within the next `seconds`."""
        found: list[float] = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                break
            _, control, _, _ = self.socket.recvmsg(128, 64)
            whole, nanoseconds = struct.unpack_from("qq", control[0][2])
            found.append(whole + nanoseconds / 1e9)
        return found


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def flood(lab: Lab, attacker: Host, watch: AdvertWatch, file: str, rate: int) -> list[float]:
    """Send for three seconds and a bit; returns the gaps between the victim's adverts meanwhile."""
    begin = lab.now()
    attacker.popen(sys.executable, str(FLOOD), file, str(rate), "3.2")
    times = watch.times(3.3)
    lab.first(Exited, lambda e: e.host == attacker.name, after=begin, timeout=10)
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_rejected_packets_neither_delay_adverts_nor_fill_the_log(lab: Lab, attack: Attack) -> None:
    """Given a master, when it is sent rejected adverts of priority 254, 3 to 100,000 a second, then
    its adverts keep their interval, it stays master, and its log names the first of them and no
    more."""
    victim, attacker = lab.host("victim", f"{VICTIM}/24"), lab.host("attacker", f"{ATTACKER}/24")
    lab.host("peer", f"{PEER}/24")
    router = Router(victim, config(attack), program="fastvrrpd")
    router.start()
    lab.first(LogLine, lambda e: "setting VIPs" in e.text, timeout=8)
    lines_before = len(log_of(lab, victim))
    frames = hostile_frames(attack, victim, attacker)
    file = attacker.write("/run/frames", "\n".join(frame.hex() for frame in frames))

    with AdvertWatch(lab, victim) as watch:
        for rate in (3, 1_000, 100_000):
            gaps = flood(lab, attacker, watch, file, rate)
            assert len(gaps) >= 2
            assert max(gaps) <= 1.05 * INTERVAL_S, (rate, gaps)

    lines = log_of(lab, victim)[lines_before:]
    assert any(re.search(attack.reject, line) for line in lines), lines
    assert len(lines) <= 3, lines
    assert victim.holds("10.9.0.100")


def log_of(lab: Lab, host: Host) -> list[str]:
    return [e.text for e in lab.events(LogLine) if e.host == host.name]
