"""Files to the text that is read: conditional lines, definitions, sequences and includes.

Each line goes through these steps, and what it becomes goes through them again:

1. a line that is too long or holds a NUL byte is dropped, a comment is cut off;
2. a line of an open definition is added to it;
3. `@id`, `@^id`: the line is dropped, or goes on without it;
4. `$NAME=value` is stored;
5. `~SEQ`, `~LST`: the line is repeated;
6. `$NAME`, `${NAME}` are replaced;
7. `include` reads files.

keepalived does these in the same order. What follows a brace is a line of its own for it, so these
steps are also taken behind a brace.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fastvrrp.config.definitions import Definitions
from fastvrrp.config.diagnostics import INCLUDED, Related, Span
from fastvrrp.config.expanded import Expanded
from fastvrrp.config.includes import (
    INCLUDE,
    OF_LETTER,
    Check,
    Matches,
    Refused,
    changed,
    is_within,
    matches,
    why_skipped,
)
from fastvrrp.config.leftovers import Leftovers
from fastvrrp.config.lines import Line, Origin, Reading
from fastvrrp.config.sequences import Malformed, is_sequence, sequence
from fastvrrp.config.source import Source, announces_secret, make_source, read_file, reason

if TYPE_CHECKING:
    from fastvrrp.config.source import Report

__all__ = ["INCLUDE_ERRORS", "Around", "expand"]

INCLUDE_ERRORS = frozenset({"FV020", "FV021", "FV022", "FV023"})
"""Codes of includes; as errors they keep keepalived from starting, with exit status 6."""

MAX_LINE = 1022
"""Bytes of a line as it is written; keepalived drops longer ones."""

MAX_EXPANDED_LINE = 1023
"""Bytes of a line in which definitions are replaced."""

MAX_DEPTH = 32
"""Definitions within definitions, sequences within sequences, files within files."""

MAX_USES = 100_000
"""Uses of definitions that are replaced, and lines that sequences and definitions make."""

MAX_FILES = 10_000
"""Files that are read, each as often as it is included."""

MAX_TOTAL = 32 << 20
"""Characters of all lines that are left to read."""

_UTF8 = 4
"""Bytes of a character, at most."""

_SPECIAL = re.compile(r"\$|(?:^|[{}])[ \t]*(?:[@~]|include[rmwba]?[ \t])", re.MULTILINE)
"""What only text has that something is included in, or expanded."""

_CODE = re.compile(r"(?:[^\"#!\\]|\\[#!]?|\"[^\"]*(?:\"|\Z))*")
"""A line without its comment."""

_CONDITION = re.compile(r"@(\^?)([^ \t]*)[ \t]+(?=[^ \t])")
_BEHIND_BRACE = re.compile(r"\"[^\"]*(?:\"|\Z)|[{}][ \t]*(?=[@~]|\$\w+=|include[rmwba]?[ \t])")
_SETTING = re.compile(r"(?:^|\{)[ \t]*(include_check|random_seed)(?![^ \t#!}])([^#!}]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a configuration is read with; the defaults are those of the host.

    `root`: includes stay below this directory. `checks`: what is an error in an include.
    """

    config_id: str = field(default_factory=lambda: os.uname().nodename.partition(".")[0])
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    root: Path | None = None
    checks: Check = Check.NONE


def expand(
    sources: Iterable[tuple[Source, Path]], around: Around, report: Report
) -> tuple[Expanded, Leftovers | None]:
    """Return the text to read, given files and the directories that their includes start from."""
    readings = [Reading(source, directory) for source, directory in sources]
    if len(readings) == 1 and not _is_special(readings[0].source.text):
        return Expanded(_sound_lines(readings[0], report), readings[0]), None
    expander = _Expander(around, report)
    expander.run(readings)
    return Expanded([line.text for line in expander.lines], expander.lines), expander.leftovers


def _is_special(text: str) -> bool:
    """Tell if there may be something to include or to expand."""
    may_be = "$" in text or "@" in text or "~" in text or "include" in text
    return may_be and _SPECIAL.search(text) is not None


def _sound_lines(reading: Reading, report: Report) -> list[str]:
    """Return the lines of a file; those that keepalived drops are empty."""
    lines = reading.source.lines
    if max(map(len, lines)) * _UTF8 <= MAX_LINE and "\0" not in reading.source.text:
        return lines
    return [
        text if _is_sound(text, reading, number, report) else ""
        for number, text in enumerate(lines, 1)
    ]


def _is_sound(text: str, reading: Reading, number: int, report: Report) -> bool:
    """Tell if a line is read, report if it is not."""
    name = reading.source.name
    if "\0" in text:
        message = "there is a NUL byte in this line; the line is skipped"
        span = Span(name, number, text.index("\0") + 1, 1, via=reading.via)
        report.warning("FV003", message, span, hint="is this a text file?")
        return False
    size = _size(text)
    if size > MAX_LINE:
        message = f"this line has {size} bytes; it is skipped, as are all of more than {MAX_LINE}"
        span = Span(name, number, 1, 1, via=reading.via)
        report.warning("FV012", message, span, hint="split it, or shorten its comment")
        return False
    return True


def _size(text: str) -> int:
    """Return how many bytes a line has; without looking, if it cannot be too many."""
    return len(text) if len(text) * _UTF8 <= MAX_LINE else len(text.encode("utf-8", "replace"))


def _code(line: Line) -> Line:
    """Return a line without its comment and the blanks at its ends."""
    found = _CODE.match(line.text)
    assert found is not None, "the pattern matches any text"
    return line.cut(0, found.end()).strip()


def _dropped(line: Line) -> Span:
    """Return the place of a line that is not read on, so that nobody else looks for secrets."""
    if announces_secret(line.text):
        line.keep_secret()
    return line.span(0, len(line.text))


class _TooMuch(Exception):
    """A limit is reached; nothing more is read."""


class _Rest(tuple[Line, ...]):
    """What follows a brace; it is nested no deeper than the line."""

    __slots__ = ()


class _Expander:
    """Takes lines through the steps; what is left to read is in `lines`."""

    def __init__(self, around: Around, report: Report) -> None:
        self.lines: list[Line] = []
        self._around = around
        self._report = report
        self._definitions = Definitions(
            around.config_id, around.environ, self._count_use, self._tell_random
        )
        self.leftovers = Leftovers(self._definitions)
        self._checks = around.checks
        self._uses = self._total = self._files = 0
        self._line = Line("", ())
        self._sources: dict[str, Source] = {}
        self._open: list[tuple[Path, str]] = []

    def run(self, readings: Iterable[Reading]) -> None:
        """Read files as if they were one."""
        try:
            for reading in readings:
                self._open = [(_resolved(reading.source.name), reading.source.name)]
                self._read(reading)
        except _TooMuch as limit:
            self._report.error("FV002", f"{limit}; the rest is not read", _dropped(self._line))

    def _read(self, reading: Reading) -> None:
        """Take each line of a file through the steps."""
        for number, text in enumerate(reading.source.lines, 1):
            if not _is_sound(text, reading, number, self._report):
                continue
            line = Line(text, ((0, Origin(reading, number, 1)),))
            if self._definitions.is_open or _SPECIAL.search(text):
                self._take(line, reading)
            else:
                self._keep(line)
        cut_off = self._definitions.close()
        if cut_off is not None:
            message = "this definition goes on to the end of the file"
            hint = "its last line must not end with \\"
            self._report.note("FV016", message, _dropped(cut_off), hint=hint)

    def _take(self, line: Line, reading: Reading) -> None:
        """Take a line through the steps, and what comes of it, in order."""
        stack: list[tuple[Iterator[Line], int]] = [(iter((line,)), 0)]
        while stack:
            lines, depth = stack[-1]
            one = next(lines, None)
            if one is None:
                stack.pop()
            elif depth > MAX_DEPTH:
                self._tell_endless(one)
                stack.pop()
            else:
                self._line = one
                more = self._step(one, reading)
                is_rest = isinstance(more, _Rest)
                stack.append((iter(more), depth if is_rest else depth + 1))

    def _step(self, line: Line, reading: Reading) -> Iterable[Line]:
        """Take a line through the steps once; return what must go through them again."""
        line = _code(line)
        if self._definitions.is_open and line.text:
            self._definitions.go_on(line)
            return ()
        if line.text.startswith("@"):
            line = self._conditional(line)
        if not line.text or self._definitions.start(line):
            return ()
        if is_sequence(line.text):
            return self._repeated(line, reading)
        replaced = self._definitions.replace(line, reading)
        if replaced is None:
            return self._included(line, reading)
        return self._again(replaced, reading)

    def _conditional(self, line: Line) -> Line:
        """Return a line without its condition, empty if that does not hold."""
        found = _CONDITION.match(line.text)
        if found is None:
            hint = "write it in front of the line that is for this host only, on the same line"
            self._report.note("FV027", "no line follows this condition", line.span(0, 1), hint=hint)
            return line.cut(0, 0)
        if (found[2] == self._around.config_id) is bool(found[1]):
            self._report.skip(line.span(0, len(line.text)), line.text[found.end() :])
            return line.cut(0, 0)
        return line.cut(found.end())

    def _repeated(self, line: Line, reading: Reading) -> Iterator[Line]:
        """Yield the lines of a sequence, each when its variables are set."""

        def expanded(part: Line) -> Line:
            for _ in range(MAX_DEPTH):
                replaced = self._definitions.replace(part, reading)
                if replaced is None or len(replaced) > 1:
                    break
                (part,) = replaced
            return part

        try:
            repeat = sequence(line, expanded)
        except Malformed as malformed:
            span = line.span(malformed.start, malformed.end - malformed.start)
            message = f"{malformed}; the line is skipped"
            self._report.warning("FV017", message, span, hint=malformed.hint)
            return
        for values in repeat.rounds:
            self._count_use()
            for name, value in values:
                self._definitions.set(name, value)
            if repeat.text.text:
                yield repeat.text

    def _again(self, replaced: list[Line], reading: Reading) -> Iterable[Line]:
        """Return lines whose definitions are replaced as far as they need the steps again."""
        if len(replaced) > 1:
            for _ in replaced:
                self._count_use()
            return [line for line in replaced if self._fits(line)]
        (line,) = replaced
        if not self._fits(line):
            return ()
        if "$" in line.text or line.text.startswith("@"):
            return replaced
        return self._included(_code(line), reading)

    def _fits(self, line: Line) -> bool:
        """Tell if a line is short enough with its definitions replaced, report if it is not."""
        if len(line.text) * _UTF8 <= MAX_LINE or _size(line.text) <= MAX_EXPANDED_LINE:
            return True
        message = (
            "with its definitions replaced, this line has more than"
            f" {MAX_EXPANDED_LINE} bytes; it is skipped"
        )
        self._report.warning("FV012", message, _dropped(line))
        return False

    def _included(self, line: Line, reading: Reading) -> Iterable[Line]:
        """Read what a line includes, or keep it; return what follows a brace in it."""
        if INCLUDE.match(line.text):
            self._include(line, reading)
            return ()
        for found in _BEHIND_BRACE.finditer(line.text):
            if found[0] and found[0][0] in "{}":
                self._keep(line.cut(0, found.end()))
                return _Rest((line.cut(found.end()),))
        self._keep(line)
        return ()

    def _keep(self, line: Line) -> None:
        """Add a line to what is left to read."""
        self._total += len(line.text) + 1
        if self._total > MAX_TOTAL:
            self._line = line
            raise _TooMuch(f"the whole configuration is larger than {MAX_TOTAL >> 20} MiB")
        self.lines.append(line)
        if "$" in line.text:
            self.leftovers.add(line)
        if "include_check" in line.text or "random_seed" in line.text:
            self._set(line.text)

    def _set(self, text: str) -> None:
        """Do what concerns this stage in `global_defs`; the values are checked elsewhere."""
        found = _SETTING.search(text)
        if found is None:
            return
        words = found[2].split()
        if found[1] == "include_check":
            self._checks = changed(self._checks, words)
        elif words and words[0].isdecimal():
            self._definitions.random.seed(words[0])

    def _count_use(self) -> None:
        self._uses += 1
        if self._uses > MAX_USES:
            raise _TooMuch(f"definitions and sequences make more than {MAX_USES} texts")

    def _tell_random(self, line: Line, start: int, end: int, what: str) -> None:
        span = line.span(start, end - start)
        hint = "write ${_RANDOM 1 100} for a number from 1 to 100"
        self._report.warning("FV018", f"_RANDOM {what}", span, hint=hint)

    def _tell_endless(self, line: Line) -> None:
        message = f"definitions or sequences are nested more than {MAX_DEPTH} deep here"
        hint = "a definition must not use itself, nor one that uses it"
        self._report.error("FV019", message, _dropped(line), hint=hint)

    def _include(self, line: Line, reading: Reading) -> None:
        """Read the files that a line includes."""
        found = INCLUDE.match(line.text)
        assert found is not None, "only called for includes"
        checks = OF_LETTER[found[1]] if found[1] else self._checks
        pattern = line.text[found.end() :]
        span = line.span(found.end(), len(pattern))
        try:
            matched = matches(pattern, reading.directory, self._around.root)
        except Refused as refused:
            self._report.error(refused.code, str(refused), span)
            return
        self._tell_missing(matched, checks, span)
        included = Related(INCLUDED, replace(line.span(0, len(line.text)), via=()))
        for path in matched.paths:
            why = why_skipped(path)
            if why is None:
                why = self._read_file(path, span, (included, *reading.via))
            if why is not None:
                tell = self._report.error if Check.READ in checks else self._report.note
                tell("FV021", f"{path} {why}; it is skipped", span, hint=_HINTS.get(why))

    def _tell_missing(self, matched: Matches, checks: Check, span: Span) -> None:
        """Report alternatives of a pattern that name nothing, if that is worth a word."""
        if not matched.missing:
            return
        wild = matched.has_wildcards
        bad = bool(matched.paths) and Check.BRACE_MATCH in checks
        if not matched.paths:
            bad = (Check.WILDCARD_MATCH if wild else Check.MATCH) in checks
            bad = bad or (Check.BRACE_MATCH in checks and len(matched.alternatives) > 1)
        if bad or not wild:
            tell = self._report.error if bad else self._report.note
            hint = "write the name without quotes" if '"' in matched.missing[0] else None
            tell("FV020", f"there is no file {matched.missing[0]}", span, hint=hint)

    def _read_file(self, path: Path, span: Span, via: tuple[Related, ...]) -> str | None:
        """Read an included file; return why it cannot be read, None if it was or was refused."""
        real, name = path.resolve(), str(path)
        root = self._around.root
        if root is not None and not is_within(real, root):
            self._report.error("FV023", f"{name} is outside of {root}", span)
            return None
        if any(real == one for one, _ in self._open):
            chain = " includes ".join([*(one for _, one in self._open), name])
            hint = "remove the include that leads back"
            self._report.error("FV022", f"these includes never end: {chain}", span, hint=hint)
            return None
        self._files += 1
        if len(self._open) > MAX_DEPTH or self._files > MAX_FILES:
            raise _TooMuch(
                f"more than {MAX_FILES} files are included, or more than {MAX_DEPTH} in each other"
            )
        try:
            source = self._sources.get(name) or self._opened(name, real)
        except (OSError, ValueError) as error:
            return f"cannot be read: {reason(error)}"
        if source is not None:
            self._sources[name] = source
            self._open.append((real, name))
            checks = self._checks
            self._read(Reading(source, path.parent, via))
            self._checks = checks
            self._open.pop()
        return None

    def _opened(self, name: str, path: Path) -> Source | None:
        text, mode = read_file(path)
        return make_source(name, text, self._report, mode)


_HINTS = {"is executable": "keepalived does not include executable files: chmod a-x"}


def _resolved(name: str) -> Path:
    """Return the path of a file; of a text that has only a name, something that no file is."""
    try:
        return Path(name).resolve()
    except (OSError, ValueError):
        return Path()
