"""RFC 3768, version 2. The table is docs/conformance.md, section F."""

import pytest

from conformance.scene import (
    HIGHER,
    LOWER,
    SECOND,
    VIP,
    Router,
    active,
    advert,
    backup,
    configuration,
    message_of,
    ones_complement,
)
from fastvrrp.clock import seconds
from fastvrrp.names import NoteKind, RejectReason, State

AUTH_TYPE, INTERVAL, CHECKSUM, ADDRESSES = 4, 5, 6, 8


def test_cf_110_version_is_2() -> None:
    assert message_of("version 2")[0] == 0x21
    assert message_of("")[0] == 0x21  # which is the default


def test_cf_110_version_3_is_for_others() -> None:
    assert backup(version=2).hear(advert(version=3)) is RejectReason.VERSION
    assert backup(version=2).hear(advert(version=2)) is RejectReason.ACCEPTED


def test_cf_111_authentication_type_0_is_sent() -> None:
    assert message_of("version 2")[AUTH_TYPE] == 0


def test_cf_111_another_authentication_type_is_discarded() -> None:
    plain, with_password = {"version": 2}, {"version": 2, "auth_type": 1, "password": b"secret"}
    assert backup(**plain).hear(advert(**with_password)) is RejectReason.AUTH_MISMATCH
    assert backup(**with_password).hear(advert(**plain)) is RejectReason.AUTH_MISMATCH
    assert backup(**with_password).hear(advert(**with_password)) is RejectReason.ACCEPTED


@pytest.mark.parametrize("kind", [3, 4, 255])
def test_cf_111_an_unknown_authentication_type_is_discarded(kind: int) -> None:
    received = advert(version=2).patched(AUTH_TYPE, bytes((kind,)))
    assert backup(version=2).hear(received) is RejectReason.AUTH_TYPE


def test_cf_112_interval_is_in_seconds() -> None:
    for interval in (1, 2, 255):
        assert message_of(f"version 2\nadvert_int {interval}")[INTERVAL] == interval


def test_cf_112_another_interval_is_rounded_and_reported() -> None:
    found = configuration("version 2\nadvert_int 1.5")
    assert found.instances[0].advert_interval == 2 * SECOND
    assert [one.code for one in found.diagnostics] == ["FV216"]


@pytest.mark.parametrize("interval", [SECOND // 2, seconds(1.5), seconds(256)])
def test_cf_112_what_is_no_whole_second_is_not_laid_out(interval: int) -> None:
    with pytest.raises(ValueError, match="1 to 255 whole seconds"):
        advert(version=2, interval_ns=interval)


@pytest.mark.parametrize("password", [b"", b"secret"])
def test_cf_113_checksum_covers_the_whole_message_and_nothing_else(password: bytes) -> None:
    message = advert(version=2, auth_type=1 if password else 0, password=password).message
    assert len(message) == 8 + 4 + 8
    assert ones_complement(message) == 0


def test_cf_113_checksum_must_hold_to_the_last_octet() -> None:
    whole = advert(version=2)
    for offset in (2, ADDRESSES, ADDRESSES + 4, len(whole.message) - 1):
        flipped = bytes((whole.message[offset] ^ 1,))
        received = whole.patched(offset, flipped, resum=False)
        assert backup(version=2).hear(received) is RejectReason.CHECKSUM


def test_cf_114_authentication_data_is_8_octets_of_0() -> None:
    assert message_of("version 2")[ADDRESSES + 4 :] == bytes(8)


def test_cf_114_authentication_data_is_ignored() -> None:
    received = advert(version=2).patched(ADDRESSES + 4, b"anything")
    assert backup(version=2).hear(received) is RejectReason.ACCEPTED


@pytest.mark.parametrize("interval", [1, 2, 255])
@pytest.mark.parametrize("priority", [1, 100, 254])
def test_cf_115_skew_time_is_a_part_of_one_second(priority: int, interval: int) -> None:
    own = seconds(interval)
    router = Router(version=2, priority=priority, advert_interval=own).start()
    skew = (256 - priority) * SECOND // 256
    assert router.deadline == 3 * own + skew
    router.hear(advert(version=2, priority=0, interval_ns=own))
    assert router.deadline == skew


WRONG = (
    (RejectReason.TTL, advert(version=2, ttl=254)),
    (RejectReason.VERSION, advert(version=2).patched(0, b"\x11")),
    (RejectReason.LENGTH, advert(version=2).with_length(19)),
    (RejectReason.CHECKSUM, advert(version=2).patched(2, b"\x01", resum=False)),
    (RejectReason.VRID, advert(version=2, vrid=52)),
    (RejectReason.TYPE, advert(version=2).patched(0, b"\x22")),
)


@pytest.mark.parametrize("reason", [reason for reason, _ in WRONG], ids=lambda reason: reason.key)
def test_cf_116_each_check_discards(reason: RejectReason) -> None:
    router = backup(version=2)
    due = router.deadline
    assert router.hear(dict(WRONG)[reason]) is reason
    assert (router.deadline, router.counter("adverts_received")) == (due, 0)
    assert router.hear(advert(version=2)) is RejectReason.ACCEPTED
    assert router.deadline > due


def test_cf_117_another_interval_is_discarded_and_told() -> None:
    router = backup(version=2)
    due = router.deadline
    assert router.hear(advert(version=2, interval_ns=2 * SECOND)) is RejectReason.INTERVAL
    assert router.deadline == due
    assert [note.a for note in router.noted(NoteKind.REJECT)] == [RejectReason.INTERVAL]
    assert router.hear(advert(version=2)) is RejectReason.ACCEPTED


@pytest.mark.parametrize("priority", [200, 255])
def test_cf_118_other_addresses_are_taken_and_told(priority: int) -> None:
    router = backup(version=2)
    router.hear(advert(version=2, priority=priority, addresses=(HIGHER[4],)))
    assert router.counter("adverts_received") == 1
    assert [note.a for note in router.noted(NoteKind.ADDRESS_LIST)] == [1]


@pytest.mark.parametrize("silent", [False, True])
def test_cf_119_advert_of_lower_rank_is_answered_unless_told_otherwise(silent: bool) -> None:
    for priority, source in ((99, HIGHER[4]), (100, LOWER[4])):
        router = active(version=2, lower_prio_no_advert=silent)
        router.hear(advert(version=2, priority=priority, src=source))
        assert router.state() is State.ACTIVE
        assert router.sent == ([] if silent else [100])


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("count", [1, 20, 21, 255])
def test_cf_121_up_to_255_addresses_are_sent_and_taken(count: int, version: int) -> None:
    addresses = tuple(bytes((10, 0, 1, n)) for n in range(count))
    router = backup(version=version, addresses=addresses)
    received = advert(version=version, addresses=addresses)
    assert received.message[3] == count
    assert router.hear(received) is RejectReason.ACCEPTED
    assert router.noted(NoteKind.ADDRESS_LIST) == []


def test_cf_121_256_addresses_are_not_laid_out() -> None:
    with pytest.raises(ValueError, match="255 addresses"):
        advert(addresses=(VIP[4],) * 256)
