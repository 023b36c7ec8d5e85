"""The VRRP process: reads the configuration, runs the engine on a reactor, stops on SIGTERM."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import resource
import signal
import socket
from itertools import count

from fastvrrp.config.diagnostics import Severity
from fastvrrp.daemon.log import Log
from fastvrrp.daemon.reader import ConfigReader
from fastvrrp.daemon.records import attach
from fastvrrp.daemon.signals import DUMPS, SignalInbox
from fastvrrp.daemon.supervisor import (
    ALIVE,
    EXIT_FATAL,
    EXIT_PROGRAM_ERROR,
    FAILED,
    READY,
    REMOVAL,
    REMOVALS,
)
from fastvrrp.daemon.version import KEEPALIVED
from fastvrrp.errors import ConfigError, FastVrrpError, KernelError
from fastvrrp.journal import RouteUndo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvrrp.config.model import Config
    from fastvrrp.daemon.options import Options
    from fastvrrp.engine import Engine
    from fastvrrp.reactor import Reactor

__all__ = ["main"]

EXIT_CONFIG = 2
EXIT_MISSING_PERMISSION = 4

_FILES = 256
_FILES_PER_INSTANCE = 4
"""Descriptors of the process itself, and of one instance at most: sockets, scripts."""

logger = logging.getLogger("fastvrrp.daemon")


def main(
    options: Options, control: socket.socket, inbox: SignalInbox, *, log: Log, watchdog_ns: int = 0
) -> int:
    """Run until told to stop; returns the exit status.

    `control` leads to the parent, which is told three times in `watchdog_ns` that all is well.
    """
    log.after_fork("Keepalived_vrrp")
    handler = attach(log)
    try:
        reader = ConfigReader(options)
        # While the reader reads.
        from fastvrrp.engine import Engine  # noqa: PLC0415
        from fastvrrp.reactor import Reactor  # noqa: PLC0415

        config = reader.result()
        _raise_file_limit(len(config.instances))
        reactor = Reactor()
        handler.use_loop(reactor)
        record = None if options.record is None else _unused(options.record)
        engine = Engine(
            config,
            threaded=True,
            realtime=True,
            loop=reactor,
            marks=options.vrrp_pid_file + ".replay",
            record=record,
        )
        _VrrpProcess(engine, reactor, control, inbox, watchdog_ns).run(config)
    except Exception as error:
        return _explain(error, control)
    finally:
        log.close()
    return 0


class _VrrpProcess:
    """The running engine and what the process around it does: signals, and signs of life."""

    def __init__(
        self,
        engine: Engine,
        reactor: Reactor,
        control: socket.socket,
        inbox: SignalInbox,
        watchdog_ns: int,
    ) -> None:
        self._engine = engine
        self._reactor = reactor
        self._control = control
        self._inbox = inbox
        self._alive_every_s = watchdog_ns / 3e9
        self._stopping = False
        self._told = -1

    def run(self, config: Config) -> None:
        """Run the engine until a signal asks to stop."""
        for diagnostic in config.diagnostics:
            is_note = diagnostic.severity is Severity.NOTE
            logger.log(logging.DEBUG if is_note else logging.WARNING, "%s", diagnostic)
        self._reactor.add_reader(self._inbox.fileno(), self._on_signal)
        self._engine.start()
        try:
            gc.collect()
            gc.freeze()  # what the start made stays: later collections need not look at it
            self._tell_removals()
            _tell(self._control, READY)
            if self._alive_every_s:
                self._say_alive()
            while not self._stopping:
                self._reactor.run_once(None)
                self._tell_removals()
        finally:
            self._engine.stop()
        _log_end()

    def _tell_removals(self) -> None:
        """Keep the parent able to remove our addresses, should this process die with them."""
        if self._engine.generation == self._told:
            return
        self._told = self._engine.generation
        undos = self._engine.undos()
        removals = (one.request for one in reversed(undos) if isinstance(one, RouteUndo))
        for message in (REMOVALS, *(REMOVAL + request for request in removals)):
            self._control.send(message)

    def _on_signal(self) -> None:
        for number in self._inbox.read():
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stopping = True
            elif number == signal.SIGHUP or number in DUMPS:
                logger.warning("signal %d: send it to the parent process", number)

    def _say_alive(self) -> None:
        self._engine.snapshot()  # needs the core's lock, which a stuck hot thread keeps
        _tell(self._control, ALIVE)
        self._reactor.call_later(self._alive_every_s, self._say_alive)


def _unused(path: str) -> str:
    """Return `path`, or with a number behind it when an earlier VRRP process has recorded there:
    a respawn must not fail for that."""
    names = (f"{path}.{number}" if number else path for number in count())
    unused = next(name for name in names if not os.path.lexists(name))
    logger.info("recording to %s", unused)
    return unused


def _raise_file_limit(instances: int) -> None:
    """Have room for the sockets of so many instances, as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES + _FILES_PER_INSTANCE * instances
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _explain(error: Exception, control: socket.socket) -> int:
    """Log why the process ends, tell the parent in one line, return the exit status."""
    if isinstance(error, ConfigError):
        for diagnostic in error.diagnostics:
            logger.error("%s", diagnostic)
        reason, status = f"{error}\nnothing was started", EXIT_CONFIG
    elif _is_permission(error):
        logger.error("%s", error)
        reason = f"{error}: run as root, or with the capabilities NET_ADMIN and NET_RAW"
        status = EXIT_MISSING_PERMISSION
    elif isinstance(error, KernelError):
        logger.error("%s", error)
        hint = ": raise LimitNOFILE= of the unit (ulimit -n)" if error.errno == errno.EMFILE else ""
        reason, status = f"{error}{hint}", EXIT_FATAL
    elif isinstance(error, FastVrrpError):
        logger.error("%s", error)
        reason, status = f"{error}\nnothing was started", EXIT_CONFIG
    else:
        logger.critical("the VRRP process fails", exc_info=error)
        reason, status = f"{type(error).__name__}: {error}", EXIT_PROGRAM_ERROR
    _tell(control, FAILED + reason.encode(errors="replace")[:4000])
    return status


def _is_permission(error: Exception) -> bool:
    return isinstance(error, KernelError | OSError) and error.errno in (errno.EPERM, errno.EACCES)


def _tell(control: socket.socket, message: bytes) -> None:
    """Send a packet to the parent; a parent that is gone or busy needs none."""
    with contextlib.suppress(OSError):
        control.send(message, socket.MSG_DONTWAIT)


def _log_end() -> None:
    t = os.times()
    logger.info(
        "Stopped - used (self/children) %.6f/%.6f user time, %.6f/%.6f system time",
        t.user,
        t.children_user,
        t.system,
        t.children_system,
    )
    logger.info("Stopped %s", KEEPALIVED)
