"""A reload storm, beside keepalived: a thousand SIGHUPs in 20 s at a master that advertises every
100 ms.

    period         time between two adverts; for ours 1.5 intervals are the limit
    descriptors    of all processes of the daemon, after the storm less before
    memory         PSS of all processes of the daemon, after the storm less before
    reloads        that the log tells of

Nothing in the file changes, so that no advert more or less is due. One reload comes before the
first measurement: what it loads stays.
"""

import json
import random
import sys
import time
from itertools import pairwise

from bench.contestants import VRID, Contestant
from bench.report import Report
from bench.testbed import TestBed

from lab import Host, LogLine

INTERVAL_S = 0.1
SIGNALS, DURATION_S = 1000, 20.0
SETTLE_S = 3.0
MOST_GROWTH = 1 << 20

STORM = """
import os, signal, sys, time
pid, count, duration = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
began = time.monotonic()
for number in range(count):
    time.sleep(max(0.0, began + number * duration / count - time.monotonic()))
    os.kill(pid, signal.SIGHUP)
"""

FIGURES = """
import json, os, sys
pids = [sys.argv[1]]
for pid in pids:
    for task in os.listdir(f"/proc/{pid}/task"):
        pids += open(f"/proc/{pid}/task/{task}/children").read().split()
pss = 0
for pid in pids:
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            pss += int(line.split()[1]) * 1024
descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
print(json.dumps({"processes": len(pids), "descriptors": descriptors, "memory": pss}))
"""


def test_a_storm_of_reloads_delays_no_advert(
    contestants: list[Contestant], report: Report, chance: random.Random, scale: float
) -> None:
    for contestant in chance.sample(contestants, k=len(contestants)):
        periods, before, after, reloads = storm(contestant, chance, scale)
        case = f"{round(SIGNALS * scale)} SIGHUPs in {DURATION_S * scale:g} s"
        name = contestant.name
        report.add("reload storm", case, "period", name, periods)
        report.add("reload storm", case, "reloads", name, [reloads], unit="")
        for figure, unit in (("descriptors", ""), ("memory", "bytes")):
            grown = after[figure] - before[figure]
            report.add("reload storm", case, figure, name, [grown], unit=unit)
        if contestant is contestants[0]:
            assert max(periods) <= 1.5 * INTERVAL_S * 1e9, "an advert is late by half an interval"
            assert after["processes"] == before["processes"]
            assert after["descriptors"] == before["descriptors"]
            assert after["memory"] - before["memory"] <= MOST_GROWTH


def storm(
    contestant: Contestant, chance: random.Random, scale: float
) -> tuple[list[int], dict[str, int], dict[str, int], int]:
    """Return periods (ns), figures before and after, and how many reloads there were."""
    with TestBed(contestant, chance) as bed, bed.alone(INTERVAL_S):
        host = bed.preferred
        pid = host.run("sh", "-c", "cat $(ls /run/bench-*.pid | grep -v -- -vrrp)").strip()
        run(host, STORM, pid, "1", "0")
        time.sleep(SETTLE_S)
        before = figures(host, pid)
        bed.observer.forget()
        began = bed.lab.now()
        run(host, STORM, pid, str(round(SIGNALS * scale)), str(DURATION_S * scale))
        time.sleep(SETTLE_S)
        after = settled(host, pid, before["processes"])
        times = [one.at for one in bed.observer.adverts(host) if one.vrid == VRID]
        bed.lab.pump(0)
        told = bed.lab.events(LogLine, lambda e: e.at > began and "Reloading ..." in e.text)
    return [b - a for a, b in pairwise(times)], before, after, len(told)


def settled(host: Host, pid: str, processes: int) -> dict[str, int]:
    """Return the figures when the last reload is over: nothing runs that did not before."""
    deadline = time.monotonic() + 10 * SETTLE_S
    while (found := figures(host, pid))["processes"] > processes and time.monotonic() < deadline:
        time.sleep(SETTLE_S / 10)
    return found


def figures(host: Host, pid: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(run(host, FIGURES, pid))
    return found


def run(host: Host, program: str, *arguments: str) -> str:
    """Run a Python program on `host`."""
    return host.run(sys.executable, "-ISc", program, *arguments, timeout=DURATION_S * 10)
