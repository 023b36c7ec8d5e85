"""Process 1 of a lab host: does inside the host's namespaces what the lab asks for over a socket.

Run as `python -IS init.py NAME CONTROL_FD [KEPT_DIRECTORY...]`. Standard library only.

Laws: one request, one answer. When the control socket closes, for whatever reason, this process
exits, and with it the kernel ends every process, mount and interface of the host.
"""

import ctypes
import errno
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

MAX_REQUEST = 1 << 17
MAX_DESCRIPTORS = 8
PRIVATE = ("/run", "/tmp")  # directories that every host has to itself
MS_BIND, MS_REC = 0x1000, 0x4000

Answer = tuple[object, list[int]]


def mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    """mount(2); raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {kind} on {target}")


def make_private(kept: Sequence[str]) -> None:
    """Give the host its own empty /run and /tmp, in which the `kept` directories stay visible."""
    hidden = [path for path in kept if path.startswith(tuple(f"{top}/" for top in PRIVATE))]
    handles = [(path, os.open(path, os.O_PATH)) for path in hidden]
    for top in PRIVATE:
        mount("tmpfs", top, "tmpfs", 0, "mode=1777")
    for path, handle in handles:
        os.makedirs(path, exist_ok=True)  # .venv comes with the directory that it lies in
        mount(f"/proc/self/fd/{handle}", path, "", MS_BIND | MS_REC, "")
        os.close(handle)


class Init:
    """Serves one control socket and reaps every child, adopted ones included."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._status_pipes: dict[int, int] = {}  # pid -> where its exit code goes
        self._verbs: dict[str, Callable[..., Answer]] = {
            "spawn": self._spawn,
            "signal": self._signal,
            "socket": self._socket,
            "write": self._write,
            "namespace": self._namespace,
        }
        self._wakeup, wakeup = socket.socketpair()
        self._wakeup.setblocking(False)
        wakeup.setblocking(False)
        self._wakeup_writer = wakeup
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Answer requests until the control socket is closed."""
        self._control.send(b"ready")
        while True:
            ready, _, _ = select.select([self._control, self._wakeup], [], [])
            if self._wakeup in ready:
                self._wakeup.recv(4096)
                self._reap()
            if self._control in ready and not self._answer():
                return

    def _answer(self) -> bool:
        request, descriptors, _, _ = socket.recv_fds(
            self._control, MAX_REQUEST, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
        if not request:
            return False
        arguments: dict[str, Any] = json.loads(request)
        answer: dict[str, object]
        passed: list[int] = []
        try:
            value, passed = self._verbs[arguments.pop("verb")](descriptors, **arguments)
            answer = {"value": value}
        except OSError as error:
            answer = {"errno": error.errno, "error": error.strerror, "file": error.filename}
        socket.send_fds(self._control, [json.dumps(answer).encode()], passed)
        for descriptor in (*descriptors, *passed):
            os.close(descriptor)
        return True

    def _spawn(self, descriptors: list[int], *, argv: list[str], env: dict[str, str]) -> Answer:
        """Start a program in its own session; descriptors: status pipe, then 0, 1, 2, 3…"""
        status_pipe, *inherited = descriptors
        pid = os.posix_spawnp(
            argv[0],
            argv,
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate(inherited)],
            setsid=True,
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
        )
        self._status_pipes[pid] = os.dup(status_pipe)
        return pid, []

    def _signal(self, _: list[int], *, pid: int, number: int) -> Answer:
        """Signal a program that has not been reaped yet, or with pid -1 all but this process."""
        if pid != -1 and pid not in self._status_pipes:
            raise ProcessLookupError(errno.ESRCH, f"process {pid} has ended")
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            if pid != -1:
                raise
        return None, []

    def _socket(self, _: list[int], *, family: int, kind: int, protocol: int) -> Answer:
        return None, [socket.socket(family, kind, protocol).detach()]

    def _write(self, _: list[int], *, path: str, text: str) -> Answer:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return None, []

    def _namespace(self, _: list[int]) -> Answer:
        return None, [os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)]

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            pipe = self._status_pipes.pop(pid, None)
            if pipe is not None:  # else an orphan that was adopted
                os.write(pipe, b"%d" % os.waitstatus_to_exitcode(status))
                os.close(pipe)


def main(name: str, control: str, *kept: str) -> None:
    """Set the host up and serve the lab."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.set_inheritable(int(control), False)
    socket.sethostname(name)
    make_private(kept)
    Init(socket.socket(fileno=int(control))).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
