"""How long a configuration takes to be checked, beside keepalived and beside the previous commit.

Time is user and system time of the whole process, which finds its bytecode compiled as an installed
program does; memory is the peak that the kernel counted for it. keepalived checks in C what ours
explains in Python: its figures are reported, not a bound. The bounds are ours alone.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from bench.report import ROOT, Report
from bench.statistics import median

FEW, MANY = 10, 4000
ROUNDS = {FEW: 15, MANY: 3}
BOUND_S = {FEW: 0.150, MANY: 2.0}
BOUND_MB = 200
LINEAR = 1.5
"""Twice the text may take at most this times twice the time."""

LOAD = "import sys; from fastvrrp import config; config.load(sys.argv[1])"
PEAK = """
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):
        print(line.split()[1])
"""


def text(instances: int) -> str:
    """Return a configuration of instances of ten lines, 250 to an interface."""
    return "global_defs {\n    dynamic_interfaces\n}\n" + "\n".join(
        f"""vrrp_instance VI_{number} {{
    state BACKUP
    interface eth{number // 250}
    virtual_router_id {number % 250 + 1}
    priority 100
    advert_int 1
    virtual_ipaddress {{
        10.{number // 250}.{number % 250}.1/24
    }}
}}"""
        for number in range(instances)
    )


@pytest.fixture
def written(tmp_path: Path) -> dict[int, Path]:
    """Return files with few and with many instances."""
    files = {}
    for instances in (FEW, MANY // 2, MANY):
        files[instances] = tmp_path / f"{instances}.conf"
        files[instances].write_text(text(instances))
    return files


def spent(command: list[str], **environ: str) -> float:
    """Run a command; return its processor time in seconds."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**inherited, **environ},
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return usage.ru_utime + usage.ru_stime


def peak(source: Path, file: Path) -> float:
    """Return the most memory in MB that loading a file takes."""
    command = [sys.executable, "-c", LOAD + PEAK, str(file)]
    environ = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


@pytest.fixture
def previous(tmp_path: Path) -> Path | None:
    """Return where the Python sources of the commit before lie; None outside a repository."""
    archive = subprocess.run(
        ("git", "archive", "HEAD~1", "src/fastvrrp"), cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        return None
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(tmp_path / "previous", filter="data")
    source = tmp_path / "previous" / "src"
    # The package itself imports compiled modules, which reading a configuration does not need.
    (source / "fastvrrp" / "__init__.py").write_text("")
    return source


@pytest.mark.parametrize("instances", [FEW, MANY])
def test_checking(
    instances: int,
    written: dict[int, Path],
    report: Report,
    pytestconfig: pytest.Config,
) -> None:
    path = str(written[instances])
    commands = {"fastvrrp": [fastvrrpd(), "-t", "-f", path]}
    peer = shutil.which(pytestconfig.getoption("--keepalived") or "keepalived")
    if peer is not None:
        commands["keepalived"] = [peer, "-t", "-f", path]
    taken = in_turns(commands, instances)
    for name, samples in taken.items():
        add(report, f"{instances} instances", "-t", name, samples)
    assert median(taken["fastvrrp"]) <= BOUND_S[instances]


@pytest.mark.parametrize("instances", [FEW, MANY])
def test_loading_beside_the_previous_commit(
    instances: int, written: dict[int, Path], previous: Path | None, report: Report
) -> None:
    if previous is None:
        pytest.skip("the previous commit is not at hand: this is no repository with two commits")
    sources = {"fastvrrp": ROOT / "src", "previous commit": previous}
    command = [sys.executable, "-c", LOAD, str(written[instances])]
    commands = {name: ["env", f"PYTHONPATH={source}", *command] for name, source in sources.items()}
    for name, samples in in_turns(commands, instances).items():
        add(report, f"{instances} instances", "load", name, samples)
    peaks = {name: peak(source, written[instances]) for name, source in sources.items()}
    for name, megabytes in peaks.items():
        report.add("config", f"{instances} instances", "peak", name, [megabytes], unit="MB")
    assert peaks["fastvrrp"] <= BOUND_MB


def in_turns(commands: dict[str, list[str]], instances: int) -> dict[str, list[float]]:
    """Run commands by turns, the first turn only to compile; return the times of each."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(ROUNDS[instances] + 1):
        for name, command in commands.items():
            time = spent(["unshare", "--net", *command])
            if turn:
                taken[name].append(time)
    return taken


def test_cost_is_linear(written: dict[int, Path], report: Report) -> None:
    half: list[float] = []
    whole: list[float] = []
    for _ in range(ROUNDS[MANY]):
        for size, samples in ((MANY // 2, half), (MANY, whole)):
            command = [sys.executable, "-c", LOAD, str(written[size])]
            samples.append(spent(command))
    report.add("config", f"{MANY // 2} instances", "load", "fastvrrp", [s * 1e9 for s in half])
    assert median(whole) <= 2 * LINEAR * median(half)


def add(report: Report, case: str, metric: str, subject: str, samples: list[float]) -> None:
    """Report a series of times in seconds."""
    report.add("config", case, metric, subject, [second * 1e9 for second in samples])


def fastvrrpd() -> str:
    """Return this tree's daemon."""
    return str(Path(sys.executable).with_name("fastvrrpd"))
