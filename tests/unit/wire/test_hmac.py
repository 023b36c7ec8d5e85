"""The authentication trailer: its digest, its verdicts, its sequence."""

import hashlib
import hmac
import random
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import decode_packet, internet_checksum, layout, reseal
from fastvrrp.wire.hmac import hmac_sha256_128, in_window, is_newer, next_sequence
from fastvrrp.wire.values import Decoded
from vectors import SIGNED, TAMPERED, Vector, name_of

SECOND = 1_000_000_000
KEY = bytes(range(32))
OTHER = bytes(range(32, 64))
A, B = IPv4Address("10.1.0.1"), IPv4Address("10.1.0.2")
A6, B6 = IPv6Address("fe80::1"), IPv6Address("fe80::2")
GROUP4, GROUP6 = IPv4Address("224.0.0.18"), IPv6Address("ff02::12")
NOW = 1_800_000_000
"""s since 1970"""


def at(seconds: float, counter: int = 0) -> int:
    """The sequence of a sender whose clock shows `seconds`."""
    return int(seconds * 65536) << 16 | counter


def advert(
    *, key: tuple[int, bytes] = (1, KEY), sequence: int = at(NOW), **changes: object
) -> bytes:
    """A signed multicast advert of version 3 over IPv4, unless changed."""
    keywords: dict[str, Any] = {
        "family": 4,
        "version": 3,
        "vrid": 51,
        "priority": 100,
        "interval_ns": SECOND,
        "addresses": [IPv4Address("10.1.0.100").packed],
        "src": A.packed,
        "dst": GROUP4.packed,
        "hmac": True,
    }
    keywords |= changes
    priority = keywords["priority"]
    return reseal(layout(**keywords), priority=priority, hmac_key=key, hmac_sequence=sequence)


def advert6(**changes: object) -> bytes:
    """The message and the trailer of a signed multicast advert of version 3 over IPv6."""
    addresses = [IPv6Address("fe80::100").packed]
    keywords: dict[str, Any] = {"family": 6, "addresses": addresses}
    keywords |= {"src": A6.packed, "dst": GROUP6.packed}
    return advert(**(keywords | changes))


def heard(packet: bytes, **changes: object) -> Decoded:
    """What a receiver with the key 1 and a window of 5 s makes of it at NOW."""
    keywords: dict[str, Any] = {
        "family": 4,
        "hmac_keys": [(1, KEY)],
        "hmac_window_s": 5,
        "wall_ns": NOW * SECOND,
    }
    return decode_packet(packet, **(keywords | changes))


def heard6(packet: bytes, **changes: object) -> Decoded:
    told: dict[str, Any] = {"family": 6, "payload": True, "src": A6, "dst": GROUP6, "ttl": 255}
    return heard(packet, **(told | changes))


# ---- the digest ----


def test_hmac_sha256_gives_the_digests_of_rfc_4231() -> None:
    assert hmac_sha256_128(b"\x0b" * 20, b"Hi There").hex() == "b0344c61d8db38535ca8afceaf0bf12b"
    assert hmac_sha256_128(b"\xaa" * 20, b"\xdd" * 50).hex() == "773ea91e36800e46854db8ebd09181a7"
    truncated = hmac_sha256_128(b"\x0c" * 20, b"Test With Truncation")
    assert truncated.hex() == "a3b6167473100ee06e0c796c2955552b"  # §4.6
    long_key = b"Test Using Larger Than Block-Size Key - Hash Key First"
    assert hmac_sha256_128(b"\xaa" * 131, long_key).hex() == "60e431591ee0b67f0d8a26aacbf5b77f"


def test_hmac_sha256_equals_hashlib_at_every_length_around_two_blocks() -> None:
    text = random.Random(1).randbytes(300)
    for length in range(300):
        expected = hmac.digest(KEY, text[:length], hashlib.sha256)[:16]
        assert hmac_sha256_128(KEY, text[:length]) == expected


@given(key=st.binary(max_size=150), data=st.binary(max_size=5000))
def test_hmac_sha256_equals_hashlib(key: bytes, data: bytes) -> None:
    assert hmac_sha256_128(key, data) == hmac.digest(key, data, hashlib.sha256)[:16]


# ---- known packets ----

RESULTS = {
    "OK": RejectReason.CHECKSUM,
    "BAD_HMAC": RejectReason.HMAC_INVALID,
    "UNKNOWN_KEY": RejectReason.HMAC_KEY,
    "MALFORMED": RejectReason.HMAC_MALFORMED,
}


@pytest.mark.parametrize("vector", TAMPERED, ids=name_of)
def test_a_tampered_packet_gets_the_verdict_of_the_draft(vector: Vector) -> None:
    """
    Given a packet of the draft in which one thing was changed,
    when whoever did it has set the checksum right, too,
    then the trailer gives it away as the draft says; where only the checksum is wrong, that does.
    """
    message = vector.message
    if vector.expect["auth_result"] != "OK":
        src, dst = vector.src, vector.dst
        assert src is not None
        blank = message[:6] + bytes(2) + message[8:]
        checksum = internet_checksum(blank, src=src.packed, dst=dst.packed, protocol=112)
        message = message[:6] + checksum.to_bytes(2, "big") + message[8:]
    if vector.name == "hmac-ipv6-wrong-vrid":
        # a receiver of VRID 52 does not look at it; one that was rewritten is found out
        assert vector.decode(message).reason is RejectReason.VRID
        message = bytes((message[0], 52)) + message[2:]
        message = (
            message[:6] + (int.from_bytes(message[6:8], "big") - 1).to_bytes(2, "big") + message[8:]
        )
    assert vector.decode(message).reason is RESULTS[vector.expect["auth_result"]]


def test_the_captured_v2_multicast_advert() -> None:
    message = bytes.fromhex(
        "2107960100013e8a0a01006b0000000000000000"
        "010100006b046261844a0000388612f5a2b89fa406d2a048ea78e7e0"
    )
    told: dict[str, Any] = {"payload": True, "src": A, "dst": GROUP4, "ttl": 255}
    decoded = heard(message, **told, hmac_window_s=None)
    assert decoded.valid
    assert decoded.trailer is not None
    assert (decoded.trailer.key_id, decoded.trailer.authentic) == (1, True)
    sent = advert(
        version=2, vrid=7, priority=150, addresses=[IPv4Address("10.1.0.107").packed],
        sequence=decoded.trailer.sequence,
    )  # fmt: skip
    assert sent[20:] == message


def test_copies_to_all_peers_carry_the_same_trailer() -> None:
    """CF-145."""
    peers = [B.packed, bytes((10, 1, 0, 3))]
    copies = [advert(dst=peer, unicast=True) for peer in peers]
    assert copies[0][-28:] == copies[1][-28:]
    assert copies[0][26:28] != copies[1][26:28]


@pytest.mark.parametrize("vector", SIGNED, ids=name_of)
def test_a_receiver_without_trailers_knows_that_the_other_one_has_them(vector: Vector) -> None:
    decoded = vector.decode(hmac_keys=[])
    assert decoded.reason is RejectReason.AUTH_MISMATCH
    assert decoded.trailer is not None
    assert decoded.trailer.authentic is None


# ---- verdicts ----


@pytest.mark.parametrize("version", [2, 3])
def test_a_signed_advert_is_accepted(version: int) -> None:
    assert heard(advert(version=version)).valid
    assert heard6(advert6(version=version)).valid


@pytest.mark.parametrize("style", [0, 1, 2])
def test_the_ipv4_checksum_leaves_the_trailer_out(style: int) -> None:
    packet = advert(checksum_style=style, dst=B.packed, unicast=True)
    plain = layout(
        family=4, version=3, vrid=51, priority=100, interval_ns=SECOND, src=A.packed, dst=B.packed,
        addresses=[IPv4Address("10.1.0.100").packed], checksum_style=style, unicast=True,
    )  # fmt: skip
    assert packet[20:-28] == plain.data[20:]
    decoded = heard(packet)
    assert decoded.valid
    assert decoded.checksum_style == style


def test_the_ipv6_checksum_covers_the_trailer() -> None:
    packet = advert6()
    assert internet_checksum(packet, src=A6.packed, dst=GROUP6.packed, protocol=112) == 0
    assert heard6(packet[:-1] + bytes((packet[-1] ^ 1,))).reason is RejectReason.CHECKSUM


def test_the_total_length_of_ipv4_counts_the_trailer() -> None:
    packet = advert()
    assert int.from_bytes(packet[2:4], "big") == len(packet) == 20 + 12 + 28


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0, RejectReason.HMAC_MISSING), (1, RejectReason.ACCEPTED), (2, RejectReason.ACCEPTED)],
)
def test_only_enforcing_routers_reject_an_advert_without_trailer(
    mode: int, expected: RejectReason
) -> None:
    plain = layout(
        family=4, version=3, vrid=51, priority=100, interval_ns=SECOND, src=A.packed,
        dst=GROUP4.packed, addresses=[IPv4Address("10.1.0.100").packed],
    )  # fmt: skip
    assert heard(plain.data, hmac_mode=mode).reason is expected


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_a_trailer_that_is_there_must_be_right_in_every_mode(mode: int) -> None:
    assert heard(advert(key=(1, OTHER)), hmac_mode=mode).reason is RejectReason.HMAC_INVALID


@pytest.mark.parametrize("length", [1, 8, 20, 27, 29, 56])
def test_another_length_is_no_trailer(length: int) -> None:
    packet = advert()[:-28] + b"\x01" * length
    packet = packet[:2] + len(packet).to_bytes(2, "big") + packet[4:]
    assert heard(packet, hmac_mode=1).reason is RejectReason.LENGTH


def test_every_key_verifies_and_an_unknown_one_is_named() -> None:
    keys = [(number, bytes((number,)) * 32) for number in range(1, 9)]
    for key in keys:
        assert heard(advert(key=key), hmac_keys=keys).valid
    assert heard(advert(key=(9, KEY)), hmac_keys=keys).reason is RejectReason.HMAC_KEY
    with pytest.raises(ValueError, match="at most 8 keys"):
        heard(advert(), hmac_keys=[*keys, (9, KEY)])


@pytest.mark.parametrize("length", [32, 33, 63, 64])
def test_keys_of_every_length_verify(length: int) -> None:
    key = (1, bytes(range(length)))
    assert heard(advert(key=key), hmac_keys=[key]).valid


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"src": B.packed}, {"src": A}),
        ({"vrid": 52}, {"vrid": 51}),
        ({"version": 2}, {"version": 3}),
    ],
)
def test_a_trailer_does_not_pass_for_another_sender_or_router(
    changes: dict[str, Any], told: dict[str, Any]
) -> None:
    """A message with the trailer of another one, which says the same but for one thing."""
    genuine, other = advert(), advert(**changes)
    assert genuine[-28:-16] == other[-28:-16]
    assert heard(genuine[:-28] + other[-28:], **told).reason is RejectReason.HMAC_INVALID


@pytest.mark.parametrize(
    ("skew", "expected"),
    [
        (-100, RejectReason.HMAC_STALE),
        (-6, RejectReason.HMAC_STALE),
        (-5, RejectReason.ACCEPTED),
        (5, RejectReason.ACCEPTED),
        (6, RejectReason.HMAC_STALE),
        (100, RejectReason.HMAC_STALE),
    ],
)
def test_the_time_must_be_within_the_window(skew: int, expected: RejectReason) -> None:
    packet = advert(sequence=at(NOW + skew + 0.25))
    decoded = heard(packet)
    assert decoded.reason is expected
    assert decoded.trailer is not None
    assert decoded.trailer.authentic is True  # told for a stale one, too
    assert heard(packet, hmac_window_s=None).valid


def test_a_stale_trailer_with_a_wrong_digest_is_stale_and_not_authentic() -> None:
    decoded = heard(advert(key=(1, OTHER), sequence=at(NOW - 100)))
    assert decoded.reason is RejectReason.HMAC_STALE
    assert decoded.trailer is not None
    assert decoded.trailer.authentic is False


def test_stale_is_said_before_an_unknown_key() -> None:
    assert heard(advert(key=(9, KEY), sequence=at(1))).reason is RejectReason.HMAC_STALE


def test_the_window_is_measured_in_32_bits_of_seconds() -> None:
    """
    Given clocks a second before and after the seconds of a trailer wrap (year 2106),
    when one hears the other,
    then they are two seconds apart.
    """
    wrap = 1 << 32
    packet = advert(sequence=at(1))
    assert heard(packet, wall_ns=(wrap - 1) * SECOND).valid
    assert heard(packet, wall_ns=(wrap - 7) * SECOND).reason is RejectReason.HMAC_STALE


def test_sequence_0_which_no_sender_begins_with_is_refused() -> None:
    assert heard(advert(sequence=0), hmac_window_s=None).reason is RejectReason.HMAC_REPLAY


def test_only_peers_are_heard_where_trailers_are_configured() -> None:
    packet = advert(dst=B.packed, unicast=True)
    third = IPv4Address("10.1.0.3")
    assert heard(packet, peers=[A]).valid
    assert heard(packet, peers=[third]).reason is RejectReason.SOURCE
    assert heard(packet, peers=[third], any_source=True).reason is RejectReason.SOURCE


def test_legacy_authentication_does_not_replace_a_trailer() -> None:
    plain = layout(
        family=4, version=2, vrid=51, priority=100, interval_ns=SECOND, src=A.packed,
        dst=GROUP4.packed, addresses=[IPv4Address("10.1.0.100").packed], auth_type=1, password=b"x",
    )  # fmt: skip
    assert heard(plain.data).reason is RejectReason.HMAC_MISSING
    with pytest.raises(ValueError, match="takes the place"):
        advert(version=2, auth_type=2)


def test_a_layout_with_a_trailer_is_not_sent_without_a_key() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        advert(key=None)  # type: ignore[arg-type]


def test_the_trailer_of_a_packet_is_shown() -> None:
    trailer = heard(advert(sequence=at(NOW + 0.5, 7))).trailer
    assert trailer is not None
    assert (trailer.key_id, trailer.counter) == (1, 7)
    assert trailer.time_ns == NOW * SECOND + SECOND // 2


# ---- sequences ----


def test_the_sequence_is_the_time() -> None:
    sequence = next_sequence(0, wall_ns=NOW * SECOND + SECOND // 4)
    assert sequence == at(NOW + 0.25)
    assert next_sequence(sequence, wall_ns=(NOW + 1) * SECOND) == at(NOW + 1)


def test_adverts_within_one_tick_are_counted() -> None:
    """65536 ticks a second."""
    first = next_sequence(0, wall_ns=NOW * SECOND)
    assert next_sequence(first, wall_ns=NOW * SECOND + 10_000) == first + 1


@pytest.mark.parametrize("back", [1, 5])
def test_a_small_step_back_of_the_clock_is_bridged(back: int) -> None:
    last = at(NOW)
    assert next_sequence(last, wall_ns=(NOW - back) * SECOND) == last + 1


def test_in_time_mode_a_clock_that_was_set_back_is_followed() -> None:
    last = at(NOW + 3600)
    assert next_sequence(last, wall_ns=NOW * SECOND) == at(NOW)
    assert next_sequence(last, wall_ns=NOW * SECOND, monotonic=True) == last + 1


@pytest.mark.parametrize("monotonic", [False, True])
@pytest.mark.parametrize("seconds", [0, 2**31, 2**32 - 1, 2**32])
def test_the_first_sequence_is_the_time_at_any_time_and_never_0(
    seconds: int, monotonic: bool
) -> None:
    first = next_sequence(0, wall_ns=seconds * SECOND, monotonic=monotonic)
    assert first == (at(seconds % 2**32) or 1)


def test_a_sender_passes_the_wrap_of_its_seconds() -> None:
    before = next_sequence(0, wall_ns=(2**32 - 1) * SECOND)
    after = next_sequence(before, wall_ns=(2**32 + 1) * SECOND)
    assert after == at(1)
    assert is_newer(after, before)


@given(
    seed=st.integers(0, 2**32),
    monotonic=st.booleans(),
    start=st.integers(0, 2**33),
)
def test_sequences_grow_while_the_clock_does_not_go_back_by_more_than_the_window(
    seed: int, monotonic: bool, start: int
) -> None:
    rng = random.Random(seed)
    wall, last = (start + 10) * SECOND, 0
    for _ in range(30):
        sequence = next_sequence(last, wall_ns=wall, monotonic=monotonic)
        assert sequence != 0
        assert last == 0 or is_newer(sequence, last)
        wall = max(wall + rng.choice((0, 1, 20_000, SECOND, 3 * SECOND)), 0)
        last = sequence


def test_order_of_sequences_is_serial() -> None:
    assert is_newer(5, 4)
    assert not is_newer(4, 4)
    assert not is_newer(4, 5)
    assert is_newer(3, 2**64 - 3)
    assert not is_newer(2**64 - 3, 3)


def test_a_mark_far_ahead_of_the_clock_is_outside_the_window() -> None:
    """The mark of a sender whose clock was wrong; in time mode it is forgotten."""
    now = NOW * SECOND
    assert not in_window(at(NOW + 3600), wall_ns=now, window_s=5)
    assert not in_window(at(NOW - 6), wall_ns=now, window_s=5)
    assert in_window(at(NOW - 5), wall_ns=now, window_s=5)
