"""keepalived's trailer `auth_hmac`. The table is docs/conformance.md, section H. Expected digests
come from Python's own hmac."""

import hashlib
import hmac
import json
from ipaddress import ip_address
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from conformance.scene import (
    HIGHER,
    LOWER,
    OWN,
    SECOND,
    VIP,
    Router,
    Sent,
    active,
    advert,
    backup,
    instance,
    laid_out,
    ones_complement,
    pseudo_header,
)
from fastvrrp.core.acts import HmacParams
from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import layout, reseal

KEY, OTHER = bytes(range(32)), bytes(range(64, 128))
KEYS = ((1, KEY), (200, OTHER))
TRAILER = 28
WALL = 0x68000000 * SECOND
"""The wall clock when the monotonic one is 0."""
BLOCK = f"version 3\nauth_hmac {{\nkey 1 hex:{KEY.hex()}\nactive_key 1\n"
ENFORCE, PERMISSIVE, RECEIVE_ONLY = 0, 1, 2
KINDS = tuple(product((4, 6), (2, 3)))
VECTORS = Path(__file__).parents[1] / "vectors"
CAPTURED = sorted(VECTORS.glob("cap-keepalived-2.4.3-*hmac*.json"))


def sequence(at: float, counter: int = 0) -> int:
    """The trailer's time: seconds, 1/65536 s, counter. `at` is s since the monotonic 0."""
    return (WALL // SECOND << 32) + (round(at * 65536) << 16) + counter


def signed(at: float = 1, *, counter: int = 0, key: int = 0, **changes: object) -> Sent:
    return advert(hmac_key=KEYS[key], hmac_sequence=sequence(at, counter), **changes)


def receiver(
    mode: int = ENFORCE, *, monotonic: bool = False, window: int = 5, **changes: object
) -> Router:
    """Return a backup with both keys, one second after its start."""
    router = backup(hmac=parameters(mode, monotonic=monotonic, window=window), **changes)
    router.core.set_clock(WALL)
    return router


def parameters(mode: int = ENFORCE, *, monotonic: bool = False, window: int = 5) -> HmacParams:
    return HmacParams(keys=KEYS, active_key=1, mode=mode, monotonic=monotonic, window=window)


def digest(key: bytes, family: int, message: bytes, src: bytes) -> bytes:
    """The 16 octets over the pseudo-header, the message without checksum, and the trailer."""
    pseudo = bytes((family, message[0] >> 4, message[1], 0)) + src.ljust(16, b"\0")
    image = message[:6] + bytes(2) + message[8:-16] + bytes(16)
    return hmac.new(key, pseudo + image, hashlib.sha256).digest()[:16]


def rejects(router: Router) -> dict[str, int]:
    """Return what the router has discarded, by reason."""
    counters = router.core.counters(0).items()
    return {key.removeprefix("rejected_"): n for key, n in counters if "rejected_" in key and n}


def took(router: Router, sent: Sent) -> bool:
    """Tell if an advert was used."""
    before = router.counter("adverts_received")
    router.hear(sent)
    return router.counter("adverts_received") == before + 1


@pytest.mark.parametrize(("family", "version"), KINDS)
def test_cf_140_trailer_is_28_octets_behind_the_message(family: int, version: int) -> None:
    plain = advert(family=family, version=version)
    sent = signed(1.5, counter=7, key=1, family=family, version=version)
    assert len(sent.message) == len(plain.message) + TRAILER
    trailer = sent.message[-TRAILER:]
    assert trailer[:4] == bytes((1, 200, 0, 0))
    assert trailer[4:12] == (0x68000001).to_bytes(4) + bytes((0x80, 0, 0, 7))
    assert trailer[12:] == digest(OTHER, family, sent.message, sent.src)


@pytest.mark.parametrize("more", [-1, 1, 4, TRAILER])
def test_cf_140_another_length_is_discarded(more: int) -> None:
    sent = signed()
    router = receiver()
    assert not took(router, sent.with_length(len(sent.message) + more))
    assert took(router, sent)


@pytest.mark.parametrize(("offset", "reason"), [(0, "malformed"), (2, "malformed"), (1, "key")])
def test_cf_140_type_reserved_and_key_must_be_known(offset: int, reason: str) -> None:
    sent = signed()
    at = len(sent.message) - TRAILER + offset
    flipped = bytes((sent.message[at] ^ 2,))
    router = receiver()
    assert not took(router, sent.patched(at, flipped, resum=False))
    assert rejects(router) == {f"hmac_{reason}": 1}


@pytest.mark.parametrize(("family", "version"), KINDS)
def test_cf_141_digest_covers_all_but_the_checksum(family: int, version: int) -> None:
    """Given an authentic advert, when any octet of it but those of the checksum is changed, then it
    is discarded."""
    sent = signed(family=family, version=version)
    for offset in range(len(sent.message)):
        flipped = bytes((sent.message[offset] ^ 1,))
        spoilt = sent.patched(offset, flipped, resum=False)
        if offset in (6, 7):
            continue
        assert not took(receiver(family=family, version=version), mended(spoilt)), offset
    assert took(receiver(family=family, version=version), sent)


def mended(sent: Sent) -> Sent:
    """Return `sent` with a right checksum, so that only the digest can tell."""
    message = sent.message[:6] + bytes(2) + sent.message[8:]
    covered = message if sent.family == 6 else message[:-TRAILER]
    if sent.family == 6 or message[0] >> 4 == 3:
        covered = pseudo_header(sent.src, sent.dst, len(covered)) + covered
    return sent.patched(6, ones_complement(covered).to_bytes(2), resum=False)


def test_cf_141_digest_covers_the_source_and_the_virtual_router() -> None:
    sent = signed(family=6)
    elsewhere = Sent(data=sent.data, family=6, src=HIGHER[6], dst=sent.dst)
    router = receiver(family=6)
    assert not took(router, mended(elsewhere))
    assert rejects(router) == {"hmac_invalid": 1}


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_cf_141_adverts_of_keepalived_have_this_digest(path: Path) -> None:
    vector = json.loads(path.read_text())
    message = bytes.fromhex(vector["payload_hex"])
    key = bytes.fromhex(vector["hmac"]["key_hex"])
    assert message[-16:] == digest(key, vector["af"], message, ip_address(vector["src"]).packed)


@pytest.mark.parametrize("version", [2, 3])
def test_cf_142_ipv4_checksum_does_not_cover_the_trailer_and_the_length_does(version: int) -> None:
    sent = signed(version=version)
    message = sent.message[:-TRAILER]
    head = pseudo_header(sent.src, sent.dst, len(message)) if version == 3 else b""
    assert ones_complement(head + message) == 0
    assert int.from_bytes(sent.data[2:4]) == len(sent.data)


@pytest.mark.parametrize("version", [2, 3])
def test_cf_142_ipv6_checksum_covers_the_trailer(version: int) -> None:
    sent = signed(family=6, version=version)
    assert ones_complement(pseudo_header(sent.src, sent.dst, len(sent.message)) + sent.message) == 0


@pytest.mark.parametrize("mode", [ENFORCE, PERMISSIVE, RECEIVE_ONLY])
def test_cf_143_a_missing_trailer_is_discarded_by_enforce_only(mode: int) -> None:
    router = receiver(mode)
    assert took(router, advert()) == (mode != ENFORCE)
    assert rejects(router) == ({"hmac_missing": 1} if mode == ENFORCE else {})


@pytest.mark.parametrize("mode", [ENFORCE, PERMISSIVE, RECEIVE_ONLY])
def test_cf_143_a_wrong_trailer_is_discarded_in_every_mode(mode: int) -> None:
    router = receiver(mode)
    sent = signed()
    flipped = bytes((sent.message[-1] ^ 1,))
    assert not took(router, sent.patched(len(sent.message) - 1, flipped, resum=False))
    assert rejects(router) == {"hmac_invalid": 1}
    assert took(router, sent)


@pytest.mark.parametrize("mode", ["enforce", "permissive", "receive-only"])
def test_cf_143_receive_only_sends_no_trailer(mode: str) -> None:
    (only,) = laid_out(f"{BLOCK}mode {mode}\n}}")
    length = 20 + 8 + 4 + (0 if mode == "receive-only" else TRAILER)
    assert len(only.data) == length


def test_cf_143_without_auth_hmac_a_trailer_is_discarded() -> None:
    router = backup()
    assert router.hear(signed()) is RejectReason.AUTH_MISMATCH


@pytest.mark.parametrize("skew", [-300, -6, -5, 0, 5, 6, 300])
def test_cf_144_time_may_differ_by_the_window(skew: int) -> None:
    router = receiver()
    router.run_to(400 * SECOND)
    inside = abs(skew) <= 5
    assert took(router, signed(400 + skew)) == inside
    assert rejects(router) == ({} if inside else {"hmac_stale": 1})


def test_cf_144_window_is_three_intervals_and_at_least_5_s() -> None:
    for interval, expected in ((1, 5), (10, 30)):
        written = instance(f"{BLOCK}}}\nadvert_int {interval}").hmac
        assert written is not None
        assert written.time_window == expected * SECOND


@pytest.mark.parametrize("monotonic", [False, True])
def test_cf_144_what_was_seen_before_is_a_replay(monotonic: bool) -> None:
    router = receiver(monotonic=monotonic)
    assert took(router, signed(1, counter=1))
    for again in (signed(1, counter=1), signed(1, counter=0), signed(0.5)):
        assert not took(router, again)
    assert rejects(router) == {"hmac_replay": 3}
    assert took(router, signed(1, counter=2))


def test_cf_144_a_monotonic_time_may_be_any_if_it_grows() -> None:
    router = receiver(monotonic=True)
    assert took(router, signed(-1_000_000))
    assert not took(router, signed(-1_000_001))
    assert took(router, signed(1_000_000))


def test_cf_144_every_sender_has_a_mark_of_its_own() -> None:
    router = receiver(monotonic=True)
    assert took(router, signed(9, src=LOWER[4]))
    assert took(router, signed(3, src=HIGHER[4]))
    assert not took(router, signed(3, src=LOWER[4]))


def test_cf_144_own_time_grows_with_every_advert() -> None:
    """Given an active router that answers often, then no two of its adverts have the same time."""
    router = active(hmac=parameters())
    router.core.set_clock(WALL)
    for _ in range(50):
        router.hear(signed(router.now / SECOND, priority=1))
        router.run_for(SECOND // 5)
    used = sequences(router)
    assert len(used) > 20
    assert used == sorted(set(used))


def sequences(router: Router) -> list[int]:
    return [act.b for act in router.acts if act.kind == "SEND"]


def test_cf_145_copies_of_an_advert_share_their_trailer() -> None:
    fields: dict[str, Any] = {
        "family": 4,
        "version": 3,
        "vrid": 51,
        "priority": 100,
        "interval_ns": SECOND,
        "addresses": (VIP[4],),
        "src": OWN[4],
        "unicast": True,
        "hmac": True,
    }
    copies = [
        reseal(
            layout(**fields, dst=peer), priority=100, hmac_key=KEYS[0], hmac_sequence=sequence(1)
        )
        for peer in (LOWER[4], HIGHER[4])
    ]
    assert copies[0] != copies[1]
    assert copies[0][-TRAILER:] == copies[1][-TRAILER:]
