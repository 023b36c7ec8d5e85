"""`Hooks`: order, arguments, coalescing and the end."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coldside import Pipe, Until
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import Command, GlobalConfig, InstanceConfig, NotifyConfig
from fastvrrp.names import State
from fastvrrp.notify.hooks import Hooks
from fastvrrp.reactor import Reactor

ME = "root" if os.geteuid() == 0 else None
HOUR = seconds(3600)

SAY = 'echo "$0" "$@" >> {pipe}'
SAY_BOTH = 'echo "begin $4" >> {pipe}; echo "end $4" >> {pipe}'
WAIT = 'echo "$0" "$@" >> {pipe}; read x < {gate}'
HANG = 'echo "$0" "$@" >> {pipe}; trap "" TERM; while :; do sleep 1000; done'


class Fixture:
    """An instance VI_1 with notify scripts, all of which write into `pipe`."""

    def __init__(self, reactor: Reactor, pipe: Pipe, gate: Path) -> None:
        self.reactor = reactor
        self.pipe = pipe
        self.gate = gate
        os.mkfifo(gate)
        self.keep_open = os.open(pipe.path, os.O_WRONLY)  # no end of file between two scripts
        self.hold = os.open(gate, os.O_RDWR)

    def command(self, name: str, script: str) -> Command:
        script = script.format(pipe=self.pipe.path, gate=self.gate)
        return Command(argv=("/bin/sh", "-c", script, name), user=ME)

    def hooks(
        self,
        *,
        stop_limit: Nanoseconds = HOUR,
        slow: Nanoseconds = HOUR,
        **scripts: str,
    ) -> Hooks:
        owner = self.owner(**scripts)
        return Hooks(owner, GlobalConfig(), loop=self.reactor, stop_limit=stop_limit, slow=slow)

    def owner(self, name: str = "VI_1", **scripts: str) -> InstanceConfig:
        commands = {name: self.command(name, script) for name, script in scripts.items()}
        notify = NotifyConfig(**commands)  # type: ignore[arg-type]  # fields that are commands
        return InstanceConfig(name=name, interface="eth0", vrid=1, notify=notify)

    def release(self) -> None:
        """Let one waiting script go on."""
        os.write(self.hold, b"go\n")

    @property
    def lines(self) -> list[str]:
        return self.pipe.lines


@pytest.fixture
def world(reactor: Reactor, pipe: Pipe, tmp_path: Path) -> Iterator[Fixture]:
    world = Fixture(reactor, pipe, tmp_path / "gate")
    yield world
    os.close(world.keep_open)
    os.close(world.hold)


def closed(hooks: Hooks, until: Until) -> None:
    done: list[bool] = []
    hooks.close(lambda: done.append(True))
    until(lambda: done)
    assert done == [True]


def test_script_of_the_state_runs_before_the_generic_one_with_its_arguments(
    world: Fixture, until: Until
) -> None:
    hooks = world.hooks(master=SAY, backup=SAY, fault=SAY, stop=SAY, always=SAY)
    for state, priority in (("BACKUP", 100), ("MASTER", 104), ("FAULT", 100), ("STOP", 100)):
        hooks.notify(state, priority)
    until(lambda: len(world.lines) == 8)
    assert world.lines == [
        "backup",
        "always INSTANCE VI_1 BACKUP 100",
        "master",
        "always INSTANCE VI_1 MASTER 104",
        "fault",
        "always INSTANCE VI_1 FAULT 100",
        "stop",
        "always INSTANCE VI_1 STOP 100",
    ]
    closed(hooks, until)


def test_scripts_find_what_happened_in_their_environment(world: Fixture, until: Until) -> None:
    script = 'echo "$KEEPALIVED_INSTANCE $KEEPALIVED_STATE $KEEPALIVED_PRIORITY" >> {pipe}'
    hooks = world.hooks(master=script)
    hooks.notify("MASTER", 254)
    until(lambda: world.lines)
    assert world.lines == ["VI_1 MASTER 254"]
    closed(hooks, until)


def test_state_without_a_script_is_no_event(world: Fixture, until: Until) -> None:
    hooks = world.hooks(fault=SAY)
    hooks.notify("BACKUP", 100)
    hooks.notify("FAULT", 100)
    until(lambda: world.lines)
    assert world.lines == ["fault"]
    closed(hooks, until)


def test_two_scripts_never_run_at_the_same_time(world: Fixture, until: Until) -> None:
    hooks = world.hooks(always=SAY_BOTH)
    for priority in range(1, 9):
        hooks.notify("MASTER" if priority % 2 else "BACKUP", priority)
    until(lambda: len(world.lines) == 16)
    assert world.lines == [
        f"{word} {priority}" for priority in range(1, 9) for word in ("begin", "end")
    ]
    closed(hooks, until)


def test_notify_does_not_wait_for_a_running_script(world: Fixture, until: Until) -> None:
    hooks = world.hooks(always=WAIT)
    hooks.notify("MASTER", 1)
    until(lambda: world.lines)
    hooks.notify("BACKUP", 2)
    assert world.lines == ["always INSTANCE VI_1 MASTER 1"]
    world.release()
    until(lambda: len(world.lines) == 2)
    assert world.lines[1] == "always INSTANCE VI_1 BACKUP 2"
    world.release()
    closed(hooks, until)


def test_under_flapping_only_the_newest_state_is_run_in_the_end(
    world: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """
    given a script that hangs while the state changes 101 times
    when it ends
    then a few states follow in order, and the last of them is the present one.
    """
    hooks = world.hooks(always=WAIT)
    for priority in range(1, 102):
        hooks.notify("MASTER" if priority % 2 else "BACKUP", priority)
    for _ in range(10):
        world.release()
    until(lambda: world.lines and world.lines[-1] == "always INSTANCE VI_1 MASTER 101")
    run = [int(line.split()[-1]) for line in world.lines]
    assert run == sorted(run)
    assert len(run) <= 9
    assert "(VI_1) notify scripts are slower than the state changes" in caplog.text
    closed(hooks, until)


def test_both_scripts_of_the_newest_state_survive_coalescing(world: Fixture, until: Until) -> None:
    hooks = world.hooks(master=WAIT, backup=SAY, fault=SAY, always=SAY)
    hooks.notify("MASTER", 1)
    until(lambda: world.lines)
    for priority in range(2, 5):
        hooks.notify("BACKUP", priority)
    hooks.notify("FAULT", 9)
    world.release()
    until(lambda: len(world.lines) == 3)
    assert world.lines == ["master", "fault", "always INSTANCE VI_1 FAULT 9"]
    closed(hooks, until)


def test_stop_is_never_skipped(world: Fixture, until: Until) -> None:
    hooks = world.hooks(master=WAIT, always=SAY)
    hooks.notify("MASTER", 1)
    until(lambda: world.lines)
    hooks.notify("STOP", 2)
    for priority in range(3, 20):
        hooks.notify("BACKUP", priority)
    hooks.close(lambda: None)
    world.release()
    until(lambda: len(world.lines) == 2)
    assert world.lines == ["master", "always INSTANCE VI_1 STOP 2"]


def test_failure_is_logged_and_the_next_script_runs(
    world: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = world.hooks(master="exit 3", always=SAY)
    hooks.notify("MASTER", 100)
    until(lambda: world.lines)
    assert caplog.messages == ["(VI_1) notify_master for MASTER failed (exited with status 3)"]
    closed(hooks, until)


def test_script_that_cannot_be_started_does_not_hold_up_the_next(
    world: Fixture, until: Until, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "script"
    script.write_text("no interpreter\n")
    script.chmod(0o755)
    notify = NotifyConfig(
        master=Command(argv=(str(script),), user=ME), always=world.command("always", SAY)
    )
    instance = InstanceConfig(name="VI_1", interface="eth0", vrid=1, notify=notify)
    hooks = Hooks(instance, GlobalConfig(), loop=world.reactor)
    hooks.notify("MASTER", 100)
    until(lambda: world.lines)
    assert "(VI_1) notify_master is not run" in caplog.text
    closed(hooks, until)


def test_script_that_must_not_run_is_dropped_with_a_message(
    world: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    notify = NotifyConfig(master=Command(argv=("/no/such/script",), user=ME))
    instance = InstanceConfig(name="VI_1", interface="eth0", vrid=1, notify=notify)
    hooks = Hooks(instance, GlobalConfig(), loop=world.reactor)
    assert "(VI_1) notify_master: /no/such/script cannot be run" in caplog.text
    caplog.clear()
    hooks.notify("MASTER", 100)
    assert caplog.text == ""
    closed(hooks, until)


def test_script_that_was_away_for_a_while_is_run_again(
    world: Fixture, until: Until, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A package upgrade may remove a script for a moment, at the worst of moments."""
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho ran >> {world.pipe.path}\n")
    script.chmod(0o755)
    notify = NotifyConfig(master=Command(argv=(str(script),), user=ME))
    instance = InstanceConfig(name="VI_1", interface="eth0", vrid=1, notify=notify)
    hooks = Hooks(instance, GlobalConfig(), loop=world.reactor)
    away = script.rename(tmp_path / "away")
    hooks.notify("MASTER", 100)
    assert "(VI_1) notify_master is not run" in caplog.text
    away.rename(script)
    hooks.notify("MASTER", 100)
    until(lambda: world.lines)
    closed(hooks, until)


def test_slow_script_is_named_but_left_alone(
    world: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = world.hooks(master=WAIT, slow=milliseconds(1))
    hooks.notify("MASTER", 100)
    until(lambda: "(VI_1) notify_master for MASTER still runs after 0.001 s" in caplog.text)
    world.release()
    closed(hooks, until)
    assert "failed" not in caplog.text


def test_close_with_nothing_to_do_is_done_at_once(world: Fixture) -> None:
    done: list[bool] = []
    world.hooks().close(lambda: done.append(True))
    assert done == [True]


def test_close_waits_for_the_scripts_of_stop(world: Fixture, until: Until) -> None:
    hooks = world.hooks(stop=SAY, always=SAY)
    hooks.notify("STOP", 100)
    closed(hooks, until)
    until(lambda: len(world.lines) == 2)
    assert world.lines == ["stop", "always INSTANCE VI_1 STOP 100"]


def test_close_drops_states_that_wait_and_kills_what_hangs(
    world: Fixture, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """
    given a hanging notify_master, and a waiting BACKUP
    when the hooks are closed with STOP
    then the hanging script is killed in time for STOP, and BACKUP is not run.
    """
    caplog.set_level(logging.WARNING)
    hooks = world.hooks(master=HANG, backup=SAY, stop=SAY, stop_limit=milliseconds(300))
    hooks.notify("MASTER", 100)
    until(lambda: world.lines)
    hooks.notify("BACKUP", 100)
    hooks.notify("STOP", 100)
    closed(hooks, until)
    until(lambda: len(world.lines) == 2)
    assert world.lines == ["master", "stop"]
    assert "(VI_1) notify_master for MASTER is killed" in caplog.text


def test_hanging_stop_script_leaves_time_for_the_generic_one(world: Fixture, until: Until) -> None:
    hooks = world.hooks(stop=HANG, always=SAY, stop_limit=milliseconds(400))
    hooks.notify("STOP", 100)
    closed(hooks, until)
    until(lambda: len(world.lines) == 2)
    assert world.lines == ["stop", "always INSTANCE VI_1 STOP 100"]


def test_close_does_not_wait_for_a_script_that_no_signal_reaches(
    world: Fixture, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that reads from a dead file server waits in the kernel; the daemon must stop."""
    hooks = world.hooks(stop=WAIT, stop_limit=milliseconds(1))
    monkeypatch.setattr("fastvrrp.children.runner.Child._signal", lambda self, number: None)
    hooks.notify("STOP", 100)
    until(lambda: world.lines)
    closed(hooks, until)
    world.release()
    os.wait()


# ---- reload ----


def test_runs_that_wait_are_kept_over_a_reload(world: Fixture, until: Until) -> None:
    """Given a script that runs and three that wait, when a reload replaces one and removes another,
    then the new one is run, and the removed one is not."""
    hooks = world.hooks(master=WAIT, backup=SAY, fault=SAY, always=SAY)
    hooks.notify("MASTER", 1)
    until(lambda: world.lines)
    hooks.notify("BACKUP", 2)
    hooks.notify("FAULT", 3)
    changed = world.owner("VI_2", backup="echo changed >> {pipe}", always=SAY)
    hooks.update(changed, GlobalConfig())
    world.release()
    until(lambda: len(world.lines) == 5)
    assert world.lines == [
        "master",
        "always INSTANCE VI_2 MASTER 1",
        "changed",
        "always INSTANCE VI_2 BACKUP 2",
        "always INSTANCE VI_2 FAULT 3",
    ]
    closed(hooks, until)


def test_a_reload_without_changes_checks_no_script(
    world: Fixture, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = world.hooks(master=SAY)
    monkeypatch.setattr("fastvrrp.notify.hooks.Runner", None)
    hooks.update(world.owner(master=SAY), GlobalConfig())
    hooks.notify("MASTER", 1)
    until(lambda: world.lines)
    closed(hooks, until)


@pytest.mark.parametrize(
    ("tells_deleted", "state", "expected"),
    [
        (False, State.ACTIVE, ["fault", "always INSTANCE VI_1 FAULT 7"]),
        (False, State.FAULT, []),
        (True, State.ACTIVE, ["deleted", "always INSTANCE VI_1 DELETED 7"]),
        (True, State.FAULT, ["deleted", "always INSTANCE VI_1 DELETED 7"]),
    ],
)
def test_the_end_of_an_instance_is_told_even_if_other_scripts_wait(
    world: Fixture, until: Until, tells_deleted: bool, state: State, expected: list[str]
) -> None:
    """Given a script that runs and one that waits, when the instance is removed by a reload, then
    the one that waits is skipped, and those for the end are run."""
    owner = world.owner(master=WAIT, backup=SAY, fault=SAY, deleted=SAY, always=SAY)
    owner = replace(owner, notify=replace(owner.notify, tells_deleted=tells_deleted))
    hooks = Hooks(owner, GlobalConfig(), loop=world.reactor, stop_limit=HOUR)
    hooks.notify("MASTER", 1)
    until(lambda: world.lines)
    hooks.notify("BACKUP", 2)
    hooks.tell_deleted(state, 7)
    done: list[bool] = []
    hooks.close(lambda: done.append(True))
    world.release()
    until(lambda: done)
    until(lambda: len(world.lines) == 1 + len(expected))
    assert world.lines == ["master", *expected]
