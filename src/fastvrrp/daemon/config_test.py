"""`-t`: checks the configuration, reports, and tells the result by keepalived's exit statuses."""

from __future__ import annotations

import os
import sys

from fastvrrp.config import examine
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.expand import INCLUDE_ERRORS
from fastvrrp.preflight import NO_INTERFACE_OF_LINKS, SECURITY_CODES, inspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastvrrp.config.diagnostics import Diagnostic
    from fastvrrp.daemon.options import Options

__all__ = ["exit_status", "run"]

EXIT_MISSING_VALUE = 2
EXIT_FATAL = 4
EXIT_OTHER = 5
EXIT_SECURITY = 6

MISSING_VALUE = "FV102"
FATAL_ONLY = frozenset({"FV001", NO_INTERFACE_OF_LINKS})
"""What keepalived counts as less than any other report."""


def run(options: Options) -> int:
    """Check the configuration that `options` name; report to stderr, or appended to a file.

    Returns the exit status. Nothing is printed unless keepalived would: notes are for `fastvrrp
    check`. keepalived: a file that does not exist is said to be missing, and yet the status is 0.
    """
    file = options.config_file
    report = options.config_test or None
    if not any(character in file for character in "*?[{") and not os.path.exists(file):
        return _report(f"Config files missing '{file}'.\n", report, status=0)
    _, found = examine(file, inspect, config_id=options.config_id, all_config=options.all_config)
    shown = [one for one in found if one.severity is not Severity.NOTE]
    text = "".join(f"{one}\n" for one in shown)
    unsupported = sum(one.severity is Severity.UNSUPPORTED for one in shown)
    if unsupported:
        things = "thing is" if unsupported == 1 else "things are"
        text += (
            f"fastvrrpd does not start with this file: {unsupported} {things} not supported yet\n"
        )
    return _report(text, report, status=exit_status(found))


def exit_status(found: Sequence[Diagnostic]) -> int:
    """Return keepalived's status, that of the most severe class found; its order is its own."""
    errors = {one.code for one in found if one.severity is Severity.ERROR}
    codes = errors | {one.code for one in found if one.severity is Severity.WARNING}
    if MISSING_VALUE in errors:
        return EXIT_MISSING_VALUE
    if codes & SECURITY_CODES or errors & INCLUDE_ERRORS:
        return EXIT_SECURITY
    if codes and codes <= FATAL_ONLY:
        return EXIT_FATAL
    return EXIT_OTHER if codes else 0


def _report(text: str, path: str | None, *, status: int) -> int:
    if path is None:
        sys.stderr.write(text)
        return status
    try:
        with open(path, "a", errors="backslashreplace", opener=_open_report) as file:
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
