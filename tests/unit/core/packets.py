"""Packets for the core's tests: a good advert, and each way in which one can be bad."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fastvrrp.clock import seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import internet_checksum, layout, reseal

OWN = bytes((192, 0, 2, 5))
PEER = bytes((192, 0, 2, 1))
STRANGER = bytes((192, 0, 2, 77))
GROUP = bytes((224, 0, 0, 18))
VIP = bytes((192, 0, 2, 100))
PASSWORD = b"secret"
VRID = 51
IP = 20
AH = 24


def params(**changes: object) -> RouterParams:
    """Return the receiving router."""
    return RouterParams(
        **({"vrid": VRID, "priority": 100, "source": OWN, "addresses": (VIP,)} | changes)
    )


def advert(*, priority: int = 200, ah_sequence: int = 1, **changes: object) -> bytes:
    """Return a whole IPv4 packet that the router of `params()` accepts."""
    fields: dict[str, Any] = {
        "family": 4,
        "version": 2,
        "vrid": VRID,
        "interval_ns": seconds(1),
        "addresses": (VIP,),
        "src": PEER,
        "dst": GROUP,
        "password": PASSWORD,
    }
    fields |= changes
    return reseal(
        layout(priority=priority, **fields),
        priority=priority,
        ah_sequence=ah_sequence,
        password=fields["password"],
    )


def patched(packet: bytes, offset: int, value: int, *, resum: bool = False) -> bytes:
    """Return `packet` with one byte changed; `resum` corrects the VRRP checksum afterwards."""
    data = bytearray(packet)
    data[offset] = value
    if resum:
        data[IP + 6 : IP + 8] = bytes(2)
        data[IP + 6 : IP + 8] = internet_checksum(bytes(data[IP:])).to_bytes(2, "big")
    return bytes(data)


def with_spi(spi: bytes) -> bytes:
    """Return an AH advert that is sealed with another SPI than the sender's address."""
    blank = layout(
        family=4,
        version=2,
        vrid=VRID,
        priority=200,
        interval_ns=seconds(1),
        addresses=(VIP,),
        src=PEER,
        dst=GROUP,
        auth_type=2,
        password=PASSWORD,
    )
    data = blank.data[: blank.ah + 4] + spi + blank.data[blank.ah + 8 :]
    return reseal(replace(blank, data=data), priority=200, ah_sequence=1, password=PASSWORD)


def deliver(core: Core, packet: bytes, now: int) -> RejectReason:
    """Give `packet` to port 0; what the IP header says wins over the keywords."""
    return core.receive(packet, family=4, src=b"", dst=b"", ttl=-1, now=now)


@dataclass(frozen=True)
class Bad:
    """A packet that must be refused for `reason` by the router of `receiver`."""

    reason: RejectReason
    packet: Callable[[], bytes]
    receiver: dict[str, Any] = field(default_factory=dict)


PASS = {"auth_type": 1, "password": PASSWORD}
WITH_AH = {"auth_type": 2, "password": PASSWORD}
UNICAST = {"peers": (PEER,)}
R = RejectReason

BAD = (
    Bad(R.IP_HEADER, lambda: b""),
    Bad(R.IP_HEADER, lambda: advert()[:19]),
    Bad(R.IP_HEADER, lambda: patched(advert(), 0, 0x65)),
    Bad(R.IP_HEADER, lambda: patched(advert(), 0, 0x44)),
    Bad(R.IP_LENGTH, lambda: advert()[:-1]),
    Bad(R.IP_LENGTH, lambda: patched(advert(), 3, 19)),
    Bad(R.FRAGMENT, lambda: patched(advert(), 6, 0x20)),
    Bad(R.FRAGMENT, lambda: patched(advert(), 7, 1)),
    Bad(R.PROTOCOL, lambda: patched(advert(), 9, 17)),
    Bad(R.PROTOCOL, lambda: patched(advert(**WITH_AH), IP, 17), WITH_AH),
    Bad(R.AH_HEADER, lambda: patched(advert(**WITH_AH), IP + 1, 5), WITH_AH),
    Bad(R.AH_HEADER, lambda: patched(advert(**WITH_AH), 3, IP + AH - 1), WITH_AH),
    Bad(R.TRUNCATED, lambda: patched(advert(), 3, IP + 7)),
    Bad(R.VRID, lambda: advert(vrid=52)),
    Bad(R.VRID, lambda: patched(advert(), IP + 1, 0)),
    Bad(R.OWN_SOURCE, lambda: advert(src=OWN)),
    Bad(R.LENGTH, lambda: patched(advert(), IP + 3, 2, resum=True)),
    Bad(R.LENGTH, lambda: patched(advert(), 3, IP + 16)),
    Bad(R.TTL, lambda: advert(ttl=254)),
    Bad(R.DESTINATION, lambda: advert(dst=OWN)),
    Bad(R.DESTINATION, advert, UNICAST),
    Bad(R.SOURCE, lambda: advert(src=STRANGER, dst=OWN, unicast=True), UNICAST),
    Bad(R.VERSION, lambda: advert(version=3)),
    Bad(R.VERSION, advert, {"version": 3}),
    Bad(R.TYPE, lambda: patched(advert(), IP, 0x22, resum=True)),
    Bad(R.CHECKSUM, lambda: patched(advert(), IP + 2, 199)),
    Bad(R.AUTH_TYPE, lambda: patched(advert(), IP + 4, 3, resum=True)),
    Bad(R.AUTH_MISMATCH, lambda: advert(**PASS)),
    Bad(R.AUTH_MISMATCH, advert, PASS),
    Bad(R.AUTH_MISMATCH, lambda: patched(advert(), IP + 4, 2, resum=True), WITH_AH),
    Bad(R.AUTH_PASS, lambda: advert(auth_type=1, password=b"wrong"), PASS),
    Bad(R.AUTH_ICV, lambda: advert(auth_type=2, password=b"wrong"), WITH_AH),
    Bad(R.AUTH_ICV, lambda: patched(advert(**WITH_AH), IP + 11, 9), WITH_AH),
    Bad(R.AUTH_SPI, lambda: with_spi(STRANGER), WITH_AH),
    Bad(R.COUNT, lambda: advert(addresses=())),
    Bad(R.INTERVAL_ZERO, lambda: patched(advert(), IP + 5, 0, resum=True)),
    Bad(R.INTERVAL, lambda: advert(interval_ns=seconds(2))),
)
