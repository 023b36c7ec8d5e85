"""Waiting for events, for tests of what runs on a reactor: no sleep, but a limit."""

import os
from collections.abc import Callable
from pathlib import Path

from fastvrrp.reactor import Reactor

__all__ = ["Pipe", "Until", "until_on"]

LIMIT_S = 30.0  # a test that waits longer has failed

Until = Callable[[Callable[[], object]], None]
"""Runs the reactor until a condition holds."""


def until_on(reactor: Reactor) -> Until:
    def until(condition: Callable[[], object]) -> None:
        late: list[bool] = []
        alarm = reactor.call_later(LIMIT_S, late.append, True)
        while not condition():
            reactor.run_once(None)
            assert not late, "nothing happened"
        alarm.cancel()

    return until


class Pipe:
    """A named pipe into which programs under test write; `closed` when all that had it are gone."""

    def __init__(self, path: Path, reactor: Reactor) -> None:
        self.path = str(path)
        self.text = ""
        self.closed = False
        self._reactor = reactor
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        reactor.add_reader(self._fd, self._read)

    def _read(self) -> None:
        data = os.read(self._fd, 4096)
        self.text += data.decode()
        if not data:
            self.closed = True
            self.close()

    def close(self) -> None:
        if self._fd >= 0:
            self._reactor.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()
