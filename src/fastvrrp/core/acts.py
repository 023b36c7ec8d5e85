"""What goes into the core and what comes out of it, as Python values."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from fastvrrp.names import NoteKind

__all__ = ["Act", "GarpParams", "Note", "RouterParams"]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the core asks for; `a` and `b` as in core/model.pxd, `at` in ns."""

    kind: str
    vr: int
    at: int
    a: int = 0
    b: int = 0


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
class RouterParams:
    """One virtual router as the core needs it; raises ValueError when a value is out of its range.

    Times are ns, addresses 4 or 16 bytes in network order. `peers` makes it unicast.
    `start_active`: with priority 255 it is active at once. `port` -1: it listens nowhere yet.
    `auth_type` 0 none, 1 PASS, 2 AH; `password` up to 8 bytes.
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
            (self.auth_type in (0, 1, 2), "auth_type", "0, 1 or 2"),
        )
        for valid, name, rule in checks:
            if not valid:
                raise ValueError(f"{name} must be {rule}")
        size = 4 if self.family == 4 else 16
        if any(len(a) != size for a in (*self.addresses, *self.peers)):
            raise ValueError(f"addresses and peers must be {size} bytes")
