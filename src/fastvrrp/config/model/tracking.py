"""What decides about instances from outside: scripts, files, processes, BFD sessions, groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.base import Address, Command, TrackUse
from fastvrrp.config.model.value import Value

__all__ = [
    "BfdInstance",
    "ParamMatch",
    "ProcessDelays",
    "ScriptConfig",
    "StateNotify",
    "SyncGroup",
    "TrackFile",
    "TrackGroup",
    "TrackProcess",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ScriptConfig(Value):
    """One `vrrp_script`. `weight` -253..253, 0: failure is a FAULT. `timeout` None: `interval`.
    `init_fail`: it counts as failed until its first run has ended."""

    name: str
    command: Command
    interval: Nanoseconds = seconds(1)
    timeout: Nanoseconds | None = None
    weight: int = 0
    reverse: bool = False
    rise: int = 1
    fall: int = 1
    init_fail: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TrackFile(Value):
    """One `track_file`: the number in a file times `weight` is added to the priority.

    `weight` -254..254, 0: any number but 0 is a FAULT. `init`: what the file is created with at
    start (None: it is not); `overwrite`: even if it exists.
    """

    name: str
    path: str
    weight: int = 1
    reverse: bool = False
    init: int | None = None
    overwrite: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


class ParamMatch(Enum):
    """How the parameters of a process are compared with those that are configured.

    INITIAL: a process may have more of them. PARTIAL: the last one may go on as well.
    """

    EXACT = "exact"
    INITIAL = "initial"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ProcessDelays(Value):
    """How long a quorum must be lost (`terminate`) or reached (`fork`) before that counts."""

    terminate: Nanoseconds = Nanoseconds(0)
    fork: Nanoseconds = Nanoseconds(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TrackProcess(Value):
    """One `vrrp_track_process`: up while `quorum`..`quorum_max` processes like `command` run.

    `command` is the program and its parameters. `full_command`: it is compared with the command
    line of a process, else with its name. `quorum_max` None: any number, 0: none must run.
    `weight` -254..254, 0: a missing quorum is a FAULT.
    """

    name: str
    command: tuple[str, ...]
    param_match: ParamMatch = ParamMatch.EXACT
    full_command: bool = False
    weight: int = 0
    reverse: bool = False
    quorum: int = 1
    quorum_max: int | None = None
    delays: ProcessDelays = ProcessDelays()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BfdInstance(Value):
    """One `bfd_instance`: a BFD session with a neighbour (RFC 5880).

    `ttl` None: 255, IPv6: 64. `max_hops` 0..255, 255: any number. `for_vrrp`, `for_checker`: who
    is told of the session; neither: both. `weight` -253..253, 0: a session that is down is a FAULT.
    """

    name: str
    neighbor: Address
    source: Address | None = None
    min_rx: Nanoseconds = milliseconds(10)
    min_tx: Nanoseconds = milliseconds(10)
    idle_tx: Nanoseconds = seconds(1)
    multiplier: int = 5
    passive: bool = False
    ttl: int | None = None
    max_hops: int = 0
    multihop: bool = False
    weight: int = 0
    reverse: bool = False
    for_vrrp: bool = False
    for_checker: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StateNotify(Value):
    """Programs run at state changes; `always` is keepalived's `notify`."""

    master: Command | None = None
    backup: Command | None = None
    fault: Command | None = None
    stop: Command | None = None
    always: Command | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SyncGroup(Value):
    """One `vrrp_sync_group`: its members, named, are active or backup together.

    What the group tracks counts for each member. `tracking_weight`: weights do, too, in what the
    members track themselves. `smtp_alert`, `notify_priority_changes` None: `global_defs` decides.
    """

    name: str
    members: tuple[str, ...] = ()
    scripts: tuple[TrackUse, ...] = ()
    interfaces: tuple[TrackUse, ...] = ()
    files: tuple[TrackUse, ...] = ()
    processes: tuple[TrackUse, ...] = ()
    probes: tuple[TrackUse, ...] = ()
    bfd: tuple[TrackUse, ...] = ()
    tracking_weight: bool = False
    notify: StateNotify = StateNotify()
    notify_priority_changes: bool | None = None
    smtp_alert: bool | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TrackGroup(Value):
    """One `track_group`: instances that a static address, route or rule is a fault of."""

    name: str
    members: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
