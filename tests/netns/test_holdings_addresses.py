"""Addresses in a real kernel: what a line of the configuration sets is what ip(8) sets for it."""

from typing import Any, NamedTuple

import pytest

from lab import Lab
from netns.twins import Twins

pytestmark = pytest.mark.netns

SAME = [
    "10.1.0.9/24 dev eth0",
    "10.1.0.9/24 dev eth0 brd +",
    "10.1.0.9/24 dev eth0 brd -",
    "10.1.0.9/24 dev eth0 brd 10.1.0.77",
    "10.1.0.1/32 dev eth0",
    "192.0.2.9 dev eth1",
    "192.0.2.9/32 dev eth1 scope link",
    "192.0.2.9 dev eth0 scope host",
    "192.0.2.9 dev eth0 scope site",
    "192.0.2.9/24 dev eth0 label eth0:vip",
    "192.0.2.9 dev eth0 peer 192.0.2.7",
    "192.0.2.9/24 dev eth0 noprefixroute",
    "239.1.2.3/32 dev eth0 autojoin",
]
BY_IP = {line: line for line in SAME} | {
    "2001:db8:5::9 dev eth0": "2001:db8:5::9/128 dev eth0 nodad preferred_lft 0",
    "2001:db8:5::9/64 dev eth0": "2001:db8:5::9/64 dev eth0 nodad",
    "2001:db8:5::9/64 dev eth0 preferred_lft 0": "2001:db8:5::9/64 dev eth0 nodad preferred_lft 0",
    "2001:db8:5::9 dev eth0 preferred_lft forever": "2001:db8:5::9/128 dev eth0 nodad",
    "2001:db8:5::9/64 dev eth0 home": "2001:db8:5::9/64 dev eth0 nodad home",
    "2001:db8:5::9/64 dev eth0 mngtmpaddr": "2001:db8:5::9/64 dev eth0 nodad mngtmpaddr",
    "2001:db8:5::9/64 dev eth0 noprefixroute": "2001:db8:5::9/64 dev eth0 nodad noprefixroute",
    "2001:db8:5::9/64 dev eth0 -nodad": "2001:db8:5::9/64 dev eth0",
    "2001:db8:5::9 dev eth0 peer 2001:db8:5::8": (
        "2001:db8:5::9 peer 2001:db8:5::8 dev eth0 nodad preferred_lft 0"
    ),
    "fe80::9/64 dev eth0": "fe80::9/64 dev eth0 nodad",
    "ff0e::9 dev eth0 autojoin": "ff0e::9/128 dev eth0 autojoin nodad preferred_lft 0",
}
"""Lines of the configuration, and the words of ip(8) for them."""

REFUSED = {
    "::/64 dev eth0": "::/64 dev eth0 nodad",
    "2001:db8:1::1/64 dev eth0": "2001:db8:1::1/64 dev eth0",  # which it has
}


class Compared(NamedTuple):
    """A line: what became of it, and what ip(8) complains about and shows."""

    ours: dict[str, Any]
    complaint: str
    shown: str


@pytest.fixture(scope="module")
def compared() -> dict[str, Compared]:
    lines = BY_IP | REFUSED
    with Lab() as lab:
        twins = Twins(lab)
        ours = twins.tell("static_ipaddress", list(lines))
        theirs = twins.by_ip([commands(words) for words in lines.values()])
    return {
        line: Compared(one, complaint, shown)
        for line, one, (complaint, shown) in zip(lines, ours, theirs, strict=True)
    }


def commands(words: str) -> tuple[str, str, str]:
    """Return what adds, shows and removes an address."""
    family = "-6" if ":" in words.split(maxsplit=1)[0] else "-4"
    return (
        f"{family} address add {words}",
        f"{family} -o address",
        f"{family} address del {words}",
    )


@pytest.mark.parametrize("line", BY_IP)
def test_an_address_is_what_ip_makes_of_it(compared: dict[str, Compared], line: str) -> None:
    ours, complaint, shown = compared[line]
    assert complaint == ""
    assert ours["install"] == [None, ""]
    assert ours["shown"] == shown
    assert line.partition("/")[0].partition(" ")[0] in shown


@pytest.mark.parametrize("line", BY_IP)
def test_it_is_set_once_and_removed_whole(compared: dict[str, Compared], line: str) -> None:
    ours = compared[line].ours
    assert ours["again"][0] == "EEXIST"
    assert ours["same"]
    assert ours["remove"] == [None, ""]
    assert not ours["left"]


@pytest.mark.parametrize("line", BY_IP)
def test_the_kernel_tells_of_it_by_its_key(compared: dict[str, Compared], line: str) -> None:
    ours = compared[line].ours
    assert ours["told_removal"]


@pytest.mark.parametrize("line", REFUSED)
def test_what_the_kernel_refuses_it_refuses_ip_too(
    compared: dict[str, Compared], line: str
) -> None:
    ours, complaint, shown = compared[line]
    assert ours["install"][0] in ("EADDRNOTAVAIL", "EEXIST")
    assert ours["install"][1] in complaint
    assert ours["shown"] == shown


def test_an_address_of_an_operator_is_not_made_ours(lab: Lab) -> None:
    """Given an address that an operator has set, when ours, which is the same, is asked for, then
    the kernel refuses it and changes neither its mark nor its lifetime."""
    twins = Twins(lab)
    line = "2001:db8:5::9/64 dev eth0"
    twins.ours.run("ip", "address", "add", *f"{line} preferred_lft 0 nodad".split())
    before = twins.ours.run("ip", "-6", "-o", "address")
    (told,) = twins.tell("static_ipaddress", [line])
    assert told["install"][0] == "EEXIST"
    assert told["shown"] == before
