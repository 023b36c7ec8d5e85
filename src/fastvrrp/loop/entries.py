"""What a recorder writes down, as Python values: each input of a core, each act, each note."""

from dataclasses import dataclass
from enum import IntEnum

from fastvrrp.core.acts import Revision
from fastvrrp.names import RejectReason

__all__ = ["Entry", "EntryKind", "Heard"]


class EntryKind(IntEnum):
    """What happened; `loop/recorder.pxd` says what the fields of each mean."""

    STARTUP = 0
    SHUTDOWN = 1
    PRIORITY = 2
    FAULTS = 3
    HOST_CHANGED = 4
    LINK_CHANGED = 5
    INSTALL_FAILED = 6
    SENT = 7
    SEND_FAILED = 8
    RESUME = 9
    CLOCK = 10
    ADVANCE = 11
    PLACE = 12
    CLOSE_PORT = 13
    MARK = 14
    SEQUENCE = 15
    ADVERT = 16
    STRANGER = 17
    TAKE_ACTS = 18
    TAKE_NOTES = 19
    GROW = 20
    RETIRE = 21
    REVISE = 22
    ACT = 23
    TOLD = 24

    @property
    def is_output(self) -> bool:
        """Whether the core said it; all others were said to the core."""
        return self in (EntryKind.ACT, EntryKind.TOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the decoder made of one packet. `addresses` are joined, as far as the packet has them.

    `interval` in ns, `hmac_skew` in s. What was checked with a secret is in `verdict` alone.
    """

    verdict: RejectReason
    version: int = 0
    vrid: int = 0
    priority: int = 0
    count: int = 0
    auth_type: int = 0
    checksum_style: int = 0
    interval: int = 0
    ah_sequence: int = 0
    hmac_sequence: int = 0
    hmac_skew: int = 0
    authentic: bool = False
    addresses: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a recording. `at` is the core's time in ns, `vr` -1 means no router.

    `tag` is the kind of an act or note. `address` has 16 bytes, IPv4 in the first four.
    """

    kind: EntryKind
    at: int
    vr: int = -1
    tag: int = 0
    a: int = 0
    b: int = 0
    c: int = 0
    address: bytes = bytes(16)
    heard: Heard | None = None
    revision: Revision | None = None
