"""`global_defs`, and the keywords about the process that stand outside of all blocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model.base import Address, Command, Version
from fastvrrp.config.model.instance import ExtraGarp, GarpConfig
from fastvrrp.config.model.value import Value

__all__ = [
    "BufferConfig",
    "BufferPolicy",
    "DbusConfig",
    "DumpConfig",
    "FifoConfig",
    "FirewallConfig",
    "FlushMode",
    "GlobalConfig",
    "IpvsConfig",
    "ProcessConfig",
    "ReloadConfig",
    "SchedulingConfig",
    "SnmpConfig",
    "SyncDaemon",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FifoConfig(Value):
    """A FIFO that events are written to, who owns it, and a program that is started to read it."""

    path: str | None = None
    user: str | None = None
    group: str | None = None
    script: Command | None = None


class BufferPolicy(Enum):
    """What the receive buffer of a socket has room for: frames, or adverts of the instances."""

    MTU = "MTU"
    ADVERT = "ADVERT"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BufferConfig(Value):
    """Sizes of receive buffers in bytes, None: the kernel's; a `force` exceeds its limit.

    `adverts_multiplier` is how many frames or adverts of each instance a `BufferPolicy` means.
    """

    adverts: BufferPolicy | int | None = None
    adverts_multiplier: int = 3
    vrrp_command: int | None = None
    vrrp_command_force: bool = False
    vrrp_monitor: int | None = None
    vrrp_monitor_force: bool = False
    lvs_command: int | None = None
    lvs_command_force: bool = False
    lvs_monitor: int | None = None
    lvs_monitor_force: bool = False
    process_monitor: int | None = None
    process_monitor_force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FirewallConfig(Value):
    """The nftables table of `no_accept`.

    `table` None: "keepalived", if one is needed.
    """

    table: str | None = None
    priority: int = -1
    by_index: bool = False
    counters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SchedulingConfig(Value):
    """How the kernel runs one of keepalived's processes.

    `rt_priority` 0: no real-time scheduling; else 1..99. `rlimit_rttime` is how long it may then
    run without waiting. `cpus` (): all.
    """

    name: str | None = None
    priority: int = 0
    no_swap: bool = False
    rt_priority: int = 0
    rlimit_rttime: Nanoseconds = milliseconds(10)
    cpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReloadConfig(Value):
    """When the configuration is read again, and how.

    `check_log` is where a test of the new one reports to; None: there is no test. `time_file`
    holds the time of the next reload. `file` exists while the configuration is being read.
    """

    check_log: str | None = None
    time_file: str | None = None
    repeat: bool = False
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DumpConfig(Value):
    """Where state and statistics are written to; None: keepalived.data, .stats and .json in /tmp.

    `use_instance`: the names contain those of the instance and of the network namespace.
    """

    state_file: str | None = None
    stats_file: str | None = None
    json_file: str | None = None
    use_instance: bool = False
    json_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SnmpConfig(Value):
    """What is told to an SNMP agent. `socket` None: unix:/var/agentx/master."""

    socket: str | None = None
    traps: bool = False
    vrrp: bool = False
    checker: bool = False
    rfc: bool = False
    rfc_v2: bool = False
    rfc_v3: bool = False
    virtual_server_interval: Nanoseconds = seconds(5)
    real_server_interval: Nanoseconds = seconds(5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DbusConfig(Value):
    """The DBus interface. `no_interface_name` stands for the interface of instances without."""

    enabled: bool = False
    service_name: str = "org.keepalived.Vrrp1"
    no_interface_name: str = "none"


class FlushMode(Enum):
    """How the kernel's virtual servers are removed at the end.

    EACH: each with its real servers one by one. ALL: the whole table at once. SERVERS: each virtual
    server at once.
    """

    EACH = "each"
    ALL = "all"
    SERVERS = "servers"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SyncDaemon(Value):
    """`lvs_sync_daemon`: the kernel's exchange of load-balanced connections.

    `instance` None: it sends and receives at the same time. `id` None: the VRID of `instance`.
    Other values None: the kernel's.
    """

    interface: str
    instance: str | None = None
    id: int | None = None
    max_length: int | None = None
    port: int | None = None
    ttl: int | None = None
    group: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IpvsConfig(Value):
    """What `global_defs` says of load balancing. Timeouts None: they stay as they are.

    `table` None: virtual server groups get no nftables rules and firewall marks.
    """

    flush: bool = False
    flush_on_stop: FlushMode = FlushMode.EACH
    tcp_timeout: Nanoseconds | None = None
    tcpfin_timeout: Nanoseconds | None = None
    udp_timeout: Nanoseconds | None = None
    sync_daemon: SyncDaemon | None = None
    notify_initial: bool = False
    log_all_failures: bool = False
    table: str | None = None
    table_priority: int = -1
    start_fwmark: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GlobalConfig(Value):
    """`global_defs`. Mail settings are read and kept; nothing sends mail yet.

    `smtp_alert` and its like None: not said. `vmac_addr_prefix` None: as `vmac_prefix`.
    `vrrp_min_garp` is a short way to write values of `garp`; where text was read it is False, and
    `garp` has them. `include_check` are the words behind the last one. `max_auto_priority` 0: never
    raised; -1 likewise, and nothing is said about it.
    """

    router_id: str | None = None
    notification_email: tuple[str, ...] = ()
    notification_email_from: str | None = None
    smtp_server: str | None = None
    smtp_port: int = 25
    smtp_connect_timeout: Nanoseconds = seconds(30)
    smtp_helo_name: str | None = None
    smtp_alert: bool | None = None
    smtp_alert_vrrp: bool | None = None
    smtp_alert_checker: bool | None = None
    no_email_faults: bool = False
    no_checker_emails: bool = False

    script_user: str | None = None
    script_group: str | None = None
    enable_script_security: bool = False
    use_symlink_paths: bool = False
    startup_script: Command | None = None
    startup_script_timeout: Nanoseconds = seconds(10)
    shutdown_script: Command | None = None
    shutdown_script_timeout: Nanoseconds = seconds(10)
    notify_fifo: FifoConfig = FifoConfig()
    vrrp_notify_fifo: FifoConfig = FifoConfig()
    lvs_notify_fifo: FifoConfig = FifoConfig()
    vrrp_notify_priority_changes: bool = False
    fifo_write_vrrp_states_on_reload: bool = False

    vrrp_version: Version = Version.V2
    vrrp_strict: bool = False
    vrrp_mcast_group4: IPv4Address = IPv4Address("224.0.0.18")
    vrrp_mcast_group6: IPv6Address = IPv6Address("ff02::12")
    default_interface: str = "eth0"
    dynamic_interfaces: bool = False
    allow_if_changes: bool = False
    garp: GarpConfig = GarpConfig()
    vrrp_min_garp: bool = False
    vrrp_garp_interval: Nanoseconds = Nanoseconds(0)
    vrrp_gna_interval: Nanoseconds = Nanoseconds(0)
    extra_garp: ExtraGarp = ExtraGarp()
    vrrp_down_timer_adverts: int = 3
    vrrp_lower_prio_no_advert: bool = False
    vrrp_higher_prio_send_advert: bool = False
    vrrp_owner_ignore_adverts: bool = False
    vrrp_check_unicast_src: bool = False
    vrrp_skip_check_adv_addr: bool = False
    v3_checksum_as_v2: bool = False
    vrrp_startup_delay: Nanoseconds = Nanoseconds(0)
    vrrp_delay_after_boot: Nanoseconds = Nanoseconds(0)
    log_unknown_vrids: bool = False
    vmac_prefix: str = "vrrp"
    vmac_addr_prefix: str | None = None
    firewall: FirewallConfig = FirewallConfig()
    disable_local_igmp: bool = False
    iproute_etc_dir: str | None = None
    iproute_usr_dir: str | None = None

    buffers: BufferConfig = BufferConfig()
    process_names: bool = False
    process_name: str | None = None
    vrrp_process: SchedulingConfig = SchedulingConfig()
    checker_process: SchedulingConfig = SchedulingConfig()
    bfd_process: SchedulingConfig = SchedulingConfig()
    max_auto_priority: int = 0
    min_auto_priority_delay: Nanoseconds = seconds(1)
    umask: int = 0o177
    reload: ReloadConfig = ReloadConfig()
    include_check: tuple[str, ...] = ()
    random_seed: int | None = None
    config_save_dir: str | None = None
    tmp_config_directory: str | None = None
    dumps: DumpConfig = DumpConfig()
    snmp: SnmpConfig = SnmpConfig()
    dbus: DbusConfig = DbusConfig()
    ipvs: IpvsConfig = IpvsConfig()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ProcessConfig(Value):
    """Keywords outside of all blocks that are about the process.

    `net_namespace` None: the one that the program was started in. `ipvs_namespace` None: as
    `net_namespace`; "": the one that the program was started in. `net_namespace` and `instance`
    imply `use_pid_dir`.
    """

    net_namespace: str | None = None
    ipvs_namespace: str | None = None
    namespace_with_ipsets: bool = False
    instance: str | None = None
    use_pid_dir: bool = False
    child_wait_time: Nanoseconds = seconds(5)
    linkbeat_polling: bool = False
