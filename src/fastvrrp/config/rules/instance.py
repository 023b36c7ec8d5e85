"""`vrrp_instance`: what its keywords mean together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, seconds
from fastvrrp.config.assemble import fields_of
from fastvrrp.config.model import (
    Auth,
    AuthType,
    InstanceConfig,
    Version,
)
from fastvrrp.config.rules import auth, strict, tracking, unicast, vips, vmac
from fastvrrp.config.rules.facts import OWNER, Facts

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["make_instance"]

_V3_STEP = 10_000_000
_V3_MAX_INTERVAL = 4095 * _V3_STEP
"""Of 12 bits, in centiseconds (RFC 9568 §5.2.7)."""


def make_instance(settings: Settings, around: Around) -> InstanceConfig:
    """Return the instance as keepalived would run it."""
    one = Facts(settings, around)
    unicast.check_interface(one)
    unicast.tell_no_peers(one)
    _check_version(one)
    _check_priority(one)
    authentication = auth.authentication(one)
    interval = _interval(one)
    active = _initial_active(one, authentication)
    preempt = _preempt(one, active=active)
    addresses, excluded = vips.virtual_addresses(one)
    source = unicast.source(one)
    fields = fields_of(settings, around.make)
    fields.update(
        version=one.version,
        strict=one.strict,
        priority=one.priority,
        advert_interval=interval,
        initial_active=active,
        preempt=preempt,
        preempt_delay=_preempt_delay(one, active=active, preempt=preempt),
        native_ipv6=_native_ipv6(one),
        down_timer_adverts=strict.down_timer_adverts(one),
        timer_expired_backup=_timer_expired_backup(one, preempt=preempt),
        owner_ignore_adverts=strict.owner_ignores(one),
        lower_prio_no_advert=strict.on_lower(one),
        higher_prio_send_advert=strict.on_higher(one),
        accept=strict.accept(one),
        addresses=addresses,
        excluded=excluded,
        without_addresses=one.says("without_addresses") and not one.strict,
        promote_secondaries=vmac.promotes(one),
        source=source,
        track_source=unicast.tracks_source(one, source),
        mcast_group=unicast.mcast_group(one),
        allowed_peers=unicast.allowed_peers(one),
        peers=one.peers,
        unicast_ttl=unicast.unicast_ttl(one),
        check_unicast_src=unicast.checks_source(one),
        unicast_any_src=unicast.accepts_any_source(one),
        old_checksum=unicast.old_checksum(one),
        v3_checksum_as_v2=one.copied("v3_checksum_as_v2", "v3_checksum_as_v2"),
        skip_check_adv_addr=one.copied("skip_check_adv_addr", "vrrp_skip_check_adv_addr"),
        vrf=unicast.vrf(one),
        vmac=vmac.vmac(one),
        vmac_xmit_base=vmac.sends_below(one),
        ipvlan=vmac.ipvlan(one),
        auth=authentication,
        hmac=auth.hmac(one, interval),
        garp=strict.garp(one),
        **tracking.tracked(one),
    )
    return InstanceConfig(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _check_version(one: Facts) -> None:
    """Report a version that is not spoken, or not spoken yet."""
    written = one.written("version")
    if written is None or one.family == 4 or written.value is Version.V3:
        return
    if one.version is Version.V2:
        return
    tell = one.note if one.says("native_ipv6") and not one.strict else one.warn
    message = "IPv6 needs VRRPv3; version 2 has no effect"
    tell("FV220", message, written.span, hint="write version 3", related=one.family_source[1])


def _native_ipv6(one: Facts) -> bool:
    """Return if native_ipv6 holds: an IPv4 address before it rules it out."""
    written = one.written("native_ipv6")
    if written is not None and one.family == 4:
        message = "native_ipv6 has no effect: this is an IPv4 instance"
        span = written.statement.span
        one.warn("FV209", message, span, hint="remove it", related=one.family_source[1])
        return False
    return written is not None


def _check_priority(one: Facts) -> None:
    """Report the priority that follows from state MASTER."""
    if "priority" in one.settings.values or not one.is_owner:
        return
    one.note(
        "FV208",
        "state MASTER without priority means priority 255: this router takes over at once",
        one.settings.values["initial_active"].span,
        hint="add a priority, such as: priority 150",
    )


def _initial_active(one: Facts, authentication: Auth | None) -> bool:
    """Return if the state is MASTER; it follows from the priority unless it is written."""
    written = one.written("initial_active")
    active = one.is_owner if written is None else bool(written.value)
    if written is None:
        return active
    if one.strict and active != one.is_owner:
        state = "MASTER" if one.is_owner else "BACKUP"
        message = f"with strict_mode, state MASTER and priority {OWNER} go together"
        one.warn("FV231", f"{message}; this is {state}", written.span, hint=f"write state {state}")
        return one.is_owner
    is_ah = authentication is not None and authentication.type is AuthType.AH
    if active and is_ah and not one.is_owner:
        message = "with auth_type AH this router starts as BACKUP"
        one.warn("FV206", message, written.span, hint="write state BACKUP")
        return False
    return active


def _preempt(one: Facts, *, active: bool) -> bool:
    """Return if this router takes over from a lower priority."""
    written = one.written("preempt")
    if written is None or written.value:
        return True
    span = written.statement.span
    if one.is_owner:
        message = "priority 255 always takes over; nopreempt has no effect"
        one.warn("FV207", message, span, hint="remove nopreempt, or write a lower priority")
        return True
    if active:
        message = "nopreempt has no effect with state MASTER"
        one.warn("FV207", message, span, hint="write state BACKUP on all routers")
        return True
    return False


def _preempt_delay(one: Facts, *, active: bool, preempt: bool) -> Nanoseconds:
    """Return how long this router waits before it takes over."""
    written = one.written("preempt_delay")
    if written is None or not written.value:
        return Nanoseconds(0)
    why = None
    if one.strict:
        why = "with strict_mode"
    elif active:
        has_state = one.says("initial_active")
        why = "with state MASTER" if has_state else "with priority 255, which implies state MASTER"
    elif not preempt:
        why = "with nopreempt"
    if why is None:
        return cast(Nanoseconds, written.value)
    one.warn("FV207", f"preempt_delay has no effect {why}", written.span, hint="remove it")
    return Nanoseconds(0)


def _timer_expired_backup(one: Facts, *, preempt: bool) -> int | None:
    """Return the highest priority of the others, None where the keyword does nothing."""
    written = one.written("timer_expired_backup")
    if written is None:
        return None
    if preempt:
        message = f"{written.row.name} has no effect without nopreempt"
        one.warn("FV232", message, written.statement.span, hint="add nopreempt, or remove it")
        return None
    return cast(int, written.value)


def _interval(one: Facts) -> Nanoseconds:
    """Return the interval as the version can express it (RFC 3768 §5.3.7, RFC 9568 §5.2.7)."""
    written = one.written("advert_interval")
    if written is None:
        return seconds(1)
    value = cast(int, written.value)
    step = _V3_STEP if one.version is Version.V3 else NS_PER_SECOND
    rounded = max(step, (value + step // 2) // step * step)
    if one.version is Version.V3:
        rounded = min(rounded, _V3_MAX_INTERVAL)
    if rounded != value:
        text = f"{rounded / NS_PER_SECOND:g}"
        verb = "cuts" if value > _V3_MAX_INTERVAL == rounded else "rounds"
        message = f"VRRPv{one.version.value} {verb} advert_int to {text} s"
        hint = f"write advert_int {text} on all routers"
        one.warn("FV216", message, written.span, hint=hint)
    return Nanoseconds(rounded)
