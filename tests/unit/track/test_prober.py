"""`Prober`: when checks run, with a clock that only the test moves."""

import errno
import os
import select
from collections.abc import Callable

import pytest

from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.track.prober import OK, Prober

START = seconds(1000)


class FakeLoop:
    """Time that the test moves, and timers that are due then."""

    def __init__(self) -> None:
        self.now = START
        self.wakeups = 0
        self.timers: list[tuple[int, Callable[..., object]]] = []

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> "FakeTimer":
        assert not args
        entry = (self.now + round(delay * 1e9), callback)
        self.timers.append(entry)
        return FakeTimer(self, entry)

    def add_reader(self, fd: int, callback: Callable[..., object], *args: object) -> None: ...

    def remove_reader(self, fd: int) -> bool:
        return True

    def advance(self, until: Nanoseconds, *, late: Nanoseconds = Nanoseconds(0)) -> None:
        """Run the timers that are due before `until`, each so much too late."""
        while self.timers:
            entry = min(self.timers, key=lambda one: one[0])
            if entry[0] >= START + until:
                return
            self.timers.remove(entry)
            self.now = Nanoseconds(max(self.now, entry[0] + late))
            self.wakeups += 1
            entry[1]()


class FakeTimer:
    def __init__(self, loop: FakeLoop, entry: tuple[int, Callable[..., object]]) -> None:
        self._loop = loop
        self._entry = entry

    def cancel(self) -> None:
        if self._entry in self._loop.timers:
            self._loop.timers.remove(self._entry)


class FakeCheck:
    """Notes when it runs; `pending`: it never comes to a result, on a descriptor that is none."""

    events = 0

    def __init__(self, loop: FakeLoop) -> None:
        self._loop = loop
        self.runs: list[int] = []
        self.aborted = 0

    def begin(self) -> str | None:
        self.runs.append(self._loop.now - START)
        return OK

    def proceed(self) -> str | None:
        return OK

    def fileno(self) -> int:
        return -1

    def abort(self) -> None:
        self.aborted += 1


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> FakeLoop:
    loop = FakeLoop()
    monkeypatch.setattr("fastvrrp.track.prober.monotonic_ns", lambda: loop.now)
    return loop


def ms(*values: int) -> list[int]:
    return [milliseconds(value) for value in values]


def ignore(result: str) -> None: ...


def add(prober: Prober, check: FakeCheck, interval: int = 100) -> int:
    every = milliseconds(interval)
    return prober.add(check, interval=every, timeout=every, on_result=ignore)


def test_runs_are_due_at_multiples_of_the_interval(loop: FakeLoop) -> None:
    check = FakeCheck(loop)
    add(Prober(loop=loop), check)
    loop.advance(milliseconds(450))
    assert check.runs == ms(0, 100, 200, 300, 400)


def test_lateness_does_not_add_up_and_what_is_missed_is_lost(loop: FakeLoop) -> None:
    check = FakeCheck(loop)
    add(Prober(loop=loop), check)
    loop.advance(milliseconds(101), late=milliseconds(30))
    loop.advance(milliseconds(201), late=milliseconds(350))
    loop.advance(milliseconds(700))
    assert check.runs == ms(30, 130, 550, 600)


def test_a_hundred_probes_are_spread_over_the_interval_and_share_wakeups(loop: FakeLoop) -> None:
    checks = [FakeCheck(loop) for _ in range(100)]
    prober = Prober(loop=loop)
    for check in checks:
        add(prober, check)
    loop.advance(milliseconds(100))
    firsts = [check.runs for check in checks]
    assert all(len(runs) == 1 for runs in firsts)
    times = [runs[0] for runs in firsts]
    for slot in range(0, 100, 20):
        assert times.count(milliseconds(slot)) == 20
    assert loop.wakeups == 5
    loop.advance(milliseconds(1000))
    assert all(len(check.runs) == 10 for check in checks)
    assert loop.wakeups == 50


def test_short_intervals_are_kept(loop: FakeLoop) -> None:
    checks = [FakeCheck(loop) for _ in range(3)]
    prober = Prober(loop=loop)
    for check, interval in zip(checks, (10, 45, 45), strict=True):
        add(prober, check, interval=interval)
    loop.advance(milliseconds(60))
    assert [check.runs for check in checks] == [
        ms(0, 10, 20, 30, 40, 50),
        ms(0, 45),
        ms(20),
    ]


def test_a_check_that_comes_later_joins_the_grid(loop: FakeLoop) -> None:
    first, second = FakeCheck(loop), FakeCheck(loop)
    prober = Prober(loop=loop)
    add(prober, first)
    loop.advance(milliseconds(201))
    loop.now = Nanoseconds(START + milliseconds(233))
    add(prober, second)
    loop.advance(milliseconds(430))
    assert second.runs == ms(233, 320, 420)


def test_a_removed_check_runs_no_more(loop: FakeLoop) -> None:
    first, second = FakeCheck(loop), FakeCheck(loop)
    prober = Prober(loop=loop)
    number = add(prober, first)
    add(prober, second)
    loop.advance(milliseconds(50))
    prober.remove(number)
    prober.remove(number)
    loop.advance(milliseconds(250))
    assert (first.runs, first.aborted) == (ms(0), 1)
    assert second.runs == ms(20, 120, 220)


def test_the_last_removed_check_leaves_no_timer(loop: FakeLoop) -> None:
    prober = Prober(loop=loop)
    number = add(prober, FakeCheck(loop))
    assert loop.timers
    prober.remove(number)
    assert loop.timers == []


def test_a_result_may_remove_its_own_check(loop: FakeLoop) -> None:
    prober = Prober(loop=loop)
    check = FakeCheck(loop)
    every = milliseconds(10)
    number = prober.add(
        check, interval=every, timeout=every, on_result=lambda result: prober.remove(number)
    )
    loop.advance(milliseconds(100))
    assert check.runs == ms(0)
    assert loop.timers == []


class BrokenCheck(FakeCheck):
    """Raises in `begin`, or in `proceed` after it waited for a pipe that is readable."""

    events = select.EPOLLIN

    def __init__(self, loop: FakeLoop, error: BaseException, fd: int = -1) -> None:
        super().__init__(loop)
        self._error = error
        self._fd = fd

    def begin(self) -> str | None:
        super().begin()
        if self._fd < 0:
            raise self._error
        return None

    def proceed(self) -> str | None:
        raise self._error

    def fileno(self) -> int:
        return self._fd


EMFILE = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(
    ("error", "result", "lines"),
    [
        (EMFILE, "too many open files", 0),
        (ValueError("oh"), "internal error: ValueError('oh')", 1),
    ],
)
def test_a_run_that_raises_has_failed_and_others_go_on(
    loop: FakeLoop,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    result: str,
    lines: int,
) -> None:
    """
    given a probe that raises whenever it begins, and one that does not
    when three intervals pass
    then both were made three times, the first one failed, and a bug is logged once.
    """
    broken, good = BrokenCheck(loop, error), FakeCheck(loop)
    prober = Prober(loop=loop)
    results: list[str] = []
    every = milliseconds(100)
    prober.add(broken, interval=every, timeout=every, on_result=results.append)
    add(prober, good)
    loop.advance(milliseconds(300))
    assert (broken.runs, good.runs) == (ms(0, 100, 200), ms(20, 120, 220))
    assert results == [result] * 3
    assert broken.aborted == 3
    assert caplog.text.count("this is a bug, please report it") == lines


def test_an_answer_that_raises_has_failed(loop: FakeLoop) -> None:
    prober = Prober(loop=loop)
    read, write = os.pipe()
    os.write(write, b"x")
    results: list[str] = []
    check = BrokenCheck(loop, EMFILE, read)
    every = milliseconds(100)
    number = prober.add(check, interval=every, timeout=every, on_result=results.append)
    loop.advance(milliseconds(50))
    assert results == []
    prober._on_ready()
    assert results == ["too many open files"]
    loop.advance(milliseconds(150))
    assert check.runs == ms(0, 100)
    prober.remove(number)
    os.close(read)
    os.close(write)


def test_a_descriptor_that_cannot_be_waited_for_is_a_failure(loop: FakeLoop) -> None:
    prober = Prober(loop=loop)
    results: list[str] = []
    every = milliseconds(100)
    check = BrokenCheck(loop, EMFILE, fd=1_000_000)  # there is none with this number
    prober.add(check, interval=every, timeout=every, on_result=results.append)
    loop.advance(milliseconds(150))
    assert results == ["bad file descriptor"] * 2
    assert check.aborted == 2


@pytest.mark.parametrize("result", [OK, None])
def test_who_is_told_may_raise(
    loop: FakeLoop, caplog: pytest.LogCaptureFixture, result: str | None
) -> None:
    """A result, or (None) that time is up."""

    def refuse(result: str) -> None:
        raise ValueError(result)

    read, write = os.pipe()
    check = FakeCheck(loop) if result == OK else BrokenCheck(loop, EMFILE, read)
    prober = Prober(loop=loop)
    every = milliseconds(100)
    number = prober.add(check, interval=every, timeout=every // 2, on_result=refuse)
    good = FakeCheck(loop)
    add(prober, good)
    loop.advance(milliseconds(300))
    assert (check.runs, good.runs) == (ms(0, 100, 200), ms(20, 120, 220))
    assert caplog.text.count("this is a bug, please report it") == 1
    prober.remove(number)
    os.close(read)
    os.close(write)


def test_probes_go_on_after_an_interruption(loop: FakeLoop) -> None:
    check = BrokenCheck(loop, KeyboardInterrupt())
    add(Prober(loop=loop), check)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            loop.advance(milliseconds(150))
    assert check.runs == ms(0, 100)
