"""`global_defs`: defaults that depend on each other, and those that come too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.assemble import fields_of
from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import Command, FifoConfig, GarpConfig, GlobalConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.rules.around import Around

__all__ = ["garp_fields", "garp_of", "make_globals"]

_TAKEN_AT_THE_END = ("garp.lower_prio_delay", "garp.lower_prio_repeat")
"""Gratuitous ARP defaults that also apply to instances before them."""

_COPIED = (
    "vrrp_min_garp",
    "vrrp_down_timer_adverts",
    "vrrp_skip_check_adv_addr",
    "v3_checksum_as_v2",
)
"""Other defaults that only apply to instances behind them."""

_FEWEST: dict[str, object] = {"delay": Nanoseconds(0), "repeat": 1, "refresh_repeat": 0}
"""What `vrrp_min_garp` makes of values that are still the default."""


def make_globals(settings: Settings | None, around: Around) -> GlobalConfig:
    """Return `global_defs`; None: there is no such block."""
    if settings is None:
        return GlobalConfig()
    _check_late(settings, around)
    _check_recipients(settings, around)
    fields = fields_of(settings, around.make)
    fields["garp"] = GarpConfig(**garp_fields({}, garp_of(settings.values)))  # type: ignore[arg-type]  # checked by the schema's rows
    fields["vrrp_min_garp"] = False
    fields.update(_other_fifos(settings, around))
    return GlobalConfig(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def garp_of(values: Mapping[str, Setting]) -> dict[str, object]:
    """Return the gratuitous ARP values among those of a block, by field of GarpConfig."""
    fields: dict[str, object] = {}
    for key, setting in values.items():
        if key.startswith("garp."):
            fields[key.removeprefix("garp.")] = setting.value
        elif key == "vrrp_min_garp" and setting.value:
            fields |= {
                name: value
                for name, value in _FEWEST.items()
                if fields.get(name, _default(name)) == _default(name)
            }
    return fields


def _default(name: str) -> object:
    default: object = getattr(GarpConfig(), name)
    return default


def garp_fields(before: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of GarpConfig: `own` over `before`.

    After a lower-priority advert the same is done as when becoming active, unless told otherwise.
    To repeat a refresh no time is to have none.
    """
    fields = {**before, **own}
    for name in ("delay", "repeat"):
        if name in fields:
            fields.setdefault(f"lower_prio_{name}", fields[name])
    if fields.get("refresh_repeat") == 0:
        del fields["refresh_repeat"]
        fields["refresh"] = Nanoseconds(0)
    return fields


def _check_late(settings: Settings, around: Around) -> None:
    """Report defaults that were given after an instance that would have taken them."""
    instances = around.root.blocks.get("instances", ())
    first = next((one for one in instances if one.statement is not None), None)
    if first is None or first.statement is None:
        return
    related = Related(f"{first.name} is", first.statement.span)
    for key, setting in settings.values.items():
        if first.before.get(key) is setting:
            continue
        name = setting.row.name
        if key in _COPIED or (key.startswith("garp.") and key not in _TAKEN_AT_THE_END):
            message = f"{name} does not apply to the instances above it"
        elif key == "script_user" and _runs_as_default(first):
            message = (
                f"keepalived runs the scripts above {name} as another user; this program does not"
            )
        else:
            continue
        around.report.note(
            "FV214",
            message,
            setting.statement.span,
            hint="write global_defs before the first vrrp_instance",
            context=settings.context,
            related=related,
        )


def _runs_as_default(instance: Settings) -> bool:
    """Tell if an instance runs a program for which it names no account."""
    return any(
        isinstance(setting.value, Command) and setting.value.user is None
        for setting in instance.values.values()
    )


def _check_recipients(settings: Settings, around: Around) -> None:
    """Report a `notification_email` without an address, as keepalived does."""
    if settings.lists.get("notification_email") != [] or (
        "notification_email" in settings.rejected
    ):
        return
    around.report.warning(
        "FV201",
        "notification_email names nobody: no mail is sent",
        _place_of("notification_email", settings),
        hint="write one mail address a line, or remove the block",
        context=settings.context,
    )


def _place_of(keyword: str, settings: Settings) -> Span:
    """Return where a block in `global_defs` starts."""
    statement = settings.statement
    inner = statement.block if statement is not None else None
    found = next((one for one in inner or () if one.keyword == keyword), None)
    return settings.head if found is None else found.span


def _other_fifos(settings: Settings, around: Around) -> dict[str, FifoConfig]:
    """Return FIFOs that keepalived leaves out, as they name the one that has all events."""
    everything = settings.values.get("notify_fifo.path")
    if everything is None:
        return {}
    path = _path(everything)
    left_out = {}
    for name in ("vrrp_notify_fifo", "lvs_notify_fifo"):
        other = settings.values.get(f"{name}.path")
        if other is None or _path(other) != path:
            continue
        left_out[name] = FifoConfig()
        around.report.note(
            "FV237",
            f"{name} is the same FIFO as notify_fifo, and left out",
            other.span,
            hint="remove it: notify_fifo has all events; or write another path",
            context=settings.context,
            related=Related("notify_fifo is", everything.span),
        )
    return left_out


def _path(setting: Setting) -> object:
    """Return the path of a FIFO, which is followed by who owns it."""
    assert isinstance(setting.value, tuple), "a FIFO is a path, a user and a group"
    return setting.value[0]
