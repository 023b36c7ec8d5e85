"""Settings to dataclasses, by what the rows say: the part of building that knows no keyword.

Blocks whose keywords depend on each other have a function in `rules` instead, which starts from
`fields_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from fastvrrp.config.row import Block, default_of

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings

__all__ = ["Make", "assemble", "fields_of"]

Make = Callable[["Settings"], object | None]
"""Makes the model of a block; None, with a report, if that cannot be."""


def assemble(settings: Settings, make: Make) -> object:
    """Return the model of a block; `make` makes those of the blocks in it.

    Raises TypeError if a field without default is missing: its row must be `required`, and the rule
    of the block must have seen to it.
    """
    model = settings.block.model
    assert model is not None, f"{settings.block.name} has no model of its own"
    return model(**fields_of(settings, make))


def fields_of(settings: Settings, make: Make) -> dict[str, object]:
    """Return the fields of the model that the text gives, by name; what it does not say is left
    out.
    """
    found: dict[str, object] = {}
    if settings.header is not None and settings.block.header is not None:
        _put(found, settings.block.header.to, settings.header.value)
    for setting in settings.values.values():
        _put(found, setting.row.to, setting.value)
    for key, entries in settings.lists.items():
        _put(found, key, tuple(entry.value for entry in entries))
    for key, blocks in settings.blocks.items():
        made = [one for block in blocks if (one := make(block)) is not None]
        if blocks[0].block.many:
            _put(found, key, (*_tuple(found.get(key)), *made))
        elif made:
            _put(found, key, made[0])
    return _with_span(_nested(found, settings.block), settings)


def _put(found: dict[str, object], to: str | tuple[str, ...], value: object) -> None:
    if isinstance(to, str):
        found[to] = value
        return
    assert isinstance(value, tuple), "a row with several targets reads a tuple"
    found.update(zip(to, value, strict=True))


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _nested(found: dict[str, object], block: Block) -> dict[str, object]:
    """Gather "garp.delay" and its like into the field `garp`."""
    inner: dict[str, dict[str, object]] = {}
    for name in [name for name in found if "." in name]:
        head, _, tail = name.partition(".")
        inner.setdefault(head, {})[tail] = found.pop(name)
    for head, values in inner.items():
        assert block.model is not None, "only blocks with a model have nested fields"
        base = found.get(head, default_of(block.model, head))
        found[head] = replace(base, **values)  # type: ignore[type-var]  # a dataclass
    return found


def _with_span(found: dict[str, object], settings: Settings) -> dict[str, object]:
    """Add where the block was written, for models that keep it."""
    model = settings.block.model
    if model is None or settings.statement is None:
        return found
    if any(one.name == "span" for one in fields(model)):
        found["span"] = settings.statement.span
    return found
