"""Which news of the kernel reach us: a filter in the kernel itself, which wakes nobody for what it
drops."""

import sys
from collections.abc import Collection

from pyroute2.netlink.rtnl import RTM_DELROUTE, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWRULE

from fastvrrp.host.netlink import HEADER_SIZE

__all__ = ["news_filter"]

Instruction = tuple[int, int, int, int]
"""Of classic BPF: code, jump if true, jump if false, operand."""

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _JUMP_EQUAL, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
_TYPE_AT, _PORT_AT = 4, 12  # in struct nlmsghdr
_PROTOCOL_AT = HEADER_SIZE + 5  # in struct rtmsg
_KEEP: Instruction = (_RETURN, 0, 0, 0xFFFFFFFF)
_DROP: Instruction = (_RETURN, 0, 0, 0)


def news_filter(hidden: Collection[int], protocols: Collection[int]) -> list[Instruction]:
    """Return a program that drops addresses which the netlink sockets `hidden` have added, new
    routes and rules, and removed routes that carry none of `protocols`."""
    additions = _any(_LOAD_WORD, _PORT_AT, [_as_loaded(p, 4) for p in hidden], _DROP, _KEEP)
    removals = _any(_LOAD_BYTE, _PROTOCOL_AT, protocols, _KEEP, _DROP)
    return [
        (_LOAD_HALF, 0, 0, _TYPE_AT),
        (_JUMP_EQUAL, 5, 0, _as_loaded(RTM_NEWADDR, 2)),
        (_JUMP_EQUAL, 4 + len(additions), 0, _as_loaded(RTM_DELROUTE, 2)),
        (_JUMP_EQUAL, 2, 0, _as_loaded(RTM_NEWROUTE, 2)),
        (_JUMP_EQUAL, 1, 0, _as_loaded(RTM_NEWRULE, 2)),
        _KEEP,
        _DROP,
        *additions,
        *removals,
    ]


def _any(
    load: int, at: int, values: Collection[int], hit: Instruction, miss: Instruction
) -> list[Instruction]:
    """Return a program that does `hit` if the field is one of `values`, else `miss`."""
    count = len(values)
    tests = [(_JUMP_EQUAL, count - i, 0, value) for i, value in enumerate(values)]
    return [(load, 0, 0, at), *tests, miss, hit]


def _as_loaded(value: int, size: int) -> int:
    """Return what classic BPF, which reads network order, sees of a field in host order."""
    return int.from_bytes(value.to_bytes(size, sys.byteorder), "big")
