"""Ethernet frames that tell the LAN where an address lives now; built before they are needed."""

from ipaddress import IPv4Address, IPv6Address

from fastvrrp.wire.advert import internet_checksum

__all__ = ["gratuitous_arp", "unsolicited_na"]

_BROADCAST = b"\xff" * 6
_ALL_NODES = IPv6Address("ff02::1").packed
_ALL_NODES_MAC = b"\x33\x33" + _ALL_NODES[-4:]  # RFC 2464 §7
_ETHERTYPE_ARP = b"\x08\x06"
_ETHERTYPE_IPV6 = b"\x86\xdd"
_ICMPV6 = 58
_NEIGHBOUR_ADVERTISEMENT = 136
_ROUTER = 0x80
_OVERRIDE = 0x20
_TARGET_LINK_LAYER_ADDRESS = b"\x02\x01"  # option 2, in units of 8 bytes


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
