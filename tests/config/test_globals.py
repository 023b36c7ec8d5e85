"""Each keyword of `global_defs` and of the process: value, range, default, what a bad one does."""

from ipaddress import ip_address
from operator import attrgetter

import pytest

from fastvrrp import config
from fastvrrp.clock import milliseconds, seconds
from fastvrrp.config import Severity
from fastvrrp.config.model import (
    BufferPolicy,
    Command,
    Config,
    ExtraGarp,
    FifoConfig,
    FlushMode,
    GarpConfig,
    GlobalConfig,
    SyncDaemon,
    Version,
)
from fastvrrp.config.row import FULL, IGNORED, NOT_RUN, REFUSED, Keyword, Support
from fastvrrp.config.schema.globals import GLOBAL_DEFS

VIP = "virtual_ipaddress {\n192.0.2.1/24\n}\n"
INSTANCE = "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n%s" + VIP + "}\n"


def load(lines: str) -> Config:
    return config.loads(f"global_defs {{\n{lines}\n}}\n")


def found(text: str, *severities: Severity) -> list[str]:
    """Return the codes of the findings of some severities, also of a text that is refused."""
    try:
        diagnostics = config.loads(text).diagnostics
    except config.ConfigError as error:
        diagnostics = error.diagnostics
    return [one.code for one in diagnostics if one.severity in severities]


def told(lines: str) -> list[str]:
    """Return the codes of what keepalived reports as well."""
    return found(f"global_defs {{\n{lines}\n}}\n", Severity.WARNING, Severity.ERROR)


def row_of(name: str) -> Keyword:
    row = next(row for row in GLOBAL_DEFS.rows if row.name == name)
    assert isinstance(row, Keyword)
    return row


VALUES: list[tuple[str, str, object]] = [
    ("router_id r1", "router_id", "r1"),
    ("notification_email_from k@example.org", "notification_email_from", "k@example.org"),
    ("smtp_server 192.0.2.25", "smtp_port", 25),
    ("smtp_server ::1 2525", "smtp_server", "::1"),
    ("smtp_server mail 2525", "smtp_port", 2525),
    ("smtp_connect_timeout 1", "smtp_connect_timeout", seconds(1)),
    ("smtp_connect_timeout 4294", "smtp_connect_timeout", seconds(4294)),
    ("smtp_helo_name r1", "smtp_helo_name", "r1"),
    ("smtp_alert", "smtp_alert", True),
    ("smtp_alert off", "smtp_alert", False),
    ("smtp_alert_vrrp yes", "smtp_alert_vrrp", True),
    ("smtp_alert_checker no", "smtp_alert_checker", False),
    ("no_email_faults", "no_email_faults", True),
    ("no_checker_emails", "no_checker_emails", True),
    ("script_user joe", "script_user", "joe"),
    ("script_user joe staff", "script_group", "staff"),
    ("enable_script_security", "enable_script_security", True),
    ("use_symlink_paths", "use_symlink_paths", True),
    ('startup_script "/x a" joe', "startup_script", Command(argv=("/x", "a"), user="joe")),
    ("startup_script_timeout 1", "startup_script_timeout", seconds(1)),
    ("startup_script_timeout 1000", "startup_script_timeout", seconds(1000)),
    ("shutdown_script /x", "shutdown_script", Command(argv=("/x",))),
    ("shutdown_script_timeout 20", "shutdown_script_timeout", seconds(20)),
    ("notify_fifo /f", "notify_fifo", FifoConfig(path="/f")),
    (
        "vrrp_notify_fifo /f joe staff",
        "vrrp_notify_fifo",
        FifoConfig(path="/f", user="joe", group="staff"),
    ),
    ("notify_fifo_script /x", "notify_fifo.script", Command(argv=("/x",))),
    ("vrrp_notify_fifo_script /x", "vrrp_notify_fifo.script", Command(argv=("/x",))),
    ("lvs_notify_fifo /f joe", "lvs_notify_fifo.user", "joe"),
    ("lvs_notify_fifo_script /x", "lvs_notify_fifo.script", Command(argv=("/x",))),
    ("vrrp_notify_priority_changes", "vrrp_notify_priority_changes", True),
    ("fifo_write_vrrp_states_on_reload", "fifo_write_vrrp_states_on_reload", True),
    ("vrrp_version 3", "vrrp_version", Version.V3),
    ("vrrp_strict", "vrrp_strict", True),
    ("vrrp_mcast_group4 239.1.2.3", "vrrp_mcast_group4", ip_address("239.1.2.3")),
    ("vrrp_mcast_group6 ff02::99", "vrrp_mcast_group6", ip_address("ff02::99")),
    ("vrrp_down_timer_adverts 1", "vrrp_down_timer_adverts", 1),
    ("vrrp_down_timer_adverts 100", "vrrp_down_timer_adverts", 100),
    ("vrrp_lower_prio_no_advert on", "vrrp_lower_prio_no_advert", True),
    ("vrrp_higher_prio_send_advert", "vrrp_higher_prio_send_advert", True),
    ("vrrp_owner_ignore_adverts", "vrrp_owner_ignore_adverts", True),
    ("vrrp_check_unicast_src", "vrrp_check_unicast_src", True),
    ("vrrp_skip_check_adv_addr", "vrrp_skip_check_adv_addr", True),
    ("v3_checksum_as_v2", "v3_checksum_as_v2", True),
    ("vrrp_startup_delay 0.001", "vrrp_startup_delay", milliseconds(1)),
    ("vrrp_startup_delay 4294", "vrrp_startup_delay", seconds(4294)),
    ("vrrp_delay_after_boot 12.5", "vrrp_delay_after_boot", seconds(12.5)),
    ("log_unknown_vrids", "log_unknown_vrids", True),
    ("vrrp_garp_master_delay 0", "garp.delay", 0),
    ("vrrp_garp_master_repeat 2", "garp.repeat", 2),
    ("vrrp_garp_master_refresh 60", "garp.refresh", seconds(60)),
    ("vrrp_garp_master_refresh_repeat 3", "garp.refresh_repeat", 3),
    ("vrrp_garp_lower_prio_delay 9", "garp.lower_prio_delay", seconds(9)),
    ("vrrp_garp_lower_prio_repeat 0", "garp.lower_prio_repeat", 0),
    ("vrrp_garp_interval 0.001", "vrrp_garp_interval", milliseconds(1)),
    ("vrrp_gna_interval 0.000001", "vrrp_gna_interval", 1000),
    ("vrrp_garp_extra_if 1", "extra_garp", ExtraGarp(interval=seconds(1))),
    (
        "vrrp_garp_extra_if all 86400",
        "extra_garp",
        ExtraGarp(interval=seconds(86400), everywhere=True),
    ),
    ("default_interface lo", "default_interface", "lo"),
    ("dynamic_interfaces", "dynamic_interfaces", True),
    ("dynamic_interfaces allow_if_changes", "allow_if_changes", True),
    ("vmac_prefix v", "vmac_prefix", "v"),
    ("vmac_addr_prefix a", "vmac_addr_prefix", "a"),
    ("nftables", "firewall.table", "keepalived"),
    ("nftables mine", "firewall.table", "mine"),
    ("nftables_priority -300", "firewall.priority", -300),
    ("nftables_ifindex", "firewall.by_index", True),
    ("nftables_counters", "firewall.counters", True),
    ("disable_local_igmp", "disable_local_igmp", True),
    ("iproute_etc_dir /e", "iproute_etc_dir", "/e"),
    ("iproute_usr_dir /u", "iproute_usr_dir", "/u"),
    ("process_names", "process_names", True),
    ("process_name kd", "process_name", "kd"),
    ("vrrp_process_name kd", "vrrp_process.name", "kd"),
    ("checker_process_name kd", "checker_process.name", "kd"),
    ("lvs_process_name kd", "checker_process.name", "kd"),
    ("bfd_process_name kd", "bfd_process.name", "kd"),
    ("vrrp_priority -20", "vrrp_process.priority", -20),
    ("checker_priority 19", "checker_process.priority", 19),
    ("bfd_no_swap", "bfd_process.no_swap", True),
    ("vrrp_rt_priority 99", "vrrp_process.rt_priority", 99),
    ("vrrp_rlimit_rttime 1", "vrrp_process.rlimit_rttime", 1000),
    ("vrrp_rlimit_rtime 20000", "vrrp_process.rlimit_rttime", milliseconds(20)),
    ("vrrp_cpu_affinity 0 3 0", "vrrp_process.cpus", (0, 3)),
    ("max_auto_priority", "max_auto_priority", 99),
    ("max_auto_priority -1", "max_auto_priority", -1),
    ("min_auto_priority_delay 1", "min_auto_priority_delay", 1000),
    ("umask 022", "umask", 0o22),
    ("umask 0x12", "umask", 0o22),
    ("umask 18", "umask", 0o22),
    ("umask IWGRP|IWOTH", "umask", 0o22),
    ("umask IWGRP | IWOTH", "umask", 0o22),
    ("vrrp_rx_bufs_policy mtu", "buffers.adverts", BufferPolicy.MTU),
    ("vrrp_rx_bufs_policy ADVERT", "buffers.adverts", BufferPolicy.ADVERT),
    ("vrrp_rx_bufs_policy 4096", "buffers.adverts", 4096),
    ("vrrp_rx_bufs_multiplier 5", "buffers.adverts_multiplier", 5),
    ("vrrp_netlink_cmd_rcv_bufs 0", "buffers.vrrp_command", 0),
    ("vrrp_netlink_cmd_rcv_bufs_force", "buffers.vrrp_command_force", True),
    ("vrrp_netlink_monitor_rcv_bufs 9", "buffers.vrrp_monitor", 9),
    ("lvs_netlink_cmd_rcv_bufs 9", "buffers.lvs_command", 9),
    ("lvs_netlink_monitor_rcv_bufs_force", "buffers.lvs_monitor_force", True),
    ("process_monitor_rcv_bufs 9", "buffers.process_monitor", 9),
    ("include_check", "include_check", ("read", "match", "wildcard_match", "brace_match")),
    ("include_check +read -match", "include_check", ("+read", "-match")),
    ("random_seed 4294967295", "random_seed", 2**32 - 1),
    ("tmp_config_directory /t", "tmp_config_directory", "/t"),
    ("config_save_dir /t", "config_save_dir", "/t"),
    ("reload_check_config", "reload.check_log", "/dev/null"),
    ("reload_check_config /l", "reload.check_log", "/l"),
    ("reload_time_file /t", "reload.time_file", "/t"),
    ("reload_repeat", "reload.repeat", True),
    ("reload_file", "reload.file", "/run/keepalived.reload"),
    ("reload_file /t", "reload.file", "/t"),
    ("state_dump_file /t/", "dumps.state_file", "/t/"),
    ("stats_dump_file /t", "dumps.stats_file", "/t"),
    ("json_dump_file /t", "dumps.json_file", "/t"),
    ("data_use_instance", "dumps.use_instance", True),
    ("json_version 2", "dumps.json_version", 2),
    ("snmp_socket udp:[::1]:705", "snmp.socket", "udp:[::1]:705"),
    ("enable_traps", "snmp.traps", True),
    ("enable_snmp_vrrp", "snmp.vrrp", True),
    ("enable_snmp_keepalived", "snmp.vrrp", True),
    ("enable_snmp_checker", "snmp.checker", True),
    ("enable_snmp_rfc", "snmp.rfc", True),
    ("enable_snmp_rfcv2", "snmp.rfc_v2", True),
    ("enable_snmp_rfcv3", "snmp.rfc_v3", True),
    ("snmp_vs_stats_update_interval 0.001", "snmp.virtual_server_interval", milliseconds(1)),
    ("snmp_rs_stats_update_interval 30", "snmp.real_server_interval", seconds(30)),
    ("enable_dbus", "dbus.enabled", True),
    ("dbus_service_name org.example.K", "dbus.service_name", "org.example.K"),
    ("dbus_no_interface_name lo", "dbus.no_interface_name", "lo"),
    ("lvs_flush", "ipvs.flush", True),
    ("lvs_flush_on_stop", "ipvs.flush_on_stop", FlushMode.ALL),
    ("lvs_flush_on_stop VS", "ipvs.flush_on_stop", FlushMode.SERVERS),
    ("lvs_flush_onstop VS", "ipvs.flush_on_stop", FlushMode.SERVERS),
    ("lvs_timeouts udp 15 tcp 0", "ipvs.tcp_timeout", 0),
    ("lvs_timeouts udp 15 tcp 0", "ipvs.tcpfin_timeout", None),
    ("lvs_timeouts udp 2678400", "ipvs.udp_timeout", seconds(2678400)),
    ("lvs_sync_daemon eth0", "ipvs.sync_daemon", SyncDaemon(interface="eth0")),
    (
        "lvs_sync_daemon eth0 inst VI_1 id 9",
        "ipvs.sync_daemon",
        SyncDaemon(interface="eth0", instance="VI_1", id=9),
    ),
    (
        "lvs_sync_daemon eth0 VI_1 group 224.0.0.99 ttl 255 port 65535 maxlen 65507",
        "ipvs.sync_daemon",
        SyncDaemon(
            interface="eth0",
            instance="VI_1",
            max_length=65507,
            port=65535,
            ttl=255,
            group=ip_address("224.0.0.99"),
        ),
    ),
    ("rs_init_notifies", "ipvs.notify_initial", True),
    ("checker_log_all_failures", "ipvs.log_all_failures", True),
    ("nftables_ipvs", "ipvs.table", "keepalived_ipvs"),
    ("nftables_ipvs_priority 5", "ipvs.table_priority", 5),
    ("nftables_ipvs_start_fwmark 1", "ipvs.start_fwmark", 1),
]


@pytest.mark.parametrize(("line", "field", "value"), VALUES)
def test_values(line: str, field: str, value: object) -> None:
    assert attrgetter(field)(load(line).global_defs) == value
    assert told(line) == []


def test_every_keyword_has_a_value_here() -> None:
    written = {line.split()[0] for line, _, _ in VALUES}
    elsewhere = {"vrrp_min_garp", "vrrp_iptables", "vrrp_ipsets", "vrrp_vmac_garp_intvl"}
    elsewhere |= {
        f"{process}_{what}"
        for process in ("vrrp", "checker", "bfd")
        for what in ("priority", "no_swap", "rt_priority", "rlimit_rttime", "rlimit_rtime")
    }
    elsewhere |= {"checker_cpu_affinity", "bfd_cpu_affinity"}
    elsewhere |= {f"{name}_rcv_bufs_force" for name in ("lvs_netlink_cmd", "process_monitor")}
    elsewhere |= {"lvs_netlink_monitor_rcv_bufs", "vrrp_netlink_monitor_rcv_bufs_force"}
    rows = {row.name for row in GLOBAL_DEFS.rows if isinstance(row, Keyword)}
    assert rows - elsewhere - written == set()


@pytest.mark.parametrize("process", ["vrrp", "checker", "bfd"])
@pytest.mark.parametrize(
    ("keyword", "field", "value"),
    [
        ("process_name x", "name", "x"),
        ("priority 5", "priority", 5),
        ("no_swap", "no_swap", True),
        ("rt_priority 1", "rt_priority", 1),
        ("rlimit_rttime 4294967295", "rlimit_rttime", (2**32 - 1) * 1000),
        ("rlimit_rtime 7", "rlimit_rttime", 7000),
        ("cpu_affinity 1", "cpus", (1,)),
    ],
)
def test_each_process_is_run_in_its_own_way(
    process: str, keyword: str, field: str, value: object
) -> None:
    scheduling = attrgetter(f"{process}_process")(load(f"{process}_{keyword}").global_defs)
    assert getattr(scheduling, field) == value


@pytest.mark.parametrize(
    "line",
    [
        "smtp_connect_timeout 4295",
        "smtp_server mail:25",
        "smtp_server mail 0",
        "smtp_server mail 65536",
        "smtp_server mail smtp",
        "startup_script_timeout 0",
        "startup_script_timeout 1001",
        "vrrp_version 4",
        "vrrp_mcast_group4 10.0.0.1",
        "vrrp_mcast_group4 ff02::12",
        "vrrp_mcast_group4 239.1.1",
        "vrrp_mcast_group6 224.0.0.18",
        "vrrp_mcast_group6 fe80::1",
        "vrrp_down_timer_adverts 0",
        "vrrp_down_timer_adverts 101",
        "vrrp_strict TRUE",
        "vrrp_min_garp foo",
        "vrrp_startup_delay 0",
        "vrrp_startup_delay 5000",
        "vrrp_garp_master_delay 1.5",
        "vrrp_garp_master_delay 4295",
        "vrrp_garp_master_repeat x",
        "vrrp_garp_master_refresh -1",
        "vrrp_garp_interval 0",
        "vrrp_garp_extra_if 0",
        "vrrp_garp_extra_if all",
        "vrrp_garp_extra_if 86401",
        "nftables_priority x",
        "vrrp_priority -21",
        "vrrp_priority 20",
        "vrrp_rlimit_rttime 0",
        "vrrp_cpu_affinity 0 x",
        "max_auto_priority 100",
        "min_auto_priority_delay 0",
        "min_auto_priority_delay 10000001",
        "umask 999",
        "umask 01000",
        "umask foo",
        "umask IRUSR IWGRP",
        "umask |IRUSR",
        "umask IRUSR|",
        "vrrp_rx_bufs_policy foo",
        "vrrp_rx_bufs_multiplier 0",
        "vrrp_netlink_cmd_rcv_bufs -1",
        "vrrp_netlink_cmd_rcv_bufs_force foo",
        "include_check foo",
        "random_seed -5",
        "data_use_instance foo",
        "json_version 3",
        "snmp_vs_stats_update_interval 0",
        "snmp_rs_stats_update_interval 40",
        "lvs_flush_on_stop foo",
        "lvs_timeouts",
        "lvs_timeouts tcp 2678401",
        "lvs_sync_daemon a_name_that_is_too_long",
        "nftables_ipvs_start_fwmark 0",
    ],
)
def test_a_bad_value_is_told_and_leaves_the_default(line: str) -> None:
    assert len(told(line)) == 1
    assert load(line).global_defs == GlobalConfig()


@pytest.mark.parametrize(
    "keyword",
    [
        "router_id",
        "notification_email_from",
        "script_user",
        "startup_script",
        "startup_script_timeout",
        "notify_fifo",
        "notify_fifo_script",
        "default_interface",
        "vrrp_garp_extra_if",
        "vrrp_rx_bufs_policy",
        "vrrp_rx_bufs_multiplier",
        "vrrp_netlink_cmd_rcv_bufs",
        "vrrp_priority",
        "vrrp_rt_priority",
        "vrrp_cpu_affinity",
        "min_auto_priority_delay",
        "reload_time_file",
        "snmp_socket",
        "dbus_service_name",
        "lvs_sync_daemon",
    ],
)
def test_a_missing_value_is_told_and_leaves_the_default(keyword: str) -> None:
    assert load(keyword).global_defs == GlobalConfig()
    assert told(keyword) == ["FV103"]


@pytest.mark.parametrize(
    "keyword",
    ["smtp_server", "vrrp_version", "vrrp_mcast_group4", "vrrp_garp_interval", "umask"],
)
def test_without_these_values_keepalived_ends(keyword: str) -> None:
    assert told(keyword) == ["FV102"]
    with pytest.raises(config.ConfigError):
        load(keyword)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("smtp_connect_timeout 0", "smtp_connect_timeout", seconds(1)),
        ("vrrp_garp_master_repeat 0", "garp.repeat", 1),
        ("vrrp_garp_master_refresh_repeat 0", "garp.refresh_repeat", 1),
        ("vrrp_mcast_group6 ff05::12", "vrrp_mcast_group6", ip_address("ff05::12")),
        ("dynamic_interfaces off", "dynamic_interfaces", True),
        ("vrrp_rt_priority 0", "vrrp_process.rt_priority", 1),
        ("vrrp_rt_priority -1", "vrrp_process.rt_priority", 1),
        ("vrrp_rt_priority 100", "vrrp_process.rt_priority", 99),
        ("process_name keepalived_process", "process_name", "keepalived_proc"),
        ("vrrp_process_name éééééééé", "vrrp_process.name", "ééééééé"),
        ("include_check read foo", "include_check", ("read",)),
        ("lvs_timeouts udp 15 foo", "ipvs.udp_timeout", seconds(15)),
        ("lvs_timeouts tcp x udp 15", "ipvs.udp_timeout", seconds(15)),
        ("lvs_sync_daemon eth0 VI_1 9", "ipvs.sync_daemon.id", 9),
        ("lvs_sync_daemon eth0 VI_1 id 256", "ipvs.sync_daemon.id", None),
        ("lvs_sync_daemon eth0 VI_1 x", "ipvs.sync_daemon.id", None),
        ("lvs_sync_daemon eth0 VI_1 group 10.0.0.1", "ipvs.sync_daemon.group", None),
        ("vrrp_iptables IN OUT", "firewall.table", "keepalived"),
        ("vrrp_ipsets a b", "firewall.table", None),
        ("vrrp_vmac_garp_intvl 5", "extra_garp.interval", seconds(5)),
        ("notify_fifo /a\nnotify_fifo /b", "notify_fifo.path", "/a"),
        ("startup_script /a\nstartup_script /b", "startup_script.argv", ("/a",)),
        ("snmp_socket a\nsnmp_socket b", "snmp.socket", "a"),
        ("nftables a\nnftables b", "firewall.table", "a"),
        ("lvs_sync_daemon a\nlvs_sync_daemon b", "ipvs.sync_daemon.interface", "a"),
    ],
)
def test_what_keepalived_corrects(line: str, field: str, value: object) -> None:
    assert len(told(line)) == 1
    assert attrgetter(field)(load(line).global_defs) == value


def test_a_flag_is_set_even_by_off() -> None:
    text = "global_defs {\nlog_unknown_vrids off\n}\n"
    assert config.loads(text).global_defs.log_unknown_vrids
    assert found(text, Severity.NOTE) == ["FV105"]


def test_recipients_are_all_words_of_all_lines() -> None:
    lines = 'notification_email {\na@example.org b@example.org\n"Ops <ops@example.org>"\n}'
    names = ("a@example.org", "b@example.org", "Ops <ops@example.org>")
    assert load(lines).global_defs.notification_email == names
    assert told(lines) == []


@pytest.mark.parametrize("block", ["notification_email {\n}", "notification_email { }"])
def test_a_list_of_no_recipients_is_told(block: str) -> None:
    assert told(block) == ["FV201"]
    assert told(block + "\nnotification_email {\na@example.org\n}") == []


def test_blocks_are_merged_and_the_last_value_counts() -> None:
    first = "global_defs {\nrouter_id a\nvrrp_version 3\nnotification_email {\na@x\n}\n}\n"
    second = "global_defs {\nrouter_id b\nnotification_email {\nb@x\n}\n}\n"
    found = config.loads(first + INSTANCE % "" + second).global_defs
    assert (found.router_id, found.vrrp_version) == ("b", Version.V3)
    assert found.notification_email == ("a@x", "b@x")


FEWEST = GarpConfig(repeat=1, delay=seconds(0), lower_prio_repeat=1, lower_prio_delay=seconds(0))


@pytest.mark.parametrize(
    ("lines", "garp"),
    [
        ("vrrp_min_garp", FEWEST),
        ("vrrp_min_garp on", FEWEST),
        ("vrrp_min_garp off", GarpConfig()),
        ("vrrp_garp_master_repeat 5\nvrrp_min_garp", FEWEST),
        (
            "vrrp_garp_master_repeat 2\nvrrp_garp_master_delay 3\nvrrp_min_garp",
            GarpConfig(
                repeat=2, delay=seconds(3), lower_prio_repeat=2, lower_prio_delay=seconds(3)
            ),
        ),
        (
            "vrrp_min_garp\nvrrp_garp_master_repeat 5\nvrrp_garp_master_delay 5",
            GarpConfig(),
        ),
    ],
)
def test_min_garp_changes_what_is_still_the_default(lines: str, garp: GarpConfig) -> None:
    text = f"global_defs {{\n{lines}\n}}\n{INSTANCE % ''}"
    loaded = config.loads(text)
    assert loaded.global_defs.garp == garp
    assert loaded.instances[0].garp == garp
    assert not loaded.global_defs.vrrp_min_garp


def test_with_min_garp_a_refresh_needs_a_repeat() -> None:
    lines = "vrrp_min_garp\nvrrp_garp_master_refresh 60"
    assert load(lines).global_defs.garp.refresh == 0
    lines += "\nvrrp_garp_master_refresh_repeat 2"
    assert load(lines).global_defs.garp.refresh == seconds(60)


@pytest.mark.parametrize(
    "line",
    [
        "vrrp_min_garp",
        "vrrp_garp_master_repeat 2",
        "vrrp_down_timer_adverts 4",
        "vrrp_skip_check_adv_addr",
        "v3_checksum_as_v2",
        "script_user joe",
    ],
)
def test_what_comes_too_late_is_told(line: str) -> None:
    instance = INSTANCE % "notify_master /x\n"
    late = f"global_defs {{\n{line}\n}}\n"
    assert "FV214" in found(instance + late, Severity.NOTE)
    assert "FV214" not in found(late + instance, Severity.NOTE)


@pytest.mark.parametrize("line", ["vrrp_version 3", "vrrp_garp_lower_prio_repeat 2"])
def test_what_counts_at_the_end_comes_never_too_late(line: str) -> None:
    late = f"global_defs {{\n{line}\n}}\n"
    assert "FV214" not in found(INSTANCE % "" + late, Severity.NOTE)


def test_a_late_account_matters_only_to_programs_without_one() -> None:
    late = "global_defs {\nscript_user joe\n}\n"
    assert "FV214" not in found(INSTANCE % "" + late, Severity.NOTE)
    assert "FV214" not in found(INSTANCE % "notify_master /x ann\n" + late, Severity.NOTE)


@pytest.mark.parametrize("name", ["vrrp_notify_fifo", "lvs_notify_fifo"])
def test_a_fifo_that_has_all_events_is_enough(name: str) -> None:
    both = f"notify_fifo /f\n{name} /f joe\n{name}_script /x"
    assert getattr(load(both).global_defs, name) == FifoConfig()
    assert "FV237" in found(f"global_defs {{\n{both}\n}}", Severity.NOTE)
    assert getattr(load(f"notify_fifo /f\n{name} /g").global_defs, name).path == "/g"


def test_a_fifo_should_have_a_full_path() -> None:
    assert "FV103" in found("global_defs {\nnotify_fifo events\n}", Severity.NOTE)
    assert "FV103" not in found("global_defs {\nnotify_fifo /events\n}", Severity.NOTE)


@pytest.mark.parametrize(
    ("line", "support"),
    [
        ("script_user joe", FULL),
        ("enable_script_security", FULL),
        ("vrrp_version 3", FULL),
        ("vrrp_garp_master_repeat 2", FULL),
        ("random_seed 1", FULL),
        ("include_check", FULL),
        ("smtp_server mail", IGNORED),
        ("max_auto_priority -1", IGNORED),
        ("enable_dbus", IGNORED),
        ("notify_fifo /f", REFUSED),
        ("startup_script /x", REFUSED),
        ("lvs_flush", NOT_RUN),
        ("lvs_sync_daemon eth0", NOT_RUN),
        ("checker_priority 5", NOT_RUN),
    ],
)
def test_support(line: str, support: Support) -> None:
    """What is refused keeps the program from starting, what is ignored is told once."""
    assert row_of(line.split(maxsplit=1)[0]).support is support
    loaded = load(line)
    assert bool(loaded.unsupported) is (support is REFUSED)
    notes = [one.code for one in loaded.diagnostics if one.severity is Severity.NOTE]
    assert notes == (["FV110"] if support in (IGNORED, NOT_RUN) else [])


@pytest.mark.parametrize(
    "line",
    [
        "vrrp_mcast_group4 224.0.0.18",
        "vrrp_mcast_group6 ff02::12",
        "vrrp_strict off",
        "vrrp_down_timer_adverts 3",
        "smtp_connect_timeout 30",
        "max_auto_priority 0",
        "umask 0177",
        "json_version 1",
        "default_interface eth0",
        "dbus_service_name org.keepalived.Vrrp1",
    ],
)
def test_nothing_is_told_of_a_default(line: str) -> None:
    assert load(line).diagnostics == ()


def _value(row: Keyword, model: GlobalConfig) -> object:
    values = tuple(attrgetter(to)(model) for to in row.targets)
    return values if isinstance(row.to, tuple) else values[0]


@pytest.mark.parametrize("line", [line for line, _, _ in VALUES])
def test_what_is_written_reads_back(line: str) -> None:
    row = row_of(line.split(maxsplit=1)[0])
    model = load(line).global_defs
    words = row.kind.write(_value(row, model))
    assert words is not None
    assert load(f"{row.name} {words}").global_defs == model


@pytest.mark.parametrize(
    "name",
    [
        "notify_fifo",
        "nftables",
        "dynamic_interfaces",
        "vrrp_rx_bufs_policy",
        "vrrp_rt_priority",
        "vrrp_cpu_affinity",
        "include_check",
        "reload_file",
        "lvs_flush_on_stop",
        "lvs_timeouts",
        "lvs_sync_daemon",
    ],
)
def test_that_nothing_was_said_cannot_be_written(name: str) -> None:
    row = row_of(name)
    assert row.kind.write(_value(row, GlobalConfig())) is None
