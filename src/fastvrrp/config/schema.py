"""Every keyword of keepalived.conf, one row each: the only list of keywords.

Reading, range checks, did-you-mean, brace repair and docs/keywords.md come from these rows.
A keyword that changes the protocol, the addresses or who may be active, and is not implemented, is
REFUSED: leaving it out silently could give two active routers. What makes no such difference is
IGNORED. Either is accepted without a word where it is written with its default value.
"""

from fastvrrp.config.entries import AddressLine, PeerLine, ScriptUseLine
from fastvrrp.config.model import AuthType, Version
from fastvrrp.config.row import IGNORED, REFUSED, Block, Keyword, ignored, refused, walk
from fastvrrp.config.values import (
    Boolean,
    Choice,
    CommandLine,
    Flag,
    Host,
    Integer,
    InterfaceName,
    IpAddress,
    Password,
    Seconds,
    Text,
    UserGroup,
    Weight,
    WholeSeconds,
)

__all__ = ["ROOT", "ROOT_ONLY"]


_MAX_SECONDS = 4294
_GARP_SECONDS = WholeSeconds(0, _MAX_SECONDS)
_REFRESH_SECONDS = WholeSeconds(0, 4_294_967)
_REPEAT = Integer(1, 10000)
_REPEAT_OR_NONE = Integer(0, 10000)

_NOT_USED = "Not used."
_NO_MAIL = "No mail is sent yet."
_LVS = "Belongs to load balancing, which is not part of this program yet."
_SNMP = "There is no SNMP agent yet."
_DBUS = "There is no D-Bus service."
_FIFO = "Nothing is written to FIFOs yet."
_PROCESS = "The scheduling of this program is its own; see its options."
_BUFFERS = "Buffer sizes are chosen by the program."
_FILES = "Files of this kind are not written yet."
_TIMERS = "It changes when this router takes over."
_WIRE = "It changes what is sent or accepted."
_VMAC = "There are no virtual MAC addresses yet."
_UNICAST = "It changes which unicast adverts count."
_TRACKING = "It changes who may be active."

_ON_OFF = Boolean()


def _each(names: str, doc: str) -> tuple[Keyword, ...]:
    """Return the rows of some keywords that are ignored for the same reason."""
    return tuple(ignored(name, doc) for name in names.split())


def _garp_rows(prefix: str, *, of: str) -> tuple[Keyword, ...]:
    """Return the gratuitous ARP keywords of global_defs or of an instance."""
    return (
        Keyword(
            f"{prefix}garp_master_delay",
            _GARP_SECONDS,
            f"After this time as active, gratuitous ARPs are sent once more; 0: never{of}.",
            to="garp.delay",
            default=5,
        ),
        Keyword(
            f"{prefix}garp_master_repeat",
            _REPEAT,
            f"Gratuitous ARPs for each address when becoming active{of}.",
            to="garp.repeat",
            default=5,
        ),
        Keyword(
            f"{prefix}garp_master_refresh",
            _REFRESH_SECONDS,
            f"Interval of further gratuitous ARPs while active; 0: none{of}.",
            to="garp.refresh",
            default=0,
        ),
        Keyword(
            f"{prefix}garp_master_refresh_repeat",
            _REPEAT,
            f"Gratuitous ARPs for each address at each refresh{of}.",
            to="garp.refresh_repeat",
            default=1,
        ),
        Keyword(
            f"{prefix}garp_lower_prio_delay",
            _GARP_SECONDS,
            f"As garp_master_delay, after an advert of lower priority{of}.",
            to="garp.lower_prio_delay",
        ),
        Keyword(
            f"{prefix}garp_lower_prio_repeat",
            _REPEAT_OR_NONE,
            f"As garp_master_repeat, after an advert of lower priority; 0: none{of}.",
            to="garp.lower_prio_repeat",
        ),
    )


_GLOBAL_DEFS = Block(
    "global_defs",
    doc="Settings of the whole program, and defaults of all instances.",
    rows=(
        Keyword("router_id", Text(), "Name of this machine.", to="router_id"),
        Block(
            "notification_email",
            doc="Recipients of mail. Kept; no mail is sent yet.",
            to="notification_email",
            entry=Text("mail address"),
            flat=True,
        ),
        Keyword(
            "notification_email_from",
            Text("mail address"),
            "Sender of mail. Kept; no mail is sent yet.",
            to="notification_email_from",
        ),
        Keyword("smtp_server", Host(), "Mail server. Kept; no mail is sent yet.", to="smtp_server"),
        Keyword(
            "smtp_connect_timeout",
            WholeSeconds(1, _MAX_SECONDS),
            "How long the mail server may take. Kept; no mail is sent yet.",
            to="smtp_connect_timeout",
            default=30,
        ),
        Keyword(
            "smtp_helo_name",
            Text("host name"),
            "Name told to the mail server. Kept; no mail is sent yet.",
            to="smtp_helo_name",
        ),
        Keyword(
            "vrrp_version",
            Choice({"2": Version.V2, "3": Version.V3}),
            "VRRP version of instances that name none. IPv6 instances always speak version 3.",
            to="vrrp_version",
            default=2,
        ),
        *_garp_rows("vrrp_", of="; default of instances that follow"),
        Keyword(
            "script_user",
            UserGroup(),
            "Account that runs scripts which name none.",
            to="script_user",
            default="keepalived_script, if it exists",
        ),
        Keyword(
            "enable_script_security",
            Flag(),
            "Do not run as root what others than root can change.",
            to="enable_script_security",
            default=False,
        ),
        # Defaults of instances
        refused("vrrp_mcast_group4", _WIRE, Text(), "224.0.0.18"),
        refused("vrrp_mcast_group6", _WIRE, Text(), "ff02::12"),
        refused("vrrp_down_timer_adverts", _TIMERS, Integer(1, 100), 3),
        refused("vrrp_lower_prio_no_advert", _WIRE, _ON_OFF, default=False),
        refused("vrrp_higher_prio_send_advert", _WIRE, _ON_OFF, default=False),
        refused("vrrp_strict", _WIRE, _ON_OFF, default=False),
        refused("vrrp_owner_ignore_adverts", _WIRE, _ON_OFF, default=False),
        refused("v3_checksum_as_v2", _WIRE),
        refused("vrrp_startup_delay", _TIMERS),
        refused("vrrp_delay_after_boot", _TIMERS, Seconds("0", "4294"), 0),
        ignored(
            "vrrp_skip_check_adv_addr",
            "The address list of an advert never decides.",
            _ON_OFF,
            default=False,
        ),
        ignored("vrrp_check_unicast_src", "The source of a unicast advert is always checked."),
        ignored("vrrp_garp_interval", "Gratuitous ARPs are not spaced.", Seconds("0", "4294"), 0),
        ignored("vrrp_gna_interval", "Neighbour adverts are not spaced.", Seconds("0", "4294"), 0),
        ignored(
            "vrrp_min_garp",
            "Set vrrp_garp_master_repeat 1 and _delay 0 instead.",
            _ON_OFF,
            default=False,
        ),
        ignored("vrrp_garp_extra_if", _VMAC),
        ignored("vrrp_vmac_garp_intvl", _VMAC),
        ignored("vmac_prefix", _VMAC),
        ignored("vmac_addr_prefix", _VMAC),
        ignored("default_interface", "Only static addresses use it."),
        ignored("dynamic_interfaces", "Interfaces may come and go in any case."),
        ignored("log_unknown_vrids", "Foreign virtual router ids are counted."),
        ignored("vrrp_notify_priority_changes", _FIFO, _ON_OFF, default=False),
        # Mail
        *(
            ignored(f"smtp_alert{what}", _NO_MAIL, _ON_OFF, default=False)
            for what in ("", "_vrrp", "_checker")
        ),
        ignored("no_email_faults", _NO_MAIL),
        # Scripts and FIFOs
        ignored("use_symlink_paths", "The resolved path is run.", _ON_OFF, default=False),
        *(
            ignored(f"{when}_script{what}", "Let the service manager run it.")
            for when in ("startup", "shutdown")
            for what in ("", "_timeout")
        ),
        *_each(
            "notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script "
            "fifo_write_vrrp_states_on_reload",
            _FIFO,
        ),
        # Firewall
        *_each(
            "nftables nftables_priority nftables_ifindex nftables_counters vrrp_iptables "
            "vrrp_ipsets disable_local_igmp",
            "No firewall rules are written yet.",
        ),
        # Process
        *_each(
            "vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_netlink_cmd_rcv_bufs "
            "vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs "
            "vrrp_netlink_monitor_rcv_bufs_force lvs_netlink_cmd_rcv_bufs "
            "lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs "
            "lvs_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs "
            "process_monitor_rcv_bufs_force",
            _BUFFERS,
        ),
        *(
            ignored(f"{process}_{setting}", _PROCESS)
            for process in ("vrrp", "checker", "bfd")
            for setting in (
                "priority",
                "no_swap",
                "rt_priority",
                "rlimit_rttime",
                "rlimit_rtime",
                "cpu_affinity",
                "process_name",
            )
        ),
        *_each(
            "process_names process_name lvs_process_name max_auto_priority min_auto_priority_delay",
            _PROCESS,
        ),
        # Files and reload
        *_each(
            "state_dump_file stats_dump_file json_dump_file data_use_instance "
            "json_version config_save_dir tmp_config_directory iproute_etc_dir "
            "iproute_usr_dir reload_file",
            _FILES,
        ),
        ignored("umask", "Files are readable by their owner only."),
        ignored("reload_check_config", "A configuration is always checked before it is used."),
        *_each("reload_time_file reload_repeat include_check random_seed", _NOT_USED),
        # SNMP and D-Bus
        *_each(
            "snmp_socket enable_traps enable_snmp_vrrp enable_snmp_keepalived "
            "enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_snmp_checker "
            "snmp_vs_stats_update_interval snmp_rs_stats_update_interval",
            _SNMP,
        ),
        *_each("enable_dbus dbus_service_name dbus_no_interface_name", _DBUS),
        # Load balancing
        *_each(
            "lvs_sync_daemon lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop "
            "lvs_notify_fifo lvs_notify_fifo_script rs_init_notifies no_checker_emails "
            "checker_log_all_failures nftables_ipvs nftables_ipvs_priority "
            "nftables_ipvs_start_fwmark",
            _LVS,
        ),
    ),
)

_VRRP_SCRIPT = Block(
    "vrrp_script",
    doc="A program whose exit status tells if this machine may be active. "
    "Its name follows the keyword.",
    named=True,
    rows=(
        Keyword(
            "script",
            CommandLine(with_user=False),
            "The program; exit status 0 is success.",
            to="command",
        ),
        Keyword(
            "interval",
            Seconds("0.001", "4294", step=1_000_000),
            "How often it runs.",
            to="interval",
            default=1,
        ),
        Keyword(
            "timeout",
            Seconds("0.001", "4294", step=1_000_000),
            "After this time it has failed.",
            to="timeout",
            default="interval",
        ),
        Keyword(
            "weight",
            Weight(),
            "Added to the priority: positive on success, negative on failure. "
            "0: failure is a fault.",
            to="weight",
            default=0,
        ),
        Keyword(
            "rise", Integer(1, 2**31 - 1), "Successes in a row that count.", to="rise", default=1
        ),
        Keyword(
            "fall", Integer(1, 2**31 - 1), "Failures in a row that count.", to="fall", default=1
        ),
        Keyword("user", UserGroup(), "Account that runs it.", to="user", default="script_user"),
        ignored("init_fail", "A script that has not run yet counts as failed in any case."),
    ),
)

_AUTHENTICATION = Block(
    "authentication",
    doc="VRRPv2 authentication. It does not protect against attackers on the link.",
    to="auth",
    rows=(
        Keyword(
            "auth_type",
            Choice({"PASS": AuthType.PASS, "AH": AuthType.AH}),
            "PASS: password in clear text. AH: IPsec authentication header.",
            to="type",
            rfc="RFC 2338 §5.3.6",
        ),
        Keyword(
            "auth_pass",
            Password(),
            "The password; only 8 bytes count.",
            to="password",
            rfc="RFC 2338 §5.3.10",
        ),
    ),
)

_VRRP_INSTANCE = Block(
    "vrrp_instance",
    doc="One virtual router on one interface. Its name follows the keyword.",
    named=True,
    rows=(
        Keyword(
            "state",
            Choice({"MASTER": True, "BACKUP": False}),
            "MASTER only sets the default priority to 255 and switches nopreempt and "
            "preempt_delay off: a router with a priority below 255 always starts as BACKUP.",
            to="initial_active",
            default="BACKUP",
            true_wins=True,
        ),
        Keyword("interface", InterfaceName(), "Interface that adverts use.", to="interface"),
        Keyword(
            "virtual_router_id",
            Integer(1, 255),
            "The VRID: the same on all routers of this virtual router, used by no other on the "
            "link.",
            to="vrid",
            rfc="RFC 9568 §5.2.3",
        ),
        Keyword(
            "priority",
            Integer(1, 255, hint="255 is reserved for the address owner"),
            "The highest becomes active.",
            to="priority",
            default="100; 255 with state MASTER",
            rfc="RFC 9568 §5.2.4",
        ),
        Keyword(
            "advert_int",
            Seconds("0.01", "255"),
            "Interval between adverts. VRRPv2: whole seconds; VRRPv3: 0.01 to 40.95 seconds.",
            to="advert_interval",
            default=1,
            rfc="RFC 9568 §6.1",
        ),
        Keyword(
            "version",
            Choice({"2": Version.V2, "3": Version.V3}),
            "VRRP version.",
            to="version",
            default="vrrp_version",
            first_wins=True,
        ),
        Keyword(
            "mcast_src_ip",
            IpAddress(),
            "Source address of adverts.",
            to="source",
            default="first address of the interface",
        ),
        Keyword(
            "unicast_src_ip",
            IpAddress(),
            "Source address of adverts, with unicast_peer.",
            to="source",
            default="first address of the interface",
        ),
        Block(
            "unicast_peer",
            doc="The other routers; adverts go to them instead of the multicast group. One a line.",
            to="peers",
            entry=PeerLine(),
        ),
        Keyword("nopreempt", Flag(), "Do not take over from a lower priority.", to="preempt"),
        Keyword("preempt", Flag(), "Take over from a lower priority.", to="preempt", default="on"),
        Keyword(
            "preempt_delay",
            Seconds("0", "1000"),
            "Wait before taking over from a lower priority.",
            to="preempt_delay",
            default=0,
        ),
        _AUTHENTICATION,
        Block(
            "virtual_ipaddress",
            doc="Addresses of the virtual router, advertised in this order. One a line.",
            to="addresses",
            entry=AddressLine(),
        ),
        Block(
            "virtual_ipaddress_excluded",
            doc="Addresses of the virtual router that are not in adverts. One a line.",
            to="excluded",
            entry=AddressLine(),
        ),
        Keyword(
            "no_virtual_ipaddress",
            Flag(),
            "There are no virtual addresses, and that is meant.",
            to="without_addresses",
        ),
        *_garp_rows("", of=""),
        Block(
            "track_script",
            doc="Scripts that decide about this instance. One a line.",
            to="scripts",
            entry=ScriptUseLine(),
        ),
        Block(
            "track_interface",
            doc="Other interfaces that decide about this instance; not supported yet. "
            "The instance's own interface is always tracked.",
            to="track_interface",
            entry=InterfaceName(),
        ),
        *(
            Keyword(
                f"notify{suffix}",
                CommandLine(),
                f"Program that runs {when}.",
                to=f"notify.{to}",
                first_wins=True,
            )
            for suffix, to, when in (
                ("_master", "master", "when becoming active"),
                ("_backup", "backup", "when becoming backup"),
                ("_fault", "fault", "when entering FAULT"),
                ("_stop", "stop", "when this program stops"),
                ("", "always", "at every change, with INSTANCE, name, state and priority appended"),
            )
        ),
        ignored("notify_deleted", _NOT_USED),
        ignored("notify_master_rx_lower_pri", _NOT_USED),
        ignored("notify_priority_changes", _FIFO, _ON_OFF, default=False),
        ignored("smtp_alert", _NO_MAIL, _ON_OFF, default=False),
        ignored("debug", _NOT_USED),
        ignored("kernel_rx_buf_size", _BUFFERS),
        ignored("lvs_sync_daemon_interface", _LVS),
        ignored("linkbeat_use_polling", "Links are watched through netlink."),
        ignored(
            "skip_check_adv_addr",
            "The address list of an advert never decides.",
            _ON_OFF,
            default=False,
        ),
        ignored("check_unicast_src", "The source of a unicast advert is always checked."),
        ignored("accept", "Packets to virtual addresses are accepted in any case."),
        ignored("promote_secondaries", "All virtual addresses are removed together."),
        ignored("native_ipv6", "The addresses tell the family."),
        ignored("garp_extra_if", _VMAC),
        ignored("vmac_garp_intvl", _VMAC),
        refused("no_accept", "It changes who answers for the addresses."),
        refused("dont_track_primary", _TRACKING),
        refused("track_src_ip", _TRACKING),
        refused("strict_mode", _WIRE, _ON_OFF, default=False),
        refused("down_timer_adverts", _TIMERS, Integer(1, 100), 3),
        refused("timer_expired_backup", _TIMERS),
        refused("thread_timer_expired", _TIMERS),
        refused("owner_ignore_adverts", _WIRE, _ON_OFF, default=False),
        refused("lower_prio_no_advert", _WIRE, _ON_OFF, default=False),
        refused("higher_prio_send_advert", _WIRE, _ON_OFF, default=False),
        refused("unicast_ttl", _WIRE, Integer(0, 255), 255),
        refused("unicast_fault_no_peer", _UNICAST),
        refused("old_unicast_checksum", _WIRE),
        refused("v3_checksum_as_v2", _WIRE, _ON_OFF, default=False),
        refused("mcast_dst_ip", _WIRE),
        refused("vrf", _UNICAST),
        *(
            refused(name, _VMAC)
            for name in ("use_vmac", "use_vmac_addr", "vmac_xmit_base", "use_ipvlan")
        ),
        Block("auth_hmac", doc=_WIRE, support=REFUSED),
        Block("virtual_routes", doc="It changes what the kernel routes or holds.", support=REFUSED),
        Block("virtual_rules", doc="It changes what the kernel routes or holds.", support=REFUSED),
        *(
            Block(f"track_{what}", doc=_TRACKING, support=REFUSED)
            for what in ("file", "process", "bfd")
        ),
    ),
)

ROOT = Block(
    "",
    doc="The outermost level of the file.",
    rows=(
        _GLOBAL_DEFS,
        _VRRP_SCRIPT,
        _VRRP_INSTANCE,
        Block("vrrp_sync_group", doc=_TRACKING, support=REFUSED, named=True),
        *(
            Block(
                f"static_{what}", doc="It changes what the kernel routes or holds.", support=REFUSED
            )
            for what in ("ipaddress", "routes", "rules")
        ),
        Block("interface_up_down_delays", doc=_TIMERS, support=REFUSED),
        refused(
            "net_namespace", "Start the program inside the namespace instead, or leave it out."
        ),
        Block("track_group", doc="Only static addresses use it.", support=IGNORED, named=True),
        *(
            Block(name, doc="Only its use in an instance is refused.", support=IGNORED, named=True)
            for name in ("track_file", "vrrp_track_file", "vrrp_track_process", "bfd_instance")
        ),
        Block("garp_group", doc="Gratuitous ARPs are not spaced.", support=IGNORED),
        Block("linkbeat_interfaces", doc="Links are watched through netlink.", support=IGNORED),
        ignored("linkbeat_use_polling", "Links are watched through netlink."),
        ignored("net_namespace_ipvs", _LVS),
        ignored("namespace_with_ipsets", _NOT_USED),
        ignored("instance", _NOT_USED),
        ignored("use_pid_dir", _NOT_USED),
        ignored("child_wait_time", _NOT_USED),
        Block("virtual_server", doc=_LVS, support=IGNORED, named=True),
        Block("virtual_server_group", doc=_LVS, support=IGNORED, named=True),
        Block("SSL", doc=_LVS, support=IGNORED),
    ),
)
"""The outermost level."""


_INNER = {row.name for block, row in walk(ROOT) if block is not ROOT}

ROOT_ONLY = frozenset(
    row.name for row in ROOT.rows if isinstance(row, Block) and row.name not in (*_INNER, "SSL")
)
"""Blocks that stand nowhere but at the outermost level: inside another, a } must be missing."""
