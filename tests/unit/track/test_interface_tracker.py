"""`InterfaceTracker`: it has a verdict at once, and tells changes while it is tracked."""

import pytest

from fastvrrp.config.model import TrackUse
from fastvrrp.track.base import Contribution
from fastvrrp.track.interface import InterfaceTracker


class Fixture:
    def __init__(self, *, up: bool) -> None:
        self.up = up
        self.changes: list[InterfaceTracker] = []
        self.tracker = InterfaceTracker(
            "eth1", is_up=lambda name: name == "eth1" and self.up, on_change=self.changes.append
        )
        self.tracker.start()

    def becomes(self, *, up: bool) -> None:
        self.up = up
        self.tracker.look()


@pytest.mark.parametrize(
    ("up", "weight", "reverse", "expected"),
    [
        (True, None, False, Contribution()),
        (False, None, False, Contribution(fault="interface eth1 down")),
        (True, 0, True, Contribution(fault="interface eth1 up")),
        (False, 0, True, Contribution()),
        (True, 20, False, Contribution(weight=20)),
        (False, 20, False, Contribution()),
        (False, -20, False, Contribution(weight=-20)),
        (True, 20, True, Contribution(weight=-20)),
    ],
)
def test_contribution(up: bool, weight: int | None, reverse: bool, expected: Contribution) -> None:
    use = TrackUse(name="eth1", weight=weight, reverse=reverse)
    assert Fixture(up=up).tracker.contribution(use) == expected


def test_changes_are_told_once() -> None:
    eth1 = Fixture(up=True)
    eth1.becomes(up=True)
    assert eth1.changes == []
    eth1.becomes(up=False)
    eth1.becomes(up=False)
    assert eth1.changes == [eth1.tracker]
    assert eth1.tracker.contribution(TrackUse(name="eth1")).fault is not None


def test_nothing_is_told_after_stop() -> None:
    eth1 = Fixture(up=True)
    stopped: list[bool] = []
    eth1.tracker.stop(lambda: stopped.append(True))
    assert stopped == [True]
    eth1.becomes(up=False)
    assert eth1.changes == []
