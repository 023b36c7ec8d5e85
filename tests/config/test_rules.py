"""What keywords mean together: defaults, order, conflicts."""

import pytest

from fastvrrp import config
from fastvrrp.clock import Nanoseconds, centiseconds, seconds
from fastvrrp.config.model import Config, GarpConfig, InstanceConfig, Version


def load(body: str, *, before: str = "", after: str = "") -> Config:
    head = "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51"
    return config.loads(f"{before}\n{head}\n{body}\n}}\n{after}")


def instance(body: str, *, before: str = "", after: str = "") -> InstanceConfig:
    return load(body, before=before, after=after).instances[0]


V4 = "virtual_ipaddress {\n192.0.2.1/24\n}\n"
V6 = "virtual_ipaddress {\nfe80::1/64\n2001:db8::1/64\n}\n"
SCRIPT = 'vrrp_script chk {\nscript "/usr/bin/true"\n%s\n}\n'


def refused(body: str, code: str, **around: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        load(body, **around)
    errors = {f.code for f in caught.value.diagnostics if f.severity is config.Severity.ERROR}
    assert errors == {code}


def warned(body: str, *codes: str, **around: str) -> InstanceConfig:
    loaded = load(body, **around)
    assert [found.code for found in loaded.diagnostics] == list(codes)
    return loaded.instances[0]


def test_defaults() -> None:
    vr = warned(V4)
    assert vr == InstanceConfig(
        name="VI_1", interface="eth0", vrid=51, addresses=vr.addresses, garp=GarpConfig()
    )


@pytest.mark.parametrize(
    ("body", "priority", "active"),
    [
        ("", 100, False),
        ("state BACKUP", 100, False),
        ("state MASTER", 255, True),
        ("state MASTER\npriority 150", 150, True),
        ("priority 255", 255, True),
        ("state BACKUP\npriority 255", 255, False),
        ("state master", 100, False),
        ("priority 300", 100, False),
        ("state MASTER\npriority 300", 100, True),
    ],
)
def test_state_and_priority_complete_each_other(body: str, priority: int, active: bool) -> None:
    vr = instance(body + "\n" + V4)
    assert (vr.priority, vr.initial_active) == (priority, active)


def test_master_in_any_state_line_wins() -> None:
    """keepalived ignores BACKUP after MASTER."""
    assert warned("state MASTER\nstate BACKUP\npriority 9\n" + V4, "FV106").initial_active
    assert warned("state BACKUP\nstate MASTER\npriority 9\n" + V4, "FV106").initial_active


@pytest.mark.parametrize(
    ("body", "preempt", "delay", "codes"),
    [
        ("nopreempt", False, 0, ()),
        ("preempt", True, 0, ()),
        ("nopreempt\npreempt", True, 0, ("FV106",)),
        ("preempt\nnopreempt", False, 0, ("FV106",)),
        ("preempt_delay 1.5", True, 1.5, ()),
        ("nopreempt\nstate MASTER\npriority 9", True, 0, ("FV207",)),
        ("nopreempt\npriority 255", True, 0, ("FV207",)),
        ("nopreempt\nstate BACKUP\npriority 255", True, 0, ("FV207",)),
        ("preempt_delay 5\nstate MASTER\npriority 9", True, 0, ("FV207",)),
        ("preempt_delay 5\npriority 255", True, 0, ("FV207",)),
        ("preempt_delay 5\nnopreempt", False, 0, ("FV207",)),
        ("preempt_delay 0\nnopreempt", False, 0, ()),
    ],
)
def test_preemption(body: str, preempt: bool, delay: float, codes: tuple[str, ...]) -> None:
    vr = warned(body + "\n" + V4, *codes)
    assert (vr.preempt, vr.preempt_delay) == (preempt, seconds(delay))


@pytest.mark.parametrize(
    ("body", "interval", "codes"),
    [
        ("advert_int 3", seconds(3), ()),
        ("advert_int 1.5", seconds(2), ("FV216",)),
        ("advert_int 0.01", seconds(1), ("FV216",)),
        ("advert_int 0", seconds(1), ("FV104",)),
        ("advert_int 256", seconds(1), ("FV104",)),
        ("version 3\nadvert_int 0.01", centiseconds(1), ()),
        ("version 3\nadvert_int 0.014", centiseconds(1), ("FV216",)),
        ("version 3\nadvert_int 40.95", centiseconds(4095), ()),
        ("version 3\nadvert_int 41", centiseconds(4095), ("FV216",)),
    ],
)
def test_intervals_are_what_the_version_can_say(
    body: str, interval: Nanoseconds, codes: tuple[str, ...]
) -> None:
    assert warned(body + "\n" + V4, *codes).advert_interval == interval


def test_the_global_version_applies_wherever_it_stands() -> None:
    late = "global_defs {\nvrrp_version 3\n}"
    assert instance(V4, after=late).version is Version.V3
    assert instance("version 2\n" + V4, after=late).version is Version.V2


def test_ipv6_is_version_3_unless_version_2_comes_first() -> None:
    assert warned(V6, before="global_defs {\nvrrp_version 2\n}").version is Version.V3
    assert warned(V6 + "version 2\n", "FV220").version is Version.V3
    assert instance(V6).family == 6


def test_version_2_over_ipv6_is_not_run_as_version_3() -> None:
    """keepalived sends it, so routers of both kinds would not hear each other."""
    assert warned("version 2\n" + V6).version is Version.V2


def test_garp_defaults_come_from_what_stands_before() -> None:
    early = "global_defs {\nvrrp_garp_master_delay 1\nvrrp_garp_master_repeat 2\n}"
    garp = instance(V4, before=early).garp
    assert garp == GarpConfig(
        delay=seconds(1), repeat=2, lower_prio_delay=seconds(1), lower_prio_repeat=2
    )
    assert warned(V4, "FV214", "FV214", after=early).garp == GarpConfig()


def test_lower_priority_garp_defaults_apply_wherever_they_stand() -> None:
    late = "global_defs {\nvrrp_garp_lower_prio_delay 7\nvrrp_garp_lower_prio_repeat 0\n}"
    assert warned(V4, after=late).garp == GarpConfig(
        lower_prio_delay=seconds(7), lower_prio_repeat=0
    )


def test_garp_of_the_instance_wins() -> None:
    early = "global_defs {\nvrrp_garp_master_delay 1\nvrrp_garp_lower_prio_delay 9\n}"
    body = "garp_master_delay 2\ngarp_master_refresh 60\ngarp_master_refresh_repeat 3\n" + V4
    assert instance(body, before=early).garp == GarpConfig(
        delay=seconds(2),
        refresh=seconds(60),
        refresh_repeat=3,
        lower_prio_delay=seconds(9),
    )


def test_a_password_is_cut_to_8_bytes_not_characters() -> None:
    auth = "authentication {\nauth_type PASS\nauth_pass %s\n}\n"
    vr = warned(auth % "péssword" + V4, "FV204")
    assert vr.auth is not None
    assert vr.auth.password.reveal() == "péssword".encode()[:8]
    vr = warned(auth % '"a b"' + V4)
    assert vr.auth is not None
    assert vr.auth.password.reveal() == b"a b"


def test_the_cut_part_is_marked() -> None:
    auth = 'authentication {\nauth_type PASS\nauth_pass "0123456789"\n}\n'
    (found,) = load(auth + V4).diagnostics
    assert (found.span.line, found.span.column, found.span.length) == (7, 20, 2)


def test_version_3_has_no_authentication() -> None:
    auth = "authentication {\nauth_type AH\nauth_pass x\n}\n"
    assert warned(auth + V6, "FV205").auth is None


@pytest.mark.parametrize(
    ("line", "interface", "label", "scope", "broadcast"),
    [
        ("192.0.2.9/24", None, None, 0, None),
        ("192.0.2.9/24 dev eth1 label eth1:9", "eth1", "eth1:9", 0, None),
        ("192.0.2.9/24 brd + scope link", None, None, 253, "192.0.2.255"),
        ("192.0.2.9/24 scope 7 broadcast -", None, None, 7, "192.0.2.0"),
        ("192.0.2.9/24 brd 192.0.2.99", None, None, 0, "192.0.2.99"),
    ],
)
def test_address_lines(
    line: str, interface: str | None, label: str | None, scope: int, broadcast: str | None
) -> None:
    (one,) = warned(f"virtual_ipaddress {{\n{line}\n}}").addresses
    assert (one.interface, one.label, one.scope) == (interface, label, scope)
    assert str(one.address) == "192.0.2.9/24"
    assert (str(one.broadcast) if one.broadcast else None) == broadcast


def test_an_address_without_prefix_is_a_host() -> None:
    body = "virtual_ipaddress {\n192.0.2.1\n}\nvirtual_ipaddress_excluded {\n2001:db8::9\n}"
    vr = warned(body)
    assert str(vr.addresses[0].address) == "192.0.2.1/32"
    assert str(vr.excluded[0].address) == "2001:db8::9/128"


def test_addresses_beyond_255_are_not_advertised() -> None:
    lines = "\n".join(f"10.0.{i // 200}.{i % 200 + 1}" for i in range(257))
    vr = warned(
        f"virtual_ipaddress {{\n{lines}\n}}\nvirtual_ipaddress_excluded {{\n::1\n}}", "FV218"
    )
    assert (len(vr.addresses), len(vr.excluded)) == (255, 3)


def test_an_address_is_held_once() -> None:
    body = V4 + "virtual_ipaddress_excluded {\n192.0.2.1\n192.0.2.2\n}"
    vr = warned(body, "FV210")
    assert [str(one.address.ip) for one in vr.excluded] == ["192.0.2.2"]


def test_one_vrid_may_be_used_towards_different_peers() -> None:
    text = "".join(
        f"vrrp_instance VI_{n} {{\ninterface eth0\nvirtual_router_id 51\n"
        f"unicast_peer {{\n192.0.2.{n}\n}}\nvirtual_ipaddress {{\n198.51.100.{n}\n}}\n}}\n"
        for n in (1, 2)
    )
    assert len(config.loads(text).instances) == 2
    with pytest.raises(config.ConfigError, match="FV203"):
        config.loads(text.replace("192.0.2.2", "192.0.2.1"))


def test_families_and_interfaces_have_vrids_of_their_own() -> None:
    text = "".join(
        f"vrrp_instance VI_{n} {{\ninterface {interface}\nvirtual_router_id 51\n{addresses}}}\n"
        for n, (interface, addresses) in enumerate([("eth0", V4), ("eth0", V6), ("eth1", V4)])
    )
    assert len(config.loads(text).instances) == 3


def test_script_settings() -> None:
    body = "interval 0.5\ntimeout 3\nweight -20 reverse\nrise 2\nfall 3\nuser nobody nogroup"
    loaded = load(V4 + "track_script {\nchk\n}", before=SCRIPT % body)
    (script,) = loaded.scripts
    assert (script.interval, script.timeout) == (seconds(0.5), seconds(3))
    assert (script.weight, script.reverse, script.rise, script.fall) == (-20, True, 2, 3)
    assert (script.command.user, script.command.group) == ("nobody", "nogroup")


def test_script_uses() -> None:
    for line, weight, reverse in [
        ("chk", None, False),
        ("chk weight 5", 5, False),
        ("chk weight -5 reverse", -5, True),
        ("chk weight 5 noreverse", 5, False),
    ]:
        codes = () if weight else ("FV303",)
        vr = warned(V4 + f"track_script {{\n{line}\n}}", *codes, before=SCRIPT % "")
        (use,) = vr.scripts
        assert (use.weight, use.reverse) == (weight, reverse)


def test_a_script_may_be_defined_after_its_use() -> None:
    assert instance(V4 + "track_script {\nchk\n}", after=SCRIPT % "").scripts


def test_a_script_is_used_once() -> None:
    vr = warned(V4 + "track_script {\nchk\nchk weight 3\n}", "FV303", "FV106", before=SCRIPT % "")
    assert [use.weight for use in vr.scripts] == [None]


def test_an_owner_keeps_scripts_without_weight() -> None:
    body = "priority 255\n" + V4 + "track_script {\nchk\n}"
    assert instance(body, before=SCRIPT % "").scripts
    assert not warned(body, "FV217", before=SCRIPT % "weight 5").scripts


def test_notify_keeps_the_first() -> None:
    body = V4 + 'notify "/a x"\nnotify /b\nnotify_master /m\nnotify_backup /k\nnotify_stop /s'
    notify = warned(body, "FV106").notify
    assert notify.always is not None
    assert notify.always.argv == ("/a", "x")
    assert notify.master
    assert notify.backup
    assert notify.stop
    assert notify.fault is None
