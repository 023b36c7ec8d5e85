"""What lines of routes and of rules have in common: options in any order, one address family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastvrrp.config.model import ORIGIN, Network, Realms
from fastvrrp.config.values.addresses import network
from fastvrrp.config.values.base import Args, Rejected
from fastvrrp.config.values.names import any_base, name_of, numbered, take_numbered
from fastvrrp.config.values.network import take_interface

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = ["Options", "realms_text"]

_MAX_REALM = 255
_FAMILIES = {"inet": 4, "inet6": 6}


class Options:
    """The words of one line, and what they have said so far.

    `what` names the line in messages. keepalived ends with a missing value, and leaves the line out
    for any other mistake.
    """

    def __init__(self, args: Args, what: str) -> None:
        self.args = args
        self.what = what
        self.fields: dict[str, object] = {}
        self._family: tuple[int, Word] | None = None

    @property
    def family(self) -> int | None:
        """4 or 6, None as long as nothing told."""
        return None if self._family is None else self._family[0]

    def value(self, what: str) -> Word:
        """Return the value of an option; without it keepalived does not run."""
        try:
            return self.args.take(what)
        except Rejected as rejected:
            rejected.fatal = True
            raise

    def interface(self) -> str:
        """Return the interface that the next word names."""
        if self.args.peek() is None:
            self.value("an interface")
        return take_interface(self.args)

    def store(self, name: str, value: object, word: Word) -> None:
        """Keep what an option says; the last of two counts."""
        if name in self.fields:
            message = f"{word.text} is given twice; the last one counts"
            self.args.note("FV106", message, word.span)
        self.fields[name] = value

    def number(self, option: Word, high: int, low: int = 0) -> int:
        """Return the number behind an option."""
        word = self.value("a number")
        found = any_base(word.text)
        if found is None:
            message = f"{option.text} must be a whole number, not {word.text}"
            raise Rejected("FV103", message, word.span)
        if not low <= found <= high:
            message = f"{option.text} {word.text} is outside {low} to {high}"
            raise Rejected("FV104", message, word.span)
        return found

    def named(self, option: Word, names: Mapping[int, str], high: int) -> int | str:
        """Return the number or the name behind an option."""
        return take_numbered(self.value("a number or a name"), names, high, option.text)

    def network(self, word: Word) -> Network:
        """Return the network that a word is, of the family of the line."""
        found = network(self.args, word)
        self.is_of(found.version, word)
        return found

    def is_of(self, version: int, word: Word) -> None:
        """Take note of the family that a word belongs to: there is one on a line."""
        if self._family is None:
            self._family = (version, word)
        elif self._family[0] != version:
            before, first = self._family
            message = (
                f"{first.text} is IPv{before} and {word.text} is IPv{version}: "
                f"a {self.what} has one family"
            )
            raise Rejected("FV103", message, word.span)

    def is_family(self, word: Word) -> bool:
        """Tell if a word is `inet` or `inet6`, which is then noted."""
        if word.text not in _FAMILIES:
            return False
        self.is_of(_FAMILIES[word.text], word)
        return True

    def realms(self) -> Realms:
        """Return `[source/]destination`."""
        word = self.value("realms")
        found = [numbered(part, {}, _MAX_REALM) for part in word.text.split("/")]
        known = [one for one in found if one is not None]
        if len(known) != len(found) or len(found) > 2:
            message = f"realms must be TO or FROM/TO, of 0 to {_MAX_REALM} or names"
            raise Rejected("FV103", f"{message}, not {word.text}", word.span)
        return Realms(*known) if len(known) == 2 else Realms(0, known[0])

    def origin(self, what: str, word: Word) -> None:
        """Settle `protocol`: only what carries the number of keepalived is tracked."""
        if self.fields.get("track", True) and self.fields.get("protocol", ORIGIN) != ORIGIN:
            message = (
                f"a {what} that is tracked has protocol keepalived ({ORIGIN}); this one is not used"
            )
            self.args.warn("FV240", message, word.span, "add no_track, or remove protocol")
            self.fields["protocol"] = ORIGIN


def realms_text(value: Realms) -> str:
    """Return the word that says it."""
    destination = name_of(value.destination, {})
    return destination if value.source == 0 else f"{name_of(value.source, {})}/{destination}"
