"""`vrrp_sync_group` and `track_group`: their members, and what a sync group tracks for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fastvrrp.config.assemble import fields_of
from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import InstanceConfig, SyncGroup, TrackGroup, TrackUse
from fastvrrp.config.rules.facts import OWNER
from fastvrrp.config.rules.references import find, names_in
from fastvrrp.config.rules.tracking import KEYS, Uses, strength, uses_of

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.rules.around import Around

__all__ = ["groups_by_member", "make_sync_group", "make_track_group", "settle_sync_groups"]


def settle_sync_groups(around: Around) -> None:
    """Leave in each group what exists and is in no other one."""
    seen: dict[str, tuple[str, Setting]] = {}
    for group in around.root.blocks.get("groups", ()):
        written = group.lists.get("members", [])
        members = [one for one in _first_list(group, around) if _joins(one, group, seen, around)]
        if not members and not written and "members" not in group.rejected:
            _tell_empty(group, around)
        elif len(members) == len(written) == 1:
            around.report.warning(
                "FV223",
                f"sync group {group.name} has only one member, so it synchronises nothing",
                written[0].statement.span,
                hint="add the other instances that must be active together, or remove the group",
                context=group.context,
            )
        group.lists["members"] = members


def _first_list(group: Settings, around: Around) -> Iterator[Setting]:
    """Yield the lines of the first `group` block; report further ones."""
    statements = (group.statement.block if group.statement is not None else None) or ()
    blocks = [one for one in statements if one.keyword == "group" and one.block is not None]
    for block in blocks[1:]:
        around.report.warning(
            "FV106",
            f"sync group {group.name} has a group block already; this one is skipped",
            block.span,
            hint="list all members in one group block",
            related=Related("the other one is", blocks[0].span),
            context=group.context,
        )
    lines = {id(line) for block in blocks[:1] for line in block.block or ()}
    return (one for one in group.lists.get("members", ()) if id(one.statement) in lines)


def _joins(
    setting: Setting, group: Settings, seen: dict[str, tuple[str, Setting]], around: Around
) -> bool:
    """Tell if a member exists and is in no group yet; report it otherwise."""
    name, span = str(setting.value), _word(setting)
    if find(name, span, group, around, key="instances", keyword="vrrp_instance") is None:
        return False
    if name not in seen:
        seen[name] = (group.name, setting)
        return True
    other, first = seen[name]
    around.report.warning(
        "FV222",
        f"instance {name} is in sync group {other} already; it is left out here",
        span,
        hint="name each instance once, in one group",
        related=Related("it is named", _word(first)),
        context=group.context,
    )
    return False


def _word(setting: Setting) -> Span:
    """Return where the name stands: several may be on a line."""
    words = setting.statement.words
    return next((word.span for word in words if word.text == setting.value), words[0].span)


def _tell_empty(group: Settings, around: Around) -> None:
    """Report a sync group without members; it may list them in the way of the past."""
    statements = (group.statement.block if group.statement is not None else None) or ()
    names = [one.keyword for one in statements if ("instances", one.keyword) in around.root.taken]
    members = " ".join(names) or "NAME NAME"
    around.report.warning(
        "FV224",
        f"sync group {group.name} has no members; it is left out",
        group.head,
        hint=f"write in it: group {{ {members} }}",
        context=group.context,
    )


def groups_by_member(around: Around) -> dict[str, Settings]:
    """Return the sync group of each instance that is in one, by the name of the instance."""
    return {
        str(member.value): group
        for group in around.root.blocks.get("groups", ())
        for member in group.lists.get("members", ())
    }


def make_sync_group(settings: Settings, around: Around) -> SyncGroup | None:
    """Return a group; None if it has no members, which was reported."""
    names = [str(setting.value) for setting in settings.lists.get("members", ())]
    if not names:
        return None
    made = [around.make(around.root.taken["instances", name]) for name in names]
    members = [one for one in made if isinstance(one, InstanceConfig)]
    uses = _without_weights(uses_of(settings, around), members, settings, around)
    _tell_tracked_twice(uses["interfaces"], members, settings, around)
    fields = fields_of(settings, around.make)
    for key in KEYS:
        fields[key] = tuple(use.value for use in uses[key])
    return SyncGroup(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _without_weights(
    uses: Uses, members: list[InstanceConfig], settings: Settings, around: Around
) -> Uses:
    """Return what a group tracks, without weights if a member has a priority that never changes."""
    owner = next((one for one in members if one.priority == OWNER), None)
    if owner is None:
        return uses
    return {
        key: [_without_weight(key, one, owner, settings, around) for one in uses[key]]
        for key in KEYS
    }


def _without_weight(
    key: str, setting: Setting, owner: InstanceConfig, settings: Settings, around: Around
) -> Setting:
    use = cast(TrackUse, setting.value)
    weight, reverse = strength(key, use, around)
    if not weight:
        return setting
    around.report.warning(
        "FV217",
        f"{owner.name} has priority 255, which never changes: the weight of {use.name} is taken "
        f"as 0 for all members",
        setting.statement.span,
        hint=f"write {use.name} weight 0, or a lower priority",
        related=Related(f"{owner.name} is", owner.span) if owner.span is not None else None,
        context=settings.context,
    )
    return replace(setting, value=replace(use, weight=0, reverse=reverse))


def _tell_tracked_twice(
    uses: list[Setting], members: list[InstanceConfig], settings: Settings, around: Around
) -> None:
    """Report interfaces of a group that a member tracks itself."""
    for setting in uses:
        name = cast(TrackUse, setting.value).name
        for member in members:
            is_own = member.track_primary and member.interface == name
            if not is_own and all(use.name != name for use in member.interfaces):
                continue
            hint = "remove it here: each instance tracks its own interface"
            around.report.warning(
                "FV225",
                f"interface {name} is tracked by {member.name} itself already",
                setting.statement.span,
                hint=hint if is_own else "remove it here, or in the instance",
                context=settings.context,
            )
            break


def make_track_group(settings: Settings, around: Around) -> TrackGroup:
    """Return a group of instances that static entries name; keepalived does not look at names."""
    kept: dict[str, None] = {}
    lines = settings.lists.get("members")
    for setting in lines or ():
        name = str(setting.value)
        if ("instances", name) in around.root.taken:
            kept[name] = None
            continue
        near = around.collector.nearest(name, names_in("instances", around))
        around.report.note(
            "FV212",
            f"there is no vrrp_instance {name}; it is left out",
            _word(setting),
            hint=f"did you mean {near}?" if near else "name a vrrp_instance",
            context=settings.context,
        )
    if not lines and "members" not in settings.rejected:
        tell = around.report.note if lines is None else around.report.warning
        message = f"track_group {settings.name} has no members"
        hint = "write in it: group { NAME NAME }"
        tell("FV224", message, settings.head, hint=hint, context=settings.context)
    fields = {**fields_of(settings, around.make), "members": tuple(kept)}
    return TrackGroup(**fields)  # type: ignore[arg-type]  # checked by the schema's rows
