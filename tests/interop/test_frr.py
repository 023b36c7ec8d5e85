"""fastvrrpd against FRR's vrrpd: VRRPv3, IPv4 and IPv6, and virtual MACs on FRR's side.

FRR keeps its virtual addresses on macvlan devices all the time, so that only its adverts tell when
it is active.
"""

import pytest

from interop.peers import OURS, Instance, config, rejects, wait_exit, wait_gone, wait_holder
from lab import (
    Advert,
    Arp,
    Exited,
    FrrInstance,
    FrrRouter,
    Lab,
    LabError,
    LogLine,
    NeighbourAdvert,
    Router,
)
from lab.frr import virtual_mac, why_not

pytestmark = [pytest.mark.netns, pytest.mark.interop]

INTERVAL = 0.1
DOWN = 4 * INTERVAL
SLACK_S = 3  # of a busy machine, and for a start
BETTER, WORSE = 150, 100
OF_FRR = {4: (51, "10.9.0.51"), 6: (51, "fd09::51")}  # FRR is the better router of these
OF_OURS = {4: (52, "10.9.0.52"), 6: (52, "fd09::52")}
FAMILIES = (4, 6)


class Pair:
    """FRR on one host, fastvrrpd on the other."""

    def __init__(self, lab: Lab) -> None:
        if reason := why_not():
            pytest.skip(reason)
        self.lab = lab
        host = lab.host("ours", "10.9.0.1/24", "fd09::1/64")
        ours, theirs = [], []
        for prizes, our_priority in ((OF_FRR, WORSE), (OF_OURS, BETTER)):
            for vrid, vip in prizes.values():
                ours.append(Instance(vip=vip, priority=our_priority, vrid=vrid, interval=INTERVAL))
                theirs.append(
                    FrrInstance(
                        vrid=vrid,
                        priority=BETTER + WORSE - our_priority,
                        address=vip,
                        interval_ms=round(1000 * INTERVAL),
                    )
                )
        self.ours = Router(host, config(*ours), program=OURS)
        self.frr = FrrRouter(lab, lab.host("frr", "10.9.0.2/24", "fd09::2/64"), *theirs)

    def start(self) -> None:
        """Start both, and wait until each has what it should."""
        try:
            self.frr.start()
        except LabError as error:
            pytest.skip(f"FRR cannot be set up here, it needs macvlan devices: {error}")
        self.ours.start()
        self.settle()

    def settle(self) -> None:
        """Wait until every better router, and nobody else, is heard."""
        for family in FAMILIES:
            vrid, vip = OF_OURS[family]
            self.lab.wait_for(
                lambda vip=vip: self.ours.host.holds(vip),  # type: ignore[misc]
                timeout=DOWN + SLACK_S,
            )
            self.advert("ours", vrid, family, self.lab.now())
            self.lab.wait_for(lambda: self.is_quiet("frr", OF_OURS), timeout=DOWN + SLACK_S)
            vrid, vip = OF_FRR[family]
            self.advert("frr", vrid, family, self.lab.now(), timeout=DOWN + SLACK_S)
            wait_gone(self.lab, self.ours, vip)

    def is_quiet(self, host: str, prizes: dict[int, tuple[int, str]]) -> bool:
        """Whether the last advert of some virtual routers is not of `host`."""
        return all(
            [e.host for e in self.lab.events(Advert, lambda e: is_of(e, vrid, family))][-1:]  # noqa: B023
            != [host]
            for family, (vrid, _) in prizes.items()
        )

    def advert(
        self,
        host: str,
        vrid: int,
        family: int,
        after: int,
        *,
        released: bool = False,
        timeout: float = SLACK_S,
    ) -> Advert:
        """The first advert of a host after an instant."""
        return self.lab.first(
            Advert,
            lambda e: e.host == host and is_of(e, vrid, family) and (e.priority == 0) == released,
            after=after,
            timeout=timeout,
        )


def is_of(advert: Advert, vrid: int, family: int) -> bool:
    """Whether an advert is of a virtual router."""
    return advert.vrid == vrid and (":" in advert.source) == (family == 6)


def test_ours_takes_over_from_frr_and_yields(lab: Lab) -> None:
    """Given FRR as the better router of an IPv4 and an IPv6 address, when it stops, returns and
    dies, then we take over in Skew_Time or Active_Down_Interval, announce it, and yield again."""
    pair = Pair(lab)
    pair.start()
    for family in FAMILIES:
        mac = virtual_mac(*OF_FRR[family])
        frames = lab.events(Advert, lambda e: e.host == "frr" and is_of(e, 51, family))  # noqa: B023
        assert frames[-1].frame[6:12].hex(":") == mac

    stopped = lab.now()
    pair.frr.stop()
    for family, (vrid, vip) in OF_FRR.items():
        zero = pair.advert("frr", vrid, family, stopped, released=True)
        ours = pair.advert("ours", vrid, family, zero.at)
        assert ours.at - zero.at < 0.2e9, "took over in Skew_Time"
        wait_holder(lab, pair.ours, vip, after=stopped, timeout=SLACK_S)
    announced = lab.first(
        Arp, lambda e: e.host == "ours" and e.gratuitous, after=stopped, timeout=SLACK_S
    )
    assert announced.sender == OF_FRR[4][1]
    lab.first(NeighbourAdvert, lambda e: e.host == "ours", after=stopped, timeout=SLACK_S)

    lab.first(Exited, lambda e: e.process == "vrrpd", after=stopped, timeout=SLACK_S)
    pair.frr.start()
    pair.settle()

    died = lab.now()
    pair.frr.kill()
    for _, vip in OF_FRR.values():
        wait_holder(lab, pair.ours, vip, after=died, timeout=DOWN + SLACK_S)
    assert rejects(pair.ours) == []


def test_frr_takes_over_from_ours_and_yields(lab: Lab) -> None:
    """Given us as the better router of an IPv4 and an IPv6 address, when we stop, return, die and
    return, then FRR takes over in Skew_Time or Active_Down_Interval, and yields again; it never
    does while it hears us."""
    pair = Pair(lab)
    pair.start()
    settled = lab.now()
    for family, (vrid, _) in OF_OURS.items():
        after = settled
        for _ in range(5):
            after = pair.advert("ours", vrid, family, after).at
    taken = lab.events(LogLine, lambda e: e.at > settled and "Backup -> Master" in e.text)
    assert taken == []

    pair.ours.stop()
    for family, (vrid, vip) in OF_OURS.items():
        zero = pair.advert("ours", vrid, family, settled, released=True)
        theirs = pair.advert("frr", vrid, family, zero.at)
        assert theirs.at - zero.at < 0.3e9, "took over in Skew_Time"
        wait_gone(lab, pair.ours, vip)
    wait_exit(lab, pair.ours, after=settled)
    pair.ours.start()
    pair.settle()

    died = lab.now()
    pair.ours.host.power_off()
    for family, (vrid, _) in OF_OURS.items():
        pair.advert("frr", vrid, family, died, timeout=DOWN + SLACK_S)
    pair.ours.host.power_on()
    pair.ours.start()
    pair.settle()
    assert rejects(pair.ours) == []
