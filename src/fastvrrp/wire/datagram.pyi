from collections.abc import Sequence

from fastvrrp.wire.values import Layout

__all__ = ["layout", "reseal"]

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
    group: bytes = b"",
    hmac: bool = False,
) -> Layout: ...
def reseal(
    layout: Layout,
    *,
    priority: int,
    ip_id: int = 0,
    ah_sequence: int = 0,
    password: bytes = b"",
    hmac_key: tuple[int, bytes] | None = None,
    hmac_sequence: int = 0,
    old_checksum: bool = False,
) -> bytes: ...
