"""The VRRP process: runs the engine on a reactor, with the configurations that its parent gives it,
and stops on SIGTERM."""

from __future__ import annotations

import errno
import gc
import logging
import os
import select
import signal
import socket
from itertools import count

from fastvrrp.config.diagnostics import Severity
from fastvrrp.daemon.control import (
    ALIVE,
    CONFIG,
    FAILED,
    READY,
    REFUSED,
    SETTLED,
    TAKEN,
    UNREAD,
    receive,
    send,
)
from fastvrrp.daemon.limits import allow_files
from fastvrrp.daemon.log import Log
from fastvrrp.daemon.reader import load
from fastvrrp.daemon.records import attach
from fastvrrp.daemon.reloading import check
from fastvrrp.daemon.signals import DUMPS, SignalInbox
from fastvrrp.daemon.supervisor import EXIT_FATAL, EXIT_PROGRAM_ERROR
from fastvrrp.daemon.testament import Testament
from fastvrrp.daemon.version import KEEPALIVED
from fastvrrp.errors import ConfigError, FastVrrpError, KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvrrp.config.model import Config
    from fastvrrp.daemon.options import Options
    from fastvrrp.engine import Engine
    from fastvrrp.reactor import Reactor

__all__ = ["main"]

EXIT_CONFIG = 2
EXIT_MISSING_PERMISSION = 4

_FILES_PER_INSTANCE = 4
"""At most: sockets, scripts."""

_RETRY_S = 0.1

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
        # While the configuration is being read.
        from fastvrrp.engine import Engine  # noqa: PLC0415
        from fastvrrp.reactor import Reactor  # noqa: PLC0415

        config = _first_configuration(control, inbox)
        if config is None:
            return 0
        allow_files(_FILES_PER_INSTANCE * len(config.instances))
        reactor = Reactor()
        handler.use_loop(reactor)
        record = None if options.record is None else _unused(options.record)
        engine = Engine(
            config,
            threaded=True,
            realtime=True,
            loop=reactor,
            marks=options.vrrp_pid_file + ".replay",
            journal=options.vrrp_pid_file + ".journal",
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
        self._testament = Testament(engine, control, reactor)

    def run(self, config: Config) -> None:
        """Run the engine until a signal asks to stop."""
        self._tell_diagnostics(config)
        self._reactor.add_reader(self._inbox.fileno(), self._on_signal)
        self._engine.start()
        try:
            _collect()
            self._testament.update()
            self._reactor.add_reader(self._control.fileno(), self._on_message)
            self._answer(READY)
            if self._alive_every_s:
                self._say_alive()
            while not self._stopping:
                self._reactor.run_once(None)
                self._testament.update()
        finally:
            self._engine.stop()
        send(self._control, SETTLED)
        _log_end()

    def _tell_diagnostics(self, config: Config) -> None:
        for diagnostic in config.diagnostics:
            is_note = diagnostic.severity is Severity.NOTE
            logger.log(logging.DEBUG if is_note else logging.WARNING, "%s", diagnostic)

    def _on_message(self) -> None:
        """Take what the parent says, which is always about a configuration."""
        while (received := receive(self._control)) is not None:
            message, fd = received
            if not message:
                self._reactor.remove_reader(self._control.fileno())  # its death is a signal
                return
            try:
                self._reload(_configuration(message, fd))
            except Exception as error:
                _log_error(error)
                self._answer(REFUSED)
            else:
                self._answer(TAKEN)

    def _answer(self, message: bytes) -> None:
        """Say it to the parent, which waits for it; again, while too much there is unread."""
        if not send(self._control, message):
            self._reactor.call_later(_RETRY_S, self._answer, message)

    def _reload(self, config: Config) -> None:
        """Run `config` from now on; changes nothing if it raises."""
        logger.info("Reloading")
        self._tell_diagnostics(config)
        check(self._engine.config, config)
        allow_files(_FILES_PER_INSTANCE * len(config.instances))
        self._engine.apply(config)
        _collect()

    def _on_signal(self) -> None:
        for number in self._inbox.read():
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stopping = True
            elif number == signal.SIGHUP or number in DUMPS:
                logger.warning("signal %d: send it to the parent process", number)

    def _say_alive(self) -> None:
        self._engine.snapshot()  # needs the core's lock, which a stuck hot thread keeps
        send(self._control, ALIVE)
        self._reactor.call_later(self._alive_every_s, self._say_alive)


def _first_configuration(control: socket.socket, inbox: SignalInbox) -> Config | None:
    """Wait for the configuration; None: a signal to stop came first."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(inbox.fileno(), select.POLLIN)
    while (received := receive(control)) is None:
        poll.poll()
        if {signal.SIGTERM, signal.SIGINT} & set(inbox.read()):
            return None
    return _configuration(*received) if received[0] else None


def _configuration(message: bytes, fd: int | None) -> Config:
    """Return what the parent has sent; raises ConfigError, FastVrrpError."""
    if message != CONFIG or fd is None:
        raise FastVrrpError(message.removeprefix(UNREAD).decode(errors="replace"))
    try:
        return load(fd)
    finally:
        os.close(fd)


def _collect() -> None:
    """Let what is there now stay out of later collections, and nothing else."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _unused(path: str) -> str:
    """Return `path`, or with a number behind it when an earlier VRRP process has recorded there:
    a respawn must not fail for that."""
    names = (f"{path}.{number}" if number else path for number in count())
    unused = next(name for name in names if not os.path.lexists(name))
    logger.info("recording to %s", unused)
    return unused


def _log_error(error: Exception) -> None:
    if isinstance(error, ConfigError):
        for diagnostic in error.diagnostics:
            logger.error("%s", diagnostic)
    elif isinstance(error, FastVrrpError) or _is_permission(error):
        logger.error("%s", error)
    else:
        logger.critical("this is a bug, please report it", exc_info=error)


def _explain(error: Exception, control: socket.socket) -> int:
    """Log why the process ends, tell the parent in one line, return the exit status."""
    _log_error(error)
    if _is_permission(error):
        reason = f"{error}: run as root, or with the capabilities NET_ADMIN and NET_RAW"
        status = EXIT_MISSING_PERMISSION
    elif isinstance(error, KernelError):
        hint = ": raise LimitNOFILE= of the unit (ulimit -n)" if error.errno == errno.EMFILE else ""
        reason, status = f"{error}{hint}", EXIT_FATAL
    elif isinstance(error, FastVrrpError):
        reason, status = f"{error}\nnothing was started", EXIT_CONFIG
    else:
        reason, status = f"{type(error).__name__}: {error}", EXIT_PROGRAM_ERROR
    send(control, FAILED + reason.encode(errors="replace")[:4000])
    return status


def _is_permission(error: Exception) -> bool:
    return isinstance(error, KernelError | OSError) and error.errno in (errno.EPERM, errno.EACCES)


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
