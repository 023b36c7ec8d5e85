"""The JSON Schema of a dataclass of the model, from the types of its fields."""

from __future__ import annotations

from functools import cache
from typing import get_type_hints

from fastvrrp.config.jsonform import schema_of_type, shown_fields

__all__ = ["schema_of"]


@cache
def schema_of(model: type) -> dict[str, object]:
    """Return the schema of an object with the fields of a dataclass; `span` is no part of it."""
    hints = get_type_hints(model)
    properties = {
        one.name: schema_of_type(hints[one.name], lambda inner, _: schema_of(inner))
        for one in shown_fields(model)
    }
    return {"type": "object", "properties": properties}
