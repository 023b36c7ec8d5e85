"""`Child`, one running program, and `Runner`, a command that is run again and again.

Laws: nothing here waits, everything happens on the loop. A process group is signalled only while
its leader is not yet collected, for until then nobody else can have its number. Only our own
children are ever waited for.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.children.accounts import environment
from fastvrrp.children.security import check
from fastvrrp.children.spawn import SpawnError, spawn
from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, seconds
from fastvrrp.errors import FastVrrpError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastvrrp.children.security import Problem, Program
    from fastvrrp.config.model import Command, GlobalConfig
    from fastvrrp.reactor import Handle, Loop

__all__ = ["PATIENCE", "Child", "Exit", "NotStarted", "Patience", "Runner"]

log = logging.getLogger("fastvrrp.children")

HINTS: dict[tuple[str, int | None], str] = {
    ("exec", errno.ENOEXEC): 'its first line must name the interpreter, for example "#!/bin/sh"',
    ("exec", errno.ENOENT): "it, or the interpreter named in its first line, does not exist",
    ("exec", errno.EACCES): "it is not executable, or its file system is mounted noexec",
    ("user", errno.EPERM): "changing the user needs root, or CAP_SETUID and CAP_SETGID",
    ("user", errno.EINVAL): "this user namespace does not know its user or group",
    ("fork", errno.EAGAIN): "raise the limit of processes (TasksMax=, LimitNPROC=)",
    ("pidfd_open", errno.EMFILE): "raise the limit of open files (LimitNOFILE=)",
    ("close_range", errno.ENOSYS): "Linux 5.9 or newer is needed",
}


class NotStarted(FastVrrpError):
    """A program could not be started; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a program ended: by its own `status` 0..255, or by a `signal`.

    Both None: somebody else collected the status, or the program could not be started.
    """

    status: int | None = None
    signal: int | None = None
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether it ended by itself, in time, with status 0."""
        return self.status == 0 and not self.timed_out

    def __str__(self) -> str:
        if self.signal is not None:
            return f"due to signal {self.signal}"
        if self.status is not None:
            return f"exited with status {self.status}"
        return "no exit status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a program that must end may take: from SIGTERM to SIGKILL, then between SIGKILLs."""

    term: Nanoseconds = seconds(2)
    kill: Nanoseconds = seconds(2)
    again: Nanoseconds = seconds(10)


PATIENCE = Patience()


class Child:
    """One running program; `on_exit` is called once, from the loop, when it has ended.

    Programs that it left behind live on after a normal end, and die with it after `terminate`,
    `kill` or a timeout. Thread: cold, and always the same: when it ends, so does the program.
    """

    @classmethod
    def start(
        cls,
        loop: Loop,
        program: Program,
        on_exit: Callable[[Exit], object],
        *,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: Nanoseconds | None = None,
        patience: Patience = PATIENCE,
    ) -> Child:
        """Start `program` with its own and then `arguments`, and `env` on top of the environment.

        After `timeout` it is terminated, which `Exit.timed_out` tells. Raises SpawnError.
        """
        pid, pidfd = spawn(
            [*program.argv, *arguments],
            path=program.path,
            env=environment(program.account) | dict(env or {}),
            credentials=program.account.to_switch(),
        )
        return cls(loop, pid, pidfd, on_exit, timeout=timeout, patience=patience)

    def __init__(
        self,
        loop: Loop,
        pid: int,
        pidfd: int,
        on_exit: Callable[[Exit], object],
        *,
        timeout: Nanoseconds | None,
        patience: Patience,
    ) -> None:
        self.pid = pid
        self.terminating = False
        self._loop = loop
        self._pidfd = pidfd
        self._on_exit = on_exit
        self._patience = patience
        self._timed_out = False
        self._timer: Handle | None = None
        loop.add_reader(pidfd, self._ended)
        if timeout is not None:
            self._after(timeout, self._expire)

    def terminate(self, grace: Nanoseconds | None = None) -> None:
        """Ask the whole group to end (SIGTERM), and make it (SIGKILL) after `grace`.

        `grace` None is `Patience.term`. A program that was asked before keeps its time.
        """
        if not self.terminating:
            self.terminating = True
            self._signal(signal.SIGTERM)
            grace = self._patience.term if grace is None else grace
            self._after(grace, self._kill, self._patience.kill)

    def kill(self) -> None:
        """End the whole group at once (SIGKILL)."""
        self.terminating = True
        self._kill(self._patience.kill)

    def abandon(self) -> None:
        """Stop watching: `on_exit` is not called, and nobody collects the status."""
        self._release()

    def _expire(self) -> None:
        self._timed_out = True
        self.terminate()

    def _kill(self, retry: Nanoseconds) -> None:
        self._signal(signal.SIGKILL)
        self._after(retry, self._kill_again)

    def _kill_again(self) -> None:
        log.warning(
            "process %d failed to terminate after kill; it waits in the kernel, look at"
            " /proc/%d/stack (often a file system that does not answer)",
            self.pid,
            self.pid,
        )
        self._kill(self._patience.again)

    def _ended(self) -> None:
        if self.terminating:
            self._signal(signal.SIGKILL)  # those of the group that outlived the leader
        try:
            result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            self._finish(Exit(timed_out=self._timed_out))
            log.error(
                "the exit status of process %d was collected by somebody else: this process ignores"
                " SIGCHLD, or waits for any child",
                self.pid,
            )
            return
        if result is None:  # woken without reason
            return
        if result.si_code == os.CLD_EXITED:
            self._finish(Exit(status=result.si_status, timed_out=self._timed_out))
        else:
            self._finish(Exit(signal=result.si_status, timed_out=self._timed_out))

    def _finish(self, how: Exit) -> None:
        self._release()
        self._on_exit(how)

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def _signal(self, number: signal.Signals) -> None:
        if self._pidfd < 0:
            return
        try:
            os.killpg(self.pid, number)
        except OSError as error:  # somebody else collected it, or it became another user's
            log.warning("cannot send %s to process %d: %s", number.name, self.pid, error.strerror)

    def _after(self, delay: Nanoseconds, callback: Callable[..., object], *args: object) -> None:
        """Let the one timer that a child has be this one."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay / NS_PER_SECOND, callback, *args)


class Runner:
    """A command that is run again and again: checked when made and, cheaply, before each run.

    `label` names it in messages. `usable` is False when it must not be run as it stands.
    """

    def __init__(self, command: Command, global_defs: GlobalConfig, *, label: str) -> None:
        self._command = command
        self._global_defs = global_defs
        self._label = label
        self._told: tuple[Problem, ...] = ()
        self._program = self._check()

    @property
    def usable(self) -> bool:
        """Tell whether the last check found a program that may be run."""
        return self._program is not None

    def runs_as(self, other: Runner) -> bool:
        """Tell whether `other` runs the same program with the same arguments and account, as far
        as both may be run."""
        mine, its = self._program, other._program
        return mine is not None and its is not None and mine.does_as(its)

    def start(
        self,
        loop: Loop,
        on_exit: Callable[[Exit], object],
        *,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: Nanoseconds | None = None,
        patience: Patience = PATIENCE,
    ) -> Child:
        """Start one run, see `Child.start`; raises NotStarted."""
        if self._program is None or not self._program.unchanged():
            self._program = self._check()
        if self._program is None:
            raise NotStarted(f"{self._label} is not run: {self._told[-1]}")
        try:
            return Child.start(
                loop,
                self._program,
                on_exit,
                arguments=arguments,
                env=env,
                timeout=timeout,
                patience=patience,
            )
        except SpawnError as error:
            raise NotStarted(_explained(self._label, self._program, error)) from error

    def _check(self) -> Program | None:
        """Check the command, and log what is wrong unless that was logged before."""
        checked = check(self._command, self._global_defs)
        for problem in checked.problems:
            if problem not in self._told:
                log.warning("%s: %s", self._label, problem)
        self._told = checked.problems
        return checked.program


def _explained(label: str, program: Program, error: SpawnError) -> str:
    hint = HINTS.get((error.step, error.errno), f"it failed at {error.step}")
    what = f"{program.path} as user {program.account.name}: {error.strerror}"
    return f"{label} is not run: {what} ({hint})"
