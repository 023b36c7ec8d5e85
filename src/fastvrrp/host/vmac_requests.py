"""Rtnetlink requests that make, change and remove macvlan and ipvlan interfaces, as bytes.

Written out here, because pyroute2 does not know the modes of ipvlan.
"""

import struct
import sys
from dataclasses import dataclass

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELLINK, RTM_GETLINK, RTM_NEWADDR, RTM_NEWLINK

from fastvrrp.config.model import Interface, IpvlanMode
from fastvrrp.host.links import IFF_UP
from fastvrrp.host.netlink import HEADER_SIZE, Raw, attributes

__all__ = [
    "Found",
    "add_address",
    "ask_for",
    "create_ipvlan",
    "create_macvlan",
    "delete",
    "found_in",
    "mark",
    "turn",
]

_ALIAS = b"fastvrrp"
"""IFLA_IFALIAS of our interfaces: how one that a run left behind is known."""

_ETHERNET = 1  # ARPHRD_ETHER

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_LINK = struct.Struct("=BBHiII")  # struct ifinfomsg: family, pad, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix, flags, scope, index
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_GROUP = (
    1, 3, 5, 18, 20, 27,
)  # fmt: skip
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_MACVLAN_MODE, _MACVLAN_MODE_BRIDGE = 1, 4
_IFLA_IPVLAN_MODE, _IFLA_IPVLAN_FLAGS, _IPVLAN_MODE_L2 = 1, 2, 0
_IPVLAN_FLAGS = {None: 0, IpvlanMode.BRIDGE: 0, IpvlanMode.PRIVATE: 1, IpvlanMode.VEPA: 2}
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _IFA_PROTO = 1, 2, 8, 11
_IFA_F_NODAD = 0x02
_AF = {4: 2, 6: 10}
_OUR_PROTOCOL = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An interface as the kernel describes it; `base` is the index of the one below it."""

    index: int
    is_ethernet: bool
    base: int | None
    mac: bytes
    group: int
    is_ours: bool


def ask_for(name: str) -> bytes:
    """Return the request for the description of an interface."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
    return _message(RTM_GETLINK, 0, body)


def found_in(raw: Raw) -> Found | None:
    """Return what the answer describes; None: it is an error."""
    if raw.kind != RTM_NEWLINK or len(raw.data) < HEADER_SIZE + _LINK.size:
        return None
    _, _, kind, index, _, _ = _LINK.unpack_from(raw.data, HEADER_SIZE)
    said = attributes(raw.data, HEADER_SIZE + _LINK.size)
    base = said.get(_IFLA_LINK)
    return Found(
        index=index,
        is_ethernet=kind == _ETHERNET,
        base=None if base is None else int.from_bytes(base, sys.byteorder),
        mac=said.get(_IFLA_ADDRESS, b""),
        group=int.from_bytes(said.get(_IFLA_GROUP, b""), sys.byteorder),
        is_ours=said.get(_IFLA_IFALIAS, b"").rstrip(b"\0") == _ALIAS,
    )


def create_macvlan(name: str, base: int, mac: bytes, *, group: int) -> bytes:
    """Return the request for a macvlan interface over interface `base`, with `mac` (6 bytes).

    Bridge mode: in private mode the kernel would give the adverts of a router with the same MAC
    address to this interface alone, and its base would not hear them (docs/adr/0033).
    """
    mode = _attribute(_IFLA_MACVLAN_MODE, _u32(_MACVLAN_MODE_BRIDGE))
    own = _common(name, base, group) + _attribute(_IFLA_ADDRESS, mac)
    return _create(own, "macvlan", mode)


def create_ipvlan(name: str, base: int, mode: IpvlanMode | None, *, group: int) -> bytes:
    """Return the request for an ipvlan interface of the second layer over interface `base`."""
    layer = _attribute(_IFLA_IPVLAN_MODE, struct.pack("=H", _IPVLAN_MODE_L2))
    flags = _attribute(_IFLA_IPVLAN_FLAGS, struct.pack("=H", _IPVLAN_FLAGS[mode]))
    return _create(_common(name, base, group), "ipvlan", layer + flags)


def mark(index: int) -> bytes:
    """Return the request that marks interface `index` as ours."""
    alias = _attribute(_IFLA_IFALIAS, _ALIAS)
    return _message(RTM_NEWLINK, 0, _LINK.pack(0, 0, 0, index, 0, 0) + alias)


def turn(index: int, *, up: bool) -> bytes:
    """Return the request that lets interface `index` be up, or down."""
    return _message(RTM_NEWLINK, 0, _LINK.pack(0, 0, 0, index, IFF_UP if up else 0, IFF_UP))


def delete(index: int) -> bytes:
    """Return the request that removes interface `index`."""
    return _message(RTM_DELLINK, 0, _LINK.pack(0, 0, 0, index, 0, 0))


def add_address(index: int, address: Interface) -> bytes:
    """Return the request that gives interface `index` an address of its own."""
    body = _ADDRESS.pack(_AF[address.version], address.network.prefixlen, 0, 0, index)
    body += _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)
    body += _attribute(_IFA_PROTO, bytes((_OUR_PROTOCOL,)))
    if address.version == 6:
        body += _attribute(_IFA_FLAGS, _u32(_IFA_F_NODAD))
    return _message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body)


def _common(name: str, base: int, group: int) -> bytes:
    return (
        _attribute(_IFLA_IFNAME, name.encode() + b"\0")
        + _attribute(_IFLA_LINK, _u32(base))
        + _attribute(_IFLA_GROUP, _u32(group))
    )


def _create(attributes: bytes, kind: str, data: bytes) -> bytes:
    info = _attribute(_IFLA_INFO_KIND, kind.encode()) + _attribute(_IFLA_INFO_DATA, data)
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + attributes + _attribute(_IFLA_LINKINFO, info)
    return _message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | flags, 0, 0) + body


def _attribute(kind: int, data: bytes) -> bytes:
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + bytes(-length % 4)


def _u32(value: int) -> bytes:
    return struct.pack("=I", value)
