"""Interfaces of an instance's own, and what goes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fastvrrp.config.model import Ipvlan, Vmac

if TYPE_CHECKING:
    from fastvrrp.config.rules.facts import Facts

__all__ = ["ipvlan", "promotes", "sends_below", "vmac"]


def vmac(one: Facts) -> Vmac | None:
    """Return the macvlan interface; strict_mode wants the MAC address of the RFC."""
    written = one.written("vmac")
    if written is None:
        return None
    found = cast(Vmac, written.value)
    if one.strict and found.mac is not None:
        message = "strict_mode wants the virtual router MAC address of the RFC"
        one.warn("FV231", message, written.span, hint="remove the MAC address")
        return replace(found, mac=None)
    return found


def ipvlan(one: Facts) -> Ipvlan | None:
    """Return the ipvlan interface; with IPv4 it needs an address."""
    written = one.written("ipvlan")
    if written is None:
        return None
    found = cast(Ipvlan, written.value)
    if found.address is not None and found.address.version != one.family:
        one.tell_family(found.address.ip, written.span)
        found = replace(found, address=None)
    if found.address is None and one.family == 4:
        message = "use_ipvlan has no IPv4 address; keepalived leaves the instance in FAULT"
        one.warn("FV233", message, written.statement.span, hint="write use_ipvlan 192.0.2.1")
    if (other := one.written("vmac")) is not None:
        message = "use_ipvlan and use_vmac exclude each other"
        one.note("FV233", message, other.statement.span, hint="remove one of the two")
    return found


def sends_below(one: Facts) -> bool:
    """Return if adverts leave through the interface below the macvlan interface."""
    written = one.written("vmac_xmit_base")
    has_vmac = one.written("vmac") is not None
    if written is not None and not has_vmac:
        message = "vmac_xmit_base has no effect without use_vmac"
        one.warn("FV232", message, written.statement.span, hint="remove it, or add use_vmac")
        return False
    if written is not None and one.strict:
        message = "strict_mode switches vmac_xmit_base off"
        one.warn("FV231", message, written.statement.span, hint="remove it, or strict_mode")
        return False
    if written is None and has_vmac and one.peers:
        span = one.settings.values["vmac"].statement.span
        message = "unicast with use_vmac needs vmac_xmit_base, which is switched on"
        one.warn("FV233", message, span, hint="add: vmac_xmit_base")
        return True
    return written is not None


def promotes(one: Facts) -> bool:
    """Return if the sysctl promote_secondaries is set for the interface."""
    written = one.written("promote_secondaries")
    if written is None:
        return False
    own = next((key for key in ("vmac", "ipvlan") if one.written(key) is not None), None)
    if own is None:
        return True
    message = f"promote_secondaries is always on with use_{own}"
    one.warn("FV232", message, written.statement.span, hint="remove it")
    return False
