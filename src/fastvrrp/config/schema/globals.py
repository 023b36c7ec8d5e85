"""Rows of `global_defs`."""

from fastvrrp.config.model import GlobalConfig, Version
from fastvrrp.config.row import IGNORED, NOT_RUN, REFUSED, Block, Keyword, Support
from fastvrrp.config.schema.garp import extra_garp_rows, garp_rows
from fastvrrp.config.schema.ipvs import IPVS, WITHOUT_IPVS
from fastvrrp.config.schema.process import PROCESS_DEFAULTS
from fastvrrp.config.values import (
    Boolean,
    Choice,
    CommandLine,
    Flag,
    Host,
    Integer,
    Seconds,
    Text,
    UserGroup,
    WholeSeconds,
)
from fastvrrp.config.values.checkers import Lenient
from fastvrrp.config.values.globals import (
    DynamicInterfaces,
    Fifo,
    GroupOfFamily,
    OldFirewall,
    OptionalText,
    PlainInterface,
    Timeout,
)

__all__ = ["GLOBAL_DEFS"]

_NO_MAIL = "No mail is sent yet."
_NO_FIFO = "Nothing is written to FIFOs yet."
_NOT_TOLD = "What reads the FIFO would never hear that this router is active."
_MAX_SECONDS = "4294.967295"
_OF = "; default of instances that follow"
_TABLE = "keepalived"
_PAUSE = Seconds("0.000001", _MAX_SECONDS, hint="remove the line for no pause")
_SCRIPT_LIMIT = Lenient(WholeSeconds(1, 1000), "a time in seconds")
_COMMAND = Lenient(CommandLine(), "a program")

_MAIL: tuple[Block | Keyword, ...] = (
    Keyword(
        "router_id",
        Lenient(Text("name"), "a name"),
        "Name of this machine in mail and SNMP.",
        to="router_id",
        default="the host name",
        support=IGNORED,
        why="Neither mail nor SNMP is there yet.",
    ),
    Block(
        "notification_email",
        doc="Recipients of mail about state changes, several a line.",
        to="notification_email",
        entry=Text("mail address"),
        flat=True,
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "notification_email_from",
        Lenient(Text("mail address"), "a mail address"),
        "Sender of mail.",
        to="notification_email_from",
        default="user@host of the program",
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "smtp_server",
        Host(),
        "Mail server; without one there is no mail.",
        to=("smtp_server", "smtp_port"),
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "smtp_connect_timeout",
        Timeout(4294),
        "How long the mail server may take to accept a connection, and for each answer.",
        to="smtp_connect_timeout",
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "smtp_helo_name",
        Lenient(Text("host name"), "a host name"),
        "Name that the mail server is greeted with.",
        to="smtp_helo_name",
        default="the host name",
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "smtp_alert",
        Boolean(),
        "Send mail at changes of whatever does not say so itself.",
        to="smtp_alert",
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "smtp_alert_vrrp",
        Boolean(),
        "As smtp_alert, of instances and sync groups only; it comes before smtp_alert.",
        to="smtp_alert_vrrp",
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "smtp_alert_checker",
        Boolean(),
        "As smtp_alert, of load balancing only; it comes before smtp_alert.",
        to="smtp_alert_checker",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "no_email_faults",
        Flag(),
        "Send no mail when an instance enters FAULT.",
        to="no_email_faults",
        support=IGNORED,
        why=_NO_MAIL,
    ),
    Keyword(
        "no_checker_emails",
        Flag(),
        "Send mail when a real server changes, but not for each of its checkers.",
        to="no_checker_emails",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
)


def _fifo_rows(prefix: str, events: str, support: Support, why: str) -> tuple[Keyword, ...]:
    """Return the keywords of one FIFO."""
    name = f"{prefix}notify_fifo"
    return (
        Keyword(
            name,
            Lenient(Fifo(), "a path"),
            f"FIFO that a line is written to for each event of {events}; and who owns it.",
            to=(f"{name}.path", f"{name}.user", f"{name}.group"),
            first_wins=True,
            support=support,
            why=why,
        ),
        Keyword(
            f"{name}_script",
            _COMMAND,
            f"Program that is started to read {name}; its path is the last argument.",
            to=f"{name}.script",
            first_wins=True,
            support=support,
            why=why,
        ),
    )


_SCRIPTS: tuple[Block | Keyword, ...] = (
    Keyword(
        "script_user",
        Lenient(UserGroup(), "a user name"),
        "Account that runs scripts which name none.",
        to=("script_user", "script_group"),
        default="keepalived_script if it exists, else the program's own",
    ),
    Keyword(
        "enable_script_security",
        Flag(),
        "Do not run as root what others than root can change.",
        to="enable_script_security",
    ),
    Keyword(
        "use_symlink_paths",
        Boolean(),
        "Start programs by the path that is written instead of what it leads to.",
        to="use_symlink_paths",
        support=IGNORED,
        why="Programs are started by what the path leads to, and find the written path as name.",
    ),
    Keyword(
        "startup_script",
        _COMMAND,
        "Program that runs to its end before any virtual router is started.",
        to="startup_script",
        first_wins=True,
        support=REFUSED,
        why="What it prepares would be missing.",
    ),
    Keyword(
        "startup_script_timeout",
        _SCRIPT_LIMIT,
        "How long startup_script may take.",
        to="startup_script_timeout",
        support=IGNORED,
        why="There is no startup_script yet.",
    ),
    Keyword(
        "shutdown_script",
        _COMMAND,
        "Program that runs when all virtual routers have stopped.",
        to="shutdown_script",
        first_wins=True,
        support=IGNORED,
        why="It is not run yet; no address is held any more at that time.",
    ),
    Keyword(
        "shutdown_script_timeout",
        _SCRIPT_LIMIT,
        "How long shutdown_script may take.",
        to="shutdown_script_timeout",
        support=IGNORED,
        why="There is no shutdown_script yet.",
    ),
    *_fifo_rows("", "instances, sync groups and load balancing", REFUSED, _NOT_TOLD),
    *_fifo_rows("vrrp_", "instances and sync groups", REFUSED, _NOT_TOLD),
    *_fifo_rows("lvs_", "load balancing", NOT_RUN, WITHOUT_IPVS),
    Keyword(
        "vrrp_notify_priority_changes",
        Boolean(),
        "Write changes of the priority of instances to the FIFO.",
        to="vrrp_notify_priority_changes",
        support=IGNORED,
        why=_NO_FIFO,
    ),
    Keyword(
        "fifo_write_vrrp_states_on_reload",
        Flag(),
        "Write all states to the FIFO after a reload.",
        to="fifo_write_vrrp_states_on_reload",
        support=IGNORED,
        why=_NO_FIFO,
    ),
)

_PROTOCOL = (
    Keyword(
        "vrrp_version",
        Choice({"2": Version.V2, "3": Version.V3}),
        "VRRP version of instances that name none. IPv6 instances always speak version 3.",
        to="vrrp_version",
    ),
    Keyword(
        "vrrp_strict",
        Boolean(),
        "Default of strict_mode: behave exactly as the RFC says.",
        to="vrrp_strict",
    ),
    *(
        Keyword(
            f"vrrp_mcast_group{family}",
            GroupOfFamily(family),
            f"Multicast group of the adverts of IPv{family} instances that name none.",
            to=f"vrrp_mcast_group{family}",
        )
        for family in (4, 6)
    ),
    Keyword(
        "vrrp_down_timer_adverts",
        Integer(1, 100),
        f"How many adverts must be missing before a router takes over{_OF}.",
        to="vrrp_down_timer_adverts",
    ),
    Keyword(
        "vrrp_lower_prio_no_advert",
        Boolean(),
        "Default of lower_prio_no_advert: as active, do not answer an advert of lower priority.",
        to="vrrp_lower_prio_no_advert",
    ),
    Keyword(
        "vrrp_higher_prio_send_advert",
        Boolean(),
        "Default of higher_prio_send_advert: as active, send one more advert before giving way.",
        to="vrrp_higher_prio_send_advert",
    ),
    Keyword(
        "vrrp_owner_ignore_adverts",
        Boolean(),
        "Default of owner_ignore_adverts: with priority 255, drop the adverts of others.",
        to="vrrp_owner_ignore_adverts",
    ),
    Keyword(
        "vrrp_check_unicast_src",
        Flag(),
        "Default of check_unicast_src: drop unicast adverts that come from no peer.",
        to="vrrp_check_unicast_src",
    ),
    Keyword(
        "vrrp_skip_check_adv_addr",
        Boolean(),
        f"Do not compare the addresses in adverts from the active router that is known{_OF}.",
        to="vrrp_skip_check_adv_addr",
    ),
    Keyword(
        "v3_checksum_as_v2",
        Flag(),
        f"Make the checksum of VRRPv3 adverts over IPv4 without pseudo header{_OF}.",
        to="v3_checksum_as_v2",
    ),
    Keyword(
        "vrrp_startup_delay",
        Seconds("0.001", _MAX_SECONDS),
        "After the start, no advert is sent or looked at for this time.",
        to="vrrp_startup_delay",
    ),
    Keyword(
        "vrrp_delay_after_boot",
        Seconds("0", _MAX_SECONDS),
        "The same, counted from the start of the machine; the longer of both counts.",
        to="vrrp_delay_after_boot",
    ),
    Keyword(
        "log_unknown_vrids",
        Flag(),
        "Log adverts of virtual routers that are not configured here.",
        to="log_unknown_vrids",
    ),
)

_GARP = (
    Keyword(
        "vrrp_min_garp",
        Boolean(),
        "Send one gratuitous ARP per address and no second one, unless values before it say more.",
        to="vrrp_min_garp",
    ),
    *garp_rows("vrrp_", of=_OF),
    Keyword(
        "vrrp_garp_interval",
        _PAUSE,
        "Least time between two gratuitous ARPs on one interface.",
        to="vrrp_garp_interval",
    ),
    Keyword(
        "vrrp_gna_interval",
        _PAUSE,
        "Least time between two unsolicited neighbour advertisements on one interface.",
        to="vrrp_gna_interval",
    ),
    *extra_garp_rows(
        "vrrp_", "vrrp_vmac_garp_intvl", least=1, of="; default of instances that say nothing"
    ),
)

_HOST = (
    Keyword(
        "default_interface",
        Lenient(PlainInterface(), "an interface"),
        "Interface of static addresses that name none.",
        to="default_interface",
    ),
    Keyword(
        "dynamic_interfaces",
        DynamicInterfaces(),
        "Interfaces may be missing at the start; one that comes is used. allow_if_changes says "
        "nothing more: one that comes back as another kind is used, too.",
        to=("dynamic_interfaces", "allow_if_changes"),
    ),
    Keyword(
        "vmac_prefix",
        Text("prefix"),
        "First part of the names of interfaces that use_vmac makes.",
        to="vmac_prefix",
    ),
    Keyword(
        "vmac_addr_prefix",
        Text("prefix"),
        "First part of the names of interfaces that use_vmac_addr makes.",
        to="vmac_addr_prefix",
        default="vmac_prefix",
    ),
    Keyword(
        "nftables",
        OptionalText("table", absent=_TABLE),
        "Name of the nftables table that drops packets for no_accept.",
        to="firewall.table",
        default=f"{_TABLE}, where one is needed",
        first_wins=True,
    ),
    Keyword(
        "nftables_priority",
        Integer(-(2**31), 2**31 - 1),
        "Priority of the chains in that table.",
        to="firewall.priority",
    ),
    Keyword(
        "nftables_ifindex",
        Flag(),
        "Recognise interfaces by their index instead of their name.",
        to="firewall.by_index",
    ),
    Keyword(
        "nftables_counters",
        Flag(),
        "Add counters to the rules in that table.",
        to="firewall.counters",
    ),
    Keyword(
        "vrrp_iptables",
        OldFirewall(_TABLE),
        "Chains of iptables; nftables is used instead.",
        to="firewall.table",
        alias=True,
    ),
    Keyword(
        "vrrp_ipsets",
        OldFirewall(),
        "Names of sets for the rules of iptables, which is not used any more.",
        to="firewall.table",
        support=IGNORED,
        why="The sets are in the nftables table.",
        alias=True,
    ),
    Keyword(
        "disable_local_igmp",
        Flag(),
        "Switch off membership reports for 224.0.0.0/24 while the program runs.",
        to="disable_local_igmp",
        support=IGNORED,
        why="Membership reports never leave from a virtual MAC address.",
    ),
    *(
        Keyword(
            f"iproute_{kind}_dir",
            Lenient(Text("directory"), "a directory"),
            f"Directory that the names of routing tables and protocols are {what}.",
            to=f"iproute_{kind}_dir",
            default=default,
        )
        for kind, what, default in (
            ("etc", "read from", "/etc/iproute2"),
            ("usr", "read from where the other one has none", "that of the installed iproute2"),
        )
    ),
)

GLOBAL_DEFS = Block(
    "global_defs",
    to="global_defs",
    model=GlobalConfig,
    doc="Settings of the whole program, and defaults of all instances.",
    rows=(*_MAIL, *_SCRIPTS, *_PROTOCOL, *_GARP, *_HOST, *PROCESS_DEFAULTS, *IPVS),
)
