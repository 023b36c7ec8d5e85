"""keepalived.conf, read: `load` a file, `loads` a text, `examine` a file without raising.

Only ConfigError leaves `load` and `loads`, whatever the input is; it carries all findings. The
parser is imported when it is needed: a process that runs a configuration which another one has read
does not carry it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from fastvrrp.config.diagnostics import Diagnostic, Related, Severity, Span
from fastvrrp.config.model import Config
from fastvrrp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastvrrp.config.loading import Options
    from fastvrrp.config.source import Report

__all__ = [
    "Config",
    "ConfigError",
    "Diagnostic",
    "Related",
    "Severity",
    "Span",
    "examine",
    "load",
    "loads",
]


def load(path: str | Path, **options: Unpack[Options]) -> Config:
    """Return the configuration in a file; its warnings are in `diagnostics`.

    A pattern, as in `include`, reads several files as one. Raises ConfigError with all findings if
    a file cannot be read or there is an error. `options`: see `fastvrrp.config.loading.Options`.
    """
    from fastvrrp.config import loading  # noqa: PLC0415

    return loading.load(path, **options)


def loads(text: str, *, filename: str = "<string>", **options: Unpack[Options]) -> Config:
    """Return the configuration in a text, as `load` does; `filename` is what diagnostics show.

    Its includes start from `root`, or from the current directory.
    """
    from fastvrrp.config import loading  # noqa: PLC0415

    return loading.loads(text, filename=filename, **options)


def examine(
    path: str | Path,
    inspect: Callable[[Config, Report], None] | None = None,
    **options: Unpack[Options],
) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """Return the configuration in a file, None if it holds an error, and all findings.

    `inspect` may add to the report what only its caller can know, such as what the host lacks.
    """
    from fastvrrp.config import loading  # noqa: PLC0415

    return loading.examine(path, inspect, **options)
