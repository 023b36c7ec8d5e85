"""Shared by all tests: the daemon under test, the lab, and no silent skips where nobody looks."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from lab import Lab, LabUnavailableError, find_program

KERNEL_MARKERS = ("netns", "interop")
KERNEL_TESTS = (
    "tests/netns/",
    "tests/interop/",
    "tests/conformance/test_cf_host.py",
    "tests/conformance/test_cf_virtual_mac.py",
    "tests/faults/test_fault_netns",
)


class KernelTestsTogether(LoadScopeScheduling):  # type: ignore[misc]  # which has no types
    """Every test is handed out on its own, but those of some directories as one: tests with a real
    peer, which wait most of their time, run beside the others."""

    def _split_scope(self, nodeid: str) -> str:
        return next((d for d in KERNEL_TESTS if nodeid.startswith(d)), nodeid)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--daemon",
        default="fastvrrpd",
        help="the VRRP daemon of the netns tests: fastvrrpd, keepalived or a path",
    )


def _uses_kernel(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in KERNEL_MARKERS)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With `-n`, tests of one directory on the real kernel run one by one, in the same worker.

    (The marker `xdist_group` would say the same; pytest-xdist 3.8 loses it under pytest 9.)
    """
    return KernelTestsTogether(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped netns or interop test has failed: nobody reads skips there."""
    report = yield
    if report.skipped and _uses_kernel(item) and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"not allowed to be skipped with CI=true: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested."""
    skipped = terminalreporter.getreports("skipped")
    if skipped:
        text = f"{len(skipped)} TESTS DID NOT RUN on this machine (reasons above)"
        terminalreporter.write_sep("!", text, yellow=True, bold=True)


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> str:
    """The path of the daemon under test."""
    return find_program(request.config.getoption("--daemon"))


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An empty lab, or a skip that says what this machine lacks."""
    with ExitStack() as stack:
        try:
            lab = stack.enter_context(Lab())
        except LabUnavailableError as error:
            pytest.skip(str(error))
        yield lab
