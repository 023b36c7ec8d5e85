"""The work on the host in order, on a socket pair that takes both requests and frames."""

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.loop import Loop
from fastvrrp.loop.prepared import Batch, Frame, Prepared
from fastvrrp.names import Fault, NoteKind, State

MILLISECOND = 1_000_000
ARP, IPV6 = b"\x08\x06", b"\x86\xdd"


def request(text: str) -> bytes:
    """One rtnetlink message that carries `text`, padded as the kernel wants it."""
    body = text.encode().ljust(-(-len(text) // 4) * 4)
    return struct.pack("=IHHII", 16 + len(body), 20, 1, 0, 0) + body


def frame(text: str, *, pace: int = -1, kind: bytes = ARP) -> Frame:
    return Frame(ifindex=0, data=bytes(12) + kind + text.encode(), pace=pace)


def batch(*texts: str, pace: int = -1, kind: bytes = ARP) -> Batch:
    """A batch that adds the addresses `texts` and announces each."""
    return Batch(
        requests=b"".join(request(f"+{text}") for text in texts),
        frames=tuple(frame(f"!{text}", pace=pace, kind=kind) for text in texts),
    )


def prepared(*batches: Batch, withdraw: tuple[str, ...] = ()) -> Prepared:
    return Prepared(
        fd=-1,
        ifindex=0,
        datagrams=(),
        install=batches,
        withdraw=tuple(request(f"-{text}") for text in withdraw),
    )


def holding(*texts: str) -> Prepared:
    """Sets and removes the addresses `texts`, one batch."""
    return prepared(batch(*texts), withdraw=texts)


def words(datagram: bytes) -> list[str]:
    """What one datagram is made of: frames, or rtnetlink messages."""
    if datagram[:12] == bytes(12):
        return [datagram[14:].decode()]
    found = []
    while datagram:
        (length,) = struct.unpack_from("=I", datagram)
        found.append(datagram[16:length].decode().strip())
        datagram = datagram[length:]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Garp:
    """Announcements of one kind only: `repeat` rounds at a takeover."""

    delay: int = 0
    repeat: int = 1
    refresh: int = 0
    refresh_repeat: int = 1
    lower_prio_delay: int = 0
    lower_prio_repeat: int = 1


@dataclass
class Bench:
    """A loop of address owners, which are active from the startup on, and its host."""

    loop: Loop
    host: socket.socket
    sends: list[list[str]] = field(default_factory=list)
    at: list[int] = field(default_factory=list)

    def start(self, *numbers: int) -> None:
        for number in numbers:
            self.loop.startup(number)
        self.loop.process()

    def fail(self, number: int = 0) -> None:
        self.loop.set_faults(number, int(Fault.LINK))
        self.loop.process()

    def recover(self, number: int = 0) -> None:
        self.loop.set_faults(number, 0)
        self.loop.process()
        assert self.loop.status(number)["state"] is State.ACTIVE

    def take(self) -> list[list[str]]:
        """The sends so far, each with what it carried."""
        while select.select([self.host], [], [], 0)[0]:
            self.at.append(time.monotonic_ns())
            self.sends.append(words(self.host.recv(1 << 16)))
        return self.sends

    def taken(self) -> list[str]:
        """All that was sent so far."""
        return [word for send in self.take() for word in send]

    def await_sends(self, count: int) -> list[list[str]]:
        """Let the loop run until so many sends were seen."""
        while len(self.take()) < count:
            assert select.select([self.loop.fileno(), self.host.fileno()], [], [], 5)[0], self.sends
            self.loop.process()
        return self.sends


def make(routers: int, *, threaded: bool = False, repeat: int = 1) -> Iterator[Bench]:
    core = Core(routers)
    near, host = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in (near, host):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    for number in range(routers):
        core.add(
            RouterParams(
                vrid=1 + number % 255,
                port=-1,
                priority=255,
                start_active=True,
                source=bytes((10, 0, 0, 1)),
                garp=Garp(repeat=repeat),
            )
        )
    with near, host:
        loop = Loop(core, netlink_fd=near.fileno(), frame_fd=near.fileno(), threaded=threaded)
        yield Bench(loop, host)
        loop.stop()
        loop.close()


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from make(**{"routers": 1} | getattr(request, "param", {}))


@pytest.fixture
def waiting(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The work waits until `work` lets the worker have its way."""
    yield from make(**{"routers": 1, "threaded": True} | getattr(request, "param", {}))


def work(bench: Bench) -> list[str]:
    """What the worker does with all requests that wait."""
    bench.loop.stop()
    bench.loop.run_worker()
    bench.take()
    done = [word for send in bench.sends for word in send if word[0] in "+-"]
    bench.sends.clear()
    return done


# ---- order ----


@pytest.mark.parametrize("bench", [{"repeat": 3}], indirect=True)
def test_frames_follow_their_batch_and_repeats_follow_all(bench: Bench) -> None:
    bench.loop.prepare(0, prepared(batch(*"abcdefgh"), batch("i"), batch("j")))
    bench.start(0)
    assert bench.take() == [
        [f"+{name}" for name in "abcdefgh"],
        *[[f"!{name}"] for name in "abcdefgh"],
        ["+i", "+j"],
        ["!i"],
        ["!j"],
        *[[f"!{name}"] for name in "abcdefghij"] * 2,
    ]


@pytest.mark.parametrize("bench", [{"routers": 40, "repeat": 2}], indirect=True)
def test_requests_of_several_routers_share_sends_that_grow(bench: Bench) -> None:
    for number in range(40):
        bench.loop.prepare(number, holding(str(number)))
    bench.start(*range(40))
    sends = [send for send in bench.take() if send[0][0] == "+"]
    assert [len(send) for send in sends] == [8, 16, 16]
    names = [str(number) for number in range(40)]
    frames = [send[0] for send in bench.sends if send[0][0] == "!"]
    assert frames == [f"!{name}" for name in names] * 2
    assert bench.sends.index(["!0"]) == 1, "the first addresses are announced before the next ones"


@pytest.mark.parametrize("bench", [{"routers": 2}], indirect=True)
def test_removals_come_before_additions(bench: Bench) -> None:
    for number, name in enumerate("ab"):
        bench.loop.prepare(number, holding(name))
    bench.start(0)
    bench.take().clear()
    bench.loop.startup(1)
    bench.loop.set_faults(0, int(Fault.LINK))
    bench.loop.process()
    assert bench.taken() == ["-a", "+b", "!b"]


def test_rounds_take_turns_over_routers() -> None:
    for bench in make(2, repeat=3):
        bench.loop.prepare(0, holding("a", "b"))
        bench.loop.prepare(1, holding("c"))
        bench.start(0, 1)
        assert bench.taken()[-6:] == ["!a", "!b", "!c"] * 2


# ---- what is true when its turn comes ----


def test_a_state_that_is_over_leaves_nothing_behind(waiting: Bench) -> None:
    waiting.loop.prepare(0, holding("a"))
    waiting.start(0)
    waiting.fail()
    assert work(waiting) == ["-a"]


def test_states_that_alternate_wait_as_one_job_each(waiting: Bench) -> None:
    waiting.loop.prepare(0, holding("a"))
    waiting.start(0)
    for _ in range(1000):
        waiting.fail()
        waiting.recover()
    assert waiting.loop.stats()["requests_waiting"] == 2
    assert work(waiting) == ["+a"]


def test_what_was_replaced_is_removed_even_if_the_router_is_active_again(waiting: Bench) -> None:
    waiting.loop.prepare(0, holding("old"))
    waiting.start(0)
    assert work(waiting) == ["+old"]
    waiting.fail()
    waiting.loop.prepare(0, holding("new"))
    waiting.recover()
    assert work(waiting) == ["-old", "+new"]


def test_a_job_outlives_what_is_prepared(waiting: Bench) -> None:
    waiting.loop.prepare(0, holding("a"))
    waiting.start(0)
    waiting.fail()
    waiting.loop.prepare(0, None)
    assert work(waiting) == ["-a"]


def test_once_removes_in_any_case_and_sets_only_while_active(waiting: Bench) -> None:
    waiting.loop.prepare(0, holding("a"))
    waiting.start(0)
    waiting.loop.send_now(0, [request("-b")], [batch("c")])
    assert work(waiting) == ["+a", "-b", "+c"]
    waiting.loop.send_now(0, [request("-c")], [batch("d")])
    waiting.fail()
    assert work(waiting) == ["-c", "-a"]


def test_once_is_announced(bench: Bench) -> None:
    bench.loop.prepare(0, holding("a"))
    bench.start(0)
    bench.take().clear()
    bench.loop.send_now(0, [], [batch("b")])
    assert bench.taken() == ["+b", "!b"]


def test_the_shutdown_waits_for_the_worker(waiting: Bench) -> None:
    waiting.loop.prepare(0, holding("a"))
    waiting.start(0)
    worker = threading.Thread(target=waiting.loop.run_worker)
    worker.start()
    assert waiting.loop.shutdown()
    assert waiting.taken()[-1] == "-a"
    waiting.loop.stop()
    worker.join()


def test_the_shutdown_does_not_wait_for_ever(waiting: Bench) -> None:
    """Given a worker that the kernel holds up, when two seconds are over, then the caller is told,
    and the addresses are removed as soon as the worker can."""
    waiting.loop.prepare(0, holding("a"))
    waiting.start(0)
    assert work(waiting) == ["+a"]
    assert not waiting.loop.shutdown()
    assert work(waiting) == ["-a"]


def test_the_worker_wakes_for_work(waiting: Bench) -> None:
    worker = threading.Thread(target=waiting.loop.run_worker)
    worker.start()
    try:
        for name in "abc":
            waiting.loop.prepare(0, holding(name))
            waiting.loop.startup(0)
            waiting.loop.process()
            assert select.select([waiting.host], [], [], 5)[0]
            assert waiting.host.recv(1 << 16) == request(f"+{name}")
            assert waiting.host.recv(1 << 16)[14:] == f"!{name}".encode()
    finally:
        waiting.loop.stop()
        worker.join()


# ---- errors ----


def test_requests_that_cannot_be_handed_over_are_told() -> None:
    for bench in make(2):
        bench.host.close()
        for number in range(2):
            bench.loop.prepare(number, holding(str(number)))
        bench.start(0, 1)
        failed = [n.vr for n in bench.loop.notes() if n.kind is NoteKind.INSTALL_FAILED]
        assert failed == [0, 1]
        assert bench.loop.stats()["frame_errors"] == 2


@pytest.mark.parametrize(
    ("requests", "frames"),
    [
        (b"12345678", ()),
        (request("a")[:-4], ()),
        (request("a") + b"\0\0\0\0", ()),
        (struct.pack("=IHHII", 18, 20, 1, 0, 0) + b"ab", ()),
        (request("a") * 65, ()),
        (b"", (frame("a"),) * 65),
        (b"", (Frame(ifindex=1, data=b"short"),)),
    ],
    ids=["short", "cut", "tail", "unpadded", "many", "frames", "no header"],
)
def test_what_is_no_batch_is_refused(
    bench: Bench, requests: bytes, frames: tuple[Frame, ...]
) -> None:
    with pytest.raises(ValueError, match=r"rtnetlink|more than|shorter"):
        bench.loop.prepare(0, prepared(Batch(requests=requests, frames=frames)))


# ---- pace ----


@pytest.mark.parametrize("bench", [{"repeat": 2}], indirect=True)
def test_frames_of_a_group_keep_their_interval(bench: Bench) -> None:
    bench.loop.set_pace(3, 5 * MILLISECOND, 0)
    bench.loop.prepare(0, prepared(batch("a", "b", "c", pace=3)))
    bench.start(0)
    bench.await_sends(7)
    assert bench.taken() == ["+a", "+b", "+c", "!a", "!b", "!c", "!a", "!b", "!c"]
    # A frame is seen late, never early: what was sent first may have been seen later.
    assert bench.at[-1] - bench.at[1] >= 4 * 5 * MILLISECOND
    assert bench.loop.stats()["frames_waiting"] == 0


def test_arp_and_neighbour_advertisements_have_intervals_of_their_own(bench: Bench) -> None:
    bench.loop.set_pace(0, 60_000 * MILLISECOND, 0)
    bench.loop.prepare(0, prepared(batch("a", "b", pace=0), batch("c", "d", pace=0, kind=IPV6)))
    bench.start(0)
    assert sorted(bench.taken()) == ["!a", "!c", "!d", "+a", "+b", "+c", "+d"]
    assert bench.loop.stats()["frames_waiting"] == 1


@pytest.mark.parametrize("bench", [{"repeat": 5, "routers": 2}], indirect=True)
def test_neither_a_removal_nor_another_router_waits_for_paced_frames(bench: Bench) -> None:
    names = [f"{number}" for number in range(1000)]
    many = [batch(*names[i : i + 50], pace=0) for i in range(0, 1000, 50)]
    bench.loop.set_pace(0, 60_000 * MILLISECOND, 60_000 * MILLISECOND)
    bench.loop.prepare(0, prepared(*many, withdraw=("many",)))
    bench.loop.prepare(1, holding("b"))
    bench.start(0)
    assert bench.taken()[-1] == "!0", "the first one need not wait"
    assert bench.loop.stats()["frames_waiting"] == 4999
    bench.start(1)
    assert bench.taken()[-6:] == ["+b", *["!b"] * 5]
    bench.fail(0)
    assert bench.taken()[-1] == "-many"
    bench.recover(0)
    assert bench.loop.stats()["frames_waiting"] == 5000, "what was left over is not sent as well"


def test_frames_of_a_router_that_is_active_no_longer_are_dropped(bench: Bench) -> None:
    bench.loop.set_pace(0, 20 * MILLISECOND, 0)
    bench.loop.prepare(0, prepared(batch("a", "b", pace=0), withdraw=("a", "b")))
    bench.start(0)
    bench.fail()
    while bench.loop.stats()["frames_waiting"]:
        assert select.select([bench.loop.fileno()], [], [], 5)[0]
        bench.loop.process()
    assert bench.taken() == ["+a", "+b", "!a", "-a", "-b"]


@pytest.mark.parametrize("bench", [{"repeat": 3}], indirect=True)
def test_a_round_is_finished_before_the_next_one(bench: Bench) -> None:
    """Given three rounds of which the first is half done, when they are asked for again, then no
    address is left out, and there are three more rounds."""
    bench.loop.set_pace(0, 60_000 * MILLISECOND, 0)
    bench.loop.prepare(0, prepared(batch("a", "b", pace=0)))
    bench.start(0)
    assert bench.loop.stats()["frames_waiting"] == 5
    bench.loop.reinstall(0)
    bench.loop.process()
    assert bench.loop.stats()["frames_waiting"] == 7
    bench.loop.set_pace(0, 0, 0)
    bench.loop.reinstall(0)
    bench.await_sends(1 + 1 + 2)
    assert bench.taken()[:3] == ["+a", "+b", "!a"]


def test_intervals_may_grow_and_shrink(bench: Bench) -> None:
    times = []
    for interval in (2, 10):
        bench.loop.set_pace(7, interval * MILLISECOND, 0)
        bench.loop.prepare(0, prepared(batch("a", "b", "c", "d", pace=7)))
        bench.loop.startup(0)
        bench.loop.reinstall(0)
        before = len(bench.take())
        bench.await_sends(before + 4)
        times.append([later - earlier for earlier, later in pairwise(bench.at[-4:])])
    assert sum(times[1]) >= 2 * 10 * MILLISECOND
