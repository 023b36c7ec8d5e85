"""Messages of the kernel taken apart: whatever is cut off or wrong ends it, and raises nothing."""

import random
import struct

from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR
from pyroute2.netlink.rtnl import RTM_NEWADDR, RTM_NEWLINK
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from fastvrrp.host.netlink import HEADER_SIZE, answer, attributes, encode, numbered, split


def message(kind: int = RTM_NEWLINK, flags: int = 0, body: bytes = b"") -> bytes:
    padding = bytes(-len(body) % 4)
    return struct.pack("=IHHII", HEADER_SIZE + len(body), kind, flags, 7, 42) + body + padding


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def test_messages_behind_each_other() -> None:
    data = message(RTM_NEWLINK, 1, b"abc") + message(RTM_NEWADDR)
    first, second = split(data)
    assert (first.kind, first.flags, first.sequence, first.port) == (RTM_NEWLINK, 1, 7, 42)
    assert first.data[HEADER_SIZE:] == b"abc"
    assert second.kind == RTM_NEWADDR


def test_what_does_not_fit_ends_it() -> None:
    whole = message(body=b"abcd")
    assert list(split(whole[:-1])) == []
    assert list(split(struct.pack("=IHHII", 15, 1, 0, 0, 0))) == []
    assert len(list(split(whole + b"\0" * 15))) == 1


def test_attributes_by_type_without_the_flags_of_the_type() -> None:
    data = b"head" + attribute(1, b"x") + attribute(0x8000 | 18, b"nested") + attribute(0x4002, b"")
    assert attributes(data, 4) == {1: b"x", 18: b"nested", 2: b""}
    assert attributes(data + struct.pack("=HH", 3, 9), 4).keys() == {1, 18, 2}
    assert attributes(data + struct.pack("=HH", 5, 9), 4).keys() == {1, 18, 2}


def test_any_bytes_are_taken_apart_without_an_error() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(300):
        data = bytearray(message(NLMSG_ERROR, 0x200, chance.randbytes(chance.randrange(80))))
        for _ in range(chance.randrange(8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        for raw in split(bytes(data)):
            attributes(raw.data, HEADER_SIZE)
            answer(raw)


def test_an_answer_has_the_number_of_its_request_and_the_words_of_the_kernel() -> None:
    refused = struct.pack("=i", -22) + message(RTM_NEWADDR)
    (raw,) = split(message(NLMSG_ERROR, 0, refused))
    assert answer(raw) == (7, 22, "")
    (raw,) = split(message(NLMSG_ERROR, 0x200, refused + attribute(1, b"Invalid gateway\0")))
    assert answer(raw) == (7, 22, "Invalid gateway")
    (raw,) = split(message(NLMSG_ERROR, 0, struct.pack("=i", 0) + message(RTM_NEWADDR)))
    assert answer(raw) == (7, 0, "")
    (raw,) = split(message(RTM_NEWLINK))
    assert answer(raw) is None


def test_a_request_gets_its_number_and_flags_and_stays_as_it_is_otherwise() -> None:
    made = encode(ifinfmsg(), kind=RTM_NEWLINK, flags=NLM_F_REQUEST, sequence=0)
    (raw,) = split(numbered(made, 99))
    assert (raw.kind, raw.flags, raw.sequence) == (RTM_NEWLINK, NLM_F_REQUEST, 99)
    assert raw.data[HEADER_SIZE:] == made[HEADER_SIZE:]
    (raw,) = split(numbered(made, 99, flags=NLM_F_REQUEST | NLM_F_ACK))
    assert raw.flags == NLM_F_REQUEST | NLM_F_ACK
