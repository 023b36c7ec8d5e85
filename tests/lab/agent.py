"""The lab's end of a host: requests to its init process, over one socket that also passes files."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from lab.environment import environment

INIT = Path(__file__).with_name("init.py")
ROOT = INIT.parents[2]
KEPT = sorted({str(ROOT), sys.prefix, sys.base_prefix})
START_TIMEOUT_S = 10.0
MAX_ANSWER = 1 << 16
NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc")

HELP = (
    "run as root, or allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 "
    "(Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04)"
)


class LabError(Exception):
    """The lab could not do what it was asked for."""


class LabUnavailableError(LabError):
    """This machine lets us create no namespaces; the text says what to do."""


def init_command(name: str, control: int, *, user_namespace: bool) -> list[str]:
    """The command that makes a host's namespaces and starts its init process in them."""
    user = ("--user", "--map-root-user") if user_namespace else ()
    python = (sys.executable, "-I", "-S", str(INIT))
    return ["unshare", *user, *NAMESPACES, *python, name, str(control), *KEPT]


class Agent:
    """A host's init process as seen from the lab; `close` ends the host and all that runs in it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    @classmethod
    def first(cls, name: str) -> tuple[Self, subprocess.Popen[bytes]]:
        """Start the lab's outermost host; raises LabUnavailableError with the reason and a hint."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = init_command(name, theirs.fileno(), user_namespace=os.geteuid() != 0)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                env=environment(),
                start_new_session=True,  # Ctrl-C is for the lab, which then ends the hosts
            )
        except OSError as error:
            ours.close()
            raise LabUnavailableError(
                f"cannot run unshare (package util-linux): {error}"
            ) from error
        finally:
            theirs.close()
        agent = cls(ours)
        if not agent.ready():
            agent.close()
            _, reason = process.communicate()
            text = reason.decode(errors="replace").strip()
            if text.startswith("unshare:"):
                raise LabUnavailableError(f"cannot create namespaces: {text}\n{HELP}")
            raise LabError(f"the init process of {name} did not start: {text}")
        return agent, process

    def nested(self, name: str) -> "Agent":
        """Start another host whose namespaces lie inside those of this one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        status, status_writer = os.pipe2(os.O_CLOEXEC)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.spawn(
                init_command(name, 3, user_namespace=False),
                environment(),
                [status_writer, null, null, 2, theirs.fileno()],
            )
        finally:
            theirs.close()
            for descriptor in (status, status_writer, null):
                os.close(descriptor)
        agent = Agent(ours)
        if not agent.ready():
            agent.close()
            raise LabError(f"the init process of {name} did not start")
        return agent

    def ready(self) -> bool:
        """Wait until the init process serves; False when it ended or did not come up in time."""
        readable, _, _ = select.select([self._control], [], [], START_TIMEOUT_S)
        return bool(readable) and self._control.recv(MAX_ANSWER) == b"ready"

    def spawn(self, argv: list[str], env: Mapping[str, str], descriptors: list[int]) -> int:
        """The pid of a new program; descriptors: pipe for its exit code, then its 0, 1, 2, 3…"""
        pid, _ = self._call("spawn", descriptors, argv=argv, env=dict(env))
        return int(pid)

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a program started here; -1 means every process of the host."""
        self._call("signal", pid=pid, number=int(number))

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket that lives in the host's network."""
        _, (descriptor,) = self._call("socket", family=family, kind=kind, protocol=protocol)
        return socket.socket(family, kind, protocol, fileno=descriptor)

    def write(self, path: str, text: str) -> None:
        """Write a file as the host sees it, in its private /run or /tmp or under /proc/sys."""
        self._call("write", path=path, text=text)

    def network_namespace(self) -> int:
        """A descriptor of the host's network namespace; the caller closes it."""
        _, (descriptor,) = self._call("namespace")
        return descriptor

    def close(self) -> None:
        """End the host: its init process sees the end of the socket and exits."""
        self._control.close()

    def _call(
        self, verb: str, descriptors: list[int] | None = None, **arguments: object
    ) -> tuple[Any, list[int]]:
        request = json.dumps({"verb": verb, **arguments}).encode()
        try:
            socket.send_fds(self._control, [request], descriptors or [])
            reply, passed, _, _ = socket.recv_fds(
                self._control, MAX_ANSWER, 1, socket.MSG_CMSG_CLOEXEC
            )
        except OSError as error:
            raise LabError(f"the host's init process is gone ({error})") from error
        if not reply:
            raise LabError("the host's init process is gone")
        answer = json.loads(reply)
        if "error" in answer:
            raise OSError(answer["errno"], answer["error"], answer["file"])
        return answer["value"], list(passed)
