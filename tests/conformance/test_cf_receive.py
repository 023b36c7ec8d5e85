"""RFC 9568 §7.1, what a receiver checks. The table is docs/conformance.md, section B.

Every discard is compared with the same advert that has nothing wrong."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from conformance.scene import (
    HIGHER,
    LOWER,
    OWN,
    SECOND,
    VIP,
    VRID,
    Router,
    Sent,
    active,
    advert,
    backup,
)
from fastvrrp.names import NoteKind, RejectReason, State

FAMILIES = (4, 6)
VERSION_TYPE, INTERVAL, CHECKSUM = 0, 4, 6


def visible(router: Router) -> dict[str, object]:
    """Return what a router knows, without what it shows to people about others."""
    status = router.core.status(0)
    return {key: value for key, value in status.items() if key != "conditions"}


def verdict(sent: Sent, **receiver: object) -> RejectReason:
    """Return what a backup makes of an advert, after it has made sure that a discard is one."""
    router = backup(family=sent.family, **receiver)
    before = visible(router)
    reason = router.hear(sent)
    if reason is not RejectReason.ACCEPTED:
        assert visible(router) == before
        assert router.acts == []
        assert router.counter("adverts_received") == 0
    return reason


@pytest.mark.parametrize("ttl", [0, 1, 64, 254, 255])
def test_cf_030_ttl_must_be_255(ttl: int) -> None:
    expected = RejectReason.ACCEPTED if ttl == 255 else RejectReason.TTL
    assert verdict(advert(ttl=ttl)) is expected


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("ttl", [1, 63, 64, 255])
def test_cf_030_unicast_peers_have_a_range_of_their_own(ttl: int, family: int) -> None:
    received = replace(advert(family=family, dst=OWN[family], unicast=True, ttl=ttl), ttl=ttl)
    peers = (LOWER[family],)
    assert verdict(received, peers=peers) is RejectReason.ACCEPTED
    expected = RejectReason.ACCEPTED if ttl >= 64 else RejectReason.PEER_TTL
    assert verdict(received, peers=peers, peer_ttls=((64, 255),)) is expected


@pytest.mark.parametrize("ttl", [0, 1, 64, 254, 255])
def test_cf_031_hop_limit_must_be_255(ttl: int) -> None:
    expected = RejectReason.ACCEPTED if ttl == 255 else RejectReason.TTL
    assert verdict(replace(advert(family=6), ttl=ttl)) is expected


def test_cf_031_hop_limit_that_the_kernel_does_not_tell_is_none() -> None:
    assert verdict(replace(advert(family=6), ttl=-1)) is RejectReason.TTL


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("version", range(16))
def test_cf_032_version_must_be_3(family: int, version: int) -> None:
    received = advert(family=family).patched(VERSION_TYPE, bytes((version << 4 | 1,)))
    # An IPv4 advert of every other version would have authentication data: it is too short.
    other = RejectReason.LENGTH if family == 4 else RejectReason.VERSION
    assert verdict(received) is (RejectReason.ACCEPTED if version == 3 else other)


def test_cf_032_an_advert_of_version_2_is_for_others() -> None:
    assert verdict(advert(version=2)) is RejectReason.VERSION


@pytest.mark.parametrize("kind", range(16))
def test_cf_033_type_must_be_1(kind: int) -> None:
    received = advert().patched(VERSION_TYPE, bytes((0x30 | kind,)))
    assert verdict(received) is (RejectReason.ACCEPTED if kind == 1 else RejectReason.TYPE)


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_034_what_is_shorter_than_its_addresses_is_discarded(family: int) -> None:
    whole = advert(family=family, addresses=(VIP[family],) * 2)
    for length in range(len(whole.message)):
        short = replace(whole, data=whole.data[: whole.start + length])
        expected = RejectReason.TRUNCATED if length < 8 else RejectReason.LENGTH
        assert verdict(short.with_length(length)) is expected
    assert verdict(whole) is RejectReason.ACCEPTED


def test_cf_034_what_is_shorter_than_its_ip_header_says_is_discarded() -> None:
    whole = advert()
    assert verdict(replace(whole, data=whole.data[:-1])) is RejectReason.IP_LENGTH


def test_cf_035_padding_of_the_link_layer_is_cut_off() -> None:
    whole = advert()
    for padding in (1, 6, 14):
        padded = replace(whole, data=whole.data + b"\xaa" * padding)
        assert verdict(padded) is RejectReason.ACCEPTED


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_035_more_than_the_advert_inside_the_packet_is_discarded(family: int) -> None:
    whole = advert(family=family)
    for more in (1, 2, 4, 27, 29, 64):  # 28 bytes are a trailer
        assert verdict(whole.with_length(len(whole.message) + more)) is RejectReason.LENGTH


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_036_checksum_must_hold(family: int) -> None:
    whole = advert(family=family)
    for offset in range(2, len(whole.message)):
        if offset == 3:  # the count: another length
            continue
        flipped = bytes((whole.message[offset] ^ 1,))
        received = whole.patched(offset, flipped, resum=False)
        assert verdict(received) is RejectReason.CHECKSUM, offset


def test_cf_036_checksum_must_hold_in_one_of_the_two_conventions() -> None:
    plain = advert(checksum_style=1)
    assert verdict(plain) is RejectReason.ACCEPTED
    checksum = int.from_bytes(plain.message[CHECKSUM : CHECKSUM + 2])
    for wrong in (checksum ^ 1, 0, 0xFFFF):
        received = plain.patched(CHECKSUM, wrong.to_bytes(2), resum=False)
        assert verdict(received) is RejectReason.CHECKSUM


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_037_vrid_must_be_configured_on_the_interface(family: int) -> None:
    for vrid in (1, 50, 52, 255):
        assert verdict(advert(family=family, vrid=vrid)) is RejectReason.VRID
    assert verdict(advert(family=family, vrid=VRID)) is RejectReason.ACCEPTED


def test_cf_038_owner_verifies_and_tells() -> None:
    """Given two owners, when the one with the higher address hears the other, then it stays active,
    answers and complains (erratum 8298)."""
    router = active(priority=255, start_active=True)
    router.hear(advert(priority=255, src=LOWER[4]))
    assert router.state() is State.ACTIVE
    assert router.sent == [255]
    assert [note.a for note in router.noted(NoteKind.OWNER_CONFLICT)] == [255]


def test_cf_038_owner_gives_way_to_one_that_does_not() -> None:
    """Given two owners, when the one with the lower address is heard for more than two intervals,
    then the other one goes on with 254, which yields."""
    router = active(priority=255, start_active=True)
    for _ in range(4):
        assert router.state() is State.ACTIVE
        router.hear(advert(priority=255, src=LOWER[4]))
        router.run_for(SECOND)
    router.hear(advert(priority=255, src=LOWER[4]))
    assert router.state() is State.BACKUP
    assert router.status("priority") == 254
    router.hear(advert(priority=200, src=LOWER[4]))
    assert router.status("priority") == 255


def test_cf_038_owner_ignore_adverts_discards() -> None:
    """Given owner_ignore_adverts, when the owner hears another one that would win, then nothing
    happens; without 255 it yields."""
    router = active(priority=255, start_active=True, owner_ignore_adverts=True)
    router.hear(advert(priority=255, src=HIGHER[4]))
    assert (router.state(), router.acts) == (State.ACTIVE, [])
    assert router.counter("rejected_owner") == 1
    other = active(priority=254, owner_ignore_adverts=True)
    other.hear(advert(priority=255, src=HIGHER[4]))
    assert other.state() is State.BACKUP


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_039_an_advert_without_addresses_is_discarded(family: int) -> None:
    assert verdict(advert(family=family, addresses=())) is RejectReason.COUNT


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_040_interval_0_is_discarded(family: int) -> None:
    for bits in (b"\x00\x00", b"\xf0\x00"):
        assert verdict(advert(family=family).patched(INTERVAL, bits)) is RejectReason.INTERVAL_ZERO
    assert verdict(advert(family=family).patched(INTERVAL, b"\x00\x01")) is RejectReason.ACCEPTED


@pytest.mark.parametrize("strict", [False, True])
def test_cf_041_only_strict_mode_discards_another_first_address(strict: bool) -> None:
    """Erratum 8300."""
    addresses = (ip_address("2001:db8::100").packed, VIP[6])
    expected = RejectReason.FIRST_ADDRESS if strict else RejectReason.ACCEPTED
    assert verdict(advert(family=6, addresses=addresses), strict=strict) is expected
    assert verdict(advert(family=6, addresses=addresses[::-1]), strict=strict) is (
        RejectReason.ACCEPTED
    )


def test_cf_042_another_interval_is_taken_and_told() -> None:
    router = backup()
    router.hear(advert(interval_ns=2 * SECOND))
    assert router.status("active_adver_interval") == 2 * SECOND
    assert [(n.a, n.b) for n in router.noted(NoteKind.INTERVAL)] == [(2 * SECOND, SECOND)]


def test_cf_042_the_same_interval_is_no_news() -> None:
    router = backup()
    router.hear(advert())
    assert router.noted(NoteKind.INTERVAL) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_043_other_addresses_are_taken_and_told(family: int) -> None:
    router = backup(family=family)
    router.hear(advert(family=family, addresses=(HIGHER[family],)))
    assert router.counter("adverts_received") == 1
    assert [note.a for note in router.noted(NoteKind.ADDRESS_LIST)] == [1]
    assert router.counter("address_list_mismatch") == 1


def test_cf_043_the_same_addresses_in_another_order_are_no_news() -> None:
    ours = (VIP[4], HIGHER[4])
    router = backup(addresses=ours)
    router.hear(advert(addresses=ours[::-1]))
    assert router.noted(NoteKind.ADDRESS_LIST) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_044_reserved_bits_are_ignored(family: int) -> None:
    router = backup(family=family)
    for bits in range(16):
        received = advert(family=family).patched(INTERVAL, bytes((bits << 4, 150)))
        assert router.hear(received) is RejectReason.ACCEPTED
        assert router.status("active_adver_interval") == 3 * SECOND // 2


WRONG = (
    (RejectReason.TTL, advert(ttl=254)),
    (RejectReason.TYPE, advert().patched(VERSION_TYPE, b"\x32")),
    (RejectReason.CHECKSUM, advert().patched(2, b"\x01", resum=False)),
    (RejectReason.COUNT, advert(addresses=())),
)


@pytest.mark.parametrize(("reason", "wrong"), WRONG, ids=lambda value: getattr(value, "key", ""))
def test_cf_045_a_discard_is_told_once_a_minute(reason: RejectReason, wrong: Sent) -> None:
    """Given 100 discards a second, when two minutes have passed, then they were told twice, with
    the number of those that were not, and all are counted."""
    router = backup()
    for _ in range(12_000):
        assert router.hear(wrong) is reason
        router.run_for(SECOND // 100)
    told = [note for note in router.noted(NoteKind.REJECT) if note.a == reason]
    assert [note.b for note in told] == [0, 5_999]
    assert router.counter(f"rejected_{reason.key}") == 12_000


def test_cf_045_what_is_accepted_is_no_discard() -> None:
    router = backup()
    router.hear(advert())
    assert router.noted(NoteKind.REJECT) == []


def test_cf_046_the_message_begins_after_the_ip_options() -> None:
    whole = advert()
    options = b"\x94\x04\x00\x00" * 3  # router alert
    total = (len(whole.data) + len(options)).to_bytes(2)
    header = b"\x48" + whole.data[1:2] + total + whole.data[4:20] + options
    received = replace(whole, data=header + whole.message)
    assert received.start == 32
    assert verdict(received) is RejectReason.ACCEPTED
    assert verdict(replace(received, data=b"\x4f" + received.data[1:])) is RejectReason.IP_HEADER


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_047_multicast_and_unicast_do_not_mix(family: int) -> None:
    to_group = advert(family=family)
    to_us = advert(family=family, dst=OWN[family], unicast=True)
    peers = (LOWER[family],)
    assert verdict(to_us) is RejectReason.DESTINATION
    assert verdict(to_group, peers=peers) is RejectReason.DESTINATION
    assert verdict(to_us, peers=peers) is RejectReason.ACCEPTED


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_048_own_adverts_are_ignored(family: int) -> None:
    own = advert(family=family, src=OWN[family])
    assert verdict(own) is RejectReason.OWN_SOURCE
    router = active(family=family)
    router.hear(own)
    assert router.state() is State.ACTIVE
    assert router.acts == []
