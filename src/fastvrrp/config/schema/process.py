"""Rows about the process: at the outermost level, and those of `global_defs`."""

from fastvrrp.config.row import IGNORED, NOT_RUN, REFUSED, Block, Keyword, Support
from fastvrrp.config.schema.ipvs import WITHOUT_IPVS
from fastvrrp.config.values import (
    Boolean,
    Choice,
    Flag,
    Integer,
    OptionalInteger,
    Seconds,
    Text,
    WholeSeconds,
)
from fastvrrp.config.values.checkers import Lenient
from fastvrrp.config.values.globals import (
    CpuList,
    IncludeChecks,
    Microseconds,
    OptionalText,
    ProcessName,
    RealTimePriority,
    ReceiveBuffer,
    Umask,
)

__all__ = ["PROCESS", "PROCESS_DEFAULTS"]

_MAX_COUNT = 2**32 - 1
_ONE_PROGRAM = "Pid files are named on the command line."
_NO_NAMES = "The names of processes do not change."
_NO_TUNING = "The program chooses how the kernel runs it."
_NO_BUFFERS = "The program chooses the size of its buffers."
_NO_BFD = "There is no BFD yet."
_NO_DUMP = "No state is written to files yet."
_NO_SNMP = "There is no SNMP yet."
_NO_DBUS = "There is no DBus interface yet."
_ONE_READING = "The configuration is read once, and kept in no file."

PROCESS: tuple[Block | Keyword, ...] = (
    Keyword(
        "net_namespace",
        Lenient(Text("network namespace"), "a name"),
        "Network namespace that all virtual routers run in; it implies use_pid_dir.",
        to="process.net_namespace",
        default="that of the program",
        first_wins=True,
        support=REFUSED,
        why="It would run in the wrong network namespace; start it by `ip netns exec NAME`.",
    ),
    Keyword(
        "net_namespace_ipvs",
        OptionalText("network namespace", absent=""),
        "Network namespace of load balancing; no name: the one that the program was started in.",
        to="process.ipvs_namespace",
        default="net_namespace",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "namespace_with_ipsets",
        Flag(),
        "Allow ipsets in a network namespace.",
        to="process.namespace_with_ipsets",
        support=IGNORED,
        why="No ipsets are used.",
    ),
    Keyword(
        "instance",
        Lenient(Text("name"), "a name"),
        "Name of this daemon, if there are several: in pid files and in the log; it implies "
        "use_pid_dir.",
        to="process.instance",
        first_wins=True,
        support=IGNORED,
        why=_ONE_PROGRAM,
    ),
    Keyword(
        "use_pid_dir",
        Flag(),
        "Put pid files into /run/keepalived.",
        to="process.use_pid_dir",
        support=IGNORED,
        why=_ONE_PROGRAM,
    ),
    Keyword(
        "child_wait_time",
        WholeSeconds(0, _MAX_COUNT),
        "At the end, how long the other processes may take before they are killed.",
        to="process.child_wait_time",
        support=IGNORED,
        why="The program waits as long as stopping properly takes.",
    ),
    Keyword(
        "linkbeat_use_polling",
        Flag(),
        "Ask for the state of links every second instead of being told by the kernel.",
        to="process.linkbeat_polling",
    ),
)


def _scheduling_rows(process: str, what: str, support: Support, why: str) -> tuple[Keyword, ...]:
    """Return how the kernel runs one of keepalived's processes."""
    to = f"{process}_process"
    return (
        Keyword(
            f"{process}_process_name",
            ProcessName(),
            f"Name of the process of {what}.",
            to=f"{to}.name",
            default=f"keepalived_{process}, with process_names",
            support=support,
            why=why,
        ),
        Keyword(
            f"{process}_priority",
            Lenient(Integer(-20, 19), "a priority"),
            f"Nice value of the process of {what}; the lowest one is served first.",
            to=f"{to}.priority",
            support=support,
            why=why,
        ),
        Keyword(
            f"{process}_no_swap",
            Flag(),
            f"Keep the process of {what} in memory.",
            to=f"{to}.no_swap",
            support=support,
            why=why,
        ),
        Keyword(
            f"{process}_rt_priority",
            Lenient(RealTimePriority(), "a priority"),
            f"Real-time priority of the process of {what}; 0: it has none.",
            to=f"{to}.rt_priority",
            support=support,
            why=why,
        ),
        Keyword(
            f"{process}_rlimit_rttime",
            Microseconds(1, _MAX_COUNT),
            f"How long the process of {what} may run at once at a real-time priority.",
            to=f"{to}.rlimit_rttime",
            support=support,
            why=why,
        ),
        Keyword(
            f"{process}_rlimit_rtime",
            Microseconds(1, _MAX_COUNT),
            f"Old name of {process}_rlimit_rttime.",
            to=f"{to}.rlimit_rttime",
            support=support,
            why=why,
            alias=True,
        ),
        Keyword(
            f"{process}_cpu_affinity",
            Lenient(CpuList(), "the number of a processor"),
            f"Processors that the process of {what} may use.",
            to=f"{to}.cpus",
            default="all",
            support=support,
            why=why,
        ),
    )


_TUNING = (
    Keyword(
        "process_names",
        Flag(),
        "Name processes after what they do.",
        to="process_names",
        support=IGNORED,
        why=_NO_NAMES,
    ),
    Keyword(
        "process_name",
        ProcessName(),
        "Name of the first process.",
        to="process_name",
        default="keepalived",
        support=IGNORED,
        why=_NO_NAMES,
    ),
    *_scheduling_rows("vrrp", "virtual routers", IGNORED, _NO_TUNING),
    *_scheduling_rows("checker", "load balancing", NOT_RUN, WITHOUT_IPVS),
    Keyword(
        "lvs_process_name",
        ProcessName(),
        "Old name of checker_process_name.",
        to="checker_process.name",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
        alias=True,
    ),
    *_scheduling_rows("bfd", "BFD", IGNORED, _NO_BFD),
    Keyword(
        "max_auto_priority",
        OptionalInteger(-1, 99, absent=99),
        "Highest real-time priority that a process gets by itself when it is run too late; "
        "0 and -1: none.",
        to="max_auto_priority",
        support=IGNORED,
        why=_NO_TUNING,
    ),
    Keyword(
        "min_auto_priority_delay",
        Lenient(Microseconds(1, 10_000_000), "a time in microseconds"),
        "How late a process must be run for that.",
        to="min_auto_priority_delay",
        support=IGNORED,
        why=_NO_TUNING,
    ),
    Keyword(
        "umask",
        Umask(),
        "Permissions that new files do not have.",
        to="umask",
        default="0177",
        support=IGNORED,
        why="It is set on the command line, by --umask.",
    ),
)


def _buffer_rows(name: str, to: str, support: Support, why: str) -> tuple[Keyword, ...]:
    """Return the size of the receive buffer of one netlink socket, and if it is forced."""
    return (
        Keyword(
            name,
            Lenient(Integer(0, _MAX_COUNT), "a number of bytes"),
            "Size of a receive buffer for messages of the kernel, in bytes.",
            to=f"buffers.{to}",
            default="that of the kernel",
            support=support,
            why=why,
        ),
        Keyword(
            f"{name}_force",
            Boolean(),
            f"Set {name} even beyond the limit of the kernel.",
            to=f"buffers.{to}_force",
            support=support,
            why=why,
        ),
    )


_BUFFERS = (
    Keyword(
        "vrrp_rx_bufs_policy",
        Lenient(ReceiveBuffer(), "MTU, ADVERT or a number of bytes"),
        "Size of the receive buffers for adverts: by the MTU, by the length of adverts, or bytes.",
        to="buffers.adverts",
        default="that of the kernel",
        support=IGNORED,
        why=_NO_BUFFERS,
    ),
    Keyword(
        "vrrp_rx_bufs_multiplier",
        Lenient(Integer(1, _MAX_COUNT), "a number"),
        "How many frames or adverts of each instance these buffers have room for.",
        to="buffers.adverts_multiplier",
        support=IGNORED,
        why=_NO_BUFFERS,
    ),
    *_buffer_rows("vrrp_netlink_cmd_rcv_bufs", "vrrp_command", IGNORED, _NO_BUFFERS),
    *_buffer_rows("vrrp_netlink_monitor_rcv_bufs", "vrrp_monitor", IGNORED, _NO_BUFFERS),
    *_buffer_rows("lvs_netlink_cmd_rcv_bufs", "lvs_command", NOT_RUN, WITHOUT_IPVS),
    *_buffer_rows("lvs_netlink_monitor_rcv_bufs", "lvs_monitor", NOT_RUN, WITHOUT_IPVS),
    *_buffer_rows("process_monitor_rcv_bufs", "process_monitor", IGNORED, _NO_BUFFERS),
)

_READING = (
    Keyword(
        "include_check",
        IncludeChecks(),
        "What is an error in the include lines that follow: a file that cannot be read, and a "
        "pattern that matches nothing. A + or - changes what held before.",
        to="include_check",
        default="nothing",
    ),
    Keyword(
        "random_seed",
        Integer(0, _MAX_COUNT),
        "Start of the random numbers that ${_RANDOM} gives.",
        to="random_seed",
        default="a random one",
    ),
    Keyword(
        "tmp_config_directory",
        Lenient(Text("directory"), "a directory"),
        "Directory for a copy of the configuration.",
        to="tmp_config_directory",
        support=IGNORED,
        why=_ONE_READING,
    ),
    Keyword(
        "config_save_dir",
        Text("directory"),
        "Directory for copies of the configuration and of the state at each reload.",
        to="config_save_dir",
        support=IGNORED,
        why="Nothing is saved at a reload; keep the configuration under version control.",
    ),
    Keyword(
        "reload_check_config",
        OptionalText("file", absent="/dev/null"),
        "Test a new configuration before it replaces the old one; the report goes to the file.",
        to="reload.check_log",
        default="no test",
        support=IGNORED,
        why="Every new configuration is tested; the report goes to the log.",
    ),
    Keyword(
        "reload_time_file",
        Lenient(Text("file"), "a file"),
        "File with the time of the next reload: HH:MM:SS, or YYYY-MM-DD HH:MM:SS, and Z for UTC.",
        to="reload.time_file",
        support=REFUSED,
        why="A change of the configuration at that time would not take place.",
    ),
    Keyword(
        "reload_repeat",
        Flag(),
        "Reload at the time in reload_time_file every day.",
        to="reload.repeat",
        support=IGNORED,
        why="reload_time_file is not there yet.",
    ),
    Keyword(
        "reload_file",
        OptionalText("file", absent="/run/keepalived.reload"),
        "File that is there while the configuration is being read.",
        to="reload.file",
        default="no file",
        support=IGNORED,
        why="The file is not made; the log and systemctl tell of a reload.",
    ),
)

_DUMPS = (
    *(
        Keyword(
            f"{what}_dump_file",
            Lenient(Text("file"), "a file"),
            doc,
            to=f"dumps.{what}_file",
            default=f"/tmp/keepalived.{suffix}",
            support=IGNORED,
            why=_NO_DUMP,
        )
        for what, suffix, doc in (
            (
                "state",
                "data",
                "File that the state is written to on a signal; a / at its end: the directory.",
            ),
            (
                "stats",
                "stats",
                "File that statistics are meant to be written to; keepalived does not use it.",
            ),
            (
                "json",
                "json",
                "File that JSON is meant to be written to; keepalived does not use it.",
            ),
        )
    ),
    Keyword(
        "data_use_instance",
        Boolean(),
        "Add instance and net_namespace to the names of these files.",
        to="dumps.use_instance",
        support=IGNORED,
        why=_NO_DUMP,
    ),
    Keyword(
        "json_version",
        Choice({"1": 1, "2": 2}),
        "Form of the JSON.",
        to="dumps.json_version",
        support=IGNORED,
        why=_NO_DUMP,
    ),
)

_MONITORING = (
    Keyword(
        "snmp_socket",
        Lenient(Text("address"), "an address"),
        "Where the SNMP agent listens, such as unix:/var/agentx/master.",
        to="snmp.socket",
        default="unix:/var/agentx/master",
        first_wins=True,
        support=IGNORED,
        why=_NO_SNMP,
    ),
    *(
        Keyword(f"enable_{name}", Flag(), doc, to=f"snmp.{to}", support=IGNORED, why=_NO_SNMP)
        for name, to, doc in (
            ("traps", "traps", "Send SNMP traps."),
            ("snmp_vrrp", "vrrp", "Answer SNMP about virtual routers."),
            ("snmp_checker", "checker", "Answer SNMP about load balancing."),
            ("snmp_rfc", "rfc", "Answer SNMP as RFC 2787 and RFC 6527 have it."),
            ("snmp_rfcv2", "rfc_v2", "Answer SNMP as RFC 2787 has it."),
            ("snmp_rfcv3", "rfc_v3", "Answer SNMP as RFC 6527 has it."),
        )
    ),
    Keyword(
        "enable_snmp_keepalived",
        Flag(),
        "Old name of enable_snmp_vrrp.",
        to="snmp.vrrp",
        support=IGNORED,
        why=_NO_SNMP,
        alias=True,
    ),
    *(
        Keyword(
            f"snmp_{short}_stats_update_interval",
            Lenient(Seconds("0.001", "30"), "a time in seconds"),
            f"How old statistics of {what} may be that SNMP is told.",
            to=f"snmp.{to}_interval",
            support=NOT_RUN,
            why=WITHOUT_IPVS,
        )
        for short, to, what in (
            ("vs", "virtual_server", "virtual servers"),
            ("rs", "real_server", "real servers"),
        )
    ),
    Keyword(
        "enable_dbus",
        Flag(),
        "Offer the DBus interface.",
        to="dbus.enabled",
        support=IGNORED,
        why=_NO_DBUS,
    ),
    Keyword(
        "dbus_service_name",
        Lenient(Text("name"), "a name"),
        "Name of the service on the bus.",
        to="dbus.service_name",
        support=IGNORED,
        why=_NO_DBUS,
    ),
    Keyword(
        "dbus_no_interface_name",
        Lenient(Text("name"), "a name"),
        "What the interface of an instance without one is called on the bus.",
        to="dbus.no_interface_name",
        support=IGNORED,
        why=_NO_DBUS,
    ),
)

PROCESS_DEFAULTS = (*_TUNING, *_BUFFERS, *_READING, *_DUMPS, *_MONITORING)
"""Rows of `global_defs` about the process: how it is run, what it reads and what it shows."""
