"""Collects the results of a run: tables as text, JSON in a file, comparison to a baseline."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.statistics import Summary

ROOT = Path(__file__).parents[2]
NS_PER_US = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Samples of one `metric` (ns, or what `unit` says) of one `subject` in one `case`."""

    benchmark: str
    case: str
    metric: str
    subject: str
    samples: tuple[float, ...]
    unit: str = "ns"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two runs' results comparable."""
        return self.benchmark, self.case, self.metric, self.subject

    @property
    def summary(self) -> Summary:
        """Median, p99 and maximum."""
        return Summary.of(self.samples)


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    return {
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "virtual": "hypervisor" in _read("/proc/cpuinfo"),
        "load_at_start": os.getloadavg()[0],
    }


def _cpu_model() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def commit() -> str:
    """Return the commit of this source tree, with + when files differ from it; "" outside git."""
    try:
        identity = _git("rev-parse", "--short=12", "HEAD")
        return identity + ("+" if _git("status", "--porcelain", "src", "csrc") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    done = subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Report:
    """What a run found."""

    def __init__(self, *, seed: int) -> None:
        self.results: list[Result] = []
        self._machine = machine()
        self._run = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "seed": seed,
        }

    def add(
        self,
        benchmark: str,
        case: str,
        metric: str,
        subject: str,
        samples: Sequence[float],
        *,
        unit: str = "ns",
    ) -> Result:
        """Keep a series of at least one sample."""
        result = Result(
            benchmark=benchmark,
            case=case,
            metric=metric,
            subject=subject,
            samples=tuple(samples),
            unit=unit,
        )
        self.results.append(result)
        return result

    def write(self, path: Path) -> None:
        """Write everything, the samples included, as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        results = [
            {
                "benchmark": r.benchmark,
                "case": r.case,
                "metric": r.metric,
                "subject": r.subject,
                "unit": r.unit,
                "n": r.summary.n,
                "median": r.summary.median,
                "p99": r.summary.p99,
                "max": r.summary.maximum,
                "samples": r.samples,
            }
            for r in self.results
        ]
        path.write_text(
            json.dumps({**self._run, "machine": self._machine, "results": results}, indent=1) + "\n"
        )

    @property
    def head(self) -> tuple[str, str]:
        """Where and when the run took place, in two lines."""
        host = self._machine
        return (
            f"{host['cpu']}, {host['cpus']} CPUs{' (virtual)' if host['virtual'] else ''}, "
            f"kernel {host['kernel']}, Python {host['python']}, load {host['load_at_start']:.2f}",
            f"commit {self._run['commit'] or 'unknown'}, {self._run['date']}, "
            f"seed {self._run['seed']}",
        )

    def lines(self, baseline: Path | None = None) -> list[str]:
        """Return the tables as text; with the change against `baseline` (a file of `write`)."""
        known = _load(baseline) if baseline is not None else {}
        found = list(self.head)
        for benchmark in dict.fromkeys(result.benchmark for result in self.results):
            rows = [result for result in self.results if result.benchmark == benchmark]
            found += ["", *self._table(benchmark, rows, known)]
        return found

    def _table(
        self, benchmark: str, rows: list[Result], known: dict[tuple[str, ...], float]
    ) -> list[str]:
        first = {(r.case, r.metric): r for r in reversed(rows)}
        lines = [
            f"{benchmark:<68}"
            + "".join(f"{name:>12}" for name in ("median", "p99", "max"))
            + f"{'n':>7}  ratio"
        ]
        for row in rows:
            one = row.summary
            figures = "".join(
                f"{_show(value, row.unit):>12}" for value in (one.median, one.p99, one.maximum)
            )
            lines.append(
                f"{row.case:<34} {row.metric:<18} {row.subject:<14}{figures}{one.n:>7}"
                + _ratio(row, first[row.case, row.metric])
                + _change(row, known)
            )
        return lines


def _show(value: float, unit: str) -> str:
    if unit == "ns":
        if abs(value) < 10 * NS_PER_US:
            return f"{value:.0f} ns"
        return f"{value / NS_PER_US:.1f} us"
    return f"{value:.2f} {unit}"


def _ratio(row: Result, reference: Result) -> str:
    """How much slower `row` is than the first subject of its case: median and p99."""
    ours, theirs = reference.summary, row.summary
    if row is reference or row.unit != "ns" or ours.median <= 0 or ours.p99 <= 0:
        return ""
    return f"  {theirs.median / ours.median:.2f} / {theirs.p99 / ours.p99:.2f}"


def _load(path: Path) -> dict[tuple[str, ...], float]:
    rows = json.loads(path.read_text())["results"]
    return {
        (r["benchmark"], r["case"], r["metric"], r["subject"]): float(r["median"]) for r in rows
    }


def _change(row: Result, known: dict[tuple[str, ...], float]) -> str:
    before = known.get(row.key)
    if not before:
        return ""
    return f"  {100 * (row.summary.median / before - 1):+.0f} % to baseline"
