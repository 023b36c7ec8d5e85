"""What the core tells people: at most once in a window whatever arrives, and how much was kept
back."""

from typing import Unpack

import pytest
from packets import PEER, STRANGER, VIP, Changes, params

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, NoteKind, Reason, State

FLOOD = 10_000


def started(**changes: Unpack[Changes]) -> Core:
    core = Core(1)
    core.add(params(**changes))
    core.startup(0, 0)
    core.drain_notes()
    return core


def told(core: Core, kind: NoteKind) -> list[tuple[int, int]]:
    return [(n.a, n.b) for n in core.drain_notes() if n.kind is kind]


def hear(
    core: Core,
    priority: int,
    now: int,
    *,
    interval: int = seconds(1),
    source: bytes = PEER,
    addresses: tuple[bytes, ...] = (VIP,),
) -> None:
    core.hear(0, priority=priority, interval=interval, source=source, now=now, addresses=addresses)


def flood(
    core: Core,
    *priorities: int,
    at: int,
    source: bytes = PEER,
    addresses: tuple[bytes, ...] = (VIP,),
) -> None:
    """Hear FLOOD adverts within 100 ms."""
    for i in range(FLOOD):
        priority = priorities[i % len(priorities)]
        hear(core, priority, at + i * 10_000, source=source, addresses=addresses)
        core.drain()


def test_state_change_tells_old_new_and_why() -> None:
    core = started()
    core.advance(seconds(4))
    (note,) = core.drain_notes()
    assert (note.kind, note.a, note.b, note.c) == (
        NoteKind.STATE,
        State.ACTIVE,
        Reason.TIMEOUT,
        State.BACKUP,
    )


def test_yielding_tells_to_whom() -> None:
    core = started()
    core.advance(seconds(4))
    core.drain_notes()
    hear(core, 200, seconds(5))
    notes = [n for n in core.drain_notes() if n.kind is NoteKind.STATE]
    assert [(n.b, n.source) for n in notes] == [(Reason.HIGHER_PRIORITY, PEER)]


@pytest.mark.parametrize(
    ("kind", "priority", "active"),
    [
        (NoteKind.DISCARDED, 50, False),
        (NoteKind.RESIGNED_PEER, 0, False),
        (NoteKind.LOWER_PRIORITY, 50, True),
        (NoteKind.RESIGNED_PEER, 0, True),
    ],
    ids=["discarded", "resigned-backup", "lower", "resigned-active"],
)
def test_flood_is_told_once_a_second(kind: NoteKind, priority: int, *, active: bool) -> None:
    """Given 10 000 adverts that are each worth a note, then there is one; the next one, a second
    later, says how many were kept back."""
    core = started()
    now = seconds(1)
    if active:
        core.advance(seconds(4))
        now = seconds(5)
    flood(core, priority, at=now)
    assert len(told(core, kind)) == 1
    hear(core, priority, now + seconds(1))
    (note,) = told(core, kind)
    if kind is not NoteKind.RESIGNED_PEER or active:
        assert note[1] == FLOOD - 1


def test_address_list_that_differs_is_told_once_a_minute() -> None:
    core = started()
    flood(core, 200, at=seconds(1), addresses=(VIP, STRANGER))
    assert told(core, NoteKind.ADDRESS_LIST) == [(2, 0)]
    assert core.counters(0)["address_list_mismatch"] == FLOOD


def test_addresses_in_another_order_are_the_same() -> None:
    core = started(addresses=(VIP, STRANGER))
    hear(core, 200, seconds(1), addresses=(STRANGER, VIP))
    assert core.counters(0)["address_list_mismatch"] == 0


def test_interval_that_alternates_is_told_once_a_second() -> None:
    core = started(version=3)
    for i in range(FLOOD):
        hear(core, 200, seconds(1) + i * 10_000, interval=milliseconds(500 + 10 * (i % 2)))
    assert len(told(core, NoteKind.INTERVAL)) == 1


def test_active_routers_that_alternate_are_told_once_a_second() -> None:
    core = started()
    for i in range(FLOOD):
        hear(core, 200, seconds(1) + i * 10_000, source=PEER if i % 2 else STRANGER)
    assert len(told(core, NoteKind.ACTIVE_ROUTER)) == 1


def test_same_address_is_told_once_a_minute() -> None:
    core = started()
    core.advance(seconds(4))
    flood(core, 100, at=seconds(5), source=params().source)
    assert told(core, NoteKind.SAME_ADDRESS) == [(100, 0)]
    assert core.state(0) is State.ACTIVE


def test_preemption_delay_that_starts_and_stops_is_told_in_bounds() -> None:
    """Given adverts that alternately start and stop the preemption delay, then no more is told
    than a start and a stop a second."""
    core = started(preempt_delay=seconds(10))
    flood(core, 50, 200, at=seconds(1))
    assert len(told(core, NoteKind.PREEMPT_DELAY)) <= 2


def test_notes_that_nobody_takes_are_counted_and_the_oldest_kept() -> None:
    """Given a cold side that sleeps through 1000 state changes, then it finds the first 64 notes,
    and the number of the others."""
    core = started()
    for flip in range(1000):
        core.set_faults(0, Fault.LINK if flip % 2 == 0 else 0, seconds(1) + flip)
    notes = core.drain_notes()
    assert [n.at for n in notes] == [seconds(1) + flip for flip in range(64)]
    assert core.lost_notes == 936
    core.set_faults(0, Fault.LINK, seconds(2))
    assert [n.at for n in core.drain_notes()] == [seconds(2)]
