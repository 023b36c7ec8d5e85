"""The text of each file, and the collector of what is wrong with the configuration."""

import errno
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

from fastvrrp.config.diagnostics import INCLUDED, Diagnostic, Related, Severity, Span
from fastvrrp.config.model import Reference
from fastvrrp.errors import ConfigError

__all__ = [
    "MAX_BYTES",
    "Report",
    "Source",
    "announces_secret",
    "make_source",
    "open_source",
    "read_file",
    "reason",
]

MAX_BYTES = 8 << 20
"""Bytes of one file; a thousand instances take less than one tenth of it."""

_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"

MAX_DIAGNOSTICS = 1000
"""Findings that are kept; what comes after them is only counted."""

MAX_SKIPPED = 10_000
"""Lines for other nodes that are kept."""

_MAX_MESSAGE = 300
"""Characters of a message; it may quote a word of any length."""

_SECRET_WORD = re.compile(r"(?i)pass|secret|hmac|key")
"""A word with this in it may be followed by a secret, in whatever block it stands."""

_DEFINITION = re.compile(r"[ \t]*\$\w+=")
"""The start of a definition, which is shown even if its value is a secret."""

_SEQUENCE = re.compile(r"[ \t]*~\w+\(?")
"""The start of a line that is repeated; a secret may stand before the word that announces it."""

_LIKE_A_KEYWORD = re.compile(r"(?i)[a-z_]*(auth|pass|hmac|key|type)[a-z_]*\Z")

_PUBLIC = frozenset({"authentication", "auth_type", "auth_pass", "auth_hmac", "AH", "PASS"})


class More(TypedDict, total=False):
    """The optional fields of `Diagnostic`."""

    hint: str | None
    context: str | None
    source: str | None
    related: Related | None


class Source:
    """One configuration text. `secret_lines` must be known before `line` is asked.

    `mode` are the permission bits of its file; 0 for a text without one.
    """

    def __init__(self, name: str, text: str, mode: int = 0) -> None:
        self.name = name
        self.text = text
        self.mode = mode
        self.secret_lines: set[int] = set()
        self._lines: list[str] | None = None
        self._shown: dict[int, str | None] = {}

    @property
    def lines(self) -> list[str]:
        """The lines as they are written, without their line ends."""
        if self._lines is None:
            self._lines = self.text.replace("\r\n", "\n").split("\n")
        return self._lines

    def line(self, number: int) -> str | None:
        """Return line `number` (1-based) as it may be shown: secrets are asterisks."""
        if number not in self._shown:
            self._shown[number] = self._masked(number)
        return self._shown[number]

    def may_hold_secret(self, number: int) -> bool:
        """Tell if something in a line is not to be shown."""
        return self.line(number) != self.lines[number - 1]

    def _masked(self, number: int) -> str | None:
        if not 1 <= number <= len(self.lines):
            return None
        text = self.lines[number - 1]
        start = _SEQUENCE.match(text)
        if start is not None and (number in self.secret_lines or announces_secret(text)):
            return start[0] + _stars(text[start.end() :])
        start = _DEFINITION.match(text)
        if start is not None and (number in self.secret_lines or announces_secret(start[0])):
            return start[0] + _stars(text[start.end() :])
        return _mask_block_line(text) if number in self.secret_lines else _mask_any_line(text)


def announces_secret(text: str) -> bool:
    """Tell if a text has a word that may be followed by a secret."""
    return _SECRET_WORD.search(text) is not None


def _stars(text: str) -> str:
    return re.sub(r"\S", "*", text)


def _mask_any_line(text: str) -> str:
    """Return a line with asterisks for what follows a word that announces a secret."""
    found = _SECRET_WORD.search(text)
    blank = re.compile(r"[ \t=]").search(text, found.end()) if found else None
    if blank is None:
        return text
    return text[: blank.start()] + _stars(text[blank.start() :])


def _mask_block_line(text: str) -> str:
    """Return a line of an authentication block; a first word stays if it looks like a keyword."""
    words = re.findall(r"[^\s{}]+", text)
    keep = set(_PUBLIC)
    if words and (len(words) > 1 or "{" in text) and _LIKE_A_KEYWORD.match(words[0]):
        keep.add(words[0])
    # A password may be any word, even one that is spelt like a keyword.
    head, keyword, tail = text.partition("auth_pass")
    shown = re.sub(r"[^\s{}]+", lambda m: m[0] if m[0] in keep else "*" * len(m[0]), head)
    return shown + keyword + _stars(tail)


def open_source(path: Path, report: "Report") -> Source | None:
    """Read a file; None, with an error reported, if that fails."""
    try:
        text, mode = read_file(path)
    except (OSError, ValueError) as error:
        span = Span(str(path), 0, 0, 0)
        report.error("FV001", f"the configuration cannot be read: {reason(error)}", span)
        return None
    return make_source(str(path), text, report, mode)


def read_file(path: Path) -> tuple[str, int]:
    """Return what is in a file, at most one byte more than MAX_BYTES, and its permission bits.

    Raises OSError, and ValueError for what is no file. Never waits: a FIFO may have no writer.
    """
    with open(
        os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb"
    ) as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise ValueError("it is not a regular file")
        text = file.read(MAX_BYTES + 1).decode("utf-8", errors="replace")
        return text, stat.S_IMODE(mode)


def reason(error: Exception) -> str:
    """Return why a file cannot be read."""
    return getattr(error, "strerror", None) or str(error)


def make_source(name: str, text: str, report: "Report", mode: int = 0) -> Source | None:
    """Return the source for a text, registered with `report`; None if the text is too large."""
    if len(text) > MAX_BYTES:
        report.error(
            "FV002",
            f"the configuration is larger than {MAX_BYTES >> 20} MiB",
            Span(name, 0, 0, 0),
            hint="is this the right file?",
        )
        return None
    source = Source(name, text.removeprefix(_BYTE_ORDER_MARK), mode)
    report.sources[name] = source
    if text.startswith(_BYTE_ORDER_MARK):
        report.warning(
            "FV011",
            "the file starts with a byte order mark, to keepalived a part of the first word",
            Span(name, 1, 1, 1),
            hint="save the file as UTF-8 without byte order mark (BOM)",
        )
    return source


class Report:
    """Collects findings; `finish` gives them in source order."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.failed = False
        self.references: list[Reference] = []
        self.skipped: list[tuple[Span, str]] = []
        self._found: list[Diagnostic] = []
        self._asides: list[Diagnostic] = []
        self._dropped: list[Severity] = []

    @property
    def count(self) -> int:
        """Findings so far."""
        return len(self._found) + len(self._dropped)

    def skip(self, span: Span, text: str) -> None:
        """Remember, in `skipped`, a line that is for other nodes; not all if there are many."""
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append((span, text))

    def error(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Add an error; `more` are the optional fields of `Diagnostic`."""
        self.failed = True
        self._add(Severity.ERROR, code, message, span, more)

    def warning(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Add a warning; `more` are the optional fields of `Diagnostic`."""
        self._add(Severity.WARNING, code, message, span, more)

    def unsupported(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Add what keeps the engine from running; `more` are the optional fields."""
        self._add(Severity.UNSUPPORTED, code, message, span, more)

    def note(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Add a note; `more` are the optional fields of `Diagnostic`."""
        self._add(Severity.NOTE, code, message, span, more)

    def aside(
        self, severity: Severity, code: str, message: str, span: Span, hint: str | None
    ) -> None:
        """Add what explains another finding at the same place; if there is none, it is told once.

        It is no error.
        """
        if len(self._asides) < MAX_DIAGNOSTICS:
            self._asides.append(
                Diagnostic(severity=severity, code=code, message=message, span=span, hint=hint)
            )

    def _add(
        self,
        severity: Severity,
        code: str,
        message: str,
        span: Span,
        more: More,
    ) -> None:
        if len(self._found) >= MAX_DIAGNOSTICS:
            self._dropped.append(severity)
            return
        if len(message) > _MAX_MESSAGE:
            message = f"{message[:_MAX_MESSAGE]}…"
        found = Diagnostic(severity=severity, code=code, message=message, span=span, **more)
        self._found.append(found)

    def finish(self) -> tuple[Diagnostic, ...]:
        """Return everything found, in the order of reading, each with its (masked) source line."""
        order = {name: index for index, name in enumerate(self.sources)}
        found = sorted(
            map(self._with_source, self._explained()), key=lambda d: _order(d.span, order)
        )
        if self._dropped:
            found.append(
                Diagnostic(
                    severity=max(self._dropped, key=list(Severity).index),
                    code="FV002",
                    message=f"{len(self._dropped)} more findings are not shown",
                    span=Span(found[-1].span.file, 0, 0, 0),
                )
            )
        return tuple(found)

    def _explained(self) -> list[Diagnostic]:
        """Return all findings; asides have become hints of others where there are others."""
        found = list(self._found)
        at: dict[tuple[str, int], list[int]] = {}
        for index, one in enumerate(found if self._asides else ()):
            at.setdefault((one.span.file, one.span.line), []).append(index)
        told: set[tuple[str, str]] = set()
        for aside in self._asides:
            near = at.get((aside.span.file, aside.span.line), ())
            other = next((index for index in near if _explains(aside, found[index])), None)
            if other is not None:
                found[other] = _with_aside(found[other], aside)
            elif (aside.code, aside.message) not in told:
                told.add((aside.code, aside.message))
                found.append(aside)
        return found

    def hides(self, span: Span, word: str) -> bool:
        """Tell if a word is a secret where it stands, or where it was expanded from."""
        places = (span, *(place.span for place in span.via if place.message != INCLUDED))
        return any(self._hides(place, word) for place in places)

    def _hides(self, span: Span, word: str) -> bool:
        source = self.sources.get(span.file)
        if source is None or not 1 <= span.line <= len(source.lines):
            return False
        return source.may_hold_secret(span.line) and word not in (source.line(span.line) or "")

    def precedes(self, one: Span, other: Span) -> bool:
        """Tell if a place is read before another."""
        if one.file == other.file and not one.via and not other.via:
            return (one.line, one.column) < (other.line, other.column)
        order = {name: index for index, name in enumerate(self.sources)}
        return _order(one, order) < _order(other, order)

    def raise_if_failed(self) -> tuple[Diagnostic, ...]:
        """Return the warnings, or raise ConfigError with everything if there is an error."""
        found = self.finish()
        if self.failed:
            raise ConfigError(found)
        return found

    def _with_source(self, found: Diagnostic) -> Diagnostic:
        """Return a finding with its line, and those of the definitions that it came from."""
        span = found.span
        if span.via:
            span = replace(span, via=tuple(map(self._shown, span.via)))
        return replace(found, span=span, source=self._line(span))

    def _shown(self, place: Related) -> Related:
        return place if place.message == INCLUDED else replace(place, source=self._line(place.span))

    def _line(self, span: Span) -> str | None:
        source = self.sources.get(span.file)
        return source.line(span.line) if source is not None and span.line else None


def _with_aside(found: Diagnostic, aside: Diagnostic) -> Diagnostic:
    """Return a finding with what explains it as its hint."""
    hint = f"{aside.message}; {aside.hint}" if aside.hint else aside.message
    severity = aside.severity if found.severity is Severity.NOTE else found.severity
    return replace(found, hint=hint, severity=severity)


def _explains(aside: Diagnostic, found: Diagnostic) -> bool:
    """Tell if an aside is about a word that a finding about values and keywords is about."""
    inner, outer = aside.span, found.span
    overlap = (
        inner.column < outer.column + outer.length and outer.column < inner.column + inner.length
    )
    return overlap and found.code >= "FV1"


def _order(span: Span, files: dict[str, int]) -> tuple[int, list[tuple[int, int]]]:
    """Return what sorts findings as they are read: an included file at the place of its include."""
    places = [span]
    for place in span.via:
        if place.message == INCLUDED:
            places.insert(0, place.span)
    inner = [place.span for place in span.via if place.message != INCLUDED]
    way = [(place.line, place.column) for place in (*places, *reversed(inner))]
    return files.get(places[0].file, -1), way
