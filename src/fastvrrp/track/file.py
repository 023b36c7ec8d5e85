"""`track_file`: a number in a file, which is added to the priority.

The directory is watched, since a file may be written in place, replaced by a rename or removed.
Symbolic links are followed: whoever may write the link could write the number as well, and what it
leads to is only read. To read never waits: only regular files are opened, and no more than a few
bytes are taken, and not where a file system can keep everybody waiting (`mounts`). Nothing is ever
written through a link.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
from typing import TYPE_CHECKING

from fastvrrp import inotify
from fastvrrp.track.base import Contribution, strength
from fastvrrp.track.mounts import waits_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import TrackFile, TrackUse
    from fastvrrp.reactor import Handle, Loop
    from fastvrrp.track.base import Tracker

__all__ = ["FileTracker", "NoRegularFile", "create_file", "number_in"]

log = logging.getLogger("fastvrrp.track")

_LOOK_AGAIN_S = 1.0
_READ_SIZE = 128  # bytes; the number stands at the beginning
_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_MAX_VALUE = 2**31 - 1
_LEAST, _MOST = -254, 253  # what a file can add; the least is a fault
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE_ONLY = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW


class FileTracker:
    """One `track_file` while it is tracked; `on_change(self)` is called when the number changed.

    Where the directory cannot be watched (it does not exist, too much is watched already), for what
    lies behind symbolic links, and after a failure to read, it looks once a second. A relative path
    starts at `/`, the working directory of a daemon. `usable` False: the file must not be looked
    at, which the log says; who uses it must then do as if it were not configured. `creates` False,
    for a reload: no file is made or overwritten.
    """

    kind = "file"

    def __init__(
        self,
        config: TrackFile,
        *,
        loop: Loop,
        on_change: Callable[[FileTracker], object],
        creates: bool = True,
    ) -> None:
        self.config = config
        self.value: int | None = None
        self._loop = loop
        self._on_change = on_change
        self._creates = creates
        self._path = os.path.abspath(os.path.join("/", config.path))
        self._real = self._path
        self._name = os.fsencode(os.path.basename(self._path))
        self._complaints: set[str] = set()
        self._fd = -1
        self._watches: set[int] = set()
        self._is_watched = False
        self._is_unread = False
        self._timer: Handle | None = None
        kind = waits_on(self._path)
        self.usable = kind is None
        if kind is not None:
            self._complain(f"it is not tracked: to look at it can take for ever on {kind}")

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.config.name

    def start(self) -> None:
        """Create the file if the configuration says so, read it, and follow it from now on."""
        if self.config.init is not None and self._creates:
            try:
                create_file(self._path, self.config.init, overwrite=self.config.overwrite)
            except OSError as error:
                self._complain(f"it cannot be created: {error.strerror}")
        try:
            self._fd = inotify.create()
        except OSError as error:
            self._complain(f"{error.strerror}; it is looked at once a second")
        else:
            self._loop.add_reader(self._fd, self._on_events)
        self._follow()
        self._look()

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None:
        """End; `on_stopped` is called at once. May be repeated."""
        self._disarm()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        if on_stopped is not None:
            on_stopped()

    def become(self, fresh: Tracker) -> bool:
        """Go on if it is the same path, see `Tracker.become`."""
        if not isinstance(fresh, FileTracker) or fresh._path != self._path:
            return False
        self.config = fresh.config
        return True

    def contribution(self, use: TrackUse) -> Contribution:
        """Return what the number does to a virtual router: it is multiplied by the weight and
        added, and -254 is a fault; without a weight any number but 0 is, `reverse`: 0 is."""
        weight, reverse = strength(use, self.config.weight, reverse=self.config.reverse)
        if self.value is None:
            return Contribution(pending=weight == 0)
        words = f"tracked file {self.name} has status {self.value}"
        if weight == 0:
            return Contribution(fault=words if (self.value != 0) is not reverse else None)
        added = self.value * (-weight if reverse else weight)
        added = min(max(added, _LEAST), _MOST)
        return Contribution(fault=words) if added == _LEAST else Contribution(weight=added)

    def _on_events(self) -> None:
        names, is_lost = inotify.read(self._fd)
        if is_lost or self._name in names or self._real != self._path:
            self._follow()  # it may have become a link, or lead elsewhere
            self._look()

    def _follow(self) -> None:
        """Watch the directories of the file and of what it is a link to."""
        self._real = os.path.realpath(self._path)
        kept: set[int] = set()
        self._is_watched = self._fd >= 0
        for path in (self._path, self._real) if self._fd >= 0 else ():
            try:
                kept.add(inotify.watch(self._fd, os.fsencode(os.path.dirname(path))))
            except OSError as error:
                self._is_watched = False
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    self._complain(f"{error.strerror}; it is looked at once a second")
        for left in self._watches - kept:
            inotify.forget(self._fd, left)
        self._watches = kept
        self._disarm()
        if not self._is_watched or self._real != self._path:
            self._arm()

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(_LOOK_AGAIN_S, self._look_again)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_again(self) -> None:
        self._timer = None
        is_followed = self._is_watched and os.path.realpath(self._path) == self._real
        if is_followed and not self._is_unread:
            self._arm()
        else:
            self._follow()
            self._look()

    def _look(self) -> None:
        self._is_unread = False
        try:
            value = number_in(self._path)
        except NoRegularFile as error:
            self._complain(f"{error.strerror}; it counts as empty")
            value = 0
        except OSError as error:
            value = 0
            if error.errno not in _MISSING:
                value = self._value_of_unread(error)
        if value == self.value:
            return
        self.value = value
        log.debug("track_file %s is %d", self.name, value)
        self._on_change(self)

    def _value_of_unread(self, error: OSError) -> int:
        """Return what counts while the file cannot be read, and try again soon."""
        self._is_unread = True
        self._arm()
        if self.value is None:
            self._complain(f"{error.strerror}; it counts as 0 until it can be read")
            return 0
        self._complain(f"{error.strerror}; its last number counts until it can be read")
        return self.value

    def _complain(self, text: str) -> None:
        """Log what is wrong with the file, each thing once."""
        if text not in self._complaints:
            log.warning("track_file %s: %s: %s", self.name, self._path, text)
        self._complaints.add(text)


class NoRegularFile(OSError):
    """What is there is no regular file."""


def number_in(path: str) -> int:
    """Return the number that a file begins with, as strtol(3) reads it: decimal, 0x…, or 0….

    No number is 0; larger ones than 32 bits hold are limited. Raises OSError, NoRegularFile for
    what is none, which is not opened.
    """
    _require_regular(os.stat(path))
    fd = os.open(path, _READ_ONLY)
    try:
        _require_regular(os.fstat(fd))  # it may have been replaced since
        data = os.read(fd, _READ_SIZE)
    finally:
        os.close(fd)
    match = _NUMBER.match(data)
    if match is None:
        return 0
    sign, digits = match[1], match[2]
    base = 16 if digits[:2] in (b"0x", b"0X") else 8 if digits[:1] == b"0" else 10
    value = int(digits, base)
    return max(min(-value if sign == b"-" else value, _MAX_VALUE), -_MAX_VALUE)


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NoRegularFile(errno.EINVAL, "it is no regular file")


def create_file(path: str, value: int, *, overwrite: bool) -> None:
    """Write `value` into a new file; `overwrite`: into one that exists as well, if it is regular.

    A symbolic link is not followed: who may write to its directory could let it point to any file
    of this machine. Raises OSError.
    """
    flags = _WRITE_ONLY | os.O_CREAT | (0 if overwrite else os.O_EXCL)
    try:
        fd = os.open(path, flags, 0o644)
    except FileExistsError:
        return
    try:
        _require_regular(os.fstat(fd))
        os.ftruncate(fd, 0)
        os.write(fd, b"%d\n" % value)
    finally:
        os.close(fd)
