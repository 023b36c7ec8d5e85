"""Which interfaces share the least time between two announcements."""

from fastvrrp import config
from fastvrrp.clock import milliseconds
from fastvrrp.host.pacing import Pace, Pacing

NONE = milliseconds(0)


INSTANCE = """
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 5
    virtual_ipaddress {
        192.0.2.1
        192.0.2.2 dev eth3
    }
    virtual_ipaddress_excluded {
        2001:db8::1 dev eth4
    }
}
"""


def pacing(text: str) -> Pacing:
    return Pacing(config.loads(text + INSTANCE))


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
    found = pacing("")
    assert found.paces == ()
    assert found.number("eth0") == -1


def test_interfaces_of_a_group_wait_for_each_other() -> None:
    found = pacing(GROUPS)
    assert [found.number(f"eth{n}") for n in range(4)] == [0, 0, 1, -1]
    assert found.paces == (
        Pace(arp=milliseconds(10), na=NONE),
        Pace(arp=NONE, na=milliseconds(20)),
    )


def test_other_interfaces_have_the_common_intervals_each_for_itself() -> None:
    text = f"global_defs {{\nvrrp_garp_interval 0.003\nvrrp_gna_interval 0.004\n}}\n{GROUPS}"
    found = pacing(text)
    assert [found.number(f"eth{n}") for n in (0, 3, 4, 5)] == [0, 2, 3, -1]
    assert found.paces[2:] == (Pace(arp=milliseconds(3), na=milliseconds(4)),) * 2
