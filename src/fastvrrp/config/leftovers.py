"""What looks like the use of a definition and is none; keepalived says nothing of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastvrrp.config.definitions import Definitions, Left, Why
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.source import MAX_DIAGNOSTICS

if TYPE_CHECKING:
    from fastvrrp.config.lines import Line
    from fastvrrp.config.source import Report

__all__ = ["Leftovers"]

_MAX_SUGGESTIONS = 50
"""Did-you-mean takes a millisecond each; the first ones are enough for a person."""

_LONGEST_NAME = 64
"""Characters of a name that did-you-mean is asked for."""


class Leftovers:
    """What looks like the use of a definition and is none.

    It is told when it is known which lines hold secrets: a password may look like a use.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._found: list[tuple[Line, Left]] = []
        self._suggestions = 0

    def add(self, line: Line) -> None:
        """Remember what is left in a line."""
        if len(self._found) < MAX_DIAGNOSTICS and not _runs_shell(line.text):
            self._found += ((line, left) for left in self._definitions.left(line))

    def tell(self, report: Report) -> None:
        """Report everything, once all is read."""
        names = self._definitions.names
        for line, left in self._found:
            span = line.span(left.start, left.end - left.start)
            secret = report.sources[span.file].may_hold_secret(span.line)
            code, message = _about("this name" if secret else left.name, left.why)
            splits = _splits(line.text, left.start)
            if splits:
                message += "; keepalived takes its braces as those of a block"
            hint = None if secret else self._hint(line, left, names)
            severity = Severity.WARNING if splits else Severity.NOTE
            report.aside(severity, code, message, span, hint)

    def _hint(self, line: Line, left: Left, names: tuple[str, ...]) -> str | None:
        name = left.name
        if left.why is Why.NOT_LAST:
            return None
        if left.why is not Why.UNDEFINED:
            return f"write ${{{name}{' NAME' if name == '_ENV' else ''}}}"
        if re.match(r"[ \t]*=", line.text[left.end :]) and not left.start:
            return f"write ${name}=value, without blanks before ="
        if name in names:
            return "a definition counts for the lines below it: move it up"
        self._suggestions += 1
        if self._suggestions > _MAX_SUGGESTIONS or len(name) > _LONGEST_NAME:
            return None
        from difflib import get_close_matches  # noqa: PLC0415  (needed for mistakes only)

        near = get_close_matches(name, names, n=1, cutoff=0.7)
        return f"did you mean ${{{near[0]}}}?" if near else f"define it above: ${name}=value"


def _about(name: str, why: Why) -> tuple[str, str]:
    if why is Why.UNDEFINED:
        return "FV013", f"{name} is not defined, so this stays as it is written"
    if why is Why.FOLLOWED:
        return "FV014", f"{name} is not replaced here because of the character behind it"
    if why is Why.ARGUMENTS:
        return "FV014", f"{name} is not replaced here because of the words behind it"
    return "FV015", f"{name} has several lines, so it is replaced only at the end of a line"


def _splits(text: str, at: int) -> bool:
    """Tell if keepalived splits the line at the braces of what looks like a use."""
    return text.startswith("{", at + 1) and text.count('"', 0, at) % 2 == 0


def _runs_shell(text: str) -> bool:
    """Tell if a line hands a text to a shell, whose variables look like uses."""
    return "sh" in text and re.search(r"sh[\"']?[ \t]+-\w*c\b", text) is not None
