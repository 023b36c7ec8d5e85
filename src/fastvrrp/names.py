"""The closed sets of the program, and the one table between RFC 9568's words and keepalived's.

The numbers are those of the C enums in `core/model.pxd` and `wire/packet.pxd`; the extension
modules compare both when they are imported.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["Condition", "Fault", "NoteKind", "Reason", "RejectReason", "State"]


class State(IntEnum):
    """State of a virtual router (RFC 9568 §6.4), numbered as keepalived's JSON does.

    FAULT is Initialize for a reason: see `Fault`.
    """

    INIT = 0
    BACKUP = 1
    ACTIVE = 2
    FAULT = 3

    @property
    def keepalived(self) -> str:
        """The word that keepalived's surfaces use: hooks, logs, status files."""
        return "MASTER" if self is State.ACTIVE else self.name


class Fault(IntFlag):
    """Why a virtual router may not take part. A set, never a counter: every bit must clear."""

    LINK = 1
    """The interface is absent, administratively down or without carrier."""
    SOURCE = 2
    """The interface has no usable source address for adverts."""
    TRACKER = 4
    """A tracker without weight reports failure."""
    PENDING = 8
    """A tracker without weight has not reported yet; silent, and only at start."""
    ADDRESS = 16
    """The host side could not be prepared, or does not stay as we set it."""
    GROUP = 32
    """Another member of the sync group may not take part."""
    SEND = 64
    """Adverts cannot be sent; tried again after a while."""
    CONFIG = 128
    """The configuration does not let it take part (unicast_fault_no_peer)."""

    @property
    def until(self) -> str:
        """What ends it, of a single one: a phrase after "until"."""
        return _FAULT_UNTIL[self]


_FAULT_UNTIL = {
    Fault.LINK: "its interfaces are there and up",
    Fault.SOURCE: "its interface has an address to send from",
    Fault.TRACKER: "all that it tracks is well",
    Fault.PENDING: "all that it tracks has been looked at",
    Fault.ADDRESS: "another attempt succeeds",
    Fault.GROUP: "all members of its sync group may take part",
    Fault.SEND: "the link changes, or another attempt succeeds",
    Fault.CONFIG: "its configuration is another one",
}


class Condition(IntEnum):
    """What is wrong between this router and another one of the same VRID; it lasts while packets
    show it."""

    VERSION = 0
    INTERVAL = 1
    AUTHENTICATION = 2
    ADDRESSES = 3
    SAME_ADDRESS = 4
    STALE = 5
    """Authentic adverts whose time is outside the window: the clocks differ."""

    @property
    def key(self) -> str:
        """The stable name used in JSON."""
        return self.name.lower()

    @property
    def text(self) -> str:
        """A phrase for people."""
        return _CONDITION_TEXT[self]


_CONDITION_TEXT = {
    Condition.VERSION: "it speaks another VRRP version",
    Condition.INTERVAL: "its advert_int differs",
    Condition.AUTHENTICATION: "its authentication differs",
    Condition.ADDRESSES: "its virtual addresses differ",
    Condition.SAME_ADDRESS: "it uses our own address",
    Condition.STALE: "its clock differs",
}


class Reason(IntEnum):
    """Why a state changed."""

    STARTUP = 0
    TIMEOUT = 1
    """Active_Down_Timer expired: no advert was heard from an active router."""
    OWNER = 2
    """Priority 255 takes over at once."""
    HIGHER_PRIORITY = 3
    """An advert of higher priority was received."""
    HIGHER_ADDRESS = 4
    """An advert of equal priority from a higher address was received."""
    FAULT = 5
    FAULT_CLEARED = 6
    SHUTDOWN = 7
    RESIGNED = 8
    """The active router resigned (priority 0), and Skew_Time went by."""
    PREEMPTION = 9
    """A router of lower priority was active."""
    GROUP = 10
    """Another member of the sync group changed its state."""
    RESUME = 11
    """The host was suspended, and others may have taken over."""
    STALL = 12
    """The host stood still for so long that another router may have taken over
    (timer_expired_backup)."""
    SEQUENCE = 13
    """The sequence numbers of the authentication header are used up, and start again."""
    MISSED = 14
    """The change itself was not told, for the cold side was too late: the state was looked up."""

    @property
    def text(self) -> str:
        """A phrase for people."""
        return _REASON_TEXT[self]


_REASON_TEXT = {
    Reason.STARTUP: "start",
    Reason.TIMEOUT: "no advert was received for the whole Master_Down_Interval",
    Reason.OWNER: "this router owns the address (priority 255)",
    Reason.HIGHER_PRIORITY: "a router with a higher priority is active",
    Reason.HIGHER_ADDRESS: "a router with the same priority and a higher address is active",
    Reason.FAULT: "a fault holds this router back",
    Reason.FAULT_CLEARED: "the last fault has cleared",
    Reason.SHUTDOWN: "stop",
    Reason.RESIGNED: "the active router resigned",
    Reason.PREEMPTION: "a router with a lower priority was active",
    Reason.GROUP: "its sync group changed",
    Reason.RESUME: "this host was suspended",
    Reason.STALL: "this host stood still",
    Reason.SEQUENCE: "the AH sequence numbers are used up and start again",
    Reason.MISSED: "this program was too slow to see why",
}


class NoteKind(IntEnum):
    """What the core tells the cold side."""

    STATE = 0
    """a = new state, b = reason, c = old state."""
    REJECT = 1
    """First reject of its kind; a = RejectReason, b = suppressed since the last note."""
    RIVAL = 2
    """ACTIVE, and another router's rejected advert says so too; a = RejectReason, b = its
    priority."""
    LOWER_PRIORITY = 3
    """ACTIVE, and an advert of lower rank was received; a = its priority, b = suppressed."""
    RESIGNED_PEER = 4
    """A priority 0 advert was received; a = own state."""
    PRIORITY = 5
    """Effective priority changed; a = new, b = old."""
    ACTIVE_ROUTER = 6
    """BACKUP, and another router is the active one now; a = its priority."""
    SAME_ADDRESS = 7
    """An advert of another host carries our own source address; a = its priority."""
    ADDRESS_LIST = 8
    """The peer's address list differs from ours; a = count received."""
    INTERVAL = 9
    """v3: the active router's interval was learnt; a = new ns, b = old ns."""
    PREEMPT_DELAY = 10
    """a = the delay (ns) when it starts, 0 when it stops, b = suppressed."""
    DISCARDED = 11
    """BACKUP, preempting: a lower-priority advert was discarded; a = its priority, b =
    suppressed."""
    STALLED = 12
    """Active_Down_Timer fired late (the host stood still), one more interval is waited; a =
    lateness ns."""
    SEND_FAILED = 13
    """An advert could not be sent; a = errno, b = suppressed."""
    CHECKSUM_STYLE = 14
    """v3 IPv4: the peer's checksum convention; a = 0 pseudo-header, 1 message only."""
    INSTALL_FAILED = 15
    """The netlink request could not be handed to the kernel; a = errno."""
    OWNER_CONFLICT = 16
    """ACTIVE with priority 255, and another router advertises 255 too; a = its priority."""
    OWNER_REDUCED = 17
    """The other address owner did not yield: this router goes on with a = 254."""
    GROUP_WAITS = 18
    """Would be ACTIVE, but a member of its sync group would not; a = number of that router."""
    SEND_FAULT = 19
    """Adverts could not be sent again and again; a = errno."""
    RESUMED = 20
    """The host was suspended; a = for how long, ns."""
    SEQUENCE_END = 21
    """AH sequence numbers are used up; a = the last one."""
    STALE_PEER = 22
    """An authentic advert is too old or too new; a = skew of the clocks in s, b = its priority."""
    CARP = 23
    """A CARP packet was received, and ignored; a = its virtual host id."""
    UNKNOWN_VRID = 24
    """An advert for a VRID that is not configured here; a = the VRID, b = suppressed."""


class RejectReason(IntEnum):
    """Why a received packet was not used, in the order in which it is checked."""

    ACCEPTED = 0
    IP_HEADER = 1
    """Shorter than its IP header, or no IPv4 header at all."""
    IP_LENGTH = 2
    """IP total length beyond what was received, or below its header."""
    FRAGMENT = 3
    PROTOCOL = 4
    """Neither VRRP nor AH around VRRP."""
    AH_HEADER = 5
    """AH header truncated or malformed."""
    TRUNCATED = 6
    """Shorter than the fixed VRRP header."""
    VRID = 7
    """No virtual router of this port has this VRID (or it is 0)."""
    INACTIVE = 8
    """The virtual router is in Initialize or FAULT."""
    OWN_SOURCE = 9
    """Sent by ourselves."""
    LENGTH = 10
    """Not the exact length for version, count and authentication."""
    TTL = 11
    """TTL or hop limit is not 255, or was not told by the kernel (RFC 9568 §7.1)."""
    DESTINATION = 12
    """Unicast where multicast is configured, or the reverse."""
    SOURCE = 13
    """Not a configured unicast peer, or not one of allowed_peers."""
    VERSION = 14
    TYPE = 15
    CHECKSUM = 16
    AUTH_TYPE = 17
    """Authentication type unknown to RFC 2338."""
    AUTH_MISMATCH = 18
    """Another authentication than the configured one: its type, or a trailer where none is."""
    AUTH_PASS = 19
    """Wrong password."""
    AUTH_ICV = 20
    """AH integrity check failed."""
    AUTH_SPI = 21
    """AH SPI is not the source address."""
    AUTH_REPLAY = 22
    """AH sequence number was used before."""
    COUNT = 23
    """No address in the advert (RFC 9568 erratum 8299)."""
    INTERVAL_ZERO = 24
    """Interval 0 (RFC 9568 erratum 8301)."""
    INTERVAL = 25
    """v2: the interval differs from the configured one (RFC 3768 §7.1)."""
    HMAC_MISSING = 26
    """No authentication trailer, where one is required."""
    HMAC_MALFORMED = 27
    HMAC_STALE = 28
    """The trailer's time is outside the window."""
    HMAC_KEY = 29
    """The trailer's key id is not configured."""
    HMAC_INVALID = 30
    """The trailer's digest is wrong."""
    HMAC_REPLAY = 31
    """The trailer's sequence was used before."""
    OWNER = 32
    """This router owns the address and ignores adverts (owner_ignore_adverts)."""
    FIRST_ADDRESS = 33
    """Strict mode: the first IPv6 address is not link-local (RFC 9568 erratum 8300)."""
    CARP = 34
    """A CARP packet: the same protocol number, another protocol."""
    PEER_TTL = 35
    """The TTL or hop limit is outside the range of this unicast peer."""

    @property
    def key(self) -> str:
        """The stable name used in JSON."""
        return self.name.lower()

    @property
    def text(self) -> str:
        """A phrase for people."""
        return _REJECT_TEXT[self]


_REJECT_TEXT = {
    RejectReason.ACCEPTED: "accepted",
    RejectReason.IP_HEADER: "the IP header is incomplete",
    RejectReason.IP_LENGTH: "the IP length does not fit the packet",
    RejectReason.FRAGMENT: "the packet is a fragment",
    RejectReason.PROTOCOL: "the IP protocol is neither VRRP (112) nor AH (51) around VRRP",
    RejectReason.AH_HEADER: "the AH header is incomplete or malformed",
    RejectReason.TRUNCATED: "shorter than the VRRP header",
    RejectReason.VRID: "the virtual router id is not configured here",
    RejectReason.INACTIVE: "the virtual router does not take part now",
    RejectReason.OWN_SOURCE: "it carries our own source address",
    RejectReason.LENGTH: "the length does not fit its version, address count and authentication",
    RejectReason.TTL: "the TTL is not 255",
    RejectReason.DESTINATION: "unicast was received where multicast is configured, or the reverse",
    RejectReason.SOURCE: "the sender is no configured peer",
    RejectReason.VERSION: "the VRRP version differs from the configured one",
    RejectReason.TYPE: "the packet type is not ADVERTISEMENT",
    RejectReason.CHECKSUM: "the checksum is wrong",
    RejectReason.AUTH_TYPE: "the authentication type is unknown",
    RejectReason.AUTH_MISMATCH: "its authentication is of another kind than the configured one",
    RejectReason.AUTH_PASS: "the password is wrong",
    RejectReason.AUTH_ICV: "the AH check failed (auth_pass differs)",
    RejectReason.AUTH_SPI: "the AH SPI is not the sender's address",
    RejectReason.AUTH_REPLAY: "the AH sequence number was used before",
    RejectReason.COUNT: "it carries no address",
    RejectReason.INTERVAL_ZERO: "its interval is 0",
    RejectReason.INTERVAL: "its interval differs from the configured one",
    RejectReason.HMAC_MISSING: "it has no authentication trailer",
    RejectReason.HMAC_MALFORMED: "its authentication trailer is malformed",
    RejectReason.HMAC_STALE: "the time in its authentication trailer is outside the window",
    RejectReason.HMAC_KEY: "the key of its authentication trailer is not configured",
    RejectReason.HMAC_INVALID: "its authentication trailer is wrong (the keys differ)",
    RejectReason.HMAC_REPLAY: "its authentication trailer was used before",
    RejectReason.OWNER: "this router owns the address and ignores adverts",
    RejectReason.FIRST_ADDRESS: "its first address is not link-local",
    RejectReason.CARP: "it is a CARP packet, not VRRP",
    RejectReason.PEER_TTL: "its TTL is outside the range of this peer",
}
