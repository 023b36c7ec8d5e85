"""The lab itself: what it shows is what happens, its faults are faults, and it leaves nothing."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from lab import AddressAdded, AddressRemoved, Arp, Exited, Host, Lab, LabError, LogLine, WebServer
from lab import fetch as fetch_page

pytestmark = pytest.mark.netns

TESTS = Path(__file__).parents[1]
VIP = "10.9.0.100"


@pytest.fixture
def pair(lab: Lab) -> tuple[Host, Host]:
    return lab.host("a", "10.9.0.1/24"), lab.host("b", "10.9.0.2/24")


def reaches(sender: Host, address: str, *, within: float = 3) -> bool:
    """Whether the other host answers (refuses a connection to a closed port) within so many s."""
    with sender.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(within)
        try:
            probe.connect((address, 9))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    raise AssertionError("port 9 is open")


def test_hosts_see_only_their_own_processes_files_and_interface(pair: tuple[Host, Host]) -> None:
    a, b = pair
    a.write("/run/only-a", "text")
    a.write("/tmp/only-a", "text")
    b.popen("sleep", "60")
    assert "sleep" not in a.run("ps", "-A", "-o", "comm")
    assert "only-a" not in b.run("ls", "/run", "/tmp")
    assert a.run("ls", "/proc/sys/net/ipv4/conf").split() == ["all", "default", "eth0", "lo"]
    assert a.run("hostname").strip() == "a"


def test_a_program_that_fails_says_why(pair: tuple[Host, Host]) -> None:
    with pytest.raises(LabError, match=r"a: ls /nowhere returned 2: .*No such file"):
        pair[0].run("ls", "/nowhere")
    with pytest.raises(FileNotFoundError):
        pair[0].run("/no/such/program")
    with pytest.raises(LabError, match="took longer than"):
        pair[0].run("sleep", "60", timeout=0.05)


def test_lines_and_end_of_a_program_are_events(lab: Lab, pair: tuple[Host, Host]) -> None:
    process = pair[0].popen("sh", "-c", "echo one; echo two >&2; exit 3")
    end = lab.first(Exited, timeout=5)
    lab.wait_for(lambda: process.output.finished, timeout=5)
    assert [line.text for line in lab.events(LogLine)] == ["one", "two"]
    assert (end.host, end.process, end.status) == ("a", "sh", 3)


def test_addresses_are_followed_as_the_kernel_announces_them(
    lab: Lab, pair: tuple[Host, Host]
) -> None:
    a, b = pair
    before = lab.now()
    a.run("ip", "addr", "add", f"{VIP}/32", "dev", "eth0")
    added = lab.first(AddressAdded, lambda event: event.address == VIP, timeout=5)
    assert (added.host, added.prefix) == ("a", 32)
    assert before < added.at < lab.now()
    assert a.holds(VIP)
    assert not b.holds(VIP)
    a.run("ip", "addr", "del", f"{VIP}/32", "dev", "eth0")
    lab.first(AddressRemoved, lambda event: event.address == VIP, after=added.at, timeout=5)
    assert not a.holds(VIP)


def test_packets_carry_the_kernels_time(lab: Lab, pair: tuple[Host, Host]) -> None:
    a, b = pair
    before = lab.now()
    assert reaches(a, "10.9.0.2")
    asked = lab.now()
    request = lab.first(Arp, lambda event: event.host == "a", timeout=5)
    answer = lab.first(Arp, lambda event: event.host == "b", after=request.at, timeout=5)
    assert (request.sender, request.target, request.operation) == ("10.9.0.1", "10.9.0.2", 1)
    assert (answer.sender_mac, answer.operation) == (b.mac, 2)
    assert before < request.at < answer.at < asked
    assert lab.capture.dropped == 0


def test_a_cut_link_loses_its_carrier_and_heals(pair: tuple[Host, Host]) -> None:
    a, b = pair
    assert reaches(b, "10.9.0.1")
    a.cut()
    assert "NO-CARRIER" in a.run("ip", "link", "show", "eth0")
    assert not reaches(b, "10.9.0.1", within=0.2)
    a.heal()
    assert "NO-CARRIER" not in a.run("ip", "link", "show", "eth0")
    assert reaches(b, "10.9.0.1")


def test_an_isolated_host_keeps_its_carrier_but_hears_nothing(pair: tuple[Host, Host]) -> None:
    a, b = pair
    a.isolate()
    assert "NO-CARRIER" not in a.run("ip", "link", "show", "eth0")
    assert not reaches(b, "10.9.0.1", within=0.2)
    a.heal()
    assert reaches(b, "10.9.0.1")


def test_a_host_without_power_has_no_programs_and_no_addresses(
    lab: Lab, pair: tuple[Host, Host]
) -> None:
    a, b = pair
    a.popen("sleep", "60")
    a.run("ip", "addr", "add", f"{VIP}/32", "dev", "eth0")
    lab.wait_for(lambda: a.holds(VIP), timeout=5)
    a.power_off()
    assert lab.first(Exited, timeout=5).status == -signal.SIGKILL
    lab.wait_for(lambda: not a.holds(VIP) and not a.holds("10.9.0.1"), timeout=5)
    a.power_on()
    lab.wait_for(lambda: a.holds("10.9.0.1"), timeout=5)
    assert not a.holds(VIP)
    assert reaches(b, "10.9.0.1")


def test_a_wait_that_fails_shows_what_happened_instead(lab: Lab, pair: tuple[Host, Host]) -> None:
    a, _ = pair
    with pytest.raises(AssertionError, match=r"not within 0.05 s(.|\n)*10\.9\.0\.1"):
        lab.wait_for(lambda: a.holds(VIP), timeout=0.05)


@pytest.mark.parametrize("nginx", ["nginx", None])
def test_the_page_of_a_web_server_is_the_name_of_its_host(
    lab: Lab, pair: tuple[Host, Host], nginx: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if nginx is None:
        monkeypatch.setattr("lab.web.installed", lambda _: False)
    a, b = pair
    server = WebServer(a)
    server.start()
    lab.wait_for(lambda: fetch_page(b, "10.9.0.1") == "a", timeout=5)
    assert a.run("killall", "-0", "nginx") == ""
    server.kill()
    lab.first(Exited, timeout=5)
    assert fetch_page(b, "10.9.0.1") is None


# The inner lab runs on a host of an outer one, whose processes, mounts and files are all there is.
INNER = """
import os, signal, sys
from lab import Lab

class Failed(Exception):
    pass

def end(how):
    if how == "exception":
        raise Failed
    if how != "return":
        os.kill(os.getpid(), signal.Signals[how])

with Lab() as lab:
    host = lab.host("inner", "10.0.0.1/24")
    host.popen("sleep", "60")
    host.popen("sh", "-c", "sleep 60 & wait")
    host.write("/run/file", "x")
    host.write("/tmp/file", "x")
    print("up", flush=True)
    lab.wait_for(lambda: end(sys.argv[1]) or sys.argv[1] == "return", timeout=5)
"""


# Waits up to 5 s each for the processes that are just ending; those that stay are seen afterwards.
AWAIT_ENDS = """
import contextlib, os, select
for pid in {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1, os.getpid()}:
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(pid)], [], [], 5)
"""


@pytest.mark.parametrize("how", ["return", "exception", "SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_is_left_behind_however_the_lab_ends(lab: Lab, how: str) -> None:
    outer = lab.host("outer", "10.9.0.1/24")

    def left() -> list[str]:
        return [
            outer.run("ps", "-A", "-o", "comm"),
            outer.run("cat", "/proc/self/mountinfo"),
            outer.run("ls", "-AR", "/run", "/tmp"),
            outer.run("ls", "/proc/sys/net/ipv4/conf"),
        ]

    before = left()
    python = (sys.executable, "-B", "-c", INNER, how)
    process = outer.popen(*python, env={"PYTHONPATH": str(TESTS)})
    lab.first(Exited, timeout=20)
    lab.wait_for(lambda: process.output.finished, timeout=5)
    assert process.output.lines[0] == "up"
    outer.run(sys.executable, "-c", AWAIT_ENDS)
    assert left() == before


def test_a_lab_returns_every_descriptor(lab: Lab) -> None:
    def descriptors() -> set[str]:
        return {path.name for path in Path("/proc/self/fd").iterdir()}

    before = descriptors()
    with Lab() as another:
        host = another.host("a", "10.9.0.1/24")
        host.popen("sleep", "60")
        host.run("true")
    assert descriptors() == before
