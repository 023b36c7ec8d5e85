"""RFC 9568 §5 and §7.2, the packet as it is sent. The table is docs/conformance.md, section A."""

import pytest

from conformance.scene import (
    GROUP,
    HIGHER,
    IPV4_HEADER,
    LOWER,
    OWN,
    SECOND,
    VIP,
    VRRP,
    Router,
    active,
    advert,
    backup,
    configuration,
    instance,
    laid_out,
    message_of,
    ones_complement,
    pseudo_header,
)
from fastvrrp import ConfigError
from fastvrrp.names import RejectReason, State
from fastvrrp.track.base import effective_priority
from fastvrrp.wire.advert import reseal

FAMILIES = (4, 6)
PRIORITY, COUNT, INTERVAL, CHECKSUM, ADDRESSES = 2, 3, 4, 6, 8


def test_cf_002_ipv4_adverts_go_to_the_group() -> None:
    (only,) = laid_out("version 3")
    assert only.data[16:20] == only.dst == bytes((224, 0, 0, 18))


def test_cf_002_unicast_adverts_go_to_every_peer_instead() -> None:
    copies = laid_out("version 3\nunicast_peer {\n192.0.2.1\n192.0.2.9\n}")
    assert [copy.data[16:20] for copy in copies] == [LOWER[4], HIGHER[4]]


def test_cf_002_another_group_can_be_named() -> None:
    (only,) = laid_out("mcast_dst_ip 224.0.0.99")
    assert only.data[16:20] == bytes((224, 0, 0, 99))


def test_cf_004_unicast_ttl_can_be_chosen() -> None:
    (only,) = laid_out("unicast_ttl 77\nunicast_peer {\n192.0.2.1\n}")
    assert only.data[8] == 77


def test_cf_004_ttl_is_255() -> None:
    for body in ("version 2", "version 3", "unicast_peer {\n192.0.2.1\n}"):
        (only,) = laid_out(body)
        assert only.data[8] == 255


def test_cf_005_protocol_is_112() -> None:
    for body in ("version 2", "version 3"):
        (only,) = laid_out(body)
        assert only.data[9] == VRRP


def test_cf_007_ipv6_adverts_go_to_the_group() -> None:
    (only,) = laid_out("", family=6)
    assert only.dst == bytes.fromhex("ff02 0000 0000 0000 0000 0000 0000 0012")


def test_cf_009_version_is_3() -> None:
    for family in FAMILIES:
        assert message_of("version 3", family=family)[0] >> 4 == 3


def test_cf_010_type_is_1() -> None:
    for family in FAMILIES:
        assert message_of("version 3", family=family)[0] & 15 == 1


def test_cf_011_owner_advertises_255() -> None:
    assert message_of("priority 255")[PRIORITY] == 255
    router = active(priority=255, start_active=True)
    router.run_for(3 * SECOND)
    assert set(router.sent) == {255}


def test_cf_011_owner_keeps_255_whatever_trackers_say() -> None:
    assert effective_priority(255, (-50, 20)) == 255


def test_cf_012_priority_is_100_by_default() -> None:
    assert instance("").priority == 100
    assert message_of("version 3")[PRIORITY] == 100


def test_cf_012_no_tracker_makes_an_owner_or_a_resignation() -> None:
    assert effective_priority(100, (200,)) == 254
    assert effective_priority(100, (-200,)) == 1


def test_cf_012_priority_0_cannot_be_configured() -> None:
    assert instance("priority 0").priority == 100
    with pytest.raises(ValueError, match="priority"):
        Router(priority=0)


def test_cf_013_priority_0_is_sent_once_when_an_active_router_stops() -> None:
    router = active()
    router.run_for(3 * SECOND)
    assert set(router.sent) == {100}
    router.forget()
    router.stop()
    assert router.sent == [0]


def test_cf_013_who_gives_way_or_was_never_active_does_not_resign() -> None:
    loser = active()
    loser.hear(advert(priority=200))
    assert loser.state() is State.BACKUP
    loser.stop()
    assert loser.sent == []


def test_cf_014_count_is_the_number_of_addresses() -> None:
    for count in (1, 2, 20):
        vips = "\n".join(f"192.0.2.{100 + n}" for n in range(count))
        message = message_of(f"version 3\nvirtual_ipaddress {{\n{vips}\n}}")
        assert message[COUNT] == count
        assert len(message) == 8 + 4 * count


def test_cf_014_version_3_without_an_address_does_not_start() -> None:
    with pytest.raises(ConfigError, match="no virtual address"):
        configuration("version 3\nvirtual_ipaddress {\n}")


def test_cf_015_reserved_bits_are_0() -> None:
    for seconds in ("0.01", "1", "40.95"):
        assert message_of(f"version 3\nadvert_int {seconds}")[INTERVAL] >> 4 == 0


@pytest.mark.parametrize(("seconds", "centiseconds"), [("0.01", 1), ("0.5", 50), ("40.95", 4095)])
def test_cf_016_interval_is_the_configured_one_in_centiseconds(
    seconds: str, centiseconds: int
) -> None:
    message = message_of(f"version 3\nadvert_int {seconds}")
    assert int.from_bytes(message[INTERVAL : INTERVAL + 2]) == centiseconds


def test_cf_016_interval_is_the_own_one_whatever_was_learnt() -> None:
    router = backup(priority=150)
    router.hear(advert(interval_ns=2 * SECOND))
    router.run_to(router.deadline)
    router.run_for(10 * SECOND)
    assert router.gaps == {SECOND}


@pytest.mark.parametrize("centiseconds", [0, 4096])
def test_cf_016_interval_outside_1_to_4095_is_not_laid_out(centiseconds: int) -> None:
    with pytest.raises(ValueError, match="1 to 4095 whole centiseconds"):
        advert(interval_ns=centiseconds * SECOND // 100)


def test_cf_017_ipv4_checksum_has_a_pseudo_header_by_default() -> None:
    (only,) = laid_out("version 3")
    message = only.data[IPV4_HEADER:]
    assert ones_complement(pseudo_header(OWN[4], GROUP[4], len(message)) + message) == 0
    assert ones_complement(message) != 0


def test_cf_017_v3_checksum_as_v2_sums_the_message_alone() -> None:
    (only,) = laid_out("version 3\nv3_checksum_as_v2")
    assert ones_complement(only.data[IPV4_HEADER:]) == 0


def test_cf_018_ipv6_checksum_has_a_pseudo_header() -> None:
    message = message_of("", family=6)
    assert ones_complement(pseudo_header(OWN[6], GROUP[6], len(message)) + message) == 0
    assert ones_complement(message) != 0


def test_cf_019_first_ipv6_address_is_link_local() -> None:
    message = message_of("", family=6)
    assert message[ADDRESSES : ADDRESSES + 16] == VIP[6]


def test_cf_019_another_first_address_is_reported() -> None:
    found = configuration("virtual_ipaddress {\n2001:db8::100/64\n}").diagnostics
    assert [one.code for one in found] == ["FV234"]


def test_cf_020_addresses_of_the_other_family_are_not_advertised() -> None:
    message = message_of("virtual_ipaddress {\n192.0.2.100\n2001:db8::100\n}")
    assert message[COUNT] == 1
    with pytest.raises(ValueError, match="has 4 bytes"):
        advert(addresses=(VIP[6],))


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_022_another_priority_equals_another_layout(family: int) -> None:
    (first,) = laid_out("version 3\npriority 1", family=family)
    for priority in range(1, 255):
        (anew,) = laid_out(f"version 3\npriority {priority}", family=family)
        assert reseal(first, priority=priority) == anew.data


def test_cf_022_fields_are_those_of_the_configuration() -> None:
    body = "version 3\npriority 150\nadvert_int 2\nvirtual_ipaddress {\n192.0.2.7\n192.0.2.3\n}"
    head, rest = message_of(body)[:CHECKSUM], message_of(body)[ADDRESSES:]
    assert head == bytes((0x31, 51, 150, 2, 0, 200))
    assert rest == bytes((192, 0, 2, 7, 192, 0, 2, 3))


def test_cf_023_order_of_the_addresses_is_that_of_the_configuration() -> None:
    vips = [bytes((192, 0, 2, n)) for n in (9, 200, 1)]
    listed = "\n".join(".".join(map(str, vip)) for vip in vips)
    (only,) = laid_out(f"version 3\nvirtual_ipaddress {{\n{listed}\n}}")
    for priority in (100, 0, 254):
        assert reseal(only, priority=priority)[IPV4_HEADER + ADDRESSES :] == b"".join(vips)


def test_an_advert_of_these_tests_is_accepted() -> None:
    """What every negative test rests on."""
    for family in FAMILIES:
        for version in (2, 3):
            receiver = backup(family=family, version=version)
            assert receiver.hear(advert(family=family, version=version)) is RejectReason.ACCEPTED
