"""The engine inside other programs: the examples of the documentation, run as they stand."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Exited, Host, Lab, LogLine

pytestmark = pytest.mark.netns

EXAMPLES = Path(__file__).parents[2] / "examples"
CONFIG = """
vrrp_instance VI_1 {
    interface eth0
    version 3
    virtual_router_id 51
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        10.9.0.100
    }
}
"""


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        yield lab.host("appliance", "10.9.0.1/24")


def said(lab: Lab, text: str, timeout: float = 15) -> LogLine:
    return lab.first(LogLine, lambda e: text in e.text, timeout=timeout)


def test_asyncio_example(host: Host) -> None:
    """Given the asyncio example, when it is started and stopped, then it takes the address, says
    why, and leaves nothing."""
    lab = host._lab
    file = host.write("/run/test.conf", CONFIG)
    program = host.popen(sys.executable, str(EXAMPLES / "embed_asyncio.py"), file)
    said(lab, "VI_1: INIT -> BACKUP (start)")
    said(lab, "VI_1: BACKUP -> ACTIVE (no advert was received")
    lab.first(AddressAdded, lambda e: e.address == "10.9.0.100", timeout=2)

    stopped = lab.now()
    program.signal(signal.SIGTERM)
    end = lab.first(Exited, after=stopped, timeout=5)
    assert end.status == 0
    lab.first(Advert, lambda e: e.priority == 0, after=stopped, timeout=1)
    lab.first(AddressRemoved, lambda e: e.address == "10.9.0.100", after=stopped, timeout=1)


def test_own_loop_example_manages_its_own_addresses(host: Host) -> None:
    """Given the select-loop example, when it takes over and is stopped, then it was told to set
    and to remove the address, and the engine did neither."""
    lab = host._lab
    program = host.popen(
        sys.executable, str(EXAMPLES / "embed_own_loop.py"), "eth0", "51", "10.9.0.100/32"
    )
    said(lab, "ACTIVE")
    said(lab, "install 10.9.0.100/32")
    assert not host.holds("10.9.0.100")
    stopped = lab.now()
    program.signal(signal.SIGTERM)
    said(lab, "withdraw 10.9.0.100/32")
    lab.first(Advert, lambda e: e.priority == 0, after=stopped, timeout=1)
    assert lab.first(Exited, after=stopped, timeout=5).status == 0


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (CONFIG.replace("eth0", "eth7"), "there is no interface eth7"),
        (
            CONFIG + CONFIG.replace("VI_1", "VI_2"),
            "VI_2 and VI_1 share virtual_router_id 51 on eth0",
        ),
    ],
    ids=["interface", "vrid"],
)
def test_what_cannot_run_is_explained(host: Host, config: str, message: str) -> None:
    lab = host._lab
    file = host.write("/run/test.conf", config)
    host.popen(sys.executable, str(EXAMPLES / "embed_asyncio.py"), file)
    said(lab, message)
    assert lab.first(Exited, timeout=5).status == 1
