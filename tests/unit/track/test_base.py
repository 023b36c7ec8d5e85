"""Damping of results, and what verdicts do to a priority. The tables are keepalived's behaviour."""

import random

import pytest

from fastvrrp.config.model import TrackUse
from fastvrrp.track.base import (
    Contribution,
    RiseFall,
    Verdict,
    contribution_of,
    effective_priority,
    explain,
    strength,
)

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def verdicts(rise: int, fall: int, results: str) -> str:
    """Return the verdicts (U, D) after each of `results` (+ success, - failure)."""
    damper = RiseFall(rise, fall)
    assert damper.verdict is UNKNOWN
    return "".join("U" if damper.feed(ok=result == "+") is UP else "D" for result in results)


@pytest.mark.parametrize(
    ("rise", "fall", "results", "expected"),
    [
        (1, 1, "+-+-", "UDUD"),
        (1, 1, "-+", "DU"),
        (3, 1, "+", "U"),  # the first success is enough, whatever rise says
        (1, 3, "-", "D"),  # and the first failure, whatever fall says
        (1, 3, "+--+--+---", "UUUUUUUUUD"),  # a success in between starts the count again
        (1, 3, "+---+", "UUUDU"),
        (3, 1, "-++-+++", "DDDDDDU"),
        (3, 1, "-+++-", "DDDUD"),
        (2, 2, "+--++--+-++", "UUDDUUDDDDU"),
    ],
)
def test_rise_successes_mend_and_fall_failures_break(
    rise: int, fall: int, results: str, expected: str
) -> None:
    assert verdicts(rise, fall, results) == expected


def test_counter_follows_keepalived() -> None:
    """State dumps show it: 0..rise+fall-1, at its ends after every change of the verdict."""
    damper = RiseFall(rise=2, fall=3)
    counts = []
    for ok in (True, False, False, True, False, False, False, False, True, False, True, True):
        damper.feed(ok=ok)
        counts.append(damper.count)
    assert counts == [4, 3, 2, 4, 3, 2, 0, 0, 1, 0, 1, 4]


class PlainModel:
    """The rule as a sentence: so many of the other kind in a row change the verdict."""

    def __init__(self, rise: int, fall: int) -> None:
        self.needed = {True: rise, False: fall}
        self.up: bool | None = None
        self.opposed = 0

    def feed(self, ok: bool) -> bool:
        if self.up is None:
            self.up = ok
        self.opposed = 0 if ok is self.up else self.opposed + 1
        if self.opposed >= self.needed[not self.up]:
            self.up, self.opposed = ok, 0
        return self.up


@pytest.mark.parametrize("seed", range(20))
def test_damping_equals_a_plain_model(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        rise, fall = rng.randint(1, 6), rng.randint(1, 6)
        damper, model = RiseFall(rise, fall), PlainModel(rise, fall)
        chance = rng.random()
        for step in range(100):
            ok = rng.random() < chance
            assert (damper.feed(ok=ok) is UP) is model.feed(ok), (seed, rise, fall, step)
            assert 0 <= damper.count <= rise + fall - 1


ADDS_10, TAKES_10, NOTHING = Contribution(weight=10), Contribution(weight=-10), Contribution()
FAULT, PENDING = Contribution(fault="it is bad"), Contribution(pending=True)


@pytest.mark.parametrize(
    ("weight", "reverse", "verdict", "expected"),
    [
        (10, False, UP, ADDS_10),
        (10, False, DOWN, NOTHING),
        (10, False, UNKNOWN, NOTHING),
        (10, True, UP, TAKES_10),
        (10, True, DOWN, NOTHING),
        (-10, False, UP, NOTHING),
        (-10, False, DOWN, TAKES_10),
        (-10, False, UNKNOWN, NOTHING),
        (-10, True, UP, NOTHING),
        (-10, True, DOWN, ADDS_10),
        (0, False, UP, NOTHING),
        (0, False, DOWN, FAULT),
        (0, False, UNKNOWN, PENDING),
        (0, True, UP, FAULT),
        (0, True, DOWN, NOTHING),
        (0, True, UNKNOWN, PENDING),
    ],
)
def test_contribution(weight: int, reverse: bool, verdict: Verdict, expected: Contribution) -> None:
    assert contribution_of(weight, verdict, "it is bad", reverse=reverse) == expected


@pytest.mark.parametrize(
    ("use", "of_tracker", "expected"),
    [
        ((None, False), (10, True), (10, True)),
        ((4, False), (10, True), (4, False)),
        ((0, False), (10, True), (0, False)),
        ((4, True), (10, False), (4, True)),
        ((None, True), (0, False), (0, False)),
    ],
)
def test_a_weight_of_the_use_replaces_that_of_the_tracker_with_its_reverse(
    use: tuple[int | None, bool], of_tracker: tuple[int, bool], expected: tuple[int, bool]
) -> None:
    given = TrackUse(name="s", weight=use[0], reverse=use[1])
    assert strength(given, of_tracker[0], reverse=of_tracker[1]) == expected


@pytest.mark.parametrize(
    ("base", "weights", "expected"),
    [
        (100, [], 100),
        (100, [4, -20], 84),
        (100, [200], 254),
        (100, [-200], 1),
        (250, [100, -100], 250),  # limited once, at the end
        (255, [-253], 255),
        (254, [1], 254),
    ],
)
def test_effective_priority_is_limited_and_leaves_the_owner_alone(
    base: int, weights: list[int], expected: int
) -> None:
    assert effective_priority(base, weights) == expected


@pytest.mark.parametrize(
    ("base", "weights", "expected"),
    [
        (100, [], "100 base = 100"),
        (100, [("chk_nginx", 4)], "100 base + 4 chk_nginx = 104"),
        (100, [("a", 4), ("b", 0), ("c", -20)], "100 base + 4 a - 20 c = 84"),
        (250, [("a", 10)], "250 base + 10 a = 260, limited to 254"),
        (255, [("a", -10)], "255 base, weights do not apply to the address owner"),
    ],
)
def test_explain_shows_the_sum(base: int, weights: list[tuple[str, int]], expected: str) -> None:
    assert explain(base, weights) == expected
