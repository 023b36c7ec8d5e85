"""Notes as log lines: keepalived's words, and what to do where it is silent."""

import logging
from ipaddress import IPv4Address

import pytest

from fastvrrp.core.acts import Note
from fastvrrp.names import NoteKind, Reason, RejectReason, State
from fastvrrp.report.lines import lines

PEER = IPv4Address("10.12.166.82").packed


def note(kind: NoteKind, a: int = 0, b: int = 0, c: int = 0) -> Note:
    return Note(kind=kind, vr=0, at=0, a=a, b=b, c=c, source=PEER)


def texts(*given: Note, detail: bool = False) -> list[str]:
    level = logging.DEBUG if detail else logging.INFO
    return [t for n in given for number, t in lines(n, "VI_1", 104) if number >= level]


@pytest.mark.parametrize("kind", [kind for kind in NoteKind if kind is not NoteKind.GROUP_WAITS])
def test_every_note_has_words(kind: NoteKind) -> None:
    valid = {NoteKind.STATE: 1, NoteKind.REJECT: 16, NoteKind.RIVAL: 20}
    said = list(lines(note(kind, valid.get(kind, 1)), "VI_1", 104))
    assert said
    assert all(text.startswith("(VI_1) ") for _, text in said)


@pytest.mark.parametrize(
    ("old", "new", "reason", "expected"),
    [
        (State.INIT, State.BACKUP, Reason.STARTUP, "(VI_1) Entering BACKUP STATE (init)"),
        (State.ACTIVE, State.BACKUP, Reason.HIGHER_PRIORITY, "(VI_1) Entering BACKUP STATE"),
        (State.BACKUP, State.ACTIVE, Reason.TIMEOUT, "(VI_1) Entering MASTER STATE"),
        (State.BACKUP, State.FAULT, Reason.FAULT, "(VI_1) Entering FAULT STATE"),
    ],
)
def test_changes_of_state_are_keepalived_s_lines(
    old: State, new: State, reason: Reason, expected: str
) -> None:
    assert expected in texts(note(NoteKind.STATE, new, reason, old))


def test_a_takeover_says_why() -> None:
    said = texts(note(NoteKind.STATE, State.ACTIVE, Reason.RESIGNED, State.BACKUP))
    assert "(VI_1) became MASTER because the active router resigned" in said


def test_details_need_the_flag() -> None:
    taken = note(NoteKind.STATE, State.ACTIVE, Reason.TIMEOUT, State.BACKUP)
    assert "(VI_1) Receive advertisement timeout" not in texts(taken)
    assert "(VI_1) Receive advertisement timeout" in texts(taken, detail=True)


def test_two_holders_are_named_with_cause_and_remedy() -> None:
    (said,) = texts(note(NoteKind.RIVAL, RejectReason.AUTH_ICV, 102))
    for part in ("two routers hold", "10.12.166.82", "AH check failed", "the same auth_pass"):
        assert part in said


def test_suppressed_lines_are_counted() -> None:
    (said,) = texts(note(NoteKind.REJECT, RejectReason.CHECKSUM, 41))
    assert said.endswith("the checksum is wrong [41 more since the last such line]")


def test_the_priority_line_is_keepalived_s() -> None:
    assert texts(note(NoteKind.PRIORITY, 100, 104)) == [
        "(VI_1) Changing effective priority from 104 to 100"
    ]
