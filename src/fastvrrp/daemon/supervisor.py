"""The parent's life: start the VRRP process, relay the will to stop, start again what dies.

Single-threaded and without heavy imports, so that it can fork safely at any time and costs little.
The child is forked, not executed anew: it shares the parent's pages, keeps its command line (tools
look for the configuration file's name there), and a respawn, on a host in trouble, needs neither
the interpreter's start nor the program's files.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import time

from fastvrrp.daemon.configurations import READ_LIMIT_S, Configurations
from fastvrrp.daemon.control import ALIVE, FAILED, READY, REFUSED, TAKEN, pair, receive
from fastvrrp.daemon.estate import Estate
from fastvrrp.daemon.log import ERR, WARNING, Log
from fastvrrp.daemon.process import set_parent_death_signal
from fastvrrp.daemon.signals import DUMPS, HANDLED, SignalInbox, signals_blocked
from fastvrrp.pidfile import PidFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.daemon.launch import StartReport
    from fastvrrp.daemon.systemd import Notifier
    from fastvrrp.pidfile import PidFile

    ChildMain = Callable[[socket.socket, SignalInbox], int]

__all__ = ["PERMANENT", "Backoff", "Supervisor"]

PERMANENT = {1: "FATAL", 2: "CONFIG", 4: "MISSING PERMISSION"}
"""Exit statuses of a child that no new start would mend; once it has worked, it may work again."""

EXIT_FATAL = 1
EXIT_PROGRAM_ERROR = 70

NS_PER_SECOND = 1_000_000_000
START_ATTEMPTS = 3
"""A child that was never ready is given up after so many starts: somebody waits for the outcome."""

LOG_RETRY_NS = NS_PER_SECOND // 2


class Backoff:
    """How long to wait before a dead child is started again, ns.

    At once after a run of 60 s or more and at the first time; else 1, 2, 4… 60 s.
    """

    GOOD_RUN_NS = 60 * NS_PER_SECOND
    LONGEST_NS = 60 * NS_PER_SECOND

    def __init__(self) -> None:
        self._next_ns = 0

    def delay(self, ran_ns: int) -> int:
        """Return the delay after a run of `ran_ns`."""
        if ran_ns >= self.GOOD_RUN_NS:
            self._next_ns = 0
        delay = self._next_ns
        self._next_ns = min(2 * delay, self.LONGEST_NS) or NS_PER_SECOND
        return delay


class Supervisor:
    """Runs `child_main(control, inbox)` in a process of its own until told to stop.

    `read(fd)` writes its configuration to a memory file, see `Configurations`. `stop_ns` is how
    long a child may take to stop before it is killed.
    """

    def __init__(
        self,
        child_main: ChildMain,
        read: Callable[[int], bool],
        *,
        log: Log,
        pid_file: PidFile,
        child_pid_file: PidFile,
        notifier: Notifier,
        report: StartReport,
        respawn: bool = True,
        ignore_sigint: bool = False,
        stop_ns: int = 5 * NS_PER_SECOND,
        read_limit_s: float = READ_LIMIT_S,
    ) -> None:
        self._child_main = child_main
        self._log = log
        self._pid_file = pid_file
        self._child_pid_file = child_pid_file
        self._notifier = notifier
        self._report = report
        self._respawn = respawn
        self._stop_ns = stop_ns
        self._ignored = (signal.SIGINT,) if ignore_sigint else ()
        self._inbox = SignalInbox((*HANDLED, signal.SIGCHLD), ignored=self._ignored)
        self._poll = select.poll()
        self._poll.register(self._inbox.fileno(), select.POLLIN)
        self._backoff = Backoff()
        self._pid = 0
        """The child; 0: there is none."""
        self._control: socket.socket | None = None
        self._started_ns = 0
        self._starts = 0
        self._was_ready = False
        self._reason = ""
        """Why the child failed, in its own words."""
        self._configurations = Configurations(read, limit_s=read_limit_s)
        self._estate = Estate(log)
        self._is_reloading = False
        self._stopping = False
        self._due_ns: int | None = None
        """When to kill the child (there is one), or to start it again (there is none)."""
        self._exit_status: int | None = None

    def run(self) -> int:
        """Supervise until the end; returns the daemon's exit status."""
        gc.collect()
        gc.freeze()  # the collector would write to, and so copy, pages that the child shares
        self._write_pid(self._pid_file, os.getpid())
        self._configurations.begin()
        self._start_child()
        while self._exit_status is None:
            self._poll.poll(self._timeout_ms())
            self._handle_signals()
            self._handle_messages()
            self._reap()
            self._act_if_due()
            self._configure()
            self._log.flush()
        self._configurations.stop()
        self._report.failed(self._exit_status or 1, self._reason or "stopped before it had started")
        self._inbox.close()
        return self._exit_status

    # The loop's parts; none of them waits.

    def _timeout_ms(self) -> int | None:
        now = time.monotonic_ns()
        dues = (self._due_ns, self._configurations.due_ns)
        waits = [due - now for due in dues if due is not None]
        if self._log.pending:
            waits.append(LOG_RETRY_NS)
        if self._notifier.watchdog_ns and not self._pid:
            waits.append(self._notifier.watchdog_ns // 3)
        return max(0, -(-min(waits) // 1_000_000)) if waits else None

    def _handle_signals(self) -> None:
        for number in self._inbox.read():
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stop()
            elif number == signal.SIGHUP:
                self._want_reload()
            elif number in DUMPS:
                self._log.write(WARNING, f"{DUMPS[number]} on a signal is not supported yet")

    def _handle_messages(self) -> None:
        while self._control is not None and (received := receive(self._control)) is not None:
            message, fd = received
            if not message:
                self._drop_control()
            elif message == READY:
                self._on_ready()
            elif message == ALIVE:
                self._notifier.watchdog()
            elif message == TAKEN:
                self._on_taken()
            elif message == REFUSED:
                self._configurations.refused()
                self._end_reload("Reload refused: the running configuration stays")
            elif message.startswith(FAILED):
                self._reason = message.removeprefix(FAILED).decode(errors="replace")
            else:
                self._estate.on_message(message, fd)

    def _reap(self) -> None:
        """Collect every dead child: as process 1 of a container, orphans of scripts are ours."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._pid:
                self._on_exit(os.waitstatus_to_exitcode(status))
            elif pid == self._configurations.pid:
                self._configurations.on_reader_exit(os.waitstatus_to_exitcode(status))

    def _act_if_due(self) -> None:
        if not self._pid:
            self._notifier.watchdog()  # nobody is there to be stuck
        self._configurations.kill_if_late()
        if self._due_ns is None or time.monotonic_ns() < self._due_ns:
            return
        self._due_ns = None
        if self._pid:
            self._log.info("vrrp process failed to die - forcing termination")
            os.kill(self._pid, signal.SIGKILL)
        else:
            self._start_child()

    # Configurations.

    def _want_reload(self) -> None:
        if self._configurations.is_wanted:
            return
        self._configurations.want()
        if not self._configurations.is_idle:
            self._log.info("Reload already in progress, request queued")

    def _configure(self) -> None:
        """Read what was asked for, when nothing else is read or judged, and hand out what was."""
        if self._stopping:
            return
        if self._configurations.is_wanted and self._configurations.is_idle:
            self._configurations.begin()
            self._log.info("Reloading ...")
            self._is_reloading = True
            self._notifier.reloading()
        if self._control is not None:
            self._configurations.give(self._control)

    def _on_taken(self) -> None:
        if self._configurations.taken():
            self._end_reload("Reload complete")

    def _end_reload(self, outcome: str) -> None:
        if self._is_reloading:
            self._is_reloading = False
            self._log.info(outcome)
            self._notifier.ready()
            self._notifier.status(outcome)

    # What happens to the child.

    def _start_child(self) -> None:
        self._starts += 1
        if self._configurations.begin_anew():
            self._log.info("The VRRP process is started with the configuration that ran before")
        self._started_ns = time.monotonic_ns()
        self._reason = ""
        try:
            self._fork()
        except OSError as error:
            self._log.write(ERR, f"cannot start the VRRP process: {error.strerror}")
            self._restart_later()
            return
        self._write_pid(self._child_pid_file, self._pid)
        self._log.info(f"Starting VRRP child process, pid={self._pid}")

    def _write_pid(self, file: PidFile, pid: int) -> None:
        """Write, or log why not: a full disk is no reason to leave the addresses to nobody."""
        try:
            file.write(pid)
        except PidFileError as error:
            self._log.write(ERR, str(error))

    def _fork(self) -> None:
        ours, theirs = pair()
        parent = os.getpid()
        try:
            with signals_blocked():  # until the child has its own inbox
                self._pid = os.fork()
                if self._pid == 0:
                    ours.close()
                    self._become_child(parent, theirs)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._control = ours
        self._poll.register(ours, select.POLLIN)

    def _become_child(self, parent: int, control: socket.socket) -> None:
        """Run the child in this new process; never returns."""
        status = EXIT_PROGRAM_ERROR
        try:
            self._inbox.close()
            self._configurations.close()
            # It keeps its own pid file's lock: as long as it lives, no other daemon may start.
            self._pid_file.close()
            self._report.abandon()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            inbox = SignalInbox(ignored=self._ignored)
            set_parent_death_signal(signal.SIGTERM)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
            # A parent that died before the line above sends nothing.
            status = self._child_main(control, inbox) if os.getppid() == parent else 0
        finally:
            os._exit(status)

    def _on_ready(self) -> None:
        if not self._was_ready:
            self._was_ready = True
            self._log.info("Startup complete")
            self._report.succeeded()
            self._notifier.ready()
        self._notifier.status(f"VRRP process {self._pid} runs")
        self._on_taken()

    def _on_exit(self, status: int) -> None:
        self._handle_messages()  # its last words
        self._drop_control()
        pid, self._pid = self._pid, 0
        self._due_ns = None
        self._child_pid_file.clear()
        if status != 0:
            self._estate.settle()
        self._estate.drop()
        if self._configurations.on_child_exit():
            self._end_reload("Reload failed: the configuration that ran before stays")
        if self._stopping:
            self._exit_status = 0
        elif status in PERMANENT and not self._was_ready:
            error = PERMANENT[status]
            self._log.info(
                f"VRRP child process({pid}) exited with permanent error {error}. Terminating"
            )
            self._exit_status = status
        elif not self._respawn or (not self._was_ready and self._starts >= START_ATTEMPTS):
            self._log.info(f"VRRP child process({pid}) died: Exiting")
            self._reason = self._reason or "the VRRP process died; see the log"
            self._exit_status = 1
        else:
            self._log.info(f"VRRP child process({pid}) died: Respawning")
            self._restart_later()

    def _restart_later(self) -> None:
        now = time.monotonic_ns()
        delay = self._backoff.delay(now - self._started_ns)
        self._due_ns = now + delay
        if delay:
            wait = f"{delay // NS_PER_SECOND} seconds"
            self._log.info(f"Restart of VRRP process delayed {wait} to limit respawn rate")
        self._notifier.status("the VRRP process died and is started again")

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._log.info("Stopping")
        self._notifier.stopping()
        if not self._pid:
            self._due_ns = None
            self._exit_status = 0
            return
        os.kill(self._pid, signal.SIGTERM)
        self._due_ns = time.monotonic_ns() + self._stop_ns

    def _drop_control(self) -> None:
        if self._control is not None:
            self._poll.unregister(self._control)
            self._control.close()
            self._control = None
