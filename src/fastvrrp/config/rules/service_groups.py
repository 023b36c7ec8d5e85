"""`virtual_server_group`: what it lists, and that it is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fastvrrp.config.assemble import fields_of
from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import (
    GroupAddresses,
    GroupEntry,
    GroupFwmark,
    VirtualServerGroup,
)

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["check_groups_used", "families_of", "group_settings", "make_group"]


def group_settings(around: Around) -> dict[str, Settings]:
    """Return the groups by name; of two with one name the first."""
    found: dict[str, Settings] = {}
    for settings in around.root.blocks.get("virtual_server_groups", ()):
        found.setdefault(settings.name, settings)
    return found


def families_of(entries: Iterable[GroupEntry]) -> set[int]:
    """Return the address families of what a group lists, as far as the lines tell."""
    found = set()
    for entry in entries:
        if isinstance(entry, GroupFwmark):
            found |= {entry.family} if entry.family else set()
        elif isinstance(entry, GroupAddresses):
            found.add(entry.first.version)
        else:
            found.add(entry.network.version)
    return found


def make_group(settings: Settings, around: Around) -> VirtualServerGroup | None:
    """Return the group, or None, reported, if it cannot be used."""
    first = group_settings(around)[settings.name]
    if first is not settings and first.statement is not None:
        around.report.note(
            "FV202",
            f"there is a virtual_server_group {settings.name} already; the first one counts",
            settings.head,
            hint="give every group a name of its own",
            related=Related("the other one is", first.statement.span),
        )
        return None
    group = VirtualServerGroup(**fields_of(settings, around.make))  # type: ignore[arg-type]  # rows
    if not group.entries:
        around.report.warning(
            "FV414",
            f"virtual_server_group {group.name} is empty; it is skipped",
            settings.head,
            hint="write one address a line, such as 192.0.2.1 80",
        )
        return None
    return group if _is_of_clear_family(group, settings, around) else None


def _is_of_clear_family(group: VirtualServerGroup, settings: Settings, around: Around) -> bool:
    """Tell if every firewall mark has a family where addresses are of both; report it if not."""
    unclear = [
        setting
        for setting in settings.lists.get("entries", ())
        if isinstance(setting.value, GroupFwmark) and setting.value.family is None
    ]
    if not unclear or len(families_of(group.entries)) == 1:
        return True
    if not families_of(group.entries):
        return True
    around.report.warning(
        "FV406",
        "beside IPv4 and IPv6 addresses a firewall mark needs a family; the group is skipped",
        unclear[0].statement.span,
        hint="add inet or inet6 behind the mark",
        context=settings.context,
    )
    return False


def check_groups_used(used: set[str], around: Around) -> None:
    """Report groups that are not among those in use."""
    groups = group_settings(around)
    if not used <= groups.keys() or around.may_exist("virtual_servers"):
        return  # one is misspelt, which was reported, and may well be the one that seems unused
    for name in groups.keys() - used:
        around.report.note(
            "FV403",
            f"virtual_server_group {name} is not used by any virtual_server",
            groups[name].head,
            hint=f"write: virtual_server group {name} {{ … }}, or remove it",
        )
