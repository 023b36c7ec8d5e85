"""A secret that cannot be printed by accident."""

from __future__ import annotations

from typing import final

__all__ = ["Secret"]


@final
class Secret:
    """Bytes that `repr`, `str`, `format` and logging show as `***`.

    Equality compares the content, so that a changed password is a changed configuration.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the content; the only way to it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")
