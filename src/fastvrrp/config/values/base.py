"""What reads a value, and the words that it reads from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model import Reference, ReferenceKind

if TYPE_CHECKING:
    from fastvrrp.config.reader import Statement, Word
    from fastvrrp.config.source import Report

__all__ = ["Args", "Kind", "Rejected", "quoted"]


class Rejected(Exception):
    """A value cannot be used: it is reported, and what was before stays.

    `fatal`: keepalived does not run with it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        hint: str | None = None,
        *,
        fatal: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.hint = hint
        self.fatal = fatal

    def leaving_out(self, what: str) -> Rejected:
        """Return itself, with a message that tells what is not used because of it."""
        if not self.fatal:
            self.message = f"{self.message}; the {what} is left out"
        return self


class Args:
    """The words behind a keyword, taken one by one.

    `entry_of`: the statement is a line that has no keyword of its own, of the block of this name.
    """

    def __init__(
        self,
        statement: Statement,
        report: Report,
        context: str | None,
        *,
        entry_of: str | None = None,
    ) -> None:
        self.statement = statement
        self._row = entry_of or statement.keyword
        self._report = report
        self._context = context
        self._is_entry = entry_of is not None
        self._next = 0 if self._is_entry else 1

    @property
    def keyword(self) -> str:
        """The first word of the statement."""
        return self.statement.keyword

    def take(self, what: str) -> Word:
        """Return the next word; `what` it is said to be if it is missing."""
        if self._next >= len(self.statement.words):
            last = self.statement.words[-1]
            message = f"{what} is missing after {last.text}"
            raise Rejected("FV102", message, last.span, fatal=not self._is_entry)
        self._next += 1
        return self.statement.words[self._next - 1]

    def peek(self) -> str | None:
        """Return the text of the next word, or None if there is none."""
        words = self.statement.words
        return words[self._next].text if self._next < len(words) else None

    def rest(self) -> tuple[Word, ...]:
        """Return the words that nobody took."""
        return self.statement.words[self._next :]

    def drop_rest(self) -> None:
        """Leave the remaining words alone without a word about them."""
        self._next = len(self.statement.words)

    def warn(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        """Report what keepalived reports as well, and what does not keep the value from use."""
        self._report.warning(code, message, span, hint=hint, context=self._context)

    def note(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        """Report what keepalived takes without a word, and the author may not have meant."""
        self._report.note(code, message, span, hint=hint, context=self._context)

    def unsupported(self, message: str, span: Span, hint: str | None = None) -> None:
        """Report what the engine cannot do yet, and must not run without."""
        self._report.unsupported("FV111", message, span, hint=hint, context=self._context)

    def refer(self, kind: ReferenceKind, name: str, span: Span) -> None:
        """Remember that the host must have what a word names."""
        self._report.references.append(
            Reference(kind=kind, name=name, keyword=self._row, span=span)
        )


class Kind(Protocol):
    """What all kinds of values have in common."""

    def read(self, args: Args) -> object:
        """Return the value, or raise Rejected."""

    def write(self, value: Any) -> str | None:  # noqa: ANN401 - what `read` of the same kind returns
        """Return the words that `read` makes this value of; None: this keyword cannot say it."""

    def describe(self) -> str:
        """Return the form of the value for documentation."""

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema of the value in the JSON form of the model."""


def quoted(text: str) -> str:
    """Return a word as it must be written to be read as `text`.

    Raises ValueError for what no configuration can say: a quote, a line break.
    """
    if any(character in text for character in "\n\r\0"):
        raise ValueError("a word of a configuration holds no line break and no NUL")
    if '"' in text:
        raise ValueError('a word of a configuration cannot hold "')
    if _PREDEFINED.search(text):
        raise ValueError("this word would be taken as a predefined name such as ${_PWD}")
    return text if text and not _SPECIAL.search(text) else f'"{text}"'


_SPECIAL = re.compile(r"[ \t\f\v#!{}$@~\\]")
_PREDEFINED = re.compile(r"\$\{?_(?:PWD|INSTANCE|RANDOM|ENV|HASH|BANG)(?![A-Za-z0-9_])")
