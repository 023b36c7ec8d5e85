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


# ---- reload ----


def reload(daemon: Daemon, text: str) -> None:
    """Write another configuration and ask for a reload."""
    (daemon.directory / "conf").write_text(text)
    daemon.process.send_signal(signal.SIGHUP)


def test_reload_reads_again_and_the_child_goes_on(start: Start) -> None:
    daemon = start("runs")
    child = daemon.expect_child()
    daemon.expect("child: runs with first\n")
    daemon.expect("Startup complete")
    reload(daemon, "second")
    daemon.expect(r"Reloading \.\.\.")
    daemon.expect("child: runs with second\n")
    daemon.expect("Reload complete")
    assert (daemon.directory / "v.pid").read_text() == f"{child}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("wrong", None),
        ("dies", "child: no configuration: unread the configuration reader died by signal 9"),
        ("hangs", "unread reading the configuration took longer than 2 seconds"),
    ],
)
def test_reload_that_fails_changes_nothing(start: Start, text: str, why: str | None) -> None:
    daemon = start("runs")
    daemon.expect("Startup complete")
    reload(daemon, text)
    daemon.expect(r"Reloading \.\.\.")
    if why is not None:
        daemon.expect(why)
    daemon.expect("Reload refused: the running configuration stays")
    reload(daemon, "second")
    daemon.expect("child: runs with second\n")
    daemon.process.terminate()
    assert daemon.end() == 0


def test_requests_while_a_reload_goes_on_become_one(start: Start) -> None:
    daemon = start("runs")
    daemon.expect("Startup complete")
    reload(daemon, "hangs")
    daemon.expect("child: reader hangs")
    for _ in range(100):
        reload(daemon, "second")
    daemon.expect("Reload already in progress, request queued")
    daemon.expect("Reload refused")
    daemon.expect(r"Reloading \.\.\.")
    daemon.expect("Reload complete")
    daemon.process.terminate()
    daemon.expect("child: resigned")
    assert "Reloading" not in daemon.log
    assert "queued" not in daemon.log


def test_killed_child_is_started_with_the_configuration_that_ran(start: Start) -> None:
    """Given a reload that has succeeded, and a file that is wrong since, when the child is killed,
    then its successor runs with what ran before, and the file is not looked at."""
    daemon = start("runs")
    daemon.expect("Startup complete")
    reload(daemon, "second")
    daemon.expect("Reload complete")
    (daemon.directory / "conf").write_text("wrong")
    os.kill(int((daemon.directory / "v.pid").read_text()), signal.SIGKILL)
    daemon.expect("died: Respawning")
    daemon.expect("is started with the configuration that ran before")
    daemon.expect("child: runs with second\n")
    daemon.process.terminate()
    assert daemon.end() == 0


def test_configuration_that_kills_the_child_is_not_tried_again(start: Start) -> None:
    daemon = start("runs")
    daemon.expect("Startup complete")
    reload(daemon, "fatal")
    daemon.expect("died: Respawning|Reload failed: the configuration that ran before stays")
    daemon.expect("child: runs with first\n")
    reload(daemon, "second")
    daemon.expect("child: runs with second\n")
    daemon.expect("Reload complete")


def test_first_configuration_that_cannot_be_read_ends_the_daemon(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "conf").write_text("dies")
    daemon = start("runs")
    daemon.expect("exited with permanent error CONFIG. Terminating")
    assert daemon.end() == 2
    assert daemon.pid_files() == []


def test_stop_ends_a_reader_that_hangs(start: Start) -> None:
    daemon = start("runs")
    daemon.expect("Startup complete")
    reload(daemon, "hangs")
    daemon.expect("child: reader hangs")
    daemon.process.terminate()
    daemon.expect("child: resigned")
    assert daemon.end() == 0


def test_reader_of_a_killed_parent_ends_with_it(start: Start) -> None:
    daemon = start("runs")
    daemon.expect("Startup complete")
    reload(daemon, "hangs")
    daemon.expect("child: reader hangs")
    children = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text()
    pidfds = [os.pidfd_open(int(pid)) for pid in children.split()]
    assert len(pidfds) == 2
    daemon.process.kill()
    assert all([wait_for_end(pidfd) for pidfd in pidfds])


def test_service_manager_is_told_of_a_reload(start: Start, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        daemon = start("runs", NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(200).startswith(b"READY=1\n")
        manager.recv(200)
        for text, outcome in (("second", b"complete"), ("wrong", b"refused")):
            reload(daemon, text)
            assert re.match(rb"RELOADING=1\nMONOTONIC_USEC=\d+\n", manager.recv(200))
            assert manager.recv(200).startswith(b"READY=1\n")
            assert manager.recv(200).startswith(b"STATUS=Reload " + outcome)


# ---- what a child that dies leaves ----


def test_what_a_killed_child_has_done_is_undone_and_its_farewell_sent(
    start: Start, tmp_path: Path
) -> None:
    """Given a child that has told what it would resign with and how to undo a request that the
    kernel refuses, when it is killed, then the parent sends the one from the child's own socket,
    and tries the other."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.bind(str(tmp_path / "peer"))
        peer.settimeout(PATIENCE_S)
        daemon = start("has_an_estate")
        child = daemon.expect_child()
        daemon.expect("child: active")
        os.kill(child, signal.SIGKILL)
        assert peer.recv(100) == b"priority 0"
        daemon.expect(r"sent 0 priority for the dead VRRP process \(1 instances\)")
        daemon.expect("removing what the dead VRRP process has left")
        daemon.expect("cannot undo a link: Invalid argument")
        daemon.expect("Respawning")


def test_a_child_that_resigns_leaves_nothing_to_do(start: Start, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.bind(str(tmp_path / "peer"))
        daemon = start("has_an_estate")
        daemon.expect("child: active")
        daemon.process.terminate()
        daemon.expect("child: resigned")
        assert daemon.end() == 0
        with pytest.raises(BlockingIOError):
            peer.recv(100, socket.MSG_DONTWAIT)
