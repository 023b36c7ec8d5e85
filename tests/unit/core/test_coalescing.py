"""Adverts that are nearly due leave together, and lateness does not add up."""

import random

from packets import params

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.core import Core
from fastvrrp.names import State


def active_at(*instants: int, interval: int = seconds(1)) -> Core:
    """Return routers that have become active one after another, at `instants`."""
    core = Core(len(instants))
    for vr, at in enumerate(instants):
        core.add(
            params(
                vrid=vr + 1, version=3, priority=255, start_active=True, advert_interval=interval
            )
        )
        core.startup(vr, at)
    core.drain()
    return core


def sent(core: Core) -> list[tuple[int, int]]:
    return [(act.vr, act.at) for act in core.drain() if act.kind == "SEND"]


def test_an_advert_that_is_nearly_due_leaves_with_another_one() -> None:
    near, far = seconds(1) // 256, seconds(1) // 256 + 1
    core = active_at(0, near, far)
    core.advance(seconds(1))
    assert sent(core) == [(0, seconds(1)), (1, seconds(1))]
    assert core.status(1)["deadline"] == seconds(2) + near
    assert core.deadline() == seconds(1) + far


def test_nothing_leaves_early_by_itself() -> None:
    core = active_at(0, milliseconds(1))
    core.advance(seconds(1) - 1)
    assert sent(core) == []


def test_a_takeover_is_never_early() -> None:
    core = Core(2)
    core.add(params(vrid=1, version=3, priority=255, start_active=True))
    core.add(params(vrid=2, version=3))
    core.startup(0, 0)
    core.startup(1, 0)
    due = core.status(1)["deadline"]
    core.advance(due - milliseconds(610))  # the advert of 3 s
    core.advance(due - 1)
    assert core.state(1) is State.BACKUP


def test_ten_thousand_late_turns_add_nothing_up() -> None:
    """Given turns that come up to a quarter of an interval late, then advert number n is due n
    intervals after the first, to the nanosecond."""
    chance = random.Random(1)
    interval = milliseconds(10)
    core = active_at(0, interval=interval)
    for number in range(1, 10_001):
        due = core.deadline()
        assert due == number * interval
        core.advance(due + chance.randrange(interval // 4))
        assert len(sent(core)) == 1


def test_adverts_that_leave_early_together_add_nothing_up() -> None:
    interval = milliseconds(10)
    offsets = (0, interval // 300, interval // 260)
    core = active_at(*offsets, interval=interval)
    for number in range(1, 2001):
        due = core.deadline()
        assert due == number * interval
        core.advance(due)
        assert [vr for vr, _ in sent(core)] == [0, 1, 2]
    assert core.status(2)["deadline"] == 2001 * interval + offsets[2]
