"""Rows of what decides about instances from outside: scripts, files, processes, BFD, groups."""

from fastvrrp.config.model import (
    BfdInstance,
    GlobalConfig,
    ParamMatch,
    ScriptConfig,
    SyncGroup,
    TrackFile,
    TrackGroup,
    TrackProcess,
)
from fastvrrp.config.row import IGNORED, REFUSED, Block, Keyword
from fastvrrp.config.schema.notify import notify_rows
from fastvrrp.config.schema.probes import VRRP_PROBE
from fastvrrp.config.values import (
    Boolean,
    CommandLine,
    Flag,
    Integer,
    IpAddress,
    Name,
    Seconds,
    Text,
    UserGroup,
    Weight,
)
from fastvrrp.config.values.checkers import Lenient
from fastvrrp.config.values.tracking import (
    BfdName,
    BothDelays,
    FileInit,
    InterfaceLine,
    MaxHops,
    Milliseconds,
    ParamMatchMode,
    ProcessWords,
    TrackLine,
)

__all__ = ["TRACKING", "TRACK_ROWS"]

_ACTIVE = "It decides who may be active."

_SCRIPT_TIME = Seconds("0.001", "4294", step=1_000_000)
_SCRIPT_WEIGHT = Weight(clips=True)
_WIDE_WEIGHT = Weight(254)
_BFD_WEIGHT = Weight()
_DELAY = Seconds("0.000001", "3600")

TRACK_ROWS: tuple[Block, ...] = (
    Block(
        "track_script",
        doc="Scripts that decide about the instance. One a line.",
        to="scripts",
        entry=TrackLine("vrrp_script", _SCRIPT_WEIGHT),
    ),
    Block(
        "track_interface",
        doc="Interfaces that must be up, besides those that the instance uses: without a weight, "
        "one that is down is a fault. One a line.",
        to="interfaces",
        entry=InterfaceLine("interface", Weight(clips=True)),
    ),
    *(
        Block(
            name,
            doc=f"{things} that decide about the instance. One a line.",
            to=to,
            entry=TrackLine(what, weight),
        )
        for name, things, to, what, weight in (
            ("track_file", "Numbers in files", "files", "track_file", _WIDE_WEIGHT),
            ("track_process", "Processes", "processes", "vrrp_track_process", _WIDE_WEIGHT),
            ("track_probe", "Probes", "probes", "vrrp_probe", _SCRIPT_WEIGHT),
        )
    ),
    Block(
        "track_bfd",
        doc="BFD sessions that decide about the instance. One a line.",
        to="bfd",
        entry=TrackLine("bfd_instance", _BFD_WEIGHT),
        support=REFUSED,
        why=_ACTIVE,
        judged=True,
    ),
)
"""Blocks of an instance and of a sync group: what they track."""

_VRRP_SCRIPT = Block(
    "vrrp_script",
    to="scripts",
    many=True,
    model=ScriptConfig,
    header=Keyword("NAME", Name("name for this vrrp_script"), "Its name.", to="name"),
    doc="A program whose exit status tells if this machine may be active. "
    "Its name follows the keyword.",
    rows=(
        Keyword(
            "script",
            CommandLine(with_user=False),
            "The program; exit status 0 is success.",
            to="command",
            required='script "/path/to/program arguments"',
        ),
        Keyword("interval", _SCRIPT_TIME, "How often it runs.", to="interval"),
        Keyword(
            "timeout",
            _SCRIPT_TIME,
            "After this time it has failed.",
            to="timeout",
            default="interval",
        ),
        Keyword(
            "weight",
            _SCRIPT_WEIGHT,
            "Added to the priority: positive on success, negative on failure. "
            "0: failure is a fault.",
            to=("weight", "reverse"),
        ),
        Keyword("rise", Integer(1, 2**31 - 1), "Successes in a row that count.", to="rise"),
        Keyword("fall", Integer(1, 2**31 - 1), "Failures in a row that count.", to="fall"),
        Keyword(
            "user",
            UserGroup(),
            "Account that runs it.",
            to=("command.user", "command.group"),
            default="script_user",
        ),
        Keyword(
            "init_fail",
            Flag(),
            "Until its first run has ended the script counts as failed.",
            to="init_fail",
        ),
    ),
)


def _track_file(name: str, *, instead: str | None = None) -> Block:
    """Return the block that names a file."""
    return Block(
        name,
        to="files",
        many=True,
        model=TrackFile,
        header=Keyword("NAME", Name("name for this track_file"), "Its name.", to="name"),
        doc="A file with a number that is added to the priority. Its name follows the keyword.",
        instead=instead,
        alias=instead is not None,
        rows=(
            Keyword(
                "file",
                Text("the path of a file"),
                "Path of the file.",
                to="path",
                required="file /run/priority",
                first_wins=True,
            ),
            Keyword(
                "weight",
                Lenient(_WIDE_WEIGHT, "a number"),
                "What the number in the file is multiplied by before it is added to the priority. "
                "0: any number but 0 is a fault.",
                to=("weight", "reverse"),
            ),
            Keyword(
                "init_file",
                FileInit(),
                "Create the file with this number at start, 0 if none is given; overwrite: even if "
                "it exists.",
                to=("init", "overwrite"),
                default="the file is not created",
            ),
        ),
    )


def _has_one_delay(process: TrackProcess) -> bool:
    return process.delays.terminate == process.delays.fork


def _has_two_delays(process: TrackProcess) -> bool:
    return not _has_one_delay(process)


def _compares_lines(process: TrackProcess, _: GlobalConfig) -> bool:
    return len(process.command) > 1 or process.param_match is not ParamMatch.EXACT


_TRACK_PROCESS = Block(
    "vrrp_track_process",
    to="processes",
    many=True,
    model=TrackProcess,
    header=Keyword("NAME", Name("name for this vrrp_track_process"), "Its name.", to="name"),
    doc="A number of processes of one kind that must run. Its name follows the keyword.",
    rows=(
        Keyword(
            "process",
            ProcessWords(),
            "The program and its parameters. Without parameters it is the name of the process, of "
            "at most 15 characters and without a path.",
            to="command",
            required="process nginx",
            first_wins=True,
        ),
        Keyword(
            "param_match",
            ParamMatchMode(),
            "How parameters are compared; initial: a process may have more of them, partial: the "
            "last one may go on as well.",
            to="param_match",
        ),
        Keyword(
            "full_command",
            Flag(),
            "Compare with the command line of a process, not with its name.",
            to="full_command",
            default="off; on with parameters or param_match",
            without=_compares_lines,
        ),
        Keyword(
            "weight",
            Lenient(_WIDE_WEIGHT, "a number"),
            "Added to the priority: positive with a quorum, negative without. "
            "0: no quorum is a fault.",
            to=("weight", "reverse"),
        ),
        Keyword(
            "quorum",
            Integer(1, 65535),
            "How many must run.",
            to="quorum",
        ),
        Keyword(
            "quorum_max",
            Integer(0, 65535),
            "How many may run; 0: none must.",
            to="quorum_max",
            default="no limit",
        ),
        Keyword(
            "delay",
            BothDelays(_DELAY),
            "How long a quorum must be lost or reached before that counts: both of the following.",
            to="delays",
            written_if=_has_one_delay,
        ),
        Keyword(
            "terminate_delay",
            _DELAY,
            "How long a quorum must be lost before that counts.",
            to="delays.terminate",
            written_if=_has_two_delays,
        ),
        Keyword(
            "fork_delay",
            _DELAY,
            "How long a quorum must be reached before that counts.",
            to="delays.fork",
            written_if=_has_two_delays,
        ),
    ),
)

_NO_SESSION = "There are no BFD sessions yet."

_BFD_INSTANCE = Block(
    "bfd_instance",
    to="bfd_instances",
    many=True,
    model=BfdInstance,
    header=Keyword("NAME", BfdName(), "Its name, of at most 31 characters.", to="name"),
    doc="A BFD session (RFC 5880), which notices within milliseconds that a neighbour is gone. "
    "Its name follows the keyword.",
    support=IGNORED,
    why=_NO_SESSION,
    rows=(
        *(
            Keyword(
                name,
                IpAddress(),
                "Address of the neighbour.",
                to="neighbor",
                required=required,
                alias=required is None,
                support=IGNORED,
                why=_NO_SESSION,
            )
            for name, required in (
                ("neighbor_ip", "neighbor_ip 192.0.2.1"),
                ("neighbour_ip", None),
            )
        ),
        Keyword(
            "source_ip",
            IpAddress(),
            "Address that packets are sent from.",
            to="source",
            default="as routing chooses",
            support=IGNORED,
            why=_NO_SESSION,
        ),
        *(
            Keyword(
                name,
                Milliseconds(least),
                doc,
                to=name,
                support=IGNORED,
                why=_NO_SESSION,
            )
            for name, least, doc in (
                ("min_rx", 1, "The shortest interval between packets that can be received."),
                ("min_tx", 1, "The shortest interval between packets that are sent."),
                ("idle_tx", 1000, "Interval of packets while the session is not up."),
            )
        ),
        Keyword(
            "multiplier",
            Integer(1, 255),
            "How many packets must be missing before the session is down.",
            to="multiplier",
            support=IGNORED,
            why=_NO_SESSION,
        ),
        Keyword(
            "passive",
            Flag(),
            "Wait for the first packet of the neighbour.",
            to="passive",
            support=IGNORED,
            why=_NO_SESSION,
        ),
        *(
            Keyword(
                name,
                Integer(1, 255),
                "TTL or hop limit of packets.",
                to="ttl",
                default="255, IPv6: 64",
                alias=alias,
                support=IGNORED,
                why=_NO_SESSION,
            )
            for name, alias in (("ttl", False), ("hoplimit", True))
        ),
        Keyword(
            "max_hops",
            MaxHops(),
            "How many routers may be on the way; 255: any number.",
            to="max_hops",
            support=IGNORED,
            why=_NO_SESSION,
        ),
        Keyword(
            "multihop",
            Boolean(),
            "Use port 4784, for neighbours behind routers (RFC 5883).",
            to="multihop",
            support=IGNORED,
            why=_NO_SESSION,
        ),
        Keyword(
            "weight",
            _BFD_WEIGHT,
            "Added to the priority: positive while up, negative while down. "
            "0: a session that is down is a fault.",
            to=("weight", "reverse"),
            support=IGNORED,
            why=_NO_SESSION,
        ),
        *(
            Keyword(
                name,
                Flag(),
                f"Tell {who} of the session; with neither word, both are told.",
                to=to,
                support=IGNORED,
                why=_NO_SESSION,
            )
            for name, to, who in (
                ("vrrp", "for_vrrp", "virtual routers"),
                ("checker", "for_checker", "checkers of real servers"),
            )
        ),
    ),
)


_MEMBERS = Block(
    "group",
    doc="The instances, several on a line or one on each.",
    to="members",
    entry=Name("name of a vrrp_instance"),
    flat=True,
)


_SYNC_GROUP = Block(
    "vrrp_sync_group",
    to="groups",
    many=True,
    model=SyncGroup,
    header=Keyword("NAME", Name("name for a vrrp_sync_group", alone=True), "Its name.", to="name"),
    doc="Instances that are active or backup together, and in FAULT if one of them is. "
    "Its name follows the keyword.",
    rows=(
        _MEMBERS,
        *TRACK_ROWS,
        Keyword(
            "sync_group_tracking_weight",
            Flag(),
            "Weights of what members track themselves count, too. All members should have the same "
            "priority and weights then.",
            to="tracking_weight",
        ),
        Keyword(
            "global_tracking",
            Flag(),
            "Old name of sync_group_tracking_weight.",
            to="tracking_weight",
            instead="sync_group_tracking_weight",
            alias=True,
        ),
        *notify_rows("GROUP, name, state and 0"),
        Keyword(
            "notify_priority_changes",
            Boolean(),
            "Write changes of the priority of members to the notify FIFO.",
            to="notify_priority_changes",
            default="as global_defs says",
            support=IGNORED,
            why="Nothing is written to FIFOs yet.",
        ),
        Keyword(
            "smtp_alert",
            Boolean(),
            "Send mail at changes of the state.",
            to="smtp_alert",
            default="as global_defs says",
            support=IGNORED,
            why="No mail is sent yet.",
        ),
    ),
)

_TRACK_GROUP = Block(
    "track_group",
    to="track_groups",
    many=True,
    model=TrackGroup,
    header=Keyword("NAME", Name("name for a track_group", alone=True), "Its name.", to="name"),
    doc="Instances that static addresses, routes and rules name together: they are in FAULT while "
    "the interface of one of these is absent. Its name follows the keyword.",
    rows=(_MEMBERS,),
)

TRACKING: tuple[Block, ...] = (
    _VRRP_SCRIPT,
    _track_file("track_file"),
    _track_file("vrrp_track_file", instead="track_file"),
    _TRACK_PROCESS,
    VRRP_PROBE,
    _BFD_INSTANCE,
    _TRACK_GROUP,
    _SYNC_GROUP,
)
"""Blocks of the outermost level, in the order in which they may name each other."""
