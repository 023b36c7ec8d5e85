"""Writes docs/keywords.md: `python -m fastvrrp.config.reference > docs/keywords.md`."""

from __future__ import annotations

from collections.abc import Iterator

from fastvrrp.config.explain import codes, title
from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.schema import ROOT
from fastvrrp.config.wording import (
    brief_status_text,
    default_text,
    meaning_text,
    place_text,
    sections,
    value_text,
)

__all__ = ["render"]

_HEAD = """\
# Keywords of keepalived.conf

Written from the rows in `fastvrrp/config/schema/` by `make docs`; do not edit.

| status | what happens |
|---|---|
| supported | It works. |
| ignored | A note, once. It makes no difference to who holds an address. |
| refused | fastvrrpd does not start: without it this router would speak, address or take over \
differently. |
| not yet run | It belongs to load balancing. It is read and checked; virtual routers run \
without it. |

Where the default is a value, a keyword that is written with it is accepted without a word, whatever
its status.
A word that is in no table is skipped with its block, with a warning.
"""


def render() -> str:
    """Return the document."""
    parts = [_HEAD, _section("The outermost level", "", ROOT)]
    for block, places in sections():
        parts.append(_section(f"`{block.name}`", place_text(places).capitalize() + ".", block))
    return "\n".join([*parts, _diagnostics()])


def _section(heading: str, place: str, block: Block) -> str:
    lines = [f"## {heading}", "", f"{block.doc} {place}".strip(), ""]
    rows = [row for row in block.rows if not _is_old(row)]
    old = [row for row in block.rows if _is_old(row)]
    lines += _table(
        "keyword | value | default | status | meaning", (_cells(one, block) for one in rows)
    )
    lines += _table("other name | what it is", ((f"`{one.name}`", _old(one, block)) for one in old))
    return "\n".join(lines)


def _is_old(row: Keyword | Block) -> bool:
    return row.alias or row.instead is not None


def _cells(row: Keyword | Block, block: Block) -> tuple[str, ...]:
    words = (value_text(row), default_text(row, block), brief_status_text(row), meaning_text(row))
    return f"`{row.name}`", *words


def _old(row: Keyword | Block, block: Block) -> str:
    """Return what to write instead of a keyword."""
    if row.instead:
        return f"Old name; write {row.instead}."
    same = next(one.name for one in block.rows if one.key == row.key and not one.alias)
    return f"As {same}. {row.doc}"


def _table(head: str, rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in rows
    ]
    if not lines:
        return []
    return [f"| {head} |", f"|{'---|' * (head.count('|') + 1)}", *lines, ""]


def _diagnostics() -> str:
    head = "## Codes of diagnostics\n\n`fastvrrp check --explain CODE` prints more about one.\n"
    return "\n".join(
        [head, *_table("code | what is wrong", ((one, title(one)) for one in codes()))]
    )


if __name__ == "__main__":
    print(render(), end="")
