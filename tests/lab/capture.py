"""The observer: VRRP, ARP and neighbour adverts on the switch, stamped by the kernel at arrival."""

import ctypes
import fcntl
import socket
import struct
import time
from collections.abc import Mapping

from lab.agent import Agent
from lab.events import Event
from lab.packets import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    PROTOCOL_AH,
    PROTOCOL_ICMPV6,
    PROTOCOL_VRRP,
    parse,
)

ETH_P_ALL = 3
SNAP_LENGTH = 2048
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_MR_PROMISC = 263, 1, 6, 1
SO_TIMESTAMPNS, SO_ATTACH_FILTER, SIOCGIFINDEX = 35, 26, 0x8933
LOAD_HALF, LOAD_BYTE, JUMP_EQUAL, RETURN = 0x28, 0x30, 0x15, 0x06  # classic BPF


def _filter() -> list[tuple[int, int, int, int]]:
    """Classic BPF that passes ARP, VRRP, AH and ICMPv6, so that web traffic wakes nobody."""
    accept, reject = 10, 11
    program = [
        (LOAD_HALF, None, None, 12),
        (JUMP_EQUAL, accept, 2, ETHERTYPE_ARP),
        (JUMP_EQUAL, 3, 6, ETHERTYPE_IPV4),
        (LOAD_BYTE, None, None, 23),
        (JUMP_EQUAL, accept, 5, PROTOCOL_VRRP),
        (JUMP_EQUAL, accept, reject, PROTOCOL_AH),
        (JUMP_EQUAL, 7, reject, ETHERTYPE_IPV6),
        (LOAD_BYTE, None, None, 20),
        (JUMP_EQUAL, accept, 9, PROTOCOL_VRRP),
        (JUMP_EQUAL, accept, reject, PROTOCOL_ICMPV6),
        (RETURN, None, None, SNAP_LENGTH),
        (RETURN, None, None, 0),
    ]
    relative = []
    for here, (code, if_true, if_false, operand) in enumerate(program):
        jumps = [0 if goal is None else goal - here - 1 for goal in (if_true, if_false)]
        relative.append((code, jumps[0], jumps[1], operand))
    return relative


class Capture:
    """A packet socket on one interface of a host; a source of events for the lab."""

    finished = False

    def __init__(self, agent: Agent, interface: str, names: Mapping[str, str]) -> None:
        self._names = names
        self._socket = agent.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.setblocking(False)
        self._attach_filter()
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((interface, ETH_P_ALL))
        self._make_promiscuous(interface)
        self._dropped = 0

    def fileno(self) -> int:
        """Readable when a packet waits."""
        return self._socket.fileno()

    def drain(self) -> list[Event]:
        """The events of all packets that wait, in the order of their arrival."""
        wall_offset = time.time_ns() - time.monotonic_ns()
        events: list[Event] = []
        while True:
            try:
                frame, control, _, _ = self._socket.recvmsg(SNAP_LENGTH, 64)
            except BlockingIOError:
                return events
            seconds, nanoseconds = struct.unpack_from("qq", control[0][2])
            at = seconds * 1_000_000_000 + nanoseconds - wall_offset
            if (event := parse(frame, at, self._names)) is not None:
                events.append(event)

    @property
    def dropped(self) -> int:
        """Packets lost because nobody read them in time; a measurement wants 0 here."""
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self._dropped += struct.unpack("II", statistics)[1]  # reading resets the kernel's counter
        return self._dropped

    def close(self) -> None:
        """Stop capturing."""
        self._socket.close()

    def _attach_filter(self) -> None:
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in _filter())
        buffer = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def _make_promiscuous(self, interface: str) -> None:
        request = struct.pack("16si12x", interface.encode(), 0)
        index = struct.unpack_from("i", fcntl.ioctl(self._socket, SIOCGIFINDEX, request), 16)[0]
        membership = struct.pack("iHH8x", index, PACKET_MR_PROMISC, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
