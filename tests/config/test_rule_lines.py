"""Lines of virtual_rules and static_rules."""

from ipaddress import ip_network

import pytest
from hypothesis import given

from config.network_text import (
    instance,
    static,
    static_rule,
)
from config.network_values import rules
from fastvrrp import config
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.model import (
    Realms,
    Rule,
    RuleAction,
)
from fastvrrp.config.values.rules import RuleLine

NET = ip_network("198.51.100.0/24")
NET6 = ip_network("2001:db8::/32")


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("from 198.51.100.0/24 table 5 priority 9", {"source": NET}),
        ("to 198.51.100.0/24 lookup 5 preference 9", {"destination": NET}),
        ("from all table 5 order 9", {}),
        ("from any table 5 priority 9", {}),
        ("table 5 priority 9", {}),
        ("table 0x5 priority 011", {}),
        ("inet6 table 5 priority 9", {"version": 6}),
        ("inet6 from all table 5 priority 9", {"version": 6}),
        ("from 2001:db8::/32 table 5 priority 9", {"version": 6, "source": NET6}),
        ("not from 198.51.100.0/24 table 5 priority 9", {"source": NET, "invert": True}),
        ("iif eth1 table 5 priority 9", {"iif": "eth1"}),
        ("dev eth1 table 5 priority 9", {"iif": "eth1"}),
        ("oif eth1 table 5 priority 9", {"oif": "eth1"}),
        ("fwmark 7 table 5 priority 9", {"fwmark": 7}),
        ("fwmark 0x7/0xff table 5 priority 9", {"fwmark": 7, "fwmask": 255}),
        ("tos 0x10 table 5 priority 9", {"tos": 16}),
        ("realms 5/6 table 5 priority 9", {"realms": Realms(5, 6)}),
        ("tunnel-id 7 table 5 priority 9", {"tunnel_id": 7}),
        ("uidrange 5-6 table 5 priority 9", {"uids": (5, 6)}),
        ("ipproto tcp table 5 priority 9", {"ip_protocol": 6}),
        ("ipproto 6 table 5 priority 9", {"ip_protocol": 6}),
        ("ipproto sctp table 5 priority 9", {"ip_protocol": "sctp"}),
        ("sport 5-6 table 5 priority 9", {"source_ports": (5, 6)}),
        ("dport 5-5 table 5 priority 9", {"destination_ports": (5, 5)}),
        ("table main priority 9", {"table": 254}),
        ("table office priority 9", {"table": "office"}),
        ("table 5 priority 9 suppress_prefixlength 0", {"suppress_prefixlength": 0}),
        ("table 5 priority 9 sup_pl 8", {"suppress_prefixlength": 8}),
        ("table 5 priority 9 suppress_ifgroup 7", {"suppress_ifgroup": 7}),
        ("table 5 priority 9 sup_group default", {"suppress_ifgroup": 0}),
        ("table 5 priority 9 protocol 4 no_track", {"protocol": 4, "track": False}),
        ("goto 10 priority 9", {"action": RuleAction.GOTO, "goto": 10, "table": None}),
        ("nop priority 9", {"action": RuleAction.NOP, "table": None}),
        ("blackhole priority 9", {"action": RuleAction.BLACKHOLE, "table": None}),
        ("type prohibit priority 9", {"action": RuleAction.PROHIBIT, "table": None}),
        ("unreachable priority 9", {"action": RuleAction.UNREACHABLE, "table": None}),
        ("l3mdev priority 9", {"action": RuleAction.L3MDEV, "table": None}),
    ],
)
def test_a_rule_line_says(line: str, fields: dict[str, object]) -> None:
    assert static_rule(line) == Rule(**{"table": 5, "priority": 9, **fields})  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("from 198.51.100.0/24 priority 9", "does not say what to do"),
        ("198.51.100.0/24 table 5 priority 9", "198.51.100.0/24 is no option of a rule"),
        ("from 198.51.100.0/24 prio 9 table 5", "prio is no option of a rule"),
        ("from 198.51.100./24 table 5 priority 9", "no IPv4 or IPv6 address"),
        ("from 198.51.100.0/24 to 2001:db8::/32 table 5 priority 9", "a rule has one family"),
        ("inet from 2001:db8::/32 table 5 priority 9", "a rule has one family"),
        ("from 2001:db8::/32 realms 5 table 5 priority 9", "realms are for IPv4 only"),
        ("from all table 5 table 6 priority 9", "a rule does one thing"),
        ("from all table 5 blackhole priority 9", "a rule does one thing"),
        ("from all table 0 priority 9", "table 0 cannot be looked up"),
        ("from all blackhole sup_pl 1 priority 9", "sup_pl belongs to table, not to blackhole"),
        ("from all nop realms 1 priority 9", "realms belongs to table, not to nop"),
        ("from all goto 9 priority 9", "which is not behind it"),
        ("from all goto 9", "goto needs a priority of its own"),
        ("from all type unicast priority 9", "type must be"),
        ("fwmark 5/x table 5 priority 9", "fwmark must be NUMBER or NUMBER/MASK"),
        ("fwmark 4294967296 table 5 priority 9", "fwmark must be NUMBER or NUMBER/MASK"),
        ("sport 80 table 5 priority 9", "sport must be a range"),
        ("dport 5-70000 table 5 priority 9", "outside 0 to 65535"),
        ("uidrange 5 table 5 priority 9", "uidrange must be a range"),
        ("tunnel-id 18446744073709551616 table 5 priority 9", "outside 0 to"),
        ("protocol static table 5 priority 9", "protocol must be a whole number"),
        ("ipproto 256 table 5 priority 9", "ipproto must be"),
        ("sup_pl 129 table 5 priority 9", "outside 0 to 128"),
        ("table 5 priority x", "priority must be a whole number"),
        ("table 5 priority 9 track_group G", "track_group is no option of a rule"),
    ],
)
def test_a_rule_is_left_out_with_a_warning(line: str, message: str) -> None:
    found, told = instance("virtual_rules", line)
    assert not found.instances[0].rules
    assert [one.severity for one in told] == [Severity.WARNING]
    assert message in told[0].message
    assert told[0].message.endswith("; the rule is left out")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("198.51.100.0/24 table 5", "write from 198.51.100.0/24, or to 198.51.100.0/24"),
        ("from all sport 80 table 5", "write sport 80-80"),
        ("from all goto 9", "add: priority NUMBER"),
    ],
)
def test_the_hint_says_what_to_write(line: str, hint: str) -> None:
    _, told = instance("virtual_rules", line)
    assert told[0].hint == hint


def test_a_range_that_runs_backwards_is_noted() -> None:
    found, told = instance("virtual_rules", "sport 9-5 table 5 priority 9")
    assert found.instances[0].rules[0].source_ports == (9, 5)
    assert [(one.severity, one.hint) for one in told] == [(Severity.NOTE, "write 5-9")]


def test_rules_without_priority_get_one_each_family_counts_alone() -> None:
    text = """
static_rules {
    from 192.0.2.0/24 table 5
    from 2001:db8::/32 table 5
    from 192.0.2.0/24 table 6 priority 7
}
vrrp_instance V {
    interface eth0
    virtual_router_id 5
    virtual_ipaddress {
        192.0.2.1/24
    }
    virtual_rules {
        from 192.0.2.0/24 table 7
    }
}
"""
    found = config.loads(text)
    assert [rule.priority for rule in found.static_rules] == [16384, 16384, 7]
    assert [rule.priority for rule in found.instances[0].rules] == [16383]
    told = [(one.severity, one.span.line) for one in found.diagnostics if one.code == "FV241"]
    assert told == [(Severity.WARNING, line) for line in (3, 4, 14)]


def test_a_static_entry_keeps_only_a_track_group_that_exists() -> None:
    found, told = static("static_routes", "198.51.100.0/24 dev eth0 track_group G")
    assert found.static_routes[0].track_group is None
    assert [one.code for one in told] == ["FV212"]
    found, told = static("static_rules", "from all table 5 priority 9 track_group G")
    assert found.static_rules[0].track_group is None
    assert [one.code for one in told] == ["FV212"]


@given(rules())
def test_a_rule_that_is_written_reads_back(rule: Rule) -> None:
    written = RuleLine(static=True).write(rule)
    assert written is not None
    found, told = static("static_rules", written)
    assert found.static_rules == (rule,)
    assert not told


def test_the_schema_has_no_places() -> None:
    schema = RuleLine().schema()
    assert schema["type"] == "object"
    assert "span" not in str(schema)
    assert "track" in str(schema)
    assert "table" in RuleLine().describe()
