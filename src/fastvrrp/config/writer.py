"""A configuration as text: the rows of the schema, walked the other way.

What is written loads to an equal configuration. A keyword is left out where its value is what would
be the case without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from fastvrrp.config.diagnostics import Diagnostic, Severity, Span
from fastvrrp.config.expand import MAX_LINE
from fastvrrp.config.model import Config, GlobalConfig
from fastvrrp.config.row import ENTRIES, Block, Keyword, default_of
from fastvrrp.config.schema import ROOT
from fastvrrp.config.values import Kind
from fastvrrp.errors import ConfigError

__all__ = ["FILENAME", "to_text"]

FILENAME = "<Config>"
"""Where diagnostics about a configuration that was built in Python point to."""

_INDENT = "    "


def to_text(config: Config) -> str:
    """Return `config` as a keepalived.conf.

    Raises ConfigError for a value that no text can say, such as a name with a line break.
    """
    lines = list(_Writer(config.global_defs).rows(ROOT, config))
    for line in lines:
        if len(line.encode("utf-8", "replace")) > MAX_LINE:
            raise _unsayable(line.split()[0], f"a line has at most {MAX_LINE} bytes")
    return "".join(f"{line}\n" for line in lines)


class _Writer:
    def __init__(self, global_defs: GlobalConfig) -> None:
        self._global_defs = global_defs

    def rows(self, block: Block, model: object) -> Iterator[str]:
        """Yield the lines inside a block of keywords."""
        written: set[str] = set()
        unsaid: dict[str, str] = {}
        for row in block.rows:
            if row.alias or row.key in written:
                continue
            try:
                if isinstance(row, Keyword) and self._is_needless(row, block, model):
                    continue
                lines = list(self._lines(row, block, model))
            except (AttributeError, TypeError) as error:
                raise _unsayable(row.name, f"it has the wrong type ({error})") from None
            if isinstance(row, Keyword):
                unsaid.setdefault(row.key, row.name)
            written.update([row.key] if lines else [])
            yield from lines
        for key in unsaid.keys() - written:
            raise _unsayable(unsaid[key], "there is no word for it here")

    def _lines(self, row: Keyword | Block, block: Block, model: object) -> Iterator[str]:
        if isinstance(row, Keyword):
            return self._keyword(row, model)
        return self._block(row, block, model)

    def _is_needless(self, row: Keyword, block: Block, model: object) -> bool:
        """Tell if another row is the one for this model, or no line says the same."""
        if row.written_if is not None and not row.written_if(model):
            return True
        values = tuple(_field(model, to) for to in row.targets)
        return values == self._defaults(row, block, model)

    def _keyword(self, row: Keyword, model: object) -> Iterator[str]:
        values = tuple(_field(model, to) for to in row.targets)
        if all(value is None for value in values):
            return
        value = values[0] if isinstance(row.to, str) else values
        for one in _tuple(value) if row.many else (value,):
            words = _words(row.kind, one, row.name)
            if words is not None:
                yield _line(row.name, words)

    def _defaults(self, row: Keyword, block: Block, model: object) -> tuple[object, ...]:
        """Return what the fields would be without the keyword."""
        if row.without is not None:
            return (row.without(model, self._global_defs),)
        if row.inherits is not None:
            return (_field(self._global_defs, row.inherits),)
        assert block.model is not None, "a block of keywords has a model"
        return tuple(default_of(block.model, to) for to in row.targets)

    def _block(self, row: Block, outer: Block, model: object) -> Iterator[str]:
        value = _field(model, row.to)
        if row.many:
            siblings = [one for one in outer.rows if isinstance(one, Block) and one.to == row.to]
            for one in _tuple(value):
                found = next((sibling for sibling in siblings if _says(sibling, one)), None)
                if found is None:
                    raise _unsayable(row.to, f"it holds a {type(one).__name__}")
                yield from self._braces(found, self._inside(found, one), _header(found, one))
        elif row.entry is not None:
            entries = _entries(row, row.entry, _tuple(value))
            yield from self._braces(row, entries) if entries else ()
        elif value is not None:
            lines = list(self.rows(row, value))
            assert outer.model is not None, "a block of keywords has a model"
            if lines or default_of(outer.model, row.to) is None:
                yield from self._braces(row, lines)

    def _inside(self, row: Block, model: object) -> list[str]:
        if row.entry is not None:
            return _entries(row, row.entry, _tuple(getattr(model, ENTRIES)))
        return list(self.rows(row, model))

    def _braces(self, row: Block, lines: list[str], header: str = "") -> Iterator[str]:
        yield _line(row.name, f"{header} {{".lstrip())
        yield from (_INDENT + line for line in lines)
        yield "}"


def _says(row: Block, model: object) -> bool:
    """Tell if a block is the one that makes this model."""
    return type(model) is row.model and (row.written_if is None or row.written_if(model))


def _header(row: Block, model: object) -> str:
    if row.header is None:
        return ""
    values = tuple(_field(model, to) for to in row.header.targets)
    value = values[0] if isinstance(row.header.to, str) else values
    return _words(row.header.kind, value, row.name) or ""


def _entries(row: Block, kind: Kind, values: tuple[object, ...]) -> list[str]:
    lines = (_words(kind, value, row.name) for value in values)
    return [line for line in lines if line is not None]


def _words(kind: Kind, value: object, keyword: str) -> str | None:
    try:
        return kind.write(value)
    except ValueError as error:
        raise _unsayable(keyword, str(error)) from None


def _unsayable(keyword: str, reason: str) -> ConfigError:
    message = f"no text can say this value of {keyword}: {reason}"
    span = Span(FILENAME, 0, 0, 0)
    return ConfigError(
        [Diagnostic(severity=Severity.ERROR, code="FV113", message=message, span=span)]
    )


def _line(name: str, words: str) -> str:
    return f"{name} {words}" if words else name


def _field(model: object, path: str) -> object:
    return reduce(getattr, path.split("."), model)


def _tuple(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise TypeError("what can stand several times is a tuple")
    return value
