"""What all parts of the model have in common: they are equal by their fields, and can be shown."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Value"]


class Value:
    """Base of frozen dataclasses that count as their fields do.

    The dataclass decorator would write these methods anew for each class, when it is imported:
    together that takes as long as reading a small configuration.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        compared = _compared(type(self))  # type: ignore[arg-type]  # a class has a hash
        return bool(compared(self) == compared(other))

    def __hash__(self) -> int:
        return hash(_compared(type(self))(self))  # type: ignore[arg-type]  # as above

    def __repr__(self) -> str:
        names = _shown(type(self))  # type: ignore[arg-type]  # as above
        shown = (f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({', '.join(shown)})"


@cache
def _compared(model: type[Any]) -> Callable[[object], object]:
    """Return what takes the fields that count from a value: there is always one."""
    return attrgetter(*(one.name for one in fields(model) if one.compare))


@cache
def _shown(model: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(model) if one.repr)
