"""Authentication of an instance. Where keepalived goes on without any, every message says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds, seconds
from fastvrrp.config.assemble import fields_of
from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import Auth, AuthHmac, AuthType, HmacKey, HmacMode, Version
from fastvrrp.core.acts import HmacParams

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings
    from fastvrrp.config.rules.around import Around
    from fastvrrp.config.rules.facts import Facts

__all__ = ["authentication", "hmac", "make_auth"]

_SHORTEST_WINDOW = seconds(5)
_LONGEST_WINDOW = seconds(300)


def make_auth(settings: Settings, around: Around) -> Auth | None:
    """Return VRRPv2 authentication, None if the type or the password is missing."""
    fields = fields_of(settings, around.make)
    return Auth(**fields) if len(fields) == len(settings.block.rows) else None  # type: ignore[arg-type]  # checked by the rows


def authentication(one: Facts) -> Auth | None:
    """Return the VRRPv2 authentication, None where keepalived runs without."""
    written = one.settings.block_of("auth")
    if written is None or _is_incomplete(written, one):
        return None
    message, hint = _why_none(written, one)
    if message:
        span = next(iter(written.values.values())).statement.span
        one.warn("FV205", message, span, hint=hint)
        return None
    return cast(Auth, one.around.make(written))


def _is_incomplete(written: Settings, one: Facts) -> bool:
    """Tell, and report unless that was done, if the type or the password is missing."""
    for key, keyword, example in (
        ("type", "auth_type", "auth_type PASS"),
        ("password", "auth_pass", "auth_pass with the password of all routers"),
    ):
        if key in written.values:
            continue
        if key in written.rejected:
            message = f"adverts are not authenticated, since {keyword} cannot be used"
            one.note("FV201", message, written.rejected[key])
            return True
        # keepalived asks for a password only if it knows the type
        tell = one.warn if key == "password" and "type" in written.values else one.note
        message = f"authentication has no {keyword}: adverts are not authenticated"
        hint = f"write {keyword} on a line of its own" if _has_word(written, keyword) else None
        tell("FV201", message, written.head, hint=hint or f"add: {example}")
        return True
    return False


def _has_word(written: Settings, keyword: str) -> bool:
    """Tell if a keyword stands behind another one, where it is not read."""
    return any(
        keyword in (word.text for word in setting.statement.words)
        for setting in written.values.values()
    )


def _why_none(written: Settings, one: Facts) -> tuple[str, str | None]:
    """Return why a complete block has no effect, and what to do; "" if it has."""
    if one.settings.block_of("hmac") is not None:
        return "auth_hmac takes the place of this block", "remove the authentication block"
    if one.version is Version.V3:
        why = "VRRPv3 has no authentication (RFC 9568 §9)"
        hint = "remove the authentication block, or write version 2 on all routers"
    elif one.strict:
        why = "strict_mode has no authentication (RFC 3768 §5.3.6)"
        hint = "remove the authentication block, or strict_mode on all routers"
    elif one.family == 6 and written.get("type") is AuthType.AH:
        why, hint = "auth_type AH is for IPv4 only", "remove the authentication block"
    else:
        return "", None
    return f"{why}: adverts are not authenticated", hint


def hmac(one: Facts, interval: Nanoseconds) -> AuthHmac | None:
    """Return `auth_hmac`, None with an error if it names no key to send with.

    keepalived switches the whole extension off then, and the instance runs unauthenticated.
    """
    written = one.settings.block_of("hmac")
    if written is None:
        return None
    found = cast(AuthHmac, one.around.make(written))
    found = replace(found, keys=_distinct(found.keys, one))
    if found.time_window is None:
        found = replace(found, time_window=_window(interval))
    if one.strict and found.mode is not HmacMode.ENFORCE:
        span = written.values["mode"].span
        one.warn("FV231", "strict_mode makes the mode enforce", span, hint="write mode enforce")
        found = replace(found, mode=HmacMode.ENFORCE)
    if found.active_key not in {key.id for key in found.keys}:
        _tell_no_key(written, found, one)
    if len(found.keys) > HmacParams.MAX_KEYS:
        message = f"auth_hmac has {len(found.keys)} keys, more than {HmacParams.MAX_KEYS}"
        hint = "remove the keys that no router signs with any more"
        one.unsupported(message, found.keys[HmacParams.MAX_KEYS].span or written.head, hint=hint)
    return found


def _distinct(keys: tuple[HmacKey, ...], one: Facts) -> tuple[HmacKey, ...]:
    """Return the keys without those whose number was used before."""
    kept: dict[int, HmacKey] = {}
    for key in keys:
        first = kept.setdefault(key.id, key)
        if first is not key and key.span is not None and first.span is not None:
            related = Related("the other one is", first.span)
            message = f"there is a key {key.id} already; this one is not used"
            one.warn("FV235", message, key.span, related=related)
    return tuple(kept.values())


def _window(interval: Nanoseconds) -> Nanoseconds:
    """Return how far the time of a trailer may be off if nothing else is said."""
    whole = interval // NS_PER_SECOND * NS_PER_SECOND
    return Nanoseconds(min(max(3 * whole, _SHORTEST_WINDOW), _LONGEST_WINDOW))


def _tell_no_key(written: Settings, found: AuthHmac, one: Facts) -> None:
    unauthenticated = "keepalived would run without any authentication"
    numbers = ", ".join(str(key.id) for key in found.keys)
    hint = f"the keys that can be used are: {numbers}" if numbers else "add: key 1 hex:DIGITS"
    active = written.values.get("active_key")
    if active is not None:
        message = f"active_key {active.value} names no key that can be used; {unauthenticated}"
        one.error("FV236", message, active.span, hint=hint)
        return
    why = "active_key cannot be used"
    if "active_key" not in written.rejected:
        why, hint = (
            "auth_hmac has no active_key",
            f"add active_key with the number of a key; {hint}",
        )
    one.error("FV236", f"{why}; {unauthenticated}", written.head, hint=hint)
