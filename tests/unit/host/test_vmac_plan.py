"""Which interfaces `use_vmac` and its like ask for, and which address goes to which."""

import pytest

from fastvrrp import loads
from fastvrrp.config.model import Config
from fastvrrp.host.vmac_plan import Key, Wanted, interface_of, key_for, names, wanted


def configured(body: str, *, name: str = "VI_1", vrid: int = 51, common: str = "") -> Config:
    text = f"""
global_defs {{
 vrrp_version 3
 {common}
}}
vrrp_instance {name} {{
 interface eth0
 virtual_router_id {vrid}
 {body}
}}
"""
    return loads(text)


def one(config: Config) -> Wanted:
    (found,) = wanted(config)
    return found


VIP = "virtual_ipaddress {\n 10.0.0.100/24\n }"
VIP6 = "virtual_ipaddress {\n fe80::100/64\n }"


@pytest.mark.parametrize(
    ("body", "mac", "name"),
    [
        (f"use_vmac\n {VIP}", "00:00:5e:00:01:33", "vrrp.51"),
        (f"use_vmac\n {VIP6}", "00:00:5e:00:02:33", "vrrp6.51"),
        (f"use_vmac lan0\n {VIP}", "00:00:5e:00:01:33", "lan0"),
        (f"use_vmac 02:00:00:00:00:07\n {VIP}", "02:00:00:00:00:07", "vrrp.51"),
        (f"use_vmac 02:00:00:00:07 lan0\n {VIP}", "02:00:00:00:07:33", "lan0"),
    ],
)
def test_mac_and_name(body: str, mac: str, name: str) -> None:
    """RFC 9568 §7.3; to a MAC address of five bytes the VRID is appended."""
    found = one(configured(body))
    assert found.mac is not None
    assert found.mac.hex(":") == mac
    assert next(names(found)) == name


def test_names_are_tried_in_turn_and_fit() -> None:
    """Given a long prefix, then it is cut, so that VRID and number stay."""
    config = configured(f"use_vmac\n {VIP}", vrid=255, common="vmac_prefix a_long_prefix")
    tried = list(names(one(config)))
    assert tried[:3] == ["a_long_pref.255", "a_long_pre1.255", "a_long_pre2.255"]
    assert len(set(tried)) == len(tried) == 256
    assert max(map(len, tried)) == 15


def test_ipv6_is_off_unless_an_address_needs_it() -> None:
    excluded = "virtual_ipaddress_excluded {\n 2001:db8::1/64\n }"
    assert not one(configured(f"use_vmac\n {VIP}")).ipv6
    assert one(configured(f"use_vmac\n {VIP}\n {excluded}")).ipv6
    assert one(configured(f"use_vmac\n {VIP6}")).ipv6


def test_addresses_elsewhere_stay_there_unless_they_are_to_have_one() -> None:
    """Given addresses of the other family, of another interface, and of the named own ones, then
    `use_vmac_addr` gives each interface and family a macvlan interface of its own."""
    lines = "\n".join(
        (
            "use_vmac lan0",
            VIP,
            "virtual_ipaddress_excluded {",
            "2001:db8::1/64",
            "10.1.0.1/24 dev eth1",
            "10.0.0.101/24 dev eth0",
            "10.0.0.102/24 dev lan0",
            "}",
        )
    )
    own, other = Key("VI_1", "eth0", 4), Key("VI_1", "eth1", 4)
    (plain,) = configured(lines).instances
    vips = (*plain.addresses, *plain.excluded)
    assert [key_for(plain, vip) for vip in vips] == [own, own, None, None, own]
    assert [interface_of(plain, vip) for vip in vips] == ["eth0", "eth0", "eth1", "eth0", "eth0"]

    config = configured(f"use_vmac_addr\n {lines}", common="vmac_addr_prefix va")
    (instance,) = config.instances
    vips = (*instance.addresses, *instance.excluded)
    ipv6 = Key("VI_1", "eth0", 6)
    assert [key_for(instance, vip) for vip in vips] == [own, ipv6, other, own, own]
    by_key = {want.key: want for want in wanted(config)}
    assert set(by_key) == {own, ipv6, other}
    assert next(names(by_key[ipv6])) == "va6.51"
    assert by_key[ipv6].mac == bytes.fromhex("00005e000233")
    assert by_key[other].mac == bytes.fromhex("00005e000133")


def test_one_line_may_ask_for_it() -> None:
    """Given an instance without a macvlan interface, then only the address whose line says
    `use_vmac` has one."""
    body = "virtual_ipaddress {\n 10.0.0.100/24\n 10.0.0.101/24 use_vmac\n }"
    (instance,) = configured(body).instances
    found = [key_for(instance, vip) for vip in instance.addresses]
    assert found == [None, Key("VI_1", "eth0", 4)]


def test_nothing_is_asked_for_without_a_keyword() -> None:
    assert wanted(configured(VIP)) == ()


def test_an_ipvlan_interface_has_an_address_and_no_mac() -> None:
    found = one(configured(f"use_ipvlan ip0 10.0.0.9/24 private\n {VIP}"))
    assert (found.mac, found.name, str(found.address)) == (None, "ip0", "10.0.0.9/24")
