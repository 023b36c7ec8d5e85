"""The hot loop on a socket pair instead of a raw socket: no privilege, no namespace."""

import gc
import select
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from fastvrrp.core.acts import Note, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.loop import Loop
from fastvrrp.names import Fault, NoteKind, Reason, State
from fastvrrp.wire.advert import layout, reseal

SECOND = 1_000_000_000
VIP = IPv4Address("10.9.0.100").packed
OWN, PEER = IPv4Address("10.9.0.1").packed, IPv4Address("10.9.0.2").packed
GROUP = IPv4Address("224.0.0.18").packed


def advert(*, priority: int = 200, password: bytes = b"", sequence: int = 0) -> bytes:
    """One IPv4 advert of the peer, as a raw socket delivers it."""
    laid_out = layout(
        family=4,
        version=2,
        vrid=51,
        priority=priority,
        interval_ns=SECOND,
        addresses=[VIP],
        src=PEER,
        dst=GROUP,
        auth_type=2 if password else 0,
        password=password,
    )
    return reseal(laid_out, priority=priority, ip_id=1, ah_sequence=sequence, password=password)


@dataclass
class Bench:
    """A loop with one router in BACKUP, and the far end of its port."""

    loop: Loop
    router: int
    wire: socket.socket

    def feed(self, *packets: bytes) -> None:
        for packet in packets:
            self.wire.send(packet)
        self.loop.process()


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    params = getattr(request, "param", {})
    core = Core(1)
    router = core.add(RouterParams(vrid=51, addresses=(VIP,), source=OWN, **params))
    loop = Loop(core)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with near, far:
        loop.open_port(0, near.fileno(), 4)
        loop.startup(router)
        loop.process()
        yield Bench(loop, router, far)
        loop.close_port(0)
    loop.close()


def test_an_advert_moves_the_deadline(bench: Bench) -> None:
    before = bench.loop.status(bench.router)["deadline"]
    bench.feed(advert())
    status = bench.loop.status(bench.router)
    assert status["deadline"] > before
    assert status["active_source"] == PEER
    assert bench.loop.counters(bench.router)["adverts_received"] == 1


def test_one_turn_drains_more_than_one_batch(bench: Bench) -> None:
    bench.feed(*[advert()] * 100)
    assert bench.loop.counters(bench.router)["adverts_received"] == 100


def test_notes_come_once_and_in_order(bench: Bench) -> None:
    bench.feed(advert())
    kinds = [note.kind for note in bench.loop.notes()]
    assert kinds == [NoteKind.STATE, NoteKind.ACTIVE_ROUTER]
    assert bench.loop.notes() == []


def test_the_note_descriptor_is_readable_exactly_while_notes_wait(bench: Bench) -> None:
    def readable() -> bool:
        return bool(select.select([bench.loop.note_fileno()], [], [], 0)[0])

    assert readable()
    bench.loop.notes()
    assert not readable()
    bench.feed(advert())
    assert readable()


def test_an_oversized_datagram_is_counted_and_skipped(bench: Bench) -> None:
    bench.feed(bytes(20_000), advert())
    assert bench.loop.stats()["truncated"] == 1
    assert bench.loop.counters(bench.router)["adverts_received"] == 1


def test_a_fault_takes_the_router_out_and_back(bench: Bench) -> None:
    bench.loop.set_faults(bench.router, int(Fault.LINK))
    assert bench.loop.status(bench.router)["state"] is State.FAULT
    bench.loop.set_faults(bench.router, 0)
    assert bench.loop.status(bench.router)["state"] is State.BACKUP


def test_shutdown_needs_no_turn(bench: Bench) -> None:
    bench.loop.shutdown()
    last = bench.loop.notes()[-1]
    assert (last.a, last.b) == (State.INIT, Reason.SHUTDOWN)


def wait_for_states(loop: Loop) -> Iterator[Note]:
    """The changes of state, as they come; at most five seconds between two notes."""
    while select.select([loop.note_fileno()], [], [], 5)[0]:
        yield from (note for note in loop.notes() if note.kind is NoteKind.STATE)


@pytest.mark.parametrize("bench", [{"version": 3, "advert_interval": 10_000_000}], indirect=True)
def test_the_hot_thread_takes_over_by_itself(bench: Bench) -> None:
    """Given a router that hears nothing, when its thread runs, then it becomes active on time."""
    bench.loop.notes()
    thread = threading.Thread(target=bench.loop.run)
    thread.start()
    try:
        note = next(wait_for_states(bench.loop))
    finally:
        bench.loop.stop()
        thread.join()
    assert (note.a, note.b) == (State.ACTIVE, Reason.TIMEOUT)


@pytest.mark.parametrize(
    ("bench", "password"),
    [({}, b""), ({"auth_type": 2, "password": b"secret99"}, b"secret99")],
    indirect=["bench"],
    ids=["none", "ah"],
)
def test_a_steady_backup_allocates_no_python_object(bench: Bench, password: bytes) -> None:
    """Given a router in BACKUP, when 100,000 adverts arrive, then the allocator's count of
    blocks in use is the same before and after; what the test itself needs is made before."""
    count = 100_000
    packets = (
        [advert(password=password, sequence=n) for n in range(1, count + 1)]
        if password
        else [advert()] * count
    )
    send, process = bench.wire.send, bench.loop.process

    def run(part: list[bytes]) -> None:
        for number, packet in enumerate(part, 1):
            send(packet)
            if not number % 8:
                process()

    run(packets[:1000])
    bench.loop.notes()
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        run(packets[1000:])
        after = sys.getallocatedblocks()
    finally:
        gc.enable()
    assert bench.loop.counters(bench.router)["adverts_received"] == count
    # `run` itself keeps the list slice; an object for each advert would be 99,000.
    assert after - before <= 8
