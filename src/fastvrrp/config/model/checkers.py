"""Health checkers of real servers as they are configured, one dataclass for each kind.

What a checker does not say, its real server decides, then the virtual server, then the defaults of
its kind; such fields are None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.base import Address, Command
from fastvrrp.config.model.value import Value

__all__ = [
    "BfdCheck",
    "Check",
    "Connect",
    "DnsCheck",
    "DnsType",
    "FileCheck",
    "HttpCheck",
    "HttpProtocol",
    "MiscCheck",
    "PingCheck",
    "ReplyPattern",
    "Schedule",
    "SmtpCheck",
    "SslCheck",
    "StatusRange",
    "TcpCheck",
    "UdpCheck",
    "Url",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Connect(Value):
    """Where a checker connects to (None: the real server), from where, and how long it waits."""

    address: Address | None = None
    port: int | None = None
    bind_address: Address | None = None
    bind_port: int | None = None
    bind_interface: str | None = None
    timeout: Nanoseconds | None = None
    fwmark: int = 0
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Schedule(Value):
    """When a checker runs, and how many failures count.

    `alpha`: the real server is down until the first success. `retries` are attempts after a first
    failure, `retry_delay` apart. The first check comes after a random time up to `warmup`.
    """

    alpha: bool | None = None
    retries: int | None = None
    retry_delay: Nanoseconds | None = None
    warmup: Nanoseconds | None = None
    interval: Nanoseconds | None = None
    log_failures: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TcpCheck(Value):
    """`TCP_CHECK`: up if a connection can be made."""

    connect: Connect = Connect()
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StatusRange(Value):
    """HTTP status codes from `first` to `last`, 100..599."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Url(Value):
    """One page that is asked for, and what the answer must be.

    `statuses` empty: 200 to 299. `digest` is the MD5 of the body, 16 bytes. `regex` must match
    the body, or must not if `regex_absent`, between the offsets (`regex_max_offset` 0: anywhere).
    """

    path: str
    statuses: tuple[StatusRange, ...] = ()
    digest: bytes | None = None
    host: str | None = None
    regex: str | None = None
    regex_absent: bool = False
    regex_options: tuple[str, ...] = ()
    regex_min_offset: int = 0
    regex_max_offset: int = 0
    regex_stack: tuple[int, int] | None = None
    tls_compliant: bool | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


class HttpProtocol(Enum):
    """Which HTTP a request speaks; 1.0C is 1.0 with `Connection: close`."""

    V1_0 = "1.0"
    V1_0_CLOSE = "1.0C"
    V1_1 = "1.1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HttpCheck(Value):
    """`HTTP_GET`: up if all pages answer as they should; there is at least one.

    `host` is what the Host header says where the page does not decide. `fast_recovery`: pages are
    asked for back to back while the real server is down.
    """

    urls: tuple[Url, ...] = ()
    host: str | None = None
    protocol: HttpProtocol = HttpProtocol.V1_0
    sni: bool = False
    fast_recovery: bool = False
    connect: Connect = Connect()
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SslCheck(HttpCheck):
    """`SSL_GET`: `HTTP_GET` over TLS; `tls_compliant`: connections are closed as TLS wants it."""

    tls_compliant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SmtpCheck(Value):
    """`SMTP_CHECK`: up if a mail server answers; `hosts` are further places to connect to."""

    helo_name: str | None = None
    hosts: tuple[Connect, ...] = ()
    connect: Connect = Connect()
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


class DnsType(Enum):
    """Record that a name server is asked for."""

    A = "A"
    NS = "NS"
    CNAME = "CNAME"
    SOA = "SOA"
    MX = "MX"
    TXT = "TXT"
    AAAA = "AAAA"
    RRSIG = "RRSIG"
    DNSKEY = "DNSKEY"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DnsCheck(Value):
    """`DNS_CHECK`: up if a name server answers; `name` "." is the root."""

    type: DnsType = DnsType.SOA
    name: str = "."
    connect: Connect = Connect()
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MiscCheck(Value):
    """`MISC_CHECK`: a program decides; `timeout` None: the interval of the checks.

    `dynamic`: exit status 2 to 255 is success, and the weight becomes two less.
    """

    command: Command
    timeout: Nanoseconds | None = None
    dynamic: bool = False
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReplyPattern(Value):
    """What an answer begins with, where the bits of `mask` are set; both are equally long."""

    data: bytes = b""
    mask: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UdpCheck(Value):
    """`UDP_CHECK`: down if a datagram is refused, or not answered by what `reply` asks for.

    `payload` None: a constant text. `reply` None: silence is success.
    """

    payload: bytes | None = None
    reply: ReplyPattern | None = None
    min_reply_length: int = 0
    max_reply_length: int = 255
    connect: Connect = Connect()
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PingCheck(Value):
    """`PING_CHECK`: up if an ICMP echo request is answered."""

    connect: Connect = Connect()
    schedule: Schedule = Schedule()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FileCheck(Value):
    """`FILE_CHECK`: the number in a `track_file` decides.

    `weight` None: that of the track_file. Weight 0: any number but 0 is a failure, for `reverse`
    only 0 is. Any other weight times the number is added to the weight of the real server.
    """

    file: str
    weight: int | None = None
    reverse: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BfdCheck(Value):
    """`BFD_CHECK`: up while the session of a `bfd_instance` is."""

    name: str
    alpha: bool | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


Check = (
    TcpCheck
    | HttpCheck
    | SslCheck
    | SmtpCheck
    | DnsCheck
    | MiscCheck
    | UdpCheck
    | PingCheck
    | FileCheck
    | BfdCheck
)
"""Any checker."""
