"""How often something is put back, before that is left to others."""

from dataclasses import replace

import pytest

from fastvrrp.clock import seconds
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.restore import Restorer, Verdict


def holding(number: int, *, track: bool = True) -> Holding:
    return Holding(
        kind=Kind.ADDRESS,
        key=("address", 7, number),
        install=b"",
        remove=b"",
        text=f"10.9.0.{number}/24 dev eth0",
        track=track,
    )


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def restorer(clock: Clock) -> Restorer:
    return Restorer(now=clock)


def test_five_a_minute_are_put_back_and_the_sixth_is_a_fault(
    restorer: Restorer, clock: Clock
) -> None:
    for _ in range(5):
        assert restorer.lost(holding(1), lambda: "NetworkManager (pid 12)") is Verdict.RESTORE
        clock.now += seconds(10)
    assert restorer.reason is None
    assert restorer.lost(holding(1), lambda: "NetworkManager (pid 12)") is Verdict.GIVE_UP
    assert restorer.reason == "NetworkManager (pid 12) keeps removing 10.9.0.1/24 dev eth0"
    assert restorer.restored == 5


def test_a_slow_opponent_is_put_up_with(restorer: Restorer, clock: Clock) -> None:
    for _ in range(20):
        assert restorer.lost(holding(1)) is Verdict.RESTORE
        clock.now += seconds(12)


def test_one_flush_of_many_addresses_is_one_loss_of_each(restorer: Restorer) -> None:
    assert {restorer.lost(holding(n)) for n in range(100)} == {Verdict.RESTORE}


def test_after_it_has_given_up_the_rest_is_nothing_to_it_until_it_begins_anew(
    restorer: Restorer,
) -> None:
    for _ in range(6):
        verdict = restorer.lost(holding(1))
    assert verdict is Verdict.GIVE_UP
    assert restorer.reason == "something on this host keeps removing 10.9.0.1/24 dev eth0"
    assert restorer.lost(holding(2)) is Verdict.IGNORE
    restorer.reset()
    assert restorer.reason is None
    assert restorer.lost(holding(1)) is Verdict.RESTORE


def test_one_that_is_not_tracked_is_no_fault(restorer: Restorer, clock: Clock) -> None:
    free = replace(holding(1), track=False)
    verdicts = [restorer.lost(free) for _ in range(6)]
    assert verdicts == [*[Verdict.RESTORE] * 5, Verdict.IGNORE]
    assert restorer.reason is None
    clock.now += restorer.pause
    assert restorer.lost(free) is Verdict.RESTORE
