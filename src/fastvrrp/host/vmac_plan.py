"""Which interfaces with a virtual MAC address, or ipvlan interfaces, a configuration asks for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fastvrrp.config.model import (
    Config,
    GlobalConfig,
    InstanceConfig,
    Interface,
    IpvlanMode,
    VirtualAddress,
    Vmac,
)
from fastvrrp.wire.frames import virtual_mac

__all__ = [
    "NAME_LENGTH",
    "Key",
    "Wanted",
    "advert_mac",
    "interface_of",
    "key_for",
    "names",
    "own_key",
    "wanted",
]

NAME_LENGTH = 15
"""Bytes of an interface's name in Linux, at most."""


class Key(NamedTuple):
    """Whose interface it is: the instance, the interface below, and the family (4 or 6) of the
    virtual MAC address."""

    instance: str
    base: str
    family: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One interface. `name` None: one is made of `prefix` and `vrid`. `mac` None: an ipvlan
    interface, which has that of its base, with `address` and `mode`. `ipv6`: it takes part in IPv6.
    `group` None: that of its base."""

    key: Key
    name: str | None
    prefix: str
    vrid: int
    mac: bytes | None = None
    address: Interface | None = None
    mode: IpvlanMode | None = None
    group: str | None = None
    ipv6: bool = False


def wanted(config: Config) -> tuple[Wanted, ...]:
    """Return all interfaces that `config` asks for, each once."""
    found: dict[Key, Wanted] = {}
    for instance in config.instances:
        for key in _keys(instance):
            found.setdefault(key, _wanted(instance, key, config.global_defs))
    return tuple(found.values())


def own_key(instance: InstanceConfig) -> Key | None:
    """Return the key of the interface that stands for the instance's own; None: it is that."""
    if instance.vmac is None and instance.ipvlan is None:
        return None
    return Key(instance.name, instance.interface, instance.family)


def key_for(instance: InstanceConfig, vip: VirtualAddress) -> Key | None:
    """Return the key of the interface that `vip` goes to; None: it is none of these.

    `use_vmac` takes what names no interface, or its own one; `use_vmac_addr`, or `use_vmac` in the
    line of an address, gives one to addresses of other interfaces and of the other family as well.
    """
    own = own_key(instance)
    named = vip.interface
    if own is not None and named is not None and named == _explicit(instance):
        return own
    base, family = named or instance.interface, vip.address.version
    if instance.vmac_addresses or vip.vmac:
        is_own = own is not None and (base, family) == (own.base, own.family)
        return own if is_own else Key(instance.name, base, family)
    return own if named is None else None


def interface_of(instance: InstanceConfig, vip: VirtualAddress) -> str:
    """Return the interface of this host whose loss is felt by `vip`: the one below, where it goes
    to one of ours."""
    key = key_for(instance, vip)
    return key.base if key is not None else vip.interface or instance.interface


def advert_mac(instance: InstanceConfig) -> bytes | None:
    """Return the MAC address that its adverts come from; None: that of its interface."""
    if instance.vmac is None or instance.vmac_xmit_base or instance.peers:
        return None
    return _mac(instance.vmac, instance.family, instance.vrid)


def names(want: Wanted) -> Iterator[str]:
    """Yield names to be tried for it, at most 15 characters each: `vrrp.51`, for IPv6 `vrrp6.51`,
    then `vrrp1.51` and so on."""
    if want.name is not None:
        yield want.name
        return
    family = "6" if want.key.family == 6 else ""
    for number in ("", *map(str, range(1, 256))):
        rest = f"{family}{number}.{want.vrid}"
        yield want.prefix[: NAME_LENGTH - len(rest)] + rest


def _explicit(instance: InstanceConfig) -> str | None:
    made: Iterable[str | None] = (
        one.interface for one in (instance.vmac, instance.ipvlan) if one is not None
    )
    return next(iter(made), None)


def _keys(instance: InstanceConfig) -> Iterator[Key]:
    own = own_key(instance)
    if own is not None:
        yield own
    for vip in (*instance.addresses, *instance.excluded):
        key = key_for(instance, vip)
        if key is not None:
            yield key


def _wanted(instance: InstanceConfig, key: Key, common: GlobalConfig) -> Wanted:
    carried = (
        vip.address.version
        for vip in (*instance.addresses, *instance.excluded)
        if key_for(instance, vip) == key
    )
    ipv6 = key.family == 6 or 6 in carried
    if key != own_key(instance):
        return Wanted(
            key=key,
            name=None,
            prefix=common.vmac_addr_prefix or common.vmac_prefix,
            vrid=instance.vrid,
            mac=virtual_mac(key.family, instance.vrid),
            ipv6=ipv6,
        )
    if instance.vmac is not None:
        return Wanted(
            key=key,
            name=instance.vmac.interface,
            prefix=common.vmac_prefix,
            vrid=instance.vrid,
            mac=_mac(instance.vmac, key.family, instance.vrid),
            group=instance.vmac.group,
            ipv6=ipv6,
        )
    assert instance.ipvlan is not None, "one of the two has made it an own key"
    return Wanted(
        key=key,
        name=instance.ipvlan.interface,
        prefix=common.vmac_prefix,
        vrid=instance.vrid,
        address=instance.ipvlan.address,
        mode=instance.ipvlan.mode,
        group=instance.ipvlan.group,
        ipv6=ipv6,
    )


def _mac(vmac: Vmac, family: int, vrid: int) -> bytes:
    """Return the MAC address, 6 bytes: to one of 5 the VRID is appended."""
    if vmac.mac is None:
        return virtual_mac(family, vrid)
    return vmac.mac if len(vmac.mac) == 6 else vmac.mac + bytes((vrid,))
