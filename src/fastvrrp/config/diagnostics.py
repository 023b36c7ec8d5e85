"""What is wrong with a configuration, and where: values that are collected, sorted and printed.

A diagnostic never holds a secret: the source line that it shows was masked by the reader.
"""

from dataclasses import dataclass
from enum import Enum
from unicodedata import east_asian_width

__all__ = ["CODES", "Diagnostic", "Related", "Severity", "Span"]

_MAX_WIDTH = 120
"""Columns of a source line that are shown; longer ones are cut around the caret."""

CODES = {
    "FV001": "the file cannot be read",
    "FV002": "the configuration is larger than the reader accepts",
    "FV003": "NUL byte",
    "FV004": "bytes that are not UTF-8",
    "FV005": "unterminated quote",
    "FV006": "typographic quote or invisible blank",
    "FV007": "missing }",
    "FV008": "surplus }",
    "FV009": "missing {",
    "FV010": "{ where no block can start",
    "FV101": "unknown keyword",
    "FV102": "missing value",
    "FV103": "value of the wrong kind",
    "FV104": "value out of range",
    "FV105": "surplus words",
    "FV106": "keyword given twice",
    "FV110": "keyword without effect here",
    "FV111": "keyword not supported yet",
    "FV201": "something mandatory is missing",
    "FV202": "name used twice",
    "FV203": "virtual_router_id used twice on one interface",
    "FV204": "auth_pass cut to 8 bytes",
    "FV205": "authentication has no effect",
    "FV206": "AH and state MASTER",
    "FV207": "nopreempt or preempt_delay has no effect",
    "FV208": "priority 255 by default",
    "FV209": "addresses of two families",
    "FV210": "address given twice",
    "FV211": "no virtual address",
    "FV212": "script not defined",
    "FV213": "script not used",
    "FV214": "global default comes too late",
    "FV215": "unicast without peers",
    "FV216": "interval rounded",
    "FV217": "weight has no effect",
    "FV218": "too many virtual addresses",
    "FV219": "word read as a user or group name",
    "FV220": "IPv6 needs VRRPv3",
}
"""Every code that a diagnostic can carry. Codes are stable: they are never reused or renumbered."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where something is written: 1-based `line` and `column`, `length` in characters.

    Line 0 means the file as a whole.
    """

    file: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Severity(Enum):
    """ERROR: the configuration is refused. WARNING: it runs, but not quite as it is written."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a diagnostic: the first of two duplicates, for instance."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `source` is the line as it may be shown; `context` names the block around it."""

    severity: Severity
    code: str
    message: str
    span: Span
    hint: str | None = None
    context: str | None = None
    source: str | None = None
    related: Related | None = None

    def render(self, *, color: bool = False) -> str:
        """Return the finding as a compiler prints it, several lines without a final newline."""
        paint = _ANSI if color else _PLAIN
        kind = self.severity.value
        head = f"{self.span}: {paint[kind]}{kind}[{self.code}]{paint['end']}: "
        lines = [f"{paint['bold']}{head}{_printable(self.message)}"]
        if self.source is not None and self.span.line:
            lines += self._excerpt(paint)
        elif self.context:
            lines.append(f"   = in {_printable(self.context)}")
        if self.related:
            lines.append(f"   = {_printable(self.related.message)} at {self.related.span}")
        if self.hint:
            lines.append(f"   = {paint['hint']}hint{paint['end']}: {_printable(self.hint)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.render()

    def _excerpt(self, paint: dict[str, str]) -> list[str]:
        """Return the source line and the caret line below it."""
        number = f"{self.span.line:>5}"
        text = self.source or ""
        start = min(self.span.column - 1, len(text))
        cut = max(0, start - _MAX_WIDTH // 2) if len(text) > _MAX_WIDTH else 0
        shown = _printable(text[cut : cut + _MAX_WIDTH].rstrip())
        pad = "".join(_blank(character) for character in text[cut:start])
        carets = "^" * max(1, min(self.span.length, len(shown) - (start - cut)))
        context = f"  in {_printable(self.context)}" if self.context else ""
        marks = f"{paint[self.severity.value]}{carets}{paint['end']}"
        return [f"{number} | {shown}", f"{' ' * len(number)} | {pad}{marks}{context}"]


def _blank(character: str) -> str:
    """Return the blank that is as wide as `character` on a terminal."""
    if character == "\t":
        return "\t"
    return "  " if east_asian_width(character) in "WF" else " "


def _printable(text: str) -> str:
    """Return `text` without anything that could steer a terminal or break an encoder."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


_PLAIN = {"error": "", "warning": "", "hint": "", "bold": "", "end": ""}
_ANSI = {
    "error": "\x1b[31m",
    "warning": "\x1b[33m",
    "hint": "\x1b[36m",
    "bold": "\x1b[1m",
    "end": "\x1b[0m",
}
