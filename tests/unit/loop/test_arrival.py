"""An election counts from the kernel's time of arrival, not from when the loop reads the packet."""

import socket
import time
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.loop import Loop
from fastvrrp.wire.advert import layout

SECOND = 1_000_000_000
DOWN_INTERVAL = 3 * SECOND + 156 * SECOND // 256  # of priority 100
SO_TIMESTAMPNS = 35
VIP, OWN, PEER, GROUP = (
    IPv4Address(text).packed for text in ("10.9.0.100", "10.9.0.1", "10.9.0.2", "224.0.0.18")
)
ADVERT = layout(
    family=4,
    version=2,
    vrid=51,
    priority=200,
    interval_ns=SECOND,
    addresses=[VIP],
    src=PEER,
    dst=GROUP,
).data


@pytest.fixture
def loop() -> Iterator[Loop]:
    core = Core(1)
    core.add(RouterParams(vrid=51, addresses=(VIP,), source=OWN))
    loop = Loop(core)
    loop.startup(0)
    loop.process()
    yield loop
    loop.close()


def deadline_after(loop: Loop, *, stamped: bool) -> tuple[int, int]:
    """Send an advert; return when that was done, and from when the loop counts the interval."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        near.setblocking(False)
        if stamped:
            near.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        loop.open_port(0, near.fileno(), 4)
        far.send(ADVERT)
        sent = time.monotonic_ns()
        while time.monotonic_ns() < sent + 1_000_000:  # the packet waits to be read
            pass
        loop.process()
        loop.close_port(0)
    deadline = loop.status(0)["deadline"]
    assert deadline is not None
    return sent, deadline - DOWN_INTERVAL


def test_a_packet_counts_from_its_arrival(loop: Loop) -> None:
    sent, counted = deadline_after(loop, stamped=True)
    assert counted < sent + 500_000


def test_a_packet_without_a_stamp_counts_from_when_it_is_read(loop: Loop) -> None:
    sent, counted = deadline_after(loop, stamped=False)
    assert counted >= sent + 1_000_000
