"""Kinds of values of `global_defs` that concern load balancing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import FlushMode, SyncDaemon
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.network import address, interface_name
from fastvrrp.config.values.numbers import SECONDS_SCHEMA, in_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.model import Address
    from fastvrrp.config.reader import Word

__all__ = ["FlushWord", "IpvsTimeouts", "SyncDaemonWords"]

_MAX_TIMEOUT = 31 * 24 * 3600
_PROTOCOLS = ("tcp", "tcpfin", "udp")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FlushWord:
    """`VS`, or nothing for the whole table."""

    def read(self, args: Args) -> FlushMode:
        """Return what is removed at once."""
        if args.peek() is None:
            return FlushMode.ALL
        word = args.take("")
        if word.text == "VS":
            return FlushMode.SERVERS
        raise Rejected("FV103", f"{args.keyword} takes VS or no value", word.span)

    def write(self, value: FlushMode) -> str | None:
        """Return the words; EACH is what no line says."""
        return {FlushMode.ALL: "", FlushMode.SERVERS: "VS"}.get(value)

    def describe(self) -> str:
        """Return the form."""
        return "[VS]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"enum": [mode.name for mode in FlushMode]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IpvsTimeouts:
    """`[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]`; 0 leaves one as it is."""

    def read(self, args: Args) -> tuple[Nanoseconds | None, ...]:
        """Return the three times, None where nothing is said."""
        times: dict[str, Nanoseconds] = {}
        words = args.statement.words
        while args.peek() is not None:
            word = args.take("")
            if word.text not in _PROTOCOLS:
                message = f"{word.text} is no timeout of {args.keyword}; it is not used"
                args.warn("FV103", message, word.span, f"they are {', '.join(_PROTOCOLS)}")
            elif args.peek() is None:
                args.warn("FV103", f"{word.text} has no value", word.span, "write seconds")
            else:
                self._time(args, word.text, times)
        if len(words) == 1:
            hint = f"write {args.keyword} tcp 900, for instance"
            raise Rejected("FV103", f"{args.keyword} sets no timeout", words[0].span, hint)
        return tuple(times.get(name) for name in _PROTOCOLS)

    def _time(self, args: Args, name: str, times: dict[str, Nanoseconds]) -> None:
        try:
            value = in_range(args.take(""), 0, _MAX_TIMEOUT, f"{args.keyword} {name}")
        except Rejected as rejected:
            args.warn(rejected.code, rejected.message, rejected.span, rejected.hint)
            return
        times[name] = Nanoseconds(value * NS_PER_SECOND)

    def write(self, value: tuple[int | None, ...]) -> str | None:
        """Return the words."""
        said = [
            f"{name} {time // NS_PER_SECOND}"
            for name, time in zip(_PROTOCOLS, value, strict=True)
            if time is not None
        ]
        return " ".join(said) or None

    def describe(self) -> str:
        """Return the form."""
        return "[tcp seconds] [tcpfin seconds] [udp seconds]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        limits = {"minimum": 0, "maximum": _MAX_TIMEOUT * NS_PER_SECOND}
        return {**SECONDS_SCHEMA, **limits, "type": ["integer", "null"]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SyncDaemonWords:
    """`lvs_sync_daemon`: an interface, an instance, and options in any order."""

    def read(self, args: Args) -> SyncDaemon:
        """Return what the words say; a bad option is reported and not used."""
        if args.peek() is None:
            span = args.statement.span
            raise Rejected("FV103", f"{args.keyword} names no interface", span)
        interface = interface_name(args.take(""))
        said: dict[str, object] = {}
        while args.peek() is not None:
            self._option(args, said)
        return SyncDaemon(interface=interface, **said)  # type: ignore[arg-type]  # see _OPTIONS

    def _option(self, args: Args, said: dict[str, object]) -> None:
        word = args.take("")
        if word.text == "inst":
            said["instance"] = args.take("the name of an instance").text
            return
        option = _OPTIONS.get(word.text)
        if option is None:
            self._bare(args, word, said)
            return
        field, read = option
        value = args.take(f"the value of {word.text}")
        try:
            said[field] = read(value)
        except Rejected as rejected:
            args.warn(rejected.code, rejected.message, rejected.span, rejected.hint)

    def _bare(self, args: Args, word: Word, said: dict[str, object]) -> None:
        """Take a word without the word that says what it is: the instance, then the id."""
        if "instance" not in said and "id" not in said:
            said["instance"] = word.text
            return
        hint = f"write id {word.text}"
        try:
            said["id"] = _sync_id(word)
        except Rejected as rejected:
            args.warn(rejected.code, rejected.message, rejected.span, hint)
            return
        args.warn("FV112", f"{word.text} is taken as the id", word.span, hint)

    def write(self, value: SyncDaemon | None) -> str | None:
        """Return the words."""
        if value is None:
            return None
        words = [quoted(value.interface)]
        if value.instance is not None:
            words += ["inst", quoted(value.instance)]
        for name, (field, _) in _OPTIONS.items():
            found = getattr(value, field)
            words += [] if found is None else [name, str(found)]
        return " ".join(words)

    def describe(self) -> str:
        """Return the form."""
        return (
            "interface [[inst] instance] [id 0 to 255] [maxlen 1 to 65507] [port 1 to 65535] "
            "[ttl 1 to 255] [group address]"
        )

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": ["object", "null"]}


def _sync_id(word: Word) -> int:
    return in_range(word, 0, 255, "the id of the sync daemon")


def _max_length(word: Word) -> int:
    return in_range(word, 1, 65507, "maxlen")


def _port(word: Word) -> int:
    return in_range(word, 1, 65535, "port")


def _ttl(word: Word) -> int:
    return in_range(word, 1, 255, "ttl")


def _group(word: Word) -> Address:
    found = address(word)
    if not found.is_multicast:
        hint = "write an address such as 224.0.0.81"
        raise Rejected("FV104", f"{found} is no multicast address", word.span, hint)
    return found


_OPTIONS: dict[str, tuple[str, Callable[[Word], object]]] = {
    "id": ("id", _sync_id),
    "maxlen": ("max_length", _max_length),
    "port": ("port", _port),
    "ttl": ("ttl", _ttl),
    "group": ("group", _group),
}
"""Options of `lvs_sync_daemon`: the field that takes the value, and what reads it."""
