"""Where blocks begin and end.

keepalived splits lines at braces outside quotes, so braces may stand anywhere. A balanced text is
taken as it is, however it is indented; `repair` tells what the operator meant with any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastvrrp.config.lexer import CLOSE, LINE, OPEN, Item, Word
from fastvrrp.config.repair import opens, repair
from fastvrrp.config.schema import ROOT_ONLY

if TYPE_CHECKING:
    from fastvrrp.config.expanded import Expanded
    from fastvrrp.config.source import Report

__all__ = ["MAX_DEPTH", "balance"]

MAX_DEPTH = 32
"""Blocks within blocks; keepalived's language needs five."""


def balance(items: list[Item], source: Expanded, report: Report) -> Iterator[Item]:
    """Yield the items as the grammar expects them: braces matched, each behind a keyword."""
    if not _is_sound(items):
        items = repair(items, source, report)
    _find_secrets(items, source)
    return _emit(items, report)


def _is_sound(items: list[Item]) -> bool:
    """Tell if braces match and nothing that belongs to the outermost level stands in a block."""
    depth = 0
    for index, item in enumerate(items):
        if item.type == OPEN:
            depth += 1
        elif item.type == CLOSE:
            depth -= 1
            if depth < 0:
                return False
        elif depth and item.head.text in ROOT_ONLY and opens(items, index):
            return False
    return depth == 0


def _find_secrets(items: list[Item], source: Expanded) -> None:
    """Remember the lines of authentication blocks, so that nothing shows them in clear."""
    depth = 0
    for index, item in enumerate(items):
        if depth or item.head.text.startswith("auth"):
            source.keep_secret(item.head.line)
        if item.type == OPEN and (depth or items[index - 1].head.text.startswith("auth")):
            depth += 1
        elif item.type == CLOSE and depth:
            depth -= 1


def _emit(items: list[Item], report: Report) -> Iterator[Item]:
    """Yield items for the grammar, leaving out blocks without a head and blocks too deep."""
    depth = skipping = 0
    headed = False
    for index, item in enumerate(items):
        if skipping:
            skipping += (item.type == OPEN) - (item.type == CLOSE)
        elif item.type == LINE:
            yield item
            headed = opens(items, index) and depth < MAX_DEPTH
        elif item.type == CLOSE:
            depth -= 1
            yield item
        elif headed:
            depth += 1
            headed = False
            yield item
        else:
            skipping = 1
            _tell_skipped(item.head, report, too_deep=depth >= MAX_DEPTH)


def _tell_skipped(brace: Word, report: Report, *, too_deep: bool) -> None:
    if too_deep:
        report.error("FV002", f"blocks are nested more than {MAX_DEPTH} deep", brace.span)
    else:
        hint = "write the keyword of the block before it, or remove the block"
        message = "no keyword stands before this {; its block is skipped"
        report.warning("FV010", message, brace.span, hint=hint)
