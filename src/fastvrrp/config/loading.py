"""From files or a text to a configuration: what `load`, `loads` and `examine` do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from glob import has_magic
from pathlib import Path
from typing import Any, TypedDict, Unpack

from fastvrrp.config.build import build
from fastvrrp.config.diagnostics import Diagnostic, Span
from fastvrrp.config.expand import Around
from fastvrrp.config.includes import Check, Refused, matches, why_skipped
from fastvrrp.config.model import Config
from fastvrrp.config.reader import read
from fastvrrp.config.source import Report, Source, make_source, open_source
from fastvrrp.errors import ConfigError

__all__ = ["Options", "examine", "load", "loads"]


class Options(TypedDict, total=False):
    """What else a configuration is read with; each has a default.

    `config_id`: what `@id` lines are compared with and `${_INSTANCE}` is; the host's name up to the
    first dot. `environ`: where `${_ENV NAME}` looks; the environment. `root`: a directory that
    includes may not leave; anywhere. `all_config`: whatever an `include` cannot read is an error;
    False.
    """

    config_id: str | None
    environ: Mapping[str, str] | None
    root: str | Path | None
    all_config: bool


def load(path: str | Path, **options: Unpack[Options]) -> Config:
    """As `fastvrrp.config.load`."""
    report = Report()
    return _finish(_open(str(path), report), options, report)


def loads(text: str, *, filename: str = "<string>", **options: Unpack[Options]) -> Config:
    """As `fastvrrp.config.loads`."""
    report = Report()
    source = make_source(filename, text, report)
    directory = Path(options.get("root") or ".")
    return _finish([] if source is None else [(source, directory)], options, report)


def examine(
    path: str | Path,
    inspect: Callable[[Config, Report], None] | None = None,
    **options: Unpack[Options],
) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """As `fastvrrp.config.examine`."""
    report = Report()
    try:
        config = _finish(_open(str(path), report), options, report, inspect)
    except ConfigError as error:
        return None, error.diagnostics
    return config, config.diagnostics


def _open(name: str, report: Report) -> list[tuple[Source, Path]]:
    """Return the files that the caller names."""
    paths = [Path(name)]
    is_pattern = (has_magic(name) or "{" in name) and not _exists(paths[0])
    if is_pattern:
        paths = list(_matching(name, report))
    elif _exists(paths[0]) and why_skipped(paths[0]) == "is executable":
        message = "this file is executable; keepalived would not read it"
        report.note("FV021", message, Span(name, 0, 0, 0), hint=f"chmod a-x {name}")
    sources = ((open_source(path, report), path.parent) for path in paths)
    return [(source, directory) for source, directory in sources if source is not None]


def _matching(pattern: str, report: Report) -> Iterator[Path]:
    """Yield the files that a pattern names."""
    span = Span(pattern, 0, 0, 0)
    try:
        found = matches(pattern, Path(), None).paths
    except Refused as refused:
        report.error(refused.code, str(refused), span)
        return
    if not found:
        report.error("FV001", "no file has a name like this", span)
    if len(found) > 1:
        report.warning("FV024", "several files have such a name; they are read as one", span)
    for path in found:
        why = why_skipped(path)
        if why is None:
            yield path
        else:
            report.note("FV021", f"{path} {why}; it is skipped", span)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _finish(
    sources: list[tuple[Source, Path]],
    options: Options,
    report: Report,
    inspect: Callable[[Config, Report], None] | None = None,
) -> Config:
    around: dict[str, Any] = {
        name: options[name] for name in ("config_id", "environ") if options.get(name) is not None
    }
    if options.get("root") is not None:
        around["root"] = Path(str(options["root"]))
    if options.get("all_config"):
        around["checks"] = Check.ALL
    config = build(read(sources, Around(**around), report), report)
    config = replace(config, references=tuple(report.references))
    if inspect is not None:
        inspect(config, report)
    found = report.raise_if_failed()
    config = replace(config, diagnostics=found, references=tuple(report.references))
    object.__setattr__(config, "is_checked", True)  # by no caller: `replace` does not copy it
    return config
