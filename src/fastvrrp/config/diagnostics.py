"""What is wrong with a configuration, and where: values that are collected, sorted and printed.

A diagnostic never holds a secret: the source line that it shows was masked by the reader.
"""

from dataclasses import dataclass, field
from enum import Enum
from unicodedata import east_asian_width

__all__ = ["INCLUDED", "Diagnostic", "Related", "Severity", "Span"]

INCLUDED = "included"
"""What is said of the place of an `include`; a place with another message is a definition's."""

_MAX_WIDTH = 120
"""Columns of a source line that are shown; longer ones are cut around the caret."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where something is written: 1-based `line` and `column`, `length` in characters.

    Line 0 means the file as a whole.
    """

    file: str
    line: int
    column: int
    length: int = 1
    via: tuple["Related", ...] = field(default=(), compare=False, repr=False)
    """How the text came to stand there, innermost first: the definition that it was expanded from,
    the file that included its file."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Severity(Enum):
    """What a finding means for running the configuration.

    ERROR: it cannot run, neither here nor under keepalived.
    UNSUPPORTED: keepalived runs it, and this program refuses to until it can do what it says.
    WARNING: it runs, but not quite as it is written; keepalived reports that, too.
    NOTE: it runs as it is written, which may not be what its author meant; keepalived is silent.
    """

    NOTE = "note"
    WARNING = "warning"
    UNSUPPORTED = "unsupported"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a diagnostic: the first of two duplicates, for instance.

    `source` is its line as it may be shown; None: it is not shown.
    """

    message: str
    span: Span
    source: str | None = None


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
        context = _printable(self.context) if self.context else None
        if self.source is not None and self.span.line:
            marks = f"  in {context}" if context else ""
            lines += _excerpt(self.span, self.source, (paint[kind], paint["end"]), marks)
        elif context:
            lines.append(f"   = in {context}")
        for place in self.span.via:
            lines += _place(place)
        if self.related:
            lines += _place(self.related)
        if self.hint:
            lines.append(f"   = {paint['hint']}hint{paint['end']}: {_printable(self.hint)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.render()


def _place(place: Related) -> list[str]:
    """Return what is said of another place, and its line if it is shown."""
    lines = [f"   = {_printable(place.message)} at {place.span}"]
    if place.source is not None and place.span.line:
        lines += _excerpt(place.span, place.source, ("", ""), "")
    return lines


def _excerpt(span: Span, text: str, paint: tuple[str, str], behind: str) -> list[str]:
    """Return a source line and the caret line below it, painted; `behind` follows the carets."""
    number = f"{span.line:>5}"
    start = min(span.column - 1, len(text))
    cut = max(0, start - _MAX_WIDTH // 2) if len(text) > _MAX_WIDTH else 0
    shown = _printable(text[cut : cut + _MAX_WIDTH].rstrip())
    pad = "".join(_blank(character) for character in text[cut:start])
    carets = "^" * max(1, min(span.length, len(shown) - (start - cut)))
    marks = f"{paint[0]}{carets}{paint[1]}{behind}"
    return [f"{number} | {shown}", f"{' ' * len(number)} | {pad}{marks}"]


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


_PLAIN = {
    "error": "",
    "unsupported": "",
    "warning": "",
    "note": "",
    "hint": "",
    "bold": "",
    "end": "",
}
_ANSI = {
    "error": "\x1b[31m",
    "unsupported": "\x1b[35m",
    "warning": "\x1b[33m",
    "note": "\x1b[36m",
    "hint": "\x1b[36m",
    "bold": "\x1b[1m",
    "end": "\x1b[0m",
}
