"""Multicast groups that the kernel has forgotten, as /proc says."""

import sys
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from fastvrrp.clock import seconds
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.host.memberships import Memberships
from fastvrrp.loop.ports import PortKey
from manualtime import ManualLoop

GROUP = {4: ip_address("224.0.0.18"), 6: ip_address("ff02::12")}
NUMBER = int.from_bytes(GROUP[4].packed, sys.byteorder)
IGMP = f"""\
Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t{NUMBER:08X}     1 0:00000000\t\t0
3\teth0      :     2      V3
\t\t\t\t{NUMBER:08X}     1 0:00000000\t\t0
\t\t\t\t010000E0     1 0:00000000\t\t0
"""
IGMP6 = """\
1    lo              ff020000000000000000000000000001     1 0000000C 0
3    eth0            ff020000000000000000000000000012     1 00000004 0
3    eth0            ff020000000000000000000000000001     1 0000000C 0
"""


class Table(LinkTable):
    """A table with one link."""

    def __init__(self) -> None:
        self.one = Link(index=3, generation=7, name="eth0", flags=0x41, mac=bytes(6), mtu=1500)

    def link(self, name: str) -> Link | None:
        return self.one if name == self.one.name else None

    def renew(self, index: int) -> None:
        assert index == self.one.index
        self.one = replace(self.one, generation=self.one.generation + 1)


def key(family: int, **changes: object) -> PortKey:
    made = PortKey(
        interface="eth0",
        ifindex=3,
        generation=7,
        family=family,
        ah=False,
        source=None,
        group=GROUP[family],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "igmp").write_text(IGMP)
    (tmp_path / "igmp6").write_text(IGMP6)
    return tmp_path


def renews(net: Path, *keys: PortKey) -> bool:
    table, loop = Table(), ManualLoop()
    memberships = Memberships(loop, table, lambda: keys, lambda: None, net=net)
    renewed = memberships.renew()
    assert (table.one.generation != 7) == renewed
    return renewed


def test_groups_that_are_there_are_left_alone(net: Path) -> None:
    assert not renews(net, key(4), key(6))


@pytest.mark.parametrize(
    ("family", "name", "text"),
    [(4, "igmp", IGMP.partition("3\teth0")[0]), (6, "igmp6", IGMP6.partition("3    eth0")[0])],
)
def test_a_group_that_is_not_there_is_joined_again(
    net: Path, family: int, name: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (net / name).write_text(text)
    assert renews(net, key(4), key(6))
    assert f"forgotten that eth0 is in group {GROUP[family]}" in caplog.text


def test_an_interface_that_is_another_one_by_now_is_not_ours_to_judge(net: Path) -> None:
    (net / "igmp").write_text(IGMP.partition("3\teth0")[0])
    assert not renews(net, key(4, generation=6), key(4, ifindex=2), key(4, interface="eth1"))


def test_unicast_has_joined_nothing(net: Path) -> None:
    (net / "igmp").write_text(IGMP.partition("3\teth0")[0])
    assert not renews(net, key(4, source=ip_address("192.0.2.1")))


def test_what_cannot_be_read_says_nothing(net: Path) -> None:
    (net / "igmp").unlink()
    (net / "igmp6").unlink()
    assert not renews(net, key(4), key(6))


def test_it_looks_every_30_seconds_and_tells_what_it_has_found(net: Path) -> None:
    table, loop, told = Table(), ManualLoop(), list[str]()
    memberships = Memberships(loop, table, lambda: [key(4)], lambda: told.append("lost"), net=net)
    loop.advance(seconds(29.9))
    (net / "igmp").write_text(IGMP.partition("3\teth0")[0])
    assert told == []
    loop.advance(seconds(0.2))
    assert told == ["lost"]
    loop.advance(seconds(30))
    assert told == ["lost"]  # its ports are those of another life until they are opened anew
    memberships.close()
    assert not loop.waiting
