"""Sync groups with keepalived: two LANs, whose addresses are always on the same router."""

import pytest

from interop.peers import (
    OURS,
    THEIRS,
    Instance,
    config,
    keepalived_errors,
    rejects,
    wait_advert,
    wait_exit,
    wait_gone,
    wait_holder,
)
from lab import Lab, Router

pytestmark = [pytest.mark.netns, pytest.mark.interop]

INTERVAL = 0.1
DOWN = 4 * INTERVAL
SLACK_S = 3  # of a busy machine, and for a start
LANS = (("eth0", 51, "10.9.0.100"), ("eth1", 52, "10.8.0.100"))
GROUP = "vrrp_sync_group BOTH {{\n group {{\n {members}\n }}\n}}\n"


class Grouped:
    """The better and the worse router, of different make, on two LANs."""

    def __init__(self, lab: Lab, better: str) -> None:
        self.lab = lab
        lab.lan("br1")
        worse = THEIRS if better == OURS else OURS
        self.better = self._router("r1", 1, better, 150)
        self.worse = self._router("r2", 2, worse, 100)

    def _router(self, name: str, number: int, program: str, priority: int) -> Router:
        host = self.lab.host(name, f"10.9.0.{number}/24")
        host.plug("eth1", "br1", f"10.8.0.{number}/24")
        instances = [
            Instance(vip=vip, priority=priority, vrid=vrid, interval=INTERVAL, interface=interface)
            for interface, vrid, vip in LANS
        ]
        members = "\n ".join(instance.name for instance in instances)
        text = config(*instances, more=GROUP.format(members=members))
        return Router(host, text, program=program)

    def start(self) -> None:
        """Start both; the better one gets both addresses."""
        self.worse.start()
        self.better.start()
        self.all_on(self.better)

    def all_on(self, router: Router, *, after: int = 0) -> None:
        """Wait until one router holds both addresses, and the other one none."""
        other = self.worse if router is self.better else self.better
        for _, _, vip in LANS:
            wait_holder(self.lab, router, vip, after=after, timeout=DOWN + SLACK_S)
            wait_gone(self.lab, other, vip)

    def assert_content(self) -> None:
        """Nobody finds fault with a packet of the other."""
        ours, theirs = self.better, self.worse
        if ours.program.endswith(THEIRS):
            ours, theirs = theirs, ours
        assert keepalived_errors(self.lab, theirs) == {}
        assert rejects(ours) == []


@pytest.mark.parametrize("better", [OURS, THEIRS])
def test_one_lan_takes_the_other_along(lab: Lab, better: str) -> None:
    """Given a group on two LANs, when the better router loses the link of one, gets it back,
    stops, returns and dies, then both addresses move together each time; the loss of a link of the
    other router moves nothing."""
    pair = Grouped(lab, better)
    pair.start()

    cut = lab.now()
    pair.better.host.cut("eth1")
    pair.all_on(pair.worse, after=cut)
    healed = lab.now()
    pair.better.host.heal("eth1")
    pair.all_on(pair.better, after=healed)

    pair.worse.host.cut("eth1")
    again = lab.now()
    for _ in range(8):  # longer than Active_Down_Interval
        advert = wait_advert(
            lab, pair.better, vrid=51, vip="10.9.0.100", after=again, timeout=SLACK_S
        )
        again = advert.at
    assert not pair.worse.host.holds("10.9.0.100")
    pair.worse.host.heal("eth1")
    pair.assert_content()

    stopped = lab.now()
    pair.better.stop()
    pair.all_on(pair.worse, after=stopped)
    wait_exit(lab, pair.better, after=stopped)
    returned = lab.now()
    pair.better.start()
    pair.all_on(pair.better, after=returned)
    pair.assert_content()

    died = lab.now()
    pair.better.host.power_off()
    for _, _, vip in LANS:
        wait_holder(lab, pair.worse, vip, after=died, timeout=DOWN + SLACK_S)


@pytest.mark.parametrize("better", [OURS, THEIRS])
def test_a_lan_that_loses_packets_moves_nothing_alone(lab: Lab, better: str) -> None:
    """Given a group on two LANs, when the routers cannot hear each other on one for a while, but
    on the other, then no address moves, and none is held twice."""
    pair = Grouped(lab, better)
    pair.start()
    lost = lab.now()
    pair.better.host.isolate("eth1")
    for _ in range(10):  # more than twice Active_Down_Interval
        advert = wait_advert(
            lab, pair.better, vrid=51, vip="10.9.0.100", after=lost, timeout=SLACK_S
        )
        lost = advert.at
    for _, _, vip in LANS:
        assert pair.better.host.holds(vip)
        assert not pair.worse.host.holds(vip)
    pair.better.host.heal("eth1")
    pair.assert_content()
    stopped = lab.now()
    pair.better.stop()
    pair.all_on(pair.worse, after=stopped)
