"""The heap of deadlines against a dictionary, which needs no proof."""

from random import Random

import pytest

from fastvrrp.core.deadlines import Deadlines


class Plain:
    """What the heap means: the deadline of each armed slot."""

    def __init__(self) -> None:
        self.due: dict[int, int] = {}

    def earliest(self) -> int | None:
        return min(self.due.values(), default=None)


def agree(seed: int, capacity: int, operations: int) -> None:
    random = Random(seed)
    heap, plain = Deadlines(capacity), Plain()
    now = 0
    for number in range(operations):
        where = f"seed {seed}, operation {number}"
        slot = random.randrange(capacity)
        kind = random.random()
        if kind < 0.6:
            due = now + random.choice((0, 1, 10, 1000)) * random.randrange(5)
            heap.arm(slot, due)
            plain.due[slot] = due
        elif kind < 0.75:
            heap.disarm(slot)
            plain.due.pop(slot, None)
        else:
            now += random.randrange(2000)
            last = -1
            while (popped := heap.pop(now)) is not None:
                slot, due = popped
                assert plain.due.pop(slot) == due, where
                assert last <= due <= now, where
                last = due
            assert all(due > now for due in plain.due.values()), where
        assert heap.earliest() == plain.earliest(), where


@pytest.mark.parametrize("capacity", [1, 2, 3, 7, 64, 510])
def test_random_operations_agree_with_a_dictionary(capacity: int) -> None:
    for seed in range(20):
        agree(seed, capacity, operations=1000)


def test_later_deadline_hides_nothing_behind_it() -> None:
    """Given a slot that is pushed later again and again, then the others still come in their
    order."""
    heap = Deadlines(3)
    heap.arm(0, 10)
    heap.arm(1, 20)
    heap.arm(2, 30)
    for due in range(11, 100):
        heap.arm(0, due)
    assert [heap.pop(1000), heap.pop(1000), heap.pop(1000)] == [(1, 20), (2, 30), (0, 99)]
    assert heap.pop(1000) is None


def test_earlier_deadline_overtakes() -> None:
    heap = Deadlines(2)
    heap.arm(0, 10)
    heap.arm(1, 20)
    heap.arm(1, 5)
    assert heap.earliest() == 5
    assert heap.pop(5) == (1, 5)


def test_deadline_fires_at_its_instant_and_not_before() -> None:
    heap = Deadlines(1)
    heap.arm(0, 10)
    assert heap.pop(9) is None
    assert heap.pop(10) == (0, 10)
    assert heap.earliest() is None


def test_disarmed_slot_can_be_armed_again() -> None:
    heap = Deadlines(1)
    heap.arm(0, 10)
    heap.disarm(0)
    assert heap.earliest() is None
    heap.arm(0, 7)
    assert heap.pop(10) == (0, 7)


@pytest.mark.parametrize("slot", [-1, 2])
def test_slot_outside_the_capacity_is_refused(slot: int) -> None:
    heap = Deadlines(2)
    with pytest.raises(IndexError):
        heap.arm(slot, 1)
    with pytest.raises(IndexError):
        heap.disarm(slot)
