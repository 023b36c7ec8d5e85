"""Accept mode off (RFC 9568 §6.1): packets to and from virtual addresses are dropped by one
nftables table of ours.

The table is static: an address that this host does not hold is not local, so that nothing matches,
and a transition need not touch the firewall (ADR 0034). What is forwarded, ARP, and neighbour
discovery, which IPv6 addresses cannot do without, pass.
"""

import errno
import logging
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from pyroute2.netlink.nfnetlink.nftsocket import Cmp, Meta

from fastvrrp.config.model import Address, Config, FirewallConfig, InstanceConfig, VirtualAddress
from fastvrrp.errors import KernelError
from fastvrrp.host.nftables import (
    Expression,
    Hook,
    NftSocket,
    add_chain,
    add_elements,
    add_rule,
    add_set,
    add_table,
    as_batch,
    compare,
    count,
    drop,
    let_pass,
    load_header,
    load_meta,
    look_up,
    remove_table,
)
from fastvrrp.journal import NftUndo

__all__ = ["DEFAULT_TABLE", "Drop", "Firewall", "drops"]

log = logging.getLogger("fastvrrp.host")

DEFAULT_TABLE = "keepalived"

_OWNER_PRIORITY = 255
_NAME_SIZE = 16  # IFNAMSIZ
_NFPROTO_IPV4, _NFPROTO_IPV6 = b"\x02", b"\x0a"
_ICMPV6 = b"\x3a"
_SOLICITATION, _ADVERTISEMENT = b"\x87", b"\x88"  # of neighbours
_IPV4, _IPV6, _INDEX, _NAME = 7, 8, 20, 41  # nft(8)'s numbers of types of keys
_JOINED = 6  # bits of a type in the type of a key that is made of two
_FIRST = 8  # register


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """An address that takes no packets: on every interface, or on `interface`, a name or an
    index."""

    address: Address
    interface: str | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A chain, and where in a packet it finds what it compares."""

    chain: str
    hook: Hook
    offset4: int
    offset6: int
    index: Meta
    name: Meta


_SIDES = (
    _Side(
        chain="in",
        hook=Hook.INPUT,
        offset4=16,
        offset6=24,
        index=Meta.NFT_META_IIF,
        name=Meta.NFT_META_IIFNAME,
    ),
    _Side(
        chain="out",
        hook=Hook.OUTPUT,
        offset4=12,
        offset6=8,
        index=Meta.NFT_META_OIF,
        name=Meta.NFT_META_OIFNAME,
    ),
)
"""Packets to the addresses, and those from them."""


def drops(
    config: Config,
    interface_of: Callable[[InstanceConfig, VirtualAddress], str | None],
    index_of: Callable[[str], int | None],
) -> frozenset[Drop]:
    """Return what instances without accept mode drop; the owner of its addresses (priority 255)
    always accepts, and so do others that have the same address.

    `interface_of` tells where an address goes, `index_of` the number of that interface, which only
    `nftables_ifindex` asks for. A link-local address is one for its interface; an interface that is
    not there has none.
    """
    by_index = config.global_defs.firewall.by_index
    dropped: set[Drop] = set()
    accepted: set[Drop] = set()
    for instance in config.instances:
        accepts = instance.accept or instance.priority == _OWNER_PRIORITY
        for vip in (*instance.addresses, *instance.excluded):
            interface: str | int | None = None
            if vip.address.version == 6 and vip.address.is_link_local:
                name = interface_of(instance, vip)
                interface = index_of(name) if by_index and name is not None else name
                if interface is None:
                    continue
            found = Drop(address=vip.address.ip, interface=interface)
            (accepted if accepts else dropped).add(found)
    return frozenset(dropped - accepted)


class Firewall:
    """The table, on this host while there is something to drop.

    Where the kernel allows it (Linux 5.12), nobody else can change or flush the table, and it goes
    with this process, however that ends; else `undos` says how to remove it. Thread: cold.
    """

    def __init__(self) -> None:
        self._socket: NftSocket | None = None
        self._settings = FirewallConfig()
        self._drops: frozenset[Drop] = frozenset()
        self._table: str | None = None
        self._is_owned = True

    @property
    def undos(self) -> tuple[NftUndo, ...]:
        """What removes the table when this process cannot any more; nothing where the kernel
        does."""
        if self._table is None or self._is_owned:
            return ()
        batch = as_batch([remove_table(self._table)])
        return (NftUndo(text=f"nftables table inet {self._table}", batch=batch),)

    def update(self, settings: FirewallConfig, dropped: frozenset[Drop]) -> None:
        """Let exactly `dropped` be dropped, in one step; nothing happens if that is so already.

        Raises KernelError, and then nothing has changed.
        """
        if (settings, dropped) == (self._settings, self._drops):
            return
        if dropped:
            self._replace(settings, dropped)
        else:
            self.close()
        self._settings, self._drops = settings, dropped

    def close(self) -> None:
        """Remove the table; may be repeated."""
        if self._socket is None:
            return
        if self._table is not None:
            code = self._socket.carry_out(as_batch([remove_table(self._table)]))
            if code not in (0, errno.ENOENT):
                log.warning("cannot remove nftables table %s: %s", self._table, os.strerror(code))
        self._socket.close()
        self._socket = self._table = None
        self._drops = frozenset()

    def _replace(self, settings: FirewallConfig, dropped: frozenset[Drop]) -> None:
        if self._socket is None:
            self._socket = NftSocket()
            self._is_owned = True
        table = settings.table or DEFAULT_TABLE
        code = self._try(table, settings, dropped)
        if code in (errno.EOPNOTSUPP, errno.EINVAL) and self._is_owned and self._table is None:
            self._is_owned = False
            code = self._try(table, settings, dropped)
            if code == 0:
                log.info("nftables table %s: before Linux 5.12 others can flush it", table)
        if code != 0:
            if self._table is None:
                self.close()
            raise KernelError("drop packets (no_accept) in", f"nftables table {table}", code)
        self._table = table

    def _try(self, table: str, settings: FirewallConfig, dropped: frozenset[Drop]) -> int:
        assert self._socket is not None, "it was opened"
        before = _removal(self._table, table)
        batch = as_batch([*before, *_table(table, settings, dropped, owned=self._is_owned)])
        return self._socket.carry_out(batch)


def _removal(old: str | None, new: str) -> Iterator[bytes]:
    """Remove our table, and one called `new` that an earlier run or another program has left."""
    if old is not None:
        yield remove_table(old)
    if old != new:
        yield add_table(new)  # there is no other way to remove what may not be there
        yield remove_table(new)


def _table(
    table: str, settings: FirewallConfig, dropped: frozenset[Drop], *, owned: bool
) -> Iterator[bytes]:
    yield add_table(table, owned=owned)
    ordered = sorted(dropped, key=attrgetter("address.packed"))
    vips4 = [one for one in ordered if one.address.version == 4]
    vips6 = [one for one in ordered if one.address.version == 6 and one.interface is None]
    local = [one for one in ordered if one.interface is not None]
    for side in _SIDES:
        yield add_chain(table, side.chain, hook=side.hook, priority=settings.priority)
    if vips6 or local:
        yield from _let_neighbour_discovery_pass(table)
    end = (count(), drop()) if settings.counters else (drop(),)
    if vips4:
        yield from _vips(table, "vips", vips4, end, number=1)
    if vips6:
        yield from _vips(table, "vips6", vips6, end, number=2)
    if local:
        yield from _link_local(table, local, end, by_index=settings.by_index)


def _let_neighbour_discovery_pass(table: str) -> Iterator[bytes]:
    """RFC 9568 §6.1: "IPv6 Neighbor Solicitations and Neighbor Advertisements MUST NOT be
    dropped"."""
    for side in _SIDES:
        yield add_rule(
            table,
            side.chain,
            load_meta(Meta.NFT_META_NFPROTO, register=_FIRST),
            compare(_NFPROTO_IPV6, register=_FIRST),
            load_meta(Meta.NFT_META_L4PROTO, register=_FIRST),
            compare(_ICMPV6, register=_FIRST),
            load_header(transport=True, offset=0, size=1, register=_FIRST),
            compare(_SOLICITATION, register=_FIRST, how=Cmp.NFT_CMP_GTE),
            compare(_ADVERTISEMENT, register=_FIRST, how=Cmp.NFT_CMP_LTE),
            let_pass(),
        )


def _vips(
    table: str, name: str, dropped: list[Drop], end: tuple[Expression, ...], *, number: int
) -> Iterator[bytes]:
    """A set of addresses of one family, and its rules."""
    is_ipv4 = dropped[0].address.version == 4
    kind, size, protocol = (_IPV4, 4, _NFPROTO_IPV4) if is_ipv4 else (_IPV6, 16, _NFPROTO_IPV6)
    yield add_set(table, name, number=number, kind=kind, size=size)
    yield from add_elements(table, name, [one.address.packed for one in dropped])
    for side in _SIDES:
        offset = side.offset4 if is_ipv4 else side.offset6
        yield add_rule(
            table,
            side.chain,
            load_meta(Meta.NFT_META_NFPROTO, register=_FIRST),
            compare(protocol, register=_FIRST),
            load_header(offset=offset, size=size, register=_FIRST),
            look_up(name, number=number, register=_FIRST),
            *end,
        )


def _link_local(
    table: str, dropped: list[Drop], end: tuple[Expression, ...], *, by_index: bool
) -> Iterator[bytes]:
    """A set of link-local addresses, each with its interface, and its rules."""
    name, number = "vips_link_local", 3
    kind, size = (_INDEX, 4) if by_index else (_NAME, _NAME_SIZE)
    yield add_set(table, name, number=number, kind=kind << _JOINED | _IPV6, size=size + 16)
    keys = [_interface_key(one.interface) + one.address.packed for one in dropped]
    yield from add_elements(table, name, keys)
    for side in _SIDES:
        yield add_rule(
            table,
            side.chain,
            load_meta(Meta.NFT_META_NFPROTO, register=_FIRST),
            compare(_NFPROTO_IPV6, register=_FIRST),
            load_meta(side.index if by_index else side.name, register=_FIRST),
            load_header(offset=side.offset6, size=16, register=_FIRST + size // 4),
            look_up(name, number=number, register=_FIRST),
            *end,
        )


def _interface_key(interface: str | int | None) -> bytes:
    if isinstance(interface, int):
        return struct.pack("=I", interface)
    return os.fsencode(interface or "").ljust(_NAME_SIZE, b"\0")
