"""Rules as bytes: everything that a line can say is in them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.network_text import static_rule
from config.network_values import rules
from fastvrrp.config.model import Network, Rule
from fastvrrp.host.holding import HoldingError, Kind
from fastvrrp.host.iproute import Names
from fastvrrp.host.rules import rule_holding
from unit.host.readback import kind_and_flags, rule_of

NAMES = Names(())


@given(rules(names=st.nothing()))
def test_nothing_that_a_line_says_is_lost(rule: Rule) -> None:
    holding = rule_holding(rule, NAMES)
    assert kind_and_flags(holding.install) == (32, 0x601)
    source, destination = map(narrower, (rule.source, rule.destination))
    taken = replace(rule, track=True, source=source, destination=destination)
    assert rule_of(holding.install) == taken


def narrower(network: Network | None) -> Network | None:
    """Return a network that is not everything."""
    return network if network is not None and network.prefixlen else None


@given(rules(names=st.nothing()))
def test_a_removal_names_all_of_it(rule: Rule) -> None:
    holding = rule_holding(rule, NAMES)
    assert kind_and_flags(holding.remove) == (33, 1)
    assert holding.remove[16:] == holding.install[16:]


def held(line: str) -> Any:  # noqa: ANN401 - see Holding
    return rule_holding(static_rule(line), NAMES)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "from 192.168.77.0/24 table 77 priority 555",
            "from 192.168.77.0/24 priority 555 table 77",
        ),
        ("inet6 iif eth9 priority 5 nop no_track", "inet6 iif eth9 priority 5 nop"),
        ("fwmark 1/3 goto 9 priority 5 no_track", "fwmark 1/3 priority 5 goto 9"),
    ],
)
def test_it_is_called_as_in_ip_rule(line: str, text: str) -> None:
    holding = held(line)
    assert (holding.text, holding.kind) == (text, Kind.RULE)
    assert holding.links == (), "the kernel knows interfaces of rules by their names"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "from all table blue priority 5",
            "there is no routing table blue; define it in /nowhere",
        ),
        ("from all table 5 realms blue priority 5", "there is no realm blue"),
        ("from all table 5 tos blue priority 5", "there is no type of service blue"),
        ("from all table 5 sup_group blue priority 5", "there is no group of interfaces blue"),
        ("ipproto no-such table 5 priority 5", "there is no IP protocol no-such"),
    ],
)
def test_names_that_this_host_does_not_have_are_told(line: str, message: str) -> None:
    with pytest.raises(HoldingError, match=f"rule of priority 5: {message}"):
        rule_holding(static_rule(line), Names((Path("/nowhere"),)))


def test_rules_that_the_kernel_tells_apart_have_different_keys() -> None:
    lines = [
        "from 192.0.2.0/24 table 5 priority 5",
        "from 192.0.2.0/24 table 5 priority 6",
        "from 192.0.2.0/24 table 6 priority 5",
        "to 192.0.2.0/24 table 5 priority 5",
        "not from 192.0.2.0/24 table 5 priority 5",
        "from 192.0.2.0/24 blackhole priority 5",
        "from 192.0.2.0/24 goto 7 priority 5",
        "from 192.0.2.0/24 goto 8 priority 5",
        "from 192.0.2.0/24 nop priority 5",
        "from 192.0.2.0/24 l3mdev priority 5",
        "from 192.0.2.0/24 table 5 priority 5 iif eth0",
        "from 192.0.2.0/24 table 5 priority 5 oif eth0",
        "from 192.0.2.0/24 table 5 priority 5 fwmark 0",
        "from 192.0.2.0/24 table 5 priority 5 fwmark 0/1",
        "from 192.0.2.0/24 table 5 priority 5 fwmark 1/1",
        "from 192.0.2.0/24 table 5 priority 5 fwmark 1",
        "from 192.0.2.0/24 table 5 priority 5 tos 8",
        "from 192.0.2.0/24 table 5 priority 5 tunnel-id 8",
        "from 192.0.2.0/24 table 5 priority 5 uidrange 0-0",
        "from 192.0.2.0/24 table 5 priority 5 ipproto tcp",
        "from 192.0.2.0/24 table 5 priority 5 sport 1-2",
        "from 192.0.2.0/24 table 5 priority 5 dport 1-2",
        "from 192.0.2.0/24 table 5 priority 5 sup_pl 0",
        "from 192.0.2.0/24 table 5 priority 5 sup_pl 1",
        "from 192.0.2.0/24 table 5 priority 5 sup_group 0",
        "from 192.0.2.0/24 table 5 priority 5 realms 1",
        "from 2001:db8::/32 table 5 priority 5",
        "inet6 table 5 priority 5",
        "inet table 5 priority 5",
    ]
    keys = [held(line).key for line in lines]
    first_of_mark_0 = keys.pop(lines.index("from 192.0.2.0/24 table 5 priority 5 fwmark 0"))
    assert len(set(keys)) == len(keys)
    assert first_of_mark_0 == keys[0], "it selects everything"
