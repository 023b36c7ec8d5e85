"""Where a look at a file can wait for ever: what is served over a network or by a program.

Nothing here looks at such a place: a path is followed one step at a time, and not into it.
"""

from __future__ import annotations

import os
import re

__all__ = ["waits_on"]

_MOUNTS = "/proc/self/mountinfo"
_REMOTE = re.compile(
    r"nfs|nfs4|cifs|smb3|smbfs|ncpfs|9p|afs|auristor|ceph|coda|lustre|gfs2|ocfs2|autofs|"
    r"fuse|fuseblk|fuse\..*"
)
_OCTAL = re.compile(r"\\([0-7]{3})")
_MAX_LINKS = 40  # the kernel follows no more


def waits_on(path: str) -> str | None:
    """Return the type of the file system on the way to an absolute `path` that can keep who looks
    there waiting, None if there is none or nobody knows.

    That of `/` does not count: where it does not answer, nothing does.
    """
    kinds = _mounted()
    place, links = "/", 0
    left = path.split("/")[::-1]
    while left and links <= _MAX_LINKS:
        step = os.path.normpath(os.path.join(place, left.pop()))
        if step != "/" and _REMOTE.fullmatch(kinds.get(step, "")):
            return kinds[step]
        target = _target(step)
        if target is None:
            place = step
            continue
        links += 1
        left += target.split("/")[::-1]
        if target.startswith("/"):
            place = "/"
    return None


def _mounted() -> dict[str, str]:
    """Return the type of what is mounted, by place; the last one lies on top."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            fields = [line.split(" ") for line in lines]
    except OSError:
        return {}
    return {_plain(one[4]): one[one.index("-") + 1] for one in fields if "-" in one}


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)


def _target(path: str) -> str | None:
    """Return where a link leads to, None for what is none."""
    try:
        return os.readlink(path)
    except OSError:
        return None
