"""keepalived's command line: one table of its options, read by the rules of getopt_long(3).

Written by hand because `argparse` knows neither optional values (`-t[FILE]`) nor getopt's messages,
and takes longer to import than the rest of the parent takes to start.
"""

from __future__ import annotations

# Not imported from `typing`, here and in all that the parent process loads: it would grow by 1 MB.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["OPTIONS", "Option", "Options", "UsageError", "help_text", "parse"]

# What becomes of it?
USED = "used"
MOOT = "moot"
"""Accepted in silence: what it asks for is so anyway, or concerns what cannot be here."""
IGNORED = "ignored"
"""Not built yet, and harmless to leave out: accepted with a message."""
REFUSED = "refused"
"""Not built yet, and leaving it out would run something else: a usage error."""

FACILITIES = {"user": 1, "daemon": 3} | {f"local{n}": 16 + n for n in range(8)}


class UsageError(Exception):
    """The command line cannot be run; the text says what to change."""


class Option:
    """One row of the table.

    `value` is shown in the help: "", "=NAME" (required) or "[=NAME]" (optional).
    `field` names the attribute of `Options` that a USED option sets.
    """

    __slots__ = ("doc", "field", "long", "short", "status", "value")

    def __init__(  # noqa: PLR0917 - a row is read by its columns
        self, short: str, long: str, value: str, status: str, field: str, doc: str
    ) -> None:
        self.short = short
        self.long = long
        self.value = value
        self.status = status
        self.field = field
        self.doc = doc

    def __str__(self) -> str:
        return f"-{self.short}/--{self.long}" if self.short else f"--{self.long}"

    @property
    def requires_value(self) -> bool:
        """Whether the next word is the value when none is joined on."""
        return self.value.startswith("=")


# Every option of keepalived 2.4.3, and --record. For IGNORED and REFUSED the text says what is
# missing.
# fmt: off
OPTIONS = (
    Option("f", "use-file", "=FILE", USED, "config_file", "read the configuration from FILE"),
    Option("n", "dont-fork", "", USED, "dont_fork", "stay in the foreground"),
    Option("l", "log-console", "", USED, "log_console", "log to stderr too (with -n)"),
    Option("D", "log-detail", "", USED, "log_detail", "log details"),
    Option("G", "no-syslog", "", USED, "no_syslog", "do not log to syslog"),
    Option("S", "log-facility", "=NAME", USED, "facility", "0-7, local0-7, user or daemon"),
    Option("i", "config-id", "=NAME", USED, "config_id", "what `@id` lines are compared with"),
    Option("e", "all-config", "", USED, "all_config", "refuse what an include cannot read"),
    Option("p", "pid", "=FILE", USED, "pid_file", "pid file of the parent"),
    Option("r", "vrrp_pid", "=FILE", USED, "vrrp_pid_file", "pid file of the VRRP process"),
    Option("R", "dont-respawn", "", USED, "dont_respawn", "stop when the VRRP process dies"),
    Option("u", "umask", "=MODE", USED, "umask", "umask of the daemon, default 077"),
    Option("", "ignore-sigint", "", USED, "ignore_sigint", "do not stop on SIGINT"),
    Option("", "signum", "=NAME", USED, "signum", "print a signal's number: STOP RELOAD DATA…"),
    Option("t", "config-test", "[=FILE]", USED, "config_test", "check; report to stderr or FILE"),
    Option("", "record", "=FILE", USED, "record", "write a recording to a new FILE"),
    Option("v", "version", "", USED, "version", "print the version"),
    Option("h", "help", "", USED, "help", "print this help"),
    # Nothing to do: VRRP is all that runs.
    Option("P", "vrrp", "", MOOT, "", "only run VRRP"),
    Option("B", "no_bfd", "", MOOT, "", "do not run BFD"),
    Option("c", "checkers_pid", "=FILE", MOOT, "", "pid file of the health checkers"),
    Option("b", "bfd_pid", "=FILE", MOOT, "", "pid file of BFD"),
    Option("I", "dont-release-ipvs", "", MOOT, "", "keep virtual servers at stop"),
    # Left out, with a message.
    Option("", "all", "", IGNORED, "", "health checkers and BFD"),
    Option("a", "address-monitoring", "", IGNORED, "", "logging every address change"),
    Option("d", "dump-conf", "", IGNORED, "", "dumping the configuration to the log"),
    Option("x", "snmp", "", IGNORED, "", "SNMP"),
    Option("A", "snmp-agent-socket", "=NAME", IGNORED, "", "SNMP"),
    Option("X", "release-vips", "", IGNORED, "", "releasing addresses set by somebody else"),
    Option("V", "dont-release-vrrp", "", IGNORED, "", "keeping addresses at stop"),
    Option("m", "core-dump", "", IGNORED, "", "core dumps"),
    Option("M", "core-dump-pattern", "[=PATTERN]", IGNORED, "", "core dumps"),
    Option("", "debug", "[=OPTIONS]", IGNORED, "", "debug output"),
    # Would run something else than was asked for.
    Option("C", "check", "", REFUSED, "", "running only the health checkers"),
    Option("s", "namespace", "=NAME", REFUSED, "", "namespaces (start by `ip netns exec NAME`)"),
    Option("g", "log-file", "[=FILE]", REFUSED, "", "logging to a file (use syslog, or -n -l)"),
    Option("", "flush-log-file", "", REFUSED, "", "logging to a file (use syslog, or -n -l)"),
    Option("T", "genhash", "", REFUSED, "", "genhash"),
    Option("", "config-fd", "=N", REFUSED, "", "keepalived's internal reload check"),
)
# fmt: on

_SHORT = {option.short: option for option in OPTIONS if option.short}


class Options:
    """What the command line asked for; defaults are keepalived's, but for `umask`."""

    def __init__(self) -> None:
        self.config_file = "/etc/keepalived/keepalived.conf"
        self.config_id: str | None = None
        self.all_config = False
        self.pid_file = "/run/keepalived.pid"
        self.vrrp_pid_file = "/run/vrrp.pid"
        self.dont_fork = False
        self.log_console = False
        self.log_detail = False
        self.no_syslog = False
        self.facility = FACILITIES["daemon"]
        self.dont_respawn = False
        self.ignore_sigint = False
        self.umask = 0o077
        self.signum: str | None = None
        self.config_test: str | None = None
        """None: run; "": test and report to stderr; else test and report to this file."""
        self.record: str | None = None
        self.version = False
        self.help = False
        self.messages: list[str] = []
        """What the operator should know, in command line order; none stops the start."""


def parse(args: Sequence[str]) -> Options:
    """Read `args` (without the program name); raises UsageError."""
    options = Options()
    for option, value in _scan(args, options.messages):
        _apply(options, option, value)
    return options


def _apply(options: Options, option: Option, value: str | None) -> None:
    if option.status == REFUSED:
        raise UsageError(f"option {option} is not supported yet: {option.doc}")
    if option.status == IGNORED:
        options.messages.append(f"option {option} is not supported yet, ignored: {option.doc}")
    elif option.status == USED:
        setattr(options, option.field, _convert(option, value))


def _convert(option: Option, value: str | None) -> object:
    if not option.value:
        return True
    if option.field == "umask":
        return _umask(value or "")
    if option.field == "facility":
        return _facility(value or "")
    if option.requires_value and not value:
        raise UsageError(f"option {option} needs a non-empty value")
    return value or ""


def _umask(text: str) -> int:
    """Read a mode as C does: octal with a leading 0, hexadecimal with 0x, else decimal."""
    base = 8 if text.startswith("0") and text[1:2] not in ("x", "X") else 0
    try:
        mode = int(text, base)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise UsageError(f"umask '{text}' is not a mode from 0 to 0777")
    return mode


def _facility(text: str) -> int:
    number = FACILITIES.get(f"local{text}" if text.isdecimal() else text.lower())
    if number is None:
        raise UsageError(f"log facility '{text}' is none of 0-7, local0-local7, user, daemon")
    return number


def _scan(args: Sequence[str], messages: list[str]) -> Iterator[tuple[Option, str | None]]:
    """Yield each option with its value, as getopt_long(3) does; operands end in one message."""
    queue = list(args)
    operands: list[str] = []
    while queue:
        word = queue.pop(0)
        if word == "--":
            operands += queue
            break
        if word.startswith("--"):
            yield _long(word[2:], queue)
        elif word.startswith("-") and word != "-":
            yield from _cluster(word[1:], queue)
        else:
            operands.append(word)
    if operands:
        messages.append(f"Unexpected argument(s): {' '.join(operands)}")


def _long(word: str, queue: list[str]) -> tuple[Option, str | None]:
    name, equals, value = word.partition("=")
    option = _find_long(name)
    if equals:
        if not option.value:
            raise UsageError(f"option '--{option.long}' doesn't allow an argument")
        return option, value
    if not option.requires_value:
        return option, None
    if not queue:
        raise UsageError(f"option '--{option.long}' requires an argument")
    return option, queue.pop(0)


def _find_long(name: str) -> Option:
    """Find by full name or unambiguous beginning."""
    candidates = [option for option in OPTIONS if option.long.startswith(name)]
    for option in candidates:
        if option.long == name:
            return option
    if not candidates:
        raise UsageError(f"unrecognized option '--{name}'")
    if len(candidates) > 1:
        names = " ".join(f"'--{option.long}'" for option in candidates)
        raise UsageError(f"option '--{name}' is ambiguous; possibilities: {names}")
    return candidates[0]


def _cluster(letters: str, queue: list[str]) -> Iterator[tuple[Option, str | None]]:
    """Yield the options of one word such as `nlDG` or `fFILE`."""
    for index, letter in enumerate(letters, start=1):
        option = _SHORT.get(letter)
        if option is None:
            raise UsageError(f"invalid option -- '{letter}'")
        if not option.value:
            yield option, None
            continue
        rest = letters[index:]
        if rest or not option.requires_value:
            yield option, rest or None
        elif queue:
            yield option, queue.pop(0)
        else:
            raise UsageError(f"option requires an argument -- '{letter}'")
        return


_EXIT_STATUSES = (
    "  0  nothing to report, or only notes; also when FILE does not exist",
    "  2  a keyword lacks a value",
    "  4  an interface of link settings does not exist, or FILE cannot be read",
    "  5  something is not as it should be; warnings count",
    "  6  scripts run without enable_script_security, or an include failed that must not",
)


def help_text(program: str) -> str:
    """Describe the options that work, then name the others."""
    lines = [f"Usage: {program} [OPTION...]"]
    lines += [_help_line(option) for option in OPTIONS if option.status in (USED, MOOT)]
    later = " ".join(f"--{option.long}" for option in OPTIONS if option.status == IGNORED)
    lines += ["", "Accepted, but not supported yet:", f"  {later}"]
    lines += ["", "Exit status of --config-test:", *_EXIT_STATUSES]
    return "\n".join(lines) + "\n"


def _help_line(option: Option) -> str:
    short = f"-{option.short}, " if option.short else "    "
    return f"  {short}--{option.long + option.value:<24} {option.doc}"
