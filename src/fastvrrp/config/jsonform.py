"""The model as JSON: what each value becomes, and the JSON Schema of what a type becomes.

Addresses are text, times integers in nanoseconds, enumerations their names, bytes hexadecimal,
secrets `***`. `span` and what else takes no part in equality is left out. Where a field can hold
one of several dataclasses, the object says in `kind` which one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fastvrrp.clock import Nanoseconds
from fastvrrp.secret import Secret

__all__ = ["KIND", "NANOSECONDS", "schema_of_type", "shown_fields", "to_json", "union_members"]

KIND = "kind"
"""Key of an object that names its dataclass."""

NANOSECONDS = "nanoseconds"
"""Description of a time."""

_SIMPLE: dict[object, dict[str, object]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    bytes: {"type": "string", "pattern": "^([0-9a-f]{2})*$"},
    NoneType: {"type": "null"},
    Nanoseconds: {"type": "integer", "description": NANOSECONDS},
    Secret: {"const": "***"},
    IPv4Address: {"type": "string", "format": "ipv4"},
    IPv6Address: {"type": "string", "format": "ipv6"},
    **{one: {"type": "string"} for one in (IPv4Interface, IPv6Interface, IPv4Network, IPv6Network)},
}


def to_json(value: object, *, tagged: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON form of a value of the model; `tagged`: with the name of its dataclass."""
    if is_dataclass(value) and not isinstance(value, type):
        return _object(value, type(value), tagged=tagged)
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [to_json(item, tagged=tagged) for item in value]
    return str(value)


def _object(value: object, model: type, *, tagged: bool) -> dict[str, object]:
    unions = _unions_of(model)
    made: dict[str, object] = {KIND: model.__name__} if tagged else {}
    for one in shown_fields(model):
        made[one.name] = to_json(getattr(value, one.name), tagged=one.name in unions)
    return made


def shown_fields(model: type) -> Iterator[Field[Any]]:
    """Yield the fields of a dataclass that its JSON form has."""
    return (one for one in fields(model) if one.compare)


@cache
def _unions_of(model: type) -> frozenset[str]:
    """Return the fields that can hold one of several dataclasses."""
    hints = get_type_hints(model)
    return frozenset(name for name, hint in hints.items() if len(union_members(hint)) > 1)


def union_members(hint: object) -> tuple[type, ...]:
    """Return the dataclasses among which a field holds one, or a tuple of them."""
    if get_origin(hint) is tuple:
        return union_members(get_args(hint)[0])
    inner = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    return tuple(one for one in inner if isinstance(one, type) and is_dataclass(one))


def schema_of_type(
    hint: object, of_model: Callable[[type, bool], dict[str, object]]
) -> dict[str, object]:
    """Return the JSON Schema of what a value of a type becomes.

    `of_model` makes that of a dataclass; its second argument is true if the object is `tagged`.
    """
    tagged = len(union_members(hint)) > 1

    def of(one: object) -> dict[str, object]:
        origin, inner = get_origin(one), get_args(one)
        if origin in (UnionType, Union):
            told = [of(part) for part in inner]
            return {"anyOf": [part for at, part in enumerate(told) if part not in told[:at]]}
        if origin is tuple:
            return {"type": "array", **_items(inner, of)}
        if isinstance(one, type) and is_dataclass(one):
            return of_model(one, tagged)
        if isinstance(one, type) and issubclass(one, Enum):
            return {"enum": [member.name for member in one]}
        return dict(_SIMPLE[one])

    return of(hint)


def _items(
    inner: tuple[object, ...], of: Callable[[object], dict[str, object]]
) -> dict[str, object]:
    """Return what a schema says of the items of a tuple."""
    if len(inner) == 2 and inner[1] is Ellipsis:
        return {"items": of(inner[0])}
    return {"prefixItems": [of(one) for one in inner], "items": False}
