"""Rows of load balancing: `virtual_server` and what belongs to it."""

from dataclasses import replace

from fastvrrp.config.model import (
    Protocol,
    RealServer,
    Scheduler,
    Ssl,
    VirtualServer,
    VirtualServerGroup,
)
from fastvrrp.config.row import NOT_RUN, Block, Keyword
from fastvrrp.config.schema.checkers import (
    CHECKERS,
    CONNECT_TIMEOUT,
    INTERVAL,
    MAX_COUNT,
    PAUSE,
    virtualhost,
)
from fastvrrp.config.values import Boolean, Choice, CommandLine, Flag, Integer, Name, Text
from fastvrrp.config.values.checkers import AnyCase, Lenient, NeverTaken, SecretText
from fastvrrp.config.values.lvs import (
    EngineName,
    ForwardingMethod,
    GroupLine,
    Persistence,
    PersistenceGranularity,
    Server,
    ServiceName,
)

__all__ = ["LVS"]

_WHY = "Load balancing is not part of this program yet; virtual routers work without it."
_MAX_WEIGHT = 2**31 - 1
_SCHEDULER = Choice({one.value: one for one in Scheduler})


def _times() -> tuple[Keyword, ...]:
    """Return the rows of what checkers take from their server, if they do not say it."""
    return (
        Keyword("delay_loop", INTERVAL, "Time between checks.", to="interval"),
        Keyword(
            "connect_timeout",
            CONNECT_TIMEOUT,
            "How long the connection of a checker may take.",
            to="connect_timeout",
        ),
        Keyword(
            "retry",
            Integer(1, MAX_COUNT),
            "Further attempts after a failed check; each kind of checker has its own default.",
            to="retries",
        ),
        Keyword(
            "delay_before_retry",
            PAUSE,
            "Time before a further attempt; each kind of checker has its own default.",
            to="retry_delay",
        ),
        Keyword(
            "warmup",
            PAUSE,
            "The first check comes after a random time up to this; delay_loop if missing.",
            to="warmup",
        ),
    )


def _mail(what: str) -> tuple[Keyword, ...]:
    return (
        Keyword("smtp_alert", Boolean(), f"Send mail when {what}.", to="smtp_alert"),
        Keyword("snmp_name", Text("name"), "Name in SNMP.", to="snmp_name"),
    )


def _flag(name: str, to: str, doc: str, *, alias: bool = False) -> Keyword:
    return Keyword(name, Flag(), doc, to=to, alias=alias)


_SCHEDULER_FLAGS = (
    _flag("flag-1", "scheduler_flag_1", "First flag of the scheduler; sh and mh: fall back."),
    _flag("flag-2", "scheduler_flag_2", "Second flag of the scheduler; sh and mh: hash the port."),
    _flag("flag-3", "scheduler_flag_3", "Third flag of the scheduler."),
    *(
        _flag(f"{name}-{word}", f"scheduler_flag_{number}", doc, alias=True)
        for name in ("sh", "mh")
        for word, number, doc in (
            ("fallback", 1, "Take another real server if the chosen one is not available."),
            ("port", 2, "Choose by address and port, not by address alone."),
        )
    ),
    Keyword(
        "hashed",
        NeverTaken("is a word without a use; it is ignored", "remove the line"),
        "An old word that no scheduler takes.",
        to="scheduler_flag_3",
        alias=True,
    ),
)

_PERSISTENCE = (
    Keyword(
        "persistence_timeout",
        Persistence(),
        "A client stays at its real server for this time after its last connection.",
        to="persistence_timeout",
        default="off",
    ),
    Keyword(
        "persistence_granularity",
        PersistenceGranularity(),
        "Clients that are alike in these bits go to one real server.",
        to="persistence_granularity",
        default="a single address",
    ),
    Keyword(
        "persistence_engine",
        EngineName(),
        "What tells clients apart instead of addresses.",
        to="persistence_engine",
    ),
)

_QUORUM = (
    Keyword(
        "quorum",
        Integer(1, MAX_COUNT),
        "Sum of weights of real servers that must be up.",
        to="quorum",
    ),
    Keyword(
        "hysteresis",
        Integer(0, MAX_COUNT),
        "Weight above the quorum that brings it back, and below it that loses it.",
        to="hysteresis",
    ),
    Keyword(
        "quorum_up",
        CommandLine(),
        "Program that runs when the quorum is reached.",
        to="quorum_up",
        first_wins=True,
    ),
    Keyword(
        "quorum_down",
        CommandLine(),
        "Program that runs when the quorum is lost.",
        to="quorum_down",
        first_wins=True,
    ),
)

_SORRY = (
    Keyword(
        "sorry_server",
        Server(),
        "Server that takes over while the quorum is lost.",
        to="sorry_server",
    ),
    Keyword(
        "sorry_server_inhibit",
        Flag(),
        "It keeps its place with weight 0 while it is not needed. Stands behind sorry_server.",
        to="sorry_inhibit",
    ),
    Keyword(
        "sorry_server_lvs_method",
        ForwardingMethod(),
        "How packets get to it. Stands behind sorry_server.",
        to="sorry_forwarding",
    ),
)

_REAL_SERVER = Block(
    "real_server",
    doc="A server that does the work. Its address and port follow the keyword.",
    to="real_servers",
    many=True,
    unique=False,
    model=RealServer,
    header=Keyword("ADDRESS", Server(), "Its address and port.", to="server"),
    rows=(
        Keyword(
            "weight",
            Integer(0, _MAX_WEIGHT),
            "Share of new connections; 0: none.",
            to="weight",
            default="that of the virtual_server",
        ),
        Keyword("lvs_method", ForwardingMethod(), "How packets get to it.", to="forwarding"),
        Keyword(
            "lb_kind", ForwardingMethod(), "The same as lvs_method.", to="forwarding", alias=True
        ),
        Keyword(
            "uthreshold",
            Integer(0, MAX_COUNT),
            "From this number of connections on it gets no more; 0: no limit.",
            to="upper_threshold",
        ),
        Keyword(
            "lthreshold",
            Integer(0, MAX_COUNT),
            "Below this number it gets connections again; 0: three quarters of uthreshold.",
            to="lower_threshold",
        ),
        Keyword(
            "inhibit_on_failure",
            Boolean(),
            "It keeps its place with weight 0 when it fails.",
            to="inhibit",
        ),
        Keyword(
            "notify_up",
            CommandLine(),
            "Program that runs when it comes up.",
            to="notify_up",
            first_wins=True,
        ),
        Keyword(
            "notify_down",
            CommandLine(),
            "Program that runs when it goes down.",
            to="notify_down",
            first_wins=True,
        ),
        Keyword("alpha", Boolean(), "It is down until its checks succeed.", to="alpha"),
        *_times(),
        virtualhost("to this server"),
        *_mail("it goes up or down"),
        *CHECKERS,
    ),
)

_VIRTUAL_SERVER = Block(
    "virtual_server",
    doc="A service that real servers share. Its address and port follow the keyword, or fwmark and "
    "a number, or group and a name.",
    to="virtual_servers",
    many=True,
    unique=False,
    model=VirtualServer,
    header=Keyword("SERVICE", ServiceName(), "What it is reached by.", to="service"),
    rows=(
        Keyword(
            "lvs_sched",
            _SCHEDULER,
            "How a real server is chosen.",
            to="scheduler",
            default="wlc, with a warning",
        ),
        Keyword("lb_algo", _SCHEDULER, "The same as lvs_sched.", to="scheduler", alias=True),
        *_SCHEDULER_FLAGS,
        Keyword(
            "lvs_method",
            ForwardingMethod(),
            "How packets get to real servers that do not say it.",
            to="forwarding",
            default="NAT, with a warning",
        ),
        Keyword(
            "lb_kind", ForwardingMethod(), "The same as lvs_method.", to="forwarding", alias=True
        ),
        Keyword(
            "protocol",
            AnyCase({one.value: one for one in Protocol}),
            "Transport protocol.",
            to="protocol",
            default="UDP, with a warning; none for firewall marks",
        ),
        Keyword(
            "ip_family",
            Choice({"inet": 4, "inet6": 6}),
            "Address family, where the addresses do not tell.",
            to="family",
        ),
        *_PERSISTENCE,
        _flag("ops", "one_packet", "Choose anew for every packet; UDP only."),
        *_times(),
        _flag(
            "inhibit_on_failure",
            "inhibit",
            "Real servers that fail keep their place with weight 0.",
        ),
        Keyword(
            "weight",
            Integer(1, _MAX_WEIGHT),
            "Weight of real servers that name none.",
            to="weight",
        ),
        _flag("alpha", "alpha", "Real servers are down until their checks succeed."),
        _flag("omega", "omega", "Programs for going down also run when this program stops."),
        *_QUORUM,
        _flag(
            "ha_suspend",
            "ha_suspend",
            "Check nothing while this machine does not hold the address.",
        ),
        *_mail("the quorum is reached or lost"),
        virtualhost("to real servers that name none"),
        *_SORRY,
        _REAL_SERVER,
    ),
)

_VIRTUAL_SERVER_GROUP = Block(
    "virtual_server_group",
    doc="Addresses, ranges and firewall marks that are one service. Its name follows the keyword.",
    to="virtual_server_groups",
    many=True,
    unique=False,
    model=VirtualServerGroup,
    header=Keyword("NAME", Name("name of a virtual_server_group"), "Its name.", to="name"),
    entry=GroupLine(),
)

_SSL = Block(
    "SSL",
    doc="The TLS client of SSL_GET.",
    to="ssl",
    model=Ssl,
    rows=(
        Keyword(
            "password",
            Lenient(SecretText(), "a password"),
            "Password of the private key.",
            to="password",
        ),
        *(
            Keyword(name, Lenient(Text("file"), "a file"), doc, to=name)
            for name, doc in (
                ("ca", "File of the authorities' certificates."),
                ("certificate", "File of the own certificate."),
                ("key", "File of the private key."),
            )
        ),
    ),
)


def _not_run(row: Keyword | Block) -> Keyword | Block:
    """Return a row, and those in it, with the status of all load balancing."""
    if isinstance(row, Keyword):
        return replace(row, support=NOT_RUN, why=_WHY)
    return replace(row, support=NOT_RUN, why=_WHY, rows=tuple(map(_not_run, row.rows)))


LVS = tuple(map(_not_run, (_VIRTUAL_SERVER, _VIRTUAL_SERVER_GROUP, _SSL)))
"""Blocks of the outermost level."""
