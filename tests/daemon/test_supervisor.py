import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastvrrp.clock import seconds
from fastvrrp.daemon.supervisor import Backoff

PROGRAM = Path(__file__).with_name("supervised.py")
PATIENCE_S = 20
"""A test that waits so long for an event has failed."""


class Daemon:
    """A running `supervised.py`, and its log so far."""

    def __init__(self, directory: Path, behaviour: str, *args: str, **environ: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, directory, behaviour, *args],
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": ":".join(sys.path), **environ},
        )
        self.log = ""

    def expect(self, pattern: str) -> re.Match[str]:
        """Read the log until a line matches `pattern`, which is searched after the last match."""
        assert self.process.stderr is not None
        while (match := re.search(pattern, self.log)) is None:
            ready, _, _ = select.select([self.process.stderr], [], [], PATIENCE_S)
            chunk = os.read(self.process.stderr.fileno(), 4096) if ready else b""
            assert chunk, f"no {pattern!r} in {self.log!r}"
            self.log += chunk.decode()
        self.log = self.log[match.end() :]
        return match

    def expect_child(self) -> int:
        """Wait until a child is started; returns its pid."""
        return int(self.expect(r"Starting VRRP child process, pid=(\d+)")[1])

    def end(self) -> int:
        """Wait for the end and return the exit status."""
        return self.process.wait(PATIENCE_S)

    def pid_files(self) -> list[str]:
        """Names of the pid files that exist."""
        return sorted(path.name for path in self.directory.glob("*.pid"))


Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    daemons: list[Daemon] = []

    def start(behaviour: str, *args: str, **environ: str) -> Daemon:
        daemons.append(Daemon(tmp_path, behaviour, *args, **environ))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.process.kill()
        daemon.process.wait()
        assert daemon.process.stderr is not None
        daemon.process.stderr.close()


def wait_for_end(pidfd: int) -> bool:
    """Wait until the process behind `pidfd` has ended."""
    ready, _, _ = select.select([pidfd], [], [], PATIENCE_S)
    os.close(pidfd)
    return bool(ready)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_lets_the_child_resign_and_removes_pid_files(start: Start, number: int) -> None:
    daemon = start("runs")
    child = daemon.expect_child()
    daemon.expect("Startup complete")
    assert (daemon.directory / "d.pid").read_text() == f"{daemon.process.pid}\n"
    assert (daemon.directory / "v.pid").read_text() == f"{child}\n"
    daemon.process.send_signal(number)
    daemon.expect("Stopping")
    daemon.expect("child: resigned")
    assert daemon.end() == 0
    assert daemon.pid_files() == []


def test_signals_that_are_not_supported_yet_are_logged_and_harmless(start: Start) -> None:
    daemon = start("runs")
    daemon.expect("Startup complete")
    for number, text in [
        (signal.SIGHUP, "reload is not supported yet; restart to apply changes"),
        (signal.SIGUSR1, "data dump on a signal is not supported yet"),
        (signal.SIGUSR2, "statistics on a signal"),
        (signal.SIGRTMIN + 2, "JSON dump on a signal"),
        (signal.SIGRTMAX - 1, "statistics with reset on a signal"),
        (signal.SIGRTMAX, "thread dump on a signal"),
    ]:
        daemon.process.send_signal(number)
        daemon.expect(text)
    daemon.process.send_signal(signal.SIGPIPE)
    daemon.process.terminate()
    assert daemon.end() == 0


def test_crashed_child_is_respawned_at_once(start: Start) -> None:
    daemon = start("crashes_once")
    first = daemon.expect_child()
    daemon.expect(rf"VRRP child process\({first}\) died: Respawning")
    second = daemon.expect_child()
    assert second != first
    assert "delayed" not in daemon.log
    daemon.process.terminate()
    daemon.expect("child: resigned")
    assert daemon.end() == 0


def test_crashed_child_ends_the_daemon_with_dont_respawn(start: Start) -> None:
    daemon = start("crashes_once", "5000000000", "--no-respawn")
    daemon.expect(r"VRRP child process\(\d+\) died: Exiting")
    assert daemon.end() == 1


def test_child_that_never_becomes_ready_is_given_up(start: Start) -> None:
    daemon = start("always_crashes")
    daemon.expect("died: Respawning")
    daemon.expect("died: Respawning")
    daemon.expect("Restart of VRRP process delayed 1 seconds to limit respawn rate")
    daemon.expect("died: Exiting")
    assert daemon.end() == 1
    assert daemon.pid_files() == []


def test_permanent_error_of_the_child_is_the_daemons_exit_status(start: Start) -> None:
    daemon = start("is_misconfigured")
    daemon.expect("exited with permanent error CONFIG. Terminating")
    daemon.expect("\npriority 300 is outside 1-255\n")
    assert daemon.end() == 2
    assert daemon.pid_files() == []


def test_child_that_does_not_stop_is_killed(start: Start) -> None:
    daemon = start("hangs", "1000000")
    pidfd = os.pidfd_open(daemon.expect_child())
    daemon.expect("Startup complete")
    daemon.process.terminate()
    daemon.expect("vrrp process failed to die - forcing termination")
    assert daemon.end() == 0
    assert wait_for_end(pidfd)


def test_killed_parent_takes_the_child_along_which_resigns(start: Start) -> None:
    daemon = start("runs")
    pidfd = os.pidfd_open(daemon.expect_child())
    daemon.expect("Startup complete")
    daemon.process.kill()
    daemon.expect("child: resigned")
    assert wait_for_end(pidfd)
    restarted = start("runs")  # the files that were left are stale, and no obstacle
    restarted.expect("Startup complete")
    restarted.process.terminate()
    assert restarted.end() == 0


def test_leftover_child_keeps_a_second_daemon_away(start: Start) -> None:
    """Given a child that outlives its killed parent, a new daemon must not run beside it."""
    daemon = start("hangs")
    child = daemon.expect_child()
    pidfd = os.pidfd_open(child)
    daemon.expect("Startup complete")
    daemon.process.kill()
    daemon.process.wait()
    start("runs").expect("daemon is already running")
    os.kill(child, signal.SIGKILL)
    assert wait_for_end(pidfd)


def test_service_manager_is_told_ready_and_stopping(start: Start, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        daemon = start("runs", NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(200) == b"READY=1\nMAINPID=%d" % daemon.process.pid
        assert manager.recv(200).startswith(b"STATUS=VRRP process")
        daemon.process.terminate()
        assert manager.recv(200).startswith(b"STOPPING=1\n")
        assert daemon.end() == 0


def test_pid_file_that_cannot_be_written_does_not_stop_the_daemon(start: Start) -> None:
    daemon = start("runs_on_a_full_disk")
    daemon.expect(r"pid file .*d\.pid: File too large")
    daemon.expect("Startup complete")
    daemon.process.terminate()
    assert daemon.end() == 0


def test_stop_while_a_restart_is_awaited_ends_at_once(start: Start) -> None:
    daemon = start("always_crashes")
    daemon.expect("Restart of VRRP process delayed 1 seconds")
    daemon.process.terminate()
    daemon.expect("Stopping")
    assert daemon.end() == 0
    assert "Starting VRRP" not in daemon.log


def test_backoff_doubles_to_a_minute_and_restarts_after_a_good_run() -> None:
    backoff = Backoff()
    delays = [backoff.delay(seconds(1)) for _ in range(9)]
    assert delays == [seconds(n) for n in (0, 1, 2, 4, 8, 16, 32, 60, 60)]
    assert backoff.delay(seconds(60)) == 0
    assert backoff.delay(seconds(59)) == seconds(1)
