"""Messages of nftables, encoded by pyroute2, and one batch of them carried out whole or not at all.

Only what `host.firewall` needs: a table, chains of the filter type, sets of addresses, and rules
that compare, look up and drop. No event loop, and nothing is kept between two batches.
"""

import errno
import socket
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from pyroute2.netlink import (
    NETLINK_NETFILTER,
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REQUEST,
)
from pyroute2.netlink.nfnetlink import NFNL_SUBSYS_NFTABLES, nfgen_msg
from pyroute2.netlink.nfnetlink.nftsocket import (
    NFT_MSG_DELTABLE,
    NFT_MSG_NEWCHAIN,
    NFT_MSG_NEWRULE,
    NFT_MSG_NEWSET,
    NFT_MSG_NEWSETELEM,
    NFT_MSG_NEWTABLE,
    Cmp,
    Meta,
    nft_chain_msg,
    nft_rule_msg,
    nft_set_elem_list_msg,
    nft_set_msg,
    nft_table_msg,
)

from fastvrrp.errors import KernelError
from fastvrrp.host.netlink import Message, answer, encode, numbered, split

__all__ = [
    "Expression",
    "Hook",
    "NftSocket",
    "add_chain",
    "add_elements",
    "add_rule",
    "add_set",
    "add_table",
    "as_batch",
    "compare",
    "count",
    "drop",
    "let_pass",
    "load_header",
    "load_meta",
    "look_up",
    "remove_table",
]

Expression = dict[str, Any]
"""One step of a rule, as pyroute2 has it."""

_INET = 1  # NFPROTO_INET: IPv4 and IPv6 in one table
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_OWNER = 0x2  # NFT_TABLE_F_OWNER: only our socket may change the table; it goes with the socket
_NF_DROP, _NF_ACCEPT = 0, 1
_VERDICT = 0  # the register that decides
_ELEMENTS = 512  # of a set in one message, whose attributes hold 64 KiB
_SEND_ROOM = 4 << 20  # bytes: a batch is one datagram
_SO_SNDBUFFORCE = 32
_READ_SIZE = 1 << 16


class Hook(IntEnum):
    """Where packets meet a chain."""

    INPUT = 1
    OUTPUT = 3


def add_table(name: str, *, owned: bool = False) -> bytes:
    """Make the table unless it exists; `owned`: nobody else may change it, and it is gone when the
    socket is closed, in whatever way the process ends (Linux 5.12)."""
    attributes = [("NFTA_TABLE_NAME", name), ("NFTA_TABLE_FLAGS", _OWNER if owned else 0)]
    return _encode(nft_table_msg(), NFT_MSG_NEWTABLE, attributes, flags=NLM_F_CREATE)


def remove_table(name: str) -> bytes:
    """Remove the table with all that is in it."""
    return _encode(nft_table_msg(), NFT_MSG_DELTABLE, [("NFTA_TABLE_NAME", name)])


def add_chain(table: str, name: str, *, hook: Hook, priority: int) -> bytes:
    """Make a filter chain that lets pass what no rule drops."""
    where = [("NFTA_HOOK_HOOKNUM", int(hook)), ("NFTA_HOOK_PRIORITY", priority)]
    attributes = [
        ("NFTA_CHAIN_TABLE", table),
        ("NFTA_CHAIN_NAME", name),
        ("NFTA_CHAIN_HOOK", {"attrs": where}),
        ("NFTA_CHAIN_POLICY", _NF_ACCEPT),
        ("NFTA_CHAIN_TYPE", "filter"),
    ]
    return _encode(nft_chain_msg(), NFT_MSG_NEWCHAIN, attributes, flags=NLM_F_CREATE)


def add_set(table: str, name: str, *, number: int, kind: int, size: int) -> bytes:
    """Make a set whose keys have `size` bytes; `kind` is what nft(8) shows them as, `number` tells
    the sets of a batch apart."""
    attributes = [
        ("NFTA_SET_TABLE", table),
        ("NFTA_SET_NAME", name),
        ("NFTA_SET_FLAGS", ()),
        ("NFTA_SET_KEY_TYPE", kind),
        ("NFTA_SET_KEY_LEN", size),
        ("NFTA_SET_ID", number),
    ]
    return _encode(nft_set_msg(), NFT_MSG_NEWSET, attributes, flags=NLM_F_CREATE | NLM_F_EXCL)


def add_elements(table: str, name: str, keys: Sequence[bytes]) -> Iterator[bytes]:
    """Put `keys` into a set, some hundred a message."""
    for first in range(0, len(keys), _ELEMENTS):
        part = keys[first : first + _ELEMENTS]
        elements = [{"attrs": [("NFTA_SET_ELEM_KEY", _data(key, "VALUE"))]} for key in part]
        attributes = [
            ("NFTA_SET_ELEM_LIST_TABLE", table),
            ("NFTA_SET_ELEM_LIST_SET", name),
            ("NFTA_SET_ELEM_LIST_ELEMENTS", elements),
        ]
        message = nft_set_elem_list_msg()
        yield _encode(message, NFT_MSG_NEWSETELEM, attributes, flags=NLM_F_CREATE)


def add_rule(table: str, chain: str, *expressions: Expression) -> bytes:
    """Append a rule: each expression is evaluated until one does not hold."""
    attributes = [
        ("NFTA_RULE_TABLE", table),
        ("NFTA_RULE_CHAIN", chain),
        ("NFTA_RULE_EXPRESSIONS", list(expressions)),
    ]
    flags = NLM_F_CREATE | NLM_F_APPEND
    return _encode(nft_rule_msg(), NFT_MSG_NEWRULE, attributes, flags=flags)


# ---- expressions; registers are of 4 bytes, 8..23 ----


def load_meta(key: Meta, *, register: int) -> Expression:
    """Load what the kernel knows of the packet."""
    return _expression("meta", KEY=int(key), DREG=register)


def load_header(*, offset: int, size: int, register: int, transport: bool = False) -> Expression:
    """Load bytes of the network header, or of the one behind it."""
    base = 2 if transport else 1
    return _expression("payload", DREG=register, BASE=base, OFFSET=offset, LEN=size)


def compare(value: bytes, *, register: int, how: Cmp = Cmp.NFT_CMP_EQ) -> Expression:
    """Hold if the register is `how` against `value`."""
    return _expression("cmp", SREG=register, OP=int(how), DATA=_data(value, "VALUE"))


def look_up(name: str, *, number: int, register: int) -> Expression:
    """Hold if the set has a key like the registers from this one on."""
    return _expression("lookup", SET=name, SREG=register, SET_ID=number)


def count() -> Expression:
    """Count packets and bytes."""
    return _expression("counter", BYTES=0, PACKETS=0)


def drop() -> Expression:
    """Drop the packet, whatever other tables say."""
    return _verdict(_NF_DROP)


def let_pass() -> Expression:
    """Look at no further rule of this chain; other tables have their say."""
    return _verdict(_NF_ACCEPT)


def _verdict(code: int) -> Expression:
    data = _data({"attrs": [("NFTA_VERDICT_CODE", code)]}, "VERDICT")
    return _expression("immediate", DREG=_VERDICT, DATA=data)


def _expression(name: str, **fields: object) -> Expression:
    data = [(f"NFTA_{name.upper()}_{key}", value) for key, value in fields.items()]
    return {"attrs": [("NFTA_EXPR_NAME", name), ("NFTA_EXPR_DATA", {"attrs": data})]}


def _data(value: object, kind: str) -> dict[str, Any]:
    return {"attrs": [(f"NFTA_DATA_{kind}", value)]}


def _encode(
    message: Message, kind: int, attributes: list[tuple[str, Any]], *, flags: int = 0
) -> bytes:
    message["nfgen_family"] = _INET
    message["attrs"] = attributes
    kind |= NFNL_SUBSYS_NFTABLES << 8
    return encode(message, kind=kind, flags=NLM_F_REQUEST | flags, sequence=0)


# ---- batches ----


def as_batch(messages: Iterable[bytes]) -> bytes:
    """Return `messages` (at least one) as a batch that the kernel carries out as a whole or not at
    all; it answers the last one."""
    *others, last = messages
    (raw,) = split(last)
    answered = numbered(last, 0, flags=raw.flags | NLM_F_ACK)
    return b"".join((_mark(_BATCH_BEGIN), *others, answered, _mark(_BATCH_END)))


def _mark(kind: int) -> bytes:
    message = nfgen_msg()
    message["res_id"] = NFNL_SUBSYS_NFTABLES
    return encode(message, kind=kind, flags=NLM_F_REQUEST, sequence=0)


class NftSocket:
    """A NETLINK_NETFILTER socket that owns tables. Raises KernelError where the kernel has none."""

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK,
                socket.SOCK_RAW | socket.SOCK_NONBLOCK,
                NETLINK_NETFILTER,
            )
        except OSError as error:
            raise KernelError("open socket for", "nftables", error.errno or 0) from error
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_ROOM)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_ROOM)
        self._socket.bind((0, 0))

    def close(self) -> None:
        """Close, and with it remove the tables that it owns; may be repeated."""
        self._socket.close()

    def carry_out(self, batch: bytes) -> int:
        """Hand `batch` to the kernel; return 0, or the errno of the first message that it refused,
        and then nothing has changed."""
        try:
            self._socket.send(batch)
        except OSError as error:
            return error.errno or errno.EIO
        answers = list(self._answers())
        refused = [code for code in answers if code != 0]
        if refused:
            return refused[0]
        return 0 if answers else errno.EOPNOTSUPP

    def _answers(self) -> Iterator[int]:
        """Yield the errno of each answer; the kernel has given them before `send` returned."""
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(_READ_SIZE)
            except BlockingIOError:
                return
            for raw in split(data) if sender == 0 else ():
                said = answer(raw)
                if said is not None:
                    yield said.code
