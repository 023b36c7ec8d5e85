"""`include PATTERN` and its variants: which files a pattern names, and what is an error.

A pattern is one of glob(7), with `{a,b}` besides; its matches are read in sorted order, directories
and executable files are skipped. What is only told for `include` is an error for the others:

    includer   a file that is named and cannot be read
    includem   that, and a pattern without wildcards that names nothing
    includew   all that, and a pattern with wildcards that names nothing
    includeb   a `{}` alternative that names nothing
    includea   all of these

`include_check` in `global_defs` sets what is an error for `include` itself.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from enum import Flag, auto
from glob import glob
from pathlib import Path

__all__ = [
    "INCLUDE",
    "OF_LETTER",
    "Check",
    "Matches",
    "Refused",
    "changed",
    "is_within",
    "matches",
    "why_skipped",
]

INCLUDE = re.compile(r"include([rmwba]?)[ \t]+(?=[^ \t])")

_MAX_ALTERNATIVES = 1000
_MAX_NESTING = 16
_WILD = re.compile(r"[*?\[]")
_ESCAPED = re.compile(r"\\(.)")


class Refused(Exception):
    """A pattern is not even looked for."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Check(Flag):
    """What is an error in an `include`; the names are those of `include_check`."""

    NONE = 0
    READ = auto()
    MATCH = auto()
    WILDCARD_MATCH = auto()
    BRACE_MATCH = auto()
    ALL = READ | MATCH | WILDCARD_MATCH | BRACE_MATCH


OF_LETTER = {
    "r": Check.READ,
    "m": Check.READ | Check.MATCH,
    "w": Check.READ | Check.MATCH | Check.WILDCARD_MATCH,
    "b": Check.BRACE_MATCH,
    "a": Check.ALL,
}


def changed(checks: Check, words: list[str]) -> Check:
    """Return what `include_check WORDS` makes of `checks`; unknown words change nothing."""
    if not words:
        return Check.ALL
    if any(word[:1] not in "+-" for word in words):
        checks = Check.NONE
    for word in words:
        bit = Check.__members__.get(word.lstrip("+-").upper(), Check.NONE)
        checks = checks & ~bit if word.startswith("-") else checks | bit
    return checks


@dataclass(frozen=True, slots=True)
class Matches:
    """The files that a pattern names, and those of its alternatives that name none."""

    paths: tuple[Path, ...]
    alternatives: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def has_wildcards(self) -> bool:
        """True if a pattern that names nothing may be meant so."""
        return any(_WILD.search(_ESCAPED.sub("", one)) for one in self.alternatives)


def matches(pattern: str, directory: Path, root: Path | None) -> Matches:
    """Return what a pattern names, or raise Refused; only what is below `root` is looked for."""
    alternatives = tuple(_alternatives(pattern, 0))
    paths: list[Path] = []
    missing: list[str] = []
    for one in alternatives:
        if root is not None and _may_leave(one, directory, root):
            raise Refused("FV023", f"{one} is outside of {root}")
        found = sorted(glob(_as_python(one), root_dir=directory))
        paths += (directory / name for name in found)
        if not found:
            missing.append(one)
    return Matches(tuple(paths), alternatives, tuple(missing))


def why_skipped(path: Path) -> str | None:
    """Return what keeps a file that exists from being included, or None."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISDIR(mode):
        return "is a directory"
    if not stat.S_ISREG(mode):
        return "is not a regular file"
    return "is executable" if mode & 0o111 else None


def is_within(path: Path, root: Path) -> bool:
    """Tell if a file is below `root` once all symbolic links are followed."""
    return path.resolve().is_relative_to(root.resolve())


def _may_leave(pattern: str, directory: Path, root: Path) -> bool:
    """Tell if a pattern can name something outside of `root`, symbolic links in matches aside."""
    parts = Path(pattern).parts
    wild = next((at for at, part in enumerate(parts) if _WILD.search(part)), len(parts))
    return ".." in parts[wild:] or not is_within(directory.joinpath(*parts[:wild]), root)


def _as_python(pattern: str) -> str:
    """Return a pattern of glob(7) as Python's `glob` has it."""
    return _ESCAPED.sub(_unescaped, pattern).replace("[^", "[!")


def _unescaped(found: re.Match[str]) -> str:
    return f"[{found[1]}]" if _WILD.match(found[1]) else found[1]


def _alternatives(pattern: str, nesting: int) -> list[str]:
    """Return the patterns that one with `{a,b}` stands for; `{}` and unmatched braces stay."""
    found = _first_braces(pattern)
    if found is None:
        return [pattern]
    if nesting == _MAX_NESTING:
        raise Refused("FV002", f"the braces of this pattern are nested more than {nesting} deep")
    start, commas, end = found
    ends = [*commas, end]
    tails = _alternatives(pattern[end + 1 :], nesting)
    middles = [
        one
        for begin, stop in zip([start, *commas], ends, strict=True)
        for one in _alternatives(pattern[begin + 1 : stop], nesting + 1)
    ]
    if len(middles) * len(tails) > _MAX_ALTERNATIVES:
        raise Refused("FV002", f"this pattern stands for more than {_MAX_ALTERNATIVES} others")
    return [pattern[:start] + middle + tail for middle in middles for tail in tails]


def _first_braces(pattern: str) -> tuple[int, list[int], int] | None:
    """Return where the first `{` stands, the commas that belong to it, and its `}`."""
    start, depth = -1, 0
    commas: list[int] = []
    for found in re.finditer(r"\\.|\{\}|[{},]", pattern):
        mark = found[0]
        if mark == "{":
            start = found.start() if depth == 0 else start
            depth += 1
        elif mark == "," and depth == 1:
            commas.append(found.start())
        elif mark == "}" and depth:
            depth -= 1
            if depth == 0:
                return start, commas, found.start()
    return None
