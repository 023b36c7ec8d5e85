"""What goes into the core and what comes out of it, as Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from fastvrrp.names import NoteKind

__all__ = ["Act", "GarpParams", "HmacParams", "Note", "Revision", "RouterChange", "RouterParams"]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the core asks for; `a`, `b` and `c` as in core/model.pxd, `at` in ns."""

    kind: str
    vr: int
    at: int
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that the core tells; see names.NoteKind for a, b, c. `source`: 4 or 16 bytes."""

    kind: NoteKind
    vr: int
    at: int
    a: int
    b: int
    c: int
    source: bytes


class GarpParams(Protocol):
    """Times in ns, repeats as counts; `config.model.GarpConfig` has this shape."""

    @property
    def delay(self) -> int:
        """From becoming active to the second burst, 0: none."""

    @property
    def repeat(self) -> int:
        """Rounds of one burst, 1 or more."""

    @property
    def refresh(self) -> int:
        """Between the rounds that follow while active, 0: none."""

    @property
    def refresh_repeat(self) -> int:
        """Rounds of one refresh."""

    @property
    def lower_prio_delay(self) -> int:
        """From a lower-priority advert to its second burst, 0: none."""

    @property
    def lower_prio_repeat(self) -> int:
        """Rounds after a lower-priority advert, 0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoGarp:
    delay: int = 0
    repeat: int = 1
    refresh: int = 0
    refresh_repeat: int = 1
    lower_prio_delay: int = 0
    lower_prio_repeat: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacParams:
    """`auth_hmac` of one virtual router: `keys` are (id 1..255, 32..64 bytes), `active_key` signs.

    `window`: 1..300 s a trailer's time may differ from ours, unless `monotonic`. `mode`: 0 enforce,
    1 permissive, 2 receive-only. `hold`: authentic adverts outside the window keep a backup back.
    """

    MAX_KEYS: ClassVar[int] = 8

    keys: tuple[tuple[int, bytes], ...] = field(repr=False)
    active_key: int
    monotonic: bool = False
    window: int = 5
    mode: int = 0
    hold: bool = False

    def __post_init__(self) -> None:
        ids = [number for number, _ in self.keys]
        checks = (
            (1 <= len(ids) <= self.MAX_KEYS, "keys", f"1 to {self.MAX_KEYS}"),
            (len(set(ids)) == len(ids) and all(1 <= i <= 255 for i in ids), "key ids", "1..255"),
            (all(32 <= len(key) <= 64 for _, key in self.keys), "keys", "32 to 64 bytes each"),
            (self.active_key in ids, "active_key", "one of the keys"),
            (1 <= self.window <= 300, "window", "1..300 s"),
            (self.mode in (0, 1, 2), "mode", "0, 1 or 2"),
        )
        for valid, name, rule in checks:
            if not valid:
                raise ValueError(f"{name} must be {rule}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterParams:
    """One virtual router as the core needs it; raises ValueError when a value is out of its range.

    Times are ns, addresses 4 or 16 bytes in network order. `peers` makes it unicast.
    `start_active`: with priority 255 it is active at once. `port` -1: it listens nowhere yet.
    `auth_type` 0 none, 1 PASS, 2 AH; `password` up to 8 bytes. `group` is the number of the sync
    group, -1: none. `timer_expired_backup` is the highest priority of the other routers, 0: off.
    `allowed_peers` are the only routers that are heard by multicast, (): all.
    `peer_ttls` are (least, most) for each of `peers`, (): any. `group_address` is the multicast
    group, b"": that of the RFC. `checksum` (v3 over IPv4): 0 with pseudo-header, 1 message only;
    `old_checksum` (unicast): 0 as the peers do, 1 always, 2 never.
    """

    MAX_PEERS: ClassVar[int] = 64

    vrid: int
    version: int = 2
    family: int = 4
    priority: int = 100
    start_active: bool = False
    preempt: bool = True
    preempt_delay: int = 0
    advert_interval: int = 1_000_000_000
    addresses: tuple[bytes, ...] = ()
    source: bytes = b""
    peers: tuple[bytes, ...] = ()
    any_source: bool = False
    auth_type: int = 0
    password: bytes = field(default=b"", repr=False)
    garp: GarpParams = _NoGarp()
    faults: int = 0
    port: int = 0
    group: int = -1
    down_timer_adverts: int = 3
    timer_expired_backup: int = 0
    owner_ignore_adverts: bool = False
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    skip_check_addresses: bool = False
    strict: bool = False
    peer_ttls: tuple[tuple[int, int], ...] = ()
    allowed_peers: tuple[bytes, ...] = ()
    group_address: bytes = b""
    checksum: int = 0
    old_checksum: int = 0
    hmac: HmacParams | None = None

    def __post_init__(self) -> None:
        checks = (
            (1 <= self.vrid <= 255, "vrid", "1..255"),
            (self.version in (2, 3), "version", "2 or 3"),
            (self.family in (4, 6), "family", "4 or 6"),
            (1 <= self.priority <= 255, "priority", "1..255"),
            (self.advert_interval >= 1_000_000, "advert_interval", "at least 1 ms"),
            (self.preempt_delay >= 0, "preempt_delay", "0 or more"),
            (len(self.addresses) <= 255, "addresses", "at most 255"),
            (len(self.peers) <= self.MAX_PEERS, "peers", f"at most {self.MAX_PEERS}"),
            (len(self.allowed_peers) <= self.MAX_PEERS, "allowed_peers", "as few as peers"),
            (not (self.peers and self.allowed_peers), "allowed_peers", "for multicast only"),
            (self.auth_type in (0, 1, 2), "auth_type", "0, 1 or 2"),
            (self.group >= -1, "group", "the number of a group, or -1"),
            (1 <= self.down_timer_adverts <= 100, "down_timer_adverts", "1..100"),
            (0 <= self.timer_expired_backup <= 254, "timer_expired_backup", "0..254"),
            (len(self.peer_ttls) in (0, len(self.peers)), "peer_ttls", "one for each peer"),
            (self.checksum in (0, 1), "checksum", "0 or 1"),
            (self.old_checksum in (0, 1, 2), "old_checksum", "0, 1 or 2"),
        )
        for valid, name, rule in checks:
            if not valid:
                raise ValueError(f"{name} must be {rule}")
        size = 4 if self.family == 4 else 16
        if any(len(a) != size for a in (*self.addresses, *self.peers, *self.allowed_peers)):
            raise ValueError(f"addresses and peers must be {size} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterChange:
    """What becomes of the router number `slot`.

    `params` None: it ends. `fresh`, or a slot that is free: it begins in Initialize and waits for
    its startup, its counters and sequence numbers going on. Else it runs on with new parameters, of
    which `priority` is the effective one and `faults` the present set. `port` and `source` (4 or 16
    bytes) are where it listens, -1: nowhere; `params` has no say in that nor in its group.
    `listens_anew`: a backup waits for a whole Active_Down_Interval, as it does without being told
    where it accepts other adverts than before. `name` is for people.
    """

    slot: int
    params: RouterParams | None
    fresh: bool = False
    port: int = -1
    source: bytes = b""
    listens_anew: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a new configuration changes in a core. `groups` are the members of every sync group, in
    their order; `old_groups` says which group, by its number, one was before."""

    changes: Sequence[RouterChange] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    old_groups: Mapping[int, int] = field(default_factory=dict)
