"""`fastvrrp clean`: removes what a daemon that was killed has left on this host."""

import argparse
import json
import os
import sys

from fastvrrp.journal import JournalError, Undo, load, undo
from fastvrrp.pidfile import PidFile, PidFileError
from fastvrrp.undoing import GONE

__all__ = ["add_parser", "run"]

CLEAN, FAILED = 0, 1

_DESCRIPTION = """\
Remove what a fastvrrpd that was killed, with everything that it had started, has left on this host:
addresses, routes, rules, interfaces, its nftables table, and kernel parameters that it had set.

The daemon keeps a journal of them beside the pid file of its VRRP process. A daemon that stops
properly, or whose VRRP process alone dies, leaves nothing; the next start of the daemon cleans up
as well. The service does so after every end (ExecStopPost=).
"""

_EPILOG = """\
examples:
  fastvrrp clean
  fastvrrp clean --json -r /run/fastvrrpd/vrrp.pid

--json prints one object: "undone" (a list of texts), "gone" (what was not there any more), "failed"
(a list of {"what", "why"}) and "error" (text or null).

exit status: 0 nothing is left, 1 something is, or cannot be known, or a daemon runs
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `clean` to the subcommands of `fastvrrp`."""
    parser = commands.add_parser(
        "clean",
        help="remove what a killed daemon has left on this host",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-r",
        "--vrrp-pid",
        metavar="FILE",
        default="/run/vrrp.pid",
        help="pid file of the VRRP process, as the daemon was given it (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Clean up, unless a daemon runs; returns the exit status."""
    path = f"{options.vrrp_pid}.journal"
    outcome: tuple[tuple[Undo, str], ...] = ()
    error = None
    try:
        if os.path.lexists(path):
            outcome = _clean(path, options.vrrp_pid)
    except (JournalError, OSError, PidFileError) as problem:
        error = f"{path}: {problem}" if isinstance(problem, JournalError) else str(problem)
    _report(outcome, error, as_json=options.json)
    return FAILED if error or any(why not in ("", GONE) for _, why in outcome) else CLEAN


def _clean(path: str, pid_file: str) -> tuple[tuple[Undo, str], ...]:
    """Undo what the journal says; its file stays if something could not be undone. No daemon can
    start meanwhile."""
    lock = PidFile(pid_file)
    try:
        outcome = undo(load(path))
        if all(why in ("", GONE) for _, why in outcome):
            os.unlink(path)
        return outcome
    finally:
        lock.remove()


def _report(outcome: tuple[tuple[Undo, str], ...], error: str | None, *, as_json: bool) -> None:
    undone = [one.text for one, why in outcome if not why]
    failed = [(one.text, why) for one, why in outcome if why not in ("", GONE)]
    if as_json:
        report = {
            "undone": undone,
            "gone": [one.text for one, why in outcome if why == GONE],
            "failed": [{"what": what, "why": why} for what, why in failed],
            "error": error,
        }
        print(json.dumps(report, indent=2))
        return
    for text in undone:
        print(f"undone: {text}")
    for what, why in failed:
        print(f"fastvrrp clean: cannot undo {what}: {why}", file=sys.stderr)
    if error:
        print(f"fastvrrp clean: {error}", file=sys.stderr)
