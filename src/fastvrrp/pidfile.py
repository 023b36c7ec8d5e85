"""Pid files: a lock that says "running", and a number for other programs to read.

The lock (of the open file description, as keepalived's) belongs to every process that shares the
descriptor, and goes with the last of them. The number is never read here: a stale or forged file
cannot mislead us.
"""

import contextlib
import fcntl
import os
import stat
import struct

__all__ = ["PidFile", "PidFileError", "PidFileLocked"]

_WRITE_LOCK = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
"""`struct flock` for the whole file; l_pid must be 0 for a lock of an open file description."""


class PidFileError(Exception):
    """The file cannot be used; the text says why and what to do."""


class PidFileLocked(PidFileError):
    """A live process holds the lock: the daemon runs already."""


class PidFile:
    """A locked pid file, mode 0644. Raises PidFileError when created.

    Links, hard links, other users' files and anything but regular files are refused: what root
    writes there would land in somebody else's file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = _open_locked(path)

    def write(self, pid: int) -> None:
        """Replace the content by `pid` and a newline; raises PidFileError."""
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % pid, 0)
        except OSError as error:
            raise PidFileError(f"pid file {self.path}: {error.strerror}") from None

    def clear(self) -> None:
        """Empty the file: nothing runs at the moment."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)

    def remove(self) -> None:
        """Unlink the file, if the path still leads to it, and release the lock."""
        with contextlib.suppress(OSError):
            if _same_file(os.stat(self.path, follow_symlinks=False), os.fstat(self._fd)):
                os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Give up this process's share of the lock; the file stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _open_locked(path: str) -> int:
    """Open and lock `path`, again if a stopping daemon removed it in between."""
    while True:
        fd = _open(path)
        try:
            _check(path, os.fstat(fd))
            _lock(path, fd)
            if _is_linked(path, fd):
                os.fchmod(fd, 0o644)
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        directory = os.path.dirname(path)
        raise PidFileError(f"pid file {path}: create the directory {directory} first") from None
    except OSError as error:
        hint = " (is it a symbolic link? remove it)" if os.path.islink(path) else ""
        raise PidFileError(f"pid file {path}: {error.strerror}{hint}") from None


def _check(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PidFileError(f"pid file {path} is not a regular file; remove it")
    if status.st_uid != os.geteuid():
        raise PidFileError(f"pid file {path} belongs to uid {status.st_uid}; remove it")
    if status.st_nlink > 1:
        raise PidFileError(f"pid file {path} has other hard links; remove it")


def _lock(path: str, fd: int) -> None:
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _WRITE_LOCK)
    except BlockingIOError:
        raise PidFileLocked(f"daemon is already running: it holds {path}") from None
    except OSError as error:
        raise PidFileError(f"pid file {path} cannot be locked: {error.strerror}") from None


def _is_linked(path: str, fd: int) -> bool:
    try:
        return _same_file(os.stat(path, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False


def _same_file(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
