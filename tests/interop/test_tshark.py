"""Every kind of packet that we send, as tshark's experts see it."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from fastvrrp.wire.advert import layout, reseal
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na
from interop.pcap import expert_messages, write_pcap

pytestmark = pytest.mark.interop

MAC = bytes.fromhex("020000000001")
V4_HEAD = bytes.fromhex("01005e000012") + MAC + b"\x08\x00"
V6_HEAD = bytes.fromhex("333300000012") + MAC + b"\x86\xdd"


@dataclass(frozen=True)
class Kind:
    """One kind of advert."""

    name: str
    version: int
    family: int = 4
    auth_type: int = 0
    password: bytes = b""
    checksum_style: int = 0
    count: int = field(default=3)


KINDS = (
    Kind("v2", 2),
    Kind("v2-pass", 2, auth_type=1, password=b"s3cr3tPw"),
    Kind("v2-ah", 2, auth_type=2, password=b"s3cr3tPw"),
    Kind("v3-ipv4", 3),
    Kind("v3-ipv4-255-addresses", 3, count=255),
    Kind("v3-ipv6", 3, family=6),
)


def frame_of(kind: Kind, priority: int) -> bytes:
    """The advert as it is on the wire; the kernel's header of IPv6 is added here."""
    if kind.family == 4:
        source, group = IPv4Address("10.9.0.1").packed, IPv4Address("224.0.0.18").packed
        addresses = [IPv4Address(f"10.9.1.{n + 1}").packed for n in range(kind.count)]
    else:
        source, group = IPv6Address("fe80::1").packed, IPv6Address("ff02::12").packed
        addresses = [IPv6Address(f"fe80::100:{n}").packed for n in range(kind.count)]
    laid_out = layout(
        family=kind.family,
        version=kind.version,
        vrid=51,
        priority=priority,
        interval_ns=1_000_000_000,
        addresses=addresses,
        src=source,
        dst=group,
        auth_type=kind.auth_type,
        password=kind.password,
        checksum_style=kind.checksum_style,
    )
    packet = reseal(laid_out, priority=priority, ip_id=7, ah_sequence=9, password=kind.password)
    if kind.family == 4:
        return V4_HEAD + packet
    head = b"\x6c\x00\x00\x00" + len(packet).to_bytes(2) + b"\x70\xff" + source + group
    return V6_HEAD + head + packet


@pytest.mark.parametrize("priority", [0, 1, 254, 255])
@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_adverts(kind: Kind, priority: int, tmp_path: Path) -> None:
    assert expert_messages([frame_of(kind, priority)], tmp_path / "advert.pcap") == []


def test_announcements(tmp_path: Path) -> None:
    frames = [
        gratuitous_arp(MAC, IPv4Address("10.9.0.100")),
        unsolicited_na(MAC, IPv6Address("fd09::100"), router=True),
        unsolicited_na(MAC, IPv6Address("fe80::100"), router=False),
    ]
    assert expert_messages(frames, tmp_path / "announcements.pcap") == []


def test_the_experts_would_complain(tmp_path: Path) -> None:
    """What the tests above rest on: a spoilt checksum does not pass."""
    frame = bytearray(frame_of(KINDS[0], 100))
    frame[-1] ^= 1
    assert expert_messages([bytes(frame)], tmp_path / "spoilt.pcap") != []
    assert write_pcap([], tmp_path / "empty.pcap").stat().st_size == 24
