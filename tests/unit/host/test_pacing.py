"""Which interfaces share the least time between two announcements."""

from fastvrrp import config
from fastvrrp.clock import milliseconds
from fastvrrp.host.pacing import Pace, Pacing

NONE = milliseconds(0)


def pacing(text: str, *interfaces: str) -> Pacing:
    return Pacing(config.loads(text), interfaces)


GROUPS = """
garp_group {
    garp_interval 0.01
    interfaces {
        eth0
        eth1
    }
}
garp_group {
    gna_interval 0.02
    interface eth2
}
"""


def test_nothing_is_paced_unless_it_is_said() -> None:
    found = pacing("", "eth0")
    assert found.paces == ()
    assert found.number("eth0") == -1


def test_interfaces_of_a_group_wait_for_each_other() -> None:
    found = pacing(GROUPS, "eth0", "eth1", "eth2", "eth3")
    assert [found.number(f"eth{n}") for n in range(4)] == [0, 0, 1, -1]
    assert found.paces == (
        Pace(arp=milliseconds(10), na=NONE),
        Pace(arp=NONE, na=milliseconds(20)),
    )


def test_other_interfaces_have_the_common_intervals_each_for_itself() -> None:
    text = f"global_defs {{\nvrrp_garp_interval 0.003\nvrrp_gna_interval 0.004\n}}\n{GROUPS}"
    found = pacing(text, "eth4", "eth0", "eth3", "eth4")
    assert [found.number(f"eth{n}") for n in (0, 3, 4, 5)] == [0, 2, 3, -1]
    assert found.paces[2:] == (Pace(arp=milliseconds(3), na=milliseconds(4)),) * 2


def test_numbers_do_not_depend_on_the_order_in_which_interfaces_come() -> None:
    text = "global_defs {\nvrrp_garp_interval 0.003\n}\n"
    one, other = pacing(text, "eth1", "eth0"), pacing(text, "eth0", "eth1")
    assert [one.number("eth0"), one.number("eth1")] == [other.number("eth0"), other.number("eth1")]
