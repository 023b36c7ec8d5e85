"""Ethernet frames: those that tell the LAN where an address lives now, and adverts from a virtual
MAC address; built before they are needed."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.wire.advert import internet_checksum
from fastvrrp.wire.values import Layout

__all__ = ["from_mac", "gratuitous_arp", "unsolicited_na", "virtual_mac"]

_BROADCAST = b"\xff" * 6
_ALL_NODES = IPv6Address("ff02::1").packed
_ALL_NODES_MAC = b"\x33\x33" + _ALL_NODES[-4:]  # RFC 2464 §7
_ETHERTYPE_ARP = b"\x08\x06"
_ETHERTYPE_IPV4 = b"\x08\x00"
_ETHERTYPE_IPV6 = b"\x86\xdd"
_ICMPV6 = 58
_VRRP = 112
_NEIGHBOUR_ADVERTISEMENT = 136
_ROUTER = 0x80
_OVERRIDE = 0x20
_TARGET_LINK_LAYER_ADDRESS = b"\x02\x01"  # option 2, in units of 8 bytes


def virtual_mac(family: int, vrid: int) -> bytes:
    """Return the virtual router MAC address, 6 bytes (RFC 9568 §7.3); `family` is 4 or 6, `vrid`
    1..255."""
    return bytes((0, 0, 0x5E, 0, 2 if family == 6 else 1, vrid))


def from_mac(mac: bytes, advert: Layout) -> Layout:
    """Return a multicast `advert` as a frame that leaves from `mac` (6 bytes; RFC 9568 §7.2)."""
    _check_mac(mac)
    if advert.unicast:
        raise ValueError("only the MAC address of a multicast group is known")
    if advert.family == 4:
        group = b"\x01\x00\x5e" + bytes((advert.dst[1] & 0x7F,)) + advert.dst[2:]  # RFC 1112 §6.4
        return replace(advert, link=group + mac + _ETHERTYPE_IPV4)
    length = len(advert.data).to_bytes(2, "big")
    internet_control = b"\x6c\0\0\0"  # version 6, traffic class 0xC0
    ipv6 = internet_control + length + bytes((_VRRP, 255)) + advert.src + advert.dst
    return replace(advert, link=b"\x33\x33" + advert.dst[-4:] + mac + _ETHERTYPE_IPV6 + ipv6)


def gratuitous_arp(mac: bytes, address: IPv4Address) -> bytes:
    """Return an ARP request for `address` by `address` (RFC 5227 §3), 42 bytes; `mac` has 6.

    keepalived: the target hardware address is all ones, and so is ours.
    """
    _check_mac(mac)
    ethernet_ipv4_request = b"\x00\x01\x08\x00\x06\x04\x00\x01"
    return (
        _BROADCAST + mac + _ETHERTYPE_ARP
        + ethernet_ipv4_request + mac + address.packed + _BROADCAST + address.packed
    )  # fmt: skip


def unsolicited_na(mac: bytes, address: IPv6Address, *, router: bool) -> bytes:
    """Return a neighbour advertisement of `address` to all nodes (RFC 4861 §7.2.6), 86 bytes.

    Override is set, Solicited is not; `router` says whether this host forwards. `mac` has 6 bytes.
    """
    _check_mac(mac)
    flags = _OVERRIDE | (_ROUTER if router else 0)
    body = bytes((flags, 0, 0, 0)) + address.packed + _TARGET_LINK_LAYER_ADDRESS + mac
    head = bytes((_NEIGHBOUR_ADVERTISEMENT, 0))
    checksum = internet_checksum(
        head + b"\0\0" + body, src=address.packed, dst=_ALL_NODES, protocol=_ICMPV6
    )
    message = head + checksum.to_bytes(2, "big") + body
    ipv6 = b"\x60\0\0\0" + len(message).to_bytes(2, "big") + bytes((_ICMPV6, 255))
    return (
        _ALL_NODES_MAC + mac + _ETHERTYPE_IPV6
        + ipv6 + address.packed + _ALL_NODES + message
    )  # fmt: skip


def _check_mac(mac: bytes) -> None:
    if len(mac) != 6:
        raise ValueError(f"an Ethernet address has 6 bytes, not {len(mac)}")
