"""What an advert costs in the core: no system call, no Python between two of them.

Receiving is decode + authentication + one step of the state machine of a router that stays BACKUP.
The samples are means over blocks of adverts, so that the clock does not count.
"""

import importlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import ModuleType

import pytest
from bench.report import ROOT, Report
from bench.statistics import median

from fastvrrp.clock import seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import State
from fastvrrp.wire.advert import layout, reseal
from fastvrrp.wire.values import Layout

BLOCK = 1000
BLOCKS = 200
PASSWORD = b"secret"
BOUND_NS = 100
"""For decoding and stepping without cryptography."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One form of advert."""

    name: str
    version: int
    family: int = 4
    auth_type: int = 0

    @property
    def source(self) -> bytes:
        """The sender."""
        return ip_address("192.0.2.1" if self.family == 4 else "fe80::1").packed

    @property
    def group(self) -> bytes:
        """The destination."""
        return ip_address("224.0.0.18" if self.family == 4 else "ff02::12").packed

    @property
    def vip(self) -> bytes:
        """The virtual address."""
        return ip_address("192.0.2.100" if self.family == 4 else "fe80::100").packed

    def layout(self) -> Layout:
        """Return the advert as laid out for sending."""
        return layout(
            family=self.family,
            version=self.version,
            vrid=51,
            priority=200,
            interval_ns=seconds(1),
            addresses=[self.vip],
            src=self.source,
            dst=self.group,
            auth_type=self.auth_type,
            password=PASSWORD,
        )

    def backup(self) -> Core:
        """Return a core with one router that is BACKUP and hears this kind."""
        core = Core(1)
        params = RouterParams(
            vrid=51,
            version=self.version,
            family=self.family,
            addresses=(self.vip,),
            source=ip_address("192.0.2.5" if self.family == 4 else "fe80::5").packed,
            auth_type=self.auth_type,
            password=PASSWORD,
        )
        core.startup(core.add(params), 0)
        return core


KINDS = [
    Kind(name="version 2", version=2),
    Kind(name="version 2, PASS", version=2, auth_type=1),
    Kind(name="version 2, AH", version=2, auth_type=2),
    Kind(name="version 3, IPv4", version=3),
    Kind(name="version 3, IPv6", version=3, family=6),
]


@pytest.fixture(scope="module")
def hot() -> ModuleType:
    """The compiled loops."""
    script = str(Path("benchmarks/bench/build_hot.py"))
    subprocess.run((sys.executable, script), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    place = str(ROOT / "build" / "benchmarks")
    if place not in sys.path:
        sys.path.insert(0, place)
    return importlib.import_module("_hot")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_advert_in_backup_costs_at_most_100_ns(kind: Kind, hot: ModuleType, report: Report) -> None:
    advert = kind.layout()
    core = kind.backup()
    samples = []
    for block in range(BLOCKS):
        datagrams = [
            reseal(advert, priority=200, ah_sequence=number, password=PASSWORD)
            for number in numbers(block, kind)
        ]
        samples.append(
            hot.receive(
                core,
                hot.Adverts(datagrams),
                family=kind.family,
                src=kind.source,
                dst=kind.group,
                now=seconds(block * BLOCK),
                step=seconds(1),
            )
        )
    assert core.state(0) is State.BACKUP
    assert core.counters(0)["adverts_received"] == BLOCK * BLOCKS
    report.add("core", kind.name, "decode and step", "fastvrrp", samples)
    if kind.auth_type != 2:
        assert median(samples) <= BOUND_NS


def numbers(block: int, kind: Kind) -> range:
    """Return the sequence numbers of a block; only AH has any."""
    first = block * BLOCK + 1
    return range(first, first + BLOCK)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_encoding(kind: Kind, hot: ModuleType, report: Report) -> None:
    samples = repeat(lambda: hot.encode(kind.layout(), BLOCK, PASSWORD))
    report.add("core", kind.name, "priority and seal", "fastvrrp", samples)


def test_hmac(hot: ModuleType, report: Report) -> None:
    samples = repeat(lambda: hot.hmac(bytes(64), BLOCK))
    report.add("core", "64 bytes", "HMAC-MD5-96", "fastvrrp", samples)


def repeat(block: Callable[[], float]) -> list[float]:
    """Return the samples of BLOCKS blocks."""
    return [block() for _ in range(BLOCKS)]
