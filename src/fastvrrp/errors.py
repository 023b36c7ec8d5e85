"""Every exception that this package raises on purpose; each names whose fault it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastvrrp.config.diagnostics import Diagnostic

__all__ = ["ConfigError", "EngineError", "FastVrrpError", "KernelError", "RecordError"]


class FastVrrpError(Exception):
    """Base of all errors of this package."""


class ConfigError(FastVrrpError):
    """The operator's configuration cannot be run.

    `diagnostics` holds everything found, warnings included, in source order.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(d) for d in self.diagnostics))


class KernelError(FastVrrpError):
    """The kernel refused an operation: `op` on `target` failed with `errno`."""

    def __init__(self, op: str, target: str, errno: int) -> None:
        self.op = op
        self.target = target
        self.errno = errno
        super().__init__(f"{op} {target}: {os.strerror(errno)}")


class EngineError(FastVrrpError):
    """The engine was used in a way that it does not allow (unknown instance, not started…)."""


class RecordError(FastVrrpError):
    """A recording cannot be written where it was asked for, or what was read is none."""
