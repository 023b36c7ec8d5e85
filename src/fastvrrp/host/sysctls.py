"""Kernel parameters that are not what they were, for as long as somebody needs that."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from fastvrrp.journal import SysctlUndo

__all__ = ["Sysctls"]

log = logging.getLogger("fastvrrp.host")


@dataclass(slots=True)
class _Changed:
    """A parameter in use; `was` came before `ours`."""

    was: str
    ours: str
    users: int


class Sysctls:
    """Parameters below `root`, each counted by its users. Thread: cold.

    A name is a path, "net/ipv4/conf/eth0/arp_ignore", because the name of an interface may have
    dots.
    """

    def __init__(self, root: Path = Path("/proc/sys")) -> None:
        self._root = root
        self._changed: dict[str, _Changed] = {}

    @property
    def undos(self) -> tuple[SysctlUndo, ...]:
        """How all of it is taken back when we cannot do it any more."""
        return tuple(
            SysctlUndo(name=name, was=one.was, ours=one.ours)
            for name, one in self._changed.items()
            if one.was != one.ours
        )

    def get(self, name: str) -> str | None:
        """Return the value of a parameter, None if there is none of this name."""
        try:
            return (self._root / name).read_text().strip()
        except OSError:
            return None

    def set(self, name: str, value: str) -> bool:
        """Let a parameter have `value` until `restore` was called as often.

        Returns False, and logs, when there is no such parameter or it does not keep the value:
        nothing is to be restored then.
        """
        now = self.get(name)
        if now is None:
            log.error("there is no kernel parameter %s", name)
            return False
        known = self._changed.get(name)
        if known is not None and now == known.ours:  # else it is that of a new interface
            known.users += 1
            return True
        if now != value and not self.write(name, value):
            return False
        users = 1 if known is None else known.users + 1
        self._changed[name] = _Changed(was=now, ours=value, users=users)
        return True

    def restore(self, name: str) -> None:
        """Let one user less need what `set` was called for; the last one gives it its old value
        back, unless somebody has changed it meanwhile."""
        known = self._changed.get(name)
        if known is None:
            return
        known.users -= 1
        if known.users > 0:
            return
        del self._changed[name]
        if known.was != known.ours and self.get(name) == known.ours:
            self.write(name, known.was)

    def close(self) -> None:
        """Restore all that is left; may be repeated."""
        for name, known in list(self._changed.items()):
            known.users = 1
            self.restore(name)

    def write(self, name: str, value: str) -> bool:
        """Set a parameter, for good, and read it back; log and return False when it is not `value`
        then."""
        if self.get(name) == value:
            return True
        try:
            (self._root / name).write_text(value)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            log.error("kernel parameter %s cannot be set to %s: %s", name, value, reason)
            return False
        if (now := self.get(name)) != value:
            log.error("kernel parameter %s is %s after it was set to %s", name, now, value)
            return False
        return True
