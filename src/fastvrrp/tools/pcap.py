"""IP packets out of capture files: pcap (both byte orders, micro- and nanoseconds) and pcapng."""

import struct
from collections.abc import Iterator

__all__ = ["CaptureError", "ip_packets", "is_capture", "is_vrrp"]

_AH = 51
_VRRP = 112
_ETHERTYPES = (0x0800, 0x86DD)
_VLAN_TAGS = (0x8100, 0x88A8)

# Link types (https://www.tcpdump.org/linktypes.html); cooked: header length, offset of EtherType.
_ETHERNET = 1
_COOKED = {113: (16, 14), 276: (20, 0)}  # LINUX_SLL, LINUX_SLL2
_FAMILY_WORD = (0, 108)  # NULL, LOOP: four bytes of address family
_RAW = (12, 14, 101, 228, 229)
_SUPPORTED = {_ETHERNET, *_COOKED, *_FAMILY_WORD, *_RAW}

_PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
}
_PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
_PCAPNG_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _SIMPLE, _ENHANCED = 1, 3, 6


class CaptureError(ValueError):
    """The file is no capture that this module reads; the text says why."""


def is_capture(data: bytes) -> bool:
    """True when `data` begins as a capture file does."""
    return data[:4] in _PCAP_MAGICS or data[:4] == _PCAPNG_MAGIC


def ip_packets(capture: bytes) -> Iterator[bytes | None]:
    """Yield the IP packet of each frame of a capture file in order, None for a frame without one.

    Raises CaptureError, possibly after some packets.
    """
    magic = capture[:4]
    if magic in _PCAP_MAGICS:
        frames = _pcap_frames(capture, _PCAP_MAGICS[magic])
    elif magic == _PCAPNG_MAGIC:
        frames = _pcapng_frames(capture)
    else:
        raise CaptureError("neither pcap nor pcapng: write one with `tcpdump -w FILE.pcap`")
    for link_type, frame in frames:
        if link_type not in _SUPPORTED:
            raise CaptureError(f"link type {link_type} is not supported: capture on one interface")
        yield _ip_packet(link_type, frame)


def is_vrrp(packet: bytes) -> bool:
    """True when an IP packet carries VRRP, plainly or behind an authentication header."""
    if packet[:1] and packet[0] >> 4 == 6:
        return packet[6:7] == bytes((_VRRP,))
    if len(packet) < 20:
        return False
    header = (packet[0] & 0x0F) * 4
    next_header = packet[header : header + 1]  # of an authentication header
    return packet[9] == _VRRP or (packet[9] == _AH and next_header == bytes((_VRRP,)))


def _pcap_frames(capture: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    if len(capture) < 24:
        raise CaptureError("the pcap file ends inside its header")
    link_type = _unpack(order + "I", capture, 20)[0] & 0xFFFF
    offset = 24
    while offset < len(capture):
        captured, _ = _unpack(order + "8x2I", capture, offset)
        offset += 16
        yield link_type, _cut(capture, offset, captured)
        offset += captured


def _pcapng_frames(capture: bytes) -> Iterator[tuple[int, bytes]]:
    order = "<"
    link_types: list[int] = []
    offset = 0
    while offset < len(capture):
        if capture[offset : offset + 4] == _PCAPNG_MAGIC:  # a section starts anew
            order = _section_order(capture, offset)
            link_types = []
        kind, length = _unpack(order + "2I", capture, offset)
        if length < 12 or length % 4:
            raise CaptureError(f"the pcapng block at byte {offset} cannot have {length} bytes")
        body = _cut(capture, offset + 8, length - 12)
        offset += length
        if kind == _INTERFACE:
            link_types.append(_unpack(order + "H", body, 0)[0])
        elif kind == _ENHANCED:
            interface, captured = _unpack(order + "I8xI4x", body, 0)
            yield _link_type(link_types, interface), _cut(body, 20, captured)
        elif kind == _SIMPLE:
            (original,) = _unpack(order + "I", body, 0)
            yield _link_type(link_types, 0), body[4 : 4 + original]


def _section_order(capture: bytes, offset: int) -> str:
    order = _PCAPNG_ORDERS.get(capture[offset + 8 : offset + 12])
    if order is None:
        raise CaptureError(f"the pcapng section at byte {offset} has no byte-order mark")
    return order


def _link_type(link_types: list[int], interface: int) -> int:
    if interface >= len(link_types):
        raise CaptureError(f"a pcapng packet names interface {interface}, which is not described")
    return link_types[interface]


def _unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error:
        raise CaptureError("the capture file is cut off in the middle of a record") from None


def _cut(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise CaptureError("the capture file is cut off in the middle of a packet")
    return data[offset : offset + length]


def _ip_packet(link_type: int, frame: bytes) -> bytes | None:
    if link_type in _RAW:
        return frame
    if link_type in _FAMILY_WORD:
        return frame[4:] if frame[4:5] and frame[4] >> 4 in (4, 6) else None
    if link_type == _ETHERNET:
        header = 14
        if _ethertype(frame, 12) in _VLAN_TAGS:
            header = 18
        at = header - 2
    else:
        header, at = _COOKED[link_type]
    return frame[header:] if _ethertype(frame, at) in _ETHERTYPES else None


def _ethertype(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 2], "big")
