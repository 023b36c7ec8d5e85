"""Files, processes and probes move an address from one real daemon to the other, and back."""

import socket
from collections.abc import Iterator

import pytest

from lab import AddressAdded, Advert, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VIP = "10.9.0.100"
INSTANCE = f"""
vrrp_instance VI_1 {{
    interface eth0
    version 3
    virtual_router_id 51
    priority %d
    advert_int 0.05
    virtual_ipaddress {{
        {VIP}/24
    }}
    %s
}}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def preferred(lab: Lab) -> Host:
    return lab.host("r1", "10.9.0.1/24")


@pytest.fixture
def other(lab: Lab) -> Host:
    host = lab.host("r2", "10.9.0.2/24")
    Router(host, INSTANCE % (100, ""), program="fastvrrpd", name="other").start()
    return host


def start(host: Host, definition: str, use: str) -> Router:
    router = Router(host, definition + INSTANCE % (110, use), program="fastvrrpd")
    router.start()
    return router


def taken_over(lab: Lab, host: Host, after: int) -> int:
    """Return when `host` got the address."""
    found = lab.first(
        AddressAdded, lambda e: (e.host, e.address) == (host.name, VIP), after=after, timeout=5
    )
    return found.at


def logged(lab: Lab, host: Host, text: str, after: int) -> None:
    lab.first(LogLine, lambda e: e.host == host.name and text in e.text, after=after, timeout=5)


def test_a_number_in_a_file_moves_the_address(lab: Lab, preferred: Host, other: Host) -> None:
    begin = lab.now()
    start(
        preferred,
        "track_file load {\nfile /run/load\ninit_file 0\n}\n",
        "track_file {\nload\n}",
    )
    at = taken_over(lab, preferred, begin)
    preferred.write("/run/load", "-20\n")
    logged(lab, preferred, "(VI_1) Changing effective priority from 110 to 90", at)
    at = taken_over(lab, other, at)
    preferred.run("sh", "-c", "echo 5 > /run/new; mv /run/new /run/load")
    at = taken_over(lab, preferred, at)
    lab.first(Advert, lambda e: e.host == "r1" and e.priority == 115, after=at, timeout=5)
    preferred.write("/run/load", "-300\n")
    logged(lab, preferred, "(VI_1): tracked file load now FAULT state", at)
    at = taken_over(lab, other, at)
    preferred.run("rm", "/run/load")
    logged(lab, preferred, "(VI_1): tracked file load leaving FAULT state", at)
    at = taken_over(lab, preferred, at)
    preferred.run("sh", "-c", "echo 3 > /run/target; ln -sfn target /run/load")
    lab.first(Advert, lambda e: e.host == "r1" and e.priority == 113, after=at, timeout=5)
    preferred.write("/run/target", "-30\n")
    taken_over(lab, other, at)


def test_with_init_fail_a_script_counts_as_failed_at_first(
    lab: Lab, preferred: Host, other: Host
) -> None:
    """
    given a script that takes two seconds to succeed, without a weight, and init_fail
    when the router starts
    then it is in FAULT at once, and active after the first success though rise is 3.
    """
    begin = lab.now()
    taken_over(lab, other, begin - 10_000_000_000)
    start(
        preferred,
        'vrrp_script slow {\nscript "/bin/sleep 2"\ninterval 60\nrise 3\ninit_fail\n}\n',
        "track_script {\nslow\n}",
    )
    logged(lab, preferred, "(VI_1): entering FAULT state due to script slow", begin)
    logged(lab, preferred, "VRRP_Script(slow) succeeded", begin)
    taken_over(lab, preferred, begin)


def test_a_missing_process_moves_the_address(lab: Lab, preferred: Host, other: Host) -> None:
    """In a network of its own a daemon has no process events: it looks once a second."""
    preferred.run("sh", "-c", "cp $(command -v sleep) /run/fv-work")
    work = preferred.popen("/run/fv-work", "1000")
    begin = lab.now()
    start(
        preferred,
        "vrrp_track_process work {\nprocess fv-work\n}\n",
        "track_process {\nwork\n}",
    )
    at = taken_over(lab, preferred, begin)
    work.signal(9)
    logged(lab, preferred, "Quorum lost for tracked process work", at)
    logged(lab, preferred, "(tracked process work quorum not achieved)", at)
    at = taken_over(lab, other, at)
    preferred.popen("/run/fv-work", "1000")
    logged(lab, preferred, "Quorum gained for tracked process work", at)
    taken_over(lab, preferred, at)


def service(host: Host, port: int) -> socket.socket:
    opened = host.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("127.0.0.1", port))
    opened.listen()
    return opened


def test_a_probe_moves_the_address(lab: Lab, preferred: Host, other: Host) -> None:
    """
    given a probe every 10 ms of a port, without a weight
    when the service behind the port ends
    then the router says why it gives up the address, and the other one has it within a second.
    """
    opened = service(preferred, 8080)
    begin = lab.now()
    start(
        preferred,
        "vrrp_probe web {\ntcp 127.0.0.1:8080\ninterval 0.01\n}\n",
        "track_probe {\nweb\n}",
    )
    at = taken_over(lab, preferred, begin)
    ended = lab.now()
    opened.close()
    logged(lab, preferred, "VRRP_Probe(web) failed (connection refused)", at)
    logged(lab, preferred, "entering FAULT state (probe web failed (connection refused))", at)
    at = taken_over(lab, other, at)
    assert at - ended < 1_000_000_000
    opened = service(preferred, 8080)
    logged(lab, preferred, "VRRP_Probe(web) succeeded", at)
    taken_over(lab, preferred, at)
    opened.close()
