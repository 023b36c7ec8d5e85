"""The hot path makes no Python objects: the allocator's block count does not move over 100 000
packets.

Each call from Python makes some (the keyword arguments, the answer) and drops them again, so the
count is equal before and after; an object for each packet that stayed somewhere would show as 100
000 blocks. That the calls inside the core make none at all is Cython's to refuse: they are
`noexcept nogil`.
"""

import gc
import sys
from collections.abc import Callable, Iterator

import pytest
from packets import GROUP, PEER, advert, params, patched

from fastvrrp.core.core import Core

ADVERTS = 100_000
NOISE = 8
"""Blocks that the interpreter itself may move: cached integers, a resized free list."""


@pytest.fixture
def quiet() -> Iterator[None]:
    """No garbage collection, which would hide what stays behind."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def growth(step: Callable[[int], object]) -> int:
    """Return by how many blocks the allocator grows over ADVERTS calls of `step`, after warming
    up."""
    for i in range(1000):
        step(i)
    before = sys.getallocatedblocks()
    for i in range(1000, 1000 + ADVERTS):
        step(i)
    return sys.getallocatedblocks() - before


def receiver(core: Core, packet: bytearray) -> Callable[[int], object]:
    """Return a call that gives `packet`, always the same buffer, to `core`."""

    def step(i: int) -> object:
        return core.receive(packet, family=4, src=PEER, dst=GROUP, ttl=255, now=i * 1000)

    return step


def backup() -> Core:
    core = Core(1)
    core.add(params())
    core.startup(0, 0)
    return core


@pytest.mark.usefixtures("quiet")
def test_accepted_adverts_leave_nothing_behind() -> None:
    core = backup()
    assert growth(receiver(core, bytearray(advert()))) <= NOISE
    assert core.counters(0)["adverts_received"] == ADVERTS + 1000


@pytest.mark.usefixtures("quiet")
def test_rejected_packets_leave_nothing_behind() -> None:
    core = backup()
    assert growth(receiver(core, bytearray(patched(advert(), 22, 99)))) <= NOISE
    assert core.counters(0)["rejected_checksum"] == ADVERTS + 1000


@pytest.mark.usefixtures("quiet")
def test_notes_that_nobody_takes_cost_no_python_memory() -> None:
    """Given a core whose notes are never taken, when its fault flips all the time, then nothing
    grows."""
    core = backup()
    assert growth(lambda i: core.set_faults(0, i % 2, i)) <= NOISE
    assert core.lost_notes > ADVERTS // 2


@pytest.mark.usefixtures("quiet")
def test_firing_timers_leave_nothing_behind() -> None:
    core = backup()
    core.advance(4_000_000_000)
    core.drain()
    assert growth(lambda i: core.advance((5 + i) * 1_000_000_000)) <= NOISE
