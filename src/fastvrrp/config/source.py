"""The text of one file, and the collector of what is wrong with it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

from fastvrrp.config.diagnostics import Diagnostic, Related, Severity, Span
from fastvrrp.errors import ConfigError

__all__ = ["MAX_BYTES", "Report", "Source", "open_source"]

MAX_BYTES = 8 << 20
"""Bytes of one file; a thousand instances take less than one tenth of it."""

MAX_DIAGNOSTICS = 1000
"""Findings that are kept; what comes after them is only counted."""

_MAX_MESSAGE = 300
"""Characters of a message; it may quote a word of any length."""

_SECRET_WORD = re.compile(r"(?i)pass|secret|hmac|key")
"""A word with this in it may be followed by a secret, in whatever block it stands."""

_PUBLIC = frozenset({"authentication", "auth_type", "auth_pass", "auth_hmac", "AH", "PASS"})


class More(TypedDict, total=False):
    """The optional fields of `Diagnostic`."""

    hint: str | None
    context: str | None
    source: str | None
    related: Related | None


class Source:
    """One configuration text. `secret_lines` must be known before `line` is asked."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.secret_lines: set[int] = set()
        self._lines: list[str] | None = None
        self._shown: dict[int, str | None] = {}

    def line(self, number: int) -> str | None:
        """Return line `number` (1-based) as it may be shown: secrets are asterisks."""
        if number not in self._shown:
            self._shown[number] = self._masked(number)
        return self._shown[number]

    def _masked(self, number: int) -> str | None:
        text = self._raw(number)
        if text is None:
            return None
        return _mask_block_line(text) if number in self.secret_lines else _mask_any_line(text)

    def _raw(self, number: int) -> str | None:
        if self._lines is None:
            self._lines = self.text.split("\n")
        known = 1 <= number <= len(self._lines)
        return self._lines[number - 1].rstrip("\r") if known else None

    def indent(self, number: int) -> int:
        """Return the width of the blanks that line `number` starts with; tabs stop at every 8."""
        text = self._raw(number) or ""
        return len(text[: len(text) - len(text.lstrip(" \t"))].expandtabs(8))


def _mask_any_line(text: str) -> str:
    """Return a line with asterisks for what follows a word that announces a secret."""
    found = _SECRET_WORD.search(text)
    blank = re.compile(r"[ \t]").search(text, found.end()) if found else None
    if blank is None:
        return text
    return text[: blank.start()] + re.sub(r"\S", "*", text[blank.start() :])


def _mask_block_line(text: str) -> str:
    """Return a line of an authentication block; a first word stays if it looks like a keyword."""
    words = text.split()
    keep = _PUBLIC | ({words[0]} if len(words) > 1 and words[0].isidentifier() else set())
    # A password may be any word, even one that is spelt like a keyword.
    head, keyword, tail = text.partition("auth_pass")
    shown = re.sub(r"[^\s{}]+", lambda m: m[0] if m[0] in keep else "*" * len(m[0]), head)
    return shown + keyword + re.sub(r"\S", "*", tail)


def open_source(path: Path, report: "Report") -> Source | None:
    """Read a file; None, with an error reported, if that fails."""
    whole_file = Span(str(path), 0, 0, 0)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        report.error("FV001", f"the configuration cannot be read: {reason}", whole_file)
        return None
    return make_source(str(path), data.decode("utf-8-sig", errors="replace"), report)


def make_source(name: str, text: str, report: "Report") -> Source | None:
    """Return the source for a text, registered with `report`; None if the text is too large."""
    if len(text) > MAX_BYTES:
        report.error(
            "FV002",
            f"the configuration is larger than {MAX_BYTES >> 20} MiB",
            Span(name, 0, 0, 0),
            hint="is this the right file?",
        )
        return None
    source = Source(name, text)
    report.sources[name] = source
    return source


class Report:
    """Collects findings; `finish` gives them in source order."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.failed = False
        self._found: list[Diagnostic] = []
        self._dropped = 0

    @property
    def count(self) -> int:
        """Findings so far."""
        return len(self._found) + self._dropped

    def error(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Add an error; `more` are the optional fields of `Diagnostic`."""
        self.failed = True
        self._add(Severity.ERROR, code, message, span, more)

    def warning(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Add a warning; `more` are the optional fields of `Diagnostic`."""
        self._add(Severity.WARNING, code, message, span, more)

    def _add(
        self,
        severity: Severity,
        code: str,
        message: str,
        span: Span,
        more: More,
    ) -> None:
        if len(self._found) >= MAX_DIAGNOSTICS:
            self._dropped += 1
            return
        if len(message) > _MAX_MESSAGE:
            message = f"{message[:_MAX_MESSAGE]}…"
        found = Diagnostic(severity=severity, code=code, message=message, span=span, **more)
        self._found.append(found)

    def finish(self) -> tuple[Diagnostic, ...]:
        """Return everything found, in source order, each with its (masked) source line."""
        order = {name: index for index, name in enumerate(self.sources)}
        found = sorted(
            (self._with_source(d) for d in self._found),
            key=lambda d: (order.get(d.span.file, -1), d.span.line, d.span.column),
        )
        if self._dropped:
            found.append(
                Diagnostic(
                    severity=Severity.ERROR if self.failed else Severity.WARNING,
                    code="FV002",
                    message=f"{self._dropped} more findings are not shown",
                    span=Span(found[-1].span.file, 0, 0, 0),
                )
            )
        return tuple(found)

    def raise_if_failed(self) -> tuple[Diagnostic, ...]:
        """Return the warnings, or raise ConfigError with everything if there is an error."""
        found = self.finish()
        if self.failed:
            raise ConfigError(found)
        return found

    def _with_source(self, found: Diagnostic) -> Diagnostic:
        source = self.sources.get(found.span.file)
        if source is None or not found.span.line:
            return found
        return replace(found, source=source.line(found.span.line))
