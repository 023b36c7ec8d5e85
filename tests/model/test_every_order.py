"""Every order of events that two nodes can meet, to a stated depth: nobody speaks or holds what is
not its own, members of a group stay together, and quiet always ends with one holder."""

import pytest
from orders import Event, Scene, System, explore, walk
from rfc9568 import Router

SETTLED: tuple[Event, ...] = (("timer", 0), ("deliver", 0, 0))
BOTH_SETTLED: tuple[Event, ...] = (
    ("timer", 0),
    ("timer", 0),
    ("deliver", 0, 0),
    ("deliver", 0, 1),
)
PAIRS = (
    Scene("two routers"),
    Scene("two routers that do not preempt", preempt=False),
    Scene("two owners", priorities=(255, 255), owners=True),
    Scene("two equal routers of version 2", priorities=(100, 100), version=2),
    Scene("one more advert before yielding", higher_prio_send_advert=True),
)
GROUPS = (
    Scene("two groups", members=2),
    Scene("two groups that do not preempt", members=2, preempt=False),
    Scene("two equal groups of version 2", members=2, priorities=(100, 100), version=2),
    Scene("a group of owners", members=2, priorities=(255, 200), owners=True),
)
CASES = [
    pytest.param(scene, prefix, deep - bool(prefix), id=f"{scene.name}, {when}")
    for scenes, settled, deep in ((PAIRS, SETTLED, 6), (GROUPS, BOTH_SETTLED, 5))
    for scene in scenes
    for prefix, when in (((), "from the start"), (settled, "settled"))
    if not (scene.owners and prefix)  # owners are active before any timer
]
SHALLOW = 4


@pytest.mark.parametrize(("scene", "prefix", "deep"), CASES)
def test_every_order(scene: Scene, prefix: tuple[Event, ...], deep: int) -> None:
    """Given two nodes, when anything that can happen next happens, and again, in every order, then
    the cores do what the model does, only active routers speak and hold the addresses, and from
    every state quiet leads to one holder."""
    del deep
    found = explore(scene, SHALLOW, prefix)
    print(f"{scene.name}: {found.states} states in {found.steps} steps, {found.depth} events deep")
    assert found.states > 300


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "prefix", "deep"), CASES)
def test_every_order_deeper(scene: Scene, prefix: tuple[Event, ...], deep: int) -> None:
    found = explore(scene, deep, prefix)
    print(f"{scene.name}: {found.states} states in {found.steps} steps, {found.depth} events deep")
    assert found.states > 1000


def test_exploration_sees_two_holders_and_none() -> None:
    """Given the events that make two holders and none, then the search passes through both: what
    it never meets, it does not prove."""
    two = walk(PAIRS[0], (("timer", 0), ("lose", 0, 0), ("timer", 1)))
    assert [node.held for node in two.nodes] == [[True], [True]]
    none = walk(PAIRS[0], (*SETTLED, ("fault", 0)))
    assert [node.held for node in none.nodes] == [[False], [False]]
    assert {kind for kind, *_ in two.events()} >= {"deliver", "lose", "duplicate", "timer", "stop"}


def test_exploration_notices_two_holders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a network on which nothing arrives, then the search tells the path to two holders."""
    monkeypatch.setattr(System, "deliver", System.lose)
    with pytest.raises(AssertionError, match=r"holders \[\[True\], \[True\]\]"):
        explore(PAIRS[0], 2)


def test_exploration_notices_a_core_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a model whose adverts never reach it, then the search tells where the core did
    something else."""
    monkeypatch.setattr(Router, "advert", lambda self, advert, now: None)
    with pytest.raises(AssertionError, match=r"'deliver', 1, 0"):
        explore(PAIRS[0], 3, (("timer", 0), ("lose", 0, 0), ("timer", 1)))
