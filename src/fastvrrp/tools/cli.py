"""The `fastvrrp` command and its subcommands; each is a module with `add_parser` and its `run`."""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from fastvrrp import __version__
from fastvrrp.tools import check, clean, decode, keyword, replay

__all__ = ["main", "make_parser"]

COMMANDS = (check, clean, decode, keyword, replay)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status.

    Usage errors raise SystemExit(2), as argparse does.
    """
    options = make_parser().parse_args(argv)
    if sys.stdout is None:
        print("fastvrrp: cannot write: standard output is closed", file=sys.stderr)
        return 1
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be any bytes
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader (head, less) has seen enough; keep the interpreter's own flush at exit quiet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"fastvrrp: cannot write: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="fastvrrp",
        description="Tools around fastvrrp, the VRRP daemon and library. The daemon is fastvrrpd.",
        epilog="`fastvrrp COMMAND --help` explains a command, with examples.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastvrrp {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return parser
