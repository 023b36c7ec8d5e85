"""Reloads at random instants: the core does what the plain model does."""

from collections.abc import Callable
from itertools import count

import lockstep_reload as reloads
import pytest
import rfc9568_reload as model
from lockstep_groups import GroupCase
from rfc9568 import Router, Settings

BLOCK = 150


@pytest.mark.parametrize("block", range(4))
def test_random_sequences_with_reloads(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        difference = reloads.explain(reloads.random_case(seed))
        assert not difference, difference


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_more_random_sequences_with_reloads(block: int) -> None:
    for seed in range(1_000_000 + block * 3000, 1_000_000 + (block + 1) * 3000):
        difference = reloads.explain(reloads.random_case(seed))
        assert not difference, difference


# ---- the comparison compares something: a rule of the model is missed when it is gone ----


def hear_as_before(_: Settings) -> tuple[object, ...]:
    return ()


def never_held_up(_: Router) -> bool:
    return False


def leave_it(_: Router, __: int, *, listens_anew: bool) -> None:
    return None


def stay(_: Router) -> None:
    return None


RULES: dict[str, Callable[..., object]] = {
    "accepts": hear_as_before,
    "is_held_up": never_held_up,
    "move_timer": leave_it,
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_the_model_forgets_is_missed(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, rule, RULES[rule])
    assert any(reloads.run(reloads.random_case(seed)) for seed in range(4 * BLOCK))


def test_a_farewell_that_the_model_forgets_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloads, "retire", stay)
    told = next(told for seed in count() if (told := reloads.explain(reloads.random_case(seed))))
    kept = GroupCase.from_json(told[told.index("{\n") :])
    assert len(kept.operations) < 12
    assert reloads.run(kept)
