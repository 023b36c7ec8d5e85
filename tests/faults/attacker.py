"""A host that sends what it likes, and the adverts of its victim timed by the kernel."""

import select
import socket
import struct
import time
from collections.abc import Iterable
from ctypes import addressof, create_string_buffer
from itertools import pairwise
from typing import Self

from conformance.scene import Sent
from lab import Host, Lab

GROUP_MACS = {4: bytes.fromhex("01005e000012"), 6: bytes.fromhex("333300000012")}
ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
VRRP = 112
SO_ATTACH_FILTER, SO_TIMESTAMPNS, ETH_P_ALL = 26, 35, 3


def ip_checksum(header: bytes | bytearray) -> int:
    """Return that of an IPv4 header, whatever its checksum field says."""
    data = bytes(header[:10]) + b"\0\0" + bytes(header[12:])
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(sent: Sent) -> bytes:
    """Return an advert with all that the kernel of an honest sender would add."""
    if sent.family == 4:
        size = (sent.data[0] & 15) * 4
        whole = bytearray(sent.data)
        whole[8] = sent.ttl
        whole[10:12] = ip_checksum(whole[:size]).to_bytes(2)
        return bytes(whole)
    header = struct.pack("!IHBB", 6 << 28, len(sent.data), VRRP, sent.ttl)
    return header + sent.src + sent.dst + sent.data


def mac(host: Host) -> bytes:
    return bytes.fromhex(host.mac.replace(":", ""))


def frame(data: bytes, sender: Host, target: Host | None = None) -> bytes:
    """Return an Ethernet frame around an IP packet, to `target` or to the group of all routers."""
    family = data[0] >> 4 if data and data[0] >> 4 in GROUP_MACS else 4
    destination = GROUP_MACS[family] if target is None else mac(target)
    return destination + mac(sender) + ETHERTYPES[family] + data


class Attacker:
    """Sends frames from `host`; use it as a context manager."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._socket = host.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.bind(("eth0", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, sent: Sent, *, to: Host | None = None) -> None:
        """Send an advert."""
        self.send_packets([packet(sent)], to=to)

    def send_packets(self, packets: Iterable[bytes], *, to: Host | None = None) -> None:
        """Send IP packets as they are."""
        for data in packets:
            self._socket.send(frame(data, self.host, to))


class AdvertWatch:
    """Kernel arrival times of what `host` sends, undisturbed by what others send: the filter sees
    nothing but its source MAC and the protocols 112 and 51."""

    def __init__(self, lab: Lab, host: Host) -> None:
        high, low = struct.unpack("!IH", mac(host))
        program = [
            (0x20, 0, 0, 6), (0x15, 0, 8, high),
            (0x28, 0, 0, 10), (0x15, 0, 6, low),
            (0x28, 0, 0, 12), (0x15, 0, 4, 0x0800),
            (0x30, 0, 0, 23), (0x15, 1, 0, 112), (0x15, 0, 1, 51),
            (0x06, 0, 0, 128), (0x06, 0, 0, 0),
        ]  # fmt: skip
        code = create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
        self.socket = lab.switch.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setblocking(False)
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), addressof(code))
        )
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((host.name, ETH_P_ALL))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def times(self, seconds: float) -> list[float]:
        """Arrival times (s) of the adverts within the next `seconds`."""
        found: list[float] = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                break
            _, control, _, _ = self.socket.recvmsg(128, 64)
            whole, nanoseconds = struct.unpack_from("qq", control[0][2])
            found.append(whole + nanoseconds / 1e9)
        return found

    def gaps(self, seconds: float) -> list[float]:
        """The times (s) between the adverts within the next `seconds`."""
        return [later - earlier for earlier, later in pairwise(self.times(seconds))]
