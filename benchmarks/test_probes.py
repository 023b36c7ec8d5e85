"""What a hundred probes every 100 ms cost, and what they do to adverts every 10 ms.

    CPU            share of one core that all processes of the daemon use, its scripts included
    period error   |time between two adverts - advertisement interval|

In each round masters run in turn, in random order: ours with probes of a TCP port of the same host,
ours without any (what the adverts alone cost), and ours and keepalived with a hundred scripts that
do nothing but succeed. These run once a second, a tenth as often as the probes: releases of
keepalived that are installed widely know no shorter interval.
"""

import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from bench.contestants import VRID, Contestant
from bench.report import Report
from bench.statistics import excess
from bench.testbed import TestBed

from lab import Host

NUMBER = 100
PROBE_INTERVAL_S = 0.1
SCRIPT_INTERVAL_S = 1
ADVERT_INTERVAL_S = 0.01
ROUNDS = 3
DURATION_S = 5.0
WARM_UP_S = 1.0
MAX_SHARE = 0.02
"""Of a core, for the probes: a documented bound."""

_TICKS_PER_S = 100  # USER_HZ, the unit of /proc/PID/stat
_OWN = ("cat", "sh")  # what reads them


@dataclass(kw_only=True)
class Series:
    """What runs, and what was seen: shares of a core, and times between adverts, ns.

    `more` returns the configuration besides the master's, for the port of a service.
    """

    contestant: Contestant
    case: str
    more: Callable[[int], str]
    shares: list[float] = field(default_factory=list)
    periods: list[int] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The mean share of a core."""
        return sum(self.shares) / len(self.shares)

    @property
    def errors(self) -> list[int]:
        """How far each period was from the interval, ns."""
        return [abs(period - round(ADVERT_INTERVAL_S * 1e9)) for period in self.periods]


def test_a_hundred_probes_cost_less_than_two_percent_of_a_core(
    contestants: list[Contestant], report: Report, chance: random.Random, scale: float
) -> None:
    ours = contestants[0]
    probing = Series(
        contestant=ours, case=f"{NUMBER} probes every {PROBE_INTERVAL_S:g} s", more=probes
    )
    idle = Series(contestant=ours, case="nothing tracked", more=nothing)
    running = [
        Series(contestant=one, case=f"{NUMBER} scripts every {SCRIPT_INTERVAL_S} s", more=scripts)
        for one in contestants
    ]
    everything = [probing, idle, *running]
    for _ in range(round(ROUNDS * scale) or 1):
        for series in chance.sample(everything, k=len(everything)):
            measure(series, chance)
    for series in everything:
        name, shares = series.contestant.name, [100 * share for share in series.shares]
        report.add("probes", series.case, "CPU", name, shares, unit="%")
        report.add("probes", series.case, "period error", name, series.errors)
    cost = probing.share - idle.share
    assert cost < MAX_SHARE, f"{NUMBER} probes use {100 * cost:.2f} % of a core"
    assert max(probing.periods) < 2e9 * ADVERT_INTERVAL_S, "an advert is missing"
    for peer in running[1:]:
        beyond = excess(probing.errors, peer.errors, 0.99)
        assert beyond <= 0, f"p99 at least {beyond / 1000:.1f} us above {peer.contestant.name}"


def measure(series: Series, chance: random.Random) -> None:
    """Let one master advertise for DURATION_S and add what was seen."""
    with TestBed(series.contestant, chance) as bed, listener(bed.preferred) as service:
        more = series.more(service.getsockname()[1])
        with bed.alone(ADVERT_INTERVAL_S, more):
            time.sleep(WARM_UP_S)
            bed.observer.forget()
            began, before = time.monotonic(), cpu_seconds(bed.preferred)
            time.sleep(DURATION_S)
            used = cpu_seconds(bed.preferred) - before
            series.shares.append(used / (time.monotonic() - began))
            times = [a.at for a in bed.observer.adverts(bed.preferred) if a.vrid == VRID]
            series.periods += [later - earlier for earlier, later in pairwise(times)]


def listener(host: Host) -> socket.socket:
    """Return a service on `host` that everybody there can connect to."""
    opened = host.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.bind(("127.0.0.1", 0))
    opened.listen(NUMBER)
    return opened


def cpu_seconds(host: Host) -> float:
    """Return the CPU time of all processes of `host`, and of their children that have ended."""
    ticks = 0
    for line in host.run("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null || :").splitlines():
        head, _, tail = line.rpartition(") ")
        number, _, name = head.partition(" (")
        if number != "1" and name not in _OWN:
            ticks += sum(map(int, tail.split()[11:15]))
    return ticks / _TICKS_PER_S


def nothing(port: int) -> str:
    """Return no configuration."""
    del port
    return ""


def probes(port: int) -> str:
    """Return probes of a port, and an instance that tracks them."""
    lines = f"tcp 127.0.0.1:{port}\ninterval {PROBE_INTERVAL_S}"
    return tracked("probe", lines)


def scripts(port: int) -> str:
    """Return scripts that succeed, and an instance that tracks them."""
    del port
    return tracked("script", f'script "/usr/bin/true"\ninterval {SCRIPT_INTERVAL_S}')


def tracked(kind: str, lines: str) -> str:
    """Return NUMBER definitions with these lines, and an instance that tracks all of them."""
    names = [f"check_{number}" for number in range(NUMBER)]
    blocks = "".join(f"vrrp_{kind} {name} {{\n{lines}\n}}\n" for name in names)
    uses = "\n".join(names)
    return f"""{blocks}
vrrp_instance TRACKING {{
    state BACKUP
    interface eth0
    virtual_router_id {VRID + 1}
    version 3
    priority 100
    advert_int 1
    virtual_ipaddress {{
        10.0.0.101/24
    }}
    track_{kind} {{
        {uses}
    }}
}}
"""
