"""What tests of the cold side share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coldside import Pipe, Until, until_on
from fastvrrp.reactor import Reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    assert reactor.errors == 0
    reactor.close()


@pytest.fixture
def until(reactor: Reactor) -> Until:
    return until_on(reactor)


@pytest.fixture
def pipe(reactor: Reactor, tmp_path: Path) -> Iterator[Pipe]:
    pipe = Pipe(tmp_path / "pipe", reactor)
    yield pipe
    pipe.close()
