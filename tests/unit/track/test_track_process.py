"""`ProcessTracker`: which numbers of processes are a quorum, and when that counts."""

import logging

import pytest

from coldside import Until
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import ParamMatch, ProcessDelays, TrackProcess, TrackUse
from fastvrrp.reactor import Reactor
from fastvrrp.track.base import Contribution, Verdict
from fastvrrp.track.process import ProcessTracker
from fastvrrp.track.procs import Pattern, ProcessWatcher


class Counter(ProcessWatcher):
    """A watcher that is told how many there are."""

    def __init__(self, reactor: Reactor) -> None:
        super().__init__(loop=reactor)
        self.patterns: list[Pattern] = []

    def watch(self, pattern: Pattern, on_count: object) -> None:
        assert callable(on_count)
        self.patterns.append(pattern)
        self.count = on_count

    def unwatch(self, on_count: object) -> None:
        assert on_count == self.count
        self.patterns.clear()


class Fixture:
    """A tracked process, and the verdicts that were told."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.verdicts: list[Verdict] = []
        self.watcher = Counter(reactor)

    def track(
        self,
        quorum: int = 1,
        quorum_max: int | None = None,
        *,
        terminate: Nanoseconds = Nanoseconds(0),
        fork: Nanoseconds = Nanoseconds(0),
        weight: int = 0,
    ) -> ProcessTracker:
        config = TrackProcess(
            name="p",
            command=("nginx", "-g"),
            param_match=ParamMatch.INITIAL,
            full_command=True,
            quorum=quorum,
            quorum_max=quorum_max,
            delays=ProcessDelays(terminate=terminate, fork=fork),
            weight=weight,
        )
        tracker = ProcessTracker(
            config, loop=self.reactor, on_change=self.note, watcher=self.watcher
        )
        tracker.start()
        return tracker

    def note(self, tracker: ProcessTracker) -> None:
        self.verdicts.append(tracker.verdict)

    def count(self, *counts: int) -> list[Verdict]:
        for count in counts:
            self.watcher.count(count)
        return self.verdicts


@pytest.fixture
def process(reactor: Reactor, caplog: pytest.LogCaptureFixture) -> Fixture:
    caplog.set_level(logging.INFO, "fastvrrp")
    return Fixture(reactor)


def test_what_is_configured_is_watched(process: Fixture) -> None:
    process.track()
    assert process.watcher.patterns == [
        Pattern(command=("nginx", "-g"), full_command=True, match=ParamMatch.INITIAL)
    ]


@pytest.mark.parametrize(
    ("quorum", "quorum_max", "enough"),
    [
        (1, None, {1, 2, 3, 4}),
        (3, None, {3, 4}),
        (2, 3, {2, 3}),
        (2, 2, {2}),
        (1, 0, {0}),
    ],
)
def test_a_quorum_lies_between_its_limits(
    process: Fixture, quorum: int, quorum_max: int | None, enough: set[int]
) -> None:
    found = set()
    for count in range(5):
        tracker = process.track(quorum, quorum_max)
        process.count(count)
        if tracker.verdict is Verdict.UP:
            found.add(count)
    assert found == enough


def test_changes_are_logged_as_keepalived_does_but_not_the_first_verdict(
    process: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    process.track(2)
    assert process.count(2, 3, 1, 0, 2) == [Verdict.UP, Verdict.DOWN, Verdict.UP]
    assert caplog.messages == [
        "Quorum lost for tracked process p",
        "Quorum gained for tracked process p",
    ]


def test_the_first_verdict_waits_for_no_delay(process: Fixture) -> None:
    process.track(terminate=seconds(3600), fork=seconds(3600))
    assert process.count(0) == [Verdict.DOWN]


def test_delays_end_when_what_they_wait_for_is_over(process: Fixture) -> None:
    process.track(terminate=seconds(3600), fork=seconds(3600))
    assert process.count(1, 0, 1) == [Verdict.UP]
    assert process.reactor._timers == []
    assert process.count(0, 0, 0) == [Verdict.UP]
    assert len(process.reactor._timers) == 1


def test_a_quorum_that_is_lost_or_gained_counts_after_its_delay(
    process: Fixture, until: Until
) -> None:
    process.track(terminate=milliseconds(1), fork=milliseconds(2))
    assert process.count(1, 0) == [Verdict.UP]
    until(lambda: process.verdicts == [Verdict.UP, Verdict.DOWN])
    assert process.count(1) == [Verdict.UP, Verdict.DOWN]
    until(lambda: process.verdicts == [Verdict.UP, Verdict.DOWN, Verdict.UP])


def test_no_quorum_is_a_fault_without_weight(process: Fixture) -> None:
    tracker = process.track()
    use = TrackUse(name="p")
    assert tracker.contribution(use) == Contribution(pending=True)
    process.count(0)
    assert tracker.contribution(use).fault == "tracked process p quorum not achieved"
    process.count(1)
    assert tracker.contribution(use) == Contribution()
    reversed_use = TrackUse(name="p", weight=0, reverse=True)
    assert tracker.contribution(reversed_use).fault == "tracked process p quorum achieved"


def test_the_weight_of_the_process_counts_unless_the_use_has_one(process: Fixture) -> None:
    tracker = process.track(weight=-20)
    process.count(0)
    assert tracker.contribution(TrackUse(name="p")) == Contribution(weight=-20)
    assert tracker.contribution(TrackUse(name="p", weight=9)) == Contribution()


def test_nothing_is_told_after_stop(process: Fixture) -> None:
    tracker = process.track(terminate=milliseconds(1))
    process.count(1, 0)
    done: list[bool] = []
    tracker.stop(lambda: done.append(True))
    assert process.watcher.patterns == []
    assert process.reactor._timers == []
    assert (process.verdicts, done) == ([Verdict.UP], [True])
