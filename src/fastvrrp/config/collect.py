"""Statements + schema to settings: finds the row of each keyword and reads its values.

Generic: nothing here knows a particular keyword. One problem never hides another: what cannot be
used is reported and left out, and reading goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fastvrrp.config.diagnostics import Related, Severity, Span
from fastvrrp.config.reader import Statement, Word
from fastvrrp.config.row import ENTRIES, FULL, IGNORED, NOT_RUN, Block, Keyword, default_of, walk
from fastvrrp.config.schema import ROOT
from fastvrrp.config.source import Report, announces_secret
from fastvrrp.config.values import Args, Kind, Rejected

__all__ = ["Collector", "Setting", "Settings"]

_MAX_SUGGESTIONS = 50
"""Did-you-mean takes a millisecond each; the first ones are enough for a person."""

_MAX_HOMES = 4
"""Blocks that a misplaced keyword is said to belong in."""

_EQUALS = ("=", ":", ":=")
_COMMENTS = ("//", "/*", ";", "--")
_COMMENT_HINT = "a comment starts with # or !"
"""What is written in other languages."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, the row that read it, and the statement that it was written in.

    `earlier`: what was said before it of the same thing, and does not count.
    """

    value: object
    row: Keyword | Block
    statement: Statement
    earlier: Setting | None = None

    @property
    def span(self) -> Span:
        """Where the first value stands, or the keyword if there is none."""
        words = self.statement.words
        return words[min(1, len(words) - 1)].span


@dataclass(slots=True, eq=False)
class Settings:
    """What one block says: the last value of each row, the lines of value blocks, inner blocks.

    All are by `row.key`. `context` names the block in diagnostics, `statement` is how it was
    written (None: the whole text). `rejected` are the keys of what was reported, and where: it is
    not missing as well; `guessed`: those of them that a misspelt word seems to mean. `quiet`: the
    block as a whole has no support, its rows say nothing of it. `before`: gratuitous ARP and other
    defaults of global_defs as they were when the block was met.
    """

    block: Block
    context: str | None = None
    statement: Statement | None = None
    header: Setting | None = None
    quiet: bool = False
    values: dict[str, Setting] = field(default_factory=dict)
    lists: dict[str, list[Setting]] = field(default_factory=dict)
    blocks: dict[str, list[Settings]] = field(default_factory=dict)
    rejected: dict[str, Span] = field(default_factory=dict)
    guessed: set[str] = field(default_factory=set)
    before: dict[str, Setting] = field(default_factory=dict)
    taken: dict[tuple[str, object], Settings] = field(default_factory=dict)

    def get(self, key: str, default: object = None) -> object:
        """Return a value, or the default if it was not given."""
        setting = self.values.get(key)
        return default if setting is None else setting.value

    def block_of(self, key: str) -> Settings | None:
        """Return an inner block that can stand only once, or None."""
        found = self.blocks.get(key)
        return found[0] if found else None

    @property
    def name(self) -> str:
        """What stands between the keyword and the brace, as text."""
        return "" if self.header is None else str(self.header.value)

    @property
    def head(self) -> Span:
        """Where the name stands, or the keyword if there is none."""
        assert self.statement is not None, "the outermost level has no head"
        words = self.statement.words
        return words[min(1, len(words) - 1)].span


class Collector:
    """Reads blocks into Settings; `on_block` is told of each block before its inside is read."""

    def __init__(self, report: Report, on_block: Callable[[Settings], None]) -> None:
        self.report = report
        self._on_block = on_block
        self._told: set[str] = set()
        self._suggestions = 0
        self._homes: dict[str, dict[str, Keyword | Block]] = {}
        for block, row in walk(ROOT):
            self._homes.setdefault(row.name, {})[block.name] = row

    def read(self, statements: tuple[Statement, ...], settings: Settings) -> None:
        """Read the statements of a keyword block into `settings`."""
        for statement, row in self._rows(statements, settings):
            if row.instead is not None:
                self._tell_deprecated(statement, row.instead, settings)
            if isinstance(row, Keyword):
                self._keyword(statement, row, settings)
            elif row.entry is not None and row.header is None:
                self._entries(statement, row, row.entry, settings)
            else:
                self._block(statement, row, settings)

    def _rows(
        self, statements: tuple[Statement, ...], settings: Settings
    ) -> Iterator[tuple[Statement, Keyword | Block]]:
        """Yield the statements that have a row, with it; report all others."""
        unknown = []  # what a word was meant to be is clearer when all the others are read
        open_ended: Block | None = None
        for statement in statements:
            row = settings.block.children.get(statement.keyword)
            if not statement.raw:
                self._lost(statement, settings)
            elif row is None:
                if open_ended is None or not _fits(statement, open_ended):
                    unknown.append(statement)
            elif isinstance(row, Block) and statement.block is None:
                self._missing_block(statement, row, settings)
                open_ended = row
            else:
                open_ended = None
                if isinstance(row, Keyword) and statement.block is not None:
                    self._no_block(statement, settings)
                yield statement, row
        for statement in unknown:
            self._unknown(statement, settings)

    def _keyword(self, statement: Statement, row: Keyword, settings: Settings) -> None:
        is_told = self._tell_equals(statement)
        args = Args(statement, self.report, settings.context)
        try:
            value = row.kind.read(args)
        except Rejected as rejected:
            settings.rejected[row.key] = rejected.span
            self.reject(rejected, settings.context, fatal=_is_vital(row, settings))
            return
        if not is_told:
            self._surplus(args.rest(), row.name, settings)
        before = settings.values.get(row.key)
        if before is not None and self._first_counts(statement, row, before, settings):
            return
        if not settings.quiet and row.support is not FULL:
            self._support(statement, row, settings, value)
        if row.many:
            settings.lists.setdefault(row.key, []).append(Setting(value, row, statement))
        else:
            settings.values[row.key] = Setting(value, row, statement, before)

    def _tell_equals(self, statement: Statement) -> bool:
        """Tell, and report, if there is an equals sign in front of a value."""
        word = statement.words[min(1, len(statement.words) - 1)]
        if word.text not in _EQUALS:
            return False
        message = f"{word.text} is read as the value of {statement.keyword}"
        hint = "write the value right behind the keyword, with a blank between them"
        self.report.aside(Severity.NOTE, "FV028", message, word.span, hint)
        return True

    def _first_counts(
        self, statement: Statement, row: Keyword, before: Setting, settings: Settings
    ) -> bool:
        """Report a keyword that is given again, and tell if this one is not used."""
        first_counts = row.first_wins or (row.true_wins and bool(before.value))
        self._tell_again(statement, row, before, settings, first_counts=first_counts)
        return first_counts

    def _entries(self, statement: Statement, row: Block, kind: Kind, settings: Settings) -> None:
        self._surplus(statement.words[1:], row.name, settings)
        if not settings.quiet and row.support is not FULL and statement.block:
            self._support(statement, row, settings)
        self._lines(statement, row, kind, settings, row.key)

    def _lines(
        self, statement: Statement, row: Block, kind: Kind, settings: Settings, key: str
    ) -> None:
        entries = settings.lists.setdefault(key, [])
        for line in statement.block or ():
            if line.block is not None:
                self._no_block(line, settings)
                continue
            args = Args(line, self.report, settings.context, entry_of=row.name)
            try:
                entries.append(Setting(kind.read(args), row, line))
                while row.flat and args.rest():
                    entries.append(Setting(kind.read(args), row, line))
            except Rejected as rejected:
                settings.rejected[row.key] = rejected.span
                if line.keyword in self._homes:
                    rejected.hint = f"{line.keyword}: {_where(list(self._homes[line.keyword]))}"
                self.reject(rejected, settings.context)
                continue
            self._surplus(args.rest(), line.keyword, settings, reported=True)

    def _block(self, statement: Statement, row: Block, settings: Settings) -> None:
        """Read a block of keywords; a header that is malformed or taken leaves it out."""
        inner = Settings(row, self._context(statement, row, settings), statement)
        args = Args(statement, self.report, inner.context)
        if row.header is not None:
            try:
                inner.header = Setting(row.header.kind.read(args), row.header, statement)
            except Rejected as rejected:
                settings.rejected[row.key] = rejected.span
                self.reject(rejected, None)
                return
        self._surplus(args.rest(), row.name, settings)
        inner.quiet = settings.quiet or row.support is not FULL
        if not settings.quiet and row.support is not FULL:
            self._support(statement, row, settings)
        known = settings.blocks.setdefault(row.key, [])
        if known and not row.many:
            inner = known[0]
            inner.context, inner.statement = self._context(statement, row, settings), statement
        elif self._is_taken(inner, settings):
            return
        else:
            known.append(inner)
        self._on_block(inner)
        if row.entry is not None:
            self._lines(statement, row, row.entry, inner, ENTRIES)
        else:
            self.read(statement.block or (), inner)

    def _context(self, statement: Statement, row: Block, settings: Settings) -> str | None:
        """Return what names a block in diagnostics; a nameless inner one goes by the outer one."""
        if row.header is None and settings.context is not None:
            return settings.context
        words = " ".join(word.text for word in statement.words)
        return f"{words} (line {statement.span.line})"

    def _is_taken(self, inner: Settings, settings: Settings) -> bool:
        """Tell, and report, if there is a block of this name already."""
        row = inner.block
        if inner.header is None or not row.unique:
            return False
        other = settings.taken.setdefault((row.key, inner.header.value), inner)
        if other is inner:
            return False
        assert other.statement is not None, "every block but the outermost one was written"
        self.report.warning(
            "FV202",
            f"there is a {row.name} {inner.name} already; this one is skipped",
            inner.head,
            hint="give every block a name of its own",
            related=Related("the other one is", other.statement.span),
        )
        return True

    def reject(self, rejected: Rejected, context: str | None, *, fatal: bool = False) -> None:
        """Report a value that cannot be used."""
        tell = self.report.error if fatal or rejected.fatal else self.report.warning
        tell(rejected.code, rejected.message, rejected.span, hint=rejected.hint, context=context)

    def _surplus(
        self, words: tuple[Word, ...], keyword: str, settings: Settings, *, reported: bool = False
    ) -> None:
        """Tell of words that nobody reads. They are not repeated: one may be a password."""
        if not words:
            return
        word = words[0]
        hint = None
        if word.text.startswith(_COMMENTS):
            hint = _COMMENT_HINT
        elif word.text in self._homes:
            hint = "write each keyword on a line of its own"
        tell = self.report.warning if reported else self.report.note
        message = f"{keyword} does not use the words from here on"
        tell("FV105", message, word.span, hint=hint, context=settings.context)

    def _tell_again(
        self,
        statement: Statement,
        row: Keyword,
        before: Setting,
        settings: Settings,
        *,
        first_counts: bool,
    ) -> None:
        same = before.row.name == row.name
        names = row.name if same else f"{before.row.name} and {row.name}"
        tell = self.report.warning if first_counts else self.report.note
        tell(
            "FV106",
            f"{names} {'is' if same else 'are'} given {'twice' if same else 'both'}; "
            f"the {'first' if first_counts else 'last'} one counts",
            statement.span,
            context=settings.context,
            related=Related("the other one is", before.statement.span),
        )

    def _tell_deprecated(self, statement: Statement, instead: str, settings: Settings) -> None:
        message = f"{statement.keyword} is an old name"
        hint = f"write {instead}"
        self.report.warning("FV112", message, statement.span, hint=hint, context=settings.context)

    def _missing_block(self, statement: Statement, row: Block, settings: Settings) -> None:
        last = statement.words[-1].span
        settings.rejected[row.key] = last
        message = f"{row.name} needs a block, and its {{ is missing"
        entries = ", one entry a line" if row.entry is not None else ""
        hint = f"write {row.name}{' NAME' if row.named else ''} {{ … }}{entries}"
        self.report.warning("FV009", message, last, hint=hint, context=settings.context)

    def _no_block(self, statement: Statement, settings: Settings) -> None:
        message = f"{statement.keyword} takes no block; the block behind it is skipped"
        hint = "write the keyword of the block before its {, or remove the block"
        self.report.warning("FV010", message, statement.span, hint=hint, context=settings.context)

    def _support(
        self,
        statement: Statement,
        row: Keyword | Block,
        settings: Settings,
        value: object = None,
    ) -> None:
        """Report a keyword that the engine does not do, unless it is written with its default."""
        if row.judged if isinstance(row, Block) else self._is_default(row, value, settings):
            return
        if row.support in (IGNORED, NOT_RUN):
            hint = _as_hint(row.why) if row.why else None
            subject = row.why if row.support is NOT_RUN else row.name
            if subject in self._told:
                return
            self._told.add(subject)
            what = "has no effect" if row.support is IGNORED else "is read, and not yet run"
            self.report.note(
                "FV110",
                f"{row.name} {what}",
                statement.span,
                hint=hint,
                context=settings.context,
            )
            return
        self.tell_unsupported(row, statement.span, settings)

    def tell_unsupported(self, row: Keyword | Block, span: Span, settings: Settings) -> None:
        """Report a keyword that it would be dangerous to run without."""
        hint = _as_hint(row.why) if row.why else None
        self.report.unsupported(
            "FV111",
            f"{row.name} is not supported yet",
            span,
            hint=f"{hint}; remove it only if this router can do without" if hint else None,
            context=settings.context,
        )

    def _is_default(self, row: Keyword, value: object, settings: Settings) -> bool:
        model = settings.block.model
        if model is None:
            return False
        values = value if isinstance(row.to, tuple) else (value,)
        defaults = tuple(default_of(model, to) for to in row.targets)
        return values == defaults

    def _unknown(self, statement: Statement, settings: Settings) -> None:
        """Report a word that is no keyword here; it and its block are left out."""
        block = settings.block
        homes = self._homes.get(statement.keyword)
        alone = block.name.startswith("auth") and len(statement.words) == 1
        meant = () if alone else self._meant(statement, block)
        secret = alone or _may_be_secret(statement.keyword, block, known=bool(homes or meant))
        secret = secret or self.report.hides(statement.span, statement.keyword)
        word = "this word" if secret else statement.keyword
        what = "it and its block are" if statement.block is not None else "it is"
        if homes:
            message = f"{word} does not belong here; {what} skipped"
            hint: str | None = _where(list(homes))
            if twin := _twin(statement.keyword, homes, block):
                hint = f"{hint}; here it is {twin}"
        else:
            message = "this word is no keyword" if secret else f"unknown keyword {word}"
            message = f"{message}; {what} skipped"
            hint = _guess(statement, meant, settings)
        settings.rejected |= {row.key: statement.span for row in meant}
        settings.guessed |= {row.key for row in meant}
        is_vital = any(_is_vital(row, settings) for row in meant)
        tell = self.report.error if is_vital else self.report.warning
        tell("FV101", message, statement.span, hint=hint, context=settings.context)

    def _meant(self, statement: Statement, block: Block) -> tuple[Keyword | Block, ...]:
        """Return the row of the keyword that is most like an unknown one, () if none is.

        Behind a name that is not defined any of them may be hidden. An address is an entry of some
        block.
        """
        word = statement.keyword
        if word.startswith("$"):
            return block.rows
        if word[:1].isdigit():
            return tuple(row for row in block.rows if isinstance(row, Block) and row.entry)
        kind = Keyword if statement.block is None else Block
        near = self.nearest(word, [row.name for row in block.rows if isinstance(row, kind)])
        near = near or self.nearest(word, block.children)
        return (block.children[near],) if near else ()

    @staticmethod
    def _lost(statement: Statement, settings: Settings) -> None:
        """Note that any block may be missing here, as the first line of one is."""
        blocks = (row for row in settings.block.rows if isinstance(row, Block))
        settings.rejected |= {row.key: statement.span for row in blocks}

    def nearest(self, word: str, candidates: Iterable[str]) -> str | None:
        """Return the candidate that is most like `word`, or None."""
        self._suggestions += 1
        if self._suggestions > _MAX_SUGGESTIONS or len(word) > 64:
            return None
        from difflib import get_close_matches  # noqa: PLC0415  (needed for mistakes only)

        found = get_close_matches(word, candidates, n=1, cutoff=0.7)
        return found[0] if found else None


def _is_vital(row: Keyword | Block, settings: Settings) -> bool:
    """Tell if a keyword is missing without which nothing can run."""
    is_required = isinstance(row, Keyword) and row.required is not None
    return is_required and settings.block.fatal and row.key not in settings.values


def _guess(
    statement: Statement, meant: tuple[Keyword | Block, ...], settings: Settings
) -> str | None:
    """Return what to write for a word that is no keyword."""
    if statement.keyword.startswith(_COMMENTS):
        return _COMMENT_HINT
    empty = [row.name for row in meant if settings.lists.get(row.key) == []]
    if empty:
        return f"does it belong between the braces of {empty[0]}?"
    return f"did you mean {meant[0].name}?" if len(meant) == 1 else None


def _fits(statement: Statement, block: Block) -> bool:
    """Tell if a statement belongs in a block whose braces are missing, which was reported."""
    return block.entry is not None or statement.keyword in block.children


def _where(homes: list[str]) -> str:
    """Return where a keyword belongs."""
    places = [f"in {home}" if home else "outside of all blocks" for home in homes[:_MAX_HOMES]]
    more = " and others" if len(homes) > _MAX_HOMES else ""
    return f"it belongs {' or '.join(places)}{more}"


def _twin(word: str, homes: Mapping[str, Keyword | Block], block: Block) -> str | None:
    """Return what a keyword of other blocks is called in this one, None if it is not there.

    Defaults of instances are called in global_defs as in an instance, with vrrp_ before it.
    """
    kinds = [row.kind for row in homes.values() if isinstance(row, Keyword)]
    for name in (f"vrrp_{word}", word.removeprefix("vrrp_")):
        row = block.children.get(name)
        if isinstance(row, Keyword) and row.kind in kinds:
            return name
    return None


def _may_be_secret(word: str, block: Block, *, known: bool) -> bool:
    """Tell if a word that was taken for a keyword may hold a secret, or be a part of one."""
    if announces_secret(word) and not word.isidentifier():
        return True
    return block.name.startswith("auth") and not known


def _as_hint(doc: str) -> str:
    """Return a sentence of the schema in the style of diagnostics."""
    text = doc.removesuffix(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
