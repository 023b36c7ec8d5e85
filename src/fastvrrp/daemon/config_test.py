"""`-t`: checks the configuration, reports, and tells the result by keepalived's exit statuses."""

from __future__ import annotations

import os
import sys

from fastvrrp.config import examine
from fastvrrp.config.diagnostics import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastvrrp.config.diagnostics import Diagnostic
    from fastvrrp.config.model import Command, Config

__all__ = ["exit_status", "run"]

EXIT_FATAL = 4
EXIT_OTHER = 5
EXIT_SECURITY = 6

CANNOT_READ = "FV001"
NOT_SUPPORTED_YET = "FV111"
"""As a warning: keepalived knows the keyword, so a check must not fail for it."""

SECURITY_VIOLATION = (
    "SECURITY VIOLATION - scripts are being executed but script_security not enabled."
)


def run(config_file: str, report_file: str | None = None) -> int:
    """Check `config_file`; report to stderr, or appended to `report_file`; returns the exit status.

    keepalived: a file that does not exist is said to be missing, and yet the status is 0.
    """
    pattern = any(character in config_file for character in "*?[")
    if not pattern and not os.path.exists(config_file):
        return _report(f"Config files missing '{config_file}'.\n", report_file, status=0)
    config, diagnostics = examine(config_file)
    insecure = config is not None and _runs_scripts_unchecked(config)
    text = "".join(diagnostic.render() + "\n" for diagnostic in diagnostics)
    if insecure:
        text += SECURITY_VIOLATION + "\n"
    return _report(text, report_file, status=exit_status(diagnostics, insecure=insecure))


def exit_status(diagnostics: tuple[Diagnostic, ...], *, insecure: bool) -> int:
    """Return keepalived's status, that of the most severe class found; its order is its own."""
    codes = {
        diagnostic.code
        for diagnostic in diagnostics
        if diagnostic.severity is Severity.ERROR or diagnostic.code != NOT_SUPPORTED_YET
    }
    if insecure:
        return EXIT_SECURITY
    if codes == {CANNOT_READ}:
        return EXIT_FATAL
    return EXIT_OTHER if codes else 0


def _runs_scripts_unchecked(config: Config) -> bool:
    return not config.global_defs.enable_script_security and any(_commands(config))


def _commands(config: Config) -> Iterator[Command]:
    yield from (script.command for script in config.scripts)
    for instance in config.instances:
        notify = instance.notify
        commands = (notify.master, notify.backup, notify.fault, notify.stop, notify.always)
        yield from (command for command in commands if command is not None)


def _report(text: str, path: str | None, *, status: int) -> int:
    if path is None:
        sys.stderr.write(text)
        return status
    try:
        with open(path, "a", encoding="utf-8", opener=_open_report) as file:
            file.write(text)
    except OSError as error:
        print(f"cannot write the report to {path}: {error.strerror}", file=sys.stderr)
        return 1
    return status


def _open_report(path: str, flags: int) -> int:
    """Open for appending, 0644, never through a symbolic link, never waiting for a reader."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    os.fchmod(fd, 0o644)
    return fd
