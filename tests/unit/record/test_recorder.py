"""The ring between a core and its recording: whole entries, in order, and an honest end."""

import gc
import random
import select
import socket
import sys
from collections.abc import Iterator

import pytest

from fastvrrp.clock import seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.entries import Entry, EntryKind
from fastvrrp.loop.loop import Loop
from fastvrrp.loop.recorder import Recorder
from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import layout, reseal
from recordings import LOW, OWN, VIP, fresh_core, packet, padded, random_inputs

SMALLEST = 65536
K = EntryKind


def advert(*, vrid: int = 51, priority: int = 200) -> bytes:
    laid_out = layout(
        family=4,
        version=2,
        vrid=vrid,
        priority=priority,
        interval_ns=seconds(1),
        addresses=[VIP],
        src=LOW,
        dst=bytes((224, 0, 0, 18)),
    )
    return reseal(laid_out, priority=priority, ip_id=1)


class Bench:
    """A recorded loop of one router on a socket pair."""

    def __init__(self, *, owner: bool = False) -> None:
        core = Core(1)
        priority = 255 if owner else 100
        self.router = core.add(
            RouterParams(
                vrid=51, priority=priority, start_active=owner, source=OWN, addresses=(VIP,)
            )
        )
        self.recorder = Recorder(core, size=SMALLEST)
        self.loop = Loop(core, recorder=self.recorder)
        self.near, self.wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.near.setblocking(False)
        self.loop.open_port(0, self.near.fileno(), 4)

    def close(self) -> None:
        self.loop.close_port(0)
        self.loop.close()
        self.near.close()
        self.wire.close()

    def kinds(self) -> list[EntryKind]:
        return [entry.kind for entry in self.loop.entries()]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# ---- what the loop records ----


def test_a_loop_without_recorder_has_no_entries() -> None:
    loop = Loop(Core(1))
    assert loop.entries() == []
    loop.close()


def test_a_recorder_of_another_core_is_refused() -> None:
    with pytest.raises(ValueError, match="of another core"):
        Loop(Core(1), recorder=Recorder(Core(1)))


def test_a_packet_is_recorded_as_what_it_says(bench: Bench) -> None:
    bench.loop.startup(bench.router)
    bench.wire.send(advert())
    bench.wire.send(advert(vrid=52))
    bench.wire.send(advert()[:-1])
    bench.loop.process()
    entries = bench.loop.entries()
    kinds = [entry.kind for entry in entries]
    assert kinds == [K.STARTUP, K.TOLD, K.ADVERT, K.TOLD, K.STRANGER, K.STRANGER]
    heard = entries[2].heard
    assert heard is not None
    assert (heard.verdict, heard.priority, heard.addresses) == (RejectReason.ACCEPTED, 200, VIP)
    assert entries[2].address == padded(LOW)
    strangers = [entry.heard for entry in entries[4:]]
    assert [h.verdict for h in strangers if h] == [RejectReason.VRID, RejectReason.IP_LENGTH]
    assert bench.loop.counters(bench.router)["adverts_received"] == 1


def test_what_the_engine_says_is_recorded(bench: Bench) -> None:
    loop, router = bench.loop, bench.router
    loop.place(router, 0, OWN)
    loop.restore_marks(router, [(LOW, 7, 8)], (5, 6))
    loop.set_faults(router, 4)
    loop.set_priority(router, 120)
    loop.clear_send_fault(router)
    loop.close_port(0)
    entries = loop.entries()
    assert [(entry.kind, entry.a, entry.b, entry.c) for entry in entries] == [
        (K.PLACE, 0, 0, 0),
        (K.MARK, 7, 8, 0),
        (K.SEQUENCE, 5, 6, 0),
        (K.FAULTS, 4, 0, 0),
        (K.PRIORITY, 120, 0, 0),
        (K.TOLD, 120, 100, 0),
        (K.LINK_CHANGED, 0, 0, 0),
        (K.CLOSE_PORT, 0, 0, 0),
    ]
    assert entries[0].address == padded(OWN)


def test_acts_and_notes_are_recorded_where_they_are_asked_for_and_taken() -> None:
    """Given an owner that starts and stops, then each input is followed by what it led to, and the
    moments at which acts and notes are taken are inputs themselves."""
    bench = Bench(owner=True)
    bench.loop.startup(bench.router)
    bench.loop.notes()
    bench.loop.process()
    bench.loop.shutdown()
    acts = (K.ACT, K.ACT, K.ACT)
    assert bench.kinds() == [
        *(K.STARTUP, *acts, K.TOLD, K.TAKE_NOTES, K.TAKE_ACTS),
        *(K.SHUTDOWN, K.ACT, K.ACT, K.TOLD, K.TAKE_ACTS),
    ]
    bench.close()


def test_a_recorder_that_fills_wakes_the_cold_side(bench: Bench) -> None:
    """Given a quiet core and a flood of packets, then the cold side is called before the ring is
    full."""

    def called() -> bool:
        return bool(select.select([bench.loop.note_fileno()], [], [], 0)[0])

    for _ in range(60):
        bench.wire.send(advert(vrid=52))
    bench.loop.process()
    assert not called()
    for _ in range(3):
        for _ in range(60):
            bench.wire.send(advert(vrid=52))
        bench.loop.process()
    assert called()
    assert bench.recorder.lost_at is None


def test_two_loops_one_recorded_do_the_same(bench: Bench) -> None:
    """Given the same packets, then a recorded loop counts what an ordinary one counts."""
    core = Core(1)
    core.add(RouterParams(vrid=51, source=OWN, addresses=(VIP,)))
    plain = Loop(core)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with near, far:
        plain.open_port(0, near.fileno(), 4)
        for loop, wire in ((plain, far), (bench.loop, bench.wire)):
            loop.startup(0)
            for priority in (200, 50, 0):
                wire.send(advert(priority=priority))
                wire.send(advert(vrid=99, priority=priority))
            loop.process()
        assert bench.loop.counters(0) == plain.counters(0)
        assert bench.loop.port_rejects(0) == plain.port_rejects(0) != {}
        plain.close_port(0)
    plain.close()


# ---- the ring ----


@pytest.mark.parametrize("size", [0, 4096, 65537, 3 * 65536])
def test_a_ring_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Recorder(Core(1), size=size)


def test_entries_are_whole_wherever_the_ring_ends() -> None:
    """Given a small ring that is taken now and then, when a hundred times its size went through,
    then all came out, in order."""
    recorder = Recorder(fresh_core(), size=SMALLEST)
    chance = random.Random(7)
    given: list[Entry] = []
    taken: list[Entry] = []
    for entry in random_inputs(chance, 20_000):
        recorder.feed(entry)
        given.append(entry)
        if chance.random() < 0.05:
            taken += recorder.entries()
    taken += recorder.entries()
    assert recorder.lost_at is None
    assert [entry for entry in taken if not entry.kind.is_output] == given


def test_a_full_ring_ends_the_recording_for_good() -> None:
    """Given a ring that nobody takes from, when it is full, then what fitted is whole, what did not
    is said, and nothing is recorded any more, though there is room again."""
    recorder = Recorder(fresh_core(), size=SMALLEST)
    given = list(random_inputs(random.Random(3), 5000))
    for entry in given:
        recorder.feed(entry)
    lost_at = recorder.lost_at
    assert lost_at is not None
    inputs = [entry for entry in recorder.entries() if not entry.kind.is_output]
    assert inputs == given[: len(inputs)]
    assert 100 < len(inputs) < 1000
    assert given[len(inputs) - 1].at <= lost_at <= given[len(inputs)].at
    recorder.feed(given[-1])
    assert recorder.entries() == []
    assert recorder.lost_at == lost_at


def test_a_full_ring_does_not_change_what_the_core_does() -> None:
    full, roomy = (Recorder(fresh_core(), size=size) for size in (SMALLEST, 1 << 22))
    for entry in random_inputs(random.Random(4), 5000):
        full.feed(entry)
        roomy.feed(entry)
    assert full.lost_at is not None
    assert roomy.lost_at is None
    for vr in range(3):
        assert full.owner.status(vr) == roomy.owner.status(vr)
        assert full.owner.counters(vr) == roomy.owner.counters(vr)


def test_the_wall_clock_is_recorded_where_it_matters() -> None:
    """Given a recorder that follows the clock, then it writes the offset before an input, and only
    when it has changed."""
    recorder = Recorder(fresh_core())
    recorder.follows_clock = True
    advance = Entry(kind=K.ADVANCE, at=1)
    recorder.owner.set_clock(77)
    recorder.feed(advance)
    recorder.feed(advance)
    recorder.owner.set_clock(78)
    recorder.feed(advance)
    found = [(entry.kind, entry.a) for entry in recorder.entries()]
    assert found == [(K.CLOCK, 77), (K.ADVANCE, 0), (K.ADVANCE, 0), (K.CLOCK, 78), (K.ADVANCE, 0)]


def test_recording_leaves_no_python_object_behind() -> None:
    """Given a recorder, when 20 000 packets pass, then the allocator's block count hardly moves,
    the interpreter keeping some for itself: the ring takes bytes, not objects."""
    recorder = Recorder(fresh_core(), size=1 << 23)
    chance = random.Random(1)
    inputs = [packet(chance, 1, seconds(n), n) for n in range(1, 21)]
    recorder.feed(Entry(kind=K.STARTUP, vr=1, at=0))

    def run(rounds: int) -> None:
        for _ in range(rounds):
            for entry in inputs:
                recorder.feed(entry)

    gc.collect()
    gc.disable()
    try:
        run(50)
        before = sys.getallocatedblocks()
        run(1000)
        assert sys.getallocatedblocks() - before <= 100
    finally:
        gc.enable()
    counters = recorder.owner.counters(1)
    assert counters["adverts_received"] + counters["rejected_checksum"] > 1000
    assert recorder.lost_at is None
    assert len(recorder.entries()) > 21_000
