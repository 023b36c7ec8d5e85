"""`ScriptTracker`: when it runs its script, what it logs, and what it makes of the results."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from coldside import Pipe, Until
from fastvrrp.children.runner import PATIENCE, Child, Patience
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import Command, GlobalConfig, ScriptConfig, TrackUse
from fastvrrp.reactor import Reactor
from fastvrrp.track.base import Contribution, Verdict
from fastvrrp.track.script import ScriptTracker

HOUR = seconds(3600)
ME = "root" if os.geteuid() == 0 else None


class Fixture:
    """A tracked script that exits with what `answer` was last told to."""

    def __init__(self, reactor: Reactor, tmp_path: Path) -> None:
        self.reactor = reactor
        self.status = tmp_path / "status"
        self.verdicts: list[Verdict] = []
        self.runs_before: list[int] = []

    def answer(self, status: int | str) -> None:
        new = self.status.with_name("new")
        new.write_text(f"{status}\n")
        new.rename(self.status)  # the script never reads half an answer

    def track(
        self,
        script: str = 'exit "$(cat "$0")"',
        argument: str | None = None,
        *,
        interval: Nanoseconds = milliseconds(5),
        timeout: Nanoseconds | None = HOUR,
        rise: int = 1,
        fall: int = 1,
        patience: Patience = PATIENCE,
        init_fail: bool = False,
    ) -> ScriptTracker:
        argv = ("/bin/sh", "-c", script, argument or str(self.status))
        config = ScriptConfig(
            name="chk",
            command=Command(argv=argv, user=ME),
            interval=interval,
            timeout=timeout,
            rise=rise,
            fall=fall,
            init_fail=init_fail,
        )
        tracker = ScriptTracker(
            config,
            GlobalConfig(),
            loop=self.reactor,
            on_change=self.on_change,
            patience=patience,
        )
        tracker.start()
        return tracker

    def on_change(self, tracker: ScriptTracker) -> None:
        """Note the verdict, and how many lines the script had written when it came."""
        self.verdicts.append(tracker.verdict)
        lines = self.status.read_text() if self.status.exists() else ""
        self.runs_before.append(len(lines.splitlines()))


@pytest.fixture
def script(reactor: Reactor, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Fixture:
    caplog.set_level(logging.INFO, "fastvrrp")
    return Fixture(reactor, tmp_path)


def stopped(tracker: ScriptTracker, until: Until) -> None:
    done: list[bool] = []
    tracker.stop(lambda: done.append(True))
    until(lambda: done)


def results(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged about results: on a busy machine, runs may have been skipped too."""
    return [message for message in caplog.messages if not message.endswith("skipping run")]


def test_verdicts_follow_the_results_and_are_logged_as_keepalived_does(
    script: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    script.answer(0)
    tracker = script.track()
    assert tracker.verdict is Verdict.UNKNOWN
    until(lambda: len(script.verdicts) == 1)
    script.answer(1)
    until(lambda: len(script.verdicts) == 2)
    script.answer(0)
    until(lambda: len(script.verdicts) == 3)
    assert script.verdicts == [Verdict.UP, Verdict.DOWN, Verdict.UP]
    assert results(caplog) == [
        "VRRP_Script(chk) succeeded",
        "Script `chk` now returning 1",
        "VRRP_Script(chk) failed (exited with status 1)",
        "Script `chk` now returning 0",
        "VRRP_Script(chk) succeeded",
    ]
    stopped(tracker, until)


def test_change_of_the_status_is_logged_even_without_a_change_of_the_verdict(
    script: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    script.answer(2)
    tracker = script.track()
    until(lambda: script.verdicts)
    script.answer(3)
    until(lambda: "Script `chk` now returning 3" in caplog.messages)
    assert script.verdicts == [Verdict.DOWN]
    stopped(tracker, until)


def test_results_are_damped(script: Fixture, until: Until) -> None:
    """
    given fall 3 and a script that succeeded once, then fails
    when the verdict becomes down
    then exactly three runs have failed.
    """
    tracker = script.track('echo x >> "$0"; [ "$(wc -l < "$0")" -eq 1 ]', fall=3)
    until(lambda: script.verdicts == [Verdict.UP, Verdict.DOWN])
    assert script.runs_before == [1, 4]
    stopped(tracker, until)


def test_death_by_a_signal_is_a_failure(
    script: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = script.track("kill -SEGV $$")
    until(lambda: script.verdicts)
    assert script.verdicts == [Verdict.DOWN]
    assert results(caplog) == ["VRRP_Script(chk) failed (due to signal 11)"]
    stopped(tracker, until)


def test_timeout_is_a_failure(
    script: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = script.track("exec sleep 1000", interval=HOUR, timeout=milliseconds(1))
    until(lambda: script.verdicts)
    assert script.verdicts == [Verdict.DOWN]
    assert results(caplog) == ["VRRP_Script(chk) timed_out"]
    stopped(tracker, until)


def test_timeout_is_the_interval_unless_configured(script: Fixture, until: Until) -> None:
    tracker = script.track("exec sleep 1000", timeout=None)
    until(lambda: script.verdicts)
    assert script.verdicts == [Verdict.DOWN]
    stopped(tracker, until)


def test_run_is_skipped_while_the_last_one_is_running(
    script: Fixture, until: Until, pipe: Pipe, caplog: pytest.LogCaptureFixture
) -> None:
    message = "Track script chk is already running, expect idle - skipping run"
    tracker = script.track('exec > "$0"; echo run; exec sleep 1000', pipe.path)
    until(lambda: caplog.messages.count(message) == 3)
    until(lambda: pipe.lines)
    assert pipe.lines == ["run"]
    stopped(tracker, until)


def test_run_is_skipped_while_the_last_one_is_being_timed_out(
    script: Fixture, until: Until, pipe: Pipe, caplog: pytest.LogCaptureFixture
) -> None:
    message = "Track script chk is being timed out, expect idle - skipping run"
    ignores = 'trap "" TERM; exec > "$0"; echo; while :; do sleep 1000; done'
    patience = Patience(term=milliseconds(100), kill=HOUR, again=HOUR)
    tracker = script.track(ignores, pipe.path, timeout=milliseconds(20), patience=patience)
    until(lambda: message in caplog.messages)
    until(lambda: script.verdicts == [Verdict.DOWN])
    stopped(tracker, until)


@pytest.mark.parametrize("timed_out", [False, True])
def test_hanging_script_that_ignores_termination_leaves_nothing_behind_after_stop(
    script: Fixture,
    until: Until,
    pipe: Pipe,
    monkeypatch: pytest.MonkeyPatch,
    *,
    timed_out: bool,
) -> None:
    ignores = 'trap "" TERM; exec > "$0"; echo; while :; do sleep 1000; done'
    patience = Patience(term=HOUR, kill=HOUR, again=HOUR)
    tracker = script.track(ignores, pipe.path, interval=HOUR, patience=patience)
    until(lambda: pipe.text)
    assert tracker._child is not None
    if timed_out:
        tracker._child.terminate()
    monkeypatch.setattr("fastvrrp.track.script.STOP_GRACE", milliseconds(5))
    stopped(tracker, until)
    until(lambda: pipe.closed)


def test_no_verdict_after_stop(script: Fixture, until: Until, pipe: Pipe) -> None:
    tracker = script.track('exec > "$0"; echo; exec sleep 1000', pipe.path)
    until(lambda: pipe.text)
    stopped(tracker, until)
    assert script.verdicts == []
    assert tracker.verdict is Verdict.UNKNOWN


def test_stop_without_a_running_script_is_done_at_once(script: Fixture) -> None:
    done: list[bool] = []
    tracker = script.track()
    tracker.stop(lambda: done.append(True))
    tracker.stop()
    assert done == [True]
    script.reactor.run_once(0)
    assert script.verdicts == []


def test_script_that_vanished_fails_and_recovers(
    script: Fixture, until: Until, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "program"
    # No script: it would be opened by name once more, by its interpreter.
    shutil.copy(shutil.which("true") or "/bin/true", program)
    tracker = ScriptTracker(
        ScriptConfig(
            name="chk",
            command=Command(argv=(str(program),), user=ME),
            interval=milliseconds(5),
            timeout=HOUR,
        ),
        GlobalConfig(),
        loop=script.reactor,
        on_change=lambda tracker: script.verdicts.append(tracker.verdict),
    )
    tracker.start()
    until(lambda: script.verdicts == [Verdict.UP])
    away = program.rename(tmp_path / "away")
    until(lambda: script.verdicts[1:] == [Verdict.DOWN])
    assert caplog.text.count("vrrp_script chk is not run") == 1
    assert f"{program}: No such file or directory" in caplog.text
    assert "VRRP_Script(chk) failed (exited with status 127)" in caplog.messages
    away.rename(program)
    until(lambda: script.verdicts[2:] == [Verdict.UP])
    stopped(tracker, until)


@pytest.mark.parametrize(
    ("status", "use", "expected"),
    [
        (0, TrackUse(name="chk"), Contribution(weight=-20)),
        (0, TrackUse(name="chk", weight=5), Contribution(weight=5)),
        (1, TrackUse(name="chk", weight=0), Contribution(fault="script chk failed")),
        (
            0,
            TrackUse(name="chk", weight=0, reverse=True),
            Contribution(fault="script chk succeeded"),
        ),
    ],
)
def test_contribution_is_that_of_the_use_or_of_the_script(
    script: Fixture, until: Until, status: int, use: TrackUse, expected: Contribution
) -> None:
    argv = ("/bin/sh", "-c", f"exit {status}")
    config = ScriptConfig(
        name="chk", command=Command(argv=argv, user=ME), interval=HOUR, weight=20, reverse=True
    )
    tracker = ScriptTracker(config, GlobalConfig(), loop=script.reactor, on_change=script.on_change)
    assert (tracker.kind, tracker.name) == ("script", "chk")
    assert tracker.contribution(TrackUse(name="chk", weight=0)) == Contribution(pending=True)
    tracker.start()
    until(lambda: script.verdicts)
    assert tracker.contribution(use) == expected
    stopped(tracker, until)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (0, Contribution(fault="script chk failed")),
        (-20, Contribution(weight=-20)),
        (20, Contribution()),
    ],
)
def test_with_init_fail_it_counts_as_failed_before_the_first_result(
    script: Fixture, weight: int, expected: Contribution
) -> None:
    tracker = script.track(interval=HOUR, init_fail=True)
    assert tracker.verdict is Verdict.DOWN
    assert tracker.contribution(TrackUse(name="chk", weight=weight)) == expected
    tracker.stop()


def test_with_init_fail_the_first_result_decides_alone_and_is_logged(
    script: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """
    given init_fail and rise 3
    when the first run succeeds, or fails
    then that is the verdict, and the log says so.
    """
    script.answer(0)
    tracker = script.track(interval=HOUR, rise=3, init_fail=True)
    until(lambda: script.verdicts == [Verdict.UP])
    stopped(tracker, until)
    script.answer(1)
    tracker = script.track(interval=HOUR, rise=3, init_fail=True)
    until(lambda: script.verdicts == [Verdict.UP, Verdict.DOWN])
    assert results(caplog) == [
        "VRRP_Script(chk) succeeded",
        "Script `chk` now returning 1",
        "VRRP_Script(chk) failed (exited with status 1)",
    ]
    stopped(tracker, until)


def test_script_that_must_not_run_is_not_usable(
    script: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    config = ScriptConfig(name="chk", command=Command(argv=("/no/such/script",), user=ME))
    tracker = ScriptTracker(
        config, GlobalConfig(), loop=script.reactor, on_change=lambda tracker: None
    )
    assert not tracker.usable
    assert "vrrp_script chk: /no/such/script cannot be run" in caplog.text


class FakeLoop:
    """Time that stands still between `call_later`s, and programs that never end."""

    def __init__(self) -> None:
        self.now = seconds(1000)
        self.timers: list[tuple[int, Callable[[], object]]] = []

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> "FakeLoop":
        self.timers.append((self.now + round(delay * 1e9), callback))
        return self

    def cancel(self) -> None: ...

    def add_reader(self, fd: int, callback: Callable[..., object], *args: object) -> None: ...

    def remove_reader(self, fd: int) -> bool:
        return True

    def advance(self, late: Nanoseconds) -> int:
        """Let the only timer run, so much too late; return when it was due."""
        due, callback = self.timers.pop()
        self.now = Nanoseconds(due + late)
        callback()
        return due - seconds(1000)


def test_runs_are_due_at_multiples_of_the_interval_however_late_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = FakeLoop()
    monkeypatch.setattr("fastvrrp.track.script.monotonic_ns", lambda: loop.now)
    monkeypatch.setattr(ScriptTracker, "_run", lambda self: None)
    config = ScriptConfig(name="chk", command=Command(argv=("/bin/true",), user=ME))
    tracker = ScriptTracker(config, GlobalConfig(), loop=loop, on_change=lambda tracker: None)
    tracker.start()
    late = [0, milliseconds(10), milliseconds(999), milliseconds(3500), 0, 0]
    dues = [loop.advance(Nanoseconds(ns)) for ns in late]
    # Lateness does not add up; the ticks missed while the loop stood still are not made up for.
    assert dues == [seconds(n) for n in (0, 1, 2, 3, 7, 8)]


def test_asked_to_stop_a_running_script_is_terminated_with_its_group(
    script: Fixture, until: Until, pipe: Pipe
) -> None:
    tracker = script.track('exec > "$0"; sleep 1000 & echo; wait', pipe.path, interval=HOUR)
    until(lambda: pipe.text)
    assert isinstance(tracker._child, Child)
    stopped(tracker, until)
    until(lambda: pipe.closed)
