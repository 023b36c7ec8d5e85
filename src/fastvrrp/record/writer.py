"""Recording: takes from the ring of a core's recorder and writes lines, on the cold loop."""

import json
import logging
import os
from collections.abc import Iterable
from typing import BinaryIO, Protocol

from fastvrrp.clock import monotonic_ns
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.errors import KernelError, RecordError
from fastvrrp.loop.entries import Entry
from fastvrrp.loop.recorder import Recorder
from fastvrrp.reactor import Handle, Loop
from fastvrrp.record import header
from fastvrrp.record.lines import to_line

__all__ = ["Recording", "Target"]

log = logging.getLogger("fastvrrp.record")

Target = str | os.PathLike[str] | BinaryIO
_FLUSH_S = 1.0
_LOST_HINT = "packets came faster than they could be written"


class _Source(Protocol):
    """The hot loop, or the recorder itself."""

    def entries(self) -> list[Entry]:
        """Return the entries since the last call."""


class Recording:
    """Writes what happens to `core` to `target`: the path of a new file, which only its owner may
    read, or a binary file that stays the caller's.

    `recorder` is for the hot loop, and must see the first input. A target that fails later, and a
    ring that overflows, end the recording with a message in the log and hurt nothing else.
    """

    def __init__(self, target: Target, core: Core) -> None:
        self.recorder = Recorder(core)
        self._target = target
        self._file: BinaryIO | None = None
        self._timer: Handle | None = None

    def start(
        self, source: _Source, loop: Loop, routers: Iterable[tuple[str, RouterParams]]
    ) -> None:
        """Write the first line, and on `loop` what `source` gives, once a second.

        Raises RecordError when the file exists, KernelError when it cannot be made.
        """
        self._source = source
        self._loop = loop
        routers = tuple(routers)
        self.recorder.follows_clock = any(params.hmac is not None for _, params in routers)
        shape = self.recorder.shape
        first = header.Header(
            capacity=shape["capacity"],
            ports=shape["ports"],
            groups=shape["groups"],
            tells_unknown_vrids=bool(shape["tells_unknown_vrids"]),
            routers=routers,
        )
        self._file = self._open()
        self._write([header.to_line(first)])
        self._tick()

    def flush(self) -> None:
        """Write what has happened since the last call."""
        if self._file is None:
            return
        lost_at = self.recorder.lost_at  # before the rest is taken: nothing is added to it then
        lines = [to_line(entry) for entry in self._source.entries()]
        if lost_at is not None:
            log.error("the recording ends here, without a gap: %s", _LOST_HINT)
            lines.append({"t": lost_at, "end": "lost"})
        self._write(lines)
        if lost_at is not None:
            self._close()

    def close(self) -> None:
        """Write the rest and the end; may be repeated."""
        self.flush()
        if self._file is not None:
            self._write([{"t": monotonic_ns(), "end": "stop"}])
        self._close()

    def _open(self) -> BinaryIO:
        if not isinstance(self._target, str | os.PathLike):
            return self._target
        path = os.fspath(self._target)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return open(os.open(path, flags, 0o600), "wb")
        except FileExistsError:
            raise RecordError(
                f"{path} exists already, and is not overwritten: give another name, or remove it"
            ) from None
        except OSError as error:
            raise KernelError("create recording", path, error.errno or 0) from error

    def _tick(self) -> None:
        self.flush()
        if self._file is not None:
            self._timer = self._loop.call_later(_FLUSH_S, self._tick)

    def _write(self, lines: list[dict[str, object]]) -> None:
        if self._file is None or not lines:
            return
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        try:
            self._file.write(text.encode())
            self._file.flush()
        except (OSError, ValueError) as error:  # ValueError: the caller closed its file
            log.error("the recording ends here, it cannot be written: %s", error)
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if file is not None and file is not self._target:
            try:
                file.close()
            except OSError as error:
                log.error("the end of the recording cannot be written: %s", error)
