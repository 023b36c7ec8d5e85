"""The hot loop on a socket pair instead of a raw socket: no privilege, no namespace."""

import gc
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

import pytest

from fastvrrp.core.acts import HmacParams, Note, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.loop import Loop
from fastvrrp.loop.prepared import Prepared
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


# ---- the farewell that somebody else sends ----


def prepared(fd: int, **kind: object) -> Prepared:
    """An advert of the router for the group, and one for a peer."""
    about: dict[str, object] = {
        "family": 4,
        "version": 2,
        "vrid": 51,
        "priority": 255,
        "interval_ns": SECOND,
        "addresses": [VIP],
        "src": OWN,
    }
    layouts = [layout(**{**about, **kind, "dst": dst}) for dst in (GROUP, PEER)]  # type: ignore[arg-type]
    return Prepared(fd=fd, ifindex=1, datagrams=tuple(layouts))


OWNER = {"priority": 255, "start_active": True}


@pytest.mark.parametrize("bench", [OWNER], indirect=True)
def test_the_farewell_is_what_the_router_would_resign_with(bench: Bench) -> None:
    """Given an active router, then its farewell has priority 0, a valid checksum and all of its
    destinations; it has been sent to nobody, and the router goes on."""
    made = prepared(bench.wire.fileno())
    bench.loop.prepare(bench.router, made)
    farewell = bench.loop.farewell(bench.router)
    assert farewell is not None
    assert (farewell.slot, farewell.fd) == (bench.router, bench.wire.fileno())
    expected = [reseal(one, priority=0, ip_id=1) for one in made.datagrams]
    assert [message for message, _, _ in farewell.messages] == expected
    assert [to for _, _, to in farewell.messages] == [("224.0.0.18", 0), ("10.9.0.2", 0)]
    assert not farewell.ages
    assert bench.loop.status(bench.router)["state"] is State.ACTIVE
    assert bench.loop.counters(bench.router)["priority_zero_sent"] == 0


@pytest.mark.parametrize(
    "bench", [{**OWNER, "auth_type": 2, "password": b"secret99"}], indirect=True
)
def test_the_farewell_of_ah_is_ahead_of_the_adverts_of_a_second(bench: Bench) -> None:
    made = prepared(bench.wire.fileno(), auth_type=2, password=b"secret99")
    bench.loop.prepare(bench.router, made)
    _, (sent, _) = bench.loop.marks(bench.router)
    farewell = bench.loop.farewell(bench.router)
    assert farewell is not None
    assert farewell.ages
    assert farewell.messages[0][0] == reseal(
        made.datagrams[0], priority=0, ip_id=1, ah_sequence=sent + 16, password=b"secret99"
    )


KEYS = ((1, b"0123456789abcdef0123456789abcdef"),)


@pytest.mark.parametrize(
    "bench", [{**OWNER, "hmac": HmacParams(keys=KEYS, active_key=1)}], indirect=True
)
def test_the_farewell_of_hmac_is_ahead_of_the_clock_by_a_second_and_a_half(bench: Bench) -> None:
    made = prepared(bench.wire.fileno(), hmac=True)
    bench.loop.prepare(bench.router, made)
    before = time.time()
    farewell = bench.loop.farewell(bench.router)
    assert farewell is not None
    assert farewell.ages
    sealed = farewell.messages[0][0]
    trailer = made.datagrams[0].trailer
    sequence = int.from_bytes(sealed[trailer + 4 : trailer + 12], "big")
    assert before + 1.4 <= sequence / (1 << 32) <= time.time() + 1.6
    assert sealed == reseal(
        made.datagrams[0], priority=0, ip_id=1, hmac_key=KEYS[0], hmac_sequence=sequence
    )


def test_a_backup_has_no_farewell(bench: Bench) -> None:
    bench.loop.prepare(bench.router, prepared(bench.wire.fileno()))
    assert bench.loop.farewell(bench.router) is None


@pytest.mark.parametrize("bench", [OWNER], indirect=True)
def test_without_prepared_adverts_there_is_no_farewell(bench: Bench) -> None:
    assert bench.loop.farewell(bench.router) is None


@pytest.mark.parametrize("bench", [OWNER], indirect=True)
def test_the_farewell_from_a_virtual_mac_is_a_whole_frame(bench: Bench) -> None:
    link = bytes.fromhex("01005e000012 00005e000133 0800")
    made = prepared(bench.wire.fileno())
    framed = tuple(replace(one, link=link) for one in made.datagrams)
    bench.loop.prepare(bench.router, replace(made, datagrams=framed))
    farewell = bench.loop.farewell(bench.router)
    assert farewell is not None
    frame, control, to = farewell.messages[0]
    assert frame[:14] == link
    assert frame[14:] == reseal(framed[0], priority=0, ip_id=1)
    assert (control, to) == (b"", (socket.if_indextoname(1), 0, 0, 0, link[:6]))


@pytest.mark.parametrize("bench", [OWNER], indirect=True)
def test_there_is_no_farewell_from_an_interface_that_is_gone(bench: Bench) -> None:
    """The cold side may ask before it has heard that the interface has gone."""
    made = replace(prepared(bench.wire.fileno()), ifindex=(1 << 31) - 1)
    framed = tuple(replace(one, link=bytes(14)) for one in made.datagrams)
    bench.loop.prepare(bench.router, replace(made, datagrams=framed))
    assert bench.loop.farewell(bench.router) is None
