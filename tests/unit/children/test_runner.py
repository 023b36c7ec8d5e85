"""`Child` and `Runner`: how programs end, are made to end, and are refused."""

import asyncio
import logging
import os
import select
import signal
from pathlib import Path

import pytest

from coldside import Pipe, Until
from fastvrrp.children.accounts import Account, Credentials
from fastvrrp.children.runner import Child, Exit, NotStarted, Patience, Runner
from fastvrrp.children.security import Program
from fastvrrp.children.spawn import spawn
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import Command, GlobalConfig
from fastvrrp.reactor import Reactor

ME = Account(name="me", home="/me", credentials=Credentials(uid=os.geteuid(), gid=os.getegid()))
HOUR = seconds(3600)
IMPATIENT = Patience(term=milliseconds(20), kill=HOUR, again=HOUR)
PATIENT = Patience(term=HOUR, kill=HOUR, again=HOUR)

IGNORES_TERM = 'trap "" TERM; echo ready > "$0"; while :; do sleep 1000; done'


class Run:
    """One shell script while it runs; `exit` is set when it has ended."""

    def __init__(
        self,
        reactor: Reactor,
        script: str,
        *arguments: str,
        env: dict[str, str] | None = None,
        timeout: Nanoseconds | None = None,
        patience: Patience = PATIENT,
    ) -> None:
        program = Program(path="/bin/sh", argv=("/bin/sh", "-c", script), account=ME, elements=())
        self.exit: Exit | None = None
        self.child = Child.start(
            reactor,
            program,
            self._ended,
            arguments=arguments,
            env=env,
            timeout=timeout,
            patience=patience,
        )

    def _ended(self, how: Exit) -> None:
        assert self.exit is None
        self.exit = how

    def ended(self) -> bool:
        return self.exit is not None


@pytest.mark.parametrize("status", [0, 1, 255])
def test_exit_status_is_reported(reactor: Reactor, until: Until, status: int) -> None:
    run = Run(reactor, f"exit {status}")
    until(run.ended)
    assert run.exit == Exit(status=status)
    assert run.exit.ok is (status == 0)
    assert str(run.exit) == f"exited with status {status}"


def test_death_by_signal_is_reported(reactor: Reactor, until: Until) -> None:
    run = Run(reactor, "kill -SEGV $$")
    until(run.ended)
    assert run.exit == Exit(signal=signal.SIGSEGV)
    assert not run.exit.ok
    assert str(run.exit) == "due to signal 11"


def test_much_output_harms_nobody(reactor: Reactor, until: Until) -> None:
    run = Run(reactor, "dd if=/dev/zero bs=1M count=200; dd if=/dev/zero bs=1M count=9 >&2")
    until(run.ended)
    assert run.exit == Exit(status=0)


def test_environment_is_clean_and_has_what_was_added(
    reactor: Reactor, until: Until, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD_OF_A_USER", "/tmp/evil.so")
    run = Run(
        reactor, 'tr "\\0" "\\n" < /proc/$$/environ > "$0"', pipe.path, env={"KEEPALIVED_X": "1"}
    )
    until(run.ended)
    until(lambda: pipe.closed)
    assert sorted(pipe.lines) == [
        "HOME=/me",
        "KEEPALIVED_X=1",
        "LANG=C",
        "LOGNAME=me",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "USER=me",
    ]


def test_timeout_terminates_and_tells_so(reactor: Reactor, until: Until) -> None:
    run = Run(reactor, "exec sleep 1000", timeout=milliseconds(1))
    until(run.ended)
    assert run.exit == Exit(signal=signal.SIGTERM, timed_out=True)


def test_timeout_is_a_failure_whatever_the_status(
    reactor: Reactor, until: Until, pipe: Pipe
) -> None:
    run = Run(reactor, 'trap "exit 0" TERM; echo > "$0"; sleep 1000 & wait', pipe.path)
    until(lambda: pipe.text)
    run.child._expire()
    until(run.ended)
    assert run.exit == Exit(status=0, timed_out=True)
    assert not run.exit.ok


def test_program_that_ignores_termination_is_killed(
    reactor: Reactor, until: Until, pipe: Pipe
) -> None:
    run = Run(reactor, IGNORES_TERM, pipe.path, patience=IMPATIENT)
    until(lambda: pipe.text)
    run.child.terminate()
    until(run.ended)
    assert run.exit == Exit(signal=signal.SIGKILL)


def test_kill_does_not_ask_first(reactor: Reactor, until: Until, pipe: Pipe) -> None:
    run = Run(reactor, IGNORES_TERM, pipe.path)
    until(lambda: pipe.text)
    run.child.kill()
    until(run.ended)
    assert run.exit == Exit(signal=signal.SIGKILL)


def test_terminating_twice_does_not_extend_the_patience(
    reactor: Reactor, until: Until, pipe: Pipe
) -> None:
    run = Run(reactor, IGNORES_TERM, pipe.path, patience=IMPATIENT)
    until(lambda: pipe.text)
    run.child.terminate()
    timer = run.child._timer
    run.child.terminate()
    assert run.child._timer is timer
    until(run.ended)


def test_those_that_a_terminated_program_left_behind_are_killed(
    reactor: Reactor, until: Until, pipe: Pipe
) -> None:
    """
    given a script whose background process ignores SIGTERM, and holds the pipe open
    when the script is terminated, and dies of it
    then the background process is gone too.
    """
    run = Run(
        reactor,
        'exec > "$0"; (trap "" TERM; echo ready; while :; do sleep 1000; done) & wait',
        pipe.path,
    )
    until(lambda: pipe.text)
    run.child.terminate()
    until(run.ended)
    assert run.exit == Exit(signal=signal.SIGTERM)
    until(lambda: pipe.closed)


def test_daemon_started_by_a_program_survives_its_normal_end(
    reactor: Reactor, until: Until, pipe: Pipe
) -> None:
    run = Run(reactor, 'exec > "$0"; sleep 1000 & echo $!', pipe.path)
    until(run.ended)
    until(lambda: pipe.lines)
    assert run.exit == Exit(status=0)
    assert not pipe.closed
    os.kill(int(pipe.lines[0]), signal.SIGKILL)
    until(lambda: pipe.closed)


def test_status_collected_by_somebody_else_is_a_failure_with_an_explanation(
    reactor: Reactor, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(reactor, "exit 0")
    os.waitpid(run.child.pid, 0)
    until(run.ended)
    assert run.exit == Exit()
    assert not run.exit.ok
    assert "SIGCHLD" in caplog.text


def test_waking_without_reason_changes_nothing(reactor: Reactor, until: Until) -> None:
    run = Run(reactor, "exec sleep 1000")
    run.child._ended()
    assert run.exit is None
    run.child.kill()
    until(run.ended)


def test_process_that_no_signal_reaches_is_named_and_killed_again(
    reactor: Reactor, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """
    given a child whose pidfd stays silent, as that of a process which waits for a dead file server
    when it is killed
    then the log names it each time that it is killed again.
    """
    dead, dead_pidfd = spawn(["true"], path="/bin/true", env={})
    silent, other_end = os.pipe()
    short = milliseconds(1)
    child = Child(
        reactor,
        dead,
        silent,
        lambda how: None,
        timeout=None,
        patience=Patience(term=short, kill=short, again=short),
    )
    child.kill()
    until(lambda: caplog.text.count("failed to terminate after kill") == 2)
    child.abandon()
    os.waitid(os.P_PIDFD, dead_pidfd, os.WEXITED)
    os.close(dead_pidfd)
    os.close(other_end)


def test_abandoned_child_reports_nothing_and_holds_nothing(reactor: Reactor) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    run = Run(reactor, "exec sleep 1000", timeout=HOUR)
    pidfd = os.pidfd_open(run.child.pid)
    run.child.kill()
    run.child.abandon()
    run.child.abandon()
    run.child.terminate()
    select.select([pidfd], [], [])
    os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    os.close(pidfd)
    reactor.run_once(0)
    assert run.exit is None
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_child_runs_on_the_loop_of_asyncio() -> None:
    program = Program(path="/bin/sh", argv=("sh", "-c", "exit 3"), account=ME, elements=())

    async def main() -> Exit:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Exit] = loop.create_future()
        Child.start(loop, program, ended.set_result, timeout=HOUR)
        return await ended

    assert asyncio.run(main()) == Exit(status=3)


def test_ended_children_leave_no_descriptor_and_no_timer(reactor: Reactor, until: Until) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    runs = [Run(reactor, "exit 0", timeout=HOUR) for _ in range(50)]
    until(lambda: all(run.ended() for run in runs))
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert reactor._timers == []


class TestRunner:
    """A command that is checked, run, and checked again when something on its path changed."""

    @pytest.fixture
    def script(self, tmp_path: Path) -> Path:
        script = tmp_path / "script"
        script.write_text("#!/bin/sh\nexit 4\n")
        script.chmod(0o755)
        return script

    def runner(self, script: Path, *, enforce: bool = False) -> Runner:
        command = Command(argv=(str(script),), user="root" if os.geteuid() == 0 else None)
        return Runner(command, GlobalConfig(enable_script_security=enforce), label="(VI_1) notify")

    def test_runs_the_command(self, reactor: Reactor, until: Until, script: Path) -> None:
        exits: list[Exit] = []
        self.runner(script).start(reactor, exits.append)
        until(lambda: exits)
        assert exits == [Exit(status=4)]

    def test_replaced_script_is_checked_again_and_run(
        self, reactor: Reactor, until: Until, script: Path
    ) -> None:
        """A package upgrade replaces the file; nobody restarts the daemon for that."""
        runner = self.runner(script)
        new = script.with_name("new")
        new.write_text("#!/bin/sh\nexit 5\n")
        new.chmod(0o755)
        new.rename(script)
        exits: list[Exit] = []
        runner.start(reactor, exits.append)
        until(lambda: exits)
        assert exits == [Exit(status=5)]

    def test_missing_script_is_not_usable_until_it_is_there(
        self, reactor: Reactor, until: Until, script: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        elsewhere = script.rename(script.with_name("elsewhere"))
        runner = self.runner(script)
        assert not runner.usable
        assert f"(VI_1) notify: {script} cannot be run: {script}: No such file" in caplog.text
        with pytest.raises(NotStarted, match=r"notify is not run: .*No such file.*install"):
            runner.start(reactor, lambda how: None)
        elsewhere.rename(script)
        exits: list[Exit] = []
        runner.start(reactor, exits.append)
        until(lambda: exits)
        assert runner.usable

    @pytest.mark.skipif(os.geteuid() != 0, reason="SCRIPT SECURITY IS NOT TESTED: not root")
    def test_script_that_became_writable_by_others_is_refused_from_then_on(
        self, reactor: Reactor, script: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        runner = self.runner(script, enforce=True)
        assert runner.usable
        script.chmod(0o777)
        for _ in range(2):
            with pytest.raises(NotStarted, match=f"chmod go-w {script}"):
                runner.start(reactor, lambda how: None)
        assert caplog.text.count("is writable by others") == 1

    def test_failure_to_execute_names_the_remedy(
        self, reactor: Reactor, script: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        script.write_text("exit 0\n")
        with pytest.raises(NotStarted, match=r"Exec format error \(its first line must name"):
            self.runner(script).start(reactor, lambda how: None)

    def test_problem_is_logged_once(
        self, script: Path, reactor: Reactor, caplog: pytest.LogCaptureFixture
    ) -> None:
        script.unlink()
        with caplog.at_level(logging.WARNING):
            runner = self.runner(script)
            for _ in range(3):
                with pytest.raises(NotStarted):
                    runner.start(reactor, lambda how: None)
        assert len(caplog.records) == 1
