"""Files of ours in a directory of ours: written whole, believed only if nobody else may write."""

from __future__ import annotations

import contextlib
import os
import stat

__all__ = ["LARGEST", "read", "write"]

LARGEST = 16 << 20
"""Bytes of a file that is believed to be ours."""


def read(path: str) -> bytes | None:
    """Return what is in `path`, None if there is no such file; raises OSError, and ValueError for
    what is not ours: links, special files, other users' files, files that others may write to."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = os.open(path, flags)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
            raise ValueError("it is no regular file of ours")
        if about.st_mode & 0o022:
            raise ValueError("others may write to it")
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("it is too large")
    return data


def write(path: str, data: bytes) -> None:
    """Replace `path` by a file with `data`, mode 0600, in one step; raises OSError."""
    new = f"{path}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(new, flags, 0o600), "wb") as file:
            file.write(data)
        os.rename(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise
