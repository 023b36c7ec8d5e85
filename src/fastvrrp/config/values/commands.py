"""Programs to run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.config.command import join_command, split_command, split_line
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model import Command, ReferenceKind
from fastvrrp.config.values.base import Args, Rejected, quoted

if TYPE_CHECKING:
    pass

__all__ = ["CommandLine"]

_TYPOGRAPHIC = (
    "\N{LEFT DOUBLE QUOTATION MARK}",
    "\N{RIGHT DOUBLE QUOTATION MARK}",
    "\N{DOUBLE LOW-9 QUOTATION MARK}",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CommandLine:
    """A program with its arguments in one pair of quotes, then user and group where allowed."""

    with_user: bool = True

    def read(self, args: Args) -> Command:
        """Return the command."""
        statement = args.statement
        args.take("a program")
        args.drop_rest()
        (_, _), *words = split_line(_without_comment_escapes(statement.raw))
        spans = [statement.span_at(offset, max(1, len(text))) for text, offset in words]
        argv = split_command(words[0][0]) if words else ()
        if not argv or not argv[0]:
            raise Rejected("FV103", f"{args.keyword} names no program", statement.words[1].span)
        if any("\0" in word for word in argv):
            raise Rejected("FV003", "there is a NUL byte in this command", spans[0])
        if argv[0][0] in _TYPOGRAPHIC:
            return Command(argv=argv, span=spans[0])  # words were meant that follow; this was told
        used = 3 if self.with_user else 1
        names = zip(
            (ReferenceKind.USER, ReferenceKind.GROUP), words[1:used], spans[1:], strict=False
        )
        for kind, (name, _), span in names:
            self._check_name(args, name, span)
            args.refer(kind, name, span)
        if len(words) > used:
            hint = f'quote the whole command: {args.keyword} "{argv[0]} …"'
            args.note("FV105", "the words from here on are not used", spans[used], hint)
        user, group = [*[word for word, _ in words[1:used]], None, None][:2]
        return Command(argv=argv, user=user, group=group, span=spans[0])

    def _check_name(self, args: Args, name: str, span: Span) -> None:
        """Warn where an argument was probably meant: it would be taken as a user name."""
        if not name or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*\$?", name):
            message = f"{name} is read as the user or group that runs the program"
            hint = "put the program and its arguments into one pair of quotes"
            args.warn("FV219", message, span, hint)

    def write(self, value: Command) -> str | None:
        """Return the words."""
        names = (value.user, value.group) if self.with_user else ()
        if any("\\" in name for name in names if name):
            raise ValueError("the name of an account holds no backslash")
        return " ".join([join_command(value.argv), *(quoted(name) for name in names if name)])

    def describe(self) -> str:
        """Return the form."""
        return '"program arguments" [user [group]]' if self.with_user else '"program arguments"'

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "items": {"type": "string"}}


def _without_comment_escapes(raw: str) -> str:
    r"""Resolve `\#` and `\!` outside double quotes, as the words of a statement have it."""
    if "\\#" not in raw and "\\!" not in raw:
        return raw
    parts = raw.split('"')
    parts[::2] = [part.replace("\\#", "#").replace("\\!", "!") for part in parts[::2]]
    return '"'.join(parts)
