"""keepalived.conf, read: `load` a file, `loads` a text, `examine` a file without raising.

Only ConfigError leaves `load` and `loads`, whatever the input is; it carries all findings.
"""

from dataclasses import replace
from pathlib import Path

from fastvrrp.config.build import build
from fastvrrp.config.diagnostics import Diagnostic, Related, Severity, Span
from fastvrrp.config.model import Config
from fastvrrp.config.reader import read
from fastvrrp.config.source import Report, Source, make_source, open_source
from fastvrrp.errors import ConfigError

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


def load(path: str | Path) -> Config:
    """Return the configuration in a file; its warnings are in `diagnostics`.

    Raises ConfigError with all findings if the file cannot be read or holds an error.
    """
    report = Report()
    return _finish(_read(open_source(Path(path), report), report), report)


def loads(text: str, *, filename: str = "<string>") -> Config:
    """Return the configuration in a text, as `load` does; `filename` is what diagnostics show."""
    report = Report()
    return _finish(_read(make_source(filename, text, report), report), report)


def examine(path: str | Path) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """Return the configuration in a file, None if it holds an error, and all findings."""
    try:
        config = load(path)
    except ConfigError as error:
        return None, error.diagnostics
    return config, config.diagnostics


def _read(source: Source | None, report: Report) -> Config:
    return build(read(source, report) if source is not None else (), report)


def _finish(config: Config, report: Report) -> Config:
    return replace(config, diagnostics=report.raise_if_failed())
