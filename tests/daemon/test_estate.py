"""What the parent keeps for the VRRP process, should that die."""

import resource
import socket
from collections.abc import Iterator

import pytest

from fastvrrp.daemon.control import SENDER, pair, receive, send
from fastvrrp.daemon.estate import Estate
from fastvrrp.daemon.log import Log

SENDERS = 400


@pytest.fixture
def _few_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SENDERS // 2, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_few_files")
def test_the_sockets_of_many_interfaces_find_room() -> None:
    """Given a low limit of open files, when the VRRP process has more senders than that, then each
    of them arrives."""
    ours, theirs = pair()
    estate = Estate(Log("test", []))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, ours, theirs:
        for number in range(SENDERS):
            assert send(theirs, SENDER + b"%d" % number, sender.fileno())
            received = receive(ours)
            assert received is not None
            assert estate.on_message(*received)
    estate.drop()
