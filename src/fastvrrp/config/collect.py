"""Statements + schema to settings: finds the row of each keyword and reads its values.

Generic: nothing here knows a particular keyword. One problem never hides another: what cannot be
used is reported and left out, and reading goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.reader import Statement, Word
from fastvrrp.config.row import FULL, IGNORED, UNREAD, Block, Keyword, walk
from fastvrrp.config.schema import ROOT
from fastvrrp.config.source import Report
from fastvrrp.config.values import Args, Kind, Rejected

__all__ = ["Collector", "Setting", "Settings"]

_MAX_SUGGESTIONS = 50
"""Did-you-mean takes a millisecond each; the first ones are enough for a person."""

_LATER = {
    "@": "conditional lines (@id) are not supported yet",
    "$": "definitions ($NAME=value) are not supported yet",
    "~": "~SEQ and ~LST are not supported yet",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, the row that read it, and the statement that it was written in."""

    value: object
    row: Keyword | Block
    statement: Statement

    @property
    def span(self) -> Span:
        """Where the first value stands, or the keyword if there is none."""
        words = self.statement.words
        return words[min(1, len(words) - 1)].span


@dataclass(slots=True)
class Settings:
    """What one block says: the last value for each `to`, and the lines of value blocks.

    `context` names the block in diagnostics, `head` is where its keyword stands.
    `rejected` are the `to` of values that were reported as errors: they are not missing as well.
    """

    context: str | None = None
    head: Span | None = None
    values: dict[str, Setting] = field(default_factory=dict)
    lists: dict[str, list[Setting]] = field(default_factory=dict)
    blocks: dict[str, Settings] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)

    def get(self, to: str, default: object = None) -> object:
        """Return a value, or the default if it was not given."""
        setting = self.values.get(to)
        return default if setting is None else setting.value


class Collector:
    """Reads blocks into Settings."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._told_ignored: set[str] = set()
        self._suggestions = 0
        self._homes: dict[str, list[str]] = {}
        for block, row in walk(ROOT):
            self._homes.setdefault(row.name, []).append(block.name)

    def read_block(self, statement: Statement, block: Block, settings: Settings) -> None:
        """Read the statements of a keyword block into `settings`."""
        for child, row in self.rows(statement.block or (), block, settings.context):
            if isinstance(row, Keyword):
                self._keyword(child, row, settings)
            elif row.entry is not None:
                self._entries(child, row, row.entry, settings)
            else:
                inner = settings.blocks.setdefault(row.to, Settings(settings.context, child.span))
                self._surplus(child.words[1:], row.name, settings.context)
                self.read_block(child, row, inner)

    def rows(
        self, statements: tuple[Statement, ...], block: Block, context: str | None
    ) -> Iterator[tuple[Statement, Keyword | Block]]:
        """Yield the statements that are supported, with their rows; report all others."""
        for statement in statements:
            row = block.children.get(statement.keyword)
            if self._is_for_later(statement, context):
                continue
            if row is None:
                self._unknown(statement, block, context)
            elif row.support is not FULL:
                self._unsupported(statement, row, context)
            elif isinstance(row, Block) and statement.block is None:
                self._missing_block(statement, row, context)
            else:
                if isinstance(row, Keyword) and statement.block is not None:
                    self._no_block(statement, context)
                yield statement, row

    def _keyword(self, statement: Statement, row: Keyword, settings: Settings) -> None:
        args = Args(statement, self.report, settings.context)
        try:
            value = row.kind.read(args)
        except Rejected as rejected:
            settings.rejected.add(row.to)
            self.reject(rejected, settings.context)
            return
        self._surplus(args.rest(), row.name, settings.context)
        before = settings.values.get(row.to)
        if before is not None:
            first_counts = row.first_wins or (row.true_wins and bool(before.value))
            self._tell_again(statement, row, before, "first" if first_counts else "last", settings)
            if first_counts:
                return
        settings.values[row.to] = Setting(value, row, statement)

    def _entries(
        self, statement: Statement, row: Block, kind: Kind[object], settings: Settings
    ) -> None:
        entries = settings.lists.setdefault(row.to, [])
        self._surplus(statement.words[1:], row.name, settings.context)
        for line in statement.block or ():
            if self._is_for_later(line, settings.context):
                continue
            if line.block is not None:
                self._no_block(line, settings.context)
                continue
            args = Args(line, self.report, settings.context, entry=True)
            try:
                entries.append(Setting(kind.read(args), row, line))
                while row.flat and args.rest():
                    entries.append(Setting(kind.read(args), row, line))
            except Rejected as rejected:
                settings.rejected.add(row.to)
                self.reject(rejected, settings.context)
                continue
            self._surplus(args.rest(), line.keyword, settings.context)

    def reject(self, rejected: Rejected, context: str | None) -> None:
        """Report a value that cannot be used."""
        self.report.error(
            rejected.code, rejected.message, rejected.span, hint=rejected.hint, context=context
        )

    def _surplus(self, words: tuple[Word, ...], keyword: str, context: str | None) -> None:
        """Warn about words that nobody reads. They are not repeated: one may be a password."""
        if not words:
            return
        word = words[0]
        hint = None
        if word.text in self._homes:
            hint = "write each keyword on a line of its own"
        self.report.warning(
            "FV105",
            f"{keyword} does not use the words from here on",
            word.span,
            hint=hint,
            context=context,
        )

    def _tell_again(
        self, statement: Statement, row: Keyword, before: Setting, counts: str, settings: Settings
    ) -> None:
        same = before.row.name == row.name
        names = row.name if same else f"{before.row.name} and {row.name}"
        self.report.warning(
            "FV106",
            f"{names} {'is' if same else 'are'} given {'twice' if same else 'both'}; "
            f"the {counts} one counts",
            statement.span,
            context=settings.context,
            related=Related("the other one is", before.statement.span),
        )

    def _missing_block(self, statement: Statement, row: Block, context: str | None) -> None:
        last = statement.words[-1].span
        message = f"{row.name} needs a block, and its {{ is missing"
        entries = ", one entry a line" if row.entry is not None else ""
        hint = f"write {row.name}{' NAME' if row.named else ''} {{ … }}{entries}"
        self.report.error("FV009", message, last, hint=hint, context=context)

    def _no_block(self, statement: Statement, context: str | None) -> None:
        message = f"{statement.keyword} takes no block; the block behind it is skipped"
        self.report.error("FV010", message, statement.span, context=context)

    def _is_for_later(self, statement: Statement, context: str | None) -> bool:
        """Report what rewrites the text, which this version cannot do: nothing may be left out."""
        first = statement.keyword
        message = _LATER.get(first[:1])
        if first.startswith("include") and len(first) <= len("includer"):
            message = "include is not supported yet"
        span = statement.span
        if message is None:
            word = next((w for w in statement.words if "${" in w.text), None)
            if word is None:
                return False
            span, message = word.span, _LATER["$"]
        hint = "write the text itself, for now"
        self.report.error("FV111", message, span, hint=hint, context=context)
        return True

    def _unsupported(self, statement: Statement, row: Keyword | Block, context: str | None) -> None:
        """Report an ignored or refused keyword, unless it is written with its default."""
        if self._changes_nothing(statement, row, context):
            return
        if row.support is IGNORED:
            if row.name not in self._told_ignored:
                self._told_ignored.add(row.name)
                message = f"{row.name} has no effect"
                self.report.warning(
                    "FV110", message, statement.span, hint=_as_hint(row.doc), context=context
                )
            return
        self.report.error(
            "FV111",
            f"{row.name} is not supported yet",
            statement.span,
            hint=f"{_as_hint(row.doc)}; remove it only if this router can do without",
            context=context,
        )

    def _changes_nothing(
        self, statement: Statement, row: Keyword | Block, context: str | None
    ) -> bool:
        """Tell if a statement that is not supported says only what is the case anyway."""
        if isinstance(row, Block):
            return statement.block == ()
        if row.kind is UNREAD or statement.block is not None:
            return False
        try:
            return row.kind.read(Args(statement, self.report, context)) == row.default
        except Rejected:
            return False

    def _unknown(self, statement: Statement, block: Block, context: str | None) -> None:
        """Report a word that is no keyword here; it and its block are left out."""
        secret = block.name == "authentication" and len(statement.words) == 1
        word = "this word" if secret else statement.keyword
        what = "it and its block are" if statement.block is not None else "it is"
        homes = [home or "the outermost level" for home in self._homes.get(statement.keyword, ())]
        if homes:
            message = f"{word} does not belong here; {what} skipped"
            hint: str | None = f"it belongs into {' or '.join(homes)}"
        else:
            message = f"unknown keyword {word}; {what} skipped"
            near = None if secret else self.nearest(statement.keyword, block.children)
            hint = f"did you mean {near}?" if near else None
        self.report.warning("FV101", message, statement.span, hint=hint, context=context)

    def nearest(self, word: str, candidates: Iterable[str]) -> str | None:
        """Return the candidate that is most like `word`, or None."""
        self._suggestions += 1
        if self._suggestions > _MAX_SUGGESTIONS or len(word) > 64:
            return None
        from difflib import get_close_matches  # noqa: PLC0415  (needed for mistakes only)

        found = get_close_matches(word, candidates, n=1, cutoff=0.7)
        return found[0] if found else None


def _as_hint(doc: str) -> str:
    """Return a sentence of the schema in the style of diagnostics."""
    text = doc.removesuffix(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
