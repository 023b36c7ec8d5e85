from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.wire.datagram import layout, reseal
from fastvrrp.wire.values import Decoded

__all__ = ["decode_packet", "internet_checksum", "layout", "reseal"]

def internet_checksum(
    data: bytes, *, src: bytes = b"", dst: bytes = b"", protocol: int = 0
) -> int: ...
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
    peer_ttls: Sequence[tuple[int, int]] = (),
    any_source: bool = False,
    group: IPv4Address | IPv6Address | None = None,
    strict: bool = False,
    hmac_keys: Sequence[tuple[int, bytes]] = (),
    hmac_mode: int = 0,
    hmac_window_s: int | None = None,
    wall_ns: int = 0,
) -> Decoded: ...
