"""Options and fixtures of the benchmarks; the report is printed and written at the end."""

import random
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
for _place in (ROOT / "tests", ROOT / "src"):  # the lab; fastvrrp when it is not installed
    if str(_place) not in sys.path:
        sys.path.insert(0, str(_place))

from bench.contestants import Contestant, fastvrrpd, keepalived  # noqa: E402
from bench.picture import draw  # noqa: E402
from bench.report import Report  # noqa: E402

REPORT = pytest.StashKey[Report]()
DEFAULT_JSON = ROOT / "build" / "benchmarks" / "latest.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `pytest benchmarks/`."""
    group = parser.getgroup("benchmarks")
    group.addoption("--rounds", type=float, default=1.0, help="multiply every repetition by this")
    group.addoption("--seed", type=int, default=None, help="seed of orders and phases")
    group.addoption("--bench-json", type=Path, default=DEFAULT_JSON, help="where results go")
    group.addoption("--baseline", type=Path, default=None, help="an earlier result to compare to")
    group.addoption("--fastvrrpd", default=None, help="command instead of this tree's daemon")
    group.addoption("--keepalived", default=None, help="program instead of the system's")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed, which the report names."""
    seed = config.getoption("--seed")
    if seed is None:
        seed = random.SystemRandom().randrange(1_000_000)
        config.option.seed = seed
    config.stash[REPORT] = Report(seed=seed)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the tables and write the file."""
    report = config.stash[REPORT]
    if not report.results:
        return
    path = config.getoption("--bench-json")
    report.write(path)
    terminalreporter.section("benchmarks")
    for line in report.lines(config.getoption("--baseline")):
        terminalreporter.line(line)
    if not any(result.subject == "keepalived" for result in report.results):
        terminalreporter.line("nothing was compared: keepalived did not take part")
    terminalreporter.line(f"written to {path}")
    overheads = [result for result in report.results if result.metric.endswith("overhead")]
    if overheads:
        picture = path.with_suffix(".svg")
        picture.write_text(draw(overheads, "; ".join(report.head)), encoding="utf-8")
        terminalreporter.line(f"drawn in {picture}")


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """The report of this run."""
    return pytestconfig.stash[REPORT]


@pytest.fixture
def chance(pytestconfig: pytest.Config) -> random.Random:
    """The random numbers of one benchmark."""
    return random.Random(pytestconfig.getoption("--seed"))


@pytest.fixture(scope="session")
def scale(pytestconfig: pytest.Config) -> float:
    """How many times the default repetitions are wanted."""
    return float(pytestconfig.getoption("--rounds"))


@pytest.fixture(scope="session")
def ours(pytestconfig: pytest.Config) -> Contestant:
    """fastvrrpd."""
    return fastvrrpd(pytestconfig.getoption("--fastvrrpd"))


@pytest.fixture(scope="session")
def contestants(pytestconfig: pytest.Config, ours: Contestant) -> list[Contestant]:
    """Ours first, then keepalived where it is installed."""
    peer = keepalived(pytestconfig.getoption("--keepalived"))
    return [ours] if peer is None else [ours, peer]
