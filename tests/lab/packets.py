"""Frames on the switch → events. Independent of fastvrrp's own decoder, which it helps to test.

It reads what is there and judges nothing: checksums, TTL and authentication are not verified.
"""

import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from lab.events import Advert, Arp, Event, NeighbourAdvert

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
PROTOCOL_AH, PROTOCOL_ICMPV6, PROTOCOL_VRRP = 51, 58, 112
NEIGHBOUR_ADVERTISEMENT = 136
ETHERNET_SIZE, IPV6_SIZE = 14, 40
V2_AUTH = {0: "none", 1: "pass", 2: "ah"}


def parse(frame: bytes, at: int, names: Mapping[str, str]) -> Event | None:
    """The event that an Ethernet frame means, or None. `names` maps source MAC to host."""
    host = names.get(frame[6:12].hex(":"), "?")
    try:
        ethertype = int.from_bytes(frame[12:14])
        if ethertype == ETHERTYPE_ARP:
            return _arp(frame, at, host)
        if ethertype == ETHERTYPE_IPV4:
            return _ipv4(frame, at, host)
        if ethertype == ETHERTYPE_IPV6:
            return _ipv6(frame, at, host)
    except (struct.error, ValueError):  # cut short
        return None
    return None


def _arp(frame: bytes, at: int, host: str) -> Arp:
    operation, mac, sender, _, target = struct.unpack_from("!6xH6s4s6s4s", frame, ETHERNET_SIZE)
    return Arp(
        at=at,
        host=host,
        operation=operation,
        sender=str(IPv4Address(sender)),
        sender_mac=mac.hex(":"),
        target=str(IPv4Address(target)),
    )


def _ipv4(frame: bytes, at: int, host: str) -> Advert | None:
    first, length, ttl, protocol, source, destination = struct.unpack_from(
        "!BxH4xBB2x4s4s", frame, ETHERNET_SIZE
    )
    packet = frame[ETHERNET_SIZE : ETHERNET_SIZE + length]
    payload = packet[(first & 0x0F) * 4 :]
    authenticated = protocol == PROTOCOL_AH
    if authenticated:  # RFC 2402: next header, length in 32-bit words minus 2
        protocol, words = struct.unpack_from("!BB", payload)
        payload = payload[(words + 2) * 4 :]
    if protocol != PROTOCOL_VRRP:
        return None
    message = _message(payload, IPv4Address, 4)
    if authenticated:
        message["auth"] = "ah"
    return Advert(
        at=at,
        host=host,
        source=str(IPv4Address(source)),
        destination=str(IPv4Address(destination)),
        ttl=ttl,
        frame=frame,
        **message,
    )


def _ipv6(frame: bytes, at: int, host: str) -> Event | None:
    length, protocol, ttl, *addresses = struct.unpack_from("!4xHBB16s16s", frame, ETHERNET_SIZE)
    source, destination = (str(IPv6Address(address)) for address in addresses)
    start = ETHERNET_SIZE + IPV6_SIZE
    payload = frame[start : start + length]
    if protocol == PROTOCOL_ICMPV6 and payload[:1] == bytes([NEIGHBOUR_ADVERTISEMENT]):
        target = str(IPv6Address(payload[8:24]))
        return NeighbourAdvert(at=at, host=host, source=source, target=target)
    if protocol != PROTOCOL_VRRP:
        return None
    return Advert(
        at=at,
        host=host,
        source=source,
        destination=destination,
        ttl=ttl,
        frame=frame,
        **_message(payload, IPv6Address, 16),
    )


def _message(payload: bytes, address: type[IPv4Address | IPv6Address], size: int) -> dict[str, Any]:
    """The fields of a VRRP message, RFC 3768 §5.1 (version 2) and RFC 9568 §5.1 (version 3)."""
    kind, vrid, priority, count, timing = struct.unpack_from("!BBBBH", payload)
    version = kind >> 4
    if version == 2:
        auth, interval_ms = V2_AUTH.get(timing >> 8, "unknown"), (timing & 0xFF) * 1000
    else:
        auth, interval_ms = "none", (timing & 0x0FFF) * 10
    listed = [payload[start : start + size] for start in range(8, 8 + count * size, size)]
    return {
        "version": version,
        "vrid": vrid,
        "priority": priority,
        "interval_ms": interval_ms,
        "auth": auth,
        "addresses": tuple(str(address(part)) for part in listed),
    }
