"""Lines of `virtual_rules` and `static_rules`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.config.model import ORIGIN, Rule, RuleAction
from fastvrrp.config.values.addresses import is_address
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.names import GROUPS, TABLES, any_base, name_of
from fastvrrp.config.values.options import Options, realms_text

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = ["RuleLine"]

_U32 = 2**32 - 1
_U64 = 2**64 - 1
_BYTE = 255
_PORT = 65535

_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "ipv6-icmp"}
"""IP protocols whose names are everywhere the same."""

_EVERYTHING = ("default", "any", "all")
_BARE_ACTIONS = {
    one.value: one for one in RuleAction if one not in (RuleAction.TABLE, RuleAction.GOTO)
}
"""Actions that are one word."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuleLine:
    """A routing rule as ip-rule(8) writes it: selectors, one action, a priority, in any order.

    `static`: one of `static_rules`, which no instance decides about.
    """

    static: bool = False

    def read(self, args: Args) -> Rule:
        """Return the rule; any mistake leaves it out."""
        first = args.statement.words[0]
        line = _Line(args, is_static=self.static)
        try:
            line.read(first)
        except Rejected as rejected:
            raise rejected.leaving_out("rule") from None
        return Rule(span=first.span, **line.fields)  # type: ignore[arg-type]  # see _Line

    def write(self, value: Rule) -> str | None:
        """Return the words."""
        networks = (value.source, value.destination)
        is_told = any(one is not None for one in networks)
        mark = None if value.fwmark is None else str(value.fwmark)
        options = {
            "from": value.source,
            "to": value.destination,
            "iif": value.iif and quoted(value.iif),
            "oif": value.oif and quoted(value.oif),
            "fwmark": mark if value.fwmask is None else f"{mark}/{value.fwmask}",
            "tos": name_of(value.tos, {}) if value.tos else None,
            "realms": realms_text(value.realms) if value.realms else None,
            "tunnel-id": value.tunnel_id,
            "uidrange": _range_text(value.uids),
            "ipproto": None
            if value.ip_protocol is None
            else name_of(value.ip_protocol, _PROTOCOLS),
            "sport": _range_text(value.source_ports),
            "dport": _range_text(value.destination_ports),
            "suppress_prefixlength": value.suppress_prefixlength,
            "suppress_ifgroup": None
            if value.suppress_ifgroup is None
            else name_of(value.suppress_ifgroup, GROUPS),
            "protocol": value.protocol if value.protocol != ORIGIN else None,
            "priority": value.priority,
            "track_group": value.track_group and quoted(value.track_group),
        }
        words = [] if is_told or value.version == 4 else ["inet6"]
        words += ["not"] if value.invert else []
        words += [f"{word} {said}" for word, said in options.items() if said is not None]
        words += [_action_text(value), *([] if value.track else ["no_track"])]
        return " ".join(words)

    def describe(self) -> str:
        """Return the form."""
        return (
            "[not] [from network] [to network] [iif interface] [oif interface] "
            "[fwmark number[/mask]] [further selectors of ip-rule(8)] priority number "
            "table name|goto number|nop|blackhole|prohibit|unreachable|l3mdev [no_track]"
        )

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(Rule)


def _action_text(value: Rule) -> str:
    if value.action is RuleAction.TABLE:
        return f"table {name_of(value.table or 0, TABLES)}"
    return f"goto {value.goto}" if value.action is RuleAction.GOTO else value.action.value


def _range_text(value: tuple[int, int] | None) -> str | None:
    return None if value is None else f"{value[0]}-{value[1]}"


class _Line(Options):
    """One rule as far as its line is read; `fields` are those of the model."""

    def __init__(self, args: Args, *, is_static: bool) -> None:
        super().__init__(args, "rule")
        self._action: Word | None = None
        self._protocol: Word | None = None
        self._for_tables: Word | None = None
        self._realms_word: Word | None = None
        self._readers: Mapping[str, Callable[[Word], None]] = {
            **dict.fromkeys(_BARE_ACTIONS, self._bare_action),
            **dict.fromkeys(("iif", "dev"), self._iif),
            **dict.fromkeys(("tos", "dsfield"), self._tos),
            **dict.fromkeys(("priority", "preference", "order"), self._priority),
            **dict.fromkeys(("table", "lookup"), self._table),
            **dict.fromkeys(("suppress_prefixlength", "sup_pl"), self._suppress_length),
            **dict.fromkeys(("suppress_ifgroup", "sup_group"), self._suppress_group),
            "not": self._not,
            "from": self._from,
            "to": self._to,
            "oif": self._oif,
            "fwmark": self._fwmark,
            "realms": self._realms,
            "goto": self._goto,
            "type": self._type,
            "tunnel-id": self._tunnel,
            "uidrange": self._uids,
            "protocol": self._origin,
            "ipproto": self._ip_protocol,
            "sport": self._sport,
            "dport": self._dport,
            "no_track": self._no_track,
        }
        if is_static:
            self._readers = {**self._readers, "track_group": self._track_group}

    def read(self, first: Word) -> None:
        """Read all words of the line."""
        while self.args.peek() is not None:
            self._option(self.value(""))
        self._finish(first)

    def _option(self, word: Word) -> None:
        reader = self._readers.get(word.text)
        if reader is not None:
            reader(word)
        elif not self.is_family(word):
            hint = "options are those of ip-rule(8), such as from, to, iif, table and priority"
            if is_address(word.text):
                hint = f"write from {word.text}, or to {word.text}"
            raise Rejected("FV103", f"{word.text} is no option of a rule", word.span, hint)

    def _finish(self, first: Word) -> None:
        if self._action is None:
            hint = "add: table NAME, or another action"
            raise Rejected("FV103", "the rule does not say what to do", first.span, hint)
        self.fields["version"] = self.family or 4
        if self._realms_word is not None and self.family == 6:
            raise Rejected("FV103", "realms are for IPv4 only", self._realms_word.span)
        action = self.fields["action"]
        is_lookup = action in (RuleAction.TABLE, RuleAction.L3MDEV)
        if self._for_tables is not None and not is_lookup:
            message = f"{self._for_tables.text} belongs to table, not to {self._action.text}"
            raise Rejected("FV103", message, self._for_tables.span)
        if action is RuleAction.GOTO:
            self._check_goto(self._action)
        self.origin("rule", self._protocol or first)

    def _check_goto(self, word: Word) -> None:
        priority, target = self.fields.get("priority"), self.fields["goto"]
        if priority is None:
            hint = "add: priority NUMBER"
            raise Rejected("FV103", "goto needs a priority of its own", word.span, hint)
        assert isinstance(priority, int), "_priority reads a number"
        assert isinstance(target, int), "_goto reads a number"
        if target <= priority:
            message = f"goto leads from priority {priority} to {target}, which is not behind it"
            raise Rejected("FV104", message, word.span)

    # --- selectors

    def _not(self, word: Word) -> None:
        self.fields["invert"] = True

    def _from(self, word: Word) -> None:
        self._selected("source", word)

    def _to(self, word: Word) -> None:
        self._selected("destination", word)

    def _selected(self, name: str, word: Word) -> None:
        value = self.value("a network")
        self.store(name, None if value.text in _EVERYTHING else self.network(value), word)

    def _iif(self, word: Word) -> None:
        self.store("iif", self.interface(), word)

    def _oif(self, word: Word) -> None:
        self.store("oif", self.interface(), word)

    def _fwmark(self, word: Word) -> None:
        value = self.value("a number")
        parts = [any_base(part) for part in value.text.split("/")]
        numbers = [part for part in parts if part is not None and part <= _U32]
        if len(numbers) != len(parts) or len(parts) > 2:
            message = f"fwmark must be NUMBER or NUMBER/MASK, not {value.text}"
            raise Rejected("FV103", message, value.span)
        self.store("fwmark", numbers[0], word)
        self.fields["fwmask"] = numbers[1] if len(numbers) == 2 else None

    def _tos(self, word: Word) -> None:
        self.store("tos", self.named(word, {}, _BYTE), word)

    def _tunnel(self, word: Word) -> None:
        self.store("tunnel_id", self.number(word, _U64), word)

    def _uids(self, word: Word) -> None:
        self.store("uids", self._range(word, _U32), word)

    def _ip_protocol(self, word: Word) -> None:
        self.store("ip_protocol", self.named(word, _PROTOCOLS, _BYTE), word)

    def _sport(self, word: Word) -> None:
        self.store("source_ports", self._range(word, _PORT), word)

    def _dport(self, word: Word) -> None:
        self.store("destination_ports", self._range(word, _PORT), word)

    def _range(self, option: Word, high: int) -> tuple[int, int]:
        word = self.value("a range")
        match = re.fullmatch(r"([0-9]{1,10})-([0-9]{1,10})", word.text)
        if match is None:
            hint = f"write {option.text} {word.text}-{word.text}" if word.text.isdigit() else None
            message = f"{option.text} must be a range such as 80-90, not {word.text}"
            raise Rejected("FV103", message, word.span, hint)
        low, top = int(match[1]), int(match[2])
        if top > high or low > high:
            message = f"{option.text} {word.text} is outside 0 to {high}"
            raise Rejected("FV104", message, word.span)
        if low > top:
            message = f"{option.text} {word.text} runs backwards; the kernel refuses the rule"
            self.args.note("FV104", message, word.span, f"write {top}-{low}")
        return low, top

    # --- actions

    def _act(self, action: RuleAction, word: Word) -> None:
        if self._action is not None:
            message = f"a rule does one thing; this one has {self._action.text} and {word.text}"
            raise Rejected("FV106", message, word.span)
        self._action = word
        self.fields["action"] = action

    def _type(self, word: Word) -> None:
        value = self.value("an action")
        if value.text not in _BARE_ACTIONS:
            message = f"type must be {', '.join(_BARE_ACTIONS)}, not {value.text}"
            raise Rejected("FV103", message, value.span)
        self._bare_action(value)

    def _bare_action(self, word: Word) -> None:
        self._act(_BARE_ACTIONS[word.text], word)

    def _table(self, word: Word) -> None:
        self._act(RuleAction.TABLE, word)
        table = self.named(word, TABLES, _U32)
        if table == 0:
            raise Rejected("FV104", "table 0 cannot be looked up", word.span)
        self.fields["table"] = table

    def _goto(self, word: Word) -> None:
        self._act(RuleAction.GOTO, word)
        self.fields["goto"] = self.number(word, _U32)

    # --- the rest

    def _priority(self, word: Word) -> None:
        self.store("priority", self.number(word, _U32), word)

    def _realms(self, word: Word) -> None:
        self._realms_word = self._for_tables = word
        self.store("realms", self.realms(), word)

    def _suppress_length(self, word: Word) -> None:
        self._for_tables = word
        self.store("suppress_prefixlength", self.number(word, 128), word)

    def _suppress_group(self, word: Word) -> None:
        self._for_tables = word
        self.store("suppress_ifgroup", self.named(word, GROUPS, _U32), word)

    def _origin(self, word: Word) -> None:
        self._protocol = word
        self.store("protocol", self.number(word, _BYTE), word)

    def _no_track(self, word: Word) -> None:
        self.fields["track"] = False

    def _track_group(self, word: Word) -> None:
        self.store("track_group", self.value("the name of a track_group").text, word)
