"""interface_up_down_delays, linkbeat_interfaces and garp_group."""

import pytest

from config.network_text import static
from fastvrrp import config
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.model import GarpGroup, InterfaceDelay, LinkbeatInterface, LinkbeatMethod
from fastvrrp.config.values.links import DelayLine, LinkbeatLine

DELAYS = "interface_up_down_delays"
LINKBEAT = "linkbeat_interfaces"


@pytest.mark.parametrize(
    ("line", "down", "up"),
    [
        ("eth0 5", seconds(5), Nanoseconds(0)),
        ("eth0 0 5", Nanoseconds(0), seconds(5)),
        ("eth0 0.5 1.25", milliseconds(500), milliseconds(1250)),
        ("eth0 255 255", seconds(255), seconds(255)),
        ("eth0 0.000001", Nanoseconds(1000), Nanoseconds(0)),
    ],
)
def test_a_delay_line_says(line: str, down: Nanoseconds, up: Nanoseconds) -> None:
    found, told = static(DELAYS, line)
    assert found.interface_delays == (InterfaceDelay(interface="eth0", down=down, up=up),)
    assert not told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("eth0 256", "the delay of eth0 256 is outside 0 to 255 seconds"),
        ("eth0 soon", "the delay of eth0 must be a time in seconds, not soon"),
        ("eth0 5 later", "the delay of eth0 must be a time in seconds, not later"),
        ("eth0 -1", "the delay of eth0 must be a time in seconds, not -1"),
    ],
)
def test_a_bad_delay_leaves_the_line_out(line: str, message: str) -> None:
    found, told = static(DELAYS, line)
    assert not found.interface_delays
    expected = [(Severity.WARNING, f"{message}; the line is left out")]
    assert [(one.severity, one.message) for one in told] == expected


@pytest.mark.parametrize(
    ("line", "code"), [("eth0", "FV342"), ("eth0 0 0", "FV342"), ("eth0 1 2 3", "FV105")]
)
def test_a_delay_line_that_says_little_is_noted(line: str, code: str) -> None:
    found, told = static(DELAYS, line)
    assert len(found.interface_delays) == 1
    assert [(one.severity, one.code) for one in told] == [(Severity.NOTE, code)]


@pytest.mark.parametrize("name", [DELAYS, LINKBEAT])
def test_links_are_looked_at_as_the_lines_say(name: str) -> None:
    found, _ = static(name, "eth0 5" if name is DELAYS else "eth0 MII")
    assert [one for one in found.diagnostics if one.code in ("FV110", "FV111")] == []


@pytest.mark.parametrize(
    ("line", "method"),
    [
        ("eth0", None),
        ("eth0 MII", LinkbeatMethod.MII),
        ("eth0 ETHTOOL", LinkbeatMethod.ETHTOOL),
        ("eth0 IOCTL", LinkbeatMethod.IOCTL),
    ],
)
def test_a_linkbeat_line_says(line: str, method: LinkbeatMethod | None) -> None:
    found, told = static(LINKBEAT, line)
    assert found.linkbeat_interfaces == (LinkbeatInterface(interface="eth0", method=method),)
    assert not told
    assert not found.unsupported


@pytest.mark.parametrize(
    ("line", "hint"), [("eth0 mii", "write MII"), ("eth0 fast", "write one of MII, ETHTOOL, IOCTL")]
)
def test_an_unknown_way_to_ask_is_not_used(line: str, hint: str) -> None:
    found, told = static(LINKBEAT, line)
    assert found.linkbeat_interfaces == (LinkbeatInterface(interface="eth0"),)
    assert [(one.severity, one.hint) for one in told] == [(Severity.WARNING, hint)]


@pytest.mark.parametrize("block", [DELAYS, LINKBEAT])
def test_interfaces_must_exist_on_the_host(block: str) -> None:
    found, _ = static(block, "eth7")
    assert [one.name for one in found.references] == ["eth7"]


@pytest.mark.parametrize(
    "value",
    [
        InterfaceDelay(interface="eth0", down=milliseconds(5), up=seconds(255)),
        InterfaceDelay(interface="bond0.5", up=Nanoseconds(1000)),
    ],
)
def test_a_delay_that_is_written_reads_back(value: InterfaceDelay) -> None:
    found, told = static(DELAYS, str(DelayLine().write(value)))
    assert found.interface_delays == (value,)
    assert not told


@pytest.mark.parametrize("method", [None, *LinkbeatMethod])
def test_a_linkbeat_line_that_is_written_reads_back(method: LinkbeatMethod | None) -> None:
    value = LinkbeatInterface(interface="eth0", method=method)
    found, _ = static(LINKBEAT, str(LinkbeatLine().write(value)))
    assert found.linkbeat_interfaces == (value,)


@pytest.mark.parametrize("kind", [DelayLine(), LinkbeatLine()])
def test_the_schema_names_the_interface(kind: DelayLine | LinkbeatLine) -> None:
    properties = kind.schema()["properties"]
    assert isinstance(properties, dict)
    assert properties["interface"] == {"type": "string"}
    assert "interface" in kind.describe()


def test_garp_groups_say_intervals_and_interfaces() -> None:
    text = """
garp_group {
    garp_interval 0.01
    interface eth0
    interface eth1
}
garp_group {
    gna_interval 0.02
    interfaces {
        eth2 eth3
        eth4
    }
}
"""
    found = config.loads(text)
    assert found.garp_groups == (
        GarpGroup(garp_interval=milliseconds(10), interfaces=("eth0", "eth1")),
        GarpGroup(gna_interval=milliseconds(20), interfaces=("eth2", "eth3", "eth4")),
    )
    assert found.diagnostics == ()


def test_an_interface_belongs_to_the_first_group_that_names_it() -> None:
    text = """
garp_group {
    garp_interval 0.01
    interface eth0
}
garp_group {
    garp_interval 0.02
    interfaces {
        eth0 eth1 eth1
    }
}
"""
    found = config.loads(text)
    assert [group.interfaces for group in found.garp_groups] == [("eth0",), ("eth1",)]
    told = [one for one in found.diagnostics if one.code == "FV106"]
    assert [(one.severity, one.message) for one in told] == [
        (Severity.NOTE, "eth0 is in a garp_group already; the first one counts"),
        (Severity.NOTE, "eth1 is in a garp_group already; the first one counts"),
    ]


@pytest.mark.parametrize(
    ("line", "severity", "code", "count"),
    [
        ("interface eth0", Severity.WARNING, "FV242", 0),
        ("garp_interval 0.01", Severity.NOTE, "FV341", 1),
        ("garp_interval 1\ninterface eth0", Severity.NOTE, "FV340", 1),
        ("gna_interval 2147.483647\ninterface eth0", Severity.NOTE, "FV340", 1),
        ("garp_interval 2147.483648\ninterface eth0", Severity.WARNING, "FV104", 0),
        ("garp_interval soon\ninterface eth0", Severity.WARNING, "FV103", 0),
        ("garp_interval 0.0000001\ninterface eth0", Severity.WARNING, "FV216", 1),
        ("garp_interval 0.9999\ninterface eth0", None, "", 1),
        ("garp_interval 0\ninterface eth0", None, "", 1),
    ],
)
def test_what_a_garp_group_is_told(
    line: str, severity: Severity | None, code: str, count: int
) -> None:
    found = config.loads(f"garp_group {{\n{line}\n}}\n")
    told = [(one.severity, one.code) for one in found.diagnostics if one.code != "FV110"]
    assert told == ([(severity, code)] if severity else [])
    assert len(found.garp_groups) == count
