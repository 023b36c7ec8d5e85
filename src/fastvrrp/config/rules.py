"""What the keywords of an instance mean together: defaults, conflicts, and what must not be twice.

One function per rule. Where keepalived corrects a configuration and goes on, so do we, with a
warning; where the result would differ from what was written in a way that matters, it is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, seconds
from fastvrrp.config.collect import Collector, Setting, Settings
from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.model import (
    Address,
    Auth,
    AuthType,
    Command,
    GarpConfig,
    InstanceConfig,
    NotifyConfig,
    Peer,
    ScriptConfig,
    ScriptUse,
    Version,
    VirtualAddress,
)
from fastvrrp.config.reader import Statement
from fastvrrp.config.source import Report
from fastvrrp.secret import Secret

__all__ = [
    "Surroundings",
    "Written",
    "garp_fields",
    "garp_values",
    "make_instances",
    "make_script",
]

_OWNER = 255
_MAX_ADDRESSES = 255
_V3_STEP = 10_000_000
_V3_MAX_INTERVAL = 4095 * _V3_STEP


@dataclass(frozen=True, slots=True)
class Written:
    """An instance as it was written, with the gratuitous ARP defaults that stood before it."""

    name: str
    statement: Statement
    settings: Settings
    garp_before: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an instance can refer to. `script_names` includes scripts that could not be made."""

    global_defs: Settings
    scripts: Mapping[str, ScriptConfig]
    script_names: frozenset[str]
    collector: Collector
    report: Report


def make_instances(written: Iterable[Written], around: Surroundings) -> tuple[InstanceConfig, ...]:
    """Return the instances that can be made; report what keeps others from it."""
    made = [instance for one in written if (instance := _Instance(one, around).make()) is not None]
    _check_unique_vrids(made, around.report)
    return tuple(made)


def make_script(
    name: str, statement: Statement, settings: Settings, report: Report
) -> ScriptConfig | None:
    """Return a script, or None, reported, if it names no program."""
    command = cast(Command | None, settings.get("command"))
    if command is None:
        if "command" not in settings.rejected:
            report.error(
                "FV201",
                f"vrrp_script {name} has no script",
                statement.words[1].span,
                hint='add: script "/path/to/program arguments"',
            )
        return None
    user, group = cast(tuple[str | None, str | None], settings.get("user", (None, None)))
    weight, reverse = cast(tuple[int, bool], settings.get("weight", (0, False)))
    return ScriptConfig(
        name=name,
        command=Command(argv=command.argv, user=user, group=group, span=command.span),
        interval=cast(Nanoseconds, settings.get("interval", seconds(1))),
        timeout=cast(Nanoseconds | None, settings.get("timeout")),
        weight=weight,
        reverse=reverse,
        rise=cast(int, settings.get("rise", 1)),
        fall=cast(int, settings.get("fall", 1)),
        span=statement.span,
    )


def garp_values(settings: Settings) -> dict[str, object]:
    """Return the gratuitous ARP values that a block gives, by field of GarpConfig."""
    return {
        to.removeprefix("garp."): setting.value
        for to, setting in settings.values.items()
        if to.startswith("garp.")
    }


def garp_fields(before: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """Return the fields of GarpConfig: `settings` over `before`.

    After a lower-priority advert the same is done as when becoming active, unless told otherwise.
    """
    fields = {**before, **garp_values(settings)}
    for name in ("delay", "repeat"):
        if name in fields:
            fields.setdefault(f"lower_prio_{name}", fields[name])
    return fields


class _Instance:
    """Makes one InstanceConfig."""

    def __init__(self, written: Written, around: Surroundings) -> None:
        self._name = written.name
        self._statement = written.statement
        self._settings = written.settings
        self._garp_before = written.garp_before
        self._around = around

    def make(self) -> InstanceConfig | None:
        """Return the instance, or None if something mandatory is missing."""
        interface = self._mandatory("interface", "interface eth0")
        vrid = self._mandatory("vrid", "virtual_router_id 51")
        family = self._family()
        version = self._version(family)
        priority = self._priority()
        addresses, excluded = self._addresses(family, version)
        source, peers = self._source(family), self._peers(family)
        auth = self._auth(version)
        instance = {
            "version": version,
            "priority": priority,
            "advert_interval": self._interval(version),
            "initial_active": self._initial_active(auth, priority),
            "preempt": self._preempt(priority),
            "preempt_delay": self._preempt_delay(priority),
            "addresses": addresses,
            "excluded": excluded,
            "source": source,
            "peers": peers,
            "auth": auth,
            "garp": self._garp(),
            "scripts": self._scripts(priority),
            "notify": self._notify(),
        }
        self._check_interfaces(interface)
        if interface is None or vrid is None:
            return None
        return InstanceConfig(
            name=self._name,
            interface=cast(str, interface),
            vrid=cast(int, vrid),
            span=self._statement.span,
            **instance,  # type: ignore[arg-type]  # each is what its method returns
        )

    # --- reporting

    def _warn(
        self,
        code: str,
        message: str,
        span: Span,
        hint: str | None = None,
        related: Related | None = None,
    ) -> None:
        self._around.report.warning(
            code, message, span, hint=hint, context=self._settings.context, related=related
        )

    def _error(
        self,
        code: str,
        message: str,
        span: Span,
        hint: str | None = None,
        related: Related | None = None,
    ) -> None:
        self._around.report.error(
            code, message, span, hint=hint, context=self._settings.context, related=related
        )

    @property
    def _head(self) -> Span:
        """Where the instance's name stands."""
        return self._statement.words[1].span

    def _list(self, to: str) -> list[Setting]:
        return self._settings.lists.get(to, [])

    # --- rules

    def _mandatory(self, to: str, example: str) -> object:
        value = self._settings.get(to)
        if value is None and to not in self._settings.rejected:
            keyword = example.partition(" ")[0]
            self._error("FV201", f"{self._name} has no {keyword}", self._head, f"add: {example}")
        if value == "lo":
            setting = self._settings.values[to]
            message = "the loopback interface cannot carry adverts"
            self._error("FV103", message, setting.span, "name the interface of the shared network")
            return None
        return value

    def _family(self) -> int:
        """4 or 6: that of the first address, else of the source, else of the first peer."""
        for setting in self._list("addresses"):
            return cast(VirtualAddress, setting.value).address.version
        source = cast(Address | None, self._settings.get("source"))
        if source is not None:
            return source.version
        for setting in self._list("peers"):
            return cast(Peer, setting.value).address.version
        return 4

    def _version(self, family: int) -> Version:
        written = self._settings.values.get("version")
        if family == 6:
            if written is not None and written.value is Version.V2:
                message = "IPv6 addresses need VRRPv3; version 2 has no effect"
                self._warn("FV220", message, written.span, "write version 3")
            return Version.V3
        if written is not None:
            return cast(Version, written.value)
        return cast(Version, self._around.global_defs.get("vrrp_version", Version.V2))

    def _state_active(self) -> bool:
        return bool(self._settings.get("initial_active", False))

    def _priority(self) -> int:
        written = self._settings.values.get("priority")
        if written is not None:
            return cast(int, written.value)
        if not self._state_active():
            return 100
        if "priority" not in self._settings.rejected:
            self._warn(
                "FV208",
                "state MASTER without priority means priority 255: this router takes over at once",
                self._settings.values["initial_active"].span,
                "add a priority, such as: priority 150",
            )
        return _OWNER

    def _initial_active(self, auth: Auth | None, priority: int) -> bool:
        state = self._settings.values.get("initial_active")
        if state is None:
            return priority == _OWNER
        active = bool(state.value)
        if active and auth is not None and auth.type is AuthType.AH and priority < _OWNER:
            message = "with auth_type AH this router starts as BACKUP"
            self._warn("FV206", message, state.span, "write state BACKUP")
            return False
        return active

    def _preempt(self, priority: int) -> bool:
        written = self._settings.values.get("preempt")
        if written is None or written.row.name == "preempt":
            return True
        if priority == _OWNER:
            self._warn(
                "FV207", "priority 255 always takes over; nopreempt has no effect", written.span
            )
            return True
        if self._state_active():
            message = "nopreempt has no effect with state MASTER"
            self._warn("FV207", message, written.span, "write state BACKUP on all routers")
            return True
        return False

    def _preempt_delay(self, priority: int) -> Nanoseconds:
        written = self._settings.values.get("preempt_delay")
        if written is None or not written.value:
            return Nanoseconds(0)
        why = None
        if self._state_active():
            why = "with state MASTER"
        elif self._nopreempt_holds(priority):
            why = "with nopreempt"
        if why is None:
            return cast(Nanoseconds, written.value)
        self._warn("FV207", f"preempt_delay has no effect {why}", written.span)
        return Nanoseconds(0)

    def _nopreempt_holds(self, priority: int) -> bool:
        written = self._settings.values.get("preempt")
        return written is not None and written.row.name == "nopreempt" and priority < _OWNER

    def _interval(self, version: Version) -> Nanoseconds:
        """Return the interval as the version can express it (RFC 3768 §5.3.7, RFC 9568 §5.2.7)."""
        written = self._settings.values.get("advert_interval")
        if written is None:
            return seconds(1)
        value = cast(int, written.value)
        if version is Version.V3 and value > _V3_MAX_INTERVAL:
            message = "advert_int is at most 40.95 seconds with VRRPv3"
            self._error("FV104", message, written.span)
        step = _V3_STEP if version is Version.V3 else NS_PER_SECOND
        rounded = max(step, (value + step // 2) // step * step)
        if rounded != value:
            text = f"{rounded / NS_PER_SECOND:g}"
            message = f"VRRPv{version.value} rounds advert_int to {text} s"
            self._warn("FV216", message, written.span, f"write advert_int {text} on all routers")
        return Nanoseconds(rounded)

    def _auth(self, version: Version) -> Auth | None:
        written = self._settings.blocks.get("auth")
        if written is None:
            return None
        for to, example in (("type", "auth_type PASS"), ("password", "auth_pass secret")):
            if written.get(to) is None:
                if to not in written.rejected:
                    keyword = example.partition(" ")[0]
                    message = f"the authentication of {self._name} has no {keyword}"
                    self._error("FV201", message, written.head or self._head, f"add: {example}")
                return None
        if version is Version.V3:
            self._warn(
                "FV205",
                "VRRPv3 has no authentication (RFC 9568 §9); this block has no effect",
                written.values["type"].statement.span,
                "remove the authentication block, or write version 2 on all routers",
            )
            return None
        return Auth(
            type=cast(AuthType, written.get("type")), password=cast(Secret, written.get("password"))
        )

    def _addresses(
        self, family: int, version: Version
    ) -> tuple[tuple[VirtualAddress, ...], tuple[VirtualAddress, ...]]:
        seen: dict[object, Span] = {}
        advertised = self._distinct("addresses", seen)
        excluded = self._distinct("excluded", seen)
        for one in advertised:
            if one.address.version != family:
                self._error(
                    "FV209",
                    f"{one.address.ip} is IPv{one.address.version} in an IPv{family} instance",
                    cast(Span, one.span),
                    "move it to virtual_ipaddress_excluded, or to an instance of its own",
                )
        if not advertised:
            self._no_addresses(version)
        if len(advertised) > _MAX_ADDRESSES:
            self._warn(
                "FV218",
                f"an advert holds {_MAX_ADDRESSES} addresses; from here on they are not advertised",
                cast(Span, advertised[_MAX_ADDRESSES].span),
                "write them into virtual_ipaddress_excluded",
            )
        surplus = advertised[_MAX_ADDRESSES:]
        return tuple(advertised[:_MAX_ADDRESSES]), (*surplus, *excluded)

    def _distinct(self, to: str, seen: dict[object, Span]) -> list[VirtualAddress]:
        """Return the addresses of a block without those that were seen before."""
        kept = []
        for setting in self._list(to):
            one = cast(VirtualAddress, setting.value)
            span = setting.statement.span
            if one.address.ip in seen:
                related = Related("the other one is", seen[one.address.ip])
                message = f"{one.address.ip} is given twice; this one is not used"
                self._warn("FV210", message, span, related=related)
                continue
            seen[one.address.ip] = span
            kept.append(one)
        return kept

    def _no_addresses(self, version: Version) -> None:
        if "addresses" in self._settings.rejected:
            return
        hint = "add: virtual_ipaddress { … } with one address a line"
        message = f"{self._name} has no virtual address"
        if version is Version.V3:
            self._error("FV211", f"{message}, which VRRPv3 needs", self._head, hint)
        elif not self._settings.get("without_addresses", False):
            self._warn("FV211", message, self._head, hint)

    def _source(self, family: int) -> Address | None:
        written = self._settings.values.get("source")
        if written is None:
            return None
        source = cast(Address, written.value)
        if source.version != family:
            message = f"the source address must be IPv{family}, as the virtual addresses are"
            self._error("FV209", message, written.span)
        if written.row.name == "unicast_src_ip" and not self._list("peers"):
            self._warn(
                "FV215",
                "there is no unicast_peer, so adverts are sent by multicast",
                written.span,
                "add unicast_peer { … }, or write mcast_src_ip instead",
            )
        return source

    def _peers(self, family: int) -> tuple[Peer, ...]:
        kept: dict[Address, Peer] = {}
        own = self._settings.get("source")
        for setting in self._list("peers"):
            peer = cast(Peer, setting.value)
            span = setting.statement.span
            if peer.address.version != family:
                message = f"the peer must be IPv{family}, as the virtual addresses are"
                self._error("FV209", message, span)
            elif peer.address == own:
                self._warn("FV210", "this peer is this router itself; it is not used", span)
            elif peer.address in kept:
                message = f"{peer.address} is given twice; this one is not used"
                self._warn("FV210", message, span)
            else:
                kept[peer.address] = peer
        return tuple(kept.values())

    def _garp(self) -> GarpConfig:
        late = {
            name: value
            for name, value in garp_values(self._around.global_defs).items()
            if name.startswith("lower_prio_")
        }
        fields = garp_fields({**self._garp_before, **late}, self._settings)
        return GarpConfig(**fields)  # type: ignore[arg-type]  # checked by the schema's rows

    def _scripts(self, priority: int) -> tuple[ScriptUse, ...]:
        kept: dict[str, ScriptUse] = {}
        for setting in self._list("scripts"):
            use = cast(ScriptUse, setting.value)
            span = setting.statement.span
            if use.name not in self._around.script_names:
                self._unknown_script(use.name, span)
            elif use.name in kept:
                message = f"script {use.name} is given twice; the first one counts"
                self._warn(
                    "FV106",
                    message,
                    span,
                    related=Related("it is", cast(Span, kept[use.name].span)),
                )
            elif priority == _OWNER and self._weight_of(use):
                message = f"priority 255 never changes: script {use.name} has no effect"
                self._warn("FV217", message, span, "remove the weight, so that failure is a fault")
            else:
                kept[use.name] = use
        return tuple(kept.values())

    def _weight_of(self, use: ScriptUse) -> int:
        if use.weight is not None:
            return use.weight
        script = self._around.scripts.get(use.name)
        return script.weight if script is not None else 0

    def _unknown_script(self, name: str, span: Span) -> None:
        near = self._around.collector.nearest(name, self._around.script_names)
        script = self._around.scripts.get(near) if near else None
        self._error(
            "FV212",
            f"there is no vrrp_script {name}",
            span,
            f"did you mean {near}?" if near else f"add: vrrp_script {name} {{ script … }}",
            Related(f"{near} is defined", script.span) if script and script.span else None,
        )

    def _notify(self) -> NotifyConfig:
        commands = {
            to.removeprefix("notify."): setting.value
            for to, setting in self._settings.values.items()
            if to.startswith("notify.")
        }
        return NotifyConfig(**commands)  # type: ignore[arg-type]  # checked by the schema's rows

    def _check_interfaces(self, own: object) -> None:
        """Other interfaces are not tracked yet; the own one always is."""
        for setting in self._list("track_interface"):
            span = setting.statement.span
            if setting.value == own:
                self._warn("FV110", "the instance's own interface is tracked in any case", span)
                continue
            message = "tracking another interface is not supported yet"
            hint = "it changes who may be active; remove it only if this router can do without"
            self._error("FV111", message, span, hint)


def _check_unique_vrids(instances: Iterable[InstanceConfig], report: Report) -> None:
    """Two virtual routers of one VRID, family and interface would take each other for a peer."""
    seen: dict[tuple[object, ...], InstanceConfig] = {}
    for one in instances:
        ways: list[object] = [peer.address for peer in one.peers] or ["multicast"]
        for way in ways:
            other = seen.setdefault((one.vrid, one.family, one.interface, way), one)
            if other is not one:
                report.error(
                    "FV203",
                    f"{one.name} and {other.name} share a virtual_router_id on {one.interface}",
                    cast(Span, one.span),
                    hint="give every vrrp_instance of an interface a virtual_router_id of its own",
                    related=Related(f"{other.name} is", cast(Span, other.span)),
                )
                break
