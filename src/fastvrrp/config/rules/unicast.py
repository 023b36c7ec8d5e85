"""Where adverts come from and go to: interface, source, multicast group, unicast peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.model import Address, InstanceConfig, OldChecksum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastvrrp.config.collect import Settings
    from fastvrrp.config.reader import Statement
    from fastvrrp.config.rules.around import Around
    from fastvrrp.config.rules.facts import Facts

__all__ = [
    "check_interface",
    "check_unique_vrids",
    "checks_source",
    "mcast_group",
    "old_checksum",
    "source",
    "tell_no_peers",
    "tracks_source",
    "unicast_ttl",
    "vrf",
    "waived_keywords",
]

_ANY_TTL = InstanceConfig(name="", vrid=1).unicast_ttl
_LIMITS = ("min_ttl", "max_ttl")


def waived_keywords(settings: Settings) -> frozenset[str]:
    """Return the required keywords that an instance can do without: a unicast one needs no
    interface if it has a source address.
    """
    is_unicast = bool(settings.lists.get("peers")) and "source" in settings.values
    return frozenset({"interface"} if is_unicast else ())


def check_interface(one: Facts) -> None:
    """Report an interface that cannot be used, and what cannot be done without one."""
    written = one.written("interface")
    if written is not None:
        if written.value == "lo":
            message = "the loopback interface reaches no other router; keepalived does not run"
            one.error("FV230", message, written.span, hint="name the interface of the network")
        elif one.strict and one.peers:
            _tell_strict_unicast(one)
        return
    source_address = cast(Address, one.settings.get("source"))
    if source_address.version == 6 and source_address.is_link_local:
        message = f"{source_address} is link-local, and means nothing without an interface"
        one.error("FV201", message, one.settings.head, hint="add: interface eth0")


def _tell_strict_unicast(one: Facts) -> None:
    span = one.lines("peers")[0].statement.span
    message = "strict_mode allows no unicast peers: the RFC knows multicast only"
    one.error("FV231", message, span, hint="remove unicast_peer or strict_mode")


def source(one: Facts) -> Address | None:
    """Return the source address of adverts, None if the instance names none of its family."""
    written = one.written("source")
    if written is None:
        return None
    found = cast(Address, written.value)
    if found.version != one.family:
        one.tell_family(found, written.span)
        return None
    return found


def tracks_source(one: Facts, address: Address | None) -> bool:
    """Return if the instance needs its source address."""
    written = one.written("track_source")
    if written is None or address is not None:
        return written is not None
    message = "track_src_ip has no effect: the instance names no source address"
    hint = "add: mcast_src_ip or unicast_src_ip with an address"
    one.note("FV232", message, written.statement.span, hint=hint)
    return False


def mcast_group(one: Facts) -> Address | None:
    """Return the multicast group, None: that of global_defs."""
    written = one.written("mcast_group")
    if written is None:
        return None
    found = cast(Address, written.value)
    if found.version != one.family:
        one.tell_family(found, written.span)
        return None
    if one.peers:
        message = "mcast_dst_ip has no effect: adverts go to the unicast peers"
        one.warn("FV232", message, written.span, hint="remove mcast_dst_ip or unicast_peer")
        return None
    return found


def allowed_peers(one: Facts) -> tuple[Address, ...]:
    """Return the only routers that are heard by multicast, each once; (): all are."""
    lines = one.lines("allowed_peers")
    if lines and one.peers:
        message = "allowed_peers has no effect: only unicast peers are heard"
        one.warn("FV232", message, lines[0].span, hint="remove allowed_peers or unicast_peer")
        return ()
    found: dict[Address, None] = {}
    for line in lines:
        address = cast(Address, line.value)
        if address.version != one.family:
            one.tell_family(address, line.span)
        else:
            found[address] = None
    return tuple(found)


def unicast_ttl(one: Facts) -> int:
    """Return the TTL or hop limit of unicast adverts."""
    written = one.written("unicast_ttl")
    if written is None:
        return _ANY_TTL
    if not one.peers:
        message = "unicast_ttl has no effect: there are no unicast peers"
        one.warn("FV232", message, written.span, hint="add unicast_peer { … }, or remove it")
        return _ANY_TTL
    return cast(int, written.value)


def checks_source(one: Facts) -> bool:
    """Return if unicast adverts must come from a peer: as written, or where a peer has limits."""
    if not one.peers:
        return False
    limited = any(
        word.text in _LIMITS for line in one.lines("peers") for word in line.statement.words
    )
    return limited or bool(one.inherited("check_unicast_src", "vrrp_check_unicast_src"))


def accepts_any_source(one: Facts) -> bool:
    """Return if unicast adverts may come from anyone, which is told."""
    written = one.written("unicast_any_src")
    if written is None or not one.peers or checks_source(one):
        return False
    message = "unicast_any_src lets every host that can reach this one take the addresses away"
    hint = "remove it, and list all routers in unicast_peer"
    one.warn("FV238", message, written.statement.span, hint=hint)
    return True


def old_checksum(one: Facts) -> OldChecksum:
    """Return how the checksum of unicast adverts is made."""
    written = one.written("old_checksum")
    if written is None or not one.peers:
        return OldChecksum.AUTO
    return cast(OldChecksum, written.value)


def vrf(one: Facts) -> str | None:
    """Return the VRF, which only a unicast instance without interface can have."""
    written = one.written("vrf")
    if written is None:
        return None
    if one.written("interface") is not None:
        message, hint = "vrf has no effect: the instance has an interface", "remove one of the two"
    elif not one.peers:
        message, hint = "vrf has no effect: there are no unicast peers", "remove vrf"
    else:
        return cast(str, written.value)
    one.warn("FV232", message, written.span, hint=hint)
    return None


def tell_no_peers(one: Facts) -> None:
    """Report unicast keywords without a peer: adverts are sent by multicast, or there is FAULT."""
    if one.peers or _may_have_peers(one):
        return
    span = next(_unicast_words(one), None)
    if span is None:
        return
    if one.says("unicast_fault_no_peer"):
        message = "there is no unicast_peer, so this instance never leaves FAULT"
        one.note("FV215", message, span, hint="add unicast_peer { … } with one address a line")
        return
    one.warn(
        "FV215",
        "there is no unicast_peer, so adverts are sent by multicast",
        span,
        hint="add unicast_peer { … } with one address a line, or remove the unicast keywords",
    )


def _may_have_peers(one: Facts) -> bool:
    """Tell if a block was not understood, and reported, that may hold the peers."""
    return "peers" in one.settings.rejected and not any(_peer_blocks(one))


def _peer_blocks(one: Facts) -> Iterator[Statement]:
    """Yield the `unicast_peer` blocks as they are written."""
    statement = one.settings.statement
    for inner in (statement.block if statement is not None else None) or ():
        if inner.keyword == "unicast_peer":
            yield inner


def _unicast_words(one: Facts) -> Iterator[Span]:
    """Yield where the words stand that announce a unicast instance."""
    for block in _peer_blocks(one):
        yield block.span
    for key in ("source", "check_unicast_src", "old_checksum"):
        written = one.written(key)
        while written is not None:
            if written.row.name != "mcast_src_ip":
                yield written.span
            written = written.earlier


def check_unique_vrids(around: Around) -> None:
    """Two virtual routers of one VRID, family and way to the others would take each other for a
    peer.
    """
    seen: dict[tuple[object, ...], dict[Address | None, InstanceConfig]] = {}
    for one in around.named("instances", InstanceConfig).values():
        ways: list[object] = [peer.address for peer in one.peers] or [one.mcast_group]
        for way in ways:
            others = seen.setdefault((one.vrid, one.family, one.interface, way), {})
            own = one.source if one.peers else None
            other = _of_source(own, others)
            others.setdefault(own, one)
            if other is not None:
                _tell_same_vrid(around, one, other)
                break


def _of_source(
    own: Address | None, others: dict[Address | None, InstanceConfig]
) -> InstanceConfig | None:
    """Return one that an instance could be taken for: only two different sources tell them
    apart.
    """
    if own is None:
        return next(iter(others.values()), None)
    return others.get(own) or others.get(None)


def _tell_same_vrid(around: Around, one: InstanceConfig, other: InstanceConfig) -> None:
    where = f" on {one.interface}" if one.interface else ""
    around.report.error(
        "FV203",
        f"{one.name} and {other.name} share virtual_router_id {one.vrid}{where}",
        cast(Span, one.span),
        hint="give every vrrp_instance of an interface a virtual_router_id of its own",
        related=Related(f"{other.name} is", cast(Span, other.span)),
    )
