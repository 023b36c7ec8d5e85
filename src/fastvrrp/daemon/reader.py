"""Reads the configuration in a process of its own: the parser's memory goes with it.

The result comes back pickled, through a pipe between our own processes; that is the only place
where secrets are written out.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import signal

from fastvrrp.daemon.process import set_parent_death_signal
from fastvrrp.errors import ConfigError
from fastvrrp.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from fastvrrp.config.model import Config
    from fastvrrp.daemon.options import Options

    Examine = Callable[[Options], tuple[Config | None, tuple[object, ...]]]

__all__ = ["ConfigReader", "ReaderDied"]


class ReaderDied(Exception):
    """The reading process ended without a result: an error of this program."""


class ConfigReader:
    """Starts to read the configuration when created: the caller's own start goes on meanwhile."""

    def __init__(self, options: Options, *, examine: Examine | None = None) -> None:
        self._fd, write_fd = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._fd)
            _read_and_send(options, examine or _examine, write_fd)
        os.close(write_fd)

    def result(self) -> Config:
        """Wait for the configuration; raises ConfigError, ReaderDied."""
        with open(self._fd, "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        if status or not data:
            raise ReaderDied(f"the configuration reader died (wait status {status})")
        config, diagnostics = pickle.loads(data)  # written by our own child
        if config is None:
            raise ConfigError(diagnostics)
        return config  # type: ignore[no-any-return]  # pickled by `_read_and_send`


def _examine(options: Options) -> tuple[Config | None, tuple[object, ...]]:
    from fastvrrp.config import examine  # noqa: PLC0415 - what this process is for

    return examine(options.config_file, config_id=options.config_id, all_config=options.all_config)


def _read_and_send(options: Options, examine: Examine, fd: int) -> NoReturn:
    status = 1
    try:
        set_parent_death_signal(signal.SIGKILL)
        gc.disable()  # the process ends before there is much to collect
        buffer = io.BytesIO()
        _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(examine(options))
        with open(fd, "wb") as pipe:
            pipe.write(buffer.getbuffer())
        status = 0
    except Exception:
        import logging  # noqa: PLC0415

        logging.getLogger("fastvrrp.daemon").exception("reading %s failed", options.config_file)
    finally:
        os._exit(status)


class _Pickler(pickle.Pickler):
    """Also takes secrets, which refuse to be pickled anywhere else."""

    def reducer_override(self, obj: object) -> Any:  # noqa: ANN401 - as its base
        if isinstance(obj, Secret):
            return Secret, (obj.reveal(),)
        return NotImplemented
