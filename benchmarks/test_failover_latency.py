"""What a daemon adds to the time that the protocol prescribes for a failover, beside keepalived.

    t0  last advert of the old holder (its priority-0 advert when it resigned)
    t1  first advert of the new one
    t2  its first gratuitous ARP
    overhead = (t1 or t2) - t0 - Master_Down_Interval (Skew_Time after a resignation)

All times are taken by the kernel of a third host. A fall-back starts from no event on the wire;
there the time from advert to ARP is reported, and not judged: the hosts of the bed share one
kernel, where the new router's addresses wait for a lock that the old one holds to remove its own.

Both daemons run on the same topology, in sessions that alternate in random order within a pair, so
that a disturbance of the machine meets both. Ours may not be slower than keepalived in median or
p99 by more than the noise of the run (see `bench.statistics.excess`).
"""

import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from bench.contestants import Contestant
from bench.report import Report
from bench.statistics import excess
from bench.testbed import Takeover, TestBed

OVERHEADS = ("advert overhead", "ARP overhead")
"""The metrics that are judged."""

JUDGED_FROM = 10
"""Samples; fewer do not show how large the noise is, and are only reported."""

Samples = dict[tuple[str, str], list[float]]
"""By cause and metric, ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sessions of each daemon, and what happens how often in each of them."""

    interval_s: float
    sessions: int
    cuts: int
    crashes: int
    resignations: int


PLANS = [
    Plan(interval_s=0.01, sessions=8, cuts=25, crashes=8, resignations=5),
    Plan(interval_s=0.1, sessions=5, cuts=5, crashes=2, resignations=2),
    Plan(interval_s=1, sessions=1, cuts=1, crashes=1, resignations=1),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.interval_s:g}s")
def test_failover_is_no_slower_than_keepalived(
    plan: Plan,
    contestants: list[Contestant],
    report: Report,
    chance: random.Random,
    scale: float,
) -> None:
    samples = measure(plan, contestants, chance, max(1, round(plan.sessions * scale)))
    for case in sorted(samples[contestants[0].name]):
        cause, metric = case
        for contestant in contestants:
            report.add(
                "failover",
                f"{plan.interval_s:g} s, {cause}",
                metric,
                contestant.name,
                samples[contestant.name][case],
            )
    if len(contestants) > 1:
        slower = compare(samples[contestants[0].name], samples[contestants[1].name])
        assert not slower, "slower than keepalived in the same run:\n" + "\n".join(slower)


def measure(
    plan: Plan, contestants: list[Contestant], chance: random.Random, sessions: int
) -> dict[str, Samples]:
    """Run the plan; returns the samples of each contestant."""
    samples: dict[str, Samples] = {c.name: defaultdict(list) for c in contestants}
    with ExitStack() as stack:
        beds = [stack.enter_context(TestBed(c, chance)) for c in contestants]
        for _ in range(sessions):
            for bed in chance.sample(beds, k=len(beds)):
                run_session(bed, plan, chance, samples[bed.contestant.name])
    return samples


def run_session(bed: TestBed, plan: Plan, chance: random.Random, samples: Samples) -> None:
    """Let the faults of one session happen, in random order."""
    faults: list[tuple[str, Callable[[], tuple[Takeover, Takeover]]]] = [
        *[("link cut", bed.cut)] * plan.cuts,
        *[("kill -9", bed.crash)] * plan.crashes,
        *[("SIGTERM", bed.resign)] * plan.resignations,
    ]
    chance.shuffle(faults)
    with bed.session(plan.interval_s):
        for cause, fault in faults:
            failover, fall_back = fault()
            prescribed = bed.skew_time if cause == "SIGTERM" else bed.down_interval
            overhead = failover.first - failover.last - prescribed
            samples[cause, OVERHEADS[0]].append(overhead)
            samples[cause, OVERHEADS[1]].append(failover.announced - failover.last - prescribed)
            samples[f"fall-back after {cause}", "advert to ARP"].append(
                fall_back.announced - fall_back.first
            )


def compare(ours: Samples, theirs: Samples) -> list[str]:
    """Return a line for every median and p99 overhead of ours above theirs beyond the noise."""
    return [
        f"{cause}, {metric}, {name}: at least {beyond / 1000:.1f} us more"
        for (cause, metric), samples in ours.items()
        if metric in OVERHEADS and len(samples) >= JUDGED_FROM
        for name, fraction in (("median", 0.5), ("p99", 0.99))
        if (beyond := excess(samples, theirs[cause, metric], fraction)) > 0
    ]
