"""Random values for the kinds of the schema: what a keyword can be given without a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Network,
    ip_address,
    ip_interface,
)
from random import Random
from typing import Any, TypeVar

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.model import (
    Address,
    AddressService,
    BufferPolicy,
    Command,
    ExtraGarp,
    FileProbe,
    FlushMode,
    Forwarding,
    ForwardingKind,
    FwmarkService,
    GroupAddresses,
    GroupFwmark,
    GroupNetwork,
    HmacKey,
    HttpProbe,
    InterfaceDelay,
    InterfaceProbe,
    Ipvlan,
    IpvlanMode,
    LinkbeatInterface,
    LinkbeatMethod,
    Nexthop,
    OldChecksum,
    ParamMatch,
    Peer,
    ProcessDelays,
    ProcessProbe,
    Realms,
    ReplyPattern,
    Route,
    RouteMetrics,
    RouteType,
    Rule,
    RuleAction,
    ServerAddress,
    StatusRange,
    SyncDaemon,
    TcpProbe,
    TrackUse,
    Tunnel,
    TunnelType,
    UnixProbe,
    VirtualAddress,
    Vmac,
)
from fastvrrp.config.values import (
    Boolean,
    Choice,
    CommandLine,
    Flag,
    Host,
    Integer,
    InterfaceName,
    IpAddress,
    Kind,
    MulticastGroup,
    Name,
    OptionalInteger,
    Password,
    Seconds,
    Text,
    UserGroup,
    Weight,
    WholeSeconds,
    bound,
    checkers,
    globals,
    instance,
    ipvs,
    links,
    lvs,
    probes,
    tracking,
    vmac,
)
from fastvrrp.config.values.addresses import AddressLine
from fastvrrp.config.values.routes import RouteLine
from fastvrrp.config.values.rules import RuleLine
from fastvrrp.secret import Secret

__all__ = ["INTERFACES", "UNWRITABLE", "Values"]

_T = TypeVar("_T")

INTERFACES = ("eth0", "bond0.5", "br-lan", "en#1", "wg~0")
WORDS = (
    "plain",
    "two words",
    "a#b",
    "!bang",
    "{brace",
    "it's",
    "50%",
    "$5",
    "~x",
    "@home",
    "é→",
    "\\",
)
_ARGUMENTS = ("-v", "two words", "", "it's", 'say "x"', "$HOME", "\\n", "a#b", "{x}", "~y", "é")

UNWRITABLE = (checkers.NeverTaken, globals.OldFirewall)
"""Kinds that no configuration is written with."""


class Values:
    """Makes values; `family` is that of all addresses, `trackers` are names by keyword."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.family = 4
        self.trackers: dict[str, tuple[str, ...]] = {}
        self._made = 0

    def of(self, kind: Kind) -> Any:  # noqa: ANN401 - what the kind reads
        """Return a value that the kind can write."""
        return _MAKERS[type(kind)](self, kind)

    # --- what the makers share

    def pick(self, choices: Sequence[_T]) -> _T:
        """Return one of several."""
        return self.rng.choice(choices)

    def maybe(self, value: _T) -> _T | None:
        """Return a value or None."""
        return self.pick((value, None))

    def flag(self) -> bool:
        """Return a truth."""
        return self.pick((True, False))

    def number(self, low: int, high: int) -> int:
        """Return a number of a range; its limits are likely."""
        return self.pick((low, high, self.rng.randint(low, high)))

    def name(self) -> str:
        """Return a name that was not there before."""
        self._made += 1
        return f"{self.pick(WORDS)} {self._made}"

    def address(self, family: int | None = None) -> Address:
        """Return a unicast address that was not there before."""
        self._made += 1
        base = "10.1.0.0" if (family or self.family) == 4 else "2001:db8::"
        return ip_address(base) + self._made

    def command(self) -> Command:
        """Return a program, which need not be there."""
        rest = self.rng.choices(_ARGUMENTS, k=self.rng.randint(0, 3))
        user = self.maybe("root")
        return Command(
            argv=("/usr/bin/true", *rest), user=user, group=self.maybe("adm") if user else None
        )

    def virtual_address(self) -> VirtualAddress:
        """Return one line of `virtual_ipaddress`."""
        common: dict[str, Any] = {
            "interface": self.maybe(self.pick(INTERFACES)),
            "prefix_route": self.flag(),
            "track": self.flag(),
        }
        if self.family == 6:
            address = ip_interface((self.address(), self.number(1, 127)))
            return VirtualAddress(address=address, dad=self.flag(), home=self.flag(), **common)
        return VirtualAddress(
            address=ip_interface((self.address(), self.number(1, 32))),
            scope=self.pick((0, 200, 253)),
            label=self.maybe("eth0:vip"),
            broadcast=self.maybe(IPv4Address("10.1.255.255")),
            **common,
        )

    def network(self) -> IPv4Network | IPv6Network:
        """Return a network."""
        if self.family == 4:
            return IPv4Network((int(self.address()) & ~0xFF, self.number(8, 24)), strict=False)
        return IPv6Network((int(self.address()) & ~0xFFFF, self.number(8, 112)), strict=False)

    def route(self) -> Route:
        """Return one line of `virtual_routes`."""
        hops = tuple(
            Nexthop(via=self.address(), interface=self.pick(INTERFACES), weight=self.number(1, 256))
            for _ in range(self.pick((0, 0, 2)))
        )
        return Route(
            destination=self.network(),
            type=self.pick((RouteType.UNICAST, RouteType.BLACKHOLE)),
            via=None if hops else self.address(),
            interface=self.pick(INTERFACES),
            table=self.maybe(self.table()),
            metric=self.maybe(self.number(0, 2**32 - 1)),
            metrics=RouteMetrics(mtu=self.maybe(1400), quickack=self.maybe(True)),
            realms=self.maybe(Realms(1, 2)) if self.family == 4 else None,
            nexthops=hops,
        )

    def table(self) -> int | str:
        """Return a routing table, by its number or by a name that the host knows."""
        return "blue" if self.flag() else self.pick((254, 1000))

    def rule(self) -> Rule:
        """Return one line of `virtual_rules`."""
        action = self.pick((RuleAction.TABLE, RuleAction.BLACKHOLE))
        return Rule(
            version=self.family,
            priority=self.number(1, 2**31),
            source=self.network(),
            iif=self.maybe(self.pick(INTERFACES)),
            fwmark=self.maybe(self.number(0, 2**32 - 1)),
            action=action,
            table=self.table() if action is RuleAction.TABLE else None,
        )

    def seconds(self, low: int, high: int) -> Nanoseconds:
        """Return whole seconds."""
        return seconds(self.number(low, high))

    def server(self) -> ServerAddress:
        """Return the address of a real server."""
        return ServerAddress(address=self.address(), port=self.number(1, 65535))

    def service(self) -> AddressService | FwmarkService:
        """Return what a virtual server is reached by."""
        port, mark = self.number(1, 65535), self.number(1, 2**32 - 1)
        address = AddressService(address=self.address(), port=port)
        return address if self.flag() else FwmarkService(mark=mark)

    def group_entry(self) -> GroupAddresses | GroupNetwork | GroupFwmark:
        """Return one line of `virtual_server_group`."""
        first, port = self.address(), self.number(1, 65535)
        lines: tuple[GroupAddresses | GroupNetwork | GroupFwmark, ...] = (
            GroupAddresses(first=first, last=first + 3, port=port),
            GroupNetwork(network=self.network(), port=port),
            GroupFwmark(mark=self.number(1, 2**32 - 1), family=self.family),
        )
        return self.pick(lines)

    def forwarding(self) -> Forwarding:
        """Return a way to real servers."""
        kind = self.pick((ForwardingKind.NAT, ForwardingKind.NAT, ForwardingKind.TUN))
        if kind is ForwardingKind.NAT:
            return Forwarding(kind=kind)
        gue = Tunnel(type=TunnelType.GUE, port=self.number(1, 65535))
        return Forwarding(kind=kind, tunnel=self.pick((Tunnel(), gue)))

    def vmac(self) -> Vmac:
        """Return what `use_vmac` says."""
        return Vmac(
            interface=self.maybe(self.pick(("vrrp.1", "group", "bridge"))),
            mac=self.maybe(b"\x02\x00\x5e\x00\x01\x33"),
            netlink_notify=self.flag(),
            group=self.maybe("7"),
        )

    def ipvlan(self) -> Ipvlan:
        """Return what `use_ipvlan` says."""
        return Ipvlan(
            interface=self.maybe("ipv.1"),
            address=ip_interface((self.address(), 24)),
            mode=self.maybe(self.pick(tuple(IpvlanMode))),
            group=self.maybe("blue"),
        )

    def sync_daemon(self) -> SyncDaemon:
        """Return what `lvs_sync_daemon` says."""
        return SyncDaemon(
            interface=self.pick(INTERFACES),
            instance=self.maybe("V 1"),
            id=self.maybe(self.number(0, 255)),
            ttl=self.maybe(self.number(1, 255)),
            group=self.maybe(ip_address("224.0.0.81")),
        )

    def peer(self) -> Peer:
        """Return one line of `unicast_peer`."""
        return self.pick((Peer(address=self.address()), Peer(address=self.address(), min_ttl=255)))

    def hmac_key(self) -> HmacKey:
        """Return a key."""
        number = self.rng.randint(1, 255)
        if self.flag():
            return HmacKey(id=number, file=f"/etc/{self.name()}")
        return HmacKey(id=number, secret=Secret(self.rng.randbytes(self.number(32, 64))))


def _integer(values: Values, kind: Integer) -> int:
    return values.number(kind.min, kind.max if kind.cap is None else kind.cap)


def _decimal(values: Values, kind: Seconds) -> Nanoseconds:
    low, high = bound(kind.min), bound(kind.max)
    return Nanoseconds(values.number(-(-low // kind.step), high // kind.step) * kind.step)


def _microseconds(values: Values, kind: globals.Microseconds) -> Nanoseconds:
    return Nanoseconds(values.number(kind.min, kind.max) * 1000)


def _hmac_number(values: Values, kind: instance.HmacNumber) -> int:
    return values.number(kind.min, kind.max) * kind.unit


def _extra_garp(values: Values, kind: instance.ExtraGarpTime) -> ExtraGarp:
    return ExtraGarp(interval=values.seconds(kind.min, kind.max), everywhere=values.flag())


def _group_of_family(_: Values, kind: globals.GroupOfFamily) -> Address:
    return ip_address("224.0.0.99" if kind.family == 4 else "ff02::99")


def _password(values: Values, _: Password) -> Secret:
    return Secret(values.pick(("x", "12345678", "a b#c", "$x~{", "\\!@")).encode())


def _engine_times(values: Values, _: ipvs.IpvsTimeouts) -> tuple[Nanoseconds | None, ...]:
    return values.seconds(0, 2_678_400), values.maybe(values.seconds(1, 9)), None


def _netmask(values: Values, _: lvs.PersistenceGranularity) -> IPv4Address | int:
    return IPv4Address("255.255.255.0") if values.family == 4 else values.number(1, 128)


def _reply(values: Values, _: checkers.HexPattern) -> ReplyPattern:
    return values.pick((ReplyPattern(), ReplyPattern(data=b"\x5a\x00", mask=b"\xff\x0f")))


def _status(values: Values, _: checkers.StatusCodes) -> StatusRange:
    first = values.number(100, 599)
    return StatusRange(first=first, last=values.number(first, 599))


def _delay(values: Values, _: links.DelayLine) -> InterfaceDelay:
    down, up = values.seconds(1, 255), values.seconds(0, 255)
    return InterfaceDelay(interface=values.pick(INTERFACES), down=down, up=up)


def _linkbeat(values: Values, _: links.LinkbeatLine) -> LinkbeatInterface:
    method = values.maybe(values.pick(tuple(LinkbeatMethod)))
    return LinkbeatInterface(interface=values.pick(INTERFACES), method=method)


def _track(values: Values, kind: tracking.TrackLine) -> TrackUse:
    name = values.pick(values.trackers[kind.what])
    weight = values.number(-kind.weight.limit, kind.weight.limit)
    return values.pick((TrackUse(name=name), TrackUse(name=name, weight=weight, reverse=True)))


def _both_delays(values: Values, kind: tracking.BothDelays) -> ProcessDelays:
    one, other = _decimal(values, kind.kind), _decimal(values, kind.kind)
    return ProcessDelays(terminate=one, fork=values.pick((one, other)))


def _milliseconds(values: Values, kind: tracking.Milliseconds) -> Nanoseconds:
    return Nanoseconds(values.number(kind.min * 1000, kind.max * 1000) * 1000)


_Maker = Callable[[Values, Any], object]
_MAKERS: dict[type, _Maker] = {
    Boolean: lambda values, _: values.flag(),
    Choice: lambda values, kind: values.pick(tuple(kind.words.values())),
    CommandLine: lambda values, kind: (
        values.command() if kind.with_user else Command(argv=values.command().argv)
    ),
    Flag: lambda _, kind: kind.value,
    Host: lambda values, _: (values.pick(("mail.example", "192.0.2.25")), values.number(1, 65535)),
    Integer: _integer,
    InterfaceName: lambda values, _: values.pick(INTERFACES),
    IpAddress: lambda values, _: values.address(),
    MulticastGroup: lambda values, _: ip_address("224.0.0.50" if values.family == 4 else "ff02::5"),
    Name: lambda values, _: values.name(),
    OptionalInteger: lambda values, kind: values.number(kind.min, kind.max),
    Password: _password,
    Seconds: _decimal,
    Text: lambda values, _: values.name(),
    UserGroup: lambda values, _: ("root", values.maybe("adm")),
    Weight: lambda values, kind: (values.number(-kind.limit, kind.limit), values.flag()),
    WholeSeconds: lambda values, kind: values.seconds(kind.min, kind.max),
    AddressLine: lambda values, _: values.virtual_address(),
    RouteLine: lambda values, _: values.route(),
    RuleLine: lambda values, _: values.rule(),
    checkers.AnyCase: lambda values, kind: values.pick(tuple(kind.words.values())),
    checkers.BindInterface: lambda values, _: values.pick(INTERFACES),
    checkers.Digest: lambda values, _: values.rng.randbytes(16),
    checkers.DnsName: lambda values, _: values.pick((".", "www.example", "example.")),
    checkers.FileWeight: lambda values, _: (values.number(1 - 2**31, 2**31 - 1), values.flag()),
    checkers.Hex: lambda values, _: values.rng.randbytes(values.number(1, 9)),
    checkers.HexPattern: _reply,
    checkers.Lenient: lambda values, kind: values.of(kind.kind),
    checkers.SecretText: lambda values, _: Secret(values.name().encode()),
    checkers.StackSize: lambda values, _: (values.number(1, 9), values.number(10, 2**31 - 1)),
    checkers.StatusCodes: _status,
    checkers.Words: lambda values, _: values.pick((("utf",), ("multiline", "caseless"))),
    globals.CpuList: lambda values, _: tuple(values.rng.sample(range(8192), 3)),
    globals.DynamicInterfaces: lambda values, _: (True, values.flag()),
    globals.Fifo: lambda values, _: (f"/run/{values.name()}", "root", values.maybe("adm")),
    globals.GroupOfFamily: _group_of_family,
    globals.IncludeChecks: lambda values, _: values.pick((("read",), ("+match", "-read"))),
    globals.Microseconds: _microseconds,
    globals.OptionalText: lambda values, kind: values.pick((kind.absent, values.name())),
    globals.PlainInterface: lambda values, _: values.pick(INTERFACES),
    globals.ProcessName: lambda values, _: values.pick(("vrrp", "a b", "#1")),
    globals.RealTimePriority: lambda values, _: values.number(1, 99),
    globals.ReceiveBuffer: lambda values, _: values.pick((*BufferPolicy, 65536)),
    globals.Timeout: lambda values, kind: values.seconds(1, kind.max),
    globals.Umask: lambda values, _: values.number(0, 0o777),
    instance.NotedBoolean: lambda values, _: values.flag(),
    instance.ExtraGarpTime: _extra_garp,
    instance.HmacKeyLine: lambda values, _: values.hmac_key(),
    instance.HmacNumber: _hmac_number,
    instance.OldChecksumMode: lambda values, _: values.pick(
        (OldChecksum.ALWAYS, OldChecksum.NEVER)
    ),
    instance.OptionalCommand: lambda values, _: (True, values.maybe(values.command())),
    instance.PeerLine: lambda values, _: values.peer(),
    ipvs.FlushWord: lambda values, _: values.pick((FlushMode.ALL, FlushMode.SERVERS)),
    ipvs.IpvsTimeouts: _engine_times,
    ipvs.SyncDaemonWords: lambda values, _: values.sync_daemon(),
    links.DelayLine: _delay,
    links.LinkbeatLine: _linkbeat,
    lvs.EngineName: lambda _, __: "sip",
    lvs.ForwardingMethod: lambda values, _: values.forwarding(),
    lvs.GroupLine: lambda values, _: values.group_entry(),
    lvs.Persistence: lambda values, _: values.seconds(1, 2_678_400),
    lvs.PersistenceGranularity: _netmask,
    lvs.Server: lambda values, _: values.server(),
    lvs.ServiceName: lambda values, _: values.service(),
    probes.FileTarget: lambda values, kind: FileProbe(
        path="/run/alive", max_age=values.maybe(_decimal(values, kind.age))
    ),
    probes.HttpTarget: lambda values, _: HttpProbe(
        address=values.address(),
        port=values.pick((80, 8080)),
        path=values.pick(("/", "/a?b=c#d")),
        status=values.maybe(204),
    ),
    probes.InterfaceTarget: lambda values, _: InterfaceProbe(interface=values.pick(INTERFACES)),
    probes.ProcessTarget: lambda values, _: ProcessProbe(process=values.pick(("nginx", "a b"))),
    probes.TcpTarget: lambda values, _: TcpProbe(
        address=values.address(), port=values.number(1, 65535)
    ),
    probes.UnixTarget: lambda values, _: UnixProbe(path=values.pick(("/run/a", "/run/a b#"))),
    tracking.BfdName: lambda values, _: values.name(),
    tracking.BothDelays: _both_delays,
    tracking.FileInit: lambda values, _: (values.number(-254, 254), values.flag()),
    tracking.InterfaceLine: _track,
    tracking.MaxHops: lambda values, _: values.number(0, 64),
    tracking.Milliseconds: _milliseconds,
    tracking.ParamMatchMode: lambda values, _: values.pick(tuple(ParamMatch)),
    tracking.ProcessWords: lambda values, _: values.pick((("nginx",), ("a b", "-c", "#"))),
    tracking.TrackLine: _track,
    vmac.IpvlanWords: lambda values, _: values.ipvlan(),
    vmac.VmacWords: lambda values, _: values.vmac(),
}
"""What makes the values of a kind."""
