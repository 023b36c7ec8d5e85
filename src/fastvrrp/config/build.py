"""Statements to the model: collects what all blocks say, then applies the rules.

keepalived copies some defaults of `global_defs` into an instance when it meets the instance, and
takes others at the end of the file. So do we: what an instance finds before it is kept in
`Settings.before`, and `rules` make the model when everything is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastvrrp.config.collect import Collector, Setting, Settings
from fastvrrp.config.rules import make_config
from fastvrrp.config.schema import ROOT

if TYPE_CHECKING:
    from fastvrrp.config.model import Config
    from fastvrrp.config.reader import Statement
    from fastvrrp.config.source import Report

__all__ = ["build"]


def build(statements: tuple[Statement, ...], report: Report) -> Config:
    """Return the configuration. It is only usable if `report` has no error."""
    root = Settings(ROOT)
    collector = Collector(report, _Met(root))
    collector.read(statements, root)
    return make_config(root, collector)


class _Met:
    """Remembers for each instance what global_defs said before it."""

    def __init__(self, root: Settings) -> None:
        self._root = root
        self._before: dict[str, Setting] = {}
        self._is_old = False

    def __call__(self, settings: Settings) -> None:
        """Take note of a block whose inside is about to be read."""
        if settings.block.name == "global_defs":
            self._is_old = True
        elif settings.block.name == "vrrp_instance":
            self._refresh()
            settings.before = self._before

    def _refresh(self) -> None:
        global_defs = self._root.block_of("global_defs")
        if self._is_old and global_defs is not None:
            self._before = dict(global_defs.values)
            self._is_old = False
