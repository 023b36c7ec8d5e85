"""The virtual addresses of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.model import Version, VirtualAddress

if TYPE_CHECKING:
    from fastvrrp.config.rules.facts import Facts

__all__ = ["virtual_addresses"]

_MAX_ADDRESSES = 255
"""Of an advert: their number has 8 bits."""


def virtual_addresses(
    one: Facts,
) -> tuple[tuple[VirtualAddress, ...], tuple[VirtualAddress, ...]]:
    """Return the addresses that are advertised and those that are not."""
    seen: dict[object, Span] = {}
    advertised = [vip for vip in _distinct(one, "addresses", seen) if _is_of_family(one, vip)]
    excluded = _distinct(one, "excluded", seen)
    if not advertised:
        _tell_none(one)
    if len(advertised) > _MAX_ADDRESSES:
        one.warn(
            "FV218",
            f"an advert holds {_MAX_ADDRESSES} addresses; from here on they are not advertised",
            _span_of(advertised[_MAX_ADDRESSES]),
            hint="write them into virtual_ipaddress_excluded",
        )
    if advertised and one.family == 6:
        _check_first(one, advertised[0])
    surplus = advertised[_MAX_ADDRESSES:]
    return tuple(advertised[:_MAX_ADDRESSES]), (*surplus, *excluded)


def _span_of(vip: VirtualAddress) -> Span:
    return cast(Span, vip.span)  # every address of a text has one


def _is_of_family(one: Facts, vip: VirtualAddress) -> bool:
    """Tell if an address can be advertised by this instance; report if not."""
    if vip.address.version == one.family:
        return True
    one.warn(
        "FV209",
        f"{vip.address.ip} is IPv{vip.address.version} in an IPv{one.family} instance; "
        "it is not used",
        _span_of(vip),
        hint="move it to virtual_ipaddress_excluded, or to an instance of its own",
        related=one.family_source[1],
    )
    return False


def _distinct(one: Facts, key: str, seen: dict[object, Span]) -> list[VirtualAddress]:
    """Return the addresses of a block without those that were seen before."""
    kept = []
    for setting in one.lines(key):
        vip = cast(VirtualAddress, setting.value)
        span = setting.statement.span
        if vip.address.ip in seen:
            related = Related("the other one is", seen[vip.address.ip])
            message = f"{vip.address.ip} is given twice; this one is not used"
            one.warn("FV210", message, span, related=related)
            continue
        seen[vip.address.ip] = span
        kept.append(vip)
    return kept


def _tell_none(one: Facts) -> None:
    """Report that nothing is advertised: VRRPv3 and strict_mode need something."""
    hint = "add: virtual_ipaddress { … } with one address a line"
    are_bad = "addresses" in one.settings.rejected or bool(one.lines("addresses"))
    what = "usable virtual address" if are_bad else "virtual address"
    span = one.place_of("addresses", "virtual_ipaddress")
    if lines := one.lines("addresses"):
        span = lines[0].statement.span
    message = f"{one.name} has no {what}"
    if one.version is Version.V3 or one.strict:
        needs = "VRRPv3" if one.version is Version.V3 else "strict_mode"
        one.error("FV211", f"{message}, which {needs} needs", span, hint=hint)
    elif not are_bad and not one.says("without_addresses"):
        one.warn("FV211", message, span, hint=hint)


def _check_first(one: Facts, vip: VirtualAddress) -> None:
    """Report a first IPv6 address that is not link-local (RFC 9568 §5.2.9)."""
    if vip.address.ip.is_link_local:
        return
    tell = one.warn if one.strict else one.note
    message = "the first IPv6 address must be link-local (RFC 9568 §5.2.9)"
    hint = "put an address such as fe80::1/64 before it, the same on all routers"
    tell("FV234", message, _span_of(vip), hint=hint)
