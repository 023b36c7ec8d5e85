"""What a row of the schema is: one keyword, or one block of keywords or entries.

A row carries everything that is known about its keyword. Reading, range checks, did-you-mean, brace
repair, `Config.to_text`, the JSON Schema, shell completion and all documentation come from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastvrrp.config.values.base import Kind

__all__ = [
    "ENTRIES",
    "FULL",
    "IGNORED",
    "NOT_RUN",
    "REFUSED",
    "Block",
    "Keyword",
    "Support",
    "default_of",
    "walk",
]


class Support(Enum):
    """What the engine does with a keyword; the model holds it in any case.

    FULL: what it says. IGNORED: nothing, which makes no difference to who holds an address; a note,
    once. REFUSED: it does not start, since running without would be dangerous. NOT_RUN: nothing
    yet; it belongs to load balancing, and virtual routers do not depend on it.
    """

    FULL = "supported"
    IGNORED = "ignored"
    REFUSED = "refused"
    NOT_RUN = "not yet run"


FULL, IGNORED, REFUSED, NOT_RUN = Support

ENTRIES = "entries"
"""Field of the model of a named block that takes the values of its lines."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword with its values on the same line.

    `doc` is a sentence for operators. `to` names the field of the model that takes the value
    ("garp.delay": a field of a field); a tuple of names takes the items of a tuple. What a missing
    keyword means is the field's default, unless `inherits` names a field of GlobalConfig whose
    value it is then, or `without` tells it from the model around and GlobalConfig; `default` is for
    documentation where none of these can. `required`: the block
    cannot do without it; an example of the line. `many`: it may be repeated, and the field is the
    tuple of all values.

    `why`: what support other than FULL comes from, a sentence. `first_wins`: a second one is
    ignored, as keepalived does; `true_wins`: it is ignored if the first is true. `instead`: the
    keyword is deprecated, and this is what to write; `alias`: it is another name of the row that
    has the same `to`, and never written by us; `written_if` tells, of a model, which of several
    rows for one field is the one to write.
    """

    name: str
    kind: Kind
    doc: str
    to: str | tuple[str, ...]
    default: str = ""
    without: Callable[[Any, Any], object] | None = None
    inherits: str | None = None
    required: str | None = None
    many: bool = False
    support: Support = FULL
    why: str = ""
    first_wins: bool = False
    true_wins: bool = False
    instead: str | None = None
    alias: bool = False
    written_if: Callable[[Any], bool] | None = None
    rfc: str | None = None

    @property
    def key(self) -> str:
        """What `Settings` calls the value."""
        return self.to if isinstance(self.to, str) else self.to[0]

    @property
    def targets(self) -> tuple[str, ...]:
        """The fields that take the value."""
        return (self.to,) if isinstance(self.to, str) else self.to


@dataclass(frozen=True, slots=True)
class Block:
    """One keyword with a block in braces.

    `header` reads the words between the keyword and the brace. `rows` are the keywords inside;
    their values make a `model`, which becomes the field `to` of the model around (`many`: one item
    of that field, and blocks with equal `header` are a mistake if `unique`). A block that lacks a
    required keyword is left out; `fatal`: keepalived does not run without it. Or, with `entry`,
    each line is a value, and `to` is the tuple of them; `flat`: every word of every line is. With
    `entry` and `header`, the model's field ENTRIES is the tuple of values. `judged`: a rule tells
    of the support, and only of what keepalived would not leave out.
    """

    name: str
    doc: str
    to: str
    rows: tuple[Keyword | Block, ...] = ()
    model: type | None = None
    header: Keyword | None = None
    many: bool = False
    unique: bool = True
    fatal: bool = False
    entry: Kind | None = None
    flat: bool = False
    support: Support = FULL
    why: str = ""
    judged: bool = False
    instead: str | None = None
    alias: bool = False
    written_if: Callable[[Any], bool] | None = None
    children: Mapping[str, Keyword | Block] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "children", {row.name: row for row in self.rows})

    @property
    def named(self) -> bool:
        """True if words stand between the keyword and the brace."""
        return self.header is not None

    @property
    def key(self) -> str:
        """What `Settings` calls the block."""
        return self.to


def walk(block: Block) -> Iterator[tuple[Block, Keyword | Block]]:
    """Yield every row below `block` with the block that it stands in, in table order."""
    for row in block.rows:
        yield block, row
        if isinstance(row, Block):
            yield from walk(row)


@cache
def default_of(model: type, path: str) -> object:
    """Return the default of a field of a dataclass; "garp.delay" is a field of a field's default.

    A field that must be given has none: None is returned.
    """
    head, _, tail = path.partition(".")
    found = next((one for one in fields(model) if one.name == head), None)
    if found is None:
        raise LookupError(f"{model.__name__} has no field {head}")
    if found.default_factory is not MISSING:
        value: object = found.default_factory()
    else:
        value = None if found.default is MISSING else found.default
    for name in tail.split(".") if tail else ():
        value = None if value is None else getattr(value, name)
    return value
