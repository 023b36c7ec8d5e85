"""Which account a program runs as, and the environment it finds."""

import grp
import os
import pwd
from dataclasses import dataclass

from fastvrrp.errors import FastVrrpError

__all__ = ["PATH", "Account", "AccountError", "Credentials", "environment", "resolve"]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The search path of every program, and of command names without a slash."""

DEFAULT_USER = "keepalived_script"
"""The account of scripts for which nothing is configured, if it exists."""


class AccountError(FastVrrpError):
    """A user or group of the configuration does not exist; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """User, group and supplementary groups, as the kernel knows them."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who a program runs as. `name` and `home` are for its environment and for messages."""

    name: str
    home: str
    credentials: Credentials

    def to_switch(self) -> Credentials | None:
        """Return what a child must change to; None when this process runs as that account already.

        Then nothing is changed, because an unprivileged process, or root of a user namespace
        without setgroups, would be refused even what it has.
        """
        same = (os.geteuid(), os.getegid()) == (self.credentials.uid, self.credentials.gid)
        return None if same else self.credentials


def resolve(user: str | None, group: str | None = None) -> Account:
    """Return the account `user`:`group`; reads the system's account databases.

    `group` None is the user's own. `user` None is `keepalived_script` where that account exists,
    else this process's own user (as keepalived). Raises AccountError.
    """
    if user is None:
        return _default()
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise AccountError(
            f'user "{user}" does not exist',
            f"create it (useradd --system --shell /usr/sbin/nologin {user}) or name another;"
            " arguments of a script belong inside its quotes",
        ) from None
    return _account(entry, entry.pw_gid if group is None else _group(group))


def environment(account: Account) -> dict[str, str]:
    """Return the environment of a program of `account`.

    Nothing is inherited: what a service manager or a login shell happened to set neither helps nor
    harms a script. keepalived: passes its own environment on.
    """
    return {
        "PATH": PATH,
        "LANG": "C",
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
    }


def _default() -> Account:
    try:
        entry = pwd.getpwnam(DEFAULT_USER)
    except KeyError:
        return _own()
    return _account(entry, entry.pw_gid)


def _own() -> Account:
    uid, gid = os.geteuid(), os.getegid()
    credentials = Credentials(uid=uid, gid=gid, groups=tuple(os.getgroups()))
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # a container with an arbitrary user id
        return Account(name=str(uid), home="/", credentials=credentials)
    return Account(name=entry.pw_name, home=entry.pw_dir, credentials=credentials)


def _account(entry: pwd.struct_passwd, gid: int) -> Account:
    groups = tuple(os.getgrouplist(entry.pw_name, gid))
    credentials = Credentials(uid=entry.pw_uid, gid=gid, groups=groups)
    return Account(name=entry.pw_name, home=entry.pw_dir, credentials=credentials)


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise AccountError(
            f'group "{name}" does not exist',
            f"create it (groupadd --system {name}) or leave it out to use the user's own group",
        ) from None
