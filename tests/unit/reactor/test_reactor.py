"""The reactor: readers, timers, their order, and what happens when a callback misbehaves."""

import asyncio
import logging
import os
import select
import weakref
from collections.abc import Callable, Iterator

import pytest

from fastvrrp import timerfd
from fastvrrp.clock import monotonic_ns
from fastvrrp.reactor import Loop, Reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def readable(fd: int, timeout: float | None = 0) -> bool:
    return bool(select.select([fd], [], [], timeout)[0])


def fails() -> None:
    raise ValueError("a bug")


def test_reader_runs_with_its_arguments_while_its_descriptor_is_readable(
    reactor: Reactor, pipe: tuple[int, int]
) -> None:
    calls: list[object] = []
    reactor.add_reader(pipe[0], lambda *args: calls.append(args), "a", 2)
    reactor.run_once(0)
    assert calls == []

    os.write(pipe[1], b"x")
    reactor.run_once(None)
    reactor.run_once(None)
    assert calls == [("a", 2), ("a", 2)]

    os.read(pipe[0], 1)
    reactor.run_once(0)
    assert len(calls) == 2


def test_reader_runs_when_the_other_end_hangs_up(reactor: Reactor) -> None:
    read, write = os.pipe()
    calls: list[int] = []
    reactor.add_reader(read, calls.append, 1)
    os.close(write)
    reactor.run_once(None)
    assert calls == [1]
    reactor.remove_reader(read)
    os.close(read)


def test_adding_a_reader_twice_replaces_the_callback(
    reactor: Reactor, pipe: tuple[int, int]
) -> None:
    calls: list[str] = []
    reactor.add_reader(pipe[0], calls.append, "old")
    reactor.add_reader(pipe[0], calls.append, "new")
    os.write(pipe[1], b"x")
    reactor.run_once(None)
    assert calls == ["new"]


def test_removed_reader_is_not_called_and_says_whether_it_was_there(
    reactor: Reactor, pipe: tuple[int, int]
) -> None:
    calls: list[int] = []
    reactor.add_reader(pipe[0], calls.append, 1)
    os.write(pipe[1], b"x")
    assert reactor.remove_reader(pipe[0]) is True
    assert reactor.remove_reader(pipe[0]) is False
    reactor.run_once(0)
    assert calls == []


def test_reader_removed_by_an_earlier_callback_of_the_same_turn_is_not_called(
    reactor: Reactor,
) -> None:
    """
    given two readable pipes whose readers remove each other
    when one turn runs
    then exactly one of them was called.
    """
    pipes = [os.pipe(), os.pipe()]
    calls: list[int] = []

    def read(me: int, other: int) -> None:
        calls.append(me)
        reactor.remove_reader(other)

    (first, first_end), (second, second_end) = pipes
    reactor.add_reader(first, read, first, second)
    reactor.add_reader(second, read, second, first)
    for end in (first_end, second_end):
        os.write(end, b"x")
    reactor.run_once(None)
    assert len(calls) == 1
    for fd in (first, first_end, second, second_end):
        os.close(fd)


def test_timers_run_in_the_order_of_their_due_times_then_of_their_calls(reactor: Reactor) -> None:
    calls: list[str] = []
    reactor.call_later(0.002, calls.append, "third")
    reactor.call_later(0, calls.append, "first")
    reactor.call_later(-1, calls.append, "second")
    while len(calls) < 3:
        reactor.run_once(None)
    assert calls == ["first", "second", "third"]


def test_timer_never_runs_early(reactor: Reactor) -> None:
    ran: list[int] = []
    due = monotonic_ns() + 3_000_000
    reactor.call_later(0.003, lambda: ran.append(monotonic_ns()))
    reactor.run_once(0)
    while not ran:
        reactor.run_once(None)
    assert ran[0] >= due


def test_run_once_returns_at_its_timeout_when_nothing_is_ready(reactor: Reactor) -> None:
    calls: list[int] = []
    reactor.call_later(3600, calls.append, 1)
    reactor.run_once(0.001)
    assert calls == []


def test_cancelled_timer_does_not_run(reactor: Reactor) -> None:
    calls: list[str] = []
    handle = reactor.call_later(0, calls.append, "cancelled")
    reactor.call_later(0.001, calls.append, "kept")
    handle.cancel()
    handle.cancel()
    while not calls:
        reactor.run_once(None)
    assert calls == ["kept"]


def test_cancelling_a_timer_that_ran_touches_no_other(reactor: Reactor) -> None:
    calls: list[str] = []
    handle = reactor.call_later(0, calls.append, "ran")
    reactor.call_later(0.001, calls.append, "other")
    while not calls:
        reactor.run_once(None)
    handle.cancel()
    while len(calls) < 2:
        reactor.run_once(None)
    assert calls == ["ran", "other"]


def test_timer_cancelled_by_another_of_the_same_instant_does_not_run(reactor: Reactor) -> None:
    calls: list[str] = []

    def cancel() -> None:
        handle.cancel()

    reactor.call_later(0, cancel)
    handle = reactor.call_later(0, calls.append, "cancelled")
    reactor.call_later(0.001, calls.append, "end")
    while not calls:
        reactor.run_once(None)
    assert calls == ["end"]


def test_timer_may_set_the_next_one(reactor: Reactor) -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(len(ticks))
        if len(ticks) < 5:
            reactor.call_later(0, tick)

    reactor.call_later(0, tick)
    while len(ticks) < 5:
        reactor.run_once(None)
    assert ticks == [0, 1, 2, 3, 4]


def test_ready_reader_runs_before_a_due_timer(reactor: Reactor, pipe: tuple[int, int]) -> None:
    """A script that has ended must not be reported as timed out because we were late."""
    calls: list[str] = []
    reactor.call_later(0, calls.append, "timer")
    reactor.add_reader(pipe[0], calls.append, "reader")
    os.write(pipe[1], b"x")
    reactor.run_once(None)
    assert calls == ["reader", "timer"]


def test_fileno_is_readable_when_a_timer_is_due_and_not_afterwards(reactor: Reactor) -> None:
    calls: list[int] = []
    assert not readable(reactor.fileno())
    reactor.call_later(0.001, calls.append, 1)
    assert readable(reactor.fileno(), None)
    reactor.run_once(0)
    assert calls == [1]
    assert not readable(reactor.fileno())


def test_fileno_is_readable_when_a_reader_is_ready(reactor: Reactor, pipe: tuple[int, int]) -> None:
    reactor.add_reader(pipe[0], os.read, pipe[0], 1)
    assert not readable(reactor.fileno())
    os.write(pipe[1], b"x")
    assert readable(reactor.fileno())
    reactor.run_once(0)
    assert not readable(reactor.fileno())


def test_fileno_is_not_readable_when_the_only_timer_was_cancelled_after_its_due_time(
    reactor: Reactor,
) -> None:
    handle = reactor.call_later(0, fails)
    assert readable(reactor.fileno(), None)
    handle.cancel()
    assert not readable(reactor.fileno())


def test_reactor_nests_in_another_reactor(reactor: Reactor) -> None:
    inner = Reactor()
    calls: list[int] = []
    reactor.add_reader(inner.fileno(), inner.run_once, 0)
    inner.call_later(0.001, calls.append, 1)
    while not calls:
        reactor.run_once(None)
    reactor.remove_reader(inner.fileno())
    inner.close()


@pytest.mark.parametrize("kind", ["reader", "timer"])
def test_failing_callback_is_logged_and_counted_and_the_rest_still_runs(
    reactor: Reactor, pipe: tuple[int, int], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    calls: list[int] = []
    if kind == "reader":
        reactor.add_reader(pipe[0], fails)
        os.write(pipe[1], b"x")
    else:
        reactor.call_later(0, fails)
    reactor.call_later(0, calls.append, 1)
    with caplog.at_level(logging.ERROR, "fastvrrp.reactor"):
        while not calls:
            reactor.run_once(None)
    assert reactor.errors >= 1
    assert "ValueError: a bug" in caplog.text


def test_interrupt_in_a_callback_leaves_the_loop_usable(reactor: Reactor) -> None:
    calls: list[int] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    reactor.call_later(0, interrupt)
    reactor.call_later(0, calls.append, 1)
    with pytest.raises(KeyboardInterrupt):
        reactor.run_once(None)
    while not calls:
        reactor.run_once(None)


def test_close_is_idempotent_and_leaks_no_descriptor() -> None:
    before = os.listdir("/proc/self/fd")
    reactor = Reactor()
    reactor.call_later(3600, fails)
    reactor.close()
    reactor.close()
    assert os.listdir("/proc/self/fd") == before


def test_cancelled_timer_lets_go_of_its_callback_at_once(reactor: Reactor) -> None:
    def callback() -> None: ...

    alive = weakref.ref(callback)
    handle = reactor.call_later(3600, callback)
    handle.cancel()
    del callback, handle
    assert alive() is None


def run_on(loop: Loop, done: Callable[[], object]) -> None:
    """A user of `Loop`: asyncio's loop must be accepted by the type checker, and work."""
    read, write = os.pipe()

    def ready() -> None:
        assert loop.remove_reader(read)
        os.close(read)
        os.close(write)
        done()

    loop.add_reader(read, ready)
    loop.call_later(10, fails).cancel()
    loop.call_later(0, os.write, write, b"x")


def test_asyncio_loop_satisfies_the_protocol() -> None:
    async def main() -> None:
        finished = asyncio.Event()
        run_on(asyncio.get_running_loop(), finished.set)
        await finished.wait()

    asyncio.run(main())


def test_reactor_satisfies_the_protocol(reactor: Reactor) -> None:
    finished: list[int] = []
    run_on(reactor, lambda: finished.append(1))
    while not finished:
        reactor.run_once(None)


def test_timerfd_reports_the_kernels_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        timerfd.arm(-1, 1)
