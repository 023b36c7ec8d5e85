"""Mistakes made on purpose in real files are told briefly, and where they were made."""

import pytest

from config.mutation import rates, run, samples

CASES = 2000
SEED = 1
RATE = 0.90


def test_mistakes_are_told_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Given real files, when one mistake is made in each of 2,000, then the reader says at most
    three things, and the first within a line of the mistake, in nine of ten."""
    outcomes = run(CASES, SEED)
    with capsys.disabled():
        print(f"\n{rates(outcomes)}")
    mistakes = [one for one in outcomes if not one.legal]
    assert len(samples()) >= 50
    assert len(mistakes) >= CASES / 2
    assert sum(one.good for one in mistakes) >= RATE * len(mistakes)
