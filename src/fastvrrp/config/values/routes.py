"""Lines of `virtual_routes` and `static_routes`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import (
    ORIGIN,
    Address,
    Nexthop,
    Route,
    RouteMetrics,
    RouteOrder,
    RoutePreference,
    RouteType,
)
from fastvrrp.config.values.addresses import apart_hint, is_address
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.encap import encap_text, take_encap
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.names import PROTOCOLS, SCOPES, TABLES, name_of
from fastvrrp.config.values.network import address
from fastvrrp.config.values.options import Options, realms_text

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = ["RouteLine"]

_U32 = 2**32 - 1
_BYTE = 255
_MAX_WEIGHT = 256

_NUMBERS = ("mtu", "advmss", "reordering", "window", "cwnd", "ssthresh", "initcwnd", "initrwnd")
"""Metrics that are numbers and may be locked."""

_TIME_UNITS = {"rtt": 125_000, "rttvar": 250_000, "rto_min": 1_000_000}
"""Metrics that are times, and the kernel's units of them in ns: what a bare number counts."""

_SHORTEST, _LONGEST = milliseconds(200), seconds(120)
"""Limits of those times."""

_LOCKS = (*_NUMBERS, *_TIME_UNITS, "congctl")
_SWITCHES = ("quickack", "fastopen_no_cookie")
_EVERYTHING = ("default", "any", "all", "default6")
_PROPAGATE = {"enabled": True, "disabled": False}
_PREFERENCES = {one.value: one for one in RoutePreference} | {
    "0": RoutePreference.MEDIUM,
    "1": RoutePreference.HIGH,
    "3": RoutePreference.LOW,
}
"""Preferences by name and by their number in adverts of routers (RFC 4191 §2.1)."""

_TIME = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?(s|ms)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RouteLine:
    """A route as ip-route(8) writes it: the destination, and options in any order.

    `static`: one of `static_routes`, which no instance decides about.
    """

    static: bool = False

    def read(self, args: Args) -> Route:
        """Return the route; any mistake leaves it out."""
        first = args.statement.words[0]
        line = _Line(args, is_static=self.static)
        try:
            line.read(first)
        except Rejected as rejected:
            raise rejected.leaving_out("route") from None
        return Route(span=first.span, **line.fields)  # type: ignore[arg-type]  # see _Line

    def write(self, value: Route) -> str | None:
        """Return the words."""
        metrics = _metrics_words(value.metrics)
        if metrics is None:
            return None
        kind = [] if value.type is RouteType.UNICAST else [value.type.value]
        options = {
            "from": value.from_network,
            "via": value.via,
            "dev": value.interface and quoted(value.interface),
            "src": value.source,
            "table": None if value.table is None else name_of(value.table, TABLES),
            "vrf": value.vrf and quoted(value.vrf),
            "metric": value.metric,
            "scope": None if value.scope is None else name_of(value.scope, SCOPES),
            "protocol": name_of(value.protocol, PROTOCOLS) if value.protocol != ORIGIN else None,
            "tos": name_of(value.tos, {}) if value.tos else None,
            "realms": realms_text(value.realms) if value.realms else None,
            "pref": value.preference and value.preference.value,
            "expires": None if value.expires is None else value.expires // NS_PER_SECOND,
            "ttl-propagate": _propagate_text(value.ttl_propagate),
            "track_group": value.track_group and quoted(value.track_group),
        }
        words = [*kind, str(value.destination)]
        words += [f"{word} {said}" for word, said in options.items() if said is not None]
        words += metrics
        # Behind src, tos and hoplimit, which a tunnel would take for its own.
        words += [f"encap {encap_text(value.encap)}"] if value.encap else []
        words += [] if value.order is RouteOrder.PREPEND else [value.order.value]
        words += ["onlink"] if value.onlink else []
        words += [] if value.track else ["no_track"]
        return " ".join([*words, *map(_nexthop_text, value.nexthops)])

    def describe(self) -> str:
        """Return the form."""
        return (
            "[type] [to] network|default [via address] [dev interface] [src address] "
            "[table name] [metric number] [scope name] [protocol name] [onlink] [no_track] "
            "[further options of ip-route(8)] [nexthop …]"
        )

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(Route)


def _propagate_text(value: bool | None) -> str | None:
    return next((word for word, said in _PROPAGATE.items() if said is value), None)


def _metrics_words(value: RouteMetrics) -> list[str] | None:
    """Return the words of all metrics; None if a time cannot be said."""
    words = []
    for name in (one.name for one in fields(value)):
        said = getattr(value, name)
        if said is None or name == "locked" or (said is False and name == "ecn"):
            continue
        unit = _TIME_UNITS.get(name, 1)
        if isinstance(said, int) and said % unit:
            return None
        text = quoted(said) if isinstance(said, str) else str(int(said) // unit)
        lock = "lock " if name in value.locked else ""
        words.append("features ecn" if name == "ecn" else f"{name} {lock}{text}")
    return words


def _nexthop_text(value: Nexthop) -> str:
    options = {
        "via": value.via,
        "dev": value.interface and quoted(value.interface),
        "weight": value.weight if value.weight != 1 else None,
        "realms": realms_text(value.realms) if value.realms else None,
        "encap": value.encap and encap_text(value.encap),
    }
    words = [f"{word} {said}" for word, said in options.items() if said is not None]
    return " ".join(["nexthop", *words, *(["onlink"] if value.onlink else [])])


class _Line(Options):
    """One route as far as its line is read; `fields` are those of the model."""

    def __init__(self, args: Args, *, is_static: bool) -> None:
        super().__init__(args, "route")
        self._is_done = False
        self._metrics: dict[str, object] = {}
        self._locked: set[str] = set()
        self._to: Word | None = None
        self._only: dict[int, Word] = {}
        self._protocol: Word | None = None
        self._second: Address | None = None
        self._readers: Mapping[str, Callable[[Word], None]] = {
            **dict.fromkeys(_NUMBERS, self._metric_number),
            **dict.fromkeys(_TIME_UNITS, self._metric_time),
            **dict.fromkeys(_SWITCHES, self._switch),
            **dict.fromkeys(("via", "gw", "gateway"), self._via),
            **dict.fromkeys(("dev", "oif"), self._dev),
            **dict.fromkeys(("metric", "priority", "preference"), self._metric),
            **dict.fromkeys(("tos", "dsfield"), self._tos),
            **dict.fromkeys([one.value for one in RouteOrder], self._order),
            **dict.fromkeys([one.value for one in RouteType], self._type),
            "to": self._destination,
            "or": self._or,
            "src": self._src,
            "from": self._from,
            "table": self._table,
            "vrf": self._vrf,
            "scope": self._scope,
            "protocol": self._origin,
            "onlink": self._onlink,
            "hoplimit": self._hoplimit,
            "congctl": self._congctl,
            "features": self._features,
            "realms": self._realms,
            "pref": self._pref,
            "expires": self._expires,
            "ttl-propagate": self._propagate,
            "encap": self._encap,
            "no_track": self._no_track,
            "nexthop": self._nexthop,
        }
        if is_static:
            self._readers = {**self._readers, "track_group": self._track_group}

    def read(self, first: Word) -> None:
        """Read all words of the line."""
        while self.args.peek() is not None and not self._is_done:
            self._option(self.value(""))
        self._finish(first)

    def _option(self, word: Word) -> None:
        reader = self._readers.get(word.text)
        if reader is not None:
            reader(word)
        elif not self.is_family(word):
            self._set_destination(word)

    def _finish(self, first: Word) -> None:
        if self._to is None:
            hint = "write the network first: 198.51.100.0/24 via … or default via …"
            raise Rejected("FV103", "the route has no destination", first.span, hint)
        family = self.family or 4
        if "destination" not in self.fields:
            everything = IPv4Network("0.0.0.0/0") if family == 4 else IPv6Network("::/0")
            self.fields["destination"] = everything
        for only, word in self._only.items():
            if only != family:
                message = f"{word.text} is for IPv{only} routes only"
                raise Rejected("FV103", message, word.span)
        self.origin("route", self._protocol or first)
        locked = tuple(name for name in _LOCKS_IN_ORDER if name in self._locked)
        self.fields["metrics"] = RouteMetrics(locked=locked, **self._metrics)  # type: ignore[arg-type]  # see _Line
        if self._second is not None:
            self._settle_or()

    def _settle_or(self) -> None:
        """Make two next hops of `via A or B`."""
        via, interface = self.fields.pop("via", None), self.fields.get("interface")
        self.fields["nexthops"] = tuple(
            Nexthop(via=one, interface=interface)  # type: ignore[arg-type]  # see _via, _dev
            for one in (via, self._second)
            if one is not None
        )

    # --- where to

    def _type(self, word: Word) -> None:
        self.store("type", RouteType(word.text), word)
        following = self.value("a destination")
        self._set_destination(self.value("a destination") if following.text == "to" else following)

    def _destination(self, word: Word) -> None:
        self._set_destination(self.value("a destination"))

    def _set_destination(self, word: Word) -> None:
        if self._to is not None and (is_address(word.text) or word.text in _EVERYTHING):
            message = "there is a second destination on this line; the last one counts"
            self.args.note("FV106", message, word.span, "write each route on a line of its own")
        if word.text in _EVERYTHING:
            self._default(word)
        elif word.text[:1].isalpha() and not is_address(word.text):
            message = f"{word.text} is no option of a route"
            hint = "options are those of ip-route(8), such as via, dev, src, table and metric"
            raise Rejected("FV103", message, word.span, hint)
        else:
            self._check_apart(word)
            self.fields["destination"] = self.network(word)
        self._to = word

    def _check_apart(self, word: Word) -> None:
        hint = apart_hint(word, self._to.text) if self._to is not None else None
        if hint is not None:
            raise Rejected("FV103", f"{word.text} is no network", word.span, hint)

    def _default(self, word: Word) -> None:
        if word.text == "default6":
            hint = "write ::/0, or inet6 default"
            self.args.warn("FV112", "default6 is an old name", word.span, hint)
            self.is_of(6, word)
        self.fields.pop("destination", None)

    def _from(self, word: Word) -> None:
        self._only[6] = word
        self.store("from_network", self.network(self.value("a network")), word)

    # --- through what

    def _via(self, word: Word) -> None:
        if word.text != "via":
            self.args.warn("FV112", f"{word.text} is an old name", word.span, "write via")
        self.store("via", self._gateway(), word)

    def _gateway(self) -> Address:
        value = self.value("an address")
        if self.is_family(value):
            value = self.value("an address")
        found = address(value)
        self.is_of(found.version, value)
        return found

    def _or(self, word: Word) -> None:
        hint = "write nexthop via A nexthop via B"
        self.args.warn("FV112", "or is an old name", word.span, hint)
        self._second = self._gateway()

    def _dev(self, word: Word) -> None:
        self.store("interface", self.interface(), word)

    def _src(self, word: Word) -> None:
        self.store("source", self._gateway(), word)

    def _vrf(self, word: Word) -> None:
        self.store("vrf", self.interface(), word)

    def _onlink(self, word: Word) -> None:
        self.fields["onlink"] = True

    def _encap(self, word: Word) -> None:
        self.store("encap", take_encap(self), word)

    # --- which one

    def _table(self, word: Word) -> None:
        self.store("table", self.named(word, TABLES, _U32), word)

    def _metric(self, word: Word) -> None:
        self.store("metric", self.number(word, _U32), word)

    def _scope(self, word: Word) -> None:
        self.store("scope", self.named(word, SCOPES, _BYTE), word)

    def _origin(self, word: Word) -> None:
        self._protocol = word
        self.store("protocol", self.named(word, PROTOCOLS, _BYTE), word)

    def _tos(self, word: Word) -> None:
        self.store("tos", self.named(word, {}, _BYTE), word)

    def _order(self, word: Word) -> None:
        self.fields["order"] = RouteOrder(word.text)

    def _realms(self, word: Word) -> None:
        self._only[4] = word
        self.store("realms", self.realms(), word)

    def _pref(self, word: Word) -> None:
        self._only[6] = word
        value = self.value("low, medium or high")
        if value.text not in _PREFERENCES:
            message = f"pref must be low, medium or high, not {value.text}"
            raise Rejected("FV103", message, value.span)
        self.store("preference", _PREFERENCES[value.text], word)

    def _expires(self, word: Word) -> None:
        self._only[6] = word
        self.store("expires", Nanoseconds(self.number(word, _U32) * NS_PER_SECOND), word)

    def _no_track(self, word: Word) -> None:
        self.fields["track"] = False

    def _track_group(self, word: Word) -> None:
        self.store("track_group", self.value("the name of a track_group").text, word)

    # --- metrics

    def _lock(self, word: Word) -> None:
        if self.args.peek() == "lock":
            self.value("")
            self._locked.add(word.text)

    def _metric_number(self, word: Word) -> None:
        self._lock(word)
        self._metrics[word.text] = self.number(word, _U32)

    def _hoplimit(self, word: Word) -> None:
        self._metrics["hoplimit"] = self.number(word, _BYTE)

    def _switch(self, word: Word) -> None:
        self._metrics[word.text] = bool(self.number(word, 1))

    def _congctl(self, word: Word) -> None:
        self._lock(word)
        self._metrics["congctl"] = self.value("an algorithm").text

    def _features(self, word: Word) -> None:
        value = self.value("ecn")
        if value.text != "ecn":
            message = f"features must be ecn, not {value.text}"
            raise Rejected("FV103", message, value.span)
        self._metrics["ecn"] = True

    def _metric_time(self, word: Word) -> None:
        self._lock(word)
        value = self.value("a time")
        match = _TIME.match(value.text)
        if match is None or (match[2] and match[3] != "s"):
            message = f"{word.text} must be a time, not {value.text}"
            hint = "write milliseconds or seconds, such as 250ms or 1.5s"
            raise Rejected("FV103", message, value.span, hint)
        self._metrics[word.text] = self._clamped(word, value, _nanoseconds(word.text, match))

    def _clamped(self, option: Word, word: Word, value: int) -> Nanoseconds:
        if _SHORTEST <= value <= _LONGEST:
            return Nanoseconds(value)
        is_short = value < _SHORTEST
        tell = self.args.note if is_short else self.args.warn
        message = f"{option.text} {word.text} is taken as {'200ms' if is_short else '120s'}"
        tell("FV104", message, word.span, "write 200ms to 120s")
        return _SHORTEST if is_short else _LONGEST

    def _propagate(self, word: Word) -> None:
        value = self.value("enabled or disabled")
        if value.text not in _PROPAGATE:
            message = f"ttl-propagate must be enabled or disabled, not {value.text}"
            raise Rejected("FV103", message, value.span)
        self.store("ttl_propagate", _PROPAGATE[value.text], word)

    # --- several next hops

    def _nexthop(self, word: Word) -> None:
        """Read this next hop and all behind it; they end the line."""
        hops = [self._one_hop()]
        while self.args.peek() == "nexthop":
            self.value("")
            hops.append(self._one_hop())
        self.fields["nexthops"] = tuple(hops)
        self._is_done = True

    def _one_hop(self) -> Nexthop:
        found: dict[str, object] = {}
        while self.args.peek() in _HOP_WORDS:
            word = self.value("")
            name = _HOP_WORDS[word.text]
            found[name] = self._hop_value(word, name)
        return Nexthop(**found)  # type: ignore[arg-type]  # see _hop_value

    def _hop_value(self, word: Word, name: str) -> object:
        if name == "onlink":
            return True
        if name == "via":
            return self._gateway()
        if name == "interface":
            return self.interface()
        if name == "weight":
            return self.number(word, _MAX_WEIGHT, low=1)
        return self.realms() if name == "realms" else take_encap(self)


_HOP_WORDS = {
    "via": "via",
    "dev": "interface",
    "oif": "interface",
    "weight": "weight",
    "onlink": "onlink",
    "realms": "realms",
    "encap": "encap",
}

_LOCKS_IN_ORDER = tuple(one.name for one in fields(RouteMetrics) if one.name in _LOCKS)


def _nanoseconds(name: str, match: re.Match[str]) -> int:
    """Return a time of the match of _TIME in ns."""
    if match[3] is None:
        return int(match[1]) * _TIME_UNITS[name]
    if match[3] == "ms":
        return int(match[1]) * 1_000_000
    return int(match[1]) * NS_PER_SECOND + int((match[2] or "").ljust(3, "0")) * 1_000_000
