"""Random configurations that are valid: nothing but notes is told about their text.

`random_config(Random(seed))` covers every row of the schema in the long run: what a block holds
comes from its rows, and only what keywords mean together is written here, in the `_settle`
functions. Values of kinds are in `generate_values`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_interface
from random import Random
from typing import Any

from config.generate_values import UNWRITABLE, Values
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import (
    Auth,
    AuthHmac,
    AuthType,
    BfdCheck,
    BfdInstance,
    Config,
    FileCheck,
    Forwarding,
    ForwardingKind,
    FwmarkService,
    GarpGroup,
    GlobalConfig,
    GroupFwmark,
    GroupService,
    HmacMode,
    HttpCheck,
    InstanceConfig,
    OldChecksum,
    ParamMatch,
    ProbeConfig,
    Protocol,
    RealServer,
    Scheduler,
    ServerAddress,
    SslCheck,
    SyncGroup,
    TrackProcess,
    UdpCheck,
    UnixProbe,
    Url,
    Version,
    VirtualAddress,
    VirtualServer,
    VirtualServerGroup,
)
from fastvrrp.config.row import ENTRIES, Block, Keyword, default_of
from fastvrrp.config.rules.tracking import KEYS
from fastvrrp.config.schema import ROOT
from fastvrrp.secret import Secret

__all__ = ["random_config"]

_OWNER = 255
_LINK_LOCAL = ip_interface("fe80::1/64")


def random_config(rng: Random, *, instances: int = 3, with_services: bool = True) -> Config:
    """Return a configuration with up to so many instances; `with_services`: also load balancing."""
    return _Generator(rng, instances, with_services=with_services).config()


class _Generator:
    def __init__(self, rng: Random, instances: int, *, with_services: bool) -> None:
        self._rng = rng
        self._values = Values(rng)
        self._instances = instances
        self._with_services = with_services
        self._global_defs = GlobalConfig()
        self._group = VirtualServerGroup(name="")
        self._vrid = 0
        self._in_groups: set[str] = set()

    def config(self) -> Config:
        """Return a configuration; what others refer to is made first."""
        density = self._rng.choice((0.05, 0.3, 0.9))
        made: dict[str, Any] = {}
        self._global_defs = self._block("global_defs", density)
        made["global_defs"] = self._global_defs
        for keyword in _TRACKERS:
            made.update(self._trackers(keyword, density))
        self._values.trackers["interface"] = ("trk0", "trk1")
        instances = [
            self._block("vrrp_instance", density)
            for _ in range(self._rng.randint(0, self._instances))
        ]
        made.update(self._groups(instances, density))
        if self._with_services:
            made.update(self._services(density))
        left = [row for row in ROOT.rows if row.name not in _MADE_FIRST]
        return Config(**_nested({**self._fields(tuple(left), density), **made}, Config))

    def _trackers(self, keyword: str, density: float) -> dict[str, Any]:
        """Return what can be tracked; its names are known from now on."""
        found = tuple(self._block(keyword, density) for _ in range(self._values.number(1, 2)))
        self._values.trackers[keyword] = tuple(one.name for one in found)
        return {_row(keyword).key: found}

    def _groups(self, instances: list[InstanceConfig], density: float) -> dict[str, Any]:
        """Return instances, some of them in a sync group."""
        names = [one.name for one in instances]
        fields: dict[str, Any] = {"instances": tuple(instances)}
        if instances:
            group = replace(self._block("track_group", density), members=tuple(names))
            fields["track_groups"] = (group,)
        if len(instances) > 1 and self._values.flag():
            self._values.trackers["interface"] = ("grp0",)
            group = replace(self._block("vrrp_sync_group", density), members=tuple(names))
            if any(one.priority == _OWNER for one in instances):
                group = replace(group, **_without_weights(group))
            if not group.tracking_weight:
                instances = [replace(one, **_without_weights(one)) for one in instances]
            fields.update(groups=(group,), instances=tuple(instances))
        return fields

    def _services(self, density: float) -> dict[str, Any]:
        self._values.family = self._values.pick((4, 6))
        self._group = self._block("virtual_server_group", density)
        servers = tuple(
            self._block("virtual_server", density) for _ in range(self._values.number(0, 2))
        )
        return {"virtual_server_groups": (self._group,), "virtual_servers": servers}

    # --- by what the rows say

    def _block(self, name: str, density: float) -> Any:  # noqa: ANN401 - the model of the block
        return self._model(_row(name), density)

    def _model(self, block: Block | Keyword, density: float) -> Any:  # noqa: ANN401 - see above
        assert isinstance(block, Block)
        assert block.model is not None
        start = _START.get(block.model)
        if start is not None:
            start(self)
        fields: dict[str, Any] = {}
        if block.header is not None:
            fields.update(self._keyword(block.header))
        if block.entry is not None:
            fields[ENTRIES] = self._lines(block)
        fields = _nested({**fields, **self._fields(block.rows, density)}, block.model)
        settle = _SETTLE.get(block.model)
        return block.model(**(fields if settle is None else settle(self, fields)))

    def _fields(self, rows: tuple[Block | Keyword, ...], density: float) -> dict[str, Any]:
        """Return values for some of the rows, for all that are required."""
        fields: dict[str, Any] = {}
        for row in rows:
            wanted = self._rng.random() < density
            if row.alias or row.instead:
                continue
            if isinstance(row, Keyword):
                if wanted or row.required:
                    fields = {**self._keyword(row), **fields}
            elif wanted:
                self._inner(row, density, fields)
        return fields

    def _keyword(self, row: Keyword) -> dict[str, Any]:
        if isinstance(row.kind, UNWRITABLE):
            return {}
        if row.many:
            value = tuple(self._values.of(row.kind) for _ in range(self._rng.randint(1, 3)))
            return {row.key: tuple(dict.fromkeys(value))}
        value = self._values.of(row.kind)
        return (
            {row.key: value} if isinstance(row.to, str) else dict(zip(row.to, value, strict=True))
        )

    def _inner(self, row: Block, density: float, fields: dict[str, Any]) -> None:
        """Add what an inner block holds."""
        if row.many:
            more = tuple(self._model(row, density) for _ in range(self._rng.randint(1, 2)))
            fields[row.to] = (*fields.get(row.to, ()), *more)
        elif row.entry is not None:
            fields.setdefault(row.to, self._lines(row))
        else:
            fields[row.to] = self._model(row, density)

    def _lines(self, row: Block) -> tuple[Any, ...]:
        lines = [self._values.of(row.entry) for _ in range(self._rng.randint(1, 4))]  # type: ignore[arg-type]  # the caller has looked
        return tuple(dict.fromkeys(lines))

    # --- what keywords mean together

    def _start_instance(self) -> None:
        self._values.family = self._values.pick((4, 6))

    def _settle_globals(self, fields: dict[str, Any]) -> dict[str, Any]:
        fields["vrrp_min_garp"] = False
        return fields

    def _settle_instance(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Make an instance run as it is written."""
        self._vrid += 1
        fields["vrid"] = self._vrid
        one = InstanceConfig(**fields)
        defs, family = self._global_defs, self._values.family
        version = Version.V3 if family == 6 else self._values.pick(tuple(Version))
        strict = one.strict and bool(one.addresses)
        is_owner = one.priority == _OWNER
        active = is_owner if strict else one.initial_active
        peers = () if strict else one.peers
        changes: dict[str, Any] = {
            "version": version,
            "strict": strict,
            "initial_active": active,
            "preempt": one.preempt or is_owner or active,
            "native_ipv6": one.native_ipv6 and family == 6,
            "advert_interval": self._interval(version),
            "owner_ignore_adverts": is_owner
            and (strict or defs.vrrp_owner_ignore_adverts or one.owner_ignore_adverts),
            "addresses": self._addresses(one, version),
            "without_addresses": not strict and (one.without_addresses or not one.addresses),
            "track_source": one.track_source and one.source is not None,
            "peers": peers,
            **(_without_weights(one) if is_owner else _each_once(one)),
        }
        one = replace(one, **changes, **self._unicast(one, peers))
        if one.peers and one.source is not None and one.vrf is not None:
            one = replace(one, interface="")
        else:
            one = replace(one, vrf=None)
        one = self._own_interface(one)
        one = self._authentication(one)
        if strict:
            one = self._strict(one, is_owner=is_owner)
        if not one.preempt or active or strict:
            one = replace(one, preempt_delay=Nanoseconds(0))
        if one.preempt:
            one = replace(one, timer_expired_backup=None)
        return {name: getattr(one, name) for name in one.__dataclass_fields__ if name != "span"}

    def _interval(self, version: Version) -> Nanoseconds:
        if version is Version.V2:
            return self._values.seconds(1, 255)
        return milliseconds(10 * self._values.number(1, 4095))

    def _addresses(self, one: InstanceConfig, version: Version) -> tuple[VirtualAddress, ...]:
        """Return addresses: VRRPv3 needs one, and over IPv6 a link-local one first."""
        if not one.addresses and version is Version.V2:
            return ()
        first = one.addresses or (self._values.virtual_address(),)
        if self._values.family == 4:
            return first
        return (VirtualAddress(address=_LINK_LOCAL), *first)

    def _unicast(self, one: InstanceConfig, peers: tuple[Any, ...]) -> dict[str, Any]:
        if not peers:
            return {
                "unicast_ttl": 255,
                "old_checksum": OldChecksum.AUTO,
                "check_unicast_src": False,
                "unicast_any_src": False,
            }
        limited = any(peer.min_ttl for peer in peers)
        is_checked = one.check_unicast_src or limited or self._global_defs.vrrp_check_unicast_src
        return {
            "mcast_group": None,
            "allowed_peers": (),
            "check_unicast_src": is_checked,
            "unicast_any_src": one.unicast_any_src and not is_checked,
        }

    def _own_interface(self, one: InstanceConfig) -> InstanceConfig:
        if one.vmac is not None:
            one = replace(one, ipvlan=None)
        has_own = one.vmac is not None or one.ipvlan is not None
        sends_below = one.vmac is not None and (one.vmac_xmit_base or bool(one.peers))
        promotes = one.promote_secondaries and not has_own
        return replace(one, vmac_xmit_base=sends_below, promote_secondaries=promotes)

    def _authentication(self, one: InstanceConfig) -> InstanceConfig:
        if one.hmac is not None or one.version is Version.V3 or one.strict:
            return replace(one, auth=None)
        if one.auth is not None and one.auth.type is AuthType.AH and one.priority != _OWNER:
            return replace(one, initial_active=False)
        return one

    def _strict(self, one: InstanceConfig, *, is_owner: bool) -> InstanceConfig:
        hmac = None if one.hmac is None else replace(one.hmac, mode=HmacMode.ENFORCE)
        vmac = None if one.vmac is None else replace(one.vmac, mac=None)
        none = Nanoseconds(0)
        return replace(
            one,
            accept=one.accept if is_owner else one.accept and one.version is Version.V3,
            down_timer_adverts=3,
            lower_prio_no_advert=True,
            higher_prio_send_advert=False,
            garp=replace(one.garp, lower_prio_delay=none, lower_prio_repeat=0),
            vmac_xmit_base=False,
            hmac=hmac,
            vmac=vmac,
        )

    def _settle_auth(self, fields: dict[str, Any]) -> dict[str, Any]:
        password = fields.get("password", Secret(b"x"))
        return {"type": fields.get("type", AuthType.PASS), "password": password}

    def _settle_hmac(self, fields: dict[str, Any]) -> dict[str, Any]:
        keys = fields.get("keys") or (self._values.hmac_key(),)
        fields["keys"] = tuple({key.id: key for key in keys}.values())
        fields["active_key"] = self._values.pick(fields["keys"]).id
        fields.setdefault("time_window", seconds(7))
        return fields

    def _settle_garp_group(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Put interfaces into the first of two groups only."""
        fields.setdefault("garp_interval", milliseconds(1))
        free = tuple(name for name in fields.get("interfaces", ()) if name not in self._in_groups)
        self._in_groups.update(free)
        return {**fields, "interfaces": free}

    def _settle_sync_group(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, **_each_once(SyncGroup(**fields))}

    def _settle_process(self, fields: dict[str, Any]) -> dict[str, Any]:
        is_compared = "param_match" in fields and fields["param_match"] is not ParamMatch.EXACT
        fields["full_command"] = (
            fields.get("full_command", False) or is_compared or len(fields["command"]) > 1
        )
        most = fields.get("quorum_max")
        if most is not None:
            fields["quorum"] = min(fields.get("quorum", 1), max(most, 1))
        return fields

    def _settle_probe(self, fields: dict[str, Any]) -> dict[str, Any]:
        fields.setdefault("target", UnixProbe(path="/run/app.sock"))
        return fields

    def _settle_bfd(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Let virtual routers hear of the session, so that they can track it."""
        is_for_checker = fields.get("for_checker", False)
        fields["for_vrrp"] = fields.get("for_vrrp", False) or is_for_checker
        fields["max_hops"] = min(fields.get("max_hops", 0), fields.get("ttl", 64))
        return fields

    # --- load balancing

    def _settle_http(self, fields: dict[str, Any]) -> dict[str, Any]:
        fields.setdefault("urls", (Url(path="/"),))
        return fields

    def _settle_udp(self, fields: dict[str, Any]) -> dict[str, Any]:
        fields["min_reply_length"] = min(fields.get("min_reply_length", 0), 255)
        fields["max_reply_length"] = max(
            fields.get("max_reply_length", 255), fields["min_reply_length"]
        )
        return fields

    def _settle_real_server(self, fields: dict[str, Any]) -> dict[str, Any]:
        checks = fields.get("checkers", ())
        named = {one.name if isinstance(one, BfdCheck) else id(one): one for one in checks}
        checks = tuple(named.values())
        return {**fields, "checkers": checks, "weight": self._values.number(1, 65535)}

    def _settle_file_check(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, "file": self._values.pick(self._values.trackers["track_file"])}

    def _settle_bfd_check(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, "name": self._values.pick(self._values.trackers["bfd_instance"])}

    def _settle_virtual_server(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Make a virtual server run as it is written."""
        fields.setdefault("real_servers", (RealServer(server=self._values.server(), weight=1),))
        fields.setdefault("scheduler", Scheduler.WLC)
        fields.setdefault("forwarding", Forwarding(kind=ForwardingKind.NAT))
        fields.setdefault("protocol", Protocol.UDP)
        if self._values.flag():
            fields["service"] = GroupService(name=self._group.name)
        entries = self._group.entries if isinstance(fields["service"], GroupService) else ()
        marks = [isinstance(one, GroupFwmark) for one in entries]
        is_mark = isinstance(fields["service"], FwmarkService)
        if is_mark or (marks and all(marks)):
            fields["protocol"] = None
        if is_mark or any(marks):
            fields["ha_suspend"] = False
        if fields["protocol"] not in (None, Protocol.UDP):
            fields["one_packet"] = False
        if "persistence_granularity" in fields:
            fields.setdefault("persistence_timeout", seconds(360))
        total = sum(server.weight for server in fields["real_servers"])
        fields["quorum"] = self._values.number(1, total)
        fields["hysteresis"] = self._values.number(0, fields["quorum"] - 1)
        fields["family"] = self._values.maybe(self._values.family)
        return self._with_ports(fields)

    def _with_ports(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Give the servers that are tunnelled to the port of the service."""
        port = getattr(fields["service"], "port", None)

        def fitting(server: ServerAddress, forwarding: Forwarding | None) -> ServerAddress:
            is_direct = (forwarding or fields["forwarding"]).kind is ForwardingKind.NAT
            return server if is_direct else replace(server, port=port)

        if "sorry_server" in fields:
            sorry, method = fields["sorry_server"], fields.get("sorry_forwarding")
            fields["sorry_server"] = fitting(sorry, method)
        else:
            fields.update(sorry_inhibit=False, sorry_forwarding=None)
        fields["real_servers"] = tuple(
            replace(one, server=fitting(one.server, one.forwarding))
            for one in fields["real_servers"]
        )
        return fields


def _row(name: str) -> Keyword | Block:
    return next(row for row in ROOT.rows if row.name == name)


def _each_once(one: InstanceConfig | SyncGroup) -> dict[str, Any]:
    """Return what is tracked, by field, each name once."""
    uses = {key: getattr(one, key) for key in KEYS}
    return {key: tuple({use.name: use for use in found}.values()) for key, found in uses.items()}


def _without_weights(one: InstanceConfig | SyncGroup) -> dict[str, Any]:
    """Return the same for a priority that never changes."""
    return {
        key: tuple(replace(use, weight=0, reverse=False) for use in uses)
        for key, uses in _each_once(one).items()
    }


def _nested(flat: dict[str, Any], model: type) -> dict[str, Any]:
    """Gather "garp.delay" and its like into the field `garp`."""
    fields = {name: value for name, value in flat.items() if "." not in name}
    for path in flat.keys() - fields.keys():
        head, _, tail = path.partition(".")
        base = fields.get(head, default_of(model, head))
        fields[head] = replace(base, **{tail: flat[path]})
    return fields


_TRACKERS = ("vrrp_script", "track_file", "vrrp_track_process", "vrrp_probe", "bfd_instance")
"""Keywords of what can be tracked."""

_MADE_FIRST = (
    *_TRACKERS,
    "global_defs",
    "vrrp_instance",
    "track_group",
    "vrrp_sync_group",
    "virtual_server",
    "virtual_server_group",
)
"""Blocks that others refer to, or that are made one by one."""

_Start = Callable[[_Generator], None]
_Settle = Callable[[_Generator, dict[str, Any]], dict[str, Any]]

_START: dict[type, _Start] = {
    InstanceConfig: _Generator._start_instance,
}
"""What is chosen before the fields of a model are."""

_SETTLE: dict[type, _Settle] = {
    Auth: _Generator._settle_auth,
    AuthHmac: _Generator._settle_hmac,
    BfdCheck: _Generator._settle_bfd_check,
    BfdInstance: _Generator._settle_bfd,
    FileCheck: _Generator._settle_file_check,
    GarpGroup: _Generator._settle_garp_group,
    GlobalConfig: _Generator._settle_globals,
    HttpCheck: _Generator._settle_http,
    InstanceConfig: _Generator._settle_instance,
    ProbeConfig: _Generator._settle_probe,
    RealServer: _Generator._settle_real_server,
    SslCheck: _Generator._settle_http,
    SyncGroup: _Generator._settle_sync_group,
    TrackProcess: _Generator._settle_process,
    UdpCheck: _Generator._settle_udp,
    VirtualServer: _Generator._settle_virtual_server,
}
"""What makes the fields of a model agree."""
