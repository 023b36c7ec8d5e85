"""Requests: what is sent in one go, which numbers are known, and what is said about refusals."""

import errno
import logging
import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pyroute2.netlink import NLM_F_REQUEST, NLMSG_ERROR
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from fastvrrp.config.diagnostics import Span
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.netlink import Raw, encode, split
from fastvrrp.host.requests import Requests
from fastvrrp.loop.prepared import Batch, Frame
from fastvrrp.reactor import Reactor


def holding(number: int, *, kind: Kind = Kind.ADDRESS) -> Holding:
    def message(of: int) -> bytes:
        return encode(ifaddrmsg(), kind=of, flags=NLM_F_REQUEST, sequence=0)

    return Holding(
        kind=kind,
        key=(kind.value, number),
        install=message(RTM_NEWADDR),
        remove=message(RTM_DELADDR),
        text=f"10.9.{number // 256}.{number % 256}/32 dev eth0",
        frame=Frame(ifindex=7, data=number.to_bytes(4)) if kind is Kind.ADDRESS else None,
        span=Span("keepalived.conf", number, 3),
    )


class Kernel:
    """Answers in place of the kernel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._answers: list[Raw] = []
        monkeypatch.setattr("fastvrrp.host.netlink.RouteSocket.read", self._read)

    def _read(self) -> Iterator[Raw]:
        answers, self._answers = self._answers, []
        return iter(answers)

    def refuse(self, requests: bytes, code: int) -> None:
        """Refuse each of `requests`."""
        for raw in split(requests):
            body = struct.pack("=i", -code) + raw.data[:16]
            header = struct.pack("=IHHII", 16 + len(body), NLMSG_ERROR, 0, raw.sequence, 0)
            self._answers += split(header + body)


@pytest.fixture
def refused() -> list[tuple[str, str, bool, int]]:
    return []


@pytest.fixture
def requests(refused: list[tuple[str, str, bool, int]]) -> Iterator[Requests]:
    reactor = Reactor()
    made = Requests(
        reactor,
        lambda owner, what, installing, code: refused.append((owner, what.text, installing, code)),
    )
    yield made
    made.close()
    reactor.close()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, requests: Requests) -> Kernel:
    return Kernel(monkeypatch)


def kinds(requests: bytes) -> list[int]:
    return [raw.kind for raw in split(requests)]


def numbers(batches: tuple[Batch, ...] | tuple[bytes, ...]) -> list[int]:
    sends = [one if isinstance(one, bytes) else one.requests for one in batches]
    return [raw.sequence for send in sends for raw in split(send)]


def test_first_sends_are_small_and_each_has_the_frames_of_its_addresses(requests: Requests) -> None:
    many = [holding(n) for n in range(200)]
    batches = requests.batches("VI_1", many)
    assert [len(kinds(batch.requests)) for batch in batches] == [8, 16, 32, 64, 64, 16]
    assert [frame for batch in batches for frame in batch.frames] == [one.frame for one in many]
    assert all(len(batch.frames) == len(kinds(batch.requests)) for batch in batches)
    assert len(set(numbers(batches))) == 200


def test_routes_have_no_frames(requests: Requests) -> None:
    (batch,) = requests.batches("VI_1", [holding(1), holding(2, kind=Kind.ROUTE)])
    assert (len(kinds(batch.requests)), len(batch.frames)) == (2, 1)


def test_removal_goes_backwards(requests: Requests) -> None:
    marked = [
        replace(holding(n), remove=holding(n).remove + n.to_bytes(4, "little")) for n in range(70)
    ]
    marked = [replace(m, remove=struct.pack("=I", len(m.remove)) + m.remove[4:]) for m in marked]
    sends = requests.removals("VI_1", marked)
    assert [len(kinds(send)) for send in sends] == [64, 6]
    ends = [int.from_bytes(raw.data[-4:], "little") for send in sends for raw in split(send)]
    assert ends == list(range(69, -1, -1))


def test_interfaces_are_removed_before_everything_else(requests: Requests) -> None:
    link = holding(1, kind=Kind.LINK)
    (removal,) = requests.removals("VI_1", [link, holding(2), holding(3)])
    asked = [requests._asked[raw.sequence][1].key[1] for raw in split(removal)]
    assert asked == [1, 3, 2]


def test_what_is_sent_once_takes_no_memory(requests: Requests) -> None:
    one = [holding(1)] * 64
    for _ in range(300):
        requests.batches("VI_1", one, once=True)
    assert len(requests._asked) == 16_384


def test_what_is_refused_is_said_with_its_place_and_kept(
    requests: Requests,
    kernel: Kernel,
    refused: list[tuple[str, str, bool, int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, _ = requests.batches("VI_1", [holding(n) for n in range(9)])
    kernel.refuse(b"".join(list(raw.data for raw in split(first.requests))[:2]), errno.EPERM)
    with caplog.at_level(logging.ERROR):
        requests._on_readable()
    assert caplog.messages == [
        "(VI_1) cannot set address 10.9.0.0/32 dev eth0: Operation not permitted (keepalived.conf)",
        "(VI_1) cannot set address 10.9.0.1/32 dev eth0: Operation not permitted"
        " (keepalived.conf:1:3)",
    ]
    assert requests.failures == 2
    assert refused[0] == ("VI_1", "10.9.0.0/32 dev eth0", True, errno.EPERM)
    assert requests.failed("VI_1") == (
        "address 10.9.0.0/32 dev eth0: Operation not permitted",
        "address 10.9.0.1/32 dev eth0: Operation not permitted",
    )
    assert requests.failed("VI_2") == ()


def test_the_same_refusal_is_said_once_until_it_was_removed(
    requests: Requests, kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    (batch,) = requests.batches("VI_1", [holding(1)])
    (removal,) = requests.removals("VI_1", [holding(1)])
    for _ in range(2):
        kernel.refuse(batch.requests, errno.EPERM)
        requests._on_readable()
    assert len(caplog.messages) == 1
    assert requests.failures == 2
    kernel.refuse(removal, errno.EADDRNOTAVAIL)
    requests._on_readable()
    assert requests.failed("VI_1") == ()
    kernel.refuse(batch.requests, errno.EPERM)
    requests._on_readable()
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("code", [errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENOENT, errno.ESRCH])
def test_what_is_gone_already_is_no_failure(
    requests: Requests, kernel: Kernel, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    kernel.refuse(b"".join(requests.removals("VI_1", [holding(1)])), code)
    (batch,) = requests.batches("VI_1", [holding(1)])
    kernel.refuse(batch.requests, errno.EEXIST)
    requests._on_readable()
    assert (requests.failures, caplog.messages) == (0, [])


def test_numbers_are_known_until_they_are_forgotten_twice(
    requests: Requests, kernel: Kernel, refused: list[tuple[str, str, bool, int]]
) -> None:
    """Given requests that were sent just before new ones are made, when the kernel refuses them,
    then that is told; those of an earlier time are nothing to anybody."""
    (old,) = requests.batches("VI_1", [holding(1)])
    requests.forget("VI_1")
    kernel.refuse(old.requests, errno.EPERM)
    requests._on_readable()
    assert len(refused) == 1
    (new,) = requests.batches("VI_1", [holding(1)])
    requests.forget("VI_1")
    kernel.refuse(old.requests + new.requests, errno.EPERM)
    requests._on_readable()
    assert len(refused) == 2


def test_nothing_is_kept_of_an_owner_that_has_ended(requests: Requests) -> None:
    for _ in range(3):
        requests.batches("VI_1", [holding(1)])
        requests.removals("VI_1", [holding(1)])
        requests.forget("VI_1")
    assert len(requests._asked) == 2
    requests.batches("VI_2", [holding(1)])
    requests.drop("VI_1")
    assert [owner for owner, _, _ in requests._asked.values()] == ["VI_2"]
    requests.drop("VI_2")
    assert (requests._asked, requests._numbers, requests._failed) == ({}, {}, {})
