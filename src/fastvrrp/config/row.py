"""What a row of the schema is: one keyword, or one block of keywords or entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from fastvrrp.config.values import Kind, Unread

__all__ = [
    "FULL",
    "IGNORED",
    "REFUSED",
    "UNREAD",
    "Block",
    "Keyword",
    "Support",
    "ignored",
    "refused",
    "walk",
]


class Support(Enum):
    """What happens to a keyword."""

    FULL = "supported"
    IGNORED = "ignored"
    REFUSED = "refused"


FULL, IGNORED, REFUSED = Support.FULL, Support.IGNORED, Support.REFUSED

UNREAD = Unread()
"""The kind of a keyword whose words nobody looks at."""

_NO_DEFAULT = object()


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword with its values on the same line.

    `to` is where the value goes in the model; `default` is for documentation, and for telling
    that a value that is not supported changes nothing. `first_wins`: a second one is ignored, as
    keepalived does. `true_wins`: it is ignored if the first is true.
    """

    name: str
    kind: Kind[object] = UNREAD
    doc: str = ""
    to: str = ""
    default: object = _NO_DEFAULT
    support: Support = FULL
    first_wins: bool = False
    true_wins: bool = False
    rfc: str | None = None

    @property
    def default_text(self) -> str:
        """The default for documentation, empty if there is none."""
        if self.default is _NO_DEFAULT or self.default is None:
            return ""
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return str(self.default)


@dataclass(frozen=True, slots=True)
class Block:
    """One keyword with a block in braces.

    `rows` are the keywords inside; `entry` is what each line is instead (a value block). A block
    with neither is skipped as a whole. `named`: a name stands before the brace.
    """

    name: str
    rows: tuple[Keyword | Block, ...] = ()
    doc: str = ""
    to: str = ""
    support: Support = FULL
    named: bool = False
    entry: Kind[object] | None = None
    flat: bool = False
    """Every word of every line is an entry."""
    children: Mapping[str, Keyword | Block] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "children", {row.name: row for row in self.rows})


def ignored(
    name: str, doc: str, kind: Kind[object] | None = None, default: object = _NO_DEFAULT
) -> Keyword:
    """Return the row of a keyword that is ignored; `doc` says why."""
    return Keyword(name, kind or UNREAD, doc, default=default, support=IGNORED)


def refused(
    name: str, doc: str, kind: Kind[object] | None = None, default: object = _NO_DEFAULT
) -> Keyword:
    """Return the row of a keyword that is refused; `doc` says why."""
    return Keyword(name, kind or UNREAD, doc, default=default, support=REFUSED)


def walk(block: Block) -> Iterator[tuple[Block, Keyword | Block]]:
    """Yield every row below `block` with the block that it stands in, in table order."""
    for row in block.rows:
        yield block, row
        if isinstance(row, Block):
            yield from walk(row)
