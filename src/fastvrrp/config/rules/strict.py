"""What strict_mode corrects, and switches whose default it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.model import GarpConfig, InstanceConfig, Version
from fastvrrp.config.rules.globals import garp_fields, garp_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastvrrp.config.collect import Setting
    from fastvrrp.config.rules.facts import Facts

__all__ = ["accept", "down_timer_adverts", "garp", "on_higher", "on_lower", "owner_ignores"]

_DOWN_TIMER_ADVERTS = InstanceConfig(name="", vrid=1).down_timer_adverts


def accept(one: Facts) -> bool:
    """Return if packets to the virtual addresses are accepted."""
    written = one.written("accept")
    if not one.strict or one.is_owner:
        return True if written is None else bool(written.value)
    if written is not None and written.value and one.version is Version.V3:
        return True
    if written is None or not written.value:
        return False
    message = "VRRPv2 accepts no packets to virtual addresses (RFC 3768 §6.4.3)"
    hint = "remove accept, or strict_mode on all routers"
    one.warn("FV231", f"{message}; accept is off with strict_mode", written.span, hint=hint)
    return False


def down_timer_adverts(one: Facts) -> int:
    """Return how many adverts must be missing."""
    value = cast(int, one.copied("down_timer_adverts", "vrrp_down_timer_adverts"))
    if not one.strict or value == _DOWN_TIMER_ADVERTS:
        return value
    written = one.written("down_timer_adverts")
    message = f"strict_mode makes down_timer_adverts {_DOWN_TIMER_ADVERTS}"
    one.warn("FV231", message, one.settings.head if written is None else written.span)
    return _DOWN_TIMER_ADVERTS


def on_lower(one: Facts) -> bool:
    """Return if no advert answers one of lower priority."""
    return _fixed(one, "lower_prio_no_advert", strict=True)


def on_higher(one: Facts) -> bool:
    """Return if one more advert goes out before giving way to a higher priority."""
    return _fixed(one, "higher_prio_send_advert", strict=False)


def _fixed(one: Facts, key: str, *, strict: bool) -> bool:
    """Return a switch that strict_mode sets."""
    if not one.strict:
        return bool(one.inherited(key, f"vrrp_{key}"))
    written = one.written(key)
    if written is not None and written.value is not strict:
        state = "on" if strict else "off"
        message = f"strict_mode switches {key} {state}"
        one.warn("FV231", message, written.span, hint=f"write {key} {state}")
    return strict


def owner_ignores(one: Facts) -> bool:
    """Return if the owner of the addresses drops the adverts of others."""
    written = one.written("owner_ignore_adverts")
    if not one.is_owner:
        if written is not None and written.value:
            message = "owner_ignore_adverts has no effect: priority is not 255"
            one.warn("FV232", message, written.span, hint="remove it, or write priority 255")
        return False
    if written is not None and not written.value:
        # keepalived speaks of strict_mode here, and does it without strict_mode as well
        message = "keepalived switches owner_ignore_adverts on for the owner all the same"
        one.warn("FV231", message, written.span, hint="remove the line")
        return True
    return one.strict or bool(one.inherited("owner_ignore_adverts", "vrrp_owner_ignore_adverts"))


def garp(one: Facts) -> GarpConfig:
    """Return when gratuitous ARPs are sent: as written, else as said before the instance.

    What is done after an advert of lower priority may also be said behind it.
    """
    late = {
        name: getattr(one.around.global_defs.garp, name)
        for name in ("lower_prio_delay", "lower_prio_repeat")
        if f"garp.{name}" in _global_values(one)
    }
    before = {**garp_of(one.settings.before), **late}
    fields = garp_fields(before, garp_of(one.settings.values))
    if one.strict:
        fields.update(lower_prio_delay=Nanoseconds(0), lower_prio_repeat=0)
        _tell_no_garp(one)
    return GarpConfig(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _global_values(one: Facts) -> Mapping[str, Setting]:
    settings = one.around.root.block_of("global_defs")
    return settings.values if settings is not None else {}


def _tell_no_garp(one: Facts) -> None:
    for name in ("lower_prio_delay", "lower_prio_repeat"):
        written = one.written(f"garp.{name}")
        if written is not None and written.value:
            keyword = written.row.name
            message = f"strict_mode makes {keyword} 0"
            one.warn("FV231", message, written.span, hint=f"write {keyword} 0")
