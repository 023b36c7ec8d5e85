"""Notes of the core as log lines: keepalived's words where it has some, ours where it is silent.

DEBUG is what keepalived shows only with --log-detail.
"""

import logging
import os
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from fastvrrp.core.acts import Note
from fastvrrp.names import NoteKind, Reason, RejectReason, State

__all__ = ["lines"]

Line = tuple[int, str]

INFO, DEBUG, WARNING, ERROR = logging.INFO, logging.DEBUG, logging.WARNING, logging.ERROR
CRITICAL = logging.CRITICAL


def lines(note: Note, name: str, priority: int) -> Iterator[Line]:
    """Yield (level, text) for `note` of instance `name`, whose effective priority is
    `priority`; not for GROUP_WAITS, which names another instance."""
    for level, text in _WRITERS[note.kind](note, priority):
        yield level, f"({name}) {text}"


def _source(note: Note) -> str:
    return str(ip_address(note.source))


def _more(count: int) -> str:
    return f" [{count} more since the last such line]" if count else ""


def _state(note: Note, priority: int) -> Iterator[Line]:
    new, reason, old = State(note.a), Reason(note.b), State(note.c)
    if reason is Reason.HIGHER_PRIORITY:
        yield (
            INFO,
            f"Master received advert from {_source(note)} with higher priority, ours {priority}",
        )
    elif reason is Reason.HIGHER_ADDRESS:
        yield (
            INFO,
            f"Master received advert from {_source(note)} with same priority {priority} "
            "but higher IP address than ours",
        )
    elif new is State.ACTIVE and old is State.BACKUP:
        yield DEBUG, "Receive advertisement timeout"
    if old is State.ACTIVE and reason in (Reason.FAULT, Reason.SHUTDOWN):
        yield DEBUG, "sent 0 priority"
    if new is not State.INIT:
        suffix = " (init)" if old is State.INIT and new is not State.ACTIVE else ""
        yield INFO, f"Entering {new.keepalived} STATE{suffix}"
    if new is State.ACTIVE:
        yield INFO, f"became MASTER because {reason.text}"
        yield DEBUG, "setting VIPs."
    elif old is State.ACTIVE:
        yield DEBUG, "removing VIPs."


def _reject(note: Note, _: int) -> Iterator[Line]:
    reason = RejectReason(note.a)
    yield WARNING, f"advert from {_source(note)} rejected: {reason.text}{_more(note.b)}"


def _rival(note: Note, _: int) -> Iterator[Line]:
    reason = RejectReason(note.a)
    yield (
        ERROR,
        f"two routers hold the addresses now: this one, and {_source(note)} (priority {note.b}), "
        f"whose adverts are rejected because {reason.text}; "
        f"{_REMEDY.get(reason, 'make both configurations agree')}",
    )


_REMEDY = {
    RejectReason.AUTH_ICV: "give both routers the same auth_pass",
    RejectReason.AUTH_PASS: "give both routers the same auth_pass",
    RejectReason.AUTH_MISMATCH: "give both routers the same auth_type",
    RejectReason.VERSION: "give both routers the same version",
    RejectReason.INTERVAL: "give both routers the same advert_int",
}


def _lower_priority(note: Note, priority: int) -> Iterator[Line]:
    yield (
        INFO,
        f"Received advert from {_source(note)} with lower priority {note.a}, ours {priority}, "
        f"forcing new election{_more(note.b)}",
    )


def _resigned_peer(note: Note, _: int) -> Iterator[Line]:
    if State(note.a) is State.ACTIVE:
        yield DEBUG, f"Master received priority 0 message{_more(note.b)}"
    else:
        yield DEBUG, f"Backup received priority 0 advertisement{_more(note.b)}"


def _priority(note: Note, _: int) -> Iterator[Line]:
    yield INFO, f"Changing effective priority from {note.b} to {note.a}"


def _active_router(note: Note, _: int) -> Iterator[Line]:
    yield DEBUG, f"master set to {_source(note)} (priority {note.a})"


def _same_address(note: Note, _: int) -> Iterator[Line]:
    yield (
        CRITICAL,
        "WARNING - equal priority advert received from remote host with our IP address."
        " Give the two hosts different addresses: neither listens to the other, and both may be "
        "MASTER",
    )


def _address_list(note: Note, _: int) -> Iterator[Line]:
    yield (
        WARNING,
        f"advert from {_source(note)} carries other addresses ({note.a}) than this router has; it "
        "counts all the same, but the VRID is used twice or the configurations differ"
        f"{_more(note.b)}",
    )


def _interval(note: Note, _: int) -> Iterator[Line]:
    yield (
        DEBUG,
        f"advertisement interval updated from {note.b // 1_000_000}ms "
        f"to {note.a // 1_000_000}ms by master",
    )


def _preempt_delay(note: Note, _: int) -> Iterator[Line]:
    if note.a:
        yield DEBUG, f"start preempt delay ({note.a / 1e9:.6f}){_more(note.b)}"
    else:
        yield DEBUG, f"stop preempt delay{_more(note.b)}"


def _discarded(note: Note, _: int) -> Iterator[Line]:
    yield (
        INFO,
        f"received lower priority ({note.a}) advert from {_source(note)} - discarding"
        f"{_more(note.b)}",
    )


def _stalled(note: Note, _: int) -> Iterator[Line]:
    yield (
        WARNING,
        f"this host stood still: a timer expired {note.a / 1e9:.3f} seconds ago; waiting one more "
        "interval for the active router before taking over",
    )


def _send_failed(note: Note, _: int) -> Iterator[Line]:
    yield ERROR, f"send advert error {note.a} ({os.strerror(note.a)}){_more(note.b)}"


def _checksum_style(note: Note, _: int) -> Iterator[Line]:
    style = _CHECKSUM_STYLES[note.a]
    yield DEBUG, f"{_source(note)} computes the VRRPv3 checksum {style}; all are accepted"


_CHECKSUM_STYLES = (
    "with pseudo-header",
    "over the message only",
    "with the multicast group in the pseudo-header, as old versions of keepalived do",
)


def _install_failed(note: Note, _: int) -> Iterator[Line]:
    yield ERROR, f"cannot hand address requests to the kernel: {os.strerror(note.a)}{_more(note.b)}"


def _owner_conflict(note: Note, _: int) -> Iterator[Line]:
    yield (
        ERROR,
        f"CONFIGURATION ERROR: local instance and {_source(note)} are both configured as address "
        f"owner, please resolve{_more(note.b)}",
    )


def _owner_reduced(note: Note, _: int) -> Iterator[Line]:
    yield (
        ERROR,
        f"CONFIGURATION ERROR: {_source(note)} is still advertising as address owner, please "
        "resolve - reducing our priority",
    )


def _send_fault(note: Note, _: int) -> Iterator[Line]:
    yield (
        ERROR,
        f"adverts cannot be sent ({os.strerror(note.a)}): leaving the addresses to others, and "
        "trying again after a while",
    )


def _resumed(note: Note, _: int) -> Iterator[Line]:
    yield WARNING, f"this host was suspended for {note.a / 1e9:.3f} seconds"


def _sequence_end(note: Note, _: int) -> Iterator[Line]:
    yield WARNING, f"AH sequence numbers are used up ({note.a}) and start again"


def _stale_peer(note: Note, _: int) -> Iterator[Line]:
    yield (
        CRITICAL,
        f"authentic adverts of {_source(note)} (priority {note.b}) are refused: its clock and ours "
        f"differ by {abs(note.a)} s, beyond time_window; both routers may be MASTER. Set the "
        "clocks right",
    )


def _carp(note: Note, _: int) -> Iterator[Line]:
    yield (
        WARNING,
        f"{_source(note)} sends CARP (virtual host id {note.a}) to this network; it is ignored",
    )


def _unknown_vrid(note: Note, _: int) -> Iterator[Line]:
    yield INFO, f"advert from {_source(note)} for unknown VRID {note.a}{_more(note.b)}"


_WRITERS: dict[NoteKind, Callable[[Note, int], Iterator[Line]]] = {
    NoteKind.STATE: _state,
    NoteKind.REJECT: _reject,
    NoteKind.RIVAL: _rival,
    NoteKind.LOWER_PRIORITY: _lower_priority,
    NoteKind.RESIGNED_PEER: _resigned_peer,
    NoteKind.PRIORITY: _priority,
    NoteKind.ACTIVE_ROUTER: _active_router,
    NoteKind.SAME_ADDRESS: _same_address,
    NoteKind.ADDRESS_LIST: _address_list,
    NoteKind.INTERVAL: _interval,
    NoteKind.PREEMPT_DELAY: _preempt_delay,
    NoteKind.DISCARDED: _discarded,
    NoteKind.STALLED: _stalled,
    NoteKind.SEND_FAILED: _send_failed,
    NoteKind.CHECKSUM_STYLE: _checksum_style,
    NoteKind.INSTALL_FAILED: _install_failed,
    NoteKind.OWNER_CONFLICT: _owner_conflict,
    NoteKind.OWNER_REDUCED: _owner_reduced,
    NoteKind.SEND_FAULT: _send_fault,
    NoteKind.RESUMED: _resumed,
    NoteKind.SEQUENCE_END: _sequence_end,
    NoteKind.STALE_PEER: _stale_peer,
    NoteKind.CARP: _carp,
    NoteKind.UNKNOWN_VRID: _unknown_vrid,
}
