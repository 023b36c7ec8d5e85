"""Each keyword of `vrrp_instance`: its value, range and default, and what a bad value does."""

from ipaddress import ip_address, ip_interface

import pytest

from fastvrrp import config
from fastvrrp.clock import seconds
from fastvrrp.config import Severity
from fastvrrp.config.model import (
    AntiReplay,
    Config,
    ExtraGarp,
    GarpConfig,
    HmacMode,
    InstanceConfig,
    Ipvlan,
    IpvlanMode,
    OldChecksum,
    Version,
    Vmac,
)
from fastvrrp.config.values.instance import HmacKeyLine, PeerLine
from fastvrrp.config.values.vmac import IpvlanWords, VmacWords

V4 = "virtual_ipaddress {\n192.0.2.1/24\n}\n"
V6 = "virtual_ipaddress {\nfe80::1/64\n}\n"
PEER = "unicast_peer {\n192.0.2.12\n}\n"
KEY = "k" * 32


def load(body: str) -> Config:
    return config.loads(f"vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\n{body}\n}}")


def instance(body: str) -> InstanceConfig:
    return load(body).instances[0]


def told(body: str, severity: Severity = Severity.WARNING) -> list[str]:
    """Return the codes of the findings of a severity, also of a text that is refused."""
    try:
        found = load(body).diagnostics
    except config.ConfigError as error:
        found = error.diagnostics
    return [one.code for one in found if one.severity is severity]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("priority 1", "priority", 1),
        ("priority 254", "priority", 254),
        ('priority "  120"', "priority", 120),
        ("version 3", "version", Version.V3),
        ("debug 4", "debug", 4),
        ("kernel_rx_buf_size 0", "rx_buffer", 0),
        ("down_timer_adverts 100", "down_timer_adverts", 100),
        ("nopreempt\ntimer_expired_backup", "timer_expired_backup", 254),
        ("nopreempt\ntimer_expired_backup 1", "timer_expired_backup", 1),
        ("priority 255\nowner_ignore_adverts", "owner_ignore_adverts", True),
        ("lower_prio_no_advert on", "lower_prio_no_advert", True),
        ("higher_prio_send_advert true", "higher_prio_send_advert", True),
        ("accept", "accept", True),
        ("no_accept", "accept", False),
        ("no_accept\naccept", "accept", True),
        ("dont_track_primary", "track_primary", False),
        ("promote_secondaries", "promote_secondaries", True),
        ("skip_check_adv_addr", "skip_check_adv_addr", True),
        ("skip_check_adv_addr false", "skip_check_adv_addr", False),
        ("mcast_src_ip 192.0.2.9", "source", ip_address("192.0.2.9")),
        ("mcast_src_ip 192.0.2.9/24", "source", ip_address("192.0.2.9")),
        ("mcast_src_ip 192.0.2.9\ntrack_src_ip", "track_source", True),
        ("mcast_dst_ip 239.1.2.3", "mcast_group", ip_address("239.1.2.3")),
        (PEER + "unicast_ttl 0", "unicast_ttl", 0),
        (PEER + "check_unicast_src", "check_unicast_src", True),
        ("unicast_fault_no_peer", "unicast_fault_no_peer", True),
        (PEER + "old_unicast_checksum", "old_checksum", OldChecksum.ALWAYS),
        (PEER + "old_unicast_checksum never", "old_checksum", OldChecksum.NEVER),
        ("v3_checksum_as_v2", "v3_checksum_as_v2", True),
        ("use_vmac", "vmac", Vmac()),
        ("use_vmac\nvmac_xmit_base", "vmac_xmit_base", True),
        ("use_vmac_addr", "vmac_addresses", True),
        ("strict_mode yes", "strict", True),
        ("garp_extra_if 5", "extra_garp", ExtraGarp(interval=seconds(5))),
        ("garp_extra_if all 0", "extra_garp", ExtraGarp(everywhere=True)),
        ("notify_priority_changes off", "notify_priority_changes", False),
        ("smtp_alert", "smtp_alert", True),
    ],
)
def test_a_value_reaches_its_field(line: str, field: str, value: object) -> None:
    body = f"{line}\n{V4}"
    assert getattr(instance(body), field) == value
    assert told(body) == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("state slave", "FV103"),
        ("priority 0", "FV104"),
        ("priority 256", "FV104"),
        ("priority 100;", "FV103"),
        ("priority 1.5", "FV103"),
        ("advert_int 0", "FV104"),
        ("advert_int 256", "FV104"),
        ("advert_int 1s", "FV103"),
        ("version 4", "FV103"),
        ("preempt_delay 1001", "FV104"),
        ("preempt_delay -1", "FV103"),
        ("down_timer_adverts 0", "FV104"),
        ("down_timer_adverts 101", "FV104"),
        ("nopreempt\ntimer_expired_backup 255", "FV104"),
        ("owner_ignore_adverts maybe", "FV103"),
        ("lower_prio_no_advert TRUE", "FV103"),
        ("higher_prio_send_advert 1", "FV103"),
        ("skip_check_adv_addr maybe", "FV103"),
        ("strict_mode maybe", "FV103"),
        ("debug 5", "FV104"),
        ("kernel_rx_buf_size x", "FV103"),
        ("mcast_src_ip eth0", "FV103"),
        ("mcast_dst_ip 192.0.2.1", "FV104"),
        ("mcast_dst_ip group", "FV103"),
        ("v3_checksum_as_v2 maybe", "FV103"),
        ("garp_master_delay 1.5", "FV103"),
        ("garp_master_delay 4295", "FV104"),
        ("garp_master_repeat -1", "FV104"),
        ("garp_master_refresh x", "FV103"),
        ("garp_lower_prio_repeat x", "FV103"),
        ("garp_extra_if", "FV103"),
        ("garp_extra_if all", "FV103"),
        ("garp_extra_if 86401", "FV104"),
        ("notify_priority_changes maybe", "FV103"),
        ("smtp_alert maybe", "FV103"),
        ("vrf a-very-long-interface-name", "FV104"),
    ],
)
def test_a_bad_value_leaves_the_default(line: str, code: str) -> None:
    vr = instance(f"{line}\n{V4}")
    assert told(f"{line}\n{V4}") == [code]
    assert vr == instance(("nopreempt\n" if "nopreempt" in line else "") + V4)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("garp_master_repeat 0", "repeat", 1),
        ("garp_master_refresh_repeat 0", "refresh_repeat", 1),
    ],
)
def test_no_repetition_at_all_is_taken_as_one(line: str, field: str, value: int) -> None:
    assert getattr(instance(f"{line}\n{V4}").garp, field) == value
    assert told(f"{line}\n{V4}") == ["FV104"]


def test_repetitions_are_cut_to_what_the_program_can_do() -> None:
    body = "garp_lower_prio_repeat 20000\n" + V4
    assert instance(body).garp.lower_prio_repeat == 10000
    assert told(body, Severity.NOTE) == ["FV104"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("thread_timer_expired\nnopreempt", "FV112"),
        ("vmac_garp_intvl 5", "FV112"),
        ("linkbeat_use_polling", "FV112"),
        ("lvs_sync_daemon_interface eth1", "FV112"),
    ],
)
def test_old_names_are_read_and_reported(line: str, code: str) -> None:
    assert told(f"{line}\n{V4}") == [code]


def test_old_names_mean_what_the_new_ones_do() -> None:
    assert instance("thread_timer_expired 9\nnopreempt\n" + V4).timer_expired_backup == 9
    assert instance("vmac_garp_intvl all 5\n" + V4) == instance("garp_extra_if all 5\n" + V4)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("timer_expired_backup 9", "timer_expired_backup", None),
        ("owner_ignore_adverts", "owner_ignore_adverts", False),
        ("priority 255\nowner_ignore_adverts off", "owner_ignore_adverts", True),
        ("unicast_ttl 9", "unicast_ttl", 255),
        ("vrf red", "vrf", None),
        (PEER + "mcast_dst_ip 224.0.0.99", "mcast_group", None),
        ("vmac_xmit_base", "vmac_xmit_base", False),
        ("use_vmac\npromote_secondaries", "promote_secondaries", False),
        ("use_vmac\n" + PEER, "vmac_xmit_base", True),
    ],
)
def test_what_needs_something_else_is_corrected(line: str, field: str, value: object) -> None:
    body = f"{line}\n{V4}"
    assert getattr(instance(body), field) == value
    assert len(told(body)) == 1


def test_a_source_to_track_must_be_named() -> None:
    assert not instance("track_src_ip\n" + V4).track_source
    assert told("track_src_ip\n" + V4) == []
    assert told("track_src_ip\n" + V4, Severity.NOTE) == ["FV232"]


# --- names and interfaces


@pytest.mark.parametrize("head", ["vrrp_instance", "vrrp_instance VI 1"])
def test_an_instance_needs_exactly_one_name(head: str) -> None:
    loaded = config.loads(f"{head} {{\ninterface eth0\nvirtual_router_id 51\n}}")
    assert loaded.instances == ()
    assert [one.code for one in loaded.diagnostics] == ["FV103"]


def test_a_second_instance_of_a_name_is_skipped() -> None:
    head = "vrrp_instance A {\ninterface eth0\n"
    texts = [f"{head}virtual_router_id {vrid}\n{V4}}}\n" for vrid in (1, 2)]
    loaded = config.loads("".join(texts))
    assert [vr.vrid for vr in loaded.instances] == [1]
    assert [one.code for one in loaded.diagnostics] == ["FV202"]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (V4, ["FV201", "FV201"]),
        ("interface eth0\n" + V4, ["FV201"]),
        ("interface eth0\nvirtual_router_id 0\n" + V4, ["FV104"]),
        ("interface eth0\nvirtual_router_id 256\n" + V4, ["FV104"]),
        ("virtual_router_id 1\n" + V4, ["FV201"]),
        ("virtual_router_id 1\n" + PEER + V4, ["FV201"]),
        ("virtual_router_id 1\ninterface lo\n" + V4, ["FV230"]),
        ("virtual_router_id 1\ninterface a-very-long-interface-name\n" + V4, ["FV104"]),
        (
            "virtual_router_id 1\nunicast_src_ip fe80::2\nunicast_peer {\nfe80::3\n}\n" + V6,
            ["FV201"],
        ),
    ],
)
def test_what_keepalived_does_not_run_without_is_an_error(body: str, codes: list[str]) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.loads(f"vrrp_instance A {{\n{body}\n}}")
    errors = [one.code for one in caught.value.diagnostics if one.severity is Severity.ERROR]
    assert errors == codes


def test_unicast_can_do_without_interface() -> None:
    body = f"virtual_router_id 1\nunicast_src_ip 192.0.2.11\nvrf red\n{PEER}{V4}"
    loaded = config.loads(f"vrrp_instance A {{\n{body}\n}}")
    assert (loaded.instances[0].interface, loaded.instances[0].vrf) == ("", "red")
    assert loaded.unsupported == ()


@pytest.mark.parametrize("name", ["eth0;", "eth0,"])
def test_punctuation_behind_an_interface_is_pointed_out(name: str) -> None:
    loaded = config.loads(f"vrrp_instance A {{\ninterface {name}\nvirtual_router_id 1\n{V4}}}")
    (found,) = loaded.diagnostics
    assert (found.code, found.severity) == ("FV330", Severity.NOTE)
    assert loaded.instances[0].interface == name


# --- families


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (V4 + "mcast_src_ip 2001:db8::9", ["FV209"]),
        (V4 + "unicast_peer {\n2001:db8::9\n192.0.2.9\n}", ["FV209"]),
        (V4 + "mcast_dst_ip ff02::9", ["FV209"]),
        (V4 + "native_ipv6", ["FV209"]),
        (V4 + "use_ipvlan 192.0.2.9", []),
        (V6 + "use_ipvlan 192.0.2.9", ["FV209"]),
        (V4 + "virtual_ipaddress_excluded {\n2001:db8::9\n}", []),
        ("virtual_ipaddress {\n192.0.2.1\n2001:db8::9\n}", ["FV209"]),
    ],
)
def test_the_first_address_tells_the_family_of_the_others(body: str, codes: list[str]) -> None:
    vr = instance(body)
    assert told(body) == codes
    versions = {one.address.version for one in vr.addresses} | {vr.family}
    versions |= {one.version for one in (vr.source, vr.mcast_group) if one is not None}
    versions |= {one.address.version for one in vr.peers}
    assert len(versions) == 1
    assert not vr.native_ipv6


@pytest.mark.parametrize("first", ["mcast_src_ip fe80::9", "native_ipv6", "mcast_dst_ip ff02::9"])
def test_addresses_of_the_other_family_are_not_held(first: str) -> None:
    """What is left is VRRPv3 without an address, which keepalived does not run."""
    assert told(f"{first}\n{V4}") == ["FV209"]
    assert told(f"{first}\n{V4}", Severity.ERROR) == ["FV211"]


def test_native_ipv6_takes_the_place_of_version_2() -> None:
    body = "version 2\nnative_ipv6\n" + V6
    assert instance(body).version is Version.V3
    assert (told(body), told(body, Severity.NOTE)) == ([], ["FV220"])


# --- addresses


@pytest.mark.parametrize(
    ("body", "warnings", "errors"),
    [
        ("", ["FV211"], []),
        ("no_virtual_ipaddress", [], []),
        ("version 3", [], ["FV211"]),
        ("strict_mode", [], ["FV211"]),
        ("strict_mode\nno_virtual_ipaddress", [], ["FV211"]),
        ("virtual_ipaddress {\n192.0.2.300\n}", ["FV103"], []),
        ("version 3\nvirtual_ipaddress {\n192.0.2.300\n}", ["FV103"], ["FV211"]),
    ],
)
def test_an_instance_without_addresses(body: str, warnings: list[str], errors: list[str]) -> None:
    assert told(body) == warnings
    assert told(body, Severity.ERROR) == errors


@pytest.mark.parametrize(
    ("group", "codes"), [("ff02::9", []), ("ff12::9", []), ("ff05::9", ["FV104"])]
)
def test_ipv6_groups_are_those_of_the_link(group: str, codes: list[str]) -> None:
    body = f"mcast_dst_ip {group}\n{V6}"
    assert instance(body).mcast_group == (None if codes else ip_address(group))
    assert told(body) == codes


def test_the_first_ipv6_address_should_be_link_local() -> None:
    body = "virtual_ipaddress {\n2001:db8::1/64\n}\n"
    assert told(body, Severity.NOTE) == ["FV234"]
    assert told("strict_mode\n" + body) == ["FV234"]


# --- unicast


@pytest.mark.parametrize(
    ("line", "low", "high", "warnings"),
    [
        ("192.0.2.12", 0, 255, []),
        ("192.0.2.12/24", 0, 255, []),
        ("192.0.2.12 min_ttl 0 max_ttl 255", 0, 255, []),
        ("192.0.2.12 min_ttl 5", 5, 255, []),
        ("192.0.2.12 max_ttl 64 min_ttl 60", 60, 64, []),
        ("192.0.2.12 min_ttl 9 max_ttl 5", 9, 5, ["FV104"]),
        ("192.0.2.12 min_ttl 256", 0, 255, ["FV104"]),
        ("192.0.2.12 min_ttl", 0, 255, ["FV103"]),
        ("192.0.2.12 min_ttl x max_ttl 5", 0, 255, ["FV103"]),
        ("192.0.2.12 192.0.2.13", 0, 255, ["FV103"]),
    ],
)
def test_lines_of_unicast_peer(line: str, low: int, high: int, warnings: list[str]) -> None:
    loaded = load(f"unicast_peer {{\n{line}\n}}\n{V4}")
    (peer,) = loaded.instances[0].peers
    assert (str(peer.address), peer.min_ttl, peer.max_ttl) == ("192.0.2.12", low, high)
    assert told(f"unicast_peer {{\n{line}\n}}\n{V4}") == warnings
    assert loaded.unsupported == ()
    assert loaded.instances[0].check_unicast_src is ("ttl" in line)
    again = load(f"unicast_peer {{\n{PeerLine().write(peer)}\n}}\n{V4}").instances[0]
    assert again.peers == (peer,)


def test_a_peer_is_one_only_once() -> None:
    body = "unicast_peer {\n192.0.2.12\n192.0.2.12\n192.0.2.13\n}\n" + V4
    assert [str(peer.address) for peer in instance(body).peers] == ["192.0.2.12", "192.0.2.13"]
    assert told(body) == ["FV210"]


def test_the_router_itself_among_the_peers_is_pointed_out() -> None:
    body = "unicast_src_ip 192.0.2.12\n" + PEER + V4
    assert len(instance(body).peers) == 1
    assert told(body, Severity.NOTE) == ["FV331"]


@pytest.mark.parametrize(
    "line",
    [
        "unicast_src_ip 192.0.2.11",
        "unicast_peer {\n}",
        "unicast_peer {\n2001:db8::1%eth0\n}",
        "check_unicast_src",
        "old_unicast_checksum",
        "unicast_src_ip 192.0.2.11\ncheck_unicast_src",
    ],
)
def test_unicast_keywords_without_a_peer_mean_multicast(line: str) -> None:
    codes = told(f"{line}\n{V4}")
    assert codes.count("FV215") == 1
    assert instance(f"{line}\n{V4}").peers == ()
    fault = f"{line}\nunicast_fault_no_peer\n{V4}"
    assert "FV215" not in told(fault)
    assert told(fault, Severity.NOTE).count("FV215") == 1


def test_a_multicast_source_announces_no_unicast() -> None:
    assert told("mcast_src_ip 192.0.2.11\n" + V4) == []


# --- which instances are the same virtual router


def two(first: str, second: str) -> list[str]:
    text = "".join(
        f"vrrp_instance VI_{n} {{\ninterface eth0\nvirtual_router_id 51\n{body}"
        f"virtual_ipaddress {{\n198.51.100.{n}\n}}\n}}\n"
        for n, body in enumerate((first, second), 1)
    )
    try:
        config.loads(text)
    except config.ConfigError as error:
        return [one.code for one in error.diagnostics if one.severity is Severity.ERROR]
    return []


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("", "", True),
        ("", PEER, False),
        (PEER, PEER, True),
        (PEER, PEER.replace(".12", ".13"), False),
        ("unicast_src_ip 192.0.2.1\n" + PEER, PEER, True),
        ("unicast_src_ip 192.0.2.1\n" + PEER, "unicast_src_ip 192.0.2.2\n" + PEER, False),
        ("unicast_src_ip 192.0.2.1\n" + PEER, "unicast_src_ip 192.0.2.1\n" + PEER, True),
        ("mcast_src_ip 192.0.2.1\n", "mcast_src_ip 192.0.2.2\n", True),
        ("mcast_dst_ip 224.0.0.99\n", "", False),
        ("mcast_dst_ip 224.0.0.99\n", "mcast_dst_ip 224.0.0.99\n", True),
    ],
)
def test_one_vrid_is_for_one_instance_of_a_way(first: str, second: str, clash: bool) -> None:
    assert two(first, second) == (["FV203"] if clash else [])


# --- authentication


AUTH = "authentication {{\nauth_type {}\nauth_pass {}\n}}\n"


@pytest.mark.parametrize(
    ("body", "warnings", "notes"),
    [
        ("authentication {\n}\n", [], ["FV201"]),
        ("authentication {\nauth_pass x\n}\n", [], ["FV201"]),
        ("authentication {\nauth_type PASS\n}\n", ["FV201"], []),
        (AUTH.format("pass", "x"), ["FV103"], ["FV201"]),
        (AUTH.format("PASS", '""'), ["FV103"], ["FV201"]),
        ("version 3\n" + AUTH.format("PASS", "x"), ["FV205"], []),
        ("strict_mode\n" + AUTH.format("AH", "x"), ["FV205"], []),
    ],
)
def test_where_keepalived_does_not_authenticate_it_is_said(
    body: str, warnings: list[str], notes: list[str]
) -> None:
    found = load(body + V4)
    assert found.instances[0].auth is None
    assert (told(body + V4), told(body + V4, Severity.NOTE)) == (warnings, notes)
    assert any("not authenticated" in one.message for one in found.diagnostics)


def test_a_password_of_two_words_is_only_the_first() -> None:
    body = AUTH.format("PASS", "my pass") + V4
    auth = instance(body).auth
    assert auth is not None
    assert auth.password.reveal() == b"my"
    assert told(body, Severity.NOTE) == ["FV105"]


def test_with_ah_a_router_starts_as_backup() -> None:
    body = "state MASTER\npriority 9\n" + AUTH.format("AH", "x") + V4
    assert not instance(body).initial_active
    assert told(body) == ["FV206"]
    assert instance("state MASTER\npriority 255\n" + AUTH.format("AH", "x") + V4).initial_active


def hmac(*lines: str) -> str:
    return "\n".join(["auth_hmac {", *lines, "}", V4])


def test_auth_hmac() -> None:
    body = hmac(
        f"key 1 {KEY}",
        f'key 2 "hex:{"0a " * 32}"',
        "key 3 file:/etc/keepalived/key",
        "active_key 2",
        "anti_replay monotonic",
        "time_window 300",
        "mode receive-only",
    )
    found = instance(body).hmac
    assert found is not None
    keys = [(key.id, key.secret.reveal() if key.secret else None, key.file) for key in found.keys]
    assert keys == [
        (1, KEY.encode(), None),
        (2, b"\n" * 32, None),
        (3, None, "/etc/keepalived/key"),
    ]
    assert (found.active_key, found.time_window) == (2, seconds(300))
    assert (found.anti_replay, found.mode) == (AntiReplay.MONOTONIC, HmacMode.RECEIVE_ONLY)
    assert load(body).unsupported == ()
    assert KEY not in repr(load(body))
    again = hmac(*(f"key {HmacKeyLine().write(key)}" for key in found.keys), "active_key 2")
    read = instance(again).hmac
    assert read is not None
    assert read.keys == found.keys


@pytest.mark.parametrize(
    ("interval", "window"), [("", 5), ("advert_int 2", 6), ("advert_int 255", 300)]
)
def test_the_time_window_follows_from_the_interval(interval: str, window: int) -> None:
    found = instance(f"{interval}\n" + hmac(f"key 1 {KEY}", "active_key 1")).hmac
    assert found is not None
    assert found.time_window == seconds(window)
    assert (found.anti_replay, found.mode) == (AntiReplay.TIME, HmacMode.ENFORCE)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("2 short", "FV104"),
        (f"2 {KEY * 3}", "FV104"),
        (f"0 {KEY}", "FV104"),
        (f"256 {KEY}", "FV104"),
        ("2 hex:0", "FV103"),
        ("2 hex:zz", "FV103"),
        (f"2 {'é' * 32}", "FV103"),
        ("2 file:", "FV103"),
        (f"1 {KEY}", "FV235"),
    ],
)
def test_keys_that_cannot_be_used_are_left_out(key: str, code: str) -> None:
    body = hmac(f"key 1 {KEY}", f"key {key}", "active_key 1")
    found = instance(body).hmac
    assert found is not None
    assert [one.id for one in found.keys] == [1]
    assert told(body) == [code]


def test_more_keys_than_a_router_can_tell_apart_are_refused() -> None:
    keys = [f"key {number} {KEY}" for number in range(1, 10)]
    assert load(hmac(*keys[:8], "active_key 8")).unsupported == ()
    assert [one.code for one in load(hmac(*keys, "active_key 8")).unsupported] == ["FV111"]


@pytest.mark.parametrize(
    "lines",
    [
        (f"key 1 {KEY}", "active_key 2"),
        (f"key 1 {KEY}",),
        ("key 1 short", "active_key 1"),
        (f"key 1 {KEY}", "active_key x"),
        (),
    ],
)
def test_an_instance_is_never_run_unauthenticated_for_lack_of_a_key(lines: tuple[str, ...]) -> None:
    assert told(hmac(*lines), Severity.ERROR) == ["FV236"]
    with pytest.raises(config.ConfigError, match="without any authentication"):
        load(hmac(*lines))


SECRET = "Xyzzy42q"


@pytest.mark.parametrize(
    "line",
    [
        f"key 1 {SECRET}",
        f"key {SECRET} 1",
        f"key 1 hex:{SECRET}",
        f"key 1 é{SECRET}",
        f"active_key {SECRET}",
        f"time_window {SECRET}",
        f"anti_replay {SECRET}",
        f"mode {SECRET}",
        f"kye 1 {SECRET}",
        SECRET,
    ],
)
def test_a_key_in_the_wrong_place_is_not_shown(line: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        load(hmac(line))
    assert SECRET not in "\n".join(map(str, caught.value.diagnostics))


def test_auth_hmac_takes_the_place_of_authentication() -> None:
    body = AUTH.format("PASS", "x") + hmac(f"key 1 {KEY}", "active_key 1")
    vr = instance(body)
    assert vr.auth is None
    assert vr.hmac is not None
    assert told(body) == ["FV205"]


# --- strict mode


@pytest.mark.parametrize(
    ("line", "field", "value", "code"),
    [
        ("state MASTER\npriority 9", "initial_active", False, "FV231"),
        ("state BACKUP\npriority 255", "initial_active", True, "FV231"),
        ("preempt_delay 5", "preempt_delay", 0, "FV207"),
        ("down_timer_adverts 5", "down_timer_adverts", 3, "FV231"),
        ("accept", "accept", False, "FV231"),
        ("lower_prio_no_advert off", "lower_prio_no_advert", True, "FV231"),
        ("higher_prio_send_advert", "higher_prio_send_advert", False, "FV231"),
        ("use_vmac 02:00:00:00:00", "vmac", Vmac(), "FV231"),
        ("use_vmac\nvmac_xmit_base", "vmac_xmit_base", False, "FV231"),
        ("garp_lower_prio_delay 5", "garp", None, "FV231"),
        ("garp_lower_prio_repeat 5", "garp", None, "FV231"),
        ("priority 255\nowner_ignore_adverts off", "owner_ignore_adverts", True, "FV231"),
    ],
)
def test_strict_mode_corrects(line: str, field: str, value: object, code: str) -> None:
    body = f"strict_mode\n{line}\n{V4}"
    expected = GarpConfig(lower_prio_delay=seconds(0), lower_prio_repeat=0)
    assert getattr(instance(body), field) == (expected if field == "garp" else value)
    assert told(body) == [code]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("", "accept", False),
        ("no_accept", "accept", False),
        ("priority 255", "accept", True),
        ("priority 255\naccept", "accept", True),
        ("version 3", "accept", False),
        ("version 3\naccept", "accept", True),
        ("", "lower_prio_no_advert", True),
        ("", "higher_prio_send_advert", False),
        ("", "owner_ignore_adverts", False),
        ("priority 255", "owner_ignore_adverts", True),
        ("state MASTER", "initial_active", True),
        ("nopreempt", "preempt", False),
        ("down_timer_adverts 3", "down_timer_adverts", 3),
        ("", "garp", GarpConfig(lower_prio_delay=seconds(0), lower_prio_repeat=0)),
        (
            "garp_lower_prio_repeat 0",
            "garp",
            GarpConfig(lower_prio_delay=seconds(0), lower_prio_repeat=0),
        ),
    ],
)
def test_strict_mode_changes_defaults_without_a_word(line: str, field: str, value: object) -> None:
    body = f"strict_mode\n{line}\n{V4}"
    assert getattr(instance(body), field) == value
    assert told(body) == []


def test_strict_mode_has_no_version_2_over_ipv6() -> None:
    body = "strict_mode\nversion 2\n" + V6
    assert instance(body).version is Version.V3
    assert told(body) == ["FV220"]


def test_strict_mode_has_no_unicast() -> None:
    assert told("strict_mode\n" + PEER + V4, Severity.ERROR) == ["FV231"]


def test_strict_mode_drops_adverts_without_a_valid_trailer() -> None:
    body = "strict_mode\n" + hmac(f"key 1 {KEY}", "active_key 1", "mode permissive")
    found = instance(body).hmac
    assert found is not None
    assert found.mode is HmacMode.ENFORCE
    assert told(body) == ["FV231"]


# --- interfaces of its own


MAC = bytes.fromhex("020000000001")


@pytest.mark.parametrize(
    ("words", "value", "codes"),
    [
        ("", Vmac(), []),
        ("vrrp.51", Vmac(interface="vrrp.51"), []),
        ("name group", Vmac(interface="group"), []),
        ("02:00:00:00:00:01 v", Vmac(interface="v", mac=MAC), []),
        ("2:0:0:0:0:1", Vmac(mac=MAC), []),
        ("v 02:00:00:00:00", Vmac(interface="v", mac=MAC[:5]), []),
        ("v group 7 netlink_notify_msg", Vmac(interface="v", group="7", netlink_notify=True), []),
        ("v w", Vmac(interface="v"), ["FV106"]),
        ("a-very-long-interface-name", Vmac(), ["FV104"]),
        ("v 03:00:00:00:00:01", Vmac(interface="v"), ["FV104"]),
        ("v 00:00:5e:00:01:07", Vmac(interface="v"), ["FV104"]),
        ("v 02:00:00", Vmac(interface="v"), ["FV103"]),
        ("v 02:00:00:00:00:01 02:00:00:00:00:02", Vmac(interface="v", mac=MAC), ["FV106"]),
        ("group", Vmac(), ["FV103"]),
    ],
)
def test_words_of_use_vmac(words: str, value: Vmac, codes: list[str]) -> None:
    body = f"use_vmac {words}\n{V4}"
    assert instance(body).vmac == value
    assert told(body) == codes
    assert instance(f"use_vmac {VmacWords().write(value)}\n{V4}").vmac == value


@pytest.mark.parametrize(
    ("words", "value", "codes"),
    [
        ("192.0.2.7", Ipvlan(address=ip_interface("192.0.2.7")), []),
        (
            "i 192.0.2.7/24 bridge group g",
            Ipvlan(
                interface="i",
                address=ip_interface("192.0.2.7/24"),
                mode=IpvlanMode.BRIDGE,
                group="g",
            ),
            [],
        ),
        ("i", Ipvlan(interface="i"), ["FV233"]),
        (
            "192.0.2.7 vepa private",
            Ipvlan(address=ip_interface("192.0.2.7"), mode=IpvlanMode.VEPA),
            ["FV106"],
        ),
        ("192.0.2.7 192.0.2.8", Ipvlan(address=ip_interface("192.0.2.7")), ["FV106"]),
    ],
)
def test_words_of_use_ipvlan(words: str, value: Ipvlan, codes: list[str]) -> None:
    body = f"{V4}use_ipvlan {words}"
    assert instance(body).ipvlan == value
    assert told(body) == codes
    assert instance(f"{V4}use_ipvlan {IpvlanWords().write(value)}").ipvlan == value


def test_ipvlan_with_ipv6_needs_no_address() -> None:
    assert told("use_ipvlan\n" + V6) == []


def test_the_two_kinds_of_own_interfaces_exclude_each_other() -> None:
    assert told("use_vmac\nuse_ipvlan 192.0.2.7\n" + V4, Severity.NOTE) == ["FV233"]


# --- programs


def test_programs_of_changes_are_the_first_of_a_kind() -> None:
    notify = instance(
        "notify_deleted /d\nnotify_deleted\nnotify_master_rx_lower_pri '/l x'\n" + V4
    ).notify
    assert notify.tells_deleted
    assert notify.deleted is not None
    assert notify.deleted.argv == ("/d",)
    assert notify.lower_priority is not None
    assert notify.lower_priority.argv == ("/l", "x")


def test_deleted_can_be_told_without_a_program() -> None:
    notify = instance("notify_deleted\n" + V4).notify
    assert (notify.tells_deleted, notify.deleted) == (True, None)


# --- what the engine does with them


def test_what_would_change_who_is_active_is_not_run() -> None:
    bfd = "bfd_instance B {\nneighbor_ip 192.0.2.9\n}\n"
    body = f"interface eth0\nvirtual_router_id 1\ntrack_bfd {{\nB\n}}\n{V4}"
    loaded = config.loads(f"{bfd}vrrp_instance V {{\n{body}}}\n")
    assert [one.code for one in loaded.unsupported] == ["FV111"]


@pytest.mark.parametrize(
    "line",
    [
        "strict_mode off",
        "strict_mode",
        "no_accept",
        "notify_deleted",
        "use_vmac",
        "use_vmac_addr",
        "use_ipvlan 192.0.2.7",
        "promote_secondaries",
        "garp_extra_if 5",
        "down_timer_adverts 3",
        "lower_prio_no_advert off",
        "higher_prio_send_advert no",
        "v3_checksum_as_v2 false",
        "accept",
        PEER + "unicast_ttl 255",
        PEER + "check_unicast_src",
        "debug 0",
    ],
)
def test_what_is_the_case_anyway_is_accepted_without_a_word(line: str) -> None:
    assert load(f"{line}\n{V4}").diagnostics == ()


@pytest.mark.parametrize(
    "line",
    [
        "notify_master_rx_lower_pri /l",
        "notify_priority_changes",
        "smtp_alert",
        "debug 1",
        "kernel_rx_buf_size 4096",
    ],
)
def test_what_makes_no_difference_to_the_addresses_is_noted(line: str) -> None:
    loaded = load(f"{line}\n{V4}")
    assert [one.code for one in loaded.diagnostics] == ["FV110"]
    assert loaded.unsupported == ()


def test_unicast_instances_may_be_told_apart_by_their_peers() -> None:
    text = """vrrp_instance {name} {{
    interface eth0
    virtual_router_id 5
    unicast_src_ip 192.0.2.254
    unicast_peer {{
        {peer}
    }}
    virtual_ipaddress {{
        {vip}
    }}
}}
"""
    first = text.format(name="A", peer="192.0.2.250", vip="192.0.2.1/24")
    second = text.format(name="B", peer="192.0.2.251", vip="192.0.2.2/24")
    assert config.loads(first + second).diagnostics == ()


def test_an_untracked_address_is_supported() -> None:
    loaded = load("virtual_ipaddress {\n192.0.2.1/24 no_track\n}")
    assert loaded.diagnostics == ()
    assert not loaded.instances[0].addresses[0].track


@pytest.mark.parametrize(
    "line",
    [
        "strict_mode\npriority 255",
        "down_timer_adverts 2",
        "nopreempt\ntimer_expired_backup",
        "priority 255\nowner_ignore_adverts",
        "lower_prio_no_advert",
        "higher_prio_send_advert",
        "skip_check_adv_addr",
        "mcast_dst_ip 224.0.0.99",
        PEER + "unicast_ttl 64",
        PEER + "old_unicast_checksum",
        "version 3\nv3_checksum_as_v2",
    ],
)
def test_what_the_engine_does_is_accepted_without_a_word(line: str) -> None:
    assert load(f"{line}\n{V4}").diagnostics == ()


def test_any_source_of_unicast_is_told() -> None:
    relaxed = load(f"{PEER}unicast_any_src\n{V4}")
    assert relaxed.instances[0].unicast_any_src
    assert [d.code for d in relaxed.diagnostics] == ["FV238"]
    checked = load(f"{PEER}unicast_any_src\ncheck_unicast_src\n{V4}")
    assert not checked.instances[0].unicast_any_src


def test_only_some_routers_may_be_heard_by_multicast() -> None:
    body = "allowed_peers {\n192.0.2.12\n192.0.2.13\n192.0.2.12\n}\n" + V4
    assert [str(one) for one in instance(body).allowed_peers] == ["192.0.2.12", "192.0.2.13"]
    assert told(PEER + body) == ["FV232"]
    assert instance(PEER + body).allowed_peers == ()
