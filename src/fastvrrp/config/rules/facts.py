"""What the rules of an instance share: what it says, what kind of router it is, how to report."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import (
    Address,
    GlobalConfig,
    Ipvlan,
    Peer,
    Version,
    VirtualAddress,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.rules.around import Around

__all__ = ["OWNER", "Facts"]

OWNER = 255
"""The priority of the router that owns the addresses (RFC 9568 §5.2.4)."""


class _More(TypedDict, total=False):
    """The optional parts of a finding."""

    hint: str | None
    related: Related | None


class Facts:
    """One `vrrp_instance` as it is written, with what several rules must know of it."""

    def __init__(self, settings: Settings, around: Around) -> None:
        self.name = settings.name
        self.settings = settings
        self.around = around

    # --- reporting

    def warn(self, code: str, message: str, span: Span, **more: Unpack[_More]) -> None:
        """Report what keepalived corrects with a report."""
        self.around.report.warning(code, message, span, context=self.settings.context, **more)

    def note(self, code: str, message: str, span: Span, **more: Unpack[_More]) -> None:
        """Report what keepalived takes without a word."""
        self.around.report.note(code, message, span, context=self.settings.context, **more)

    def error(self, code: str, message: str, span: Span, **more: Unpack[_More]) -> None:
        """Report what keepalived does not run with."""
        self.around.report.error(code, message, span, context=self.settings.context, **more)

    def unsupported(self, message: str, span: Span, **more: Unpack[_More]) -> None:
        """Report what keepalived does, and the engine cannot do yet."""
        context = self.settings.context
        self.around.report.unsupported("FV111", message, span, context=context, **more)

    # --- what is written

    def written(self, key: str) -> Setting | None:
        """Return the value of a keyword with where it stands, None if it is not there."""
        return self.settings.values.get(key)

    def lines(self, key: str) -> list[Setting]:
        """Return the lines of a block, in order."""
        return self.settings.lists.get(key, [])

    def place_of(self, key: str, keyword: str) -> Span:
        """Return where something should be told that is missing: at its block if there is one, at
        what was reported in its place, or at the head of the instance.
        """
        if key in self.settings.rejected:
            return self.settings.rejected[key]
        statement = self.settings.statement
        for inner in (statement.block if statement is not None else None) or ():
            if inner.keyword == keyword:
                return inner.span
        return self.settings.head

    def says(self, key: str) -> bool:
        """Tell if a switch is written and on."""
        return bool(self.settings.get(key, False))

    def inherited(self, key: str, of: str) -> object:
        """Return a value, or where it is not written that of a field of `global_defs`."""
        return self.settings.get(key, getattr(self.around.global_defs, of))

    def copied(self, key: str, of: str) -> object:
        """Return a value, or what `global_defs` said of it before the instance."""
        early = self.settings.before.get(of)
        value = getattr(GlobalConfig(), of) if early is None else early.value
        return self.settings.get(key, value)

    # --- what it is

    @cached_property
    def strict(self) -> bool:
        """True if the instance follows the RFC to the letter."""
        return bool(self.inherited("strict", "vrrp_strict"))

    @cached_property
    def family_source(self) -> tuple[int, Related | None]:
        """4 or 6, and what made it so: the first address of any kind in the instance."""
        for setting in self._in_order():
            version = _version_of(setting.value)
            if version is not None:
                what = setting.statement.keyword
                return version, Related(f"{what} makes it an IPv{version} instance", setting.span)
        return 4, None

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.family_source[0]

    def _in_order(self) -> Iterator[Setting]:
        """Yield the settings that can tell the family, in the order in which they stand."""
        told = {
            id(setting.statement): setting
            for key in ("source", "mcast_group", "ipvlan", "native_ipv6")
            if (setting := self.written(key)) is not None
        }
        told |= {
            id(line.statement): line for key in ("addresses", "peers") for line in self.lines(key)
        }
        statement = self.settings.statement
        for outer in (statement.block if statement is not None else None) or ():
            for one in (outer, *(outer.block or ())):
                if id(one) in told:
                    yield told[id(one)]

    @cached_property
    def priority(self) -> int:
        """The priority: written, or what follows from the state."""
        written = self.written("priority")
        if written is not None:
            return cast(int, written.value)
        # A value that cannot be used means 100; a line that is no line of it means nothing.
        is_bad = "priority" in self.settings.rejected.keys() - self.settings.guessed
        return OWNER if self.says("initial_active") and not is_bad else 100

    @property
    def is_owner(self) -> bool:
        """True if the router owns the addresses."""
        return self.priority == OWNER

    @cached_property
    def version(self) -> Version:
        """The version that is spoken. IPv6 has version 3, unless version 2 was forced on it."""
        written = self.written("version")
        if self.family == 6:
            forced = written is not None and written.value is Version.V2
            return Version.V2 if forced and self._keeps_version_2() else Version.V3
        if written is not None:
            return cast(Version, written.value)
        return self.around.global_defs.vrrp_version

    def _keeps_version_2(self) -> bool:
        """Tell if `version 2` stands before anything that makes this an IPv6 instance."""
        if self.strict or self.says("native_ipv6"):
            return False
        statement, written = self.settings.statement, self.written("version")
        first = next(self._in_order(), None)
        if statement is None or written is None or first is None:
            return False
        for outer in statement.block or ():
            if outer is written.statement:
                return True
            if outer is first.statement or any(one is first.statement for one in outer.block or ()):
                return False
        return False

    @cached_property
    def peers(self) -> tuple[Peer, ...]:
        """The unicast peers of the right family, each once. Tells of the others."""
        kept: dict[Address, Peer] = {}
        own = self.settings.get("source")
        for setting in self.lines("peers"):
            peer = cast(Peer, setting.value)
            span = setting.statement.span
            if peer.address.version != self.family:
                self.tell_family(peer.address, span)
            elif peer.address in kept:
                message = f"{peer.address} is given twice; this one is not used"
                first = kept[peer.address].span
                related = Related("the other one is", first) if first is not None else None
                self.warn("FV210", message, span, related=related)
            else:
                if peer.address == own:
                    message = f"{peer.address} is this router itself; no advert is sent to it"
                    self.note("FV331", message, span, hint="list the other routers only")
                kept[peer.address] = peer
        return tuple(kept.values())

    def tell_family(self, found: Address, span: Span) -> None:
        """Report an address of the other family, which is left out."""
        self.warn(
            "FV209",
            f"{found} is IPv{found.version} in an IPv{self.family} instance; it is not used",
            span,
            hint="move it to an instance of its own",
            related=self.family_source[1],
        )


def _version_of(value: object) -> int | None:
    """Return the family that a value of an instance stands for, if it does for any."""
    if value is True:
        return 6  # native_ipv6
    if isinstance(value, VirtualAddress | Peer):
        return value.address.version
    if isinstance(value, Ipvlan):
        return None if value.address is None else value.address.version
    return cast(Address, value).version
