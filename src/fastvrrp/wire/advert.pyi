from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.wire.values import Decoded, Layout

__all__ = ["decode_packet", "internet_checksum", "layout", "reseal"]

def internet_checksum(
    data: bytes, *, src: bytes = b"", dst: bytes = b"", protocol: int = 0
) -> int: ...
def layout(
    *,
    family: int,
    version: int,
    vrid: int,
    priority: int,
    interval_ns: int,
    addresses: Sequence[bytes],
    src: bytes,
    dst: bytes,
    auth_type: int = 0,
    password: bytes = b"",
    ttl: int = 255,
    tos: int = 0xC0,
    unicast: bool = False,
    checksum_style: int = 0,
) -> Layout: ...
def reseal(
    layout: Layout, *, priority: int, ip_id: int = 0, ah_sequence: int = 0, password: bytes = b""
) -> bytes: ...
def decode_packet(
    data: bytes,
    *,
    family: int,
    payload: bool = False,
    src: IPv4Address | IPv6Address | None = None,
    dst: IPv4Address | IPv6Address | None = None,
    ttl: int | None = None,
    version: int | None = None,
    vrid: int | None = None,
    interval_ns: int | None = None,
    unicast: bool | None = None,
    auth_type: int = 0,
    password: bytes = b"",
    own: IPv4Address | IPv6Address | None = None,
    peers: Sequence[IPv4Address | IPv6Address] = (),
    any_source: bool = False,
) -> Decoded: ...
