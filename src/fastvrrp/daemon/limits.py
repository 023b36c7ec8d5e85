"""How much the processes of the daemon may have open."""

from __future__ import annotations

import resource

__all__ = ["allow_files"]

_OTHERS = 256
"""Descriptors of a process beside those that it counts."""


def allow_files(counted: int) -> None:
    """Have room for so many descriptors and some more, as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OTHERS + counted
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
