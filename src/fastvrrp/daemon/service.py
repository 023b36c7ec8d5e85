"""The daemon as a whole: log and pid files around the supervisor of the VRRP process."""

from __future__ import annotations

import os
import sys

from fastvrrp.daemon.launch import StartReport, daemonise
from fastvrrp.daemon.log import WARNING, Console, Log, Syslog, Target
from fastvrrp.daemon.process import forbid_core_dumps
from fastvrrp.daemon.supervisor import Supervisor
from fastvrrp.daemon.systemd import Notifier
from fastvrrp.daemon.version import KEEPALIVED
from fastvrrp.pidfile import PidFile, PidFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from fastvrrp.daemon.options import Options
    from fastvrrp.daemon.signals import SignalInbox

__all__ = ["run"]

EXIT_FAILURE = 1
EXIT_NO_CONFIG = 6


def run(options: Options) -> int:
    """Run the daemon, or start it in the background; returns the exit status."""
    os.umask(options.umask)
    _occupy_standard_descriptors()
    forbid_core_dumps()
    _make_absolute(options)
    if problem := _config_problem(options.config_file):
        print(problem, file=sys.stderr)
        return EXIT_NO_CONFIG
    if options.record is not None and os.path.lexists(options.record):
        print(f"{options.record} exists already: a recording overwrites nothing", file=sys.stderr)
        return EXIT_FAILURE
    try:
        pid_files = _open_pid_files(options)
    except PidFileError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILURE
    if options.dont_fork:
        return _serve(options, pid_files, StartReport())
    return daemonise(lambda report: _serve(options, pid_files, report))


def _occupy_standard_descriptors() -> None:
    """Whoever started us may have closed them: no file of ours may take their place."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)


def _make_absolute(options: Options) -> None:
    """A daemon's working directory is `/`; names mean what they meant where it was started."""
    for field in ("config_file", "pid_file", "vrrp_pid_file"):
        setattr(options, field, os.path.abspath(getattr(options, field)))
    if options.record is not None:
        options.record = os.path.abspath(options.record)


def _config_problem(path: str) -> str:
    """Return why `path` cannot be read, to say so on the terminal; patterns are the reader's."""
    if any(character in path for character in "*?["):
        return ""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))  # never waits for a FIFO
        return ""
    except OSError as error:
        return f"cannot read the configuration {path}: {error.strerror}"


def _open_pid_files(options: Options) -> tuple[PidFile, PidFile]:
    parent = PidFile(options.pid_file)
    try:
        return parent, PidFile(options.vrrp_pid_file)
    except PidFileError:
        parent.remove()
        raise


def _serve(options: Options, pid_files: tuple[PidFile, PidFile], report: StartReport) -> int:
    log = _open_log(options)
    log.info(f"Starting {KEEPALIVED}")
    for message in options.messages:
        log.write(WARNING, message)
    notifier = Notifier(os.environ)

    def child_main(control: socket.socket, inbox: SignalInbox) -> int:
        # Not before the fork: the parent stays without the engine's imports.
        from fastvrrp.daemon import child  # noqa: PLC0415

        watchdog_ns = notifier.watchdog_ns
        return child.main(options, control, inbox, log=log, watchdog_ns=watchdog_ns)

    def read(fd: int) -> bool:
        from fastvrrp.daemon import reader  # noqa: PLC0415 - as above

        return reader.read(options, fd, log)

    parent, vrrp = pid_files
    try:
        return Supervisor(
            child_main,
            read,
            log=log,
            pid_file=parent,
            child_pid_file=vrrp,
            notifier=notifier,
            report=report,
            respawn=not options.dont_respawn,
            ignore_sigint=options.ignore_sigint,
        ).run()
    finally:
        vrrp.remove()
        parent.remove()
        log.info(f"Stopped {KEEPALIVED}")
        log.close()


def _open_log(options: Options) -> Log:
    targets: list[Target] = []
    if not options.no_syslog:
        targets.append(Syslog(facility=options.facility))
    if options.log_console and options.dont_fork:
        targets.append(Console(2))
    return Log("Keepalived", targets, detail=options.log_detail)
