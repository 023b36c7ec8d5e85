"""How punctual the adverts of a master are, beside keepalived: idle, and on a busy host.

    period error   |time between two adverts - advertisement interval|
    drift          how much longer the interval is on average, in parts per million

The contestants take turns, in random order within a round: one of them runs a master for each
interval, each on a switch of its own. (Side by side they would wait for each other's locks in the
one kernel that they share.) Busy means a process for each CPU that never sleeps and, inside every
daemon, track scripts every 100 ms and an instance that changes its state every other second and
runs hooks. The times are the kernel's at another host.
"""

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

from bench.contestants import VRID, Contestant, busy_cold_side, with_realtime
from bench.report import Report
from bench.statistics import excess
from bench.testbed import TestBed

INTERVALS_S = (0.01, 0.1, 1.0)
ROUNDS = 2
DURATION_S = 5
SCRIPTS = 5
WARM_UP_S = 1.0

Periods = dict[tuple[float, str], list[int]]
"""By interval (s) and contestant: times between adverts, ns."""


def test_adverts_are_no_less_punctual_than_keepaliveds(
    contestants: list[Contestant], report: Report, chance: random.Random, scale: float
) -> None:
    periods = measure(contestants, chance, round(ROUNDS * scale) or 1)
    judge("idle host", periods, contestants, report)


def test_a_busy_host_and_a_busy_cold_side_delay_no_advert(
    contestants: list[Contestant], report: Report, chance: random.Random, scale: float
) -> None:
    tuned = [with_realtime(peer) for peer in contestants[1:]]
    with busy_cpus():
        periods = measure(
            [*contestants, *tuned],
            chance,
            round(ROUNDS * scale) or 1,
            busy_cold_side(scripts=SCRIPTS),
        )
    judge("busy host", periods, [*contestants, *tuned], report)


@contextmanager
def busy_cpus() -> Iterator[None]:
    """Keep every CPU busy with an ordinary process."""
    hogs = [
        subprocess.Popen((sys.executable, "-c", "while True: pass"))
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def measure(
    contestants: list[Contestant], chance: random.Random, rounds: int, more: str = ""
) -> Periods:
    """Let the masters of each contestant advertise for DURATION_S in each round."""
    periods: Periods = defaultdict(list)
    for _ in range(rounds):
        for contestant in chance.sample(contestants, k=len(contestants)):
            for interval_s, found in listen(contestant, chance, more).items():
                periods[interval_s, contestant.name] += found
    return periods


def listen(contestant: Contestant, chance: random.Random, more: str) -> dict[float, list[int]]:
    """Let a master for each interval advertise, all at once; return the periods by interval."""
    with ExitStack() as stack:
        beds = {}
        for interval_s in INTERVALS_S:
            bed = stack.enter_context(TestBed(contestant, chance))
            beds[interval_s] = stack.enter_context(bed.alone(interval_s, more))
        time.sleep(WARM_UP_S)
        for bed in beds.values():
            bed.observer.forget()
        time.sleep(DURATION_S)
        return {interval_s: periods_of(bed) for interval_s, bed in beds.items()}


def periods_of(bed: TestBed) -> list[int]:
    """Return the times between the adverts that `bed` has heard, ns."""
    times = [advert.at for advert in bed.observer.adverts(bed.preferred) if advert.vrid == VRID]
    return [later - earlier for earlier, later in pairwise(times)]


def judge(condition: str, periods: Periods, contestants: list[Contestant], report: Report) -> None:
    """Report all, and fail when ours is behind keepalived or has left out an advert."""
    for interval_s in INTERVALS_S:
        interval = round(interval_s * 1e9)
        case = f"{interval_s:g} s, {condition}"
        errors = {}
        for contestant in contestants:
            series = periods[interval_s, contestant.name]
            errors[contestant.name] = [abs(period - interval) for period in series]
            report.add("jitter", case, "period error", contestant.name, errors[contestant.name])
        for contestant in contestants:
            series = periods[interval_s, contestant.name]
            drift = 1e6 * (sum(series) / len(series) / interval - 1)
            report.add("jitter", case, "drift", contestant.name, [drift], unit="ppm")
        ours, *peers = (contestant.name for contestant in contestants)
        assert max(periods[interval_s, ours]) < 2 * interval, f"{case}: an advert is missing"
        for peer in peers[:1]:
            for name, fraction in (("median", 0.5), ("p99", 0.99)):
                beyond = excess(errors[ours], errors[peer], fraction)
                assert beyond <= 0, f"{case}: {name} at least {beyond / 1000:.1f} us above {peer}"
