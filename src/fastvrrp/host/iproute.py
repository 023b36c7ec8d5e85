"""Names of routing tables, protocols and the like, as this host's files for ip(8) define them."""

import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

from fastvrrp.config.model import GlobalConfig
from fastvrrp.host.holding import HoldingError

__all__ = ["DIRECTORIES", "Names", "names_of", "tos_as_ip"]

DIRECTORIES = tuple(
    Path(one) for one in ("/usr/lib/iproute2", "/usr/share/iproute2", "/etc/iproute2")
)
"""Where ip(8) has its names, by its version; what is in a later one counts."""

_TOO_LONG = 1 << 20  # bytes of a file
_U32 = 2**32 - 1


class Names:
    """Numbers of names; a number that is given instead of a name is returned as it is.

    Files are read when the first of their names is asked for, once: after they have changed, make
    another one of these. What no file knows raises HoldingError, which says where to add it; a file
    that is missing, unreadable, no file or nonsense knows nothing.
    """

    def __init__(self, directories: Sequence[Path] = DIRECTORIES) -> None:
        self._directories = directories
        self._known: dict[str, dict[str, int]] = {}

    def table(self, said: int | str) -> int:
        """Return the number of a routing table, 0..2**32-1."""
        return self._number("rt_tables", "routing table", said, _U32)

    def protocol(self, said: int | str) -> int:
        """Return the number of an origin of routes, 0..255."""
        return self._number("rt_protos", "routing protocol", said, 255)

    def scope(self, said: int | str) -> int:
        """Return the number of a scope, 0..255."""
        return self._number("rt_scopes", "scope", said, 255)

    def realm(self, said: int | str) -> int:
        """Return the number of a realm, 0..255."""
        return self._number("rt_realms", "realm", said, 255)

    def tos(self, said: int | str) -> int:
        """Return the value of a type of service or traffic class, 0..255."""
        return self._number("rt_dsfield", "type of service", said, 255)

    def group(self, said: int | str) -> int:
        """Return the number of a group of interfaces, 0..2**32-1."""
        return self._number("group", "group of interfaces", said, _U32)

    def ip_protocol(self, said: int | str) -> int:
        """Return the number of a protocol over IP, 0..255."""
        if isinstance(said, int):
            return said
        try:
            return socket.getprotobyname(said)
        except (OSError, ValueError):
            raise HoldingError(f"there is no IP protocol {said} in /etc/protocols") from None

    def _number(self, file: str, what: str, said: int | str, high: int) -> int:
        if isinstance(said, int):
            return said
        if file not in self._known:
            self._known[file] = self._read(file)
        number = self._known[file].get(said)
        if number is not None and number <= high:
            return number
        place = self._directories[-1] / file
        raise HoldingError(f"there is no {what} {said}; define it in {place}")

    def _read(self, file: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for directory in self._directories:
            for path in (directory / file, *_parts(directory / f"{file}.d")):
                found |= _entries(_text(path))
        return found


def names_of(common: GlobalConfig) -> Names:
    """Return the names in the directories that `iproute_usr_dir` and `iproute_etc_dir` say."""
    *usr, etc = DIRECTORIES
    if common.iproute_usr_dir is not None:
        usr = [Path(common.iproute_usr_dir)]
    return Names((*usr, Path(common.iproute_etc_dir or etc)))


def tos_as_ip(said: int | str) -> int | str:
    """Return a type of service as ip(8) reads and writes it, in hexadecimal notation."""
    return f"{said:#x}" if isinstance(said, int) and said else said


def _parts(directory: Path) -> list[Path]:
    try:
        return sorted(one for one in directory.iterdir() if one.suffix == ".conf")
    except OSError:
        return []


def _text(path: Path) -> str:
    """Return what a file says, "" for what cannot be read or is no file; never waits for a
    writer."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        return os.read(fd, _TOO_LONG).decode(errors="replace") if is_file else ""
    except OSError:
        return ""
    finally:
        os.close(fd)


def _entries(text: str) -> dict[str, int]:
    """Return the names of lines such as `100 blue # why`."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) == 2 and (number := _as_number(words[0])) is not None:
            found[words[1]] = number
    return found


def _as_number(word: str) -> int | None:
    try:
        number = int(word, 16 if word[:2] in ("0x", "0X") else 10)
    except ValueError:
        return None
    return number if 0 <= number <= _U32 else None
