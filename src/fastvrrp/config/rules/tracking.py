"""What instances and sync groups track: that it exists, once each, and what weights can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import (
    BfdInstance,
    ProbeConfig,
    ScriptConfig,
    TrackFile,
    TrackProcess,
    TrackUse,
)
from fastvrrp.config.rules.references import find_above

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.rules.around import Around
    from fastvrrp.config.rules.facts import Facts

__all__ = ["KEYS", "Uses", "strength", "tracked", "uses_of"]

_HOMES = {
    "scripts": ("scripts", "vrrp_script"),
    "files": ("files", "track_file"),
    "processes": ("processes", "vrrp_track_process"),
    "probes": ("probes", "vrrp_probe"),
    "bfd": ("bfd_instances", "bfd_instance"),
}
"""Where what is tracked is defined: a field of Config, and the keyword."""

KEYS = ("scripts", "interfaces", "files", "processes", "probes", "bfd")
"""Fields of an instance and of a sync group that hold what it tracks."""

Uses = dict[str, list["Setting"]]
"""Lines of these fields, each the setting of a TrackUse."""

_FAULTS = {"files": "any number but 0", "interfaces": "an interface that is down"}
"""What weight 0 makes a fault of."""


class _Fixed(NamedTuple):
    """Why the priority of an instance cannot follow weights."""

    code: str
    reason: str
    hint: str
    is_member: bool


_OWNER = _Fixed(
    "FV217",
    "priority 255 never changes",
    "remove the weight, so that failure is a fault",
    is_member=False,
)
_MEMBER = _Fixed(
    "FV227",
    "in a sync group weights do not count",
    "move it to the sync group, or write sync_group_tracking_weight there",
    is_member=True,
)


def uses_of(settings: Settings, around: Around) -> Uses:
    """Return what a block tracks: what exists, and each of it once."""
    return {key: list(_known(key, settings, around)) for key in KEYS}


def _known(key: str, settings: Settings, around: Around) -> Iterator[Setting]:
    kept: dict[str, Setting] = {}
    for setting in settings.lists.get(key, ()):
        use = cast(TrackUse, setting.value)
        if use.name in kept:
            _tell_twice(setting, kept[use.name], settings, around)
        elif key not in _HOMES or _exists(key, use, settings, around):
            kept[use.name] = setting
            yield setting


def _tell_twice(setting: Setting, first: Setting, settings: Settings, around: Around) -> None:
    use = cast(TrackUse, setting.value)
    around.report.warning(
        "FV106",
        f"{use.name} is given twice in {setting.row.name}; the first one counts",
        setting.statement.span,
        related=Related("it is", first.statement.span),
        context=settings.context,
    )


def _exists(key: str, use: TrackUse, settings: Settings, around: Around) -> bool:
    """Tell if what a line names can be tracked; what is left out as a whole was reported there."""
    assert use.span is not None, "lines of a text have a place"
    home, keyword = _HOMES[key]
    found = find_above(use.name, use.span, settings, around, key=home, keyword=keyword)
    if found is None:
        return False
    made = around.make(found)
    if isinstance(made, BfdInstance) and made.for_checker and not made.for_vrrp:
        around.report.warning(
            "FV228",
            f"bfd_instance {use.name} is for checkers only; the line is left out",
            use.span,
            hint="write vrrp as well in the bfd_instance, or remove checker there",
            related=Related("it is defined", found.head),
            context=settings.context,
        )
        return False
    return made is not None


def strength(key: str, use: TrackUse, around: Around) -> tuple[int, bool]:
    """Return the weight that counts, and if it is reversed."""
    if use.weight is not None:
        return use.weight, use.reverse
    found = around.root.taken.get((_HOMES[key][0], use.name)) if key in _HOMES else None
    made = None if found is None else around.make(found)
    if isinstance(made, ScriptConfig | TrackFile | TrackProcess | ProbeConfig | BfdInstance):
        return made.weight, made.reverse
    return 0, False


def tracked(one: Facts) -> dict[str, tuple[TrackUse, ...]]:
    """Return what an instance tracks, by field."""
    uses = uses_of(one.settings, one.around)
    uses["interfaces"] = [use for use in uses["interfaces"] if not _is_own(use, one)]
    fixed = _fixed(one)
    if fixed is not None:
        for key in KEYS:
            found = (_without_weight(key, setting, fixed, one) for setting in uses[key])
            uses[key] = [setting for setting in found if setting is not None]
    _tell_unsupported(uses, one)
    return {key: tuple(cast(TrackUse, use.value) for use in uses[key]) for key in KEYS}


def _is_own(setting: Setting, one: Facts) -> bool:
    """Tell, and report, if a line is about the interface of the instance."""
    name = cast(TrackUse, setting.value).name
    own = one.written("interface")
    if own is None or own.value != name:
        return False
    is_tracked = one.settings.get("track_primary", True)
    hint = "remove the line" if is_tracked else "remove dont_track_primary if it shall be tracked"
    consequence = "it is tracked anyway" if is_tracked else "this line does not track it"
    message = f"{name} is the own interface of {one.name}; {consequence}"
    related = Related("it is named", own.span)
    one.warn("FV226", message, setting.statement.span, hint=hint, related=related)
    return True


def _fixed(one: Facts) -> _Fixed | None:
    """Return why the weights of an instance do nothing, None if they do."""
    if one.is_owner:
        return _OWNER
    group = one.around.groups.get(one.name)
    return _MEMBER if group is not None and not group.get("tracking_weight", False) else None


def _without_weight(key: str, setting: Setting, fixed: _Fixed, one: Facts) -> Setting | None:
    """Return a line without the weight that does nothing, None where the line is left out."""
    use = cast(TrackUse, setting.value)
    weight, reverse = strength(key, use, one.around)
    span = setting.statement.span
    if not weight:
        return setting
    if key == "processes":
        message = f"{fixed.reason}: the weight of {use.name} has no effect"
        one.note(fixed.code, message, span, hint=fixed.hint)
        return setting
    if (key == "files" and weight == 1) or (key == "interfaces" and fixed.is_member):
        message = f"{fixed.reason}: {use.name} is used with weight 0, {_FAULTS[key]} is a fault"
        otherwise = f"; else {fixed.hint}" if fixed.is_member else ""
        hint = f"write {use.name} weight 0 if that is meant{otherwise}"
        one.warn(fixed.code, message, span, hint=hint)
        return replace(setting, value=replace(use, weight=0, reverse=reverse))
    what = setting.row.name.removeprefix("track_")
    message = f"{fixed.reason}: {what} {use.name} has no effect"
    one.warn(fixed.code, message, span, hint=fixed.hint)
    return None


def _tell_unsupported(uses: Uses, one: Facts) -> None:
    """Report the first line of each block that the engine cannot do yet."""
    for key in KEYS:
        first = next(iter(uses[key]), None)
        if first is not None and first.row.judged:  # type: ignore[union-attr]  # rows of lines are blocks
            one.around.collector.tell_unsupported(first.row, first.statement.span, one.settings)
