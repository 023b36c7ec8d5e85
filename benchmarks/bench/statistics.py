"""Summaries of samples, and when one daemon counts as slower than the other."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

RESAMPLES = 2000
CONFIDENCE = 0.999
"""One-sided. A run makes some dozens of comparisons; a false alarm in a hundred runs is enough."""


def quantile(values: Sequence[float], fraction: float) -> float:
    """Return the nearest-rank quantile: a value that was measured, never one in between."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the nearest-rank median."""
    return quantile(values, 0.5)


def p99(values: Sequence[float]) -> float:
    """Return the nearest-rank 99th percentile: the largest value when there are fewer than 100."""
    return quantile(values, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is reported of a series of samples; same unit as the samples."""

    n: int
    median: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Summarise `values`, at least one."""
        return cls(n=len(values), median=median(values), p99=p99(values), maximum=max(values))


def excess(
    ours: Sequence[float], theirs: Sequence[float], fraction: float, *, seed: int = 1
) -> float:
    """Return by how much our quantile is above theirs beyond the noise of this very run.

    Both series are drawn anew (with replacement) RESAMPLES times; the answer is the lower end of
    the one-sided CONFIDENCE interval of the difference of the quantiles. Above 0: ours is slower,
    and chance does not explain it. No tolerance is built in: few or scattered samples excuse more.
    """
    chance = random.Random(seed)
    differences = [
        quantile(chance.choices(ours, k=len(ours)), fraction)
        - quantile(chance.choices(theirs, k=len(theirs)), fraction)
        for _ in range(RESAMPLES)
    ]
    return quantile(differences, 1 - CONFIDENCE)
