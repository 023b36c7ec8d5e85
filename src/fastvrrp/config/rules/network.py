"""Routing rules without priority, groups of static entries, groups of announcements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fastvrrp.clock import seconds
from fastvrrp.config.assemble import assemble
from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.model import GarpGroup, Route, Rule, VirtualAddress
from fastvrrp.config.rules.references import find_above

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["give_priorities", "make_garp_group", "settle_garp_groups", "settle_track_groups"]

_FIRST_PRIORITY = 16384
"""Of the first rule without one; each further one of the family gets one less."""

_STATIC = ("static_addresses", "static_routes", "static_rules")

_LONG = seconds(1)
"""A pause that makes announcements of some addresses late."""


def give_priorities(around: Around) -> None:
    """Give each rule without priority one, as keepalived does: static ones first."""
    following = {4: _FIRST_PRIORITY, 6: _FIRST_PRIORITY}
    for settings, lines in _rule_lines(around):
        for at, setting in enumerate(lines):
            rule = cast(Rule, setting.value)
            if rule.priority is not None:
                continue
            priority = following[rule.version]
            following[rule.version] -= 1
            lines[at] = replace(setting, value=replace(rule, priority=priority))
            around.report.warning(
                "FV241",
                f"the rule has no priority; it gets {priority}",
                setting.statement.span,
                hint="add: priority NUMBER, which decides before which other rules it is asked",
                context=settings.context,
            )


def _rule_lines(around: Around) -> Iterator[tuple[Settings, list[Setting]]]:
    """Yield all rules of the text, with where they stand."""
    yield around.root, around.root.lists.get("static_rules", [])
    for instance in around.root.blocks.get("instances", ()):
        yield instance, instance.lists.get("rules", [])


def settle_track_groups(around: Around) -> None:
    """Leave out of static entries the track_group that does not exist."""
    for key in _STATIC:
        lines = around.root.lists.get(key, [])
        for at, setting in enumerate(lines):
            entry = cast("VirtualAddress | Route | Rule", setting.value)
            if entry.track_group is not None and not _is_group(entry.track_group, setting, around):
                lines[at] = replace(setting, value=replace(entry, track_group=None))


def _is_group(name: str, setting: Setting, around: Around) -> bool:
    """Tell if there is a track_group; report it if not, or if it comes too late."""
    word = next(word for word in reversed(setting.statement.words) if word.text == name)
    found = find_above(
        name,
        word.span,
        around.root,
        around,
        key="track_groups",
        keyword="track_group",
        consequence="it is not used",
    )
    return found is not None


def make_garp_group(settings: Settings, around: Around) -> GarpGroup | None:
    """Return a group; without an interval there is none."""
    group = cast(GarpGroup, assemble(settings, around.make))
    if group.garp_interval is None and group.gna_interval is None:
        _tell_no_interval(settings, around)
        return None
    for setting in settings.values.values():
        _check_interval(setting, settings, around)
    return group


def _tell_no_interval(settings: Settings, around: Around) -> None:
    if not settings.rejected.keys() & {"garp_interval", "gna_interval"}:
        around.report.warning(
            "FV242",
            "the garp_group has no interval; it is left out",
            settings.head,
            hint="add: garp_interval SECONDS, or gna_interval SECONDS",
            context=settings.context,
        )


def _check_interval(setting: Setting, settings: Settings, around: Around) -> None:
    """Report an interval that keeps hosts waiting for the announcement of their address."""
    if cast(int, setting.value) < _LONG:
        return
    around.report.note(
        "FV340",
        f"{setting.row.name} is long: of many addresses the last one is announced late",
        setting.span,
        hint="write a part of a second, such as 0.01",
        context=settings.context,
    )


def settle_garp_groups(around: Around) -> None:
    """Leave each interface in the first group that names it; report groups without any."""
    seen: dict[object, Span] = {}
    for settings in around.root.blocks.get("garp_groups", ()):
        lines = settings.lists.get("interfaces", [])
        if settings.values and not lines and "interfaces" not in settings.rejected:
            message = "the garp_group has no interface, so it has no effect"
            head = settings.head
            context = settings.context
            around.report.note("FV341", message, head, hint="add: interface NAME", context=context)
        lines[:] = [line for line in lines if _is_first(line, seen, around)]


def _is_first(setting: Setting, seen: dict[object, Span], around: Around) -> bool:
    """Tell if no group has this interface yet; report if one has."""
    span = setting.statement.span
    if setting.value not in seen:
        seen[setting.value] = span
        return True
    message = f"{setting.value} is in a garp_group already; the first one counts"
    around.report.note("FV106", message, span, related=Related("it is", seen[setting.value]))
    return False
