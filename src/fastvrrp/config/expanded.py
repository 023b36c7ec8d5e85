"""The text that is left to read when everything is included and expanded."""

from __future__ import annotations

from fastvrrp.config.diagnostics import Span
from fastvrrp.config.lines import Line, Reading

__all__ = ["Expanded"]


class Expanded:
    """Lines, and where each comes from. Numbers and columns start at 1, as in files.

    A text in which nothing is included or expanded is its own expansion: `of` is all there is.
    """

    def __init__(self, texts: list[str], of: Reading | list[Line]) -> None:
        self.texts = texts
        self._of = of

    def span(self, number: int, column: int, length: int) -> Span:
        """Return the place of a part of line `number` in the files, for a diagnostic."""
        if isinstance(self._of, Reading):
            return Span(self._of.source.name, number, column, max(1, length))
        return self._of[number - 1].span(column - 1, length)

    def indent(self, number: int) -> int:
        """Return the width of the blanks that line `number` starts with; tabs stop at every 8.

        That of an expanded line is how far the line is indented in which it is used.
        """
        if isinstance(self._of, Reading):
            text = self.texts[number - 1]
        else:
            origin = self._of[number - 1].outermost
            text = origin.reading.source.lines[origin.line - 1]
        return len(text[: len(text) - len(text.lstrip(" \t"))].expandtabs(8))

    def keep_secret(self, number: int) -> None:
        """Let no diagnostic show what line `number` says, nor anything that it was made of."""
        if isinstance(self._of, Reading):
            self._of.source.secret_lines.add(number)
        else:
            self._of[number - 1].keep_secret()
