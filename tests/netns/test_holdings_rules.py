"""Rules in a real kernel: what a line of the configuration sets is what ip(8) sets for it."""

from typing import Any, NamedTuple

import pytest

from lab import Lab
from netns.twins import Twins

pytestmark = pytest.mark.netns

LINES = [
    "from 192.0.2.0/24 table 77 priority 555",
    "from all table 77 priority 555",
    "to 192.0.2.0/24 table main priority 555",
    "not from 192.0.2.0/24 to 198.51.100.7 table 70000 priority 5",
    "iif eth0 table 7 priority 5",
    "oif eth9 table 7 priority 5",
    "fwmark 5 table 7 priority 5",
    "fwmark 0x5/0xff table 7 priority 5",
    "fwmark 0 table 7 priority 5",
    "fwmark 0/7 table 7 priority 5",
    "tos 0x10 table 7 priority 5",
    "uidrange 0-99 table 7 priority 5",
    "ipproto tcp sport 80-90 dport 1-65534 table 7 priority 5",
    "ipproto 132 table 7 priority 5",
    "realms 3/4 table 7 priority 5",
    "table 7 suppress_prefixlength 0 priority 5",
    "table 7 suppress_prefixlength 24 suppress_ifgroup 3 priority 5",
    "table 7 suppress_ifgroup default priority 5",
    "from 192.0.2.0/24 blackhole priority 5",
    "from 192.0.2.0/24 prohibit priority 5",
    "from 192.0.2.0/24 unreachable priority 5",
    "from 192.0.2.0/24 nop priority 5",
    "from 192.0.2.0/24 priority 5 goto 32766",
    "from 192.0.2.0/24 priority 5 goto 9",
    "iif eth0 l3mdev priority 5",
    "from 192.0.2.0/24 table 77 priority 4294967295",
    "from 2001:db8::/32 table 77 priority 555",
    "to 2001:db8::1 not iif eth0 table 77 priority 555",
    "inet6 fwmark 7 l3mdev priority 5",
    "inet6 tos 0x10 table 7 priority 5",
    "inet6 dport 53-53 ipproto udp table 7 priority 5",
    "from 2001:db8::/32 table 7 suppress_prefixlength 0 priority 5",
    "inet6 uidrange 5-5 unreachable priority 5",
    "inet6 from all goto 32766 priority 5",
]
ONLY_OURS = [
    # ip(8) has no word for the first, and cannot remove the second.
    "tunnel-id 99 table 7 priority 5",
    "from 192.0.2.0/24 table 77 priority 0",
]
REFUSED = ["tos 1 table 7 priority 5", "ipproto tcp dport 1-65535 table 7 priority 5"]


class Compared(NamedTuple):
    """A line: what became of it, and what ip(8) complains about and shows."""

    ours: dict[str, Any]
    complaint: str
    shown: str


@pytest.fixture(scope="module")
def compared() -> dict[str, Compared]:
    lines = [*LINES, *REFUSED]
    with Lab() as lab:
        twins = Twins(lab)
        ours = twins.tell("static_rules", lines)
        theirs = twins.by_ip([commands(line) for line in lines])
        only_ours = twins.tell("static_rules", ONLY_OURS)
    found = {
        line: Compared(one, complaint, shown)
        for line, one, (complaint, shown) in zip(lines, ours, theirs, strict=True)
    }
    more = zip(ONLY_OURS, only_ours, strict=True)
    return found | {line: Compared(one, "", "") for line, one in more}


def commands(line: str) -> tuple[str, str, str]:
    """Return what adds, shows and removes a rule."""
    family = "-6" if ":" in line or "inet6" in line else "-4"
    rule = f"{line.removeprefix('inet6 ')} protocol 18"
    return f"{family} rule add {rule}", f"{family} rule", f"{family} rule del {rule}"


@pytest.mark.parametrize("line", LINES)
def test_a_rule_is_what_ip_makes_of_it(compared: dict[str, Compared], line: str) -> None:
    ours, complaint, shown = compared[line]
    assert complaint == ""
    assert ours["install"] == [None, ""]
    assert "proto keepalived" in shown
    assert ours["shown"] == shown


@pytest.mark.parametrize("line", [*LINES, *ONLY_OURS])
def test_it_is_set_once_and_removed_whole(compared: dict[str, Compared], line: str) -> None:
    ours = compared[line].ours
    assert ours["install"] == [None, ""]
    assert ours["again"][0] == "EEXIST"
    assert ours["same"]
    assert ours["remove"] == [None, ""]
    assert not ours["left"]


@pytest.mark.parametrize("line", [*LINES, *ONLY_OURS])
def test_the_kernel_tells_of_it_by_its_key(compared: dict[str, Compared], line: str) -> None:
    ours = compared[line].ours
    assert ours["told"]
    assert ours["told_removal"]


@pytest.mark.parametrize("line", REFUSED)
def test_what_the_kernel_refuses_it_refuses_ip_too(
    compared: dict[str, Compared], line: str
) -> None:
    ours, complaint, shown = compared[line]
    assert ours["install"][0] == "EINVAL"
    assert ours["install"][1] in complaint
    assert ours["shown"] == shown
    assert not ours["left"]


def test_a_twin_of_another_origin_stays(lab: Lab) -> None:
    """Given a rule that an operator has set, when ours, which is the same, is set and removed, then
    that of the operator is there as before."""
    twins = Twins(lab)
    twins.ours.run("ip", "rule", "add", *["from", "192.0.2.0/24", "table", "77", "priority", "555"])
    before = twins.ours.run("ip", "rule")
    (told,) = twins.tell("static_rules", ["from 192.0.2.0/24 table 77 priority 555"])
    assert "lookup 77 proto keepalived" in told["shown"]
    assert told["remove"] == [None, ""]
    assert twins.ours.run("ip", "rule") == before
