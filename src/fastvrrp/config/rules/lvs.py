"""`virtual_server`, its real servers and groups: what their keywords mean together."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, cast

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.assemble import fields_of
from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.model import (
    AddressService,
    BfdCheck,
    Check,
    Forwarding,
    ForwardingKind,
    FwmarkService,
    GroupEntry,
    GroupFwmark,
    GroupService,
    Protocol,
    RealServer,
    Scheduler,
    ServerAddress,
    Service,
    VirtualServer,
    VirtualServerGroup,
)
from fastvrrp.config.rules.checkers import with_target
from fastvrrp.config.rules.service_groups import (
    check_groups_used,
    families_of,
    group_settings,
)

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["check_services", "make_real_server", "make_virtual_server"]

_PERSISTENT = seconds(360)
_HASHING = (Scheduler.SH, Scheduler.MH)
_Servers = list[tuple["Settings", RealServer]]


def make_real_server(settings: Settings, around: Around) -> RealServer:
    """Return the real server with its checkers."""
    assert settings.header is not None, "a real server has an address"
    server = cast(ServerAddress, settings.header.value)
    sessions: set[str] = set()

    def checker(inner: Settings) -> Check | None:
        check = cast("Check | None", around.make(inner))
        if isinstance(check, BfdCheck):
            return _first_of_session(check, inner, sessions, around)
        return check and with_target(check, inner, server.address, around)

    fields = fields_of(settings, checker)
    found = RealServer(**fields)  # type: ignore[arg-type]  # checked by the schema's rows
    lower = settings.values.get("lower_threshold")
    if lower is not None and 0 < found.upper_threshold < found.lower_threshold:
        around.report.note(
            "FV418",
            f"lthreshold {found.lower_threshold} is above uthreshold {found.upper_threshold}: once "
            f"overloaded it gets connections again at once",
            lower.span,
            hint="write a lthreshold below uthreshold",
            context=settings.context,
        )
    return found


def _first_of_session(
    check: BfdCheck, settings: Settings, sessions: set[str], around: Around
) -> BfdCheck | None:
    if check.name not in sessions:
        sessions.add(check.name)
        return check
    around.report.warning(
        "FV106",
        f"this real server has a BFD_CHECK of {check.name} already; this one is skipped",
        settings.values["name"].span,
        context=settings.context,
    )
    return None


def make_virtual_server(settings: Settings, around: Around) -> VirtualServer | None:
    """Return the virtual server, or None, reported, if no real server is left."""
    return _VirtualServer(settings, around).make()


class _VirtualServer:
    """Makes one VirtualServer."""

    def __init__(self, settings: Settings, around: Around) -> None:
        assert settings.header is not None, "a virtual server has an address, a mark or a group"
        self._settings = settings
        self._around = around
        self._service = cast(Service, settings.header.value)
        self._entries = self._group_entries()
        self._forwarding = cast(
            Forwarding, settings.get("forwarding", Forwarding(kind=ForwardingKind.NAT))
        )
        marks = [isinstance(one, GroupFwmark) for one in self._entries]
        is_mark = isinstance(self._service, FwmarkService)
        self._some_marks = is_mark or any(marks)
        self._only_marks = is_mark or (bool(marks) and all(marks))
        self._version = self._family()

    def make(self) -> VirtualServer | None:
        """Return the virtual server, or None if it cannot be."""
        direct = self._of_one_family()
        if isinstance(self._service, GroupService) and not self._group_fits(direct):
            return None
        self._tell_defaults()
        servers = self._without_duplicates(self._with_ports(direct))
        if not servers:
            self._tell_no_server()
            return None
        granularity = self._granularity()
        protocol = self._protocol()
        fields = fields_of(self._settings, self._around.make)
        quorum, hysteresis = self._quorum([server for _, server in servers])
        sorry, sorry_forwarding = self._sorry()
        fields.update(
            self._flags(),
            scheduler=self._settings.get("scheduler", Scheduler.WLC),
            forwarding=self._forwarding,
            protocol=protocol,
            one_packet=self._one_packet(protocol),
            ha_suspend=self._ha_suspend(),
            persistence_granularity=granularity,
            persistence_timeout=self._persistence(granularity),
            family=self._settings.get("family") if self._keeps_family() else None,
            quorum=quorum,
            hysteresis=hysteresis,
            sorry_server=sorry,
            sorry_forwarding=sorry_forwarding,
            sorry_inhibit=self._sorry_inhibit(sorry, servers),
            real_servers=tuple(server for _, server in servers),
        )
        return VirtualServer(**fields)  # type: ignore[arg-type]  # checked by the schema's rows

    # --- reporting

    def _warn(
        self,
        code: str,
        message: str,
        span: Span,
        hint: str | None = None,
        *,
        of: Settings | None = None,
        related: Related | None = None,
    ) -> None:
        context = (of or self._settings).context
        self._around.report.warning(
            code, message, span, hint=hint, context=context, related=related
        )

    def _note(
        self, code: str, message: str, span: Span, hint: str, *, of: Settings | None = None
    ) -> None:
        context = (of or self._settings).context
        self._around.report.note(code, message, span, hint=hint, context=context)

    def _setting(self, key: str) -> Setting | None:
        return self._settings.values.get(key)

    def _comes_before(self, first: str, second: str) -> bool:
        """Tell if a keyword is written, and above another one that is written."""
        order = list(self._settings.values)
        return first in order and order.index(first) < order.index(second)

    # --- rules

    def _group_entries(self) -> tuple[GroupEntry, ...]:
        """Return what the group lists, nothing if there is no group; report a missing one."""
        if not isinstance(self._service, GroupService):
            return ()
        groups = group_settings(self._around)
        settings = groups.get(self._service.name)
        if settings is not None:
            group = cast("VirtualServerGroup | None", self._around.make(settings))
            return group.entries if group is not None else ()
        name = self._service.name
        if self._around.may_exist("virtual_server_groups"):
            return ()
        near = self._around.collector.nearest(name, groups)
        hint = f"did you mean {near}?" if near else f"add: virtual_server_group {name} {{ … }}"
        words = cast("Setting", self._settings.header).statement.words
        message = f"there is no virtual_server_group {name}; the virtual_server is skipped"
        self._note("FV402", message, words[2].span, hint)
        return ()

    def _tell_defaults(self) -> None:
        """Report what keepalived asks for, and does without."""
        for key, keyword, default in (
            ("scheduler", "lvs_sched", "wlc"),
            ("forwarding", "lvs_method", "NAT"),
        ):
            if self._setting(key) is None and key not in self._settings.rejected:
                self._tell_default(keyword, default, f"add: {keyword} {default}")

    def _tell_default(self, keyword: str, default: str, hint: str) -> None:
        message = f"this virtual_server has no {keyword}; {default} is taken"
        self._warn("FV404", message, self._settings.head, hint)

    def _tell_no_server(self) -> None:
        span = self._settings.rejected.get("real_servers", self._settings.head)
        message = "this virtual_server has no real_server; it is skipped"
        self._warn("FV401", message, span, "add: real_server ADDRESS PORT { … }")

    def _keeps_family(self) -> bool:
        """Tell if `ip_family` agrees with the address; report it if not."""
        setting = self._setting("family")
        if setting is None or not isinstance(self._service, AddressService):
            return True
        if setting.value == self._service.address.version:
            return True
        address = self._service.address
        message = f"ip_family does not fit {address}, which is IPv{address.version}; it is ignored"
        self._warn("FV406", message, setting.span, "remove the line")
        return False

    def _family(self) -> int | None:
        """Return 4 or 6 if all servers that are not tunnelled to must be of it.

        None: the first of them decides.
        """
        if isinstance(self._service, AddressService):
            return self._service.address.version
        family = cast("int | None", self._settings.get("family"))
        granularity = self._settings.get("persistence_granularity")
        if family is None and granularity is not None:
            return 6 if isinstance(granularity, int) else 4
        return family

    def _granularity(self) -> IPv4Address | int | None:
        setting = self._setting("persistence_granularity")
        if setting is None:
            return None
        value = cast("IPv4Address | int", setting.value)
        if self._version is None or (self._version == 6) is isinstance(value, int):
            return value
        if self._version == 6:
            message = "for IPv6 this must be a prefix length from 1 to 128; it is ignored"
            self._warn("FV406", message, setting.span, "write: persistence_granularity 64")
            return None
        message = f"for IPv4 {value} is no prefix length but the netmask 0.0.0.{value}"
        self._note("FV418", message, setting.span, "write a netmask such as 255.255.255.0")
        return IPv4Address(cast(int, value))

    def _persistence(self, granularity: object) -> Nanoseconds | None:
        """Return the time; granularity turns it on, and so does a service of all ports."""
        written = cast("Nanoseconds | None", self._settings.get("persistence_timeout"))
        engine = self._setting("persistence_engine")
        if written is not None or granularity is not None:
            return written or _PERSISTENT
        if not self._has_all_ports():
            if engine is not None:
                message = "persistence_engine has no effect without persistence_timeout"
                self._note("FV418", message, engine.span, "add: persistence_timeout 360")
            return None
        self._warn(
            "FV408",
            "a service of all ports needs persistence; 360 seconds are taken",
            self._settings.head,
            "add a port, or: persistence_timeout 360",
        )
        return _PERSISTENT

    def _has_all_ports(self) -> bool:
        if isinstance(self._service, AddressService):
            return self._service.port is None
        return any(one.port is None for one in self._entries if not isinstance(one, GroupFwmark))

    def _protocol(self) -> Protocol | None:
        setting = self._setting("protocol")
        if not self._only_marks:
            if setting is None and "protocol" not in self._settings.rejected:
                self._tell_default("protocol", "UDP", "add: protocol TCP, or UDP if it is that")
            return cast(Protocol, setting.value) if setting is not None else Protocol.UDP
        if setting is not None:
            message = "a firewall mark says nothing of the protocol; this line is ignored"
            self._warn("FV411", message, setting.statement.span, "remove the line")
        return None

    def _one_packet(self, protocol: Protocol | None) -> bool:
        setting = self._setting("one_packet")
        if setting is None or protocol in (Protocol.UDP, None):
            return setting is not None
        message = "ops is for UDP; it is ignored"
        self._warn("FV411", message, setting.statement.span, "remove the line")
        return False

    def _ha_suspend(self) -> bool:
        setting = self._setting("ha_suspend")
        if setting is None or not self._some_marks:
            return setting is not None
        message = "ha_suspend cannot be used with firewall marks; it is ignored"
        self._warn("FV411", message, setting.statement.span, "remove the line")
        return False

    def _flags(self) -> dict[str, bool]:
        """Return the flags of the scheduler; their names of sh and mh need one of these above."""
        scheduler = self._settings.get("scheduler")
        found = {}
        for key in ("scheduler_flag_1", "scheduler_flag_2", "scheduler_flag_3"):
            setting = self._setting(key)
            found[key] = setting is not None
            if setting is None or setting.row.name.startswith("flag-"):
                continue
            if scheduler in _HASHING and self._comes_before("scheduler", key):
                continue
            name = setting.row.name
            message = f"{name} needs lvs_sched sh or mh above it; it is ignored"
            hint = "move lvs_sched up" if scheduler in _HASHING else "remove the line"
            self._warn("FV410", message, setting.statement.span, hint)
            found[key] = False
        return found

    def _quorum(self, servers: list[RealServer]) -> tuple[int, int]:
        weight = cast(int, self._settings.get("weight", 1))
        quorum = cast(int, self._settings.get("quorum", 1))
        hysteresis = cast(int, self._settings.get("hysteresis", 0))
        total = sum(weight if one.weight is None else one.weight for one in servers)
        setting = self._setting("quorum")
        if quorum > total:
            self._tell_quorum(quorum, total, setting.span if setting else self._settings.head)
            quorum = max(total, 1)
        setting = self._setting("hysteresis")
        if setting is not None and hysteresis >= quorum:
            message = f"hysteresis {hysteresis} must be below the quorum; {quorum - 1} is taken"
            self._warn("FV409", message, setting.span, f"write: hysteresis {quorum - 1}")
            hysteresis = quorum - 1
        return quorum, hysteresis

    def _tell_quorum(self, quorum: int, total: int, span: Span) -> None:
        if total == 0:
            message = "the weights of all real servers are 0: the quorum is never reached"
            self._warn("FV409", message, span, "give one of them a weight of 1 or more")
            return
        message = f"quorum {quorum} is more than all weights together; {total} is taken"
        self._warn("FV409", message, span, f"write a quorum of {total} or less")

    # --- the sorry server

    def _sorry(self) -> tuple[ServerAddress | None, Forwarding | None]:
        """Return the sorry server and how packets get to it."""
        forwarding = self._behind_sorry("sorry_forwarding")
        method = cast("Forwarding | None", forwarding and forwarding.value)
        setting = self._setting("sorry_server")
        if setting is None:
            return None, None
        server = cast(ServerAddress, setting.value)
        kind = (method or self._forwarding).kind
        if kind is not ForwardingKind.TUN and self._version not in (None, server.address.version):
            message = f"{server.address} is not IPv{self._version}; this sorry_server is skipped"
            hint = "write an address of this family, or: sorry_server_lvs_method TUN"
            self._warn("FV406", message, setting.span, hint)
            return None, None
        return self._with_port(server, kind, setting.span, self._settings), method

    def _behind_sorry(self, key: str) -> Setting | None:
        """Return a setting that must stand behind `sorry_server`; report it if it does not."""
        setting = self._setting(key)
        if setting is None or self._comes_before("sorry_server", key):
            return setting
        if "sorry_server" not in self._settings.rejected:
            name = setting.row.name
            message = f"{name} must stand behind a sorry_server; it is ignored"
            self._warn("FV410", message, setting.statement.span, "move it below sorry_server")
        return None

    def _sorry_inhibit(self, sorry: ServerAddress | None, servers: _Servers) -> bool:
        setting = self._behind_sorry("sorry_inhibit")
        if sorry is None:
            return False
        for _, server in servers:
            if server.server != sorry:
                continue
            inhibit = server.inhibit
            if inhibit is None:
                inhibit = bool(self._settings.get("inhibit", False))
            if inhibit is not (setting is not None):
                self._tell_inhibit(sorry, inhibit)
            return inhibit
        return setting is not None

    def _tell_inhibit(self, sorry: ServerAddress, inhibit: bool) -> None:
        setting = self._setting("sorry_server")
        assert setting is not None, "it was read"
        message = (
            f"{sorry} is a real server, too, and {'has' if inhibit else 'has no'} "
            "inhibit_on_failure; so it is for the sorry_server"
        )
        hint = f"{'add' if inhibit else 'remove'} sorry_server_inhibit"
        self._warn("FV411", message, setting.span, hint)

    # --- real servers

    def _of_one_family(self) -> _Servers:
        """Return the real servers without those of another family than the service."""
        pairs: _Servers = []
        for settings in self._settings.blocks.get("real_servers", ()):
            server = cast("RealServer | None", self._around.make(settings))
            if server is None:
                continue
            version = server.server.address.version
            if self._kind(server) is not ForwardingKind.TUN:
                self._version = self._version or version
                if version != self._version:
                    self._tell_family(settings)
                    continue
            pairs.append((settings, server))
        return pairs

    def _kind(self, server: RealServer) -> ForwardingKind:
        return (server.forwarding or self._forwarding).kind

    def _tell_family(self, settings: Settings) -> None:
        family = self._version
        message = f"this real_server is not IPv{family}, and the virtual_server is; it is skipped"
        hint = f"write an IPv{family} address, or tunnel to it: lvs_method TUN"
        self._warn("FV406", message, settings.head, hint, of=settings)

    def _group_fits(self, servers: _Servers) -> bool:
        """Tell if the real servers can do the work for all addresses of the group.

        If not, keepalived leaves the virtual server out without a word.
        """
        families = families_of(self._entries)
        direct = [one for one in servers if self._kind(one[1]) is not ForwardingKind.TUN]
        if not direct or not families or families == {self._version}:
            return bool(self._entries)
        settings = direct[0][0]
        message = (
            f"only a tunnel leads from IPv{min(families - {self._version})} addresses of the group "
            f"to this real_server; the virtual_server is skipped"
        )
        hint = "write lvs_method TUN, or one group for each family"
        self._note("FV406", message, settings.head, hint, of=settings)
        return False

    def _with_ports(self, pairs: _Servers) -> _Servers:
        """Return the real servers with the ports that they get."""
        return [
            (
                settings,
                replace(
                    server,
                    server=self._with_port(
                        server.server, self._kind(server), settings.head, settings
                    ),
                ),
            )
            for settings, server in pairs
        ]

    def _with_port(
        self, server: ServerAddress, kind: ForwardingKind, span: Span, settings: Settings
    ) -> ServerAddress:
        """Return a server with the port that it gets; report one that it cannot get."""
        if isinstance(self._service, GroupService):
            if kind is not ForwardingKind.NAT and server.port is not None:
                self._check_group_ports(server.port, kind, span, settings)
            return server
        port = self._service.port if isinstance(self._service, AddressService) else None
        if kind is ForwardingKind.NAT:
            return server if server.port else replace(server, port=port)
        if server.port not in (None, port):
            what = f"replaced by the virtual_server's {port}" if port else "not used"
            message = f"{kind.value} does not change ports: {server.port} is {what}"
            hint = f"write port {port}, or lvs_method NAT" if port else "remove the port"
            self._warn("FV407", message, span, hint, of=settings)
        return replace(server, port=port)

    def _check_group_ports(
        self, port: int, kind: ForwardingKind, span: Span, settings: Settings
    ) -> None:
        ports = [None if isinstance(one, GroupFwmark) else one.port for one in self._entries]
        if all(one == port for one in ports):
            return
        message = f"{kind.value} does not change ports, and not all of the group has port {port}"
        self._warn("FV407", message, span, "remove the port, or write lvs_method NAT", of=settings)

    def _without_duplicates(self, pairs: _Servers) -> _Servers:
        known: dict[ServerAddress, Settings] = {}
        kept: _Servers = []
        for settings, server in pairs:
            first = known.setdefault(server.server, settings)
            if first is settings:
                kept.append((settings, server))
                continue
            assert first.statement is not None, "every block but the outermost one was written"
            self._warn(
                "FV405",
                f"there is a real_server {server.server} already; this one is skipped",
                settings.head,
                "remove it; for more connections raise the weight of the first one",
                of=settings,
                related=Related("the first one is", first.statement.span),
            )
        return kept


def check_services(around: Around) -> None:
    """Report virtual servers for the same traffic, and groups that none uses."""
    first: dict[object, Settings] = {}
    used: set[str] = set()
    for settings in around.root.blocks.get("virtual_servers", ()):
        server = around.make(settings)
        service = settings.header.value if settings.header is not None else None
        if isinstance(service, GroupService):
            used.add(service.name)
        if not isinstance(server, VirtualServer):
            continue
        other = first.setdefault((server.service, server.protocol, server.family), settings)
        if other is not settings and other.statement is not None:
            around.report.note(
                "FV417",
                "there is a virtual_server for this service and protocol already",
                settings.head,
                hint="write all its real servers into one block",
                related=Related("the other one is", other.statement.span),
            )
    check_groups_used(used, around)
