"""Reads the configuration in a process of its own: the parser's memory and its mishaps go with it.

The result goes, pickled, into a file in memory between our own processes; that is the only place
where secrets are written out. Whatever the files are, reading them ends: the process may only take
so much memory and time.
"""

from __future__ import annotations

import gc
import os
import resource

from fastvrrp.daemon.control import read_memory_file
from fastvrrp.daemon.log import ERR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import Config
    from fastvrrp.daemon.log import Log
    from fastvrrp.daemon.options import Options

    Found = tuple[Config | None, tuple[object, ...]]
    Examine = Callable[[Options], Found]

__all__ = ["load", "read"]

_MOST_MEMORY = 1 << 30
_MOST_CPU_S = 25
_MOST_RESULT = 256 << 20


def read(options: Options, fd: int, log: Log, *, examine: Examine | None = None) -> bool:
    """Write what the configuration says to the memory file `fd`, whether it is right or wrong;
    returns whether it runs as far as can be said.

    For a process of its own: its limits are lowered. What else goes wrong is logged and raised.
    """
    gc.disable()  # the process ends before there is much to collect
    _limit(resource.RLIMIT_AS, _MOST_MEMORY)
    _limit(resource.RLIMIT_CPU, _MOST_CPU_S)
    _limit(resource.RLIMIT_FSIZE, _MOST_RESULT)
    try:
        return _read(options, fd, examine or _examine)
    except MemoryError:
        _dump((None, (_too_much(options.config_file),)), fd)
        return False
    except Exception as error:
        log.after_fork("Keepalived")
        log.write(ERR, f"reading {options.config_file} failed: {error!r}")
        raise


def _read(options: Options, fd: int, examine: Examine) -> bool:
    config, diagnostics = examine(options)
    _dump((config, diagnostics), fd)
    return config is not None and bool(config.instances) and not config.unsupported


def _limit(which: int, amount: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(
        which, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard)
    )


def _examine(options: Options) -> Found:
    from fastvrrp.config import examine  # noqa: PLC0415 - what this process is for

    return examine(options.config_file, config_id=options.config_id, all_config=options.all_config)


def _too_much(file: str) -> object:
    from fastvrrp.config.diagnostics import Diagnostic, Severity, Span  # noqa: PLC0415

    return Diagnostic(
        severity=Severity.ERROR,
        code="FV002",
        message=f"reading the configuration takes more than {_MOST_MEMORY >> 20} MiB of memory",
        span=Span(file, 0, 0, 0),
        hint="is this the right file?",
    )


def _dump(found: Found, fd: int) -> None:
    import pickle  # noqa: PLC0415 - not for the parent
    from typing import Any  # noqa: PLC0415

    from fastvrrp.secret import Secret  # noqa: PLC0415

    class Pickler(pickle.Pickler):
        """Also takes secrets, which refuse to be pickled anywhere else."""

        def reducer_override(self, obj: object) -> Any:  # noqa: ANN401 - as its base
            return (Secret, (obj.reveal(),)) if isinstance(obj, Secret) else NotImplemented

    os.ftruncate(fd, 0)
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, "wb", closefd=False) as file:
        Pickler(file, pickle.HIGHEST_PROTOCOL).dump(found)


def load(fd: int) -> Config:
    """Return the configuration in the memory file `fd`; raises ConfigError if it is wrong."""
    import pickle  # noqa: PLC0415

    from fastvrrp.errors import ConfigError  # noqa: PLC0415

    config, diagnostics = pickle.loads(read_memory_file(fd))  # written by our own reader
    if config is None:
        raise ConfigError(diagnostics)
    return config  # type: ignore[no-any-return]  # as `_dump` was given it
