"""Whether a command is safe to run: every element of its path is looked at, as the kernel walks it.

A program that runs as root must not be replaceable by anybody else: each directory, symbolic link
and file on the way to it belongs to root and is writable by root alone. keepalived refuses any
symlinked directory, and with it `/bin/true` where /bin is a link to usr/bin; here a link of root's
is as good as a directory of root's, because both its own place and its target are checked.

Between check and execve() only root could swap something that passed. Executing the checked file
by its descriptor would close that gap too, but a script would then see /dev/fd/N as its name.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from fastvrrp.children.accounts import PATH, Account, AccountError, Credentials, resolve
from fastvrrp.errors import FastVrrpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastvrrp.config.model import Command, GlobalConfig

__all__ = ["Checked", "Problem", "Program", "Severity", "check"]

MAX_LINKS = 40  # the kernel's limit (path_resolution(7))
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Severity(Enum):
    """Whether a problem keeps the command from being run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a command, and the way to mend it."""

    severity: Severity
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One directory, symbolic link or file on the way to a program, as it was when checked."""

    path: str
    device: int
    inode: int
    mode: int
    uid: int
    gid: int

    def unchanged(self) -> bool:
        """Tell whether it is still the same, with the same owner and mode."""
        try:
            return _element(self.path) == self
        except OSError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A checked command: `path` is absolute and free of symbolic links."""

    path: str
    argv: tuple[str, ...]
    account: Account
    elements: tuple[Element, ...]

    def unchanged(self) -> bool:
        """Tell whether the check still holds; some microseconds, for use before every run."""
        return all(element.unchanged() for element in self.elements)

    def does_as(self, other: Program) -> bool:
        """Tell whether `other` is the same file with the same arguments and account."""
        mine, its = self.account.credentials, other.account.credentials
        return (self.path, self.argv, mine) == (other.path, other.argv, its)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result of `check`: `program` is None when a problem is an error."""

    program: Program | None
    problems: tuple[Problem, ...]


class _Refused(FastVrrpError):
    """Ends a check; carries its last problem."""

    def __init__(self, message: str, hint: str) -> None:
        self.problem = Problem(severity=Severity.ERROR, message=message, hint=hint)
        super().__init__(message)


def check(command: Command, global_defs: GlobalConfig) -> Checked:
    """Resolve the account and the path of `command` and look for reasons not to run it.

    Problems of ownership and mode are errors with `enable_script_security`, else warnings.
    Reads accounts and file metadata. Thread: cold.
    """
    problems: list[Problem] = []
    try:
        program = _check(command, global_defs, problems)
    except _Refused as refusal:
        problems.append(refusal.problem)
        program = None
    except AccountError as error:
        problems.append(Problem(severity=Severity.ERROR, message=str(error), hint=error.hint))
        program = None
    except OSError as error:
        message = f"{command.argv[0]} cannot be run: {error.filename}: {error.strerror}"
        hint = "correct the path, or install the script"
        problems.append(Problem(severity=Severity.ERROR, message=message, hint=hint))
        program = None
    if any(problem.severity is Severity.ERROR for problem in problems):
        program = None
    return Checked(program=program, problems=tuple(problems))


def _check(command: Command, global_defs: GlobalConfig, problems: list[Problem]) -> Program:
    if command.user is None:
        account = resolve(global_defs.script_user, global_defs.script_group)
    else:
        account = resolve(command.user, command.group)
    argv = _without_builtin(command.argv)
    elements = _walk(_locate(argv[0], problems))
    target = elements[-1]
    _require_executable(elements, account)
    if _runs_privileged(account.credentials, target):
        severity = Severity.ERROR if global_defs.enable_script_security else Severity.WARNING
        problems.extend(_replaceable(elements, severity))
    return Program(path=target.path, argv=argv, account=account, elements=tuple(elements))


def _without_builtin(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return `argv` with keepalived's builtin `</path`, "is this file readable", as a program."""
    if not argv[0].startswith("<"):
        return argv
    return ("/usr/bin/test", "-r", *filter(None, (argv[0][1:], *argv[1:])))


def _locate(word: str, problems: list[Problem]) -> str:
    """Return the absolute path meant by the first word of a command."""
    if word.startswith("/"):
        return word
    if "/" in word:
        raise _Refused(f"{word} is a relative path", "write the full path")
    candidates = (f"{directory}/{word}" for directory in PATH.split(":"))
    found = next((path for path in candidates if os.access(path, os.X_OK)), None)
    if found is None:
        raise _Refused(f"there is no program {word} in {PATH}", "write the full path")
    message = f"{word} has no path, {found} is used"
    problems.append(
        Problem(severity=Severity.WARNING, message=message, hint=f"write {found} instead")
    )
    return found


def _element(path: str) -> Element:
    found = os.lstat(path)
    return Element(
        path=path,
        device=found.st_dev,
        inode=found.st_ino,
        mode=found.st_mode,
        uid=found.st_uid,
        gid=found.st_gid,
    )


def _walk(path: str) -> list[Element]:
    """Return everything that the kernel passes on the way to `path`, the program itself last."""
    elements = [_element("/")]
    to_do = path.split("/")[::-1]
    at = "/"
    links = 0
    while to_do:
        name = to_do.pop()
        if name in {"", "."}:
            continue
        if name == "..":
            at = os.path.dirname(at)
            continue
        element = _element(os.path.join(at, name))
        elements.append(element)
        if not stat.S_ISLNK(element.mode):
            at = element.path
            continue
        links += 1
        if links > MAX_LINKS:
            raise _Refused(f"{path}: too many symbolic links", f"look at {element.path}")
        target = os.readlink(element.path)
        at = "/" if target.startswith("/") else at
        to_do += target.split("/")[::-1]
    if elements[-1].path != at:  # the path ended in `..`
        elements.append(_element(at))
    return elements


def _require_executable(elements: list[Element], account: Account) -> None:
    target = elements[-1]
    if not stat.S_ISREG(target.mode):
        raise _Refused(f"{target.path} is not a file", "name the program itself")
    if not target.mode & 0o111:
        raise _Refused(f"{target.path} is not executable", f"chmod a+x {target.path}")
    for element in elements:
        if not stat.S_ISLNK(element.mode) and not _may_execute(element, account.credentials):
            raise _Refused(
                f"{_described(element)} may not be {_verb(element)} by user {account.name}",
                f"chmod a+x {element.path}, or let it run as another user",
            )


def _may_execute(element: Element, who: Credentials) -> bool:
    """Tell whether the mode, or perhaps an access control list, lets `who` execute or search."""
    if who.uid == 0:
        return True
    if element.uid == who.uid:
        allowed = stat.S_IXUSR
    elif element.gid == who.gid or element.gid in who.groups:
        allowed = stat.S_IXGRP
    else:
        allowed = stat.S_IXOTH
    return bool(element.mode & allowed) or _has_acl(element.path)


def _has_acl(path: str) -> bool:
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError:
        return False


def _runs_privileged(who: Credentials, target: Element) -> bool:
    as_root = who.uid == 0 or who.gid == 0
    set_uid = target.mode & stat.S_ISUID and target.uid == 0
    set_gid = target.mode & stat.S_ISGID and target.gid == 0
    return bool(as_root or set_uid or set_gid)


def _replaceable(elements: list[Element], severity: Severity) -> Iterator[Problem]:
    """Yield a problem for each element through which somebody else could put another program."""
    for element in elements:
        if element.uid != 0:
            yield Problem(
                severity=severity,
                message=f"{_described(element)} does not belong to root, but root would run it",
                hint=f"chown root {element.path}",
            )
        if element.mode & WRITABLE_BY_OTHERS and not _mode_is_harmless(element):
            yield Problem(
                severity=severity,
                message=f"{_described(element)} is writable by others, but root would run it",
                hint=f"chmod go-w {element.path}",
            )


def _mode_is_harmless(element: Element) -> bool:
    """Tell whether write bits give nothing: those of links, and of directories like /tmp."""
    sticky = stat.S_ISDIR(element.mode) and bool(element.mode & stat.S_ISVTX)
    return sticky or stat.S_ISLNK(element.mode)


def _described(element: Element) -> str:
    try:
        owner = pwd.getpwuid(element.uid).pw_name
    except KeyError:
        owner = str(element.uid)
    return f"{element.path} (owner {owner}, mode {stat.S_IMODE(element.mode):04o})"


def _verb(element: Element) -> str:
    return "searched" if stat.S_ISDIR(element.mode) else "executed"
