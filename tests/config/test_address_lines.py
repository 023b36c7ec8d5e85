"""Lines of virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress."""

from ipaddress import IPv4Address, ip_address, ip_interface

import pytest
from hypothesis import given

from config.network_text import instance, static, static_address
from config.network_values import addresses
from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.model import FOREVER, VirtualAddress
from fastvrrp.config.values.addresses import AddressLine

VIRTUAL = "virtual_ipaddress_excluded"


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("192.0.2.1", {"address": "192.0.2.1/32"}),
        ("192.0.2.1/24", {}),
        ("192.0.2.1/0", {"address": "192.0.2.1/0"}),
        ("2001:db8::1", {"address": "2001:db8::1/128"}),
        ("2001:db8::1/64", {"address": "2001:db8::1/64"}),
        ("192.0.2.1/24 dev eth1", {"interface": "eth1"}),
        ("192.0.2.1/24 scope link", {"scope": 253}),
        ("192.0.2.1/24 scope site", {"scope": 200}),
        ("192.0.2.1/24 scope 7", {"scope": 7}),
        ("192.0.2.1/24 scope 0x10", {"scope": 16}),
        ("192.0.2.1/24 brd 192.0.2.9", {"broadcast": IPv4Address("192.0.2.9")}),
        ("192.0.2.1/24 broadcast +", {"broadcast": IPv4Address("192.0.2.255")}),
        ("192.0.2.1/24 brd -", {"broadcast": IPv4Address("192.0.2.0")}),
        ("192.0.2.1/24 label eth0:1", {"label": "eth0:1"}),
        ("192.0.2.1 peer 192.0.2.2", {"address": "192.0.2.1/32", "peer": "192.0.2.2"}),
        ("192.0.2.1/24 no_track", {"track": False}),
        ("192.0.2.1/24 noprefixroute", {"prefix_route": False}),
        ("192.0.2.1/24 autojoin", {"autojoin": True}),
        ("2001:db8::1/64 home", {"address": "2001:db8::1/64", "home": True}),
        ("2001:db8::1/64 -nodad", {"address": "2001:db8::1/64", "dad": True}),
        ("2001:db8::1/64 mngtmpaddr", {"address": "2001:db8::1/64", "mngtmpaddr": True}),
        (
            "2001:db8::1/64 preferred_lft 5",
            {"address": "2001:db8::1/64", "preferred": seconds(5)},
        ),
        ("2001:db8::1 preferred_lft 0", {"address": "2001:db8::1/128"}),
        (
            "2001:db8::1 preferred_lft forever",
            {"address": "2001:db8::1/128", "preferred": FOREVER},
        ),
        ("2001:db8::1/64 preferred_lft forever", {"address": "2001:db8::1/64"}),
        (
            "192.0.2.1/24 label a brd + scope host dev eth2",
            {
                "label": "a",
                "broadcast": IPv4Address("192.0.2.255"),
                "scope": 254,
                "interface": "eth2",
            },
        ),
    ],
)
def test_an_address_line_says(line: str, fields: dict[str, object]) -> None:
    address = ip_interface(str(fields.pop("address", "192.0.2.1/24")))
    if "peer" in fields:
        fields["peer"] = ip_address(str(fields["peer"]))
    found = static_address(line)
    assert found == VirtualAddress(address=address, **fields)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("192.0.2.256", "FV103", "no IPv4 or IPv6 address"),
        ("192.0.2", "FV103", "no IPv4 or IPv6 address"),
        ("010.0.0.1", "FV103", "no IPv4 or IPv6 address"),
        ("192.0.2.1,192.0.2.2", "FV103", "no IPv4 or IPv6 address"),
        ("192.0.2.1-5", "FV103", "no IPv4 or IPv6 address"),
        ("fe80::1%eth0", "FV103", "no IPv4 or IPv6 address"),
        ("router.example", "FV103", "no IPv4 or IPv6 address"),
        ('""', "FV103", "an empty word is no"),
        ("dev eth0 192.0.2.1", "FV103", "does not begin with an address"),
        ("192.0.2.1 dev", "FV102", "an interface is missing after dev"),
        ("192.0.2.1 dev eth0 dev eth1", "FV106", "dev is given twice"),
        ("192.0.2.1 scope", "FV102", "missing after scope"),
        ("192.0.2.1 label", "FV102", "missing after label"),
        ("192.0.2.1 label eth0:too-long-a-label", "FV104", "1 to 15 characters"),
        ("192.0.2.1/24 brd 192.0.2.999", "FV103", "no IPv4 or IPv6 address"),
        ("192.0.2.1/24 brd ::1", "FV103", "must be an IPv4 address"),
        ("2001:db8::1 brd +", "FV103", "no broadcast address"),
        ("192.0.2.1 peer 192.0.2.2/24", "FV103", "no prefix length"),
        ("192.0.2.1 peer ::1", "FV103", "not of the same family"),
        ("2001:db8::1/64 preferred_lft x", "FV103", "must be a whole number"),
        ("2001:db8::1/64 preferred_lft 4294967296", "FV104", "outside 0 to 4294967295"),
    ],
)
def test_a_line_is_left_out_with_a_warning(line: str, code: str, message: str) -> None:
    found, told = instance(VIRTUAL, line)
    assert not found.instances[0].excluded
    assert [(one.severity, one.code) for one in told] == [(Severity.WARNING, code)]
    assert message in told[0].message
    assert told[0].message.endswith("; the line is left out")


@pytest.mark.parametrize(
    ("line", "address", "hint"),
    [
        ("192.0.2.1/33", "192.0.2.1/32", "number of bits"),
        ("2001:db8::1/129", "2001:db8::1/128", "number of bits"),
        ("192.0.2.1/255.255.255.0", "192.0.2.1/32", "192.0.2.1/24"),
        ("192.0.2.1/24/5", "192.0.2.1/32", "192.0.2.1/24"),
        ("192.0.2.1/-1", "192.0.2.1/32", "192.0.2.1/24"),
        ("192.0.2.1/24;", "192.0.2.1/32", "remove the ;"),
        ("192.0.2.1 /24", "192.0.2.1/32", "write 192.0.2.1/24, without a blank"),
        ("192.0.2.1 /255.255.0.0", "192.0.2.1/32", "write 192.0.2.1/16, without a blank"),
        ("192.0.2.1 192.0.2.2", "192.0.2.1/32", "a line of its own"),
        ("192.0.2.1 colour blue", "192.0.2.1/32", "options are: dev"),
        ("192.0.2.1 no-track", "192.0.2.1/32", "did you mean no_track?"),
        ("2001:db8::1 nodad", "2001:db8::1/128", "did you mean -nodad?"),
        ("192.0.2.1 track_group G", "192.0.2.1/32", "static_ipaddress"),
        ("192.0.2.1 brd +", "192.0.2.1/32", "prefix length"),
        ("192.0.2.1/24 peer 192.0.2.2", "192.0.2.1/32", "write 192.0.2.1"),
    ],
)
def test_an_address_is_used_with_a_warning(line: str, address: str, hint: str) -> None:
    found, told = instance(VIRTUAL, line)
    assert found.instances[0].excluded[0].address == ip_interface(address)
    warnings = [one for one in told if one.severity is Severity.WARNING]
    assert len(warnings) == 1
    assert hint in str(warnings[0].hint)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("192.0.2.256", "0 to 255"),
        ("192.0.2", "four numbers"),
        ("010.0.0.1", "10.0.0.1"),
        ("192.0.2.1,192.0.2.2", "a line of its own"),
        ("192.0.2.1-5", "a line of its own"),
        ("192.0.2.1,", "remove the ,"),
        ("fe80::1%eth0", "fe80::1 dev eth0"),
        ("1:2:3", "eight groups"),
        ("router.example", "names are not looked up"),
        ("dev eth0", "address first"),
    ],
)
def test_the_hint_says_what_to_write(line: str, hint: str) -> None:
    _, told = instance(VIRTUAL, line)
    assert hint in str(told[0].hint)


def test_options_behind_an_unknown_word_count_and_it_is_told_once() -> None:
    found, told = instance(VIRTUAL, "192.0.2.1 foo bar dev eth1")
    assert found.instances[0].excluded[0].interface == "eth1"
    assert [one.message for one in told] == ["foo is no option of an address here; it is not used"]


@pytest.mark.parametrize("line", ["2001:db8::1 scope link", "2001:db8::1 label x"])
def test_what_only_ipv4_has_is_not_used_for_ipv6(line: str) -> None:
    found, told = instance(VIRTUAL, line)
    assert found.instances[0].excluded == (VirtualAddress(address=ip_interface("2001:db8::1")),)
    assert [(one.severity, one.code) for one in told] == [(Severity.WARNING, "FV110")]


def test_an_unknown_scope_is_not_used() -> None:
    found, told = instance(VIRTUAL, "192.0.2.1 scope far")
    assert found.instances[0].excluded[0].scope == 0
    assert [(one.severity, one.code) for one in told] == [(Severity.WARNING, "FV103")]


def test_a_peer_rules_out_broadcast() -> None:
    found, told = instance(VIRTUAL, "192.0.2.1 brd 192.0.2.9 peer 192.0.2.2")
    assert found.instances[0].excluded[0].broadcast is None
    assert [one.message for one in told if one.severity is Severity.WARNING] == [
        "an address with a peer has no broadcast address; it is not used"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "192.0.2.1 peer 192.0.2.2",
        "2001:db8::1/64 preferred_lft 5",
        "2001:db8::1/128 preferred_lft forever",
        "192.0.2.1/24 noprefixroute",
        "192.0.2.1/24 autojoin",
        "192.0.2.1/24 use_vmac",
    ],
)
def test_what_changes_the_address_is_not_supported_yet(line: str) -> None:
    _, told = instance(VIRTUAL, line)
    assert [(one.severity, one.code) for one in told] == [(Severity.UNSUPPORTED, "FV111")]


@pytest.mark.parametrize(
    "line",
    [
        "192.0.2.1 home",
        "192.0.2.1 mngtmpaddr",
        "192.0.2.1 -nodad",
        "192.0.2.1 preferred_lft 5",
        "2001:db8::1 home home",
        "2001:db8::1 mngtmpaddr",
        "2001:db8::1 -nodad",
    ],
)
def test_what_makes_no_difference_is_noted(line: str) -> None:
    _, told = instance(VIRTUAL, line)
    assert [(one.severity, one.code) for one in told] == [(Severity.NOTE, "FV110")]


@pytest.mark.parametrize(
    "line", ["2001:db8::1/64 preferred_lft forever", "2001:db8::1/128 preferred_lft 0"]
)
def test_the_default_lifetime_is_taken_silently(line: str) -> None:
    _, told = instance(VIRTUAL, line)
    assert not told


def test_a_static_address_names_a_track_group_that_exists() -> None:
    found, told = static("static_ipaddress", "192.0.2.1/24 dev eth0 track_group G")
    assert found.static_addresses[0].track_group is None
    assert [(one.severity, one.code) for one in told] == [(Severity.WARNING, "FV212")]
    assert told[0].span.column == 35


def test_use_vmac_is_no_option_of_a_static_address() -> None:
    found, told = static("static_ipaddress", "192.0.2.1/24 use_vmac")
    assert not found.static_addresses[0].vmac
    assert told[0].hint == "it belongs in addresses of a vrrp_instance"


def test_the_interface_of_an_address_must_exist_on_the_host() -> None:
    found, _ = static("static_ipaddress", "192.0.2.1/24 dev eth7")
    assert [one.name for one in found.references] == ["eth7"]


@given(addresses())
def test_what_is_written_reads_back(value: VirtualAddress) -> None:
    written = AddressLine().write(value)
    assert written is not None
    found, _ = instance(VIRTUAL, written)
    assert found.instances[0].excluded == (value,)


def test_a_part_of_a_second_is_no_lifetime() -> None:
    value = VirtualAddress(address=ip_interface("2001:db8::1/64"), preferred=Nanoseconds(1))
    assert AddressLine().write(value) is None


def test_the_schema_has_the_fields_of_the_model() -> None:
    schema = AddressLine().schema()
    assert schema["type"] == "object"
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert properties["address"] == {"anyOf": [{"type": "string"}]}
    assert properties["scope"] == {"type": "integer"}
    assert "span" not in properties


def test_every_option_is_in_the_description() -> None:
    text = AddressLine().describe() + AddressLine(static=True).describe()
    for option in ("dev", "brd", "label", "scope", "peer", "preferred_lft", "home", "-nodad"):
        assert f"[{option}" in text
    for option in ("mngtmpaddr", "noprefixroute", "autojoin", "no_track", "use_vmac"):
        assert f"[{option}]" in text
    assert "[track_group name]" in text
