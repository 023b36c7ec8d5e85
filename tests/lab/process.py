"""Programs on a host: run to the end, or kept running with their output as events."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from lab.agent import Agent, LabError
from lab.environment import environment
from lab.events import Event, Exited, LogLine

READ_SIZE = 1 << 16


class Source(Protocol):
    """Anything the lab waits on; `drain` is called when `fileno` is readable."""

    finished: bool  # nothing more will come: the lab closes the source

    def fileno(self) -> int: ...

    def drain(self) -> list[Event]: ...

    def close(self) -> None: ...


class Pipe:
    """The reading end of a pipe; `finished` at its end."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reader, False)
        self.finished = False

    def fileno(self) -> int:
        return self._reader

    def read(self) -> bytes:
        """All that waits."""
        received = b""
        while not self.finished:
            try:
                data = os.read(self._reader, READ_SIZE)
            except BlockingIOError:
                break
            self.finished = not data
            received += data
        return received

    def release_writer(self) -> None:
        """Close our copy of the writing end, so that the pipe ends with its last program."""
        os.close(self.writer)

    def close(self) -> None:
        os.close(self._reader)


class Output(Pipe):
    """What a program writes, as one LogLine per line."""

    def __init__(self, host: str, process: str) -> None:
        super().__init__()
        self._host, self._process = host, process
        self._partial = b""
        self.lines: list[str] = []

    def drain(self) -> list[Event]:
        """The complete lines that wait."""
        *complete, self._partial = (self._partial + self.read()).split(b"\n")
        now = time.monotonic_ns()
        texts = [line.decode("utf-8", "replace") for line in complete]
        self.lines += texts
        return [
            LogLine(at=now, host=self._host, process=self._process, text=text) for text in texts
        ]


class Status(Pipe):
    """The exit code of a program, as one Exited when it ends."""

    def __init__(self, host: str, process: str) -> None:
        super().__init__()
        self._host, self._process = host, process

    def drain(self) -> list[Event]:
        """The end of the program, if it has ended."""
        text = self.read()
        if not text:  # the host itself is gone
            return []
        now = time.monotonic_ns()
        return [Exited(at=now, host=self._host, process=self._process, status=int(text))]


class Process:
    """A program that runs on a host, as leader of its own session."""

    def __init__(
        self, agent: Agent, host: str, argv: Sequence[str], env: Mapping[str, str]
    ) -> None:
        self.name = os.path.basename(argv[0])
        self._agent = agent
        self.output = Output(host, self.name)
        self.exit = Status(host, self.name)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        writer = self.output.writer
        try:
            self.pid = agent.spawn(list(argv), env, [self.exit.writer, null, writer, writer])
        finally:
            os.close(null)
            self.output.release_writer()
            self.exit.release_writer()

    def signal(self, number: int) -> None:
        """Send a signal to the program, not to its children; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._agent.signal(self.pid, number)

    def terminate(self) -> None:
        """Ask the program to end."""
        self.signal(signal.SIGTERM)


class Node:
    """A set of namespaces in which programs run."""

    def __init__(self, agent: Agent, name: str) -> None:
        self.agent = agent
        self.name = name

    def run(
        self, *argv: str, stdin: str = "", timeout: float = 10, descriptors: Sequence[int] = ()
    ) -> str:
        """Run a program to its end and return what it printed.

        `descriptors` become its 3, 4, …; raises LabError when it fails or takes over `timeout` s.
        """
        files = [os.memfd_create(name, os.MFD_CLOEXEC) for name in ("stdin", "stdout", "stderr")]
        status = Status(self.name, argv[0])
        try:
            os.write(files[0], stdin.encode())
            os.lseek(files[0], 0, os.SEEK_SET)
            try:
                pid = self.agent.spawn(
                    list(argv), environment(), [status.writer, *files, *descriptors]
                )
            finally:
                status.release_writer()
            if not select.select([status], [], [], timeout)[0]:
                self.agent.signal(pid, signal.SIGKILL)
                raise LabError(f"{self.name}: {' '.join(argv)} took longer than {timeout} s")
            code = int(status.read() or -1)
            output, complaint = (
                os.pread(file, os.fstat(file).st_size, 0).decode("utf-8", "replace")
                for file in files[1:]
            )
            if code:
                command = " ".join(argv)
                raise LabError(f"{self.name}: {command} returned {code}: {complaint}{output}")
            return output
        finally:
            status.close()
            for file in files:
                os.close(file)

    def write(self, path: str, text: str) -> str:
        """Write a file as the host sees it (its /run and /tmp are private); returns the path."""
        self.agent.write(path, text)
        return path

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket in the host's network, used from the calling process."""
        return self.agent.socket(family, kind, protocol)

    def kill_everything(self) -> None:
        """kill -9 every process of the host except its init."""
        self.agent.signal(-1, signal.SIGKILL)
