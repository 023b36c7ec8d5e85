"""Rows of health checkers, which stand inside `real_server`."""

from fastvrrp.config.model import (
    BfdCheck,
    Connect,
    DnsCheck,
    DnsType,
    FileCheck,
    HttpCheck,
    HttpProtocol,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SslCheck,
    TcpCheck,
    UdpCheck,
    Url,
)
from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.values import (
    Boolean,
    Choice,
    CommandLine,
    Flag,
    Integer,
    IpAddress,
    Seconds,
    Text,
    UserGroup,
    WholeSeconds,
)
from fastvrrp.config.values.checkers import (
    AnyCase,
    BindInterface,
    Digest,
    DnsName,
    FileWeight,
    Hex,
    HexPattern,
    Lenient,
    NeverTaken,
    StackSize,
    StatusCodes,
    Words,
)

__all__ = ["CHECKERS", "CONNECT_TIMEOUT", "INTERVAL", "MAX_COUNT", "PAUSE", "virtualhost"]

INTERVAL = Seconds("0.000001", "9000000000")
"""A time between checks."""

PAUSE = Seconds("0", "9000000000")
"""A time before a check."""

CONNECT_TIMEOUT = Seconds("0.000001", "4294.967295")
"""How long a connection may take."""

MAX_COUNT = 2**32 - 1
"""The largest number of attempts, firewall mark and quorum."""

_PORT = Integer(1, 65535)
_LENGTH = Integer(0, 65535)
_OFFSET = Integer(0, 2**31 - 1)


def virtualhost(of: str) -> Keyword:
    """Return the row of `virtualhost`; `of` says whose requests it is for."""
    return Keyword(
        "virtualhost",
        Lenient(Text("host name"), "a host name"),
        f"Host header and TLS server name of requests {of}.",
        to="host",
    )


def _connect_rows(prefix: str = "connect.") -> tuple[Keyword, ...]:
    """Return the rows that say where to connect to, and from where."""
    return (
        Keyword(
            "connect_ip",
            IpAddress(),
            "Address to connect to; the real server's if missing.",
            to=f"{prefix}address",
        ),
        Keyword(
            "connect_port",
            _PORT,
            "Port to connect to; the real server's if missing.",
            to=f"{prefix}port",
        ),
        Keyword(
            "bindto",
            IpAddress(),
            "Own address to connect from, of the same family.",
            to=f"{prefix}bind_address",
        ),
        Keyword("bind_port", _PORT, "Own port to connect from.", to=f"{prefix}bind_port"),
        Keyword(
            "bind_if",
            BindInterface(),
            "Interface to connect through; a link-local address needs it.",
            to=f"{prefix}bind_interface",
        ),
        Keyword(
            "connect_timeout",
            CONNECT_TIMEOUT,
            "How long a connection may take; as the real server says if missing.",
            to=f"{prefix}timeout",
        ),
        Keyword(
            "fwmark",
            Integer(0, MAX_COUNT),
            "Firewall mark of the checker's own packets; 0: none.",
            to=f"{prefix}fwmark",
        ),
    )


def _schedule_rows(retries: int, pause: str, *, renamed: bool = False) -> tuple[Keyword, ...]:
    """Return the rows that say when a check runs.

    `retries` and `pause` (before an attempt) are defaults of the kind of checker; `renamed`: the
    old name of `retry` is still taken.
    """
    old = Keyword(
        "nb_get_retry",
        Integer(0, MAX_COUNT),
        "The same as retry.",
        to="schedule.retries",
        instead="retry",
        alias=True,
    )
    never = Keyword(
        "nb_get_retry",
        NeverTaken("is only known in HTTP_GET and SSL_GET; it is ignored", "write: retry {value}"),
        "An old name of retry that only HTTP_GET and SSL_GET still know.",
        to="schedule.retries",
        alias=True,
    )
    return (
        Keyword(
            "alpha",
            Boolean(),
            "The real server is down until the first check succeeds.",
            to="schedule.alpha",
        ),
        Keyword(
            "retry",
            Integer(0, MAX_COUNT),
            "Further attempts after a failure, before the real server is taken out.",
            to="schedule.retries",
            default=str(retries),
        ),
        old if renamed else never,
        Keyword(
            "delay_before_retry",
            PAUSE,
            "Time before a further attempt.",
            to="schedule.retry_delay",
            default=pause,
        ),
        Keyword(
            "warmup",
            PAUSE,
            "The first check comes after a random time up to this; delay_loop if missing.",
            to="schedule.warmup",
        ),
        Keyword("delay_loop", INTERVAL, "Time between checks.", to="schedule.interval"),
        Keyword(
            "log_all_failures",
            Boolean(),
            "Log every failed attempt, not only the last.",
            to="schedule.log_failures",
        ),
    )


def _url(*extra: Keyword) -> Block:
    return Block(
        "url",
        doc="A page to ask for, and what the answer must be.",
        to="urls",
        many=True,
        model=Url,
        rows=(
            Keyword("path", Text("path"), "What to ask for.", to="path", required="path /"),
            Keyword(
                "status_code",
                StatusCodes(),
                "Status codes that are success.",
                to="statuses",
                many=True,
                default="200-299",
            ),
            Keyword("digest", Digest(), "MD5 of the body that is success.", to="digest"),
            virtualhost("for this page"),
            Keyword("regex", Text("expression"), "What the body must match.", to="regex"),
            Keyword("regex_no_match", Flag(), "The body must not match.", to="regex_absent"),
            Keyword(
                "regex_options",
                Words("names of PCRE2 options"),
                "Options of the expression.",
                to="regex_options",
            ),
            Keyword(
                "regex_min_offset",
                _OFFSET,
                "Bytes of the body before the first match.",
                to="regex_min_offset",
            ),
            Keyword(
                "regex_max_offset",
                _OFFSET,
                "Bytes of the body before the last match; 0: no limit.",
                to="regex_max_offset",
            ),
            Keyword(
                "regex_stack",
                StackSize(),
                "Memory for matching: what it starts with, and its limit, in bytes.",
                to="regex_stack",
            ),
            *extra,
        ),
    )


def _http_rows(url: Block) -> tuple[Keyword | Block, ...]:
    return (
        url,
        virtualhost("of this checker"),
        Keyword(
            "http_protocol",
            Lenient(Choice({one.value: one for one in HttpProtocol}), "a version of HTTP"),
            "Which HTTP requests speak; 1.0C is 1.0 with Connection: close.",
            to="protocol",
        ),
        Keyword("enable_sni", Boolean(), "Name the host in TLS.", to="sni"),
        Keyword(
            "fast_recovery",
            Boolean(),
            "Ask for all pages back to back while the real server is down.",
            to="fast_recovery",
        ),
        *_connect_rows(),
        *_schedule_rows(1, "3 seconds", renamed=True),
    )


_TLS_COMPLIANT = Keyword(
    "tls_compliant",
    Boolean(),
    "Wait for the other side when closing, as TLS asks for.",
    to="tls_compliant",
)


def _check(name: str, model: type, doc: str, *rows: Keyword | Block) -> Block:
    return Block(name, doc=doc, to="checkers", many=True, model=model, rows=rows)


CHECKERS = (
    _check(
        "TCP_CHECK",
        TcpCheck,
        "Is up if a TCP connection can be made.",
        *_connect_rows(),
        *_schedule_rows(1, "1 second"),
    ),
    _check("HTTP_GET", HttpCheck, "Is up if pages answer as they should.", *_http_rows(_url())),
    _check(
        "SSL_GET",
        SslCheck,
        "Is up if pages answer over TLS as they should; certificates are not checked.",
        *_http_rows(_url(_TLS_COMPLIANT)),
        _TLS_COMPLIANT,
    ),
    _check(
        "SMTP_CHECK",
        SmtpCheck,
        "Is up if a mail server answers as it should.",
        Keyword(
            "helo_name",
            Lenient(Text("host name"), "a host name"),
            "Name told to the mail server.",
            to="helo_name",
            default="smtpchecker.keepalived.org",
        ),
        Block(
            "host",
            doc="A further place to connect to. An old form: write one more SMTP_CHECK instead.",
            to="hosts",
            many=True,
            model=Connect,
            rows=_connect_rows(""),
        ),
        *_connect_rows(),
        *_schedule_rows(1, "1 second"),
    ),
    _check(
        "DNS_CHECK",
        DnsCheck,
        "Is up if a name server answers without an error.",
        Keyword(
            "type",
            AnyCase({one.value: one for one in DnsType}),
            "Record that it is asked for.",
            to="type",
        ),
        Keyword("name", DnsName(), "Name that it is asked for.", to="name"),
        *_connect_rows(),
        *_schedule_rows(3, "delay_loop"),
    ),
    _check(
        "MISC_CHECK",
        MiscCheck,
        "Is up if a program says so by exit status 0.",
        Keyword(
            "misc_path",
            Lenient(CommandLine(with_user=False), "a program"),
            "The program, with its arguments in one pair of quotes.",
            to="command",
            required='misc_path "/path/to/program arguments"',
        ),
        Keyword(
            "misc_timeout",
            WholeSeconds(0, MAX_COUNT),
            "After this time it is ended, and has failed; delay_loop if missing.",
            to="timeout",
        ),
        Keyword(
            "misc_dynamic",
            Flag(),
            "Exit status 2 to 255 is success, and the weight becomes two less than it.",
            to="dynamic",
        ),
        Keyword(
            "user",
            Lenient(UserGroup(), "a user name"),
            "Account that runs it.",
            to=("command.user", "command.group"),
            default="script_user",
        ),
        *_schedule_rows(0, "1 second"),
    ),
    _check(
        "UDP_CHECK",
        UdpCheck,
        "Is down if a datagram is refused, or an answer that is asked for does not come.",
        Keyword("payload", Lenient(Hex(), "what to send"), "What is sent.", to="payload"),
        Keyword(
            "require_reply",
            HexPattern(),
            "There must be an answer, and it must begin like this.",
            to="reply",
        ),
        Keyword(
            "min_reply_length", _LENGTH, "Bytes that an answer has at least.", to="min_reply_length"
        ),
        Keyword(
            "max_reply_length", _LENGTH, "Bytes that an answer has at most.", to="max_reply_length"
        ),
        *_connect_rows(),
        *_schedule_rows(1, "1 second"),
    ),
    _check(
        "PING_CHECK",
        PingCheck,
        "Is up if an ICMP echo request is answered.",
        *_connect_rows(),
        *_schedule_rows(1, "1 second"),
    ),
    _check(
        "FILE_CHECK",
        FileCheck,
        "Is up or down, or has more or less weight, by the number in a file.",
        Keyword(
            "track_file",
            Text("name of a track_file"),
            "The track_file block that names the file.",
            to="file",
            required="track_file NAME",
        ),
        Keyword(
            "weight",
            FileWeight(),
            "Times the number in the file it is added to the weight of the real server; 0: a "
            "number other than 0 is a failure; as the track_file says if missing.",
            to=("weight", "reverse"),
        ),
    ),
    _check(
        "BFD_CHECK",
        BfdCheck,
        "Is up while a BFD session is.",
        Keyword(
            "name",
            Lenient(Text("name of a bfd_instance"), "the name of a bfd_instance"),
            "The bfd_instance block of the session.",
            to="name",
            required="name NAME",
            first_wins=True,
        ),
        Keyword(
            "alpha",
            Boolean(),
            "The real server is down until the session is up.",
            to="alpha",
        ),
    ),
)
"""Blocks of `real_server`."""
