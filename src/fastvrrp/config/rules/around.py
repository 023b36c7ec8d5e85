"""What a rule can see of the configuration around its block, and where it reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from fastvrrp.config.assemble import assemble
from fastvrrp.config.model import GlobalConfig
from fastvrrp.config.row import Keyword
from fastvrrp.config.rules.globals import make_globals
from fastvrrp.config.rules.groups import groups_by_member

if TYPE_CHECKING:
    from fastvrrp.config.collect import Collector, Settings
    from fastvrrp.config.source import Report

__all__ = ["Around", "Maker", "Waiver"]

_T = TypeVar("_T")
Maker = Callable[["Settings", "Around"], object | None]
Waiver = Callable[["Settings"], frozenset[str]]
"""Tells which required keywords a block can do without, by what else it says."""


class Around:
    """The whole text as settings; makes the model of each block once, whoever asks first."""

    def __init__(
        self,
        root: Settings,
        collector: Collector,
        makers: Mapping[str, Maker],
        waivers: Mapping[str, Waiver],
    ) -> None:
        self.root = root
        self.collector = collector
        self._makers = makers
        self._waivers = waivers
        self._made: dict[Settings, object | None] = {}

    @property
    def report(self) -> Report:
        """Where findings go."""
        return self.collector.report

    @cached_property
    def global_defs(self) -> GlobalConfig:
        """`global_defs`, made."""
        return make_globals(self.root.block_of("global_defs"), self)

    @cached_property
    def groups(self) -> Mapping[str, Settings]:
        """The sync group of each instance that is in one, by the name of the instance."""
        return groups_by_member(self)

    def make(self, settings: Settings) -> object | None:
        """Return the model of a block, by its rule or as its rows say; None if that cannot be."""
        if settings.block.name == "global_defs":
            return self.global_defs
        if settings not in self._made:
            self._made[settings] = self._make(settings) if self._is_complete(settings) else None
        return self._made[settings]

    def _make(self, settings: Settings) -> object | None:
        maker = self._makers.get(settings.block.name)
        return maker(settings, self) if maker else assemble(settings, self.make)

    def _is_complete(self, settings: Settings) -> bool:
        """Tell if a block has all that it cannot do without; report what is missing."""
        waiver = self._waivers.get(settings.block.name)
        known = settings.values.keys() | (waiver(settings) if waiver else frozenset())
        missing = [
            row
            for row in settings.block.rows
            if isinstance(row, Keyword) and row.required and row.key not in known
        ]
        for row in missing:
            if row.key not in settings.rejected:
                self._tell_missing(settings, row)
        return not missing

    def _tell_missing(self, settings: Settings, row: Keyword) -> None:
        block = settings.block
        tell = self.report.error if block.fatal else self.report.warning
        consequence = "" if block.fatal else "; the block is skipped"
        tell(
            "FV201",
            f"{f'{block.name} {settings.name}'.rstrip()} has no {row.name}{consequence}",
            settings.head,
            hint=f"add: {row.required}",
            context=settings.context,
        )

    def may_exist(self, key: str) -> bool:
        """Tell if a block of the outermost level was not understood, which may be any of `key`.

        A name that is not known may be its name, then, and was reported in a way.
        """
        return key in self.root.rejected

    def named(self, key: str, model: type[_T]) -> dict[str, _T]:
        """Return the models of all blocks of the outermost level in the field `key`, by name."""
        made = {block.name: self.make(block) for block in self.root.blocks.get(key, ())}
        return {name: one for name, one in made.items() if isinstance(one, model)}

    def names(self, key: str) -> dict[str, Settings]:
        """Return the same blocks as settings, those that could not be made as well."""
        return {block.name: block for block in self.root.blocks.get(key, ())}
