"""What documentation says of a row: where it stands, its value, its default, its status."""

from __future__ import annotations

from collections.abc import Iterator

from fastvrrp.config.model import GlobalConfig
from fastvrrp.config.row import NOT_RUN, Block, Keyword, default_of, walk
from fastvrrp.config.schema import ROOT

__all__ = [
    "brief_status_text",
    "default_text",
    "meaning_text",
    "place_text",
    "sections",
    "status_text",
    "value_text",
]


def sections() -> Iterator[tuple[Block, tuple[str, ...]]]:
    """Yield each block that has keywords in it, once, with the names of the blocks around it."""
    found: dict[tuple[str, ...], tuple[Block, dict[str, None]]] = {}
    for outer, row in walk(ROOT):
        if isinstance(row, Block) and row.rows and not row.alias:
            _, places = found.setdefault((row.name, *row.children), (row, {}))
            places[outer.name] = None
    for block, places in found.values():
        yield block, tuple(places)


def place_text(names: tuple[str, ...]) -> str:
    """Return where a keyword stands; "" is the outermost level."""
    return " or ".join(f"in {name}" if name else "outside of all blocks" for name in names)


def value_text(row: Keyword | Block) -> str:
    """Return what stands behind a keyword."""
    if isinstance(row, Keyword):
        return row.kind.describe()
    inside = row.entry.describe() if row.entry is not None else "…"
    if row.header is None:
        return f"{{ {inside} }}"
    header = row.header.kind.describe() if row.header.name != "NAME" else "NAME"
    return f"{header} {{ {inside} }}"


def default_text(row: Keyword | Block, block: Block) -> str:
    """Return what is the case without a keyword; "" if that is nothing."""
    if isinstance(row, Block):
        return ""
    if row.required:
        return "must be given"
    if row.default:
        return row.default
    if row.inherits:
        return f"{_global_keyword(row.inherits)} in global_defs"
    assert block.model is not None, "a block of keywords has a model"
    values = tuple(default_of(block.model, to) for to in row.targets)
    if all(value in (None, ()) for value in values):
        return ""
    value = values[0] if isinstance(row.to, str) else values
    return row.kind.write(value) or ("off" if values[0] is False else "")


def _global_keyword(field: str) -> str:
    """Return the keyword of global_defs that sets a field."""
    rows = next(row for row in ROOT.rows if isinstance(row, Block) and row.model is GlobalConfig)
    return next(row.name for row in rows.rows if row.key == field)


def status_text(row: Keyword | Block) -> str:
    """Return what the program does with a keyword, and why."""
    if row.instead:
        return f"old name; write {row.instead}"
    return f"{row.support.value}: {row.why}" if row.why else row.support.value


def brief_status_text(row: Keyword | Block) -> str:
    """Return the same where it is said elsewhere why load balancing is not run."""
    is_plain = row.support is NOT_RUN and not row.instead
    return row.support.value if is_plain else status_text(row)


def meaning_text(row: Keyword | Block) -> str:
    """Return what a keyword means, and where that is laid down."""
    rfc = row.rfc if isinstance(row, Keyword) else None
    return f"{row.doc} ({rfc})" if rfc else row.doc
