"""Packets for the core's tests: a good advert, and each way in which one can be bad."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

from fastvrrp.clock import seconds
from fastvrrp.core.acts import GarpParams, HmacParams, RouterParams
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
TRAILER = 28


class Authentication(TypedDict):
    """What sender and receiver have to agree on."""

    auth_type: int
    password: bytes


class Changes(TypedDict, total=False):
    """Fields of `RouterParams` that are not as usual."""

    vrid: int
    version: int
    family: int
    priority: int
    start_active: bool
    preempt: bool
    preempt_delay: int
    advert_interval: int
    addresses: tuple[bytes, ...]
    source: bytes
    peers: tuple[bytes, ...]
    any_source: bool
    auth_type: int
    password: bytes
    garp: GarpParams
    faults: int
    port: int
    down_timer_adverts: int
    peer_ttls: tuple[tuple[int, int], ...]
    allowed_peers: tuple[bytes, ...]
    hmac: HmacParams


def params(**changes: Unpack[Changes]) -> RouterParams:
    """Return the receiving router."""
    usual: Changes = {"vrid": VRID, "priority": 100, "source": OWN, "addresses": (VIP,)}
    usual.update(changes)
    return RouterParams(**usual)


def advert(
    *,
    family: int = 4,
    version: int = 2,
    vrid: int = VRID,
    priority: int = 200,
    interval_ns: int = seconds(1),
    addresses: tuple[bytes, ...] = (VIP,),
    src: bytes = PEER,
    dst: bytes = GROUP,
    auth_type: int = 0,
    password: bytes = PASSWORD,
    ttl: int = 255,
    unicast: bool = False,
    ah_sequence: int = 1,
) -> bytes:
    """Return a whole IPv4 packet that the router of `params()` accepts."""
    laid_out = layout(
        family=family,
        version=version,
        vrid=vrid,
        priority=priority,
        interval_ns=interval_ns,
        addresses=addresses,
        src=src,
        dst=dst,
        auth_type=auth_type,
        password=password,
        ttl=ttl,
        unicast=unicast,
    )
    return reseal(laid_out, priority=priority, ah_sequence=ah_sequence, password=password)


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
    """A packet that must be refused for `reason` by the router `receiver`."""

    reason: RejectReason
    packet: Callable[[], bytes]
    receiver: RouterParams = field(default_factory=params)


PASS: Authentication = {"auth_type": 1, "password": PASSWORD}
WITH_AH: Authentication = {"auth_type": 2, "password": PASSWORD}
PLAIN_ROUTER = params()
PASS_ROUTER = params(**PASS)
AH_ROUTER = params(**WITH_AH)
UNICAST_ROUTER = params(peers=(PEER,))
HMAC_KEY = (1, bytes(range(32)))
HMAC_ROUTER = params(hmac=HmacParams(keys=(HMAC_KEY,), active_key=1, monotonic=True))
HMAC_TIME_ROUTER = params(hmac=HmacParams(keys=(HMAC_KEY,), active_key=1))
CARP = advert(addresses=())[:IP] + bytes((0x21, VRID, 0, 7, 0, 1)) + bytes(30)
CARP = CARP[:2] + len(CARP).to_bytes(2, "big") + CARP[4:]


def signed(*, second: int = 2, patch: tuple[int, int] | None = None) -> bytes:
    """Return an advert with a trailer of the wall clock's `second`; `patch` changes one of its 28
    bytes."""
    laid_out = layout(
        family=4,
        version=2,
        vrid=VRID,
        priority=200,
        interval_ns=seconds(1),
        addresses=(VIP,),
        src=PEER,
        dst=GROUP,
        hmac=True,
    )
    packet = reseal(laid_out, priority=200, hmac_key=HMAC_KEY, hmac_sequence=second << 32)
    if patch is None:
        return packet
    return patched(packet, len(packet) - TRAILER + patch[0], patch[1])


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
    Bad(R.PROTOCOL, lambda: patched(advert(**WITH_AH), IP, 17), AH_ROUTER),
    Bad(R.AH_HEADER, lambda: patched(advert(**WITH_AH), IP + 1, 5), AH_ROUTER),
    Bad(R.AH_HEADER, lambda: patched(advert(**WITH_AH), 3, IP + AH - 1), AH_ROUTER),
    Bad(R.TRUNCATED, lambda: patched(advert(), 3, IP + 7)),
    Bad(R.VRID, lambda: advert(vrid=52)),
    Bad(R.VRID, lambda: patched(advert(), IP + 1, 0)),
    Bad(R.OWN_SOURCE, lambda: advert(src=OWN)),
    Bad(R.LENGTH, lambda: patched(advert(), IP + 3, 2, resum=True)),
    Bad(R.LENGTH, lambda: patched(advert(), 3, IP + 16)),
    Bad(R.TTL, lambda: advert(ttl=254)),
    Bad(R.DESTINATION, lambda: advert(dst=OWN)),
    Bad(R.DESTINATION, advert, UNICAST_ROUTER),
    Bad(R.SOURCE, lambda: advert(src=STRANGER), params(allowed_peers=(PEER,))),
    Bad(R.SOURCE, lambda: advert(src=STRANGER, dst=OWN, unicast=True), UNICAST_ROUTER),
    Bad(R.VERSION, lambda: advert(version=3)),
    Bad(R.VERSION, advert, params(version=3)),
    Bad(R.TYPE, lambda: patched(advert(), IP, 0x22, resum=True)),
    Bad(R.CHECKSUM, lambda: patched(advert(), IP + 2, 199)),
    Bad(R.AUTH_TYPE, lambda: patched(advert(), IP + 4, 3, resum=True)),
    Bad(R.AUTH_MISMATCH, lambda: advert(**PASS)),
    Bad(R.AUTH_MISMATCH, advert, PASS_ROUTER),
    Bad(R.AUTH_MISMATCH, lambda: patched(advert(), IP + 4, 2, resum=True), AH_ROUTER),
    Bad(R.AUTH_PASS, lambda: advert(auth_type=1, password=b"wrong"), PASS_ROUTER),
    Bad(R.AUTH_ICV, lambda: advert(auth_type=2, password=b"wrong"), AH_ROUTER),
    Bad(R.AUTH_ICV, lambda: patched(advert(**WITH_AH), IP + 11, 9), AH_ROUTER),
    Bad(R.AUTH_SPI, lambda: with_spi(STRANGER), AH_ROUTER),
    Bad(R.COUNT, lambda: advert(addresses=())),
    Bad(R.INTERVAL_ZERO, lambda: patched(advert(), IP + 5, 0, resum=True)),
    Bad(R.INTERVAL, lambda: advert(interval_ns=seconds(2))),
    Bad(R.CARP, lambda: CARP),
    Bad(
        R.PEER_TTL,
        lambda: advert(dst=OWN, unicast=True, ttl=63),
        params(peers=(PEER,), peer_ttls=((64, 255),)),
    ),
    Bad(R.HMAC_MISSING, advert, HMAC_ROUTER),
    Bad(R.HMAC_MALFORMED, lambda: signed(patch=(2, 1)), HMAC_ROUTER),
    Bad(R.HMAC_STALE, lambda: signed(second=100), HMAC_TIME_ROUTER),
    Bad(R.HMAC_KEY, lambda: signed(patch=(1, 9)), HMAC_ROUTER),
    Bad(R.HMAC_INVALID, lambda: signed(patch=(27, 0)), HMAC_ROUTER),
)
