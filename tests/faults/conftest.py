"""A pair of routers for a whole file of tests: to start one takes longer than most faults."""

from collections.abc import Iterator

import pytest

from faults.pair import Pair, SharedPair
from lab import LabUnavailableError


@pytest.fixture(scope="module")
def shared() -> Iterator[SharedPair]:
    with SharedPair() as shared:
        yield shared


@pytest.fixture
def pair(shared: SharedPair, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A settled pair, the same for every test of a file until one fails."""
    try:
        pair = shared.get()
    except LabUnavailableError as error:
        pytest.skip(str(error))
    failed = request.session.testsfailed
    yield pair
    if request.session.testsfailed > failed:
        shared.forget()
