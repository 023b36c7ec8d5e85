"""Kinds of values that only `global_defs` and the outermost level have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import BufferPolicy
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.network import bare_address, interface_name, is_link_group
from fastvrrp.config.values.numbers import SECONDS_SCHEMA, in_range, integer

if TYPE_CHECKING:
    from fastvrrp.config.model import Address
    from fastvrrp.config.reader import Word

__all__ = [
    "CpuList",
    "DynamicInterfaces",
    "Fifo",
    "GroupOfFamily",
    "IncludeChecks",
    "Microseconds",
    "OldFirewall",
    "OptionalText",
    "PlainInterface",
    "ProcessName",
    "RealTimePriority",
    "ReceiveBuffer",
    "Timeout",
    "Umask",
]

_NS_PER_US = 1000
_MAX_COUNT = 2**32 - 1
_MAX_PROCESS_NAME = 15
_RT_PRIORITIES = (1, 99)
_MAX_CPU = 8191
"""Of the largest kernel (CONFIG_NR_CPUS); how many a machine has is not known here."""

_MAX_UMASK = 0o777
_BITS = {
    f"I{what}{who}": bit << shift
    for who, shift in (("USR", 6), ("GRP", 3), ("OTH", 0))
    for what, bit in (("R", 4), ("W", 2), ("X", 1))
}
_OFF = ("off", "false", "no")
_INCLUDE_CHECKS = ("read", "match", "wildcard_match", "brace_match")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OptionalText:
    """A word that may be missing; then it is `absent`."""

    what: str
    absent: str

    def read(self, args: Args) -> str:
        """Return the word."""
        return self.absent if args.peek() is None else args.take("").text

    def write(self, value: str | None) -> str | None:
        """Return the words; None is what no line says."""
        if value is None:
            return None
        return "" if value == self.absent else quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return f"[{self.what}]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": ["string", "null"]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fifo:
    """A path, and who owns what is made there: `path [user [group]]`."""

    def read(self, args: Args) -> tuple[str, str | None, str | None]:
        """Return path, user and group; keepalived goes on without an owner that is unknown."""
        path = args.take("a path")
        if not path.text.startswith("/"):
            message = f"{args.keyword} {path.text} is no full path: it depends on the directory"
            args.note("FV103", message, path.span, f"write /run/keepalived/{path.text or 'fifo'}")
        user = None if args.peek() is None else args.take("").text
        group = None if args.peek() is None else args.take("").text
        return path.text, user, group

    def write(self, value: tuple[str | None, str | None, str | None]) -> str | None:
        """Return the words."""
        if value[0] is None:
            return None
        return " ".join(quoted(word) for word in value if word is not None)

    def describe(self) -> str:
        """Return the form."""
        return "path [user [group]]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": ["string", "null"]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Timeout:
    """A time in whole seconds; 0 is taken as one second."""

    max: int

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in seconds")
        value = in_range(word, 0, self.max, args.keyword)
        if value == 0:
            hint = f"write {args.keyword} 1, or more"
            args.warn("FV104", f"{args.keyword} 0 is taken as 1", word.span, hint)
        return Nanoseconds(max(value, 1) * NS_PER_SECOND)

    def write(self, value: int) -> str | None:
        """Return the words."""
        return str(value // NS_PER_SECOND)

    def describe(self) -> str:
        """Return the range."""
        return f"1 to {self.max} whole seconds"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return _nanoseconds(NS_PER_SECOND, self.max * NS_PER_SECOND)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Microseconds:
    """A time in whole microseconds, kept in nanoseconds."""

    min: int
    max: int

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in microseconds")
        return Nanoseconds(in_range(word, self.min, self.max, args.keyword) * _NS_PER_US)

    def write(self, value: int) -> str | None:
        """Return the words."""
        return str(value // _NS_PER_US)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max} microseconds"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return _nanoseconds(self.min * _NS_PER_US, self.max * _NS_PER_US)


def _nanoseconds(low: int, high: int) -> dict[str, object]:
    return {**SECONDS_SCHEMA, "minimum": low, "maximum": high}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupOfFamily:
    """The multicast address of all adverts of IP version 4 or 6."""

    family: int

    def read(self, args: Args) -> Address:
        """Return the address."""
        words = args.rest()
        found = bare_address(args)
        standard = "224.0.0.18" if self.family == 4 else "ff02::12"
        if found.version != self.family or not found.is_multicast:
            message = f"{args.keyword} must be an IPv{self.family} multicast address"
            hint = f"write an address such as {standard}"
            raise Rejected("FV104", f"{message}; {found} is none", words[0].span, hint)
        if isinstance(found, IPv6Address) and not is_link_group(found):
            message = f"{found} is no link-local multicast address; routers may forward it"
            args.warn("FV104", message, words[0].span, f"write an address such as {standard}")
        return found

    def write(self, value: Address) -> str | None:
        """Return the words."""
        return str(value)

    def describe(self) -> str:
        """Return what the word is."""
        return f"IPv{self.family} multicast address"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "format": f"ipv{self.family}"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlainInterface:
    """The name of an interface that the host need not have."""

    def read(self, args: Args) -> str:
        """Return the name."""
        return interface_name(args.take("an interface"))

    def write(self, value: str) -> str | None:
        """Return the words."""
        return quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return "interface"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DynamicInterfaces:
    """`[allow_if_changes]`: that the keyword is there says something, too."""

    def read(self, args: Args) -> tuple[bool, bool]:
        """Return that the keyword is there, and if the word follows."""
        if args.peek() is None:
            return True, False
        word = args.take("")
        if word.text == "allow_if_changes":
            return True, True
        message = f"{args.keyword} takes no {word.text}; it is set by standing here"
        hint = "remove the line to switch it off" if word.text in _OFF else "write allow_if_changes"
        args.warn("FV103", message, word.span, hint)
        return True, False

    def write(self, value: tuple[bool, bool]) -> str | None:
        """Return the words."""
        is_there, may_change = value
        if not is_there:
            return None
        return "allow_if_changes" if may_change else ""

    def describe(self) -> str:
        """Return the form."""
        return "[allow_if_changes]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OldFirewall:
    """A keyword about iptables, which keepalived does not use any more.

    `table` is the nftables table that it means now; None: the keyword does nothing.
    """

    table: str | None = None

    def read(self, args: Args) -> str:
        """Return the table."""
        args.drop_rest()
        span = args.statement.span
        if self.table is None:
            message = f"{args.keyword} does nothing: iptables and ipsets are not used any more"
            raise Rejected("FV112", message, span, "remove it")
        message = f"{args.keyword} is taken as nftables: iptables is not used any more"
        args.warn("FV112", message, span, "write nftables, and remove the chains from iptables")
        return self.table

    def write(self, value: str | None) -> str | None:
        """Return that there is no use in writing it."""
        return None

    def describe(self) -> str:
        """Return that the words do nothing."""
        return "not used"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": ["string", "null"]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReceiveBuffer:
    """`MTU`, `ADVERT` in upper or lower case, or bytes."""

    def read(self, args: Args) -> BufferPolicy | int:
        """Return the policy or the number."""
        word = args.take(self.describe())
        if word.text.upper() in BufferPolicy.__members__:
            return BufferPolicy[word.text.upper()]
        try:
            return in_range(word, 0, _MAX_COUNT, args.keyword)
        except Rejected as rejected:
            rejected.hint = "write MTU, ADVERT or a number of bytes"
            raise

    def write(self, value: BufferPolicy | int | None) -> str | None:
        """Return the words."""
        if value is None:
            return None
        return value.value if isinstance(value, BufferPolicy) else str(value)

    def describe(self) -> str:
        """Return the form."""
        return "MTU, ADVERT or bytes"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        names = [*BufferPolicy.__members__, None]
        return {"anyOf": [{"enum": names}, {"type": "integer", "minimum": 0}]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProcessName:
    """The name of a process: what is longer than the kernel keeps is cut."""

    def read(self, args: Args) -> str:
        """Return the name."""
        word = args.take("a name")
        data = word.text.encode("utf-8", "replace")
        if len(data) <= _MAX_PROCESS_NAME:
            return word.text
        name = data[:_MAX_PROCESS_NAME].decode("utf-8", "ignore")
        message = f"a process name has at most {_MAX_PROCESS_NAME} bytes; it is cut to {name}"
        args.warn("FV104", message, word.span)
        return name

    def write(self, value: str) -> str | None:
        """Return the words."""
        return quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return f"name of at most {_MAX_PROCESS_NAME} bytes"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": ["string", "null"]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RealTimePriority:
    """A priority of SCHED_RR (sched(7)); what is out of range is taken as the nearest one."""

    def read(self, args: Args) -> int:
        """Return the priority."""
        word = args.take("a priority")
        value = integer(word, args.keyword)
        low, high = _RT_PRIORITIES
        kept = min(max(value, low), high)
        if kept != value:
            message = f"{args.keyword} {value} is outside {low} to {high}; it is taken as {kept}"
            hint = "remove the line for no real-time scheduling" if value == 0 else None
            args.warn("FV104", message, word.span, hint)
        return kept

    def write(self, value: int) -> str | None:
        """Return the words; 0 is what no line says."""
        return str(value) if value else None

    def describe(self) -> str:
        """Return the range."""
        return "{} to {}".format(*_RT_PRIORITIES)

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema; 0: none."""
        return {"type": "integer", "minimum": 0, "maximum": _RT_PRIORITIES[1]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CpuList:
    """Numbers of processors; a bad one leaves none."""

    def read(self, args: Args) -> tuple[int, ...]:
        """Return the numbers, each once."""
        found = []
        try:
            while args.peek() is not None:
                found.append(in_range(args.take(""), 0, _MAX_CPU, "the number of a processor"))
        except Rejected as rejected:
            args.drop_rest()
            message = f"{rejected.message}; {args.keyword} has no effect"
            args.warn(rejected.code, message, rejected.span, "write numbers separated by blanks")
            return ()
        return tuple(dict.fromkeys(found))

    def write(self, value: tuple[int, ...]) -> str | None:
        """Return the words."""
        return " ".join(map(str, value)) or None

    def describe(self) -> str:
        """Return the form."""
        return "numbers of processors"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": _MAX_CPU}}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Umask:
    """A mode: octal with a leading 0, hexadecimal with 0x, else decimal; or names joined by |."""

    def read(self, args: Args) -> int:
        """Return the mode."""
        word = args.take("a mode")
        if word.text[:1].isdigit():
            return _number_of_mode(word, args.keyword)
        text = word.text
        while args.peek() is not None:
            after = args.take("")
            if not (text.endswith("|") or after.text.startswith("|")):
                message = f"{args.keyword} does not use the words from here on"
                raise Rejected("FV103", message, after.span, "join names by |")
            text += after.text
        bits = 0
        for name in text.split("|"):
            if name not in _BITS:
                message = f"{name} is no permission" if name else "a name is missing beside |"
                raise Rejected("FV103", message, word.span, f"they are {', '.join(_BITS)}")
            bits |= _BITS[name]
        return bits

    def write(self, value: int) -> str | None:
        """Return the words."""
        return f"0{value:o}"

    def describe(self) -> str:
        """Return the form."""
        return "0 to 0777, or names such as IRUSR|IWGRP"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": 0, "maximum": _MAX_UMASK}


def _number_of_mode(word: Word, keyword: str) -> int:
    """Return a number as C writes it."""
    base = 8 if re.match("0[0-7]", word.text) else 0
    try:
        value = int(word.text, base)
    except ValueError:
        value = -1
    if not 0 <= value <= _MAX_UMASK:
        message = f"{keyword} {word.text} is no mode from 0 to 0777"
        raise Rejected("FV104", message, word.span, "write an octal number such as 0177")
    return value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IncludeChecks:
    """What is an error in an `include`: words that may have a + or - before them; none means all.

    What they change was done when the files were read; here they are only checked.
    """

    def read(self, args: Args) -> tuple[str, ...]:
        """Return the words that are known."""
        if args.peek() is None:
            return _INCLUDE_CHECKS
        found = []
        while args.peek() is not None:
            word = args.take("")
            if word.text.removeprefix("+").removeprefix("-") in _INCLUDE_CHECKS:
                found.append(word.text)
                continue
            message = f"{word.text} is no check of included files; it is not used"
            args.warn("FV103", message, word.span, f"they are {', '.join(_INCLUDE_CHECKS)}")
        return tuple(found)

    def write(self, value: tuple[str, ...]) -> str | None:
        """Return the words."""
        return " ".join(value) or None

    def describe(self) -> str:
        """Return the form."""
        return f"[[+|-]{{{','.join(_INCLUDE_CHECKS)}}} …]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "items": {"type": "string"}}
