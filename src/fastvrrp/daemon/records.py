"""Connects the `logging` module to the daemon's `Log`, for the processes that run the engine."""

from __future__ import annotations

import logging

from fastvrrp.daemon.log import DEBUG, ERR, INFO, WARNING, Log

__all__ = ["LogHandler", "attach"]

RETRY_S = 0.5
"""How long a queued line waits for another try when nothing else is logged."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvrrp.reactor import Loop


class LogHandler(logging.Handler):
    """Writes records to a `Log`; retries queued lines on the loop given to `use_loop`."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log
        self._loop: Loop | None = None
        self._retrying = False

    def use_loop(self, loop: Loop) -> None:
        """Flush queued lines from `loop`'s timers."""
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a faulty one as it stands, never to stderr, which may block."""
        try:
            text = self.format(record)
        except Exception as error:
            text = f"{record.msg!r} (its arguments do not fit: {error})"
        self._log.write(_severity(record.levelno), text)
        self._retry_later()

    def _retry_later(self) -> None:
        if self._log.pending and self._loop is not None and not self._retrying:
            self._retrying = True
            self._loop.call_later(RETRY_S, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        self._log.flush()
        self._retry_later()


def _severity(level: int) -> int:
    if level >= logging.ERROR:
        return ERR
    if level >= logging.WARNING:
        return WARNING
    return INFO if level >= logging.INFO else DEBUG


def attach(log: Log) -> LogHandler:
    """Send the records of `fastvrrp`, and the warnings of everyone else, to `log`."""
    handler = LogHandler(log)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("fastvrrp").setLevel(logging.DEBUG if log.detail else logging.INFO)
    return handler
