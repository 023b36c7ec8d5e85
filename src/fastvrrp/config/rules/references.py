"""Names of blocks of the outermost level: that they exist, and above what uses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastvrrp.config.diagnostics import Related

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.rules.around import Around

__all__ = ["find", "find_above", "names_in"]


def names_in(key: str, around: Around) -> Iterator[str]:
    """Yield the names of blocks, for a suggestion: only if one is made, they are looked at."""
    return (block.name for block in around.root.blocks.get(key, ()))


def find(
    name: str,
    span: Span,
    settings: Settings,
    around: Around,
    *,
    key: str,
    keyword: str,
    consequence: str = "it is left out",
) -> Settings | None:
    """Return the block with a name, None, reported, if there is none.

    `key` is the field of Config that holds such blocks, `settings` the block that uses the name.
    """
    found = around.root.taken.get((key, name))
    if found is not None:
        return found
    if around.may_exist(key):
        return None
    near = around.collector.nearest(name, names_in(key, around))
    block = around.root.taken.get((key, near)) if near else None
    around.report.warning(
        "FV212",
        f"there is no {keyword} {name}; {consequence}",
        span,
        hint=f"did you mean {near}?" if near else _how_to_add(keyword, name),
        related=Related(f"{near} is defined", block.head) if block is not None else None,
        context=settings.context,
    )
    return None


def _how_to_add(keyword: str, name: str) -> str:
    if keyword == "vrrp_script" and "/" in name:
        return f'add: vrrp_script NAME {{ script "{name}" }}, and write that NAME here'
    return f"add: {keyword} {name} {{ … }}"


def find_above(
    name: str,
    span: Span,
    settings: Settings,
    around: Around,
    *,
    key: str,
    keyword: str,
    consequence: str = "it is left out",
) -> Settings | None:
    """Return the same; report a block that stands below, which keepalived would not find."""
    found = find(name, span, settings, around, key=key, keyword=keyword, consequence=consequence)
    if found is not None and around.report.precedes(span, found.head):
        around.report.warning(
            "FV221",
            f"{keyword} {name} is defined only below; keepalived would not use it",
            span,
            hint=f"move {keyword} {name} above what uses it",
            related=Related("it is defined", found.head),
            context=settings.context,
        )
    return found
