"""Kept sequences that show one rule each: without the rule, the model differs from the core."""

from collections.abc import Callable
from pathlib import Path

import pytest
import rfc9568_words as words
from lockstep_groups import GroupCase, run
from rfc9568 import Advert, Router

TRANSCRIPTS = Path(__file__).with_name("transcripts")


def nothing(_: Router, __: Advert | None) -> None:
    """Do nothing."""


def never(_: Router, __: Advert | None) -> bool:
    return False


def lengthen(router: Router, _: Advert | None) -> None:
    router.wants_active = False
    due = router.now + router.skew_time(router.priority)
    words._watch_until(router, due, resigned=True)


def shorten_what_has_expired(router: Router, _: Advert | None) -> None:
    router.wants_active = False
    due = router.now + router.skew_time(router.priority)
    words._watch_until(router, min(due, words.the(router.active_down_timer)), resigned=True)


def three_times(router: Router, _: Advert | None) -> bool:
    return router.failed_in_a_row == 3


def defers_at_any_time(router: Router, _: Advert | None) -> bool:
    group = router.group
    if group.yielded_at is None:
        return False
    return group.defers_until is None or router.now < group.defers_until


def found_at_once(router: Router, _: Advert | None) -> None:
    router.group.yielded_at = None


def forget_address_only(router: Router, _: Advert | None) -> None:
    router.active_router = 0


def stall_at_timer_only(router: Router, advert: Advert | None) -> bool:
    return advert is None and words._others_may_have_taken_over(router, None)


Word = Callable[[Router, Advert | None], object]
RULES: dict[str, tuple[str, Word]] = {
    "priority_0_makes_no_timer_longer": ("shorten Active_Down_Timer to Skew_Time", lengthen),
    "priority_0_after_the_timer_expired": (
        "shorten Active_Down_Timer to Skew_Time",
        shorten_what_has_expired,
    ),
    "stall_shows_at_an_advert": ("others may have taken over", stall_at_timer_only),
    "one_failure_after_a_retry": ("three times, or after a retry", three_times),
    "failures_before_becoming_active": ("forget failed adverts", nothing),
    "yielded_group_defers": ("group defers", never),
    "yielded_group_defers_not_later": ("group defers", defers_at_any_time),
    "better_router_is_heard": ("the group has found its better router", nothing),
    "advert_under_way_is_no_better_router": (
        "the group has found its better router",
        found_at_once,
    ),
    "priority_of_nobody": ("forget the active router", forget_address_only),
}
"""The word that a kept sequence is about, and what it means without the rule."""


@pytest.mark.parametrize("name", RULES)
def test_kept_sequence_shows_its_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a sequence that shows a rule, when the model forgets it, then both differ."""
    case = GroupCase.from_json((TRANSCRIPTS / f"{name}.json").read_text())
    assert not run(case)
    forget(name, monkeypatch)
    assert run(case)


def forget(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model go on without a rule."""
    word, without = RULES[name]
    table = words.ACTIONS if word in words.ACTIONS else words.CONDITIONS
    monkeypatch.setitem(table, word, without)
