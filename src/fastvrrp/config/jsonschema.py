"""The JSON Schema of `Config.to_dict`: types from the model, all else from the rows.

`python -m fastvrrp.config.jsonschema` prints it; docs/config.schema.json is that.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field
from typing import get_type_hints

from fastvrrp.config.jsonform import (
    KIND,
    NANOSECONDS,
    schema_of_type,
    shown_fields,
    to_json,
    union_members,
)
from fastvrrp.config.model import Config
from fastvrrp.config.row import Block, Keyword, walk
from fastvrrp.config.schema import ROOT

__all__ = ["render", "schema"]

_Schema = dict[str, object]
_Rows = dict[tuple[type, str], Keyword | Block]
_NARROWED = ("integer", "string")


def schema() -> dict[str, object]:
    """Return the schema (draft 2020-12); every dataclass of the model is one of its `$defs`."""
    rows = _rows_by_field()
    models = sorted(_models(Config, set()), key=lambda model: model.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fastvrrp configuration",
        "$ref": "#/$defs/Config",
        "$defs": {model.__name__: _of_model(model, rows) for model in models},
    }


def _rows_by_field() -> _Rows:
    """Return the row that says what a field means; of several, the first that is not old."""
    found: _Rows = {}
    for block, row in walk(ROOT):
        if block.model is None or row.alias or row.instead:
            continue
        paths = row.targets if isinstance(row, Keyword) else (row.to,)
        for path in paths:
            found.setdefault(_field_at(block.model, path), row)
        if isinstance(row, Block) and row.header is not None and row.model is not None:
            for path in row.header.targets:
                found.setdefault((row.model, path), row.header)
    return found


def _field_at(model: type, path: str) -> tuple[type, str]:
    """Return the dataclass that has a field, and its name there."""
    head, _, tail = path.partition(".")
    if not tail:
        return model, head
    (inner,) = union_members(get_type_hints(model)[head])
    return _field_at(inner, tail)


def _models(model: type, seen: set[type]) -> set[type]:
    """Return a dataclass and all that its fields hold."""
    if model in seen:
        return seen
    seen.add(model)
    hints = get_type_hints(model)
    for one in shown_fields(model):
        for inner in _all_members(hints[one.name]):
            _models(inner, seen)
    return seen


def _all_members(hint: object) -> set[type]:
    """Return all dataclasses that a value of a type can hold at once."""
    found: set[type] = set()

    def note(model: type, _: bool) -> _Schema:
        found.add(model)
        return {}

    schema_of_type(hint, note)
    return found


def _of_model(model: type, rows: _Rows) -> _Schema:
    hints = get_type_hints(model)
    shown = list(shown_fields(model))
    properties = {
        one.name: _of_field(one, hints[one.name], rows.get((model, one.name))) for one in shown
    }
    return {
        "description": " ".join((model.__doc__ or "").split()),
        "type": "object",
        "properties": {KIND: {"const": model.__name__}, **properties},
        "required": [one.name for one in shown if not _has_default(one)],
        "additionalProperties": False,
    }


def _of_field(one: Field[object], hint: object, row: Keyword | Block | None) -> _Schema:
    found = schema_of_type(hint, _reference)
    if isinstance(row, Keyword) and not row.many and row.key.rpartition(".")[2] == one.name:
        found = _narrowed(found, row.kind.schema())
    if _has_default(one):
        made = one.default if one.default_factory is MISSING else one.default_factory()
        found = _allowing(found, to_json(made, tagged=len(union_members(hint)) > 1))
    doc = row.doc if row is not None else ""
    if found.get("description") == NANOSECONDS or NANOSECONDS in str(found.get("anyOf")):
        doc = f"{doc} In nanoseconds.".lstrip()
    return {**found, "description": doc} if doc else found


def _has_default(one: Field[object]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _reference(model: type, tagged: bool) -> _Schema:
    found: _Schema = {"$ref": f"#/$defs/{model.__name__}"}
    return {**found, "required": [KIND]} if tagged else found


def _narrowed(found: _Schema, kind: _Schema) -> _Schema:
    """Return a schema of one scalar type, which may be null, with the limits of the kind."""
    branches = found.get("anyOf", [found])
    assert isinstance(branches, list)
    scalars = [one for one in branches if one != {"type": "null"}]
    if len(scalars) != 1 or scalars[0].get("type") not in _NARROWED:
        return found
    if kind.get("type") != scalars[0]["type"]:
        return found
    limited = {**scalars[0], **kind}
    return limited if len(branches) == 1 else {"anyOf": [limited, {"type": "null"}]}


def _allowing(found: _Schema, default: object) -> _Schema:
    """Return a schema with a default, which may lie outside of what can be written."""
    low, high = found.get("minimum"), found.get("maximum")
    if isinstance(low, int) and isinstance(high, int) and isinstance(default, int):
        found = found if low <= default <= high else {"anyOf": [found, {"const": default}]}
    return {**found, "default": default}


def render() -> str:
    """Return the schema as text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(render(), end="")
