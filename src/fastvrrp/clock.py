"""Time as integer nanoseconds of CLOCK_MONOTONIC; there is no floating-point time below
`config`."""

from __future__ import annotations

import time
from typing import NewType

__all__ = [
    "NS_PER_SECOND",
    "Nanoseconds",
    "boottime_ns",
    "centiseconds",
    "milliseconds",
    "monotonic_ns",
    "seconds",
]

Nanoseconds = NewType("Nanoseconds", int)
"""A duration or a CLOCK_MONOTONIC instant, int64."""

NS_PER_SECOND = 1_000_000_000

monotonic_ns = time.monotonic_ns


def boottime_ns() -> int:
    """Return how long ago this host was booted, the time that it was suspended included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def seconds(value: float) -> Nanoseconds:
    """Return `value` seconds, rounded to the nearest nanosecond."""
    return Nanoseconds(round(value * NS_PER_SECOND))


def milliseconds(value: int) -> Nanoseconds:
    """Return `value` milliseconds."""
    return Nanoseconds(value * 1_000_000)


def centiseconds(value: int) -> Nanoseconds:
    """Return `value` centiseconds, the unit of a VRRPv3 advert (RFC 9568 §5.2.7)."""
    return Nanoseconds(value * 10_000_000)
