"""RFC 2338 authentication, and keepalived's trailer. The table is docs/conformance.md, sections G
and H. Expected digests come from Python's own hmac."""

import hashlib
import hmac

import pytest

from conformance.scene import (
    HIGHER,
    IPV4_HEADER,
    LOWER,
    OWN,
    SECOND,
    Router,
    Sent,
    active,
    advert,
    backup,
    configuration,
    laid_out,
)
from fastvrrp.names import Reason, RejectReason, State
from fastvrrp.wire.advert import reseal

KEY = b"secret99"
PASS = {"version": 2, "auth_type": 1, "password": KEY}
AH = {"version": 2, "auth_type": 2, "password": KEY}
AH_LENGTH, ICV = 24, 12
LAST_SEQUENCE = 0xFFFFFFFC


def with_password(password: str) -> str:
    return f"authentication {{\nauth_type PASS\nauth_pass {password}\n}}"


@pytest.mark.parametrize("password", ["a", "abcd", "secret99"])
def test_cf_130_password_is_8_octets_at_the_end(password: str) -> None:
    (only,) = laid_out(with_password(password))
    assert only.data[IPV4_HEADER + 4] == 1
    assert only.data[-8:] == password.encode().ljust(8, b"\0")


def test_cf_130_a_longer_password_is_cut_to_8_octets_and_reported() -> None:
    body = with_password("secret999")
    assert laid_out(body)[0].data[-8:] == b"secret99"
    assert configuration(body).diagnostics != ()


@pytest.mark.parametrize("wrong", [b"", b"secret9", b"Secret99", b"secret9\0"])
def test_cf_130_a_wrong_password_is_discarded(wrong: bytes) -> None:
    router = backup(**PASS)
    assert router.hear(advert(**PASS | {"password": wrong})) is RejectReason.AUTH_PASS
    assert router.hear(advert(**PASS)) is RejectReason.ACCEPTED


def test_cf_131_authentication_header_is_that_of_rfc_2338() -> None:
    sent = advert(**AH, ah_sequence=7)
    header = sent.message[:AH_LENGTH]
    assert sent.data[9] == 51
    assert header[:4] == bytes((112, 4, 0, 0))
    assert header[4:8] == sent.src
    assert header[8:12] == (7).to_bytes(4)
    vrrp = sent.message[AH_LENGTH:]
    assert (vrrp[0], vrrp[4], vrrp[-8:]) == (0x21, 2, bytes(8))


def expected_icv(packet: bytes, *, unicast: bool) -> bytes:
    """The check value as keepalived makes it: TOS, fragment and checksum 0, and for unicast the
    TTL."""
    image = bytearray(packet)
    image[1] = 0
    image[6:8] = image[10:12] = bytes(2)
    if unicast:
        image[8] = 0
    image[IPV4_HEADER + ICV : IPV4_HEADER + AH_LENGTH] = bytes(12)
    return hmac.new(KEY, image, hashlib.md5).digest()[:12]


def icv_of(packet: bytes) -> bytes:
    return packet[IPV4_HEADER + ICV : IPV4_HEADER + AH_LENGTH]


@pytest.mark.parametrize("unicast", [False, True])
@pytest.mark.parametrize("ttl", [255, 77])
def test_cf_132_check_value_is_hmac_md5_over_the_packet(ttl: int, unicast: bool) -> None:
    dst = OWN[4] if unicast else bytes((224, 0, 0, 18))
    sent = advert(**AH, ttl=ttl, unicast=unicast, dst=dst)
    assert icv_of(sent.data) == expected_icv(sent.data, unicast=unicast)


def test_cf_132_a_captured_packet_has_this_check_value() -> None:
    """keepalived 2.4.3, password secret99."""
    packet = bytes.fromhex(
        "45c0004400010000ff33d0b10a010001e0000012700400000a01000100000001f58dedb72e9bf7af6c3711fd"
        "21339602020131fe0a0100640a0100650000000000000000"
    )
    assert icv_of(packet) == expected_icv(packet, unicast=False)


def test_cf_132_every_other_bit_of_the_packet_counts() -> None:
    """Given an accepted packet, when any bit is turned, then it is discarded; but for those that
    routers may change (TOS, fragment, checksum)."""
    whole = advert(**AH)
    mutable = {1, 6, 7, 10, 11}
    for position in range(8 * len(whole.data)):
        octet = position // 8
        if octet in mutable:
            continue
        data = bytearray(whole.data)
        data[octet] ^= 1 << position % 8
        received = Sent(data=bytes(data), family=4, src=b"", dst=b"")
        assert backup(**AH).hear(received) is not RejectReason.ACCEPTED, position


def sequences(router: Router) -> list[int]:
    return [act.b for act in router.acts if act.kind == "SEND"]


def test_cf_133_sequence_counts_the_adverts_from_1() -> None:
    router = Router(**AH).activate()
    router.run_for(3 * SECOND)
    router.stop()
    assert router.sent == [100, 100, 100, 100, 0]
    assert sequences(router) == [1, 2, 3, 4, 5]


def test_cf_133_an_active_router_whose_sequence_ends_becomes_a_backup() -> None:
    """Given a router near the end of its sequence, then it steps down before it wraps, and begins
    anew at its next term."""
    router = active(**AH)
    router.core.restore_marks(0, [], (0xFFFFEFF0, 0), router.now)
    while router.state() is State.ACTIVE:
        router.run_to(router.deadline)
    assert router.notes[-1].b == Reason.SEQUENCE
    assert sequences(router) == list(range(0xFFFFEFF1, max(sequences(router)) + 1))
    assert 0xFFFFEFF0 < max(sequences(router)) <= LAST_SEQUENCE
    router.forget()
    router.run_to(router.deadline)
    assert sequences(router) == [1]


def test_cf_134_check_value_comes_first_then_spi_then_sequence() -> None:
    router = backup(**AH)
    first = advert(**AH, ah_sequence=5)
    assert router.hear(first) is RejectReason.ACCEPTED
    spoilt = first.patched(4, HIGHER[4], resum=False)  # the SPI, without a new check value
    assert router.hear(spoilt) is RejectReason.AUTH_ICV
    for sequence, replays in ((5, 1), (4, 2), (6, 2)):
        router.hear(advert(**AH, ah_sequence=sequence))
        assert router.counter("rejected_auth_replay") == replays


def test_cf_134_another_spi_than_the_source_is_discarded() -> None:
    data = bytearray(advert(**AH).data)
    data[IPV4_HEADER + 4 : IPV4_HEADER + 8] = HIGHER[4]
    data[IPV4_HEADER + ICV : IPV4_HEADER + AH_LENGTH] = expected_icv(bytes(data), unicast=False)
    received = Sent(data=bytes(data), family=4, src=b"", dst=b"")
    assert backup(**AH).hear(received) is RejectReason.AUTH_SPI


def test_cf_135_a_header_where_none_is_expected_is_discarded_and_the_reverse() -> None:
    plain = {"version": 2}
    assert backup(**plain).hear(advert(**AH)) is RejectReason.AUTH_MISMATCH
    assert backup(**AH).hear(advert(**plain)) is RejectReason.AUTH_MISMATCH


@pytest.mark.parametrize("priority", [50, 200])
def test_cf_136_own_sequence_follows_the_highest_that_was_heard(priority: int) -> None:
    """Given an active or a backup router, when it hears sequence 5000, then its next advert has a
    higher one, which keepalived's single counter takes."""
    router = active(**AH)
    router.hear(advert(**AH, priority=priority, ah_sequence=5000))
    router.run_for(5 * SECOND)
    assert sequences(router)[0] > 5000


def test_cf_137_copies_share_their_sequence_and_have_their_own_check_value() -> None:
    body = (
        "authentication {\nauth_type AH\nauth_pass secret99\n}\n"
        "unicast_peer {\n192.0.2.1\n192.0.2.9\n}"
    )
    copies = [reseal(copy, priority=100, ah_sequence=9, password=KEY) for copy in laid_out(body)]
    assert [copy[16:20] for copy in copies] == [LOWER[4], HIGHER[4]]
    assert {copy[IPV4_HEADER + 8 : IPV4_HEADER + 12] for copy in copies} == {(9).to_bytes(4)}
    assert [icv_of(copy) for copy in copies] == [expected_icv(c, unicast=True) for c in copies]
    assert len({icv_of(copy) for copy in copies}) == 2
