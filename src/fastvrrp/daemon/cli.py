"""`fastvrrpd`: keepalived's command line.

Imports little: what is loaded here stays in the parent process.
"""

from __future__ import annotations

import os
import signal
import sys

from fastvrrp.daemon.options import UsageError, help_text, parse
from fastvrrp.daemon.version import version_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastvrrp.daemon.options import Options

__all__ = ["main"]

EXIT_USAGE = 1

SIGNALS = {
    "STOP": signal.SIGTERM,
    "RELOAD": signal.SIGHUP,
    "DATA": signal.SIGUSR1,
    "STATS": signal.SIGUSR2,
    "STATS_CLEAR": signal.SIGRTMAX - 1,
    "JSON": signal.SIGRTMIN + 2,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `argv` (default: `sys.argv`) and return the exit status."""
    os.umask(0o077)  # first of all: nothing that is created may be readable by others by accident
    argv = sys.argv if argv is None else argv
    program = os.path.basename(argv[0])
    try:
        options = parse(argv[1:])
        if options.signum is not None:
            return _print_signum(options.signum)
    except UsageError as error:
        print(f"{program}: {error}\nTry '{program} --help' for more information.", file=sys.stderr)
        return EXIT_USAGE
    if options.help or options.version:
        print(help_text(program) if options.help else version_text(), end="", file=sys.stderr)
        return 0
    if options.config_test is not None:
        return _test_config(options)
    return _run(options, argv)


def _test_config(options: Options) -> int:
    import gc  # noqa: PLC0415

    gc.disable()  # nothing is left to collect when a process ends that lives this short
    from fastvrrp.daemon import config_test  # noqa: PLC0415 - loads the configuration reader

    return config_test.run(options)


def _run(options: Options, argv: Sequence[str]) -> int:
    from fastvrrp.daemon import process, service  # noqa: PLC0415 - `-v` and `-t` need neither

    for message in options.messages:
        print(message, file=sys.stderr)
    # Tools find the daemon by name: without this it would be `python3`.
    process.set_name("keepalived" if os.path.basename(argv[0]) == "keepalived" else "fastvrrpd")
    process.set_title(" ".join(argv))
    return service.run(options)


def _print_signum(name: str) -> int:
    number = SIGNALS.get(name.upper())
    if number is None:
        raise UsageError(f"unknown signal name '{name}'; known are {' '.join(SIGNALS)}")
    print(int(number))
    return 0
